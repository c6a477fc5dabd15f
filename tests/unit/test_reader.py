"""Reading files: every line becomes a typed row, framing, or a refused row with its reason."""

import io
import json
import math
import random
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dagster_project.ingest.feed_ingestion import symbol_check
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.file_rules import levels_off
from dagster_project.ingest.landing import LandingFile
from dagster_project.ingest.read_workbook import read_workbook
from dagster_project.ingest.reader import Delivery, FileReport, read_files
from dagster_project.market.seeds import known_indices
from tests.support import specs

TODAY = date(2025, 9, 17)
HONG_KONG = timezone(timedelta(hours=8))
DELIVERED = datetime(2025, 9, 17, 18, tzinfo=HONG_KONG)
SPECS = specs()
INDICES = known_indices()
HSI = "Date, Open, High, Low, Close\n"
DAY = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"


RECORD = {
    "tradeDate": "20230719", "indexCode": "931743", "open": 3450.1, "high": 3475.77,
    "low": 3402.53, "close": 3416.96, "tradingVol": 536439769, "tradingValue": 151.33,
}  # fmt: skip


@dataclass
class Reading:
    """What became of one file: its report, and the rows of `parsed` by line."""

    report: FileReport
    rows: list[dict[str, Any]]

    @property
    def good(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["reason_code"] is None]

    @property
    def refused(self) -> dict[int, tuple[str, str]]:
        return {
            row["line_number"]: (row["reason_code"], row["reason"])
            for row in self.rows
            if row["reason_code"] is not None
        }

    def check_lines_are_conserved(self) -> None:
        report = self.report
        counted = report.rows_accepted, report.rows_duplicate, report.rows_refused
        assert report.lines_read == sum(counted) + report.lines_framing
        if report.reason is None:
            good = [row for row in self.good if not row["is_duplicate"]]
            assert counted == (len(good), len(self.good) - len(good), len(self.refused))


def read_several(
    spec: FeedSpec,
    files: dict[str, bytes],
    today: date = TODAY,
    delivered: datetime = DELIVERED,
) -> dict[str, Reading]:
    """Read contents as files of a feed, all in one batch, all delivered at one time."""
    mtime_ns = int(delivered.timestamp()) * 1_000_000_000
    deliveries = []
    for number, (name, content) in enumerate(files.items(), 1):
        placeholders = spec.match(name)
        assert placeholders is not None, name
        file = LandingFile(
            spec.feed, f"{spec.feed}/{name}", name, len(content), mtime_ns, placeholders,
            spec.file_date(placeholders),
        )  # fmt: skip
        deliveries.append(Delivery(number, file, content))
    with duckdb.connect(config={"threads": 1}) as con:
        reports = read_files(con, spec, deliveries, today, symbol_check(spec, INDICES))
        cursor = con.execute("select * from parsed order by file_id, line_number")
        columns = [column[0] for column in cursor.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    readings = {}
    for number, name in enumerate(files, 1):
        (report,) = (report for report in reports if report.file_id == number)
        reading = Reading(report, [row for row in rows if row["file_id"] == number])
        reading.check_lines_are_conserved()
        readings[name] = reading
    return readings


def read(
    feed: str | FeedSpec,
    name: str,
    content: str | bytes,
    today: date = TODAY,
    delivered: datetime = DELIVERED,
) -> Reading:
    """Read one content as a file of a feed; a text ends as the feed's whole files do."""
    spec = SPECS[feed] if isinstance(feed, str) else feed
    if isinstance(content, str):
        is_open = spec.format.ends_with_newline and not content.endswith("\n")
        content = (content + "\n" * is_open).encode()
    return read_several(spec, {name: content}, today, delivered)[name]


def changed(feed: str, **format_: Any) -> FeedSpec:
    """A feed of the project with another format."""
    spec = SPECS[feed]
    return spec.model_copy(update={"format": spec.format.model_copy(update=format_)})


def hsi_line(**cells: str) -> str:
    """A line of wsj_index with some cells replaced."""
    row = {
        "date": "09/16/25",
        "open": "26500",
        "high": "26600",
        "low": "26400",
        "close": "26438.51",
    }
    return ", ".join((row | cells).values())


# --- Whole files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty; the download may have failed, fetch it again"),
        (b" \r\n \n", "is empty"),
        (HSI.encode(), "holds a header and no rows; fetch it again"),
        (HSI.encode() + b"\n\n,,,,\n", "holds a header and no rows"),
        (b"<!DOCTYPE html>\n<html>", "line 1: is a web page, not data; the download failed"),
        (b"\n <HTML lang='en'>\n", "line 1: is a web page"),
        ("日期,收盘\n".encode("gbk"), "line 1: is not utf-8 (byte 0: 0xc8); the file may be in an"),
        (HSI.encode() + b"09/16/25,1,\xff\n", "line 2: is not utf-8 (byte 40: 0xff)"),
        (HSI.encode("utf-16"), "line 1: is not utf-8 (byte 0: 0xff)"),
        (HSI.encode("utf-16-le"), "line 1: column 'Date' is missing; the header is: D\\x00a"),
        (b"\x00" * 100, "line 1: column 'Date' is missing"),
        (b"PK\x03\x04junk", "line 1: column 'Date' is missing"),
        (b"x" * 10_000_000, "line 1: is no header (field larger than field limit"),
        (b"Date,Open,High,Close,Low2\n1,2,3,4,5", "line 1: column 'Low' is missing; the header is"),
        (b"Date,Open,High,Low,Close,Close\n", "line 1: column 'Close' stands 2 times"),
        (b"Date;Open;High;Low;Close\n", "line 1: column 'Date' is missing"),
        (HSI.replace("\n", "\r").encode() + b"09/16/25,1,1,1,1\r", "line 1: "),
        (HSI.encode() + b"09/16/25,1,1,1,x\n", "line 2: none of its 1 rows can be used; the first"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_use_is_set_aside_with_its_line(content: bytes, reason: str) -> None:
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
        "symbol 'NOPE' is no known index; add it to seeds/index_definition.csv, or correct the "
        "file (it is in the file's name)"
    )


@pytest.mark.parametrize(
    "content",
    [
        HSI + hsi_line(),
        HSI + hsi_line() + "\n",
        "\ufeff" + HSI + hsi_line() + "\n",
        (HSI + hsi_line() + "\n").replace("\n", "\r\n"),
        (HSI + hsi_line() + "\n").replace("\n", "\r\r\n"),
        HSI + "\n" + hsi_line() + "\n\n\n",
        'Date,"Open","High",Low,Close\n"09/16/25", "26500","26600" ,26400,"26438.51"\n',
        "Close,Low,Extra,High,Open,Date\n26438.51,26400,x,26600,26500,09/16/25\n",
        HSI + "09/16/25,  26500 ,26600.0,26400.,+26438.510000\n",
        HSI + "9/16/25,2.65e4,26600,26400,26438.51",
    ],
)
def test_one_row_in_many_dialects(content: str) -> None:
    reading = read("wsj_index", "HSI.csv", content)
    (row,) = reading.good
    assert reading.report.reason is None
    assert not reading.refused
    assert row["symbol"] == "HSI"
    assert row["trade_date"] == date(2025, 9, 16)
    assert [row[name] for name in ("open", "high", "low", "close")] == [
        Decimal("26500"), Decimal("26600"), Decimal("26400"), Decimal("26438.51"),
    ]  # fmt: skip


def test_line_numbers_are_those_of_an_editor() -> None:
    lines = ["", hsi_line(), "", hsi_line(date="09/15/25"), "junk", hsi_line(date="09/12/25")]
    reading = read("wsj_index", "HSI.csv", HSI + "\n".join(lines))
    assert [row["line_number"] for row in reading.good] == [3, 5, 7]
    assert list(reading.refused) == [6]
    assert (reading.report.lines_read, reading.report.lines_framing) == (7, 3)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "big5", "utf-8-sig"])
