"""Drafting a spec from a file: what the file proves, and what is asked.

Belongs here: drafts of files made for it, and of real files beside the project's own specs. Does
not belong here: reading by a spec (`test_vendor_shapes.py`).
"""

import json
from contextlib import suppress
from datetime import date
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
from tests.unit.ingest.test_vendor_shapes import SHAPES_OF_JSON, named


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
        ("600519.json", '{"a": 1}', "has no list of records"),
        ("600519.json", "[[1, 2, 3]]", "has records without names"),
        ("600519.csv", b"\xff\xff\xff", "is in none of the encodings"),
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
    assert spec.format.footer is None
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
