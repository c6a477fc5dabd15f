"""The sample's last evenings as the exchanges' files: fetched, released, and the same figures.

Belongs here: what comes of the files that `make demo` fetches. Does not belong here: fetching by
itself (`tests/unit/fetch/`), publishers' files alone (`test_publishers.py`).
"""

from datetime import date

import pytest

from dagster_project.home import Home
from dagster_project.warehouse.connection import connect
from seeds.sample.exchange_server import exchange_server
from seeds.sample.exchanges import fetch_evening, files_of
from tests.cli_process import run_cli
from tests.conftest import BuiltOnce, copy_home

EVE, NIGHT = date(2025, 9, 16), date(2025, 9, 17)


@pytest.fixture(scope="module")
def fetched_home(built_once: BuiltOnce, sample_home: Home) -> Home:
    def build(home: Home) -> None:
        copy_home(sample_home, home.root)
        with exchange_server() as server:
            for day in (EVE, NIGHT):
                for line in fetch_evening(home, server, day, dict(files_of(day))):
                    assert " new " in line or "csindex" in line, line
        done = run_cli(home, "nightly", f"{NIGHT}")
        assert done.returncode == 0, done.stdout + done.stderr

    return built_once("sample_exchanges", build)


def query(home: Home, sql: str) -> list[tuple[object, ...]]:
    # As the session's fixtures do, which may have it open in this process.
    with connect(home.published, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_the_exchanges_count_and_vendors_compare(fetched_home: Home) -> None:
    chosen = f"""select distinct feed from figure_origin
        where is_chosen and record_kind = '{{}}' and trade_date = '{NIGHT}' order by feed"""
    assert query(fetched_home, chosen.format("security_close")) == [
        ("hkex_daily_quotations",), ("sse_closing_snapshot",), ("szse_closing_snapshot",)
    ]  # fmt: skip
    assert ("hsi_daily_bulletin",) in query(fetched_home, chosen.format("index_close"))
    assert ("hkex_day_turnover",) in query(fetched_home, chosen.format("market_turnover"))
    # Of the mainland the index amounts count, as the press has them.
    assert query(
        fetched_home,
        f"""select market, basis, feed, exchange_turnover > turnover from market_turnover
        where trade_date = '{NIGHT}' order by market""",
    ) == [
        ("XHKG", "exchange_total", "hkex_day_turnover", False),
        ("XSHE", "index_amount", "baostock_index", True),
        ("XSHG", "index_amount", "baostock_index", True),
    ]


def test_nothing_is_found_in_them(fetched_home: Home, sample_home: Home) -> None:
    found = f"""select check_name, symbol, what from anomaly
        where trade_date >= '{EVE}' order by all"""
    assert query(fetched_home, found) == query(sample_home, found)


@pytest.mark.parametrize(
    "table",
    [
        "select symbol, round(close, 2), round(change_pct, 2), closing_high_since "
        "from index_performance",
        "select symbol, round(close, 2), round(change_pct, 2) from security_performance",
        # Ranked sectors alone: AGTech, of GEM, is in none of them.
        "select region, sector, round(change_pct, 2), rank_best from "
        "(from sector_performance where rank_best is not null)",
        "select scope, turnover_cny, round(change_pct, 2) from cross_market_turnover",
    ],
)
def test_the_close_is_that_of_the_vendors(
    fetched_home: Home, sample_home: Home, table: str
) -> None:
    """One vendor writes numbers of 32 bits: 106.5 is 106.50000762939453 there."""
    rows = f"{table} where trade_date = '{NIGHT}' order by all"
    of_exchanges = [row for row in query(fetched_home, rows) if row[0] != "8279.HK"]
    assert of_exchanges == query(sample_home, rows)


def test_the_report_misses_nothing_that_no_file_ever_had(fetched_home: Home) -> None:
    """Of the industries of Hang Seng's bulletin the sample has none."""
    report = (fetched_home.reports / f"{NIGHT}" / "market_report.md").read_text()
    assert "No file states" not in report
