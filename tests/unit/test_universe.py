"""A market made from the real files: symbols that are possible, and the rows of the real ones."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from benchmarks.universe import (
    A_SHARES,
    HONG_KONG,
    PARTS,
    choose_series,
    make_universe,
)
from dagster_project.market.symbols import canonical, security_problem
from tests.support import real_deliveries

SERIES = 700
CLOSES = """
    select parse_filename(filename, true) as code, 日期 as trade_date, 收盘 as close,
        成交量 as volume, 成交额 as turnover
    from read_csv('{}/*.csv', filename = true, types = {{'股票代码': 'VARCHAR'}})"""


def test_a_copy_has_the_prices_under_its_own_code_and_its_share_of_the_turnover() -> None:
    rows = [
        b"2025-01-02,600000,10.0,10.2,10.3,9.9,1000,1010000.0,1.0,2.0,0.2,0.5\n",
        b"2025-01-03,600000,10.2,10.1,10.3,9.9,0,0.0,1.0,-0.98,-0.1,0.0\n",
    ]
    written = PARTS[A_SHARES](rows).written_as(b"603999", 2, 10)
    assert written == (
        b"2025-01-02,603999,10.0,10.2,10.3,9.9,102,103020.0,1.0,2.0,0.2,0.5\n"
        b"2025-01-03,603999,10.2,10.1,10.3,9.9,0,0.0,1.0,-0.98,-0.1,0.0\n"
    )


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_deliveries()  # skips where there are none
    folder = tmp_path_factory.mktemp("universe") / "landing"
    assert make_universe(folder, SERIES, years=1).series == SERIES
    return folder


def test_every_symbol_is_possible_and_belongs_to_one_series(landing: Path) -> None:
    symbols = [canonical("a_share_code", path.stem) for path in (landing / A_SHARES).iterdir()]
    symbols += [path.stem for path in (landing / HONG_KONG).iterdir()]
    assert max(Counter(symbols).values()) == 1
    assert [symbol for symbol in symbols if security_problem(symbol)] == []


def test_copies_have_the_rows_of_their_source_and_its_place_in_the_stock_list(
    landing: Path,
) -> None:
    deliveries = real_deliveries(is_long=True)
    _, copied = choose_series(deliveries, SERIES)
    pairs = [
        (Path(path).stem, copy.code, copy.symbol)
        for path, copies in copied.items()
        if path.startswith(A_SHARES)
        for copy in copies
    ]
    assert pairs
    with duckdb.connect() as con:
        con.execute("create table pair (source varchar, code varchar, symbol varchar)")
        con.executemany("insert into pair values (?, ?, ?)", pairs)
        con.execute(f"create table closes as {CLOSES.format(landing / A_SHARES)}")
        differing = con.execute("""
            with series as (
                select code, list((trade_date, close) order by trade_date) as closes,
                    list(volume order by trade_date) as volumes, sum(turnover) as turnover
                from closes group by code
            )
            select source.code, copy.code
            from pair
            left join series as source on source.code = pair.source
            left join series as copy on copy.code = pair.code
            where copy.closes is distinct from source.closes
                or copy.volumes = source.volumes
                or copy.turnover > source.turnover""").fetchall()
    assert differing == []
    listed = (landing / "tushare_stock_list/stock_basic.csv").read_text("utf-8").splitlines()
    industry = {line.split(",")[0]: line.split(",")[2:] for line in listed}
    for source, _, symbol in pairs:
        assert industry.get(symbol) == industry.get(canonical("a_share_code", source))
