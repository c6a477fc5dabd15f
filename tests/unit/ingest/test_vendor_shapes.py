"""Files in the shapes in which vendors deliver, each with the spec that an operator would write.

Belongs here: that a shape can be described without Python, and what becomes of damaged files. Does
not belong here: what holds in every format (`test_reader.py`), the project's own feeds.
"""

import gzip
import io
import json
import re
import struct
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.feed_spec import FeedSpec
from tests.unit.ingest.support import HSI, SPECS, hsi_line, read, read_several

CLOSES = """
feed: of_a_vendor
title: Closes of a vendor
vendor: A vendor
content: history
priority: 50
records: [security_close]
currency: CNY
"""


def spec(text: str) -> FeedSpec:
    return FeedSpec.model_validate(yaml.safe_load(CLOSES) | yaml.safe_load(text))


def one_row(feed: FeedSpec, name: str, content: str | bytes) -> dict[str, Any]:
    reading = read(feed, name, content)
    assert reading.report.reason is None, reading.report.reason
    (row,) = reading.good
    return {
        key: float(value) if isinstance(value, Decimal) else value
        for key, value in row.items()
        if key in feed.columns or key in ("symbol", "trade_date")
    }


# --- Text ----------------------------------------------------------------------------------------

TDX_EXPORT = spec("""
files: "*#{code}.txt"
format:
  type: csv
  encoding: gb18030
  delimiter: "\\t"
  title_lines: 1
  footer: "数据来源"
symbol: {file: code, scheme: a_share_code}
columns:
  trade_date: {column: 日期, format: "%Y/%m/%d"}
  open: {column: 开盘, unit: CNY}
  high: {column: 最高, unit: CNY}
  low: {column: 最低, unit: CNY}
  close: {column: 收盘, unit: CNY}
  volume: {column: 成交量, unit: shares}
  turnover: {column: 成交额, unit: CNY}
""")
TDX_TEXT = (
    "600436 片仔癀 日线 不复权\r\n"
    "      日期\t    开盘\t    最高\t    最低\t    收盘\t    成交量\t    成交额\r\n"
    "2025/09/17\t70.50\t71.00\t69.90\t70.13\t4943200\t347500000.00\r\n"
    "数据来源:通达信\r\n"
)


def test_a_title_above_the_header_and_a_source_below_the_rows() -> None:
    content = TDX_TEXT.encode("gb18030")
    row = one_row(TDX_EXPORT, "SH#600436.txt", content)
    assert row == {
        "symbol": "600436.SH", "trade_date": date(2025, 9, 17), "open": 70.5, "high": 71.0,
        "low": 69.9, "close": 70.13, "volume": 4943200, "turnover": 347500000.0,
    }  # fmt: skip
    reading = read(TDX_EXPORT, "SH#600436.txt", content)
    assert (reading.report.lines_read, reading.report.lines_framing) == (4, 3)
    title = read(TDX_EXPORT, "SH#600436.txt", "600436 片仔癀".encode("gb18030")).report.reason
    assert title == "has no header below 1 title lines; fetch it again"


def test_rows_without_a_date_are_of_the_date_in_the_name() -> None:
    feed = spec("""
        content: day
        files: "{date}.csv"
        file_date_format: "%Y%m%d"
        format: {type: csv, encoding: utf-8-sig}
        closes_at: "15:00"
        symbol: {column: 代码, scheme: a_share_code}
        columns:
          close: {column: 最新价, unit: CNY}
          name: {column: 名称}
    """)
    text = "序号,代码,名称,最新价\n1,600436,片仔癀,70.13\n"
    row = one_row(feed, "20250917.csv", text)
    assert (row["symbol"], row["trade_date"], row["close"]) == (
        "600436.SH", date(2025, 9, 17), 70.13,
    )  # fmt: skip
    reading = read(feed, "20250918.csv", text)
    assert "before the close of 2025-09-18" in (reading.report.reason or "")


