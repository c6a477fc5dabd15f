"""Drafting a spec from a file: what the file proves, and what is asked.

Belongs here: drafts of files made for it, and of real files beside the project's own specs. Does
not belong here: reading by a spec (`test_vendor_shapes.py`).
"""

import json
import struct
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.document import FileReadError
from dagster_project.ingest.draft import draft_spec
from dagster_project.ingest.feed_spec import FeedSpec
from tests.support import real_files
from tests.unit.ingest.support import SPECS, read_several
from tests.unit.ingest.test_vendor_feeds import FILES
from tests.unit.ingest.test_vendor_shapes import BOOK, SHAPES_OF_JSON, named


def drafted(path: Path, content: str | bytes) -> tuple[FeedSpec, dict[str, str]]:
    """The spec of a draft, and its questions: what stands before `# ?` -> what is asked."""
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    text = draft_spec(path, "drafted")
    lines = [line.split("  # ?") for line in text.splitlines() if "  # ?" in line]
    asks = {line.strip().split(":")[0]: asked.strip() for line, asked in lines}
    return FeedSpec.model_validate(yaml.safe_load(text)), asks


def rows(spec: FeedSpec, name: str, content: bytes, columns: list[str]) -> list[tuple[Any, ...]]:
    good = read_several(spec, {name: content})[name].good
    return [tuple(row[column] for column in columns) for row in good]


REAL = [
    ("yahoo_hk", "hk_yahoo", "0700.HK.csv", ""),
    ("baostock_a_share", "a_share_baostock", "sh.600519.csv", ""),
    ("tushare_daily", "tushare", "daily_20250403.csv", "20250403.csv"),
    ("eastmoney_a_share", "a_share_eastmoney", "600519.csv", ""),
    ("wsj_index", "index_wsj", "HSI.csv", ""),
    ("tdx_day", "tdx_day/sh/lday", "sh600519.day", "sh/lday/sh600519.day"),
    ("sina_index", "index_sina", "hstech.csv", ""),
]


@pytest.mark.parametrize(("feed", "folder", "file", "name"), REAL)
def test_the_draft_of_a_real_file_reads_what_the_feed_reads(
    tmp_path: Path, feed: str, folder: str, file: str, name: str
) -> None:
    content = (real_files() / folder / file).read_bytes()
    spec, asks = drafted(tmp_path / file, content)
    own = SPECS[feed]
    columns = [*(name for name in spec.columns if name in own.columns), "symbol"]
    read_by_draft = rows(spec, file, content, columns)
    assert read_by_draft == rows(own, name or file, content, columns)
    assert read_by_draft
    assert {"open", "high", "low", "close"} <= set(columns)
    units = {own.columns[name].unit for name in ("volume", "turnover") if name in own.columns}
    if own.price_basis == "traded" and len(units) == 2:
        assert not {"volume", "turnover"} & set(asks), "the file proves its units"


DRAFTED = [
    (feed, *files[0])
    for feed, files in FILES.items()
    if feed not in ("investing_index", "eastmoney_index", "stooq_hk")  # these need an answer
]


@pytest.mark.parametrize(("feed", "name", "content", "expected"), DRAFTED)
def test_the_draft_of_a_described_file_reads_what_it_says(
    tmp_path: Path, feed: str, name: str, content: str, expected: dict[str, Any]
) -> None:
    data = content.encode(SPECS[feed].format.encoding.removesuffix("-sig"))
    file = name.rsplit("/", 1)[-1]
    spec, _ = drafted(tmp_path / file, data)
    known = [column for column in expected if column in (*spec.columns, "symbol", "trade_date")]
    assert rows(spec, file, data, known)[-1] == rows(SPECS[feed], name, data, known)[-1]


