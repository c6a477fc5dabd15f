"""Views and macros of analysts, in the published file, against the columns of the marts."""

from dagster_project.home import Home
from dagster_project.warehouse.connection import connect


def differing(home: Home, sql: str) -> list[tuple[object, ...]]:
    with connect(home.published, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_total_return_is_that_of_the_marts(sample_home: Home) -> None:
    for table in ("latest_index_performance", "latest_security_performance"):
        compared = f"""
            with pair as (
                select symbol, return_ytd_pct as stated,
                    total_return(
                        symbol, date_trunc('year', trade_date) - interval 1 day, trade_date
                    ) as computed
                from {table}
            )
            select count(stated), count_if(abs(stated - computed) > 1e-3), bool_or(
                stated is not null and computed is null
            ) from pair"""
        ((count, differ, is_lacking),) = differing(sample_home, compared)
        assert isinstance(count, int)
        assert count >= 7
        assert not differ
        assert not is_lacking


def test_a_streak_is_that_of_the_mart(sample_home: Home) -> None:
    stated = "select symbol, streak from latest_index_performance order by all"
    symbols = [symbol for symbol, _ in differing(sample_home, stated)]
    computed = " union all ".join(f"select symbol, streak from streak('{s}')" for s in symbols)
    assert differing(sample_home, f"{computed} order by all") == differing(sample_home, stated)


def test_the_last_session_is_the_clock(sample_home: Home) -> None:
    views = "select view_name from duckdb_views() where view_name like 'latest_%'"
    names = [name for (name,) in differing(sample_home, views)]
    assert len(names) >= 8
    for name in names:
        found = differing(sample_home, f"select distinct trade_date from {name}")
        assert found == differing(sample_home, "select max(clock) from release"), name