def test_numbers_that_end_in_a_magnitude() -> None:
    feed = spec("""
        files: "{code}.csv"
        format:
          type: csv
          encoding: utf-8-sig
          thousands: ","
          magnitudes: {K: 3, M: 6, B: 9}
        symbol: {file: code, scheme: a_share_code}
        columns:
          trade_date: {column: Date, format: "%m/%d/%Y"}
          close: {column: Price, unit: CNY}
          change_pct: {column: Change %, unit: percent}
          volume: {column: Vol., unit: shares, optional: true}
    """)
    header = '\ufeff"Date","Price","Vol.","Change %"\n'
    for delivered, volume in {
        "4.57B": 4_570_000_000, "940.97M": 940_970_000, "12.3K": 12_300, "7": 7, "-": None,
    }.items():  # fmt: skip
        text = f'{header}"09/17/2025","1,070.13","{delivered}","-0.31%"\n'
        row = one_row(feed, "600436.csv", text)
        assert (row["close"], row["volume"], row["change_pct"]) == (1070.13, volume, -0.31)
    for damaged in ("4.57G", "B", "4.57 BB", "4.5.7B", "0x1B"):
        text = f'{header}"09/17/2025","1,070.13","{damaged}","-0.31%"\n'
        assert "column 'Vol.' has" in (read(feed, "600436.csv", text).report.reason or "")


@pytest.mark.parametrize("code", ["sh.600436", "SH600436", "600436.XSHG", "600436.SS"])
def test_many_securities_in_one_file_in_any_spelling(code: str) -> None:
    feed = spec("""
        files: "*.csv"
        format: {type: csv}
        symbol: {column: code, scheme: exchange_code}
        columns:
          trade_date: {column: date, format: "%Y-%m-%d"}
          close: {column: close, unit: CNY}
    """)
    row = one_row(feed, "all.csv", f"date,code,close\n2025-09-17,{code},70.13\n")
    assert row["symbol"] == "600436.SH"


YAHOO_ROW = "2025-09-16,200,204,199,203.2,12093873\n"


@pytest.mark.parametrize(
    ("feed", "name", "text", "symbol"),
    [
        ("yahoo_hk", "0700.HK.csv", "Price,Open,High,Low,Close,Volume\nTicker,0700.HK\nDate\n",
         "0700.HK"),
        ("yahoo_hk", "0700.HK.csv", "Date,Open,High,Low,Close,Volume\n", "0700.HK"),
        ("yahoo_index", "^HSI.csv", "Date,Open,High,Low,Close,Volume\n", "HSI"),
        ("yahoo_index", "^HSCE.csv",
         "Price,Open,High,Low,Close,Volume\nTicker,^HSCE\nDate\n", "HSCEI"),
    ],
)  # fmt: skip
def test_three_layouts_of_yahoo(feed: str, name: str, text: str, symbol: str) -> None:
    (row,) = read(feed, name, text + YAHOO_ROW).good
    assert (row["symbol"], float(row["open"]), float(row["close"])) == (symbol, 200, 203.2)


def test_layouts_of_one_feed_are_read_together() -> None:
    header = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,涨跌幅,涨跌额\n"
    row = "2025-09-16,600436,10,10.5,11,9.9,1000,1030000,5,0.5\n"
    files = {
        "600436.csv": (header + row).encode(),
        "600519.csv": (header + row).replace("股票代码,", "").replace("600436,", "").encode(),
    }
    readings = read_several(SPECS["eastmoney_a_share"], files)
    rows = [row for reading in readings.values() for row in reading.good]
    assert [row["symbol"] for row in rows] == ["600436.SH", "600519.SH"]
    assert {(float(row["close"]), row["volume"]) for row in rows} == {(10.5, 100_000)}


def test_what_is_wrong_in_a_layout_that_fits_is_said() -> None:
    text = "Price,Open,High,Low,Close,Volume\nTicker,0005.HK\nDate\n" + YAHOO_ROW
    reason = read("yahoo_hk", "0700.HK.csv", text).report.reason or ""
    assert reason.startswith("line 2: names 0005.HK, but the file is named for 0700.HK")


