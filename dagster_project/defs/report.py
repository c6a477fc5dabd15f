"""Report: the market-close report of a trade date, from the published file only."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.alerts import findings, sending
from dagster_project.defs.ingest import as_code
from dagster_project.defs.partitions import requested_dates, trade_dates
from dagster_project.defs.publish import release
from dagster_project.home import Home
from dagster_project.pipeline import day_to_report
from dagster_project.report.files import check_report, read_mail, write_report
from dagster_project.report.render import PAGE, TEXT

REPORT = dg.AssetKey(["report", "market_report"])
CHECK = "figures_follow_from_the_release"


@dg.multi_asset(
    name="market_report",
    specs=[
        dg.AssetSpec(
            REPORT,
            deps=[release],
            partitions_def=trade_dates,
            group_name="report",
            kinds={"markdown", "html"},
            owners=["team:analysts"],
            description=(
                "`reports/<trade date>/market_report.{md,html}`: the close of the day, every "
                "figure bound to the row it came from. A run over a range writes its last date, "
                "before a weekend the last session that the release holds."
            ),
            skippable=True,
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=REPORT,
            description="Every figure of the finished report still follows from the release.",
        )
    ],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def market_report(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
    """Write the report, then read it again and check every figure."""
    requested = requested_dates(context.run.tags)
    if requested is None:
        raise dg.Failure("choose the trade date: a report is of one day", allow_retries=False)
    home = Home.from_environment()
    day = day_to_report(home, requested[1])
    if day is None:
        skipped = (
            f"No report: the release holds no session up to {requested[1]}, a weekend; "
            "request the days before it"
        )
        context.log.warning(skipped)
        yield dg.AssetCheckResult(
            asset_key=REPORT, check_name=CHECK, passed=True, description=skipped
        )
        return
    files = write_report(home, day)
    problems = check_report(home, day)
    sending.notify(home, findings.after_report(home, "; ".join(problems) or None), context.log)
    if not problems:
        sending.mail_report(home, day, lambda: read_mail(home, day), context.log)
    context.log_event(
        dg.AssetMaterialization(
            REPORT,
            partition=day.isoformat(),
            metadata={
                "file": dg.MetadataValue.path(str(files[PAGE])),
                "report": dg.MetadataValue.md(files[TEXT].read_text(encoding="utf-8")),
                "problems": len(problems),
            },
        )
    )
    yield dg.AssetCheckResult(
        asset_key=REPORT,
        check_name=CHECK,
        passed=not problems,
        metadata={
            "problems": dg.MetadataValue.md("\n".join(f"- {as_code(text)}" for text in problems))
        },
    )
