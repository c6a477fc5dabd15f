"""Real vendor files: every line is accounted for, and every digit arrives.

Belongs here: raw against the files themselves, read by other means. Does not belong here: the
figures published from them (`tests/integration/test_real_files.py`).
"""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.ingest.support import SPECS, House
from tests.support import ingest, place_real_files, real_files


@pytest.fixture(scope="module")
def real_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    real_files()
    house = House(tmp_path_factory.mktemp("real"))
    place_real_files(house.landing)
    with house.con:
        ingest(house.con, house.landing, SPECS.values())
        yield house


def test_real_files_are_all_read_and_every_line_is_accounted_for(real_warehouse: House) -> None:
    files = real_warehouse.rows(
        "select path, status, lines_read, rows_accepted + rows_duplicate + rows_refused + "
        "lines_framing from raw.file"
    )
    assert len(files) == 234
    for path, status, lines_read, counted in files:
        assert (status, counted) == ("loaded", lines_read), path
        if path.endswith(".csv"):
            content = (real_warehouse.landing / path).read_bytes()
            assert lines_read == len(content.removesuffix(b"\n").split(b"\n")), path
    codes = Counter(
        (row[0], row[1])
        for row in real_warehouse.rows("select feed, reason_code from raw.rejected_row")
    )
    assert codes == {
        ("tushare_daily", "market_not_covered"): 265,
        ("tushare_stock_list", "market_not_covered"): 540,
        ("baostock_index", "close_out_of_range"): 22,
        ("baostock_index", "high_below_low"): 1,
        ("baostock_index", "unit_or_price_wrong"): 7,
    }
    assert real_warehouse.rows("select path from raw.file where remark is not null") == []


# Feed -> symbol column (or none: the file's name), and raw column -> delivered column, factor.
_PRICES = {name: (name, 1) for name in ("open", "high", "low", "close")}
_ORACLES: dict[str, tuple[str | None, str, str, dict[str, tuple[str, int]]]] = {
    "wsj_index": (None, "Date", "%m/%d/%y", {k: (k.title(), 1) for k in _PRICES}),
    "baostock_index": (None, "date", "%Y-%m-%d",
                       _PRICES | {"volume": ("volume", 1), "turnover": ("amount", 1)}),
    "tushare_daily": ("ts_code", "trade_date", "%Y%m%d",
                      _PRICES | {"volume": ("vol", 100), "turnover": ("amount", 1000),
                                 "previous_close": ("pre_close", 1), "change": ("change", 1)}),
    "eastmoney_a_share": (None, "日期", "%Y-%m-%d",
                          {"open": ("开盘", 1), "high": ("最高", 1), "low": ("最低", 1),
                           "close": ("收盘", 1), "volume": ("成交量", 100),
                           "turnover": ("成交额", 1), "change": ("涨跌额", 1)}),
    "yahoo_hk": (None, "Price", "%Y-%m-%d",
                 {k: (k.title(), 1) for k in _PRICES} | {"volume": ("Volume", 1)}),
}  # fmt: skip


@pytest.mark.parametrize("feed", _ORACLES)
def test_real_values_are_those_of_the_files_digit_by_digit(
    real_warehouse: House, feed: str
) -> None:
    _, date_column, date_format, columns = _ORACLES[feed]
    table = SPECS[feed].records[0]
    scales = {"volume": Decimal(1), "turnover": Decimal("0.01")}
    held: dict[str, dict[int, tuple[Any, ...]]] = {}
    for path, line, *values in real_warehouse.rows(
        f"select path, line_number, trade_date, {', '.join(columns)} from raw.{table} as record "
        "join raw.file using (file_id) where record.feed = ?",
        feed,
    ):
        held.setdefault(path, {})[line] = tuple(values)
    assert held
    for path, rows in held.items():
        lines = (real_warehouse.landing / path).read_text(encoding="utf-8").split("\n")
        header = [name.strip() for name in lines[0].split(",")]
        for line, (day, *values) in rows.items():
            cells = dict(zip(header, next(csv.reader([lines[line - 1]])), strict=True))
            assert day == datetime.strptime(cells[date_column], date_format).date()
            for (name, (column, factor)), value in zip(columns.items(), values, strict=True):
                exact = Decimal(cells[column]) * factor
                rounded = exact.quantize(scales.get(name, Decimal("0.000001")), "ROUND_HALF_UP")
                assert value == rounded, (path, line, name)
