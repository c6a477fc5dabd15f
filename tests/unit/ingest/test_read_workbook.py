"""Workbooks (xlsx): the first sheet becomes rows.

Belongs here: archives and sheets, whole, odd or damaged. Does not belong here: how much memory a
workbook made to harm may take (`tests/integration/hostile/test_memory.py`).
"""

import io
import random
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.ingest.read_workbook import read_workbook
from tests.unit.ingest.support import SPECS, read


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
    assert {line: code for line, (code, _) in reading.rejected.items()} == {
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
        (b"not a zip", "is not a readable workbook (File is not a zip file); fetch it again"),
        (workbook(HEADER)[:-100], "is not a readable workbook"),
        (damaged(workbook(HEADER, (1, 5, "HSBC", "x"))), "is not a readable workbook"),
        (
            bomb(),
            "has 40 MB when unpacked; at most 16 MB are allowed "
            "(format.max_megabytes in the feed's spec)",
        ),
        (workbook(), "has no header in row 1"),
        (workbook((None, None), HEADER), "has no header in row 1"),
        (workbook(HEADER), "has a header but no rows"),
        (workbook(("Stock Code", "Stock Name")), "line 1: column 'Industry' is missing"),
        (b"", "is empty"),
    ],
)
def test_workbooks_that_are_no_use_are_quarantined(content: bytes, reason: str) -> None:
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


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_damaged_workbook_stops_the_reading(seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(workbook(HEADER, (1, 5, "HSBC", "Financials")))
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    read("hsi_composite_list", "list.xlsx", bytes(content[: chance.randint(1, len(content))]))
