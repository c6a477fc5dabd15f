"""The close of a day: indices, turnover and the strongest and weakest sectors.

Belongs here: the queries that read them from the published file. Does not belong here: how they
are shown (`cli.py`, `defs/publish.py`), the market report (`report/`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from dagster_project.home import Home
from dagster_project.release.read import connect_published
from dagster_project.warehouse.connection import dicts

_INDICES = """
    select region, symbol, name, round(close, 2) as close, round(change, 2) as change,
        round(change_pct, 2) as change_pct,
        coalesce(cast(closing_high_since as varchar), 'records began, ' || record_begins)
            as closing_high_since
    from main.index_performance
    where trade_date = $day
    order by region, symbol"""

_TURNOVER = """
    select scope, turnover_cny / 1e12 as trillion_yuan,
        previous_turnover_cny / 1e12 as previous_trillion_yuan
    from main.cross_market_turnover
    where trade_date = $day
    order by scope"""

_SECTORS = """
    select region, side,
        string_agg(sector || ' ' || round(change_pct, 2) || ' %', ', ' order by rank) as sectors
    from main.sector_leaders_laggards
    where trade_date = $day and level = 'sector' and rank <= 3
    group by all
    order by all"""


@dataclass(frozen=True)
class CloseOfDay:
    """The close of one day: lists of rows, each a dict with the columns of its query."""

    day: date | None
    indices: list[dict[str, Any]]
    turnover: list[dict[str, Any]]
    sectors: list[dict[str, Any]]


def close_of_day(home: Home, day: date | None = None) -> CloseOfDay:
    """Read the close of a day from the published file; default: the last day in it.

    Raises:
        ReleaseError: nothing is published yet.
    """
    with connect_published(home) as con:
        if day is None:
            last = con.execute("select max(trade_date) from main.index_performance").fetchone()
            (day,) = last or (None,)
        at = {"day": day}
        return CloseOfDay(
            day, dicts(con, _INDICES, at), dicts(con, _TURNOVER, at), dicts(con, _SECTORS, at)
        )
