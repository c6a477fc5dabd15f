"""Nights of the exchanges' own files alone, from landing to the release.

Belongs here: that every promised table is filled from publishers' files, and what a further feed
changes. Does not belong here: reading the formats (`tests/unit/ingest/test_publisher_feeds.py`).
"""

import shutil
from pathlib import Path

import duckdb

from dagster_project import pipeline
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.release.read import published_release
from tests.cli_process import run_cli
from tests.conftest import copy_home
from tests.integration.publishers import EVE, FIRST, NIGHT
from tests.proof.histories.comparison import differences, tables_of


def query(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_every_market_is_complete(publishers_home: Home) -> None:
    release = published_release(publishers_home)
    assert release is not None
    assert release.clock == NIGHT
    assert query(
        publishers_home,
        f"""select scope, is_complete, markets_reported from cross_market_turnover
        where trade_date = '{NIGHT}' and scope <> 'all' order by scope""",
    ) == [("hong_kong", True, 1), ("mainland", True, 2)]
    assert query(
        publishers_home,
        f"""select market, basis, turnover = exchange_turnover from market_turnover
        where trade_date = '{NIGHT}' order by market""",
    ) == [(market, "exchange_total", True) for market in ("XHKG", "XSHE", "XSHG")]


def test_every_table_that_files_fill_is_filled(publishers_home: Home) -> None:
    for table in (
        "index_performance", "security_performance", "sector_performance", "sector_index",
        "market_turnover", "connect_turnover", "security_short_selling", "market_breadth",
        "figure_origin",
    ):  # fmt: skip
        assert query(publishers_home, f"from {table} where trade_date = '{NIGHT}' limit 1"), table


def test_the_official_move_of_hong_kongs_industries(publishers_home: Home) -> None:
    rows = query(
        publishers_home,
        f"""select count(*), count(change_pct) from index_performance
        where trade_date = '{NIGHT}' and symbol like 'HSCI-%'""",
    )
    assert rows == [(12, 12)]


def test_what_was_sold_short_is_a_share_of_the_turnover_in_its_currency(
    publishers_home: Home,
) -> None:
    rows = query(
        publishers_home,
        f"""select short.currency, count(*), min(short_turnover_share_pct) > 9.9,
            max(short_turnover_share_pct) <= 10, bool_and(short.currency = priced.currency),
            bool_and(10 * short_volume <= priced.volume)
        from security_short_selling as short
        join security_performance as priced using (symbol, trade_date)
        where trade_date = '{NIGHT}' group by short.currency order by short.currency""",
    )
    # All shares of both boards; warrants are not sold short.
    assert rows == [("CNY", 1, True, True, True, True), ("HKD", 28, True, True, True, True)]


def test_a_figure_names_its_line_in_a_file_that_four_feeds_read(publishers_home: Home) -> None:
    rows = query(
        publishers_home,
        f"""select record_kind, feed, file from figure_origin
        where trade_date = '{NIGHT}' and file like '%/d250917e.htm'
        and symbol in ('0001.HK', 'HSI', 'XHKG') and is_chosen order by record_kind""",
    )
    path = "hkex_daily_quotations/d250917e.htm"
    # The bulletin's close of the index is chosen before the quotations'.
    assert rows == [
        ("market_turnover", "hkex_day_turnover", path),
        ("security_close", "hkex_daily_quotations", path),
        ("short_selling", "hkex_short_selling", path),
    ]


def test_control_totals_agree(publishers_home: Home) -> None:
    found = query(
        publishers_home,
        "select check_name from anomaly where check_name in ('control_totals_differ', "
        "'exchange_total_unusual', 'connect_days_differ', 'deliveries_missing')",
    )
    assert not found


def test_the_amount_of_an_index_becomes_the_basis_of_all_sessions(
    publishers_home: Home, tmp_path: Path
) -> None:
    """Not only of those from which on a feed of indices is in use: the same as a clean rebuild."""
    home = Home(tmp_path / "home")
    copy_home(publishers_home, home.root)
    index = home.landing / "baostock_index" / "sh000001.csv"
    index.parent.mkdir()
    index.write_text(
        "date,open,close,high,low,volume,amount,turn,pctChg\n"
        "2025-09-16,3861.0,3861.87,3882.0,3847.0,58690000000,998900000000.0,1.1,0.04\n"
        "2025-09-17,3861.9,3876.34,3882.7,3847.7,58690000000,1008900000000.0,1.1,0.37\n"
    )
    run = run_cli(home, "nightly", f"{NIGHT}")
    assert run.returncode == 0, run.stdout + run.stderr
    assert query(
        home,
        "select market, basis, min(trade_date) from market_turnover group by all order by market",
    ) == [
        ("XHKG", "exchange_total", FIRST), ("XSHE", "exchange_total", FIRST),
        ("XSHG", "index_amount", EVE),
    ]  # fmt: skip
    clean = Home(tmp_path / "clean")
    shutil.copytree(home.landing, clean.landing)
    run = run_cli(clean, "backfill", f"{FIRST}", f"{NIGHT}")
    assert run.returncode == 0, run.stdout + run.stderr
    assert not differences(tables_of(home.published), tables_of(clean.published))


def test_files_in_a_folder_that_their_feed_does_not_read_are_told(
    publishers_home: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    copy_home(publishers_home, home.root)
    for feed in ("hkex_quoted_index", "hkex_day_turnover"):
        home.landing.joinpath(feed).mkdir()
    file = home.landing / "hkex_day_turnover" / "d250918e.htm"
    file.write_text("x")
    pipeline.ingest(home, load_feeds(), None, NIGHT)
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        problems = dict(con.execute("from raw.feed_problem").fetchall())
    # An empty folder is no mistake.
    assert problems == {
        "hkex_day_turnover": f"feed hkex_day_turnover reads {home.landing}/hkex_daily_quotations; "
        f"move there what lies in {file.parent}"
    }
