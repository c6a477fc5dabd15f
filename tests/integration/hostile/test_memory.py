"""Reading a file takes memory in proportion to what its feed allows, whatever it holds.

Belongs here: files made to harm by their size, or by the size that they unpack to. Does not belong
here: files that are merely damaged (`tests/unit/ingest/`).

Memory is measured in a process of its own, as the most it held while it read one file.
"""

import io
import json
import os
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from dagster_project.ingest.document import LINES_PER_MEGABYTE, PIECES_PER_MEGABYTE
from dagster_project.ingest.feed_ingestion import ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from tests.integration.hostile.support import HSI, ROW, STOCKS, run_in_process, spec_of
from tests.support import NOW, TODAY, new_warehouse


@dataclass(frozen=True)
class Reading:
    """What became of one file, and how much memory more than before that took."""

    accepted: int
    rejected: int
    reason: str
    megabytes: float


def limited(feed: str, max_megabytes: int) -> FeedSpec:
    spec = spec_of(feed)
    format_ = spec.format.model_copy(update={"max_megabytes": max_megabytes})
    return spec.model_copy(update={"format": format_})


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def read_measured(folder: Path, spec: FeedSpec, out: Path) -> None:
    """Read a feed's folder twice: first a small file of it, so that all libraries are there."""
    small = folder.parent / "small"
    (small / spec.feed).mkdir(parents=True)
    name = "small.xlsx" if spec.format.type == "xlsx" else "HSI.csv"
    (small / spec.feed / name).write_bytes(workbook() if name == "small.xlsx" else HSI.encode())
    with new_warehouse() as con:
        ingest_feed(con, small, spec, TODAY, NOW)
    with new_warehouse() as con:
        before = peak()
        result = ingest_feed(con, folder, spec, TODAY, NOW)
    (reason,) = result.quarantined.values() or [""]
    measured = [result.rows_accepted, result.rows_rejected, reason, peak() - before]
    out.write_text(json.dumps(measured))


def measured(tmp_path: Path, spec: FeedSpec, name: str, make: Callable[[Path], Any]) -> Reading:
    file = tmp_path / "landing" / spec.feed / name
    file.parent.mkdir(parents=True, exist_ok=True)
    make(file)
    run_in_process(read_measured, tmp_path / "landing", spec, tmp_path / "out.json")
    return Reading(*json.loads((tmp_path / "out.json").read_text()))


def megabytes_allowed(spec: FeedSpec) -> int:
    """Reading takes memory in proportion to the limit, and a little in any case."""
    return 20 * spec.format.max_megabytes + 50


def test_two_gigabytes_are_quarantined_unread(tmp_path: Path) -> None:
    spec = spec_of("wsj_index")

    def make(file: Path) -> None:
        file.touch()
        os.truncate(file, 2_000_000_000)

    reading = measured(tmp_path, spec, "HSI.csv", make)
    assert reading.reason == (
        "has 2,000 MB; feed wsj_index allows at most 128 MB (format.max_megabytes in its spec); "
        "fetch it again, or split it"
    )
    assert reading.megabytes < 50


LIMIT = 4
BYTES = LIMIT * 1_000_000 - 1000
LINES, PIECES = LIMIT * LINES_PER_MEGABYTE, LIMIT * PIECES_PER_MEGABYTE
ALLOWED = r"allowed \(format.max_megabytes in the feed's spec\)"


def contradictions(number: int) -> str:
    return "".join(f"09/16/25, {value}, {value}, {value}, {value}\n" for value in range(1, number))


