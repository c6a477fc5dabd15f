"""Nights of a small warehouse, recorded and published, and what a reader sees of them.

Belongs here: helpers that several test files of releases use. Does not belong here: fixtures
(`conftest.py`).

Every figure of a night is the night's number, so a mix of two nights shows at once.
"""

from contextlib import closing
from datetime import date

import duckdb

from dagster_project.audit.results import ReleaseCheck
from dagster_project.home import Home
from dagster_project.release.publish import publish
from dagster_project.release.read import Release, list_releases
from dagster_project.release.record import record_release
from dagster_project.warehouse.connection import connect

CLOCK = date(2025, 9, 17)
GOOD = ReleaseCheck("closes_are_positive", "index_performance", "block", True, 0, 0, "positive")
DOUBTFUL = ReleaseCheck("turnover_is_usual", "market_turnover", "warn", False, 2, 1, "twice")
BAD = ReleaseCheck("closes_are_positive", "index_performance", "block", False, 3, 3, "below 0")


def audit_night(
    home: Home, night: int, checks: tuple[ReleaseCheck, ...] = (GOOD, DOUBTFUL), rows: int = 100
) -> Release:
    """Rebuild both marts so that every figure is the night's number, and record a release."""
    with closing(connect(home.warehouse)) as con:
        con.execute(
            f"""
            CREATE OR REPLACE TABLE main.index_performance AS
            SELECT DATE '2025-09-17' AS trade_date, 'I' || i AS symbol, {night} AS close,
                hash(i, {night}) AS noise, now()::TIMESTAMP AS loaded_at FROM range({rows}) t(i);
            CREATE OR REPLACE TABLE main.market_turnover AS
            SELECT DATE '2025-09-17' - i::INTEGER AS trade_date, 'XHKG' AS market,
                {night} AS turnover FROM range({rows}) t(i)
            """
        )
        return record_release(
            con,
            home,
            clock=CLOCK,
            checks=checks,
            what_changed=f"night {night}",
            fingerprint=str(night),
            rebuilt_from=CLOCK,
        )


def release_nights(home: Home, *nights: int, rows: int = 100) -> list[Release]:
    releases = []
    for night in nights:
        audit_night(home, night, rows=rows)
        releases.append(publish(home))
    return releases


def night_in(con: duckdb.DuckDBPyConnection) -> int:
    """The night a reader sees, from tables read one after the other; fails if they disagree."""
    seen = {
        int(row[0])
        for query in (
            "SELECT DISTINCT close FROM main.index_performance",
            "SELECT DISTINCT turnover FROM main.market_turnover",
            "SELECT fingerprint FROM main.release ORDER BY release_id DESC LIMIT 1",
        )
        for row in con.execute(query).fetchall()
    }
    assert len(seen) == 1, f"a mix of nights: {sorted(seen)}"
    return seen.pop()


def night_published(home: Home) -> int:
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        return night_in(con)


def kept(home: Home) -> list[str]:
    return [release.fingerprint for release in list_releases(home)]


def leftovers(home: Home) -> list[str]:
    files = [file for file in home.published.parent.rglob("*") if file.is_file()]
    return sorted(file.name for file in files if file.name != home.published.name)


def past(home: Home) -> list[str]:
    """Fingerprints of every release that the published file lists."""
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        rows = con.execute("SELECT fingerprint FROM main.release ORDER BY release_id").fetchall()
    return [fingerprint for (fingerprint,) in rows]