def test_other_encodings_are_declared(encoding: str) -> None:
    text = "ts_code,symbol,name,area,industry\n600519.SH,600519,貴州茅台,貴州,白酒\n"
    spec = changed("tushare_stock_list", encoding=encoding)
    (row,) = read(spec, "list.csv", text.encode(encoding)).good
    assert (row["name"], row["industry"]) == ("貴州茅台", "白酒")


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", "^", "]", "-", "\\"])
def test_other_delimiters_are_declared(delimiter: str) -> None:
    cells = [["ts_code", "name", "industry"], ["600519.SH", '"a ""b"""', "x"]]
    text = "\n".join(delimiter.join(row) for row in cells)
    (row,) = read(changed("tushare_stock_list", delimiter=delimiter), "list.csv", text).good
    assert (row["name"], row["industry"]) == ('a "b"', "x")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('600519.SH,1,"Kweichow, Moutai",x,y', "Kweichow, Moutai"),
        ('600519.SH,1,"a ""b"" c",x,y', 'a "b" c'),
        ('600519.SH,1, "spaced" ,x,y', "spaced"),
        ('600519.SH,1,"",x,y', None),
        ("600519.SH,1,it's '; drop table raw.file; --,x,y", "it's '; drop table raw.file; --"),
        ("600519.SH,1,{x} $1 %s \\n,x,y", "{x} $1 %s \\n"),
        ("600519.SH,1,a\x00b,x,y", "a\x00b"),
        ("600519.SH,1, N/A ,x,y", None),
    ],
)
def test_quotes_and_odd_text(line: str, name: str | None) -> None:
    header = "ts_code,symbol,name,area,industry\n"
    (row,) = read("tushare_stock_list", "list.csv", header + line).good
    assert row["name"] == name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('600519.SH,1,"open,x,y', "broken_quotes"),
        ('600519.SH,1,"a"b,x,y', "broken_quotes"),
        ('600519.SH,1,a"b,x,y', "broken_quotes"),
        ('600519.SH,1,"two\nlines",x,y', "broken_quotes"),
        ("600519.SH,1,a,x", "field_count"),
        ("600519.SH,1,a,x,y,z", "field_count"),
        ("600519.SH,1,a,x,y,", "field_count"),
        (",1,a,x,y", "unknown_symbol"),
        ("600519,1,a,x,y", "unknown_symbol"),
        ("６００５１９.SH,1,a,x,y", "unknown_symbol"),
        ("430047.BJ,1,a,x,y", "market_not_covered"),
    ],
)
def test_lines_that_cannot_be_trusted_are_refused(line: str, code: str) -> None:
    text = f"ts_code,symbol,name,area,industry\n000001.SZ,1,Bank,x,y\n{line}\n"
    reading = read("tushare_stock_list", "list.csv", text)
    assert len(reading.good) == 1
    assert {found for found, _ in reading.refused.values()} <= {code, "field_count"}
    assert reading.refused[3][0] == code
    assert reading.rows[-1]["raw_text"] == line.splitlines()[-1]


def test_a_very_long_line_is_refused_and_kept_in_part() -> None:
    reading = read("wsj_index", "HSI.csv", HSI + hsi_line() + "\n" + "9" * 5_000_000)
    assert reading.refused[3][0] == "field_count"
    assert reading.rows[-1]["raw_text"] == "9" * 4000