@pytest.mark.parametrize(
    ("content", "rejected", "reason"),
    [
        (HSI + ROW + "x" * BYTES, 1, None),
        (HSI + ROW + '"' * BYTES, 1, None),
        (HSI + ROW + "\r" * BYTES, 0, None),
        ("x" * BYTES, 0, "line 1: is not a header"),
        (HSI + ROW + "x\n" * (LINES - 10), LINES - 10, None),
        (HSI + ROW + "," * (PIECES - 100), 1, None),
        (HSI + ROW + "\n" * BYTES, 0, "has 3,999,002 lines or more; 100,000 are allowed"),
        (HSI + ROW + "," * BYTES, 0, "has 3,999,010 cells or more; 800,000 are allowed"),
        ("," * BYTES, 0, "has 3,999,000 cells or more; 800,000 are allowed"),
        (HSI + contradictions(60_000), 0, "line 2: none of its 59999 rows can be used; the first: "
         "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … report the same record with different values"),
    ],
    ids=["endless line", "endless quotes", "endless returns", "endless header", "many lines",
         "many cells", "too many lines", "too many cells", "too wide", "contradictions"],
)  # fmt: skip
def test_text_takes_memory_in_proportion(
    tmp_path: Path, content: str, rejected: int, reason: str | None
) -> None:
    spec = limited("wsj_index", LIMIT)
    reading = measured(tmp_path, spec, "HSI.csv", lambda file: file.write_text(content))
    assert reading.megabytes < megabytes_allowed(spec)
    assert reading.rejected == rejected
    assert reading.accepted == (reason is None)
    assert reading.reason.startswith(reason or "")


def test_an_endless_symbol_is_kept_in_part(tmp_path: Path) -> None:
    spec = limited("tushare_stock_list", LIMIT)
    content = f"{STOCKS}600000.SH,a,b\n{'x' * (BYTES - 100)},a,b\n"
    reading = measured(tmp_path, spec, "list.csv", lambda file: file.write_text(content))
    assert (reading.accepted, reading.rejected) == (1, 1)
    assert reading.megabytes < megabytes_allowed(spec)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"data": ' + "[" * 100_000, "is nested too deeply to contain records"),
        ('{"data": [' + ",".join(f'{{"a{n}": 1}}' for n in range(3000)) + "]}",
         "has 9,000,000 cells or more; 800,000 are allowed"),
        ('{"data": [' + "{}," * (BYTES // 3 - 10) + "{}]}", "has 2,665,983 values or more"),
        ('{"data": [' + "{}," * (LINES + 1) + "{}]}", "has 100,002 records or more; 100,000 are"),
        ('{"data": [{"' + "x" * BYTES + '": 1}]}', "line 1: column 'tradeDate' is missing"),
        ('{"data": [{"a": 1' + "0" * BYTES + "}]}", "line 1: column 'tradeDate' is missing"),
    ],
    ids=["deep", "unlike records", "many values", "many records", "endless key", "endless number"],
)  # fmt: skip
def test_json_takes_memory_in_proportion(tmp_path: Path, content: str, reason: str) -> None:
    spec = limited("csindex", LIMIT)
    reading = measured(tmp_path, spec, "931743.json", lambda file: file.write_text(content))
    assert reading.reason.startswith(reason)
    assert len(reading.reason) < 1000
    assert reading.megabytes < megabytes_allowed(spec)


