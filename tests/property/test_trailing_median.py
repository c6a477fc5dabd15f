"""The dbt macro `trailing_median`: DuckDB's way and that of other engines against the definition.

Belongs here: the macro alone. What the models make of it is in the dbt unit tests.
"""

import statistics

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.warehouse.list_functions import register
from tests.support import compiled

WAYS = ("default", "duckdb")
SESSIONS = 4

Row = tuple[str, int, float | None]


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The SQL of each way over a table `cap` (symbol, trade_date, session_number, value)."""
    calls = ["{{ " + f"{way}__trailing_median('cap', 'value', {SESSIONS})" + " }}" for way in WAYS]
    # The median of other engines has another name.
    return [
        query.replace("percentile(value, 0.5)", "quantile_cont(value, 0.5)")
        for query in compiled(calls, tmp_path_factory.mktemp("home"))
    ]


def by_definition(rows: list[Row]) -> set[tuple[str, int, float | None, int]]:
    """For each row the median of its symbol's values at the sessions before, and their number."""
    answer = set()
    for symbol, number, _ in rows:
        values = [
            value
            for other, session, value in rows
            if other == symbol and number - SESSIONS <= session < number and value is not None
        ]
        answer.add((symbol, number, statistics.median(values) if values else None, len(values)))
    return answer


rows_of_two_securities = st.lists(
    st.tuples(
        st.sampled_from(["0981.HK", "600519.SH"]),
        st.integers(1, 30),
        st.none() | st.integers(1, 1_000_000_000).map(float),
    ),
    unique_by=lambda row: row[:2],
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_two_securities)
def test_both_ways_find_the_median_of_the_sessions_before(
    queries: list[str], rows: list[Row]
) -> None:
    with duckdb.connect() as connection:
        register(connection)
        connection.execute("""
            create table cap (
                symbol varchar, session_number integer, value double,
                trade_date date as (date '2025-01-01' + session_number))""")
        if rows:
            connection.executemany("insert into cap values (?, ?, ?)", rows)
        for query in queries:
            found = connection.execute(f"""
                select symbol, trade_date - date '2025-01-01', median, value_count
                from ({query})""").fetchall()
            assert len(found) == len(rows)
            assert set(found) == by_definition(rows)