# --- Cells ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["26,438.51", "26438,51", "２６４３８.51", "26438.51%", "1.57B", "0x10", "inf", "-inf", "1e400",
     "true", "26438.51.1", "--5", "HK$1", "26 438.51", "\u00a026438.51", "∞", "9" * 19,
     "9999999999999", "'; drop table parsed; --"],
)  # fmt: skip
def test_what_is_no_number_of_the_declared_format_is_refused(text: str) -> None:
    line = hsi_line(close=f'"{text}"')
    reading = read("wsj_index", "HSI.csv", HSI + hsi_line(date="09/15/25") + "\n" + line)
    code, reason = reading.refused[3]
    assert code == "bad_number"
    assert reason == f"column 'Close' holds '{text}', which is nothing that its spec declares"
    assert reading.rows[-1]["raw_text"] == line


@pytest.mark.parametrize("text", ["", " ", "-", "--", "N/A", "NA", "null", "None", "nan", "NaN"])
def test_an_absent_number_is_null_only_where_the_column_is_optional(text: str) -> None:
    spec = SPECS["wsj_index"]
    optional = spec.columns["open"].model_copy(update={"optional": True})
    loose = spec.model_copy(update={"columns": spec.columns | {"open": optional}})
    good = HSI + hsi_line(date="09/15/25") + "\n"
    (_, row) = read(loose, "HSI.csv", good + hsi_line(open=text)).good
    assert row["open"] is None
    assert read(spec, "HSI.csv", good + hsi_line(open=text)).refused[3] == (
        "missing_value",
        "the row has no open; if the vendor leaves it out at times, it is `optional` in "
        "feeds/wsj_index.yaml",
    )
    reading = read(spec, "HSI.csv", good + hsi_line(close=text))
    assert reading.refused[3] == ("missing_value", "the row has no close")


@pytest.mark.parametrize(
    ("cells", "code", "reason"),
    [
        ({"close": "0"}, "not_positive", "close is 0.000000"),
        ({"close": "-1", "low": "-2"}, "not_positive", "low is -2.000000"),
        ({"open": "0"}, "not_positive", "open is 0.000000"),
        ({"high": "26400", "low": "26600"}, "high_below_low",
         "high 26400.000000 lies below low 26600.000000; columns may be swapped"),
        ({"close": "26700"}, "close_out_of_range",
         "close 26700.000000 lies above high 26600.000000"),
        ({"close": "26300"}, "close_out_of_range",
         "close 26300.000000 lies below low 26400.000000"),
        ({"close": "26600.0016"}, "close_out_of_range",
         "close 26600.001600 lies above high 26600.000000"),
        ({"date": "2025-09-16"}, "bad_date", "'2025-09-16' is no date of the form %m/%d/%y"),
        ({"date": "13/01/25"}, "bad_date", "'13/01/25' is no date of the form %m/%d/%y"),
        ({"date": "02/29/25"}, "bad_date", "'02/29/25' is no date of the form %m/%d/%y"),
        ({"date": "０９/16/25"}, "bad_date", "'０９/16/25' is no date of the form %m/%d/%y"),
        ({"date": ""}, "bad_date", "'' is no date of the form %m/%d/%y"),
        ({"open": "26600.0016"}, "open_out_of_range",
         "open 26600.001600 lies above high 26600.000000"),
        ({"open": "26399.99"}, "open_out_of_range",
         "open 26399.990000 lies below low 26400.000000"),
    ],
)  # fmt: skip
def test_rows_that_make_no_sense_are_refused(cells: dict[str, str], code: str, reason: str) -> None:
    good = HSI + hsi_line(date="09/15/25") + "\n"
    reading = read("wsj_index", "HSI.csv", good + hsi_line(**cells))
    assert reading.refused == {3: (code, reason)}


def test_rounding_of_an_index_is_no_contradiction() -> None:
    assert len(read("wsj_index", "HSI.csv", HSI + hsi_line(close="26600.0015")).good) == 1


@pytest.mark.parametrize("text", ["0025-09-16", "0000-01-01", "1899-12-31"])
def test_dates_of_another_age_are_refused(text: str) -> None:
    header = "date,open,close,high,low,volume,amount,turn,pctChg\n"
    rest = ",1,1,1,1,1,1,1,1\n"
    reading = read("baostock_index", "sh000001.csv", f"{header}2025-09-16{rest}{text}{rest}")
    assert reading.refused[3][0] == "bad_date"


def day_line(**cells: str) -> str:
    """A line of tushare_daily with some cells replaced."""
    row = {
        "ts_code": "000001.SZ", "trade_date": "20250403", "open": "11.31", "high": "11.39",
        "low": "11.3", "close": "11.34", "pre_close": "11.37", "change": "-0.03",
        "pct_chg": "-0.2639", "vol": "643913.91", "amount": "730375.808",
    }  # fmt: skip
    return ",".join((row | cells).values())


def test_units_become_canonical_without_losing_a_digit() -> None:
    (row,) = read("tushare_daily", "20250403.csv", DAY + day_line()).good
    assert (row["volume"], row["turnover"]) == (64_391_391, Decimal("730375808.00"))
    assert (row["change"], row["change_pct"]) == (Decimal("-0.03"), -0.2639)
    record = json.dumps(RECORD | {"tradingValue": 0})
    for number, turnover in (("151.33", "15133000000"), ("1.2345678901", "123456789.01"),
                             ("99999999.99999999", "9999999999999999")):  # fmt: skip
        text = f'{{"data": [{record}]}}'.replace('"tradingValue": 0', f'"tradingValue": {number}')
        (row,) = read("csindex", "931743.json", text).good
        assert row["turnover"] == Decimal(turnover)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"amount": "10000000000000"}, "bad_number"),
        ({"vol": "99999999999999999"}, "bad_number"),
        ({"vol": "-1"}, "negative"),
        ({"amount": "-0.001"}, "negative"),
        ({"pre_close": "0"}, "not_positive"),
        ({"trade_date": "20250402"}, "wrong_date"),
        ({"ts_code": "1.SZ"}, "unknown_symbol"),
        ({"ts_code": "'; drop table parsed; --"}, "unknown_symbol"),
        ({"close": "11.3902"}, "close_out_of_range"),
        ({"vol": "1.2e5x"}, "bad_number"),
    ],
)
def test_rows_of_a_day_that_make_no_sense_are_refused(cells: dict[str, str], code: str) -> None:
    text = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    reading = read("tushare_daily", "20250403.csv", text)
    assert [found for found, _ in reading.refused.values()] == [code]