@pytest.mark.parametrize(
    ("layout", "problem"),
    [
        (
            {"columns": {"volume": {"column": "Vol", "unit": "shares"}}},
            "has volume, which the spec",
        ),
        ({"format": {"header_lines": 0}}, "greater than or equal to 1"),
        ({"columns": {"close": {"unit": "kilos"}}}, "unit 'kilos' is not known"),
        ({"files": "*.csv"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_in_a_layout_is_found(layout: dict[str, Any], problem: str) -> None:
    said = SPECS["wsj_index"].model_dump(exclude_unset=True) | {"layouts": [layout]}
    with pytest.raises(ValueError, match=re.escape(problem)):
        FeedSpec.model_validate(said)


# --- JSON ----------------------------------------------------------------------------------------


def json_spec(
    format_: str, columns: str, symbol: str = "{file: code, scheme: a_share_code}"
) -> Any:
    return spec(f"""
        files: "{{code}}.json"
        format: {{type: json, {format_}}}
        symbol: {symbol}
        columns: {columns}
    """)


SHAPES_OF_JSON = {
    "a list at the root": (
        json_spec("records: .", "{trade_date: {column: day, format: '%Y-%m-%d'}, "
                  "close: {column: close, unit: CNY}}"),
        [{"day": "2025-09-17", "close": "70.13"}],
    ),
    "names beside the items": (
        json_spec("records: data.items, names_at: data.fields",
                  "{trade_date: {column: trade_date, format: '%Y%m%d'}, "
                  "close: {column: close, unit: CNY}}",
                  "{column: ts_code, file: code, scheme: exchange_code}"),
        {"code": 0, "data": {"fields": ["ts_code", "trade_date", "close"],
                             "items": [["600436.SH", "20250917", 70.13]]}},
    ),
    "texts of values": (
        json_spec("records: data.klines, names: [date, open, close], separator: ','",
                  "{trade_date: {column: date, format: '%Y-%m-%d'}, "
                  "close: {column: close, unit: CNY}}"),
        {"rc": 0, "data": {"code": "600436", "klines": ["2025-09-17,70.50,70.13"]}},
    ),
    "a list for each column": (
        json_spec("arrays: {at: chart.result.0.timestamp, "
                  "close: chart.result.0.indicators.quote.0.close}",
                  "{trade_date: {column: at, format: epoch}, close: {column: close, unit: CNY}}"),
        {"chart": {"result": [{"timestamp": [1758072600],
                               "indicators": {"quote": [{"close": [70.13]}]}}]}},
    ),
    "values without names, and the date once for all": (
        json_spec("records: list, names: [code, close], document: {date: date}",
                  "{trade_date: {column: date, format: '%Y%m%d'}, "
                  "close: {column: close, unit: CNY}}",
                  "{column: code, scheme: a_share_code}"),
        {"date": 20250917, "time": 153000, "list": [["600436", 70.13]]},
    ),
}  # fmt: skip


def named(shape: str) -> str:
    return "600436.SH.json" if shape == "names beside the items" else "600436.json"


@pytest.mark.parametrize("shape", SHAPES_OF_JSON)
def test_shapes_of_json(shape: str) -> None:
    feed, document = SHAPES_OF_JSON[shape]
    text = json.dumps(document)
    for delivered in (text, f"callback_1({text});", f"var data = {text};\n"):
        row = one_row(feed, named(shape), delivered)
        assert (row["symbol"], row["trade_date"], row["close"]) == (
            "600436.SH", date(2025, 9, 17), 70.13,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "text", "reason"),
    [
        ("a list at the root", '{"a": 1}', 'has no list at ., but {"a": "1"}'),
        ("names beside the items", '{"data": {"items": [[1]]}}', "has nothing at data.fields"),
        ("texts of values", '{"data": {"klines": [{}]}}', "item 1 of data.klines is no list: {}"),
        ("texts of values", '{"data": {"klines": ["2025-09-17,1"]}}', "3 cells are expected"),
        (
            "a list for each column",
            '{"chart": {"result": [{"timestamp": [1, 2], '
            '"indicators": {"quote": [{"close": [1]}]}}]}}',
            "has lists of different lengths: at 2, close 1; fetch it again",
        ),
        (
            "values without names, and the date once for all",
            '{"list": [["600436", 70.13]]}',
            "has nothing at date (KeyError('date'))",
        ),
    ],
)
def test_json_of_another_shape_is_quarantined(shape: str, text: str, reason: str) -> None:
    feed, _ = SHAPES_OF_JSON[shape]
    assert reason in (read(feed, named(shape), text).report.reason or "")


@given(st.sampled_from(sorted(SHAPES_OF_JSON)), st.data())
@settings(max_examples=150, deadline=None)
def test_no_damaged_json_stops_the_reading(shape: str, data: st.DataObject) -> None:
    feed, document = SHAPES_OF_JSON[shape]
    text = json.dumps(document)
    at = data.draw(st.integers(0, len(text)))
    to = data.draw(st.integers(at, len(text)))
    damaged = text[:at] + data.draw(st.text('[]{}",:.0aé\n', max_size=4)) + text[to:]
    read(feed, named(shape), damaged)


# --- Workbooks, Parquet, packed files -------------------------------------------------------------


def test_a_workbook_with_a_title() -> None:
    feed = spec("""
        files: "{code}.xlsx"
        format: {type: xlsx, title_lines: 2, thousands: ","}
        symbol: {file: code, scheme: a_share_code}
        columns:
          trade_date: {column: 日期, format: "%Y-%m-%d"}
          close: {column: 收盘价(元), unit: CNY}
    """)
    book = openpyxl.Workbook()
    for cells in (("600436.SH 片仔癀",), (), ("日期", "收盘价(元)"), ("2025-09-17", "1,070.13")):
        book.worksheets[0].append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    row = one_row(feed, "600436.xlsx", buffer.getvalue())
    assert (row["trade_date"], row["close"]) == (date(2025, 9, 17), 1070.13)
    reading = read(feed, "600436.xlsx", buffer.getvalue())
    assert [row["line_number"] for row in reading.good] == [4]
    assert (reading.report.lines_read, reading.report.lines_framing) == (4, 3)


PARQUET = spec("""
files: "{code}.parquet"
format: {type: parquet}
symbol: {file: code, scheme: a_share_code}
columns:
  trade_date: {column: date, format: "%Y-%m-%d"}
  close: {column: close, unit: CNY}
  volume: {column: volume, unit: shares, optional: true}
""")


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("type_", [pa.date32(), pa.timestamp("ns"), pa.timestamp("ms", "UTC")])
def test_a_parquet_file(type_: pa.DataType) -> None:
    days = pa.array([date(2025, 9, 16), date(2025, 9, 17)]).cast(type_)
    content = parquet(date=days, close=[70.5, 70.13], volume=pa.array([None, 4943200]))
    reading = read(PARQUET, "600436.parquet", content)
    assert [(row["trade_date"], float(row["close"]), row["volume"]) for row in reading.good] == [
        (date(2025, 9, 16), 70.5, None), (date(2025, 9, 17), 70.13, 4943200),
    ]  # fmt: skip
    assert [row["line_number"] for row in reading.good] == [1, 2]


def test_numbers_of_single_precision_have_no_more_digits_than_they_know() -> None:
    close = pa.array([1499.98, None], pa.float32())
    content = parquet(date=pa.array([date(2025, 9, 16), date(2025, 9, 17)]), close=close)
    reading = read(PARQUET, "600436.parquet", content)
    assert [row["close"] for row in reading.good] == [Decimal("1499.98")]


def test_a_time_that_no_calendar_has_is_a_reason() -> None:
    content = parquet(date=pa.array([10**18], pa.timestamp("ms")), close=[70.5])
    assert "cannot be read" in (read(PARQUET, "600436.parquet", content).report.reason or "")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_damaged_parquet_file_stops_the_reading(data: st.DataObject) -> None:
    content = bytearray(parquet(date=[date(2025, 9, 17)], close=[70.13]))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(PARQUET, "600436.parquet", bytes(content[: data.draw(st.integers(1, len(content)))]))


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


LINES = HSI + hsi_line() + "\n"


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(LINES.encode()),
        gzip.compress(HSI.encode()) + gzip.compress((hsi_line() + "\n").encode()) + b"\0" * 8,
        zipped({"HSI.csv": LINES}),
        zipped({"__MACOSX/._HSI.csv": "x", "folder/": "", "folder/HSI.csv": LINES}),
    ],
    ids=["gzip", "gzip in two members", "zip", "zip with a folder"],
)
def test_a_packed_file_is_read_as_what_is_inside(content: bytes) -> None:
    reading = read("wsj_index", "HSI.csv", content)
    assert [row["close"] for row in reading.good] == [Decimal("26438.51")]
    assert reading.report.lines_read == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(LINES.encode())[:-9], "is a gzip file that is cut off"),
        (gzip.compress(b""), "line 1: column 'Date' is missing"),
        (zipped({"a": LINES, "b": LINES}), "is a zip file with 2 files inside (a, b); one is "),
        (zipped({"a/": ""}), "is a zip file with 0 files inside (nothing)"),
        (gzip.compress(b"0" * 200_000_000), "has more than 128 MB when unpacked"),
        (zipped({"a": "0" * 200_000_000}), "has more than 128 MB when unpacked"),
    ],
    # Both formats hold the time of packing: without names the two test processes would differ.
    ids=["gzip cut off", "gzip of nothing", "zip of two", "zip of none", "gzip bomb", "zip bomb"],
)
def test_a_packed_file_that_cannot_be_unpacked_is_quarantined(content: bytes, reason: str) -> None:
    report = read("wsj_index", "HSI.csv", content).report
    assert reason in (report.reason or "")
    assert report.lines_read <= 1