@pytest.mark.parametrize("shape", ["a list at the root", "names beside the items"])
def test_the_draft_of_json_reads_what_it_says(tmp_path: Path, shape: str) -> None:
    name, content = named(shape), json.dumps(SHAPES_OF_JSON[shape][1]).encode()
    spec, _ = drafted(tmp_path / name, content)
    known = ["symbol", "trade_date", "close"]
    assert rows(spec, name, content, known) == [("600436.SH", date(2025, 9, 17), Decimal("70.13"))]


LINES = "date,close,vol,amount\n{}\n"


@pytest.mark.parametrize(
    ("numbers", "volume", "turnover"),
    [
        ("10.5,100000,1050000", "shares", "CNY"),
        ("10.5,1000,1050000", "lots", "CNY"),
        ("10.5,1000,1050", "lots", "thousand CNY"),
        ("10.5,1000,105", "lots", "ten_thousand CNY"),
        ("10.5,10.5,110.25", "ten_thousand shares", "ten_thousand CNY"),
    ],
)
def test_units_follow_from_the_file(
    tmp_path: Path, numbers: str, volume: str, turnover: str
) -> None:
    spec, _ = drafted(tmp_path / "600519.csv", LINES.format(f"2025-09-17,{numbers}"))
    assert (spec.columns["volume"].unit, spec.columns["turnover"].unit) == (volume, turnover)


