"""Ingest: one asset per feed, made from `feeds/*.yaml`, and the raw tables that they fill."""

import re
from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project import pipeline
from dagster_project.alerts import sending
from dagster_project.defs.fetch import sources_of
from dagster_project.defs.metadata import code_reference, keep_results, planned_checks
from dagster_project.defs.partitions import makes_release, requested_dates, trade_dates
from dagster_project.defs.resources import Warehouse
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.ingest.feed_ingestion import FeedResult
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.calendar import today_in_hong_kong
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse.connection import connect

catalog = load_feeds(config=Home.from_environment().config)

# What dbt reads besides the record kinds.
BOOKKEEPING = {
    "file": "Every file in landing, and what was read from it.",
    "rejected_row": "Every rejected row, as text, with its line and the reason.",
    "session": "The days on which each market trades, by calendar and override.",
    "asked_dates": "The covered dates; the last is the warehouse's clock.",
    "feed": "The feeds, as their specs say.",
}
# Only the audit reads these. Ingest writes them too, but a run has no event for them.
READ_BY_AUDIT = {
    **{f"{kind}_superseded": f"What {kind} said before." for kind in RECORD_KINDS},
    "file_superseded": "What file said before.",
    "pending_rebuild": "From which date on the tables must be rebuilt, and why.",
    "feed_problem": "Why a feed could not be read: a wrong spec, a missing folder.",
}


def feed_key(feed: str) -> dg.AssetKey:
    return dg.AssetKey(["feed", feed])


def raw_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", table])


def _feed_spec(spec: FeedSpec) -> dg.AssetSpec:
    return dg.AssetSpec(
        feed_key(spec.feed),
        description="\n\n".join(
            [
                f"{spec.title}. {spec.description}",
                *([f"Unverified: {spec.unverified}."] if spec.unverified else []),
                f"Files: `landing/{spec.landing_folder}/{spec.files}`",
            ]
        ),
        group_name="ingest",
        kinds={"file", spec.format.type.removesuffix("_cells"), "duckdb"},
        owners=["team:data-engineers"],
        tags={"content": spec.content},
        metadata={
            "vendor": spec.vendor,
            "priority": spec.priority,
            "due by": spec.due_by or "-",
            "due every": spec.due_every if spec.due_by else "-",
            **code_reference(catalog.paths[spec.feed]),
        },
        deps=sources_of(spec.landing_folder),
        partitions_def=trade_dates if spec.content == "day" else None,
        skippable=True,
    )


def _raw_specs() -> list[dg.AssetSpec]:
    specs = [
        dg.AssetSpec(
            raw_key(kind),
            deps=[feed_key(name) for name, spec in catalog.feeds.items() if kind in spec.records],
            description=f"Current rows of record kind {kind}, from every feed that has it.",
            group_name="raw",
            kinds={"duckdb", "table"},
            skippable=True,
        )
        for kind in RECORD_KINDS
    ]
    specs += [
        dg.AssetSpec(
            raw_key(table),
            deps=[feed_key(name) for name in catalog.feeds],
            description=description,
            group_name="raw",
            kinds={"duckdb", "table"},
            skippable=True,
        )
        for table, description in BOOKKEEPING.items()
    ]
    return specs


read_by_audit = [
    dg.AssetSpec(
        raw_key(table),
        deps=[feed_key(name) for name in catalog.feeds],
        description=description,
        group_name="raw",
        kinds={"duckdb", "table"},
    )
    for table, description in READ_BY_AUDIT.items()
]


@dg.multi_asset(
    specs=[*(_feed_spec(spec) for spec in catalog.feeds.values()), *_raw_specs()],
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def ingest(
    context: dg.AssetExecutionContext, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult[Any]]:
    """Read what is new in landing. With nothing new, nothing is written and the run ends here."""
    home, today = warehouse.home, today_in_hong_kong()
    selected = context.selected_asset_keys
    feeds = [name for name in catalog.feeds if feed_key(name) in selected]
    # A click on one partition of a feed must not move the clock of the whole warehouse.
    is_whole = makes_release(context.run) and len(feeds) == len(catalog.feeds)
    requested = requested_dates(context.run.tags) if is_whole else None
    if requested:
        pipeline.check_dates(*requested, today)
    if pipeline.nothing_new(home, catalog, requested, today):
        context.log.info(
            "Nothing new: the published release holds everything that the landing folder holds"
        )
        keep_results(context, planned_checks(context))
        sending.beat(home, context.log)
        return

    for result in pipeline.ingest(home, catalog, requested, today, feeds=feeds):
        yield from _report(context, catalog.feeds[result.feed], result)
    with connect(home.warehouse, read_only=True) as con:
        for (problem,) in con.execute("select problem from raw.feed_problem").fetchall():
            context.log.error(problem)
        for table in [*RECORD_KINDS, *BOOKKEEPING]:
            if raw_key(table) in selected:
                (rows,) = con.execute(f"select count(*) from raw.{table}").fetchone() or (0,)
                yield dg.MaterializeResult(
                    asset_key=raw_key(table), metadata={"dagster/row_count": rows}
                )


def as_code(text: str) -> str:
    """Text of a file as Markdown that shows every character and formats nothing."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence} {' '.join(text.split())} {fence}"


def _report(
    context: dg.AssetExecutionContext, spec: FeedSpec, result: FeedResult
) -> Iterator[dg.MaterializeResult[Any]]:
    """Log what was read; a daily feed is materialized only for the days whose file was read."""
    for path, reason in result.quarantined.items():
        context.log.error(f"{path} is quarantined: {reason}")
    for example in result.rejected_examples:
        context.log.warning(f"rejected {example}")
    metadata: dict[str, Any] = {
        "files read": result.files_read,
        "files unchanged": result.files_unchanged,
        "files quarantined": len(result.quarantined),
        "files removed": result.files_removed,
        "dagster/row_count": result.rows_accepted,
        "rows rejected": result.rows_rejected,
        "rows repeated": result.rows_duplicate,
        "lines of framing": result.lines_framing,
        "changed from": str(result.changed_from or "nothing"),
    }
    if result.quarantined:
        metadata["quarantined"] = dg.MetadataValue.md(
            "\n".join(f"- {as_code(f'{path}: {why}')}" for path, why in result.quarantined.items())
        )
    if result.rejected_examples:
        metadata["rejected"] = dg.MetadataValue.md(
            "\n".join(f"- {as_code(example)}" for example in result.rejected_examples)
        )
    if spec.content == "day":
        for day in result.dates_read:
            context.log_event(
                dg.AssetMaterialization(
                    feed_key(spec.feed), partition=day.isoformat(), metadata=metadata
                )
            )
    else:
        yield dg.MaterializeResult(asset_key=feed_key(spec.feed), metadata=metadata)
