"""Publish: the audited warehouse becomes the release that analysts open."""

from typing import Any

import dagster as dg

from dagster_project import pipeline
from dagster_project.defs.resources import Warehouse
from dagster_project.defs.transform import transform
from dagster_project.release.close_of_day import close_of_day
from dagster_project.release.read import ReleaseError
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


@dg.asset(
    key=dg.AssetKey(["published", "closing_bell"]),
    deps=[key for key in transform.keys if key.path[0] == "main"],
    group_name="published",
    kinds={"duckdb"},
    owners=["team:data-engineers"],
)
def release(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[Any]:
    """`published/closing_bell.duckdb`: one whole, audited release."""
    home = warehouse.home
    try:
        published = pipeline.publish(home)
    except ReleaseError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    with connect(home.published, read_only=True) as con:
        plotted = con.execute(PLOTTED, {"clock": published.clock}).fetchall()
        (rows,) = con.execute("select count(*) from main.security_performance").fetchone() or (0,)
    context.log.info(f"Published {published.release_id} as {home.published}")
    return dg.MaterializeResult(
        metadata={
            "release": published.release_id,
            "clock": str(published.clock),
            "what changed": published.what_changed,
            "rebuilt from": str(published.rebuilt_from),
            "checks passed": published.checks_passed,
            "checks warned": published.checks_warned,
            "file": dg.MetadataValue.path(str(home.published)),
            "size in MB": round(home.published.stat().st_size / 1e6, 1),
            "security rows": rows,
            "close of the day": _preview(close_of_day(home, published.clock).indices),
            **{name: float(value) for name, value in plotted if value is not None},
        }
    )


def _preview(rows: list[dict[str, Any]]) -> dg.TableMetadataValue:
    """The indices of the close of a day as a table in the UI."""
    columns = ["symbol", "name", "close", "change", "change_pct", "closing_high_since"]
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {name: "" if value is None else str(value) for name, value in row.items()}
            )
            for row in rows
        ],
        schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
    )
