"""The covered dates have no gap, and the clock never moves back."""

from collections.abc import Iterator
from datetime import date, datetime

import duckdb
import pytest

from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.state import Change, Rebuild

NOW = datetime(2025, 9, 22, 10, 30)
FRIDAY, MONDAY = date(2025, 9, 19), date(2025, 9, 22)
THURSDAY = date(2025, 9, 18)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        raw_tables.create_tables(con)
        yield con


def covered(con: duckdb.DuckDBPyConnection) -> list[tuple[date, date]]:
    return con.execute("from raw.asked_dates order by all").fetchall()


def rebuilt_from(con: duckdb.DuckDBPyConnection) -> date | None:
    day = state.pending_from(con)
    con.execute("delete from raw.pending_rebuild")
    return day


def test_a_night_takes_in_the_dates_since_the_last_covered_one(
    con: duckdb.DuckDBPyConnection,
) -> None:
    state.cover(con, (THURSDAY, THURSDAY), NOW)
    assert (covered(con), rebuilt_from(con)) == ([(THURSDAY, THURSDAY)], THURSDAY)
    state.cover(con, (MONDAY, MONDAY), NOW)
    assert (covered(con), rebuilt_from(con)) == ([(THURSDAY, MONDAY)], FRIDAY)


def test_an_earlier_date_never_moves_the_clock_back(con: duckdb.DuckDBPyConnection) -> None:
    state.cover(con, (MONDAY, MONDAY), NOW)
    state.cover(con, (THURSDAY, THURSDAY), NOW)
    assert (covered(con), state.clock(con)) == ([(THURSDAY, MONDAY)], MONDAY)
    rebuilt_from(con)
    state.cover(con, (FRIDAY, FRIDAY), NOW)
    assert (covered(con), rebuilt_from(con)) == ([(THURSDAY, MONDAY)], None)


@pytest.mark.parametrize("requested", [None, (FRIDAY, FRIDAY), (MONDAY, MONDAY)])
def test_gaps_that_an_earlier_version_left_are_filled(
    con: duckdb.DuckDBPyConnection, requested: tuple[date, date] | None
) -> None:
    con.executemany(
        "insert into raw.asked_dates values (?, ?)", [(MONDAY, MONDAY), (THURSDAY, THURSDAY)]
    )
    assert state.first_uncovered(covered(con), requested) == FRIDAY
    state.cover(con, requested, NOW)
    assert (covered(con), rebuilt_from(con)) == ([(THURSDAY, MONDAY)], FRIDAY)
    assert state.first_uncovered(covered(con), requested) is None


def test_without_any_date_nothing_is_covered(con: duckdb.DuckDBPyConnection) -> None:
    state.cover(con, None, NOW)
    assert (covered(con), rebuilt_from(con)) == ([], None)


def test_what_changed_for_few_series_is_rebuilt_for_these_alone(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert state.pending_rebuild(con) is None
    state.mark_changes(con, [Change(THURSDAY, THURSDAY, "0700.HK")], "feed a", NOW)
    assert state.pending_rebuild(con) == Rebuild(THURSDAY, None, ("0700.HK",))
    state.mark_pending(con, MONDAY, "requested dates", NOW)
    state.mark_changes(con, [Change(MONDAY, MONDAY, "9988.HK")], "feed a", NOW)
    assert state.pending_rebuild(con) == Rebuild(THURSDAY, MONDAY, ("0700.HK",))
    state.mark_pending(con, FRIDAY, "sessions changed", NOW)
    assert state.pending_rebuild(con) == Rebuild(THURSDAY, FRIDAY, ("0700.HK",))
    state.mark_pending(con, THURSDAY, "skipped dates", NOW)
    assert state.pending_rebuild(con) == Rebuild(THURSDAY, THURSDAY)


def test_many_series_are_rebuilt_with_all_others(con: duckdb.DuckDBPyConnection) -> None:
    many = [Change(FRIDAY, FRIDAY, f"{number:04}.HK") for number in range(state.FEW_SERIES + 1)]
    state.mark_changes(con, many[1:], "feed a", NOW)
    assert state.pending_rebuild(con) == Rebuild(
        FRIDAY, None, tuple(change.series for change in many[1:] if change.series)
    )
    state.mark_changes(con, many, "feed b", NOW)
    assert state.pending_rebuild(con) == Rebuild(FRIDAY, FRIDAY)


def test_a_change_that_is_known_is_not_noted_again(con: duckdb.DuckDBPyConnection) -> None:
    for last in (FRIDAY, THURSDAY, MONDAY):
        state.mark_changes(con, [Change(THURSDAY, last, "0700.HK")], "feed a", NOW)
    state.mark_changes(con, [Change(FRIDAY, FRIDAY)], "feed a", NOW)
    state.mark_changes(con, [Change(MONDAY, MONDAY, "0700.HK")], "feed a", NOW)
    rows = con.execute("select trade_date, last_changed_date, series from raw.pending_rebuild")
    assert rows.fetchall() == [
        (THURSDAY, FRIDAY, "0700.HK"),
        (THURSDAY, MONDAY, "0700.HK"),
        (FRIDAY, FRIDAY, None),
    ]
