"""`raw.session`: the days on which each market trades, up to the end of the clock's year.

Belongs here: storing the sessions of `market/calendar.py`, and correcting those that it guesses by
what the files say. Does not belong here: which days are sessions by the calendar.
"""

import json
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.market import calendar, seeds
from dagster_project.market.calendar import FIRST_SESSION
from dagster_project.market.symbols import MARKET_SUFFIXES
from dagster_project.warehouse import state

# State: the last day that a market's calendar knows, for markets whose sessions end in guesses.
CALENDAR_ENDS = "calendar_ends"
# State: days whose closing time changed since the files were read.
CLOSING_TIMES_CHANGED = "closing_times_changed"


def update_sessions(
    con: duckdb.DuckDBPyConnection, clock: date, now: datetime, config: Path | None = None
) -> None:
    """Fill `raw.session` to the end of the clock's year, and rebuild from a changed session on.

    Called before the files are read, for their closing times, and again afterwards, because the
    files say on which of the guessed sessions a market was closed.

    Args:
        config: the operator's folder, whose `session_override.csv` counts over the shipped one.
    """
    made_from = sessions_fingerprint(con, clock, config)
    if state.get_state(con, "sessions") == made_from:
        return
    known = calendar.sessions(*seeds.markets_and_overrides(config), FIRST_SESSION, _last_day(clock))
    con.register("by_calendar", known)
    con.execute("create or replace temp table known as from by_calendar")
    con.unregister("by_calendar")
    _keep_calendar_ends(con)
    for closed in _closed_by_files(con, clock):
        con.execute("delete from known where is_guessed and (market, trade_date) = (?, ?)", closed)
    row = con.execute("""
        select min(changed.trade_date) from (
            (select market, trade_date, is_half_day from known
             except select market, trade_date, is_half_day from raw.session)
            union all
            (select market, trade_date, is_half_day from raw.session
             except select market, trade_date, is_half_day from known)
        ) as changed""").fetchone()
    _note_changed_closing_times(con)
    con.execute("delete from raw.session")
    con.execute("insert into raw.session by name select * from known")
    con.execute("drop table known")
    if row and row[0]:
        state.mark_pending(con, row[0], "sessions changed", now)
    state.set_state(con, "sessions", sessions_fingerprint(con, clock, config))


def sessions_fingerprint(
    con: duckdb.DuckDBPyConnection, clock: date, config: Path | None = None
) -> str:
    """A hash of all that the sessions up to the end of the clock's year depend on."""
    by_calendar = calendar.fingerprint(
        *seeds.markets_and_overrides(config), FIRST_SESSION, _last_day(clock)
    )
    closed = "".join(f"; {market} closed {day}" for market, day in _closed_by_files(con, clock))
    return by_calendar + closed


def closing_times(first: date, last: date, config: Path | None = None) -> dict[date, str]:
    """Each date on which a market trades, by the calendar, and when the last of them has closed."""
    known = calendar.sessions(*seeds.markets_and_overrides(config), first, last).to_pylist()
    found: dict[date, str] = {}
    for session in known:
        day = session["trade_date"]
        found[day] = max(found.get(day, ""), session["closes_at"])
    return found


def early_closings(con: duckdb.DuckDBPyConnection, market: str) -> dict[date, str]:
    """The closing times of a market on days on which it closes early, by day."""
    rows = con.execute(
        """select trade_date, closes_at from raw.session
        where market = ? and is_half_day and closes_at is not null order by trade_date""",
        [market],
    ).fetchall()
    return dict(rows)


def days_with_new_closing_time(con: duckdb.DuckDBPyConnection) -> set[date]:
    """Days whose early closing changed since the files that came on them were read."""
    noted = json.loads(state.get_state(con, CLOSING_TIMES_CHANGED) or "[]")
    return {date.fromisoformat(day) for day in noted}


def forget_new_closing_times(con: duckdb.DuckDBPyConnection) -> None:
    """Called once the files of every feed were read."""
    state.set_state(con, CLOSING_TIMES_CHANGED, "[]")


def _last_day(clock: date) -> date:
    return date(clock.year, 12, 31)


def _keep_calendar_ends(con: duckdb.DuckDBPyConnection) -> None:
    """Remember where guesses begin, so that only then the files are asked about them."""
    rows = con.execute(
        "select market, min(trade_date)::VARCHAR from known where is_guessed group by all"
    ).fetchall()
    state.set_state(con, CALENDAR_ENDS, json.dumps(dict(sorted(rows))))


def _closed_by_files(con: duckdb.DuckDBPyConnection, clock: date) -> list[tuple[str, date]]:
    """Weekdays after the calendar's end on which, by the files, a market was closed.

    A market was closed on a day of which no feed has a row of it, although a feed that delivers
    histories has a later one. Missing files look different: a history has the days in between.
    """
    ends: dict[str, str] = json.loads(state.get_state(con, CALENDAR_ENDS) or "{}")
    closed: list[tuple[str, date]] = []
    for market, first in ends.items():
        if date.fromisoformat(first) <= clock:
            closed += con.execute(
                f"""with delivered as ({_delivered(market)})
                select $market, day::DATE from range($first::DATE, $clock::DATE, interval 1 day)
                    as weekday (day)
                where isodow(day) <= 5
                and day::DATE not in (select trade_date from delivered)
                and day < (select max(trade_date) from delivered where not is_daily)
                order by day""",
                {"market": market, "first": first, "clock": clock},
            ).fetchall()
    return closed


def _delivered(market: str) -> str:
    """SQL: the days of a market with rows in use, from `$first` to `$clock`, and whose they are."""
    indices = ", ".join(
        f"'{index.symbol}'" for index in seeds.read_indices() if index.market == market
    )
    of_market = {
        "index_close": f"symbol in ({indices or 'null'})",
        "security_close": f"symbol like '%{MARKET_SUFFIXES[market]}'",
        "market_turnover": f"market = '{market}'",
    }
    return " union ".join(
        f"""select trade_date, is_daily from raw.{kind} join raw.feed using (feed)
        where is_current and trade_date between $first and $clock and {condition}"""
        for kind, condition in of_market.items()
    )


def _note_changed_closing_times(con: duckdb.DuckDBPyConnection) -> None:
    """Remember the days whose early closing changed: files that came on them are read again."""
    days = con.execute("""
        select distinct trade_date::VARCHAR from (
            (select market, trade_date, closes_at from known where is_half_day
             except select market, trade_date, closes_at from raw.session where is_half_day)
            union all
            (select market, trade_date, closes_at from raw.session where is_half_day
             except select market, trade_date, closes_at from known where is_half_day))
        order by all""").fetchall()
    if days:
        noted = {*json.loads(state.get_state(con, CLOSING_TIMES_CHANGED) or "[]")}
        noted |= {day for (day,) in days}
        state.set_state(con, CLOSING_TIMES_CHANGED, json.dumps(sorted(noted)))