D = date(2025, 9, 17)
# Name, content, and what the draft of it must load from its last row.
LOADED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "turnover with cents": (
        "600519.csv",
        "date,open,high,low,close,volume,amount\n"
        "2025-09-17,1500.00,1504.00,1486.00,1493.00,2876543.00,4301234567.00\n",
        {"volume": 2876543, "turnover": Decimal("4301234567.00")},
    ),
    "thousands": (
        "0700.HK.csv",
        'Date,Close,Volume,Turnover\n2025-09-17,661.5,"19,712,304","13,039,234,567"\n',
        {"volume": 19712304, "turnover": Decimal(13039234567)},
    ),
    "magnitudes": (
        "600519.csv",
        "日期,收盘,成交量,成交额\n2025-09-17,1493.0,329.12万,49.14亿\n",
        {"volume": 3291200, "turnover": Decimal(4914000000)},
    ),
    "exponents": (
        "600519.csv",
        "date,close,volume,amount\n2025-09-17,1493.0,3.291234E+06,4.913812345E+09\n",
        {"volume": 3291234, "turnover": Decimal(4913812345)},
    ),
    "a suspended day": (
        "600519.csv",
        "date,close,volume,amount\n2025-09-15,1499.98,--,--\n2025-09-16, ,nan,1\n"
        "2025-09-17,1499.98,3291234,4931234567\n",
        {"volume": 3291234, "turnover": Decimal(4931234567)},
    ),
    "thousands in the header": (
        "0700.HK.csv",
        "日期,最高,最低,收盘,成交量(千股),成交额(千元)\n"
        "2025-09-17,663.50,642.00,661.50,24332,15942346\n",
        {"volume": 24332000, "turnover": Decimal(15942346000)},
    ),
    "ten thousands in the header": (
        "600519.csv",
        "日期,收盘,成交量(万股),成交额(万元)\n2025-09-17,1499.98,329,493493\n",
        {"volume": 3290000, "turnover": Decimal(4934930000)},
    ),
    "a history that was adjusted by ever more": (
        "600519.csv",
        "date,close,volume,amount\n"
        + "".join(f"2024-{m:02}-{d:02},{0.01 * m * d:.2f},1000,1500000\n"
                  for m in range(1, 13) for d in range(1, 20))
        + "".join(f"2025-09-{d:02},14.9,1000,1500000\n" for d in range(1, 18)) * 3,
        {"volume": 100000, "turnover": Decimal(1500000)},
    ),
    "lots in the header, hundred millions": (
        "600519.csv",
        "日期,收盘,成交量(手),成交额(亿元)\n2025-09-17,1499.98,32912,49.37\n",
        {"volume": 3291200, "turnover": Decimal(4937000000)},
    ),
    "lots in the header alone": (
        "600519.csv",
        "日期,收盘,成交量(手)\n2025-09-17,1499.98,32912\n",
        {"volume": 3291200},
    ),
    "percent as a fraction, proven by the closes": (
        "600519.csv",
        "日期,收盘,涨跌幅\n2025-09-15,1515.90,0.0000\n2025-09-16,1499.98,-0.0105\n"
        "2025-09-17,1493.00,-0.0047\n",
        {"change_pct": -0.47},
    ),
    "the newest row first": (
        "600519.csv",
        "日期,收盘,涨跌幅\n2025-09-17,1493.00,-0.0047\n2025-09-16,1499.98,-0.0105\n"
        "2025-09-15,1515.90,0.0000\n",
        {"change_pct": 0.0},
    ),
    "Hong Kong's own words": (
        "0700.HK.csv",
        "日期,開市價,最高價,最低價,收市價,成交股數\n2025-09-17,644,663.5,642,661.5,19712304\n",
        {"open": 644, "high": Decimal("663.5"), "close": Decimal("661.5"), "volume": 19712304},
    ),
    "numbers for exchanges": (
        "all.csv",
        "secid,date,close\n0.000001,2025-09-17,11.7\n1.600519,2025-09-17,1493\n",
        {"symbol": "600519.SH", "close": 1493},
    ),
    "a footer as wide as the table": (
        "600519.csv",
        "日期,收盘,成交量\n2025-09-17,1493.00,2876543\n数据来源：Wind,,\n",
        {"close": 1493, "volume": 2876543},
    ),
    "two lines below the rows": (
        "600519.csv",
        "日期,收盘,成交量\n2025-09-17,1493.00,2876543\n注：不复权\n数据来源：Wind\n",
        {"close": 1493, "volume": 2876543},
    ),
    "a column that YAML would take for nothing": (
        "600519.csv", "date,close,null,true\n2025-09-17,1493,1,2\n", {"close": 1493},
    ),
    "a column for each symbol": (
        "closes.csv",
        "日期,sh600519,sz000858\n2025-09-16,1499.98,128.3\n2025-09-17,1493,\n",
        {"symbol": "600519.SH", "close": 1493},
    ),
    "a column for each share of Hong Kong": (
        "closes.csv", "Date,0700.HK,9988.HK\n17/09/2025,661.5,161.6\n",
        {"symbol": "9988.HK", "close": Decimal("161.6")},
    ),
    "a list for each column": (
        "0700.HK.json",
        json.dumps({"chart": {"result": [{
            "meta": {"currency": "HKD"}, "timestamp": [1757986200, 1758072600],
            "indicators": {
                "quote": [{"close": [640.5, 661.5], "open": [646, 644], "volume": [1, 19712304]}],
                "adjclose": [{"adjclose": [640.5, 661.5]}],
            },
        }], "error": None}}),
        {"trade_date": D, "open": 644, "close": Decimal("661.5"), "volume": 19712304},
    ),
    "capitals": ("600519.CSV", "date,close\n2025-09-17,1493\n", {"symbol": "600519.SH"}),
    "capitalisation": (
        "daily.csv",
        "代码,日期,收盘,总市值(亿元),流通市值(亿元)\n600519,2025-09-17,1493,18696.39,18696.39\n",
        {"float_cap": Decimal(1869639000000), "total_cap": Decimal(1869639000000)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOADED)
def test_a_draft_loads_what_the_file_says(tmp_path: Path, case: str) -> None:
    name, content, expected = LOADED[case]
    spec, _ = drafted(tmp_path / name, content)
    assert spec.columns.keys() >= expected.keys() - {"symbol"}
    found = rows(spec, name, content.encode(), list(expected))
    assert found, "every row is rejected"
    assert dict(zip(expected, found[-1], strict=True)) == pytest.approx(expected)


def test_closes_far_from_what_was_dealt_are_adjusted(tmp_path: Path) -> None:
    name, content, _ = LOADED["a history that was adjusted by ever more"]
    spec, asks = drafted(tmp_path / name, content)
    assert spec.price_basis == "adjusted_difference"
    assert "old closes are not those dealt" in asks["price_basis"]


def test_a_unit_that_the_figures_contradict_is_asked(tmp_path: Path) -> None:
    content = "日期,收盘,成交量(股),成交额(元)\n2025-09-17,1500,{}\n"
    spec, asks = drafted(tmp_path / "600519.csv", content.format("32912,4936800000"))
    assert spec.columns["volume"].unit == "lots"
    assert "contradicts what the header states" in asks["volume"]
    _, asks = drafted(tmp_path / "600519.csv", content.format("32912,493680000"))
    assert "is no price of the file" in asks["volume"]


def test_two_columns_that_may_be_the_close_are_asked(tmp_path: Path) -> None:
    spec, asks = drafted(tmp_path / "600519.csv", "日期,现价,收盘价\n2025-09-17,1493,1492\n")
    assert spec.columns["close"].column == "现价"
    assert "收盘价" in asks["close"]


def test_two_readings_of_a_date_are_asked(tmp_path: Path) -> None:
    spec, asks = drafted(tmp_path / "0700.HK.csv", "Date,Close\n25/09/16,661.5\n")
    assert spec.columns["trade_date"].format == "%d/%m/%y"
    assert "%y/%m/%d" in asks["trade_date"]


def test_a_code_of_a_share_and_of_an_index_is_asked(tmp_path: Path) -> None:
    spec, asks = drafted(tmp_path / "000001.csv", "date,close\n2025-09-17,3876.34\n")
    assert spec.records == ("security_close",)
    assert "index_close of 000001.SH" in asks["records"]
    spec, _ = drafted(tmp_path / "399001.csv", "date,close\n2025-09-17,13215.46\n")
    assert spec.records == ("index_close",)
    _, asks = drafted(tmp_path / "all.csv", "code,date,close\n2594,2025-09-17,108\n")
    assert "lost their zeros" in asks["records"]


def test_dates_of_a_workbook_are_read_as_the_reader_reads_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in (
        ("日期", "收盘价"), (datetime(2025, 9, 17), 1493.0), ("数据来源：Wind", None),
    ):  # fmt: skip
        book.worksheets[0].append(cells)
    book.save(tmp_path / "book.xlsx")
    content = (tmp_path / "book.xlsx").read_bytes()
    spec, _ = drafted(tmp_path / "600519.xlsx", content)
    assert rows(spec, "600519.xlsx", content, ["trade_date", "close"]) == [(D, Decimal(1493))]


def test_a_workbook_of_before_2007_is_looked_at_cell_by_cell(tmp_path: Path) -> None:
    """This one writes its dates in two forms, which no spec can say."""
    with pytest.raises(FileReadError, match="form that is not known: 20250916, 20250917, 2025-09"):
        drafted(tmp_path / "600519.xls", BOOK)


def test_traditional_chinese_is_told_from_simplified(tmp_path: Path) -> None:
    content = "日期,名稱,收盤價,成交金額\n2025-09-17,騰訊控股,661.5,13039234567\n".encode("big5")
    spec, _ = drafted(tmp_path / "0700.HK.csv", content)
    assert spec.format.encoding == "big5"
    assert rows(spec, "0700.HK.csv", content, ["name"]) == [("騰訊控股",)]


def test_a_fund_of_tongdaxin_is_refused(tmp_path: Path) -> None:
    record = struct.pack("<IIIIIfII", 20250916, 4590, 4620, 4560, 4600, 4.6e9, 10**9, 0)
    with pytest.raises(FileReadError, match="fund or B share"):
        drafted(tmp_path / "sh510300.day", record)


def test_what_a_file_does_not_prove_is_asked(tmp_path: Path) -> None:
    content = "Date,Close,Volume\n09/10/2025,500.5,1000\n"
    spec, asks = drafted(tmp_path / "0700.HK.csv", content)
    assert spec.columns["trade_date"].format == "%m/%d/%Y"
    assert asks["trade_date"] == "or %d/%m/%Y"
    assert asks["volume"] == "or lots; the file does not prove it"
    assert "ask the vendor" in asks["price_basis"]
    assert spec.currency == "HKD"
    _, asks = drafted(tmp_path / "0700.HK.csv", content.replace("09/10", "09/17"))
    assert "trade_date" not in asks


def test_a_workbook_with_a_title_is_drafted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in (("片仔癀 600436",), ("日期", "收盘价(元)"), ("2025-09-17", "1,070.13")):
        book.worksheets[0].append(cells)
    book.save(tmp_path / "book.xlsx")
    content = (tmp_path / "book.xlsx").read_bytes()
    spec, _ = drafted(tmp_path / "600436.xlsx", content)
    assert (spec.format.title_lines, spec.format.thousands) == (1, ",")
    ((symbol, close),) = rows(spec, "600436.xlsx", content, ["symbol", "close"])
    assert (symbol, float(close)) == ("600436.SH", 1070.13)
    with pytest.raises(FileReadError, match="is not a readable"):
        drafted(tmp_path / "600436.xlsx", content[:-400])


def test_an_index_is_told_from_a_security(tmp_path: Path) -> None:
    for name, records in {
        "sh000001.csv": "index_close", "^HSI.csv": "index_close", "sh600519.csv": "security_close",
    }.items():  # fmt: skip
        spec, _ = drafted(tmp_path / name, "date,close\n2025-09-17,3876.34\n")
        assert spec.records == (records,)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "", "is empty"),
        ("600519.csv", "x,y\n1,2\n", "has no row that looks like a header"),
        ("600519.csv", "date,open\n2025-09-17,2\n", "has no column that looks like a close"),
        ("600519.csv", "open,close\n1,2\n", "has no column that looks like a date"),
        ("600519.csv", "date,close\nyesterday,2\n", "has dates in a form that is not known"),
        ("prices.csv", "date,close\n2025-09-17,2\n", "has no column with symbols, and its name"),
        ("600519.json", '{"a": 1}', "has neither a list of records"),
        ("600519.json", "[[1, 2, 3]]", "has records without names"),
        ("600519.csv", b"\xff\xff\xff", "is in none of the encodings"),
        ("600519.csv", "date,close\n", "has no rows below its header"),
        ("600519.xls", "<html><table>", "is a web page"),
        ("a.csv", "code,date,close\n600519.SH,2025-09-17,1\n00700.HK,2025-09-17,2\n", "two curr"),
        ("600519.json", "[" * 100_000, "lists in lists|deep|nested"),
        ("600519.csv", "date,close\n" + "1" * 200_000 + ",2\n", "cannot be split"),
    ],
)
def test_what_cannot_be_drafted_is_said(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    with pytest.raises(FileReadError, match=reason):
        drafted(tmp_path / name, content)


def test_a_last_line_that_begins_with_a_colon_is_no_footer(tmp_path: Path) -> None:
    name, text = next((name, data) for _, name, data, _ in DRAFTED if name == "20250917.csv")
    spec, asks = drafted(tmp_path / name, text.rstrip("\n") + "\n:")
    assert not spec.format.footer
    assert "footer" not in asks


@given(st.sampled_from([(name, data) for _, name, data, _ in DRAFTED]), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_drafted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, str], data: st.DataObject
) -> None:
    name, text = file
    at, to = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    damaged = text[:at] + data.draw(st.text('\n\t,"{}[]:0.9aé', max_size=5)) + text[to:]
    path = tmp_path_factory.getbasetemp() / name
    path.write_text(damaged, encoding="utf-8")
    with suppress(FileReadError):
        FeedSpec.model_validate(yaml.safe_load(draft_spec(path, "drafted")))