# --- A workbook of before 2007 --------------------------------------------------------------------

XLS = spec("""
files: "*.xls"
format: {type: xlsx, title_lines: 1}
symbol: {column: 成份券代码, scheme: a_share_code}
columns:
  trade_date: {column: 日期, format: "%Y%m%d"}
  close: {column: 收盘, unit: CNY}
  volume: {column: 成交量, unit: shares}
""")
# Written once by a library for xls, with numbers, texts, an empty row and a cell that is a date.
BOOK = Path(__file__).with_name("closes.xls").read_bytes()


def test_a_workbook_of_before_2007() -> None:
    reading = read(XLS, "closes.xls", BOOK)
    columns = ("symbol", "trade_date", "close", "volume")
    assert [tuple(row[column] for column in columns) for row in reading.good] == [
        ("600519.SH", date(2025, 9, 16), Decimal("1512.5"), 2_812_300),
        ("600519.SH", date(2025, 9, 17), Decimal("1497.5"), 2_712_300),
    ]  # fmt: skip
    # A cell that is a date is written as one, which is another form than numbers.
    assert {line: code for line, (code, _) in reading.rejected.items()} == {6: "bad_date"}
    assert reading.report.lines_read == 6


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_damaged_xls_stops_the_reading(data: st.DataObject) -> None:
    content = bytearray(BOOK)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(XLS, "closes.xls", bytes(content[: data.draw(st.integers(8, len(content)))]))