def test_json_of_any_depth_stops_no_run(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    # Writing a value again goes one call deeper than reading it did.
    (folder / "csindex").mkdir()
    limit, spec = sys.getrecursionlimit(), spec_of("csindex")
    depths = range(limit - 200, limit + 10)
    for depth in depths:
        value = "[" * depth + "]" * depth
        (folder / "csindex" / f"{depth:06}.json").write_text(f'{{"data": [{{"a": {value}}}]}}')
    indices = frozenset(f"{depth:06}.CSI" for depth in depths)
    result = ingest_feed(con, folder, spec, TODAY, NOW, indices)
    assert len(result.quarantined) == len(depths)
    assert {"too deep" in reason for reason in result.quarantined.values()} == {True, False}


Change = Callable[[bytes], bytes]


def workbook(
    sheet: Change = bytes, more: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A list of one security; its sheet's XML may be changed, and parts added."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(("No.", "Stock Code", "Stock Name", "Industry"))
    book.worksheets[0].append((1, 5, "HSBC", "Financials"))
    plain, changed = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(changed, "w", method) as new:
        for item in old.infolist():
            data = (more or {}).pop(item.filename, None) or old.read(item)
            new.writestr(item.filename, sheet(data) if "sheet1" in item.filename else data)
        for name, data in (more or {}).items():
            new.writestr(name, data)
    return changed.getvalue()


def lying(name: str, content: bytes) -> bytes:
    """A workbook of which one part is said to hold far less than it unpacks to."""
    buffer = io.BytesIO(workbook(more={name: content}))
    with zipfile.ZipFile(buffer, "a") as archive:
        part = archive.getinfo(name)
        part.file_size, part.CRC = 100, zlib.crc32(content[:100])
        archive.writestr("last", b"")  # so that the directory is written again
    return buffer.getvalue()


def laughing() -> bytes:
    entities = b'<!ENTITY e0 "lollollol">' + b"".join(
        b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    cell = b'<sheetData><row><c t="str"><v>&e9;</v></c></row>'
    return workbook(
        lambda xml: b"<!DOCTYPE x [" + entities + b"]>" + xml.replace(b"<sheetData>", cell)
    )


def repeating() -> bytes:
    """A long text, held once, that each of many cells shows."""
    made_of = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    strings = f"""
        <sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
        <si><t>{"x" * 100_000}</t></si></sst>"""
    types = f"""
        <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
        <Override PartName="/xl/workbook.xml" ContentType="{made_of}.sheet.main+xml"/>
        <Override PartName="/xl/sharedStrings.xml" ContentType="{made_of}.sharedStrings+xml"/>
        </Types>"""
    rows = b"".join(b'<row r="%d"><c t="s"><v>0</v></c></row>' % row for row in range(3, 5000))
    return workbook(
        lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>"),
        {"xl/sharedStrings.xml": strings.strip().encode(),
         "[Content_Types].xml": types.strip().encode()},
    )  # fmt: skip


def with_rows(rows: bytes) -> bytes:
    return workbook(lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: workbook(more={"big.xml": b"0" * 60_000_000}),
         "has 60 MB when unpacked; at most 1 MB are allowed "
         "(format.max_megabytes in the feed's spec)"),
        (lambda: lying("docProps/core.xml", b" " * 60_000_000), "is not a readable workbook ("),
        (lambda: workbook(more={"big.xml": b"0" * 500_000}, method=zipfile.ZIP_BZIP2),
         "docProps/app.xml is compressed in a way that workbooks do not use; fetch it again"),
        (lambda: workbook(more={str(number): b"" for number in range(5_000)}),
         "parts, but a workbook has a few dozen; fetch it again"),
        (laughing, "xl/worksheets/sheet1.xml declares XML entities, which workbooks do not"),
        (repeating, "letters or more; 1,000,000 are allowed"),
        (lambda: with_rows(b"<row>" + b"<c/>" * 220_000 + b"</row>"), "tags or more; 200,000 are"),
        (lambda: with_rows(b'<row r="99999999999"><c><v>1</v></c></row>'),
         "has rows beyond 1,048,576; fetch it again"),
        (lambda: with_rows(b"<row><c><v>1</v></c></row>" * 25_001), "rows or more; 25,000"),
    ],
    ids=["bomb", "lying bomb", "other compression", "many parts", "billion laughs", "repeated text",
         "many cells", "far row", "many rows"],
)  # fmt: skip
def test_a_workbook_takes_memory_in_proportion(
    tmp_path: Path, make: Callable[[], bytes], reason: str
) -> None:
    spec = limited("hsi_composite_list", 1)
    content = make()
    assert len(content) < 1_000_000
    reading = measured(tmp_path, spec, "list.xlsx", lambda file: file.write_bytes(content))
    assert reason in reading.reason
    assert reading.megabytes < megabytes_allowed(spec)
