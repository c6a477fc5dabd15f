"""Publish: the audited warehouse becomes the release that analysts open."""

from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project import pipeline
from dagster_project.defs.metadata import table
from dagster_project.defs.partitions import RELEASE
from dagster_project.defs.resources import Warehouse
from dagster_project.defs.transform import transform
from dagster_project.release.anomalies import anomaly_counts
from dagster_project.release.close_of_day import close_of_day
from dagster_project.release.read import ReleaseError, published_release, withdrawn_release
from dagster_project.warehouse.connection import connect

# What the UI plots, one point per release.
PLOTTED = """
    select 'turnover ' || market || ' (billion ' || currency || ')', turnover::DOUBLE / 1e9
    from main.market_turnover where trade_date = $clock
    union all
    select 'advancers ' || market, advancers::DOUBLE
    from main.market_breadth where trade_date = $clock
    union all
    select 'decliners ' || market, decliners::DOUBLE
    from main.market_breadth where trade_date = $clock
    union all
    select 'rows rejected', sum(rows_refused)::DOUBLE from main.file_load
    union all
    select 'files quarantined', count(*)::DOUBLE from main.file_load where status = 'set_aside'"""


# Closed days make no release old: a weekend with a holiday on either side, and the longest closure
# of all three markets together. How old it is by sessions says `closing-bell status`.
FRESH = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(days=5), fail_window=timedelta(days=12)
)


@dg.asset(
    key=RELEASE,
    deps=[key for key in transform.keys if key.path[0] == "main"],
    group_name="published",
    kinds={"duckdb"},
    owners=["team:data-engineers"],
    freshness_policy=FRESH,
)
def release(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """`published/closing_bell.duckdb`: one whole, audited release."""
    home = warehouse.home
    before = published_release(home)
    try:
        published = pipeline.publish(home)
    except ReleaseError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    with connect(home.published, read_only=True) as con:
        plotted = con.execute(PLOTTED, {"clock": published.clock}).fetchall()
        (rows,) = con.execute("select count(*) from main.security_performance").fetchone() or (0,)
    found = anomaly_counts(home)
    if published == before:
        withdrawn = withdrawn_release(home)
        context.log.info(
            f"No new release: {withdrawn.release_id} is withdrawn, and nothing changed since"
            if withdrawn
            else f"No new release: nothing changed since {published.release_id}"
        )
    else:
        context.log.info(f"Published {published.release_id} as {home.published}")
    return dg.MaterializeResult(
        metadata={
            "release": published.release_id,
            "clock": str(published.clock),
            "what changed": published.what_changed,
            "rebuilt from": str(published.rebuilt_from),
            "findings new": sum(check["new"] for check in found),
            "findings standing": sum(check["standing"] for check in found),
            "findings": table(found, ["check_name", "confidence", "new", "standing", "waived"]),
            "file": dg.MetadataValue.path(str(home.published)),
            "size in MB": round(home.published.stat().st_size / 1e6, 1),
            "security rows": rows,
            "close of the day": table(
                close_of_day(home, published.clock).indices,
                ["symbol", "name", "close", "change", "change_pct", "closing_high_since"],
            ),
            **{name: float(value) for name, value in plotted if value is not None},
        }
    )
