"""Sessions after the end of the calendar: guessed by weekdays, corrected by the files."""

from collections.abc import Iterator
from datetime import date, datetime

import duckdb
import pytest

from dagster_project.market import calendar
from dagster_project.market.seeds import Market
from dagster_project.warehouse import raw_tables, sessions, state

# exchange-calendars uses what pandas 3 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NOW = datetime(2027, 1, 8, 10, 30)
CLOCK = date(2027, 1, 8)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        raw_tables.create_tables(con)
        con.execute("""
            insert into raw.feed (feed, is_daily) values ('history', false), ('daily', true)""")
        yield con


def put(con: duckdb.DuckDBPyConnection, feed: str, symbol: str, *days: int) -> None:
    """Rows of a share on days of January 2027."""
    con.executemany(
        "insert into raw.security_close (feed, symbol, trade_date, is_current) "
        "values (?, ?, ?, true)",
        [(feed, symbol, date(2027, 1, day)) for day in days],
    )


def session_days(con: duckdb.DuckDBPyConnection, market: str) -> list[int]:
    rows = con.execute(
        "select day(trade_date) from raw.session where market = ? "
        "and trade_date between '2027-01-01' and ? order by 1",
        [market, CLOCK],
    ).fetchall()
    return [day for (day,) in rows]


def test_a_clock_after_the_end_of_the_calendar_stops_nothing(
    con: duckdb.DuckDBPyConnection,
) -> None:
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == session_days(con, "XHKG") == [4, 5, 6, 7, 8]
    assert con.execute(
        "select distinct market from raw.session where is_guessed order by 1"
    ).fetchall() == [("XSHE",), ("XSHG",)]


def test_files_say_on_which_guessed_session_a_market_was_closed(
    con: duckdb.DuckDBPyConnection,
) -> None:
    sessions.update_sessions(con, CLOCK, NOW)
    con.execute("delete from raw.pending_rebuild")
    put(con, "history", "600519.SH", 4, 7)
    put(con, "history", "0700.HK", 4, 8)
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == [4, 7, 8]
    assert session_days(con, "XSHE") == session_days(con, "XHKG") == [4, 5, 6, 7, 8]
    assert state.pending_from(con) == date(2027, 1, 5)


def test_a_late_file_makes_the_day_a_session_again(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "history", "600519.SH", 4, 7)
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == [4, 7, 8]
    put(con, "daily", "600000.SH", 6)
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == [4, 6, 7, 8]


def test_a_missing_file_of_one_day_does_not_close_a_market(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Nor does a history that ends early."""
    put(con, "history", "600519.SH", 4)
    put(con, "daily", "600519.SH", 4, 7)
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == [4, 5, 6, 7, 8]


def test_a_later_calendar_corrects_the_guesses(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.update_sessions(con, CLOCK, NOW)
    con.execute("delete from raw.pending_rebuild")
    known = calendar._calendar

    def longer(
        market: Market, start: date, end: date
    ) -> tuple[date | None, tuple[tuple[date, bool], ...]]:
        _, days = known(market, start, end)
        if market.market == "XHKG":
            return None, days
        return date(2027, 12, 31), (*days, (date(2027, 1, 4), False), (date(2027, 1, 8), False))

    monkeypatch.setattr(calendar, "_calendar", longer)
    monkeypatch.setattr(calendar, "_source", lambda: "exchange_calendars 5.0")
    sessions.update_sessions(con, CLOCK, NOW)
    assert session_days(con, "XSHG") == [4, 8]
    assert state.pending_from(con) == date(2027, 1, 5)
    assert con.execute("select count(*) from raw.session where is_guessed").fetchall() == [(0,)]


def test_days_whose_early_closing_changed_are_noted(con: duckdb.DuckDBPyConnection) -> None:
    sessions.update_sessions(con, CLOCK, NOW)
    sessions.forget_new_closing_times(con)
    assert sessions.days_with_new_closing_time(con) == set()
    con.execute("delete from raw.state where key = 'sessions'")
    con.execute("""
        update raw.session set is_half_day = false, closes_at = '16:10'
        where market = 'XHKG' and trade_date = '2026-12-24'""")
    sessions.update_sessions(con, CLOCK, NOW)
    assert sessions.days_with_new_closing_time(con) == {date(2026, 12, 24)}
    assert sessions.early_closings(con, "XHKG")[date(2026, 12, 24)] == "12:10"