# --- A column for each symbol ---------------------------------------------------------------------

WIDE = spec("""
files: "*.csv"
format: {type: wide_csv, wide: {kept: [date], value: close}}
symbol: {column: symbol, scheme: exchange_code, ignored: {'index\\..*': indices}}
columns:
  trade_date: {column: date, format: "%Y-%m-%d"}
  close: {column: close, unit: CNY}
""")


def test_a_table_with_a_column_for_each_symbol() -> None:
    content = (
        "date,sh600519,sz000858,index.A,bj430047\n"
        "2025-09-16,1512.5,,7,1\n"
        "\n"
        "2025-09-17,1497.5,nan,8,-\n"
        "2025-09-17,1497.5\n"
        '2025-09-15,"1500","x",9,\n'
    )
    reading = read(WIDE, "closes.csv", content)
    assert [(row["symbol"], row["trade_date"], row["close"]) for row in reading.good] == [
        ("600519.SH", date(2025, 9, 16), Decimal("1512.5")),
        ("600519.SH", date(2025, 9, 17), Decimal("1497.5")),
        ("600519.SH", date(2025, 9, 15), Decimal("1500")),
    ]
    assert sorted(code for code, _ in reading.rejected.values()) == [
        "bad_number", "field_count", "market_not_covered",
    ]  # fmt: skip


