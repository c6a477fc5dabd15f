"""Macros over a series of levels, on small tables: where the series begins, and where it breaks."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from dagster_project.warehouse.query_helpers import create_query_helpers

D = [date(2025, 9, day) for day in (1, 2, 3, 4, 5)]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Index I over five sessions; share S, whose record breaks between the third and the fourth."""
    with duckdb.connect() as con:
        con.execute("""
            create table index_performance as select * from (values
                ('I', 'mainland', date '2025-09-01', 100.0, null::double, date '2025-09-01'),
                ('I', 'mainland', date '2025-09-02', 110.0, 10.0, date '2025-09-01'),
                ('I', 'mainland', date '2025-09-03', 99.0, -10.0, date '2025-09-01'),
                ('I', 'mainland', date '2025-09-04', 108.9, 10.0, date '2025-09-01'),
                ('I', 'mainland', date '2025-09-05', 119.79, 10.0, date '2025-09-01'),
                ('H', 'hong_kong', date '2025-09-04', 50.0, 0.0, date '2025-09-04')
            ) as t(symbol, region, trade_date, close, change_pct, record_begins)""")
        con.execute("""
            create table security_performance as select * from (values
                ('S', 'XSHG', date '2025-09-02', 10.0, null::double, date '2025-09-02'),
                ('S', 'XSHG', date '2025-09-03', 11.0, 10.0, date '2025-09-02'),
                ('S', 'XSHG', date '2025-09-04', 5.0, null, date '2025-09-04'),
                ('S', 'XSHG', date '2025-09-05', 6.0, 20.0, date '2025-09-04')
            ) as t(symbol, market, trade_date, return_index, change_pct, record_begins)""")
        for table, of in {
            "sector_performance": "region",
            "sector_leaders_laggards": "region",
            "sector_index": "region",
            "market_turnover": "market",
            "market_breadth": "market",
            "cross_market_turnover": "scope",
        }.items():
            con.execute(f"create table {table} ({of} varchar, trade_date date)")
        con.execute("comment on column index_performance.close is 'Last level.'")
        create_query_helpers(con)
        yield con


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return con.execute(sql).fetchall()


def test_a_level_is_100_at_the_last_session_on_or_before_the_date(
    con: duckdb.DuckDBPyConnection,
) -> None:
    query = "select trade_date, base_date, rebased from rebased('I', '{}')"
    assert rows(con, query.format("2025-09-04")) == [(D[3], D[3], 100.0), (D[4], D[3], 110.0)]
    # A date without a session: the one before. A date before all: the first.
    con.execute("delete from index_performance where trade_date = '2025-09-03'")
    assert rows(con, query.format("2025-09-03"))[0] == (D[1], D[1], 100.0)
    assert rows(con, query.format("1999-01-01"))[0] == (D[0], D[0], 100.0)
    assert rows(con, "from rebased('nobody', '2025-09-01')") == []


def test_nothing_is_said_across_a_break(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "select trade_date, rebased from rebased('S', '2025-09-02')") == [
        (D[1], 100.0), (D[2], 110.0), (D[3], None), (D[4], None),
    ]  # fmt: skip
    assert rows(
        con,
        """select total_return('S', '2025-09-02', '2025-09-03'),
            total_return('S', '2025-09-03', '2025-09-05'),
            total_return('S', '2025-09-04', '2025-09-30')""",
    ) == [(10.0, None, 20.0)]


def test_a_return_from_before_the_first_session_is_not_known(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert rows(
        con,
        """select total_return('I', '2025-09-01', '2025-09-05'),
            total_return('I', '2025-08-29', '2025-09-05'),
            total_return('nobody', '2025-09-01', '2025-09-05')""",
    ) == [(19.79, None, None)]


def test_a_streak_has_a_sign_a_beginning_and_a_size(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "from streak('I')") == [("I", D[4], 2, D[3], 21.0)]
    con.execute("delete from index_performance where trade_date > '2025-09-03'")
    assert rows(con, "from streak('I')") == [("I", D[2], -1, D[2], -10.0)]
    con.execute("delete from index_performance where trade_date > '2025-09-01'")
    assert rows(con, "from streak('I')") == [("I", D[0], None, D[0], None)]
    assert rows(con, "from streak('nobody')") == []


def test_each_region_has_a_last_session_of_its_own(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into index_performance by name select 'H' as symbol, 'hong_kong' as region,"
                " date '2025-09-03' as trade_date")  # fmt: skip
    assert rows(con, "select symbol, trade_date from latest_index_performance order by all") == [
        ("H", D[3]), ("I", D[4]),
    ]  # fmt: skip


def test_columns_are_described_as_in_the_table(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(
        con,
        """select comment from duckdb_columns()
        where table_name = 'latest_index_performance' and column_name = 'close'""",
    ) == [("Last level.",)]
