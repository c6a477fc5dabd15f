"""Rows as tables in the UI, which several definitions show."""

from collections.abc import Sequence
from dataclasses import asdict

import dagster as dg

from dagster_project.audit.results import Finding

_COLUMNS = ("trade_date", "symbol", "what", "feed", "file", "line_number", "severity", "waiver")


def offending_rows(findings: Sequence[Finding]) -> dg.TableMetadataValue:
    """The rows that a check found, as a table in the UI."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    name: "" if value is None else str(value)
                    for name, value in asdict(finding).items()
                    if name in _COLUMNS
                }
            )
            for finding in findings
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in _COLUMNS]),
    )