def test_a_wide_table_may_end_its_lines_with_carriage_returns() -> None:
    reading = read(WIDE, "closes.csv", "date,sh600519\r2025-09-17,1497.5\r")
    assert [row["close"] for row in reading.good] == [Decimal("1497.5")]


@pytest.mark.parametrize("at", [1758072600000, 1758072600000000, 10**18, -(10**13)])
def test_what_counts_more_than_seconds_is_no_date(at: int) -> None:
    shape = "a list for each column"
    feed, content = SHAPES_OF_JSON[shape]
    text = json.dumps(content).replace("1758072600", str(at))
    reading = read(feed, named(shape), text)
    assert [code for code, _ in reading.rejected.values()] == ["bad_date"]


def test_shares_of_another_market_than_the_currency_are_rejected() -> None:
    content = "date,sh600519,HK00700,HK80700\n2025-09-17,1497.5,661.5,610\n"
    reading = read(WIDE, "closes.csv", content)
    assert [row["symbol"] for row in reading.good] == ["600519.SH", "80700.HK"]
    ((code, reason),) = reading.rejected.values()
    assert code == "other_currency"
    assert "0700.HK is priced in HKD, but the feed's currency is CNY" in reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("day,sh600519\n2025-09-17,1\n", "line 1: column date is missing; the header is: day, sh"),
        ("date,sh600519,sh600519\n2025-09-17,1,2\n", "line 1: a symbol has two columns"),
        ("date,sh600519\n", "has a header but no rows"),
    ],
)
def test_a_wide_table_that_cannot_be_read(content: str, reason: str) -> None:
    assert reason in (read(WIDE, "closes.csv", content).report.reason or "")


# --- Tongdaxin's binary records -------------------------------------------------------------------


def record(day: int, close: float, turnover: float = 1e6, volume: int = 100_000) -> bytes:
    prices = [round(close * 100)] * 4
    return struct.pack("<IIIIIfII", day, *prices, turnover, volume, 65536)


def test_binary_records() -> None:
    content = record(20250916, 10.05) + record(20250917, 10.5, 1_987_661_312.0, 189_301_077)
    reading = read("tdx_day", "sh/lday/sh600519.day", content)
    first, second = reading.good
    assert (first["symbol"], first["trade_date"], first["close"]) == (
        "600519.SH", date(2025, 9, 16), Decimal("10.05"),
    )  # fmt: skip
    # The shortest number that a float of single precision can be: 1,987,661,312 as written.
    assert (second["turnover"], second["volume"]) == (Decimal("1987661300"), 189_301_077)
    cut = read("tdx_day", "sh/lday/sh600519.day", content[:-1]).report.reason or ""
    assert cut.startswith("record 2: has 31 bytes of 32; the file is cut off")


def test_what_else_lies_in_the_folder_is_ignored() -> None:
    feed = SPECS["tdx_day"]
    ignored = ["sh/lday/sh000001.day", "sh/lday/sh510300.day", "sz/lday/sz399001.day", "bj/x"]
    assert [name for name in ignored if not feed.ignores(name)] == []
    read_ = ["sh/lday/sh600519.day", "sh/lday/sh688981.day", "sz/lday/sz000001.day",
             "sz/lday/sz300750.day"]  # fmt: skip
    assert [name for name in read_ if feed.ignores(name)] == []


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_record_is_lost(records: list[bytes]) -> None:
    reading = read("tdx_day", "sz/lday/sz000001.day", b"".join(records))
    assert reading.report.reason or reading.report.lines_read == len(records)