def test_the_symbols_of_name_and_column_must_agree() -> None:
    header = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率\n"
    rest = ",1,1,1,1,1,100,0,0,0,1\n"
    text = f"{header}2025-09-16,000333{rest}2025-09-15,000334{rest}"
    reading = read("eastmoney_a_share", "000333.csv", text)
    assert [row["symbol"] for row in reading.good] == ["000333.SZ"]
    assert reading.refused == {
        3: ("wrong_symbol", "the row is of '000334', the file is named for 000333.SZ")
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ticker,0700.HK,0700.HK", "line 2: names 0700.HK, not the 0005.HK of the file's name"),
        ("Ticker,0005.HK,0700.HK", "line 2: names 0005.HK, 0700.HK, not the"),
        ("Ticker", "line 2: names no symbol, not the 0005.HK"),
        ("", "line 2: names no symbol, not the 0005.HK"),
    ],
)
def test_a_file_that_names_another_symbol_is_set_aside(line: str, reason: str) -> None:
    text = f"Price,Close,High,Low,Open,Volume\n{line}\nDate,,,,,\n2025-09-16,1,1,1,1,1\n"
    assert reason in (read("yahoo_hk", "0005.HK.csv", text).report.reason or "")


@pytest.mark.parametrize("name", ["5.HK.csv", "00005.HK.csv", "0005.hk.csv", "TEN.csv"])
def test_a_name_with_another_symbol_says_how_one_is_written(name: str) -> None:
    text = "Price,Close,High,Low,Open,Volume\n"
    reason = read("yahoo_hk", name, text).report.reason or ""
    assert "is neither four or five digits + .HK nor six digits + .SH or .SZ" in reason
    reason = read("baostock_index", "sh000002.csv", text).report.reason or ""
    assert "add it to symbol.map in feeds/baostock_index.yaml" in reason


# --- Numbers in disguise -------------------------------------------------------------------------


DISGUISED = [
    "1,57", "1.234,5", "1.57B", "5万", "−5", "- 5", "１２", "12.3*", "0x10", "0b11", "0o7", "1_000",
    "1.36E+08", "1.36e+8", "inf", "Infinity", "true", "12 345", "12'345", "$12", "1.2.3", "1e",
    "e5", "½", "٣", "1/2", "(12)", "12-",
]  # fmt: skip


@pytest.mark.parametrize("column", ["close", "vol", "amount", "pct_chg"])
def test_no_number_in_disguise_is_taken_for_one(column: str) -> None:
    lines = [day_line(ts_code="600000.SH")] + [
        day_line(ts_code=f"{number:06}.SZ", **{column: f'"{text}"'})
        for number, text in enumerate(DISGUISED)
    ]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert list(reading.refused.values()) == [
        ("bad_number", f"column {column!r} holds '{text}', which is nothing that its spec declares")
        for text in DISGUISED
    ]


@pytest.mark.parametrize(
    "text", ["643913.91", " 643913.91 ", "+643913.91", "643913.910", '"643913.91"']
)
def test_one_volume_in_many_spellings(text: str) -> None:
    (row,) = read("tushare_daily", "20250403.csv", DAY + day_line(vol=text)).good
    assert row["volume"] == 64_391_391


@pytest.mark.parametrize("text", ["1.5", "0.25", "-0.5", "0x10", "1e-3"])
def test_a_part_of_a_share_is_none(text: str) -> None:
    header = "date,open,close,high,low,volume,symbol,source,fetch_time\n"
    rest = ",x,x,x\n"
    good, bad = f"2025-09-15,1,1,1,1,10.0{rest}", f"2025-09-16,1,1,1,1,{text}{rest}"
    reading = read("sina_index", "sz399006.csv", header + good + bad)
    assert [row["volume"] for row in reading.good] == [10]
    assert reading.refused[3][0] == "bad_number"


@pytest.mark.parametrize(
    "text", ["20250403.0", "2025-04-03", "2.0250403E7", "45750", "２０２５０４０３"]
)
def test_a_date_of_another_form_is_refused(text: str) -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(trade_date=text)
    assert read("tushare_daily", "20250403.csv", content).refused[3][0] == "bad_date"


# --- Units ---------------------------------------------------------------------------------------

POWERS = [10.0**power for power in (-8, -4, -3, -2, -1, 1, 2, 3, 4, 8)]


