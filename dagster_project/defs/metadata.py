"""What several definitions show in the UI: tables, and results of checks that did not run.

Belongs here: how something looks in Dagster. Does not belong here: what it says (`audit/`,
`release/`).
"""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.audit.results import Finding


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> dg.TableMetadataValue:
    """Some columns of rows as a table in the UI."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord({name: "" if row[name] is None else str(row[name]) for name in columns})
            for row in rows
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
    )


def offending_rows(findings: Sequence[Finding]) -> dg.TableMetadataValue:
    """The rows that a check found, as a table in the UI that tells new ones from standing ones."""
    rows = [
        {
            "first seen": finding.first_seen or "new",
            "session": finding.trade_date,
            "symbol": finding.symbol,
            "what": finding.what,
            "file": f"{finding.file or finding.feed or ''}:{finding.line_number or ''}".strip(":"),
            "severity": finding.severity,
            "waiver": finding.waiver,
        }
        for finding in findings
    ]
    return table(rows, [*rows[0]])


def code_reference(file: Path) -> dict[str, Any]:
    """The metadata by which the UI leads from an asset to the file that defines it."""
    with warnings.catch_warnings():
        # Each of hundreds says that its class is new; should it change, our test says so.
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=str(file), label=file.name)
        references = dg.CodeReferencesMetadataValue(code_references=[reference])
    return {"dagster/code_references": references}


def as_text(text: str) -> str:
    """Text for where the UI reads Markdown, which drops `<feed>` as HTML and `*` of `*ST`."""
    return re.sub(r"([<*])", r"\\\1", text)


def keep_results(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    checks: Iterable[dg.AssetCheckKey],
) -> None:
    """Give checks that this run does not run again, because nothing changed, their last result.

    Otherwise Dagster shows every check that a run planned and did not run as skipped, and what it
    found is out of sight. A check that never ran stays skipped.
    """
    last = context.instance.event_log_storage.get_asset_check_summary_records([*checks])
    for summary in last.values():
        record = summary.last_completed_check_execution_record
        if record and record.event and record.event.dagster_event:
            context.op_execution_context.log_event(
                record.event.dagster_event.asset_check_evaluation_data
            )


def planned_checks(context: dg.AssetExecutionContext) -> list[dg.AssetCheckKey]:
    """All checks of all steps that Dagster planned for this run."""
    planned = context.instance.all_logs(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    )
    return [
        entry.dagster_event.asset_check_planned_data.asset_check_key
        for entry in planned
        if entry.dagster_event
    ]
