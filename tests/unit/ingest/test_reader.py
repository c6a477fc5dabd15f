"""Reading files: every line becomes a typed row, framing, or a rejected row with its reason.

Belongs here: what holds in every format, and what becomes of a file as a whole. Does not belong
here: one format (`test_read_csv.py`, `test_read_json.py`, `test_read_workbook.py`), cells
(`test_typed_rows.py`), why a row is rejected (`test_row_rules.py`, `test_file_rules.py`).
"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.ingest.support import HSI, SPECS, TODAY, hsi_line, read, read_several

# --- Whole files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty; the download may have failed, fetch it again"),
        (b" \r\n \n", "is empty"),
        (HSI.encode(), "has a header but no rows; fetch it again"),
        (HSI.encode() + b"\n\n,,,,\n", "has a header but no rows"),
        (b"<!DOCTYPE html>\n<html>", "line 1: is a web page, not data; the download failed"),
        (b"\n <HTML lang='en'>\n", "line 1: is a web page"),
        ("日期,收盘\n".encode("gbk"), "line 1: is not utf-8 (byte 0: 0xc8); the file may be in an"),
        (HSI.encode() + b"09/16/25,1,\xff\n", "line 2: is not utf-8 (byte 40: 0xff)"),
        (HSI.encode("utf-16"), "line 1: is not utf-8 (byte 0: 0xff)"),
        (HSI.encode("utf-16-le"), "line 1: column 'Date' is missing; the header is: D\\x00a"),
        (b"\x00" * 100, "line 1: column 'Date' is missing"),
        (b"PK\x03\x04junk", "is not a readable zip file"),
        (b"\x1f\x8bjunk", "is not a readable gzip file"),
        (b"x" * 10_000_000, "line 1: is not a header (field larger than field limit"),
        (b"Date,Open,High,Close,Low2\n1,2,3,4,5", "line 1: column 'Low' is missing; the header is"),
        (b"Date,Open,High,Low,Close,Close\n", "line 1: column 'Close' appears 2 times"),
        (b"Date;Open;High;Low;Close\n", "line 1: column 'Date' is missing"),
        (HSI.encode() + b"09/16/25,1,1,1,x\n", "line 2: none of its 1 rows can be used; the first"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_use_is_quarantined_with_its_line(content: bytes, reason: str) -> None:
    reading = read("wsj_index", "HSI.csv", content)
    assert reading.report.reason is not None
    assert reason in reading.report.reason
    assert reading.report.rows_accepted == 0
    assert not reading.good


def test_a_bad_file_keeps_no_other_from_being_read() -> None:
    good = (HSI + hsi_line()).encode()
    readings = read_several(
        SPECS["wsj_index"],
        {"HSI.csv": good, "HSCEI.csv": b"\xff", "HSTECH.csv": b"", "NOPE.csv": good},
    )
    assert [reading.report.rows_accepted for reading in readings.values()] == [1, 0, 0, 0]
    assert readings["NOPE.csv"].report.reason == (
        "symbol 'NOPE' is not a known index; add it to seeds/index_definition.csv, or correct the "
        "file (from the file's name)"
    )


@pytest.mark.parametrize(
    "content",
    [
        HSI + hsi_line(),
        HSI + hsi_line() + "\n",
        "\ufeff" + HSI + hsi_line() + "\n",
        (HSI + hsi_line() + "\n").replace("\n", "\r\n"),
        (HSI + hsi_line() + "\n").replace("\n", "\r\r\n"),
        (HSI + hsi_line() + "\n").replace("\n", "\r"),
        HSI + "\n" + hsi_line() + "\n\n\n",
        'Date,"Open","High",Low,Close\n"09/16/25", "26500","26600" ,26400,"26438.51"\n',
        "Close,Low,Extra,High,Open,Date\n26438.51,26400,x,26600,26500,09/16/25\n",
        HSI + "09/16/25,  26500 ,26600.0,26400.,+26438.510000\n",
        HSI + "9/16/25,2.650000e4,26600,26400,26438.51",
    ],
)
def test_one_row_in_many_dialects(content: str) -> None:
    reading = read("wsj_index", "HSI.csv", content)
    (row,) = reading.good
    assert reading.report.reason is None
    assert not reading.rejected
    assert row["symbol"] == "HSI"
    assert row["trade_date"] == date(2025, 9, 16)
    assert [row[name] for name in ("open", "high", "low", "close")] == [
        Decimal("26500"), Decimal("26600"), Decimal("26400"), Decimal("26438.51"),
    ]  # fmt: skip


def test_line_numbers_are_those_of_an_editor() -> None:
    lines = ["", hsi_line(), "", hsi_line(date="09/15/25"), "junk", hsi_line(date="09/12/25")]
    reading = read("wsj_index", "HSI.csv", HSI + "\n".join(lines))
    assert [row["line_number"] for row in reading.good] == [3, 5, 7]
    assert list(reading.rejected) == [6]
    assert (reading.report.lines_read, reading.report.lines_framing) == (7, 3)


# --- Symbols of the name and of the file ---------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ticker,0700.HK,0700.HK", "line 2: names 0700.HK, but the file is named for 0005.HK"),
        (
            "Ticker,0005.HK,0700.HK",
            "line 2: names 0005.HK, 0700.HK, but the file is named for 0005.HK",
        ),
        ("Ticker", "line 2: names no symbol, but the file is named for 0005.HK"),
        ("", "line 2: names no symbol, but the file is named for 0005.HK"),
    ],
)
def test_a_file_that_names_another_symbol_is_quarantined(line: str, reason: str) -> None:
    text = f"Price,Close,High,Low,Open,Volume\n{line}\nDate,,,,,\n2025-09-16,1,1,1,1,1\n"
    assert reason in (read("yahoo_hk", "0005.HK.csv", text).report.reason or "")


@pytest.mark.parametrize("name", ["5.HK.csv", "00005.HK.csv", "0005.hk.csv", "TEN.csv"])
def test_a_name_with_another_symbol_says_how_one_is_written(name: str) -> None:
    text = "Price,Close,High,Low,Open,Volume\n"
    reason = read("yahoo_hk", name, text).report.reason or ""
    assert "is neither four or five digits + .HK nor six digits + .SH or .SZ" in reason
    reason = read("baostock_index", "sh000002.csv", text).report.reason or ""
    assert "add it to symbol.map in feeds/baostock_index.yaml" in reason


# --- Unknown columns -----------------------------------------------------------------------------


def test_columns_that_nobody_knows_are_reported() -> None:
    header = "ts_code,name,new,industry,area,new2\n"
    reading = read("tushare_stock_list", "list.csv", header + "600519.SH,a,x,b,c,d\n")
    assert (reading.report.rows_accepted, reading.report.reason) == (1, None)
    assert reading.report.remark == (
        "line 1: feeds/tushare_stock_list.yaml does not know 'new', 'new2'; if the vendor added "
        "it, add it to columns or ignored_columns"
    )
    text = "Date,USD,CNY,HKD,XYZ,\n2025-09-16,1.1774,8,9.1601,7,\n"
    assert read("ecb_exchange_rates", "x.csv", text).report.remark is None


# --- Whatever comes ------------------------------------------------------------------------------


TOKENS = st.sampled_from(
    [",", "\n", "\r", '"', " ", "-", ".", "e5", "%", "\x00", "\ufeff", "N/A", "09/16/25", "26500",
     "09/15/25", "0", "1", "１", "'", ";", "\\", "é", HSI, hsi_line() + "\n", hsi_line() + "\r\n"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(TOKENS, max_size=30).map(lambda tokens: HSI + "".join(tokens)))
@example(HSI + hsi_line() + "\n" + '"')
@example(HSI + "\r")
def test_no_text_is_lost_or_stops_the_reading(text: str) -> None:
    reading = read("wsj_index", "HSI.csv", text)
    assert reading.report.lines_read == len(text.removesuffix("\n").split("\n"))
    for row in reading.good:
        assert row["close"] > 0
        assert row["trade_date"] <= TODAY


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([("wsj_index", "HSI.csv"), ("csindex", "931743.json"),
                        ("hsi_composite_list", "list.xlsx")]), st.binary(max_size=200))  # fmt: skip
def test_no_bytes_stop_the_reading(file: tuple[str, str], content: bytes) -> None:
    assert read(*file, content).report.rows_accepted == 0