@st.composite
def traded_days(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Cells of a day on which average and rounding are as awkward as they can be."""
    low = draw(st.integers(50, 100_000)) / 100
    high = round(low * draw(st.floats(1, 1.5)), 2)
    average = low + (high - low) * draw(st.floats(0, 1))
    lots = draw(st.integers(60, 10_000_000))
    thousands = max(round((lots + draw(st.floats(-0.5, 0.5))) * average / 10), 0)
    return f"{low:.2f}", f"{high:.2f}", str(lots), str(thousands)


def priced_line(symbol: str, low: str, high: str, lots: str, thousands: str) -> str:
    return day_line(
        ts_code=symbol, open=low, high=high, low=low, close=high, pre_close=high, change="0",
        pct_chg="0", vol=lots, amount=thousands,
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(traded_days(), min_size=3, max_size=8), st.data())
def test_a_row_in_another_unit_is_always_refused_and_no_other_ever(
    days: list[tuple[str, str, str, str]], data: st.DataObject
) -> None:
    lines = [priced_line(f"{number:06}.SZ", *day) for number, day in enumerate(days)]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines))
    assert (reading.refused, reading.report.reason) == ({}, None)
    chosen = data.draw(st.integers(0, len(days) - 1))
    low, high, lots, thousands = days[chosen]
    factor = data.draw(st.sampled_from(POWERS))
    if data.draw(st.booleans()):
        lots = f"{float(lots) * factor:.10f}"
    else:
        thousands = f"{max(float(thousands), 60) * factor:.10f}"
    lines[chosen] = priced_line(f"{chosen:06}.SZ", low, high, lots, thousands)
    refused = read("tushare_daily", "20250403.csv", DAY + "\n".join(lines)).refused
    assert list(refused) == [chosen + 2]
    assert refused[chosen + 2][0] in {"unit_or_price_wrong", "bad_number"}


def test_what_is_said_of_a_row_in_another_unit() -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(vol="64391391")
    reading = read("tushare_daily", "20250403.csv", content)
    assert reading.refused == {
        3: ("unit_or_price_wrong",
            "turnover ÷ volume is 0.1134, about 0.01 × the close 11.340000: volume (lots) or "
            "turnover (thousand CNY) comes in another unit than feeds/tushare_daily.yaml declares, "
            "or the price is wrong")
    }  # fmt: skip
    prices = dict.fromkeys(("open", "high", "low", "close", "pre_close"), "1134")
    cells = prices | {"change": "0", "pct_chg": "0"}
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    assert read("tushare_daily", "20250403.csv", content).refused[3][0] == "unit_or_price_wrong"


def test_a_file_in_another_unit_is_set_aside_with_one_reason() -> None:
    lines = [day_line(ts_code=f"{number:06}.SZ", vol="64391391") for number in range(6)]
    lines[4] = day_line(ts_code="000004.SZ")
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join([*lines, "junk"]))
    reason = reading.report.reason or ""
    assert reason.startswith("line 2: turnover ÷ volume is 0.1134, about 0.01 × the close 11.34")
    assert reason.endswith("or the price is wrong (so in 5 of 6 rows)")
    assert (reading.rows, reading.report.rows_refused) == ([], 8)
    half = [*lines[:3], *(day_line(ts_code=f"{number:06}.SZ") for number in (3, 4, 5))]
    reading = read("tushare_daily", "20250403.csv", DAY + "\n".join(half))
    assert (reading.report.reason, list(reading.refused)) == (None, [2, 3, 4])


EASTMONEY = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率\n"


def adjusted(*days: tuple[float, float, float]) -> str:
    """Days of eastmoney_a_share from January 2024 on: adjusted price, lots, price that was paid."""
    return EASTMONEY + "".join(
        f"{date(2024, 1, 1) + timedelta(number)},000333,{price},{price},{price},{price},{lots},"
        f"{lots * 100 * paid:.2f},0,0,0,0\n"
        for number, (price, lots, paid) in enumerate(days)
    )


def test_adjusted_prices_are_judged_where_they_can_be() -> None:
    # What was paid as 30 is 8 today, as thirty shares came for ten.
    fine: list[tuple[float, float, float]]
    fine = [(8, 5_000, 30 + number / 10) for number in range(30)]
    fine += [(8, 20_000, 8 + number / 100) for number in range(30)]
    reading = read("eastmoney_a_share", "000333.csv", adjusted(*fine))
    assert (reading.refused, reading.report.reason) == ({}, None)

    for factor in (0.01, 0.1, 10, 100):
        for flipped in ({17}, {0}, {59}, set(range(20)), set(range(45, 60)), {3, 4, 50, 51, 58}):
            days = [
                (price, lots * factor if number in flipped else lots, paid)
                for number, (price, lots, paid) in enumerate(fine)
            ]
            text = adjusted(
                *((a, round(b), c * fine[n][1] / b) for n, (a, b, c) in enumerate(days))
            )
            reading = read("eastmoney_a_share", "000333.csv", text)
            assert {line - 2 for line in reading.refused} == flipped
            assert {code for code, _ in reading.refused.values()} == {"unit_or_price_wrong"}
        whole = adjusted(*((a, round(b * factor), c / factor) for a, b, c in fine))
        reason = read("eastmoney_a_share", "000333.csv", whole).report.reason or ""
        assert "comes in another unit than feeds/eastmoney_a_share.yaml declares" in reason
    fine[40] = (800, 20_000, 8.1)
    reading = read("eastmoney_a_share", "000333.csv", adjusted(*fine))
    assert {line: code for line, (code, _) in reading.refused.items()} == {
        42: "unit_or_price_wrong"
    }


def test_a_unit_that_flips_inside_an_index_file() -> None:
    header = "date,open,close,high,low,volume,amount,turn,pctChg\n"

    def history(*volumes: int) -> Reading:
        lines = [
            f"{date(2024, 1, 1) + timedelta(number)},1,1,1,1,{volume},{12000 + number},0,0"
            for number, volume in enumerate(volumes)
        ]
        return read("baostock_index", "sh000001.csv", header + "\n".join(lines))

    assert history(1000, 1000, 1200, 6000, 1100, 0).refused == {}
    reading = history(1000, 100_000, 1000, 1000)
    assert reading.refused == {
        3: ("unit_or_price_wrong",
            "turnover ÷ volume is 0.12001, about 0.01 × what it is in the rows around: volume "
            "(shares) or turnover (CNY) comes in another unit than feeds/baostock_index.yaml "
            "declares, or is wrong")
    }  # fmt: skip
    assert set(history(*[1000] * 3, *[100_000] * 2).refused) == {5, 6}
    assert set(history(*[100_000] * 2, *[1000] * 3).refused) == {2, 3}
    assert "(so in 4 of 4 rows)" in (history(1000, 1000, 10, 10).report.reason or "")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=120),
    st.floats(-0.01, 0.01),
    st.sampled_from([factor for factor in POWERS if not 0.05 < factor < 20]),
    st.data(),
)
def test_jumps_are_told_from_drift_and_noise(
    noise: list[float], drift: float, factor: float, data: st.DataObject
) -> None:
    rates = [math.exp(drift * number + wobble) for number, wobble in enumerate(noise)]
    assert levels_off(rates) == [None] * len(rates)
    numbers = st.integers(0, len(rates) - 1)
    flipped = data.draw(st.sets(numbers, max_size=(len(rates) - 1) // 2))
    if data.draw(st.booleans()):  # all in one piece
        start = data.draw(st.integers(0, len(rates) - len(flipped)))
        flipped = set(range(start, start + len(flipped)))
    scaled = [rate * factor if n in flipped else rate for n, rate in enumerate(rates)]
    assert {number for number, off in enumerate(levels_off(scaled)) if off} == flipped


def test_a_market_whose_turnover_and_deals_do_not_go_together() -> None:
    rows = [
        (f"2025/09/{day:02}", "", "5,000,000" if day == 10 else "5,000", "7,000", "100")
        for day in range(1, 17)
    ]
    reading = read("hkex_turnover", "gem_2025.json", cells(*rows))
    assert [code for code, _ in reading.refused.values()] == ["unit_or_price_wrong"]
    rows[3] = (*rows[3][:4], "100,000")
    reason = read("hkex_turnover", "gem_2025.json", cells(*rows)).refused[4][1]
    assert "turnover ÷ deals is 0.05, about 0.001 × what it is in the rows around" in reason


# --- What a row says twice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (
            {"change": "0.03"},
            "change 0.030000 is not close 11.340000 less previous close 11.370000",
        ),
        ({"pre_close": "11.36"}, "change -0.030000 is not close"),
        ({"close": "11.35"}, "change -0.030000 is not close 11.350000"),
        (
            {"pct_chg": "0.2639"},
            "change of 0.2639 % is not change -0.030000 in percent of 11.370000",
        ),
        ({"pct_chg": "-0.27"}, "change of -0.27 %"),
        ({"pct_chg": "-26.39"}, "change of -26.39 %"),
    ],
)
def test_a_change_that_contradicts_its_row_is_refused(cells: dict[str, str], what: str) -> None:
    content = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(**cells)
    code, reason = read("tushare_daily", "20250403.csv", content).refused[3]
    assert code == "change_contradicts"
    assert reason.startswith(what)
    assert reason.endswith("; one of the three is wrong")


def test_rounding_of_a_change_is_no_contradiction() -> None:
    lines = [
        day_line(pct_chg="-0.26"),
        day_line(ts_code="000002.SZ", pct_chg="-0.264"),
        day_line(ts_code="000004.SZ", pct_chg="-0.2639%"),
    ]
    assert len(read("tushare_daily", "20250403.csv", DAY + "\n".join(lines)).good) == 3


def test_some_vendors_opens_lie_a_little_outside() -> None:
    text = "Price,Close,High,Low,Open,Volume\nTicker,0005.HK\nDate,,,,,\n"
    text += "2025-09-15,100,100,100,102.9,1\n2025-09-16,100,100,100,96.9,1\n"
    reading = read("yahoo_hk", "0005.HK.csv", text)
    assert [row["open"] for row in reading.good] == [Decimal("102.9")]
    assert reading.refused[5][0] == "open_out_of_range"


# --- When a file was delivered -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "refused"),
    [
        ("2025-09-16T11:45+08:00", {3}),
        ("2025-09-16T07:59:59+00:00", {3}),
        ("2025-09-16T08:00:00+00:00", set()),
        ("2025-09-16T16:00+08:00", set()),
        ("2025-09-15T20:00+08:00", {3}),
        ("2025-09-15T23:59-12:00", set()),
        ("2025-09-14T20:00+08:00", {2, 3}),
        ("2031-01-01T00:00+08:00", set()),
        ("1970-01-01T00:00+00:00", set()),
        ("1980-01-01T00:00+00:00", set()),
    ],
)
def test_what_came_before_the_close_is_no_close(delivered: str, refused: set[int]) -> None:
    text = HSI + hsi_line(date="09/15/25") + "\n" + hsi_line()
    reading = read("wsj_index", "HSI.csv", text, delivered=datetime.fromisoformat(delivered))
    if len(refused) == 2:
        assert reading.report.reason is not None
    assert set(reading.refused) == refused
    assert {code for code, _ in reading.refused.values()} <= {"before_the_close"}


def test_what_is_said_of_a_midday_snapshot() -> None:
    at = datetime(2025, 9, 16, 11, 45, tzinfo=HONG_KONG)
    text = HSI + hsi_line(date="09/15/25") + "\n" + hsi_line()
    assert read("wsj_index", "HSI.csv", text, delivered=at).refused[3][1] == (
        "the file was delivered on 2025-09-16 at 11:45 Hong Kong time, before the close of "
        "2025-09-16 at 16:00: no closing figures yet; fetch it again after that time, on a "
        "half-day too"
    )


def test_each_market_closes_at_its_own_time() -> None:
    at = datetime(2025, 9, 16, 15, 30, tzinfo=HONG_KONG)
    header = "date,open,high,low,close,symbol,name,source,fetch_time\n"
    text = header + "2025-09-15,1,1,1,1,x,x,x,x\n2025-09-16,1,1,1,1,x,x,x,x\n"
    accepted = {
        name: read("sina_index", name, text, delivered=at).report.rows_accepted
        for name in ("hstech.csv", "sz399006.csv")
    }
    assert accepted == {"hstech.csv": 1, "sz399006.csv": 2}


def test_rows_of_a_day_to_come_are_refused() -> None:
    text = "event,date,basket,what\nx,2025-09-16,b,w\nx,2025-09-18,b,w\n"
    assert read("market_event", "events.csv", text).refused[3] == (
        "future_date",
        "2025-09-18 lies in the future; the file is read again once that day has come",
    )


# --- Ends and headers ----------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"", b"\r"])
def test_a_last_line_that_does_not_end_is_refused(end: bytes) -> None:
    lines = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(amount="730375.8")
    reading = read("tushare_daily", "20250403.csv", lines.encode() + end)
    if end.endswith(b"\n"):
        assert len(reading.good) == 2
    else:
        assert reading.refused[3] == (
            "cut_off",
            "the file does not end with a line feed: this line may be cut off; fetch it again",
        )


def test_columns_that_nobody_knows_are_told() -> None:
    header = "ts_code,name,new,industry,area,new2\n"
    reading = read("tushare_stock_list", "list.csv", header + "600519.SH,a,x,b,c,d\n")
    assert (reading.report.rows_accepted, reading.report.reason) == (1, None)
    assert reading.report.remark == (
        "line 1: feeds/tushare_stock_list.yaml does not know 'new', 'new2'; if the vendor added "
        "it, name it under columns or ignored_columns"
    )
    text = "Date,USD,CNY,HKD,XYZ,\n2025-09-16,1.1774,8,9.1601,7,\n"
    assert read("ecb_exchange_rates", "x.csv", text).report.remark is None


# --- Repeats -------------------------------------------------------------------------------------


def test_identical_repeats_count_once_and_contradictions_not_at_all() -> None:
    lines = [
        hsi_line(), hsi_line(date="09/15/25"), hsi_line(), hsi_line(date="09/12/25"),
        hsi_line(date="09/15/25", open="26501"), hsi_line(), hsi_line(date="09/12/25", close="x"),
    ]  # fmt: skip
    reading = read("wsj_index", "HSI.csv", HSI + "\n".join(lines))
    assert [(row["line_number"], row["is_duplicate"]) for row in reading.good] == [
        (2, False), (4, True), (5, False), (7, True),
    ]  # fmt: skip
    reason = "lines 3, 6 state the same record with other values"
    assert reading.refused[3] == reading.refused[6] == ("contradicting_rows", reason)
    assert reading.refused[8][0] == "bad_number"
    assert [row["raw_text"] for row in reading.rows if row["line_number"] in (3, 6)] == [
        lines[1], lines[4],
    ]  # fmt: skip


def test_files_of_several_layouts_are_judged_each_by_itself() -> None:
    spec, text = SPECS["wsj_index"], HSI + hsi_line() + "\n" + hsi_line()
    other = text.replace(", Open", ", Open, More", 1).replace(", 26500", ", 26500, x")
    readings = read_several(spec, {"HSI.csv": text.encode(), "HSCEI.csv": other.encode()})
    assert [reading.report.rows_duplicate for reading in readings.values()] == [1, 1]
    assert not any(reading.refused for reading in readings.values())


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "is not JSON with a list at data"),
        ("{}", "is not JSON with a list at data (KeyError('data'))"),
        ('{"data": 5}', "TypeError('no list there')"),
        ('{"data": {"x": 1}}', "TypeError('no list there')"),
        ('{"data": []}', "holds no records at data; fetch it again"),
        ('{"data": [1, 2]}', "record 1 of data is none: 1"),
        ('{"data": [null]}', "record 1 of data is none: None"),
        ('{"data": [{}]}', "line 1: column 'tradeDate' is missing"),
        ('{"data":\n[' + json.dumps(RECORD), "line 2: is not JSON"),
        ('{"data":\n[' + json.dumps(RECORD) + "]", "line 2: is not JSON"),
        (json.dumps({"data": [RECORD]}) + "x", "Extra data"),
        ("callback(" + json.dumps({"data": [RECORD]}) + ")", "it begins: callback("),
        ("<html>", "line 1: is a web page"),
        ('{"data": ' + "[" * 100_000, "RecursionError"),
        ('{"data": [{"close": 1, "close": 2}]}', "a key stands twice in one object"),
        ('{"data": [{"close": ' + "1" * 100_000 + "}]}", "column 'tradeDate' is missing"),
    ],
)
def test_json_that_is_no_use_is_set_aside(text: str, reason: str) -> None:
    assert reason in (read("csindex", "931743.json", text).report.reason or "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (["x"], '["x"]'),
        ({"a": "x"}, '{"a": "x"}'),
        ("\ud800", "\\ud800"),
        ("", None),
    ],
)
def test_json_values_that_are_no_numbers_are_refused(value: Any, shown: str | None) -> None:
    records = [RECORD, RECORD | {"tradeDate": "20230720", "close": value}]
    reading = read("csindex", "931743.json", json.dumps({"data": records}))
    code, reason = reading.refused[2]
    if shown is None:
        assert code == "missing_value"
    else:
        assert (code, f"'close' holds '{shown}'" in reason) == ("bad_number", True)


def test_records_on_one_line_of_json_are_told_apart() -> None:
    days = ["20230719", "20230720", "20230720", "20230721", "20230721"]
    records = [RECORD | {"tradeDate": day} for day in days]
    records[4]["open"] = 3451
    reading = read("csindex", "931743.json", json.dumps({"data": records}))
    assert [(row["line_number"], row["is_duplicate"]) for row in reading.good] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip
    assert list(reading.refused) == [4, 5]
    assert "3451" in reading.rows[-1]["raw_text"]


def test_a_nan_of_json_is_absent_and_an_optional_key_may_be_missing() -> None:
    text = json.dumps(
        {"data": [RECORD, RECORD | {"tradeDate": "20230720", "change": float("nan")}]}
    )
    first, second = read("csindex", "931743.json", text).good
    assert (first["open"], second["change"], first["change"]) == (Decimal("3450.1"), None, None)


def cells(*rows: tuple[str, ...]) -> str:
    """HKEX's sparse cells."""
    body = [
        {"row": number, "col": column, "text": text}
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
    ]
    return json.dumps({"tables": [{"body": body}]})


def test_turnover_of_hkex() -> None:
    text = cells(
        ("2025/09/16", "", "1,234,567,890", "2,345", "678"),
        ("2024/12/24", "*", "987,654", "12", "3"),
        ("2025/09/15", "?", "1,000", "1", "1"),
        ("2025/09/12", "", "12,34", "1", "1"),
        ("2025/09/11", "", "-", "1", "1"),
    )
    reading = read("hkex_turnover", "gem_2025.json", "\ufeff" + text)
    assert [
        (row["segment"], row["turnover"], row["volume"], row["deals"], row["is_half_day"])
        for row in reading.good
    ] == [("gem", 1234567890, 2345, 678, False), ("gem", 987654, 12, 3, True)]
    assert [code for code, _ in reading.refused.values()] == [
        "bad_number", "bad_number", "missing_value",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([{"row": 1, "col": 0}], "holds something that is no cell (row, col, text)"),
        ([1], "holds something that is no cell"),
        ([{"row": 1, "col": 0, "text": "a"}] * 2, "row 1 has two cells 'date'"),
    ],
)
def test_cells_that_are_none(body: list[Any], reason: str) -> None:
    text = json.dumps({"tables": [{"body": body}]})
    assert reason in (read("hkex_turnover", "main_2025.json", text).report.reason or "")


