"""The dbt macro `closing_extreme_since`: all its ways against the definition, on random closes.

Belongs here: the macro alone. What the models make of it is in the dbt unit tests.
"""

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.warehouse.list_functions import register
from tests.support import compiled

WAYS = ("by_calendar", "by_join", "by_list")

Close = tuple[str, date, int]


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each way over a table `closes` (symbol, trade_date, close), as dbt compiles it."""
    calls = ["{{ closing_extreme_since_" + way + "('closes', 'close') }}" for way in WAYS]
    return dict(zip(WAYS, compiled(calls, tmp_path_factory.mktemp("home")), strict=True))


def by_definition(closes: list[Close]) -> set[tuple[str, date, date | None, date | None]]:
    """For each row the latest earlier one of its symbol at or above, and at or below."""
    answer = set()
    for symbol, day, close in closes:
        earlier = [(d, c) for s, d, c in closes if s == symbol and d < day]
        high = max((d for d, c in earlier if c >= close), default=None)
        low = max((d for d, c in earlier if c <= close), default=None)
        answer.add((symbol, day, high, low))
    return answer


# Few values, for ties; long stretches of sessions and of none, over several years.
closes_of_two_securities = st.lists(
    st.tuples(
        st.sampled_from(["0981.HK", "600519.SH"]),
        st.one_of(st.integers(0, 60), st.integers(0, 2000)).map(
            lambda days: date(2021, 11, 20) + timedelta(days)
        ),
        st.integers(1, 12),
    ),
    unique_by=lambda close: close[:2],
    max_size=80,
)


@settings(max_examples=60, deadline=None)
@given(closes=closes_of_two_securities)
def test_all_ways_find_the_latest_earlier_session(
    queries: dict[str, str], closes: list[Close]
) -> None:
    with duckdb.connect() as connection:
        register(connection)
        connection.execute("create table closes (symbol varchar, trade_date date, close integer)")
        if closes:
            connection.executemany("insert into closes values (?, ?, ?)", closes)
        for way in WAYS:
            found = connection.execute(queries[way]).fetchall()
            assert len(found) == len(closes)
            assert set(found) == by_definition(closes), way


def test_all_ways_agree_on_long_random_walks(queries: dict[str, str]) -> None:
    """Long enough for every step of the narrowing: month, year, earlier year, its month."""
    with duckdb.connect() as connection:
        register(connection)
        connection.execute("select setseed(0.5)")
        connection.execute(
            """
            create table closes as
            select
                symbol,
                trade_date,
                100 + sum(step) over (partition by symbol order by trade_date) as close
            from (
                select
                    format('{:04}.HK', security) as symbol,
                    date '2015-01-01' + cast(day as integer) as trade_date,
                    round(random() * 2 - 1, 1) as step
                from range(5) as securities (security), range(2500) as days (day)
                where day % 7 < 5
            )
            """
        )
        calendar, join, by_list = (f"({queries[way]})" for way in WAYS)
        counts = connection.execute(
            f"""
            select
                (select count(*) from {calendar}),
                (select count(*) from (from {calendar} except from {join})),
                (select count(*) from (from {calendar} except from {by_list})),
                (select count(*) from {calendar}
                 where date_part('year', closing_high_since) < date_part('year', trade_date) - 1)
            """
        ).fetchone()
    assert counts is not None
    rows, different, different_by_list, far = counts
    assert (rows, different, different_by_list) == (5 * 1786, 0, 0)
    assert far > 0
