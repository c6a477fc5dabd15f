"""CSV: how a line is cut into cells.

Belongs here: encodings, delimiters, quotes, lines that cannot be cut. Does not belong here: what
the cells mean (`test_typed_rows.py`).
"""

from typing import Any

import pytest

from dagster_project.ingest.feed_spec import FeedSpec
from tests.unit.ingest.support import DAY, HSI, SPECS, day_line, hsi_line, read


def changed(feed: str, **format_: Any) -> FeedSpec:
    """A feed of the project with another format."""
    spec = SPECS[feed]
    return spec.model_copy(update={"format": spec.format.model_copy(update=format_)})


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
        ("600519.SH,1,万 科Ａ\x00,x,y", "万 科Ａ"),
        ("600519.SH,1,\ufeff*ST\u200b特,x,y", "*ST特"),
        ("600519.SH,1,\x00,x,y", None),
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
def test_lines_that_cannot_be_trusted_are_rejected(line: str, code: str) -> None:
    text = f"ts_code,symbol,name,area,industry\n000001.SZ,1,Bank,x,y\n{line}\n"
    reading = read("tushare_stock_list", "list.csv", text)
    assert len(reading.good) == 1
    assert {found for found, _ in reading.rejected.values()} <= {code, "field_count"}
    assert reading.rejected[3][0] == code
    assert reading.rows[-1]["raw_text"] == line.splitlines()[-1]


def test_a_very_long_line_is_rejected_and_kept_in_part() -> None:
    reading = read("wsj_index", "HSI.csv", HSI + hsi_line() + "\n" + "9" * 5_000_000)
    assert reading.rejected[3][0] == "field_count"
    assert reading.rows[-1]["raw_text"] == "9" * 4000


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b"", b"\r"])
def test_a_last_line_that_does_not_end_is_rejected(end: bytes) -> None:
    lines = DAY + day_line(ts_code="000002.SZ") + "\n" + day_line(amount="730375.8")
    reading = read("tushare_daily", "20250403.csv", lines.encode() + end)
    if end.endswith(b"\n"):
        assert len(reading.good) == 2
    else:
        assert reading.rejected[3] == (
            "cut_off",
            "the file does not end with a line feed: this line may be cut off; fetch it again",
        )