# --- Exchange rates ------------------------------------------------------------------------------


def test_rates_are_taken_one_by_one() -> None:
    text = (
        "Date,USD,JPY,CNY,HKD,\n"
        "2025-09-16,1.1774,173.5,8.3767,9.1601,\n"
        "1999-01-04,1.1789,133.73,N/A,9.1332,\n"
        "1998-01-02,N/A,N/A,N/A,N/A,\n"
        "1998-01-05,0,1,1,1,\n"
        "1998-01-06,x,1,1,1,\n"
    )
    reading = read("ecb_exchange_rates", "eurofxref-hist.csv", text)
    assert [(row["rate_USD"], row["rate_CNY"]) for row in reading.good] == [
        (Decimal("1.1774"), Decimal("8.3767")), (Decimal("1.1789"), None),
    ]  # fmt: skip
    assert [code for code, _ in reading.refused.values()] == ["not_positive", "bad_number"]
    assert reading.report.lines_framing == 2


# --- Workbooks -----------------------------------------------------------------------------------


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


HEADER = ("No.", "Stock Code", "Stock Name", "Industry")


def test_a_workbook_made_from_a_pdf() -> None:
    content = workbook(
        HEADER,
        (1, 5, "HSBC\nHOLDINGS", "Financials"),
        (None, None, None, None),
        HEADER,
        (2, "700", "TENCENT", "Infor-mation Technology"),
        (3, "x", "NOPE", "y"),
        (4, 9988, "BABA", "z", "too wide"),
        (5, True, "BOOL", "y"),
    )
    reading = read("hsi_composite_list", "list.xlsx", content)
    assert [(row["symbol"], row["name"], row["industry"]) for row in reading.good] == [
        ("0005.HK", "HSBC HOLDINGS", "Financials"),
        ("0700.HK", "TENCENT", "Information Technology"),
    ]  # fmt: skip
    assert {line: code for line, (code, _) in reading.refused.items()} == {
        6: "unknown_symbol", 7: "field_count", 8: "unknown_symbol",
    }  # fmt: skip
    assert (reading.report.lines_read, reading.report.lines_framing) == (8, 3)


