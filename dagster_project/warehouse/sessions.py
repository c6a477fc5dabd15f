"""`raw.session`: the days on which each market trades, up to the end of the clock's year.

Belongs here: storing the sessions of `market/calendar.py`. Does not belong here: which days are
sessions.
"""

from datetime import date, datetime

import duckdb

from dagster_project.market import calendar, seeds
from dagster_project.market.calendar import FIRST_SESSION
from dagster_project.warehouse import state


def update_sessions(con: duckdb.DuckDBPyConnection, clock: date, now: datetime) -> None:
    """Fill `raw.session` to the end of the clock's year, and rebuild from a changed session on."""
    made_from = sessions_fingerprint(clock)
    if state.get_state(con, "sessions") == made_from:
        return
    known = calendar.sessions(*_markets_and_overrides(), FIRST_SESSION, _last_day(clock))
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
        state.mark_pending(con, row[0], "sessions changed", now)
    state.set_state(con, "sessions", made_from)


def sessions_fingerprint(clock: date) -> str:
    """A hash of all that the sessions up to the end of the clock's year depend on."""
    return calendar.fingerprint(*_markets_and_overrides(), FIRST_SESSION, _last_day(clock))


def _markets_and_overrides() -> tuple[list[seeds.Market], list[seeds.Override]]:
    markets = seeds.read_markets(seeds.SEEDS_FOLDER / "market.csv")
    return markets, seeds.read_overrides(seeds.SEEDS_FOLDER / "session_override.csv", markets)


def _last_day(clock: date) -> date:
    return date(clock.year, 12, 31)
