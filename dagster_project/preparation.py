"""What a run does before and around the feeds: which dates count, which days are sessions, and
whether there is anything to do at all.

Belongs here: dates asked for, the session table, the fingerprint of a warehouse's state.
Does not belong here: feeds (`ingestion.py`), models (`dbt_project/`), Dagster.
"""

import hashlib
from datetime import date, datetime

import duckdb

from dagster_project import audit
from dagster_project.home import Home
from dagster_project.ingest.feed_ingestion import detect_changes
from dagster_project.ingest.feed_spec import FeedCatalog
from dagster_project.market import calendar
from dagster_project.release import published_release
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import SEEDS_FOLDER, project_fingerprint

FIRST_SESSION = date(1990, 1, 1)


class DatesRefused(ValueError):
    """The dates a run was asked for make no sense; the message says which would."""


def check_dates(first: date, last: date, today: date) -> None:
    """Refuse a reversed range and dates after the real today.

    Raises:
        DatesRefused: says what to ask for instead.
    """
    if first > last:
        raise DatesRefused(f"asked for {first} to {last}: the first date is the later one")
    if last > today:
        raise DatesRefused(f"asked for {last}, which is after today ({today} in Hong Kong)")
    if first < FIRST_SESSION:
        raise DatesRefused(f"asked for {first}: sessions are known from {FIRST_SESSION} on")


def nothing_new(
    home: Home, catalog: FeedCatalog, asked: tuple[date, date] | None, today: date
) -> bool:
    """Whether a run would change nothing: the published release says all that landing says.

    Opens the warehouse read-only, so that a run with nothing to do writes nothing.
    """
    if not home.warehouse.exists() or not home.published.exists():
        return False
    with connect(home.warehouse, read_only=True) as con:
        if (
            con.execute(
                "select 1 from information_schema.tables "
                "where table_schema = 'raw' and table_name = 'state'"
            ).fetchone()
            is None
        ):
            return False
        covered = con.execute("select from_date, to_date from raw.asked_dates").fetchall()
        if asked and raw_tables.first_uncovered(covered, *asked) is not None:
            return False
        clock = max(to_date for _, to_date in covered) if covered else today
        if raw_tables.get_state(con, "sessions") != _sessions_fingerprint(clock):
            return False
        release = published_release(home)
        if release is None or release.fingerprint != state_fingerprint(con):
            return False
        known = {feed for (feed,) in con.execute("select feed from raw.feed").fetchall()}
        if known - set(catalog.feeds) - set(catalog.problems):
            return False
        return not any(
            detect_changes(con, home.landing, spec, today) for spec in catalog.feeds.values()
        )


def state_fingerprint(con: duckdb.DuckDBPyConnection) -> str:
    """Names all that a release is made from and judged by; equal fingerprints, equal tables."""
    digest = hashlib.sha256((project_fingerprint() + audit.fingerprint()).encode())
    for statement in (
        "select feed, path, status, sha256, reason from raw.file order by all",
        "select feed, fingerprint from raw.feed order by all",
        "select * from raw.asked_dates order by all",
    ):
        digest.update(repr(con.execute(statement).fetchall()).encode())
    digest.update((raw_tables.get_state(con, "sessions") or "").encode())
    return digest.hexdigest()[:16]


def ensure_sessions(con: duckdb.DuckDBPyConnection, clock: date, now: datetime) -> None:
    """Bring `raw.session` up to the clock's year; marts after a changed session are rebuilt."""
    fingerprint = _sessions_fingerprint(clock)
    if raw_tables.get_state(con, "sessions") == fingerprint:
        return
    markets = calendar.read_markets(SEEDS_FOLDER / "market.csv")
    overrides = calendar.read_overrides(SEEDS_FOLDER / "session_override.csv", markets)
    known = calendar.sessions(markets, overrides, FIRST_SESSION, _last_day(clock))
    con.register("known", known)
    row = con.execute("""
        select min(changed.trade_date) from (
            (select market, trade_date, is_half_day from known
             except select market, trade_date, is_half_day from raw.session)
            union all
            (select market, trade_date, is_half_day from raw.session
             except select market, trade_date, is_half_day from known)
        ) as changed""").fetchone()
    con.execute("delete from raw.session")
    con.execute("insert into raw.session by name select * from known")
    con.unregister("known")
    if row and row[0]:
        raw_tables.mark_pending(con, row[0], "sessions changed", now)
    raw_tables.set_state(con, "sessions", fingerprint)


def _last_day(clock: date) -> date:
    return date(clock.year, 12, 31)


def _sessions_fingerprint(clock: date) -> str:
    markets = calendar.read_markets(SEEDS_FOLDER / "market.csv")
    overrides = calendar.read_overrides(SEEDS_FOLDER / "session_override.csv", markets)
    return calendar.fingerprint(markets, overrides, FIRST_SESSION, _last_day(clock))


def day_to_report(home: Home, last: date) -> date | None:
    """The last date asked for; over a weekend the last session that the release holds, if any."""
    if last.isoweekday() <= 5:
        return last
    with connect(home.published, read_only=True) as con:
        row = con.execute(
            "select max(trade_date) from main.dim_session where is_asked and trade_date <= ?",
            [last],
        ).fetchone()
    return row[0] if row else None