def damaged(content: bytes) -> bytes:
    """The same archive with the sheet's XML cut off."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item, data[: len(data) // 2] if "sheet1" in item.filename else data)
    return buffer.getvalue()


def bomb() -> bytes:
    """A small archive that unpacks to 40 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a zip", "is no readable workbook (File is not a zip file); fetch it again"),
        (workbook(HEADER)[:-100], "is no readable workbook"),
        (damaged(workbook(HEADER, (1, 5, "HSBC", "x"))), "is no readable workbook"),
        (bomb(), "unpacks to 40 MB; 16 MB are allowed (format.max_megabytes in the feed's spec)"),
        (workbook(), "holds no header in its first row"),
        (workbook((None, None), HEADER), "holds no header in its first row"),
        (workbook(HEADER), "holds a header and no rows"),
        (workbook(("Stock Code", "Stock Name")), "line 1: column 'Industry' is missing"),
        (b"", "is empty"),
    ],
)
def test_workbooks_that_are_no_use_are_set_aside(content: bytes, reason: str) -> None:
    assert reason in (read("hsi_composite_list", "list.xlsx", content).report.reason or "")


def test_a_workbook_that_claims_to_be_huge_is_read_as_large_as_it_is() -> None:
    buffer = io.BytesIO()
    content = workbook(HEADER, (1, 5, "HSBC", "Financials"))
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if "sheet1" in item.filename:
                data = data.replace(b'ref="A1:D2"', b'ref="A1:XFD1048576"')
                assert b"XFD1048576" in data
            new.writestr(item, data)
    document = read_workbook(buffer.getvalue(), SPECS["hsi_composite_list"].format)
    assert (len(document.header), len(document.rows), document.lines_framing) == (4, 1, 1)


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


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_damaged_workbook_stops_the_reading(seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(workbook(HEADER, (1, 5, "HSBC", "Financials")))
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    read("hsi_composite_list", "list.xlsx", bytes(content[: chance.randint(1, len(content))]))
