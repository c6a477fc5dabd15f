"""Whoever may write to landing gets no further: nothing runs, nothing leaves, memory is bounded.

Belongs here: files made to harm, through the functions that a run calls. Does not belong here:
files that are merely wrong (`test_ingestion.py`, `tests/unit/ingest/`); how hostile text
looks in the report (`test_report.py`).

Memory is measured in a process of its own, as the most it held while it read one file.
"""

import io
import json
import multiprocessing
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from dagster_project.home import Home
from dagster_project.ingest import changes, landing
from dagster_project.ingest.changes import detect_changes
from dagster_project.ingest.document import LINES_PER_MEGABYTE, PIECES_PER_MEGABYTE
from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.seeds import known_indices
from dagster_project.release.publish import publish
from dagster_project.release.read import ReleaseError, published_release
from dagster_project.release.record import record_release
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import build
from tests.support import NOW, TODAY, new_warehouse, specs

STOCKS = "ts_code,name,industry\n"
HSI = "Date, Open, High, Low, Close\n"
ROW = "09/16/25, 1, 1, 1, 1\n"
SECRET = "600519.SH,a secret,of someone else\n"

# Fork from a clean process: a fork of one that has used DuckDB's threads may hang.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["pytest", "tests.support", "dagster_project.release.publish"])


@cache
def spec_of(feed: str) -> FeedSpec:
    return specs(feed)[feed]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The landing folder; beside it lies a file that is none of ours."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "list.csv").write_text(STOCKS + SECRET)
    (tmp_path / "landing" / "tushare_stock_list").mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with new_warehouse() as con:
        yield con


def ingest(
    con: duckdb.DuckDBPyConnection, folder: Path, feed: str = "tushare_stock_list"
) -> FeedResult:
    return ingest_feed(con, folder, spec_of(feed), TODAY, NOW)


def everything_in(con: duckdb.DuckDBPyConnection) -> str:
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'raw'")
    return "\n".join(
        repr(con.execute(f"from raw.{name}").fetchall()) for (name,) in tables.fetchall()
    )


def tree(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder, with its mode, size and time."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        found[str(path)] = status.st_mode, status.st_size, status.st_mtime_ns
    return found


# --- Names ---------------------------------------------------------------------------------------

NAMES = [
    "it's.csv", 'x"; drop.csv', "'; drop table raw.file; --.csv", "a b .csv", "..%2f..%2fetc.csv",
    "..\\..\\x.csv", "...csv.csv", "$(touch run).csv", "`touch run`.csv", "|touch run.csv",
    "-rf.csv", "{symbol}.csv", "%s%n.csv", "$1.csv", "*.csv", "<img src=x onerror=alert(1)>.csv",
    "=1+1.csv", "名" * 83 + "ab.csv",
]  # fmt: skip


def test_a_name_is_a_name(con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path) -> None:
    names = [name for name in NAMES if not name.startswith(".")]
    for number, name in enumerate(NAMES):
        content = f"{STOCKS}{number:06}.SZ,n,i\n"
        (folder / "tushare_stock_list" / name).write_text(content)
    assert max(len(os.fsencode(name)) for name in names) == 255
    before = tree(tmp_path)
    result = ingest(con, folder)
    assert (result.files_read, result.rows_accepted, result.set_aside) == (len(names),) * 2 + ({},)
    shown = {f"tushare_stock_list/{name}".replace("\\", "\\\\") for name in names}
    assert {path for (path,) in con.execute("select path from raw.file").fetchall()} == shown
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)
    assert tree(tmp_path) == before
    for name in names:
        (folder / "tushare_stock_list" / name).unlink()
    assert ingest(con, folder).files_removed == len(names)


UNSEEN = ["two\nlines.csv", "\x1b[2Jcleared.csv", "tab\t.csv", "rtl\u202evsc.csv", "bad\udcff.csv"]


def test_a_name_that_cannot_be_shown_is_told_in_escapes(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    for name in UNSEEN:
        (folder / "tushare_stock_list" / name).write_text(STOCKS + "600519.SH,a,b\n")
    (folder / "tushare_stock_list" / "two\\nlines.csv").write_text(STOCKS + "600000.SH,a,b\n")
    result = ingest(con, folder)
    assert result.rows_accepted == 1
    assert [path.removeprefix("tushare_stock_list/") for path in sorted(result.set_aside)] == [
        "\\x1b[2Jcleared.csv", "bad\\udcff.csv", "rtl\\u202evsc.csv", "tab\\t.csv",
        "two\\nlines.csv",
    ]  # fmt: skip
    assert set(result.set_aside.values()) == {
        "its name holds characters that cannot be shown; rename it"
    }
    # The file that is named as another is shown is told apart from it.
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)


def test_a_folder_of_no_feed_is_told_in_escapes(folder: Path) -> None:
    (folder / "bad\udcff\n").mkdir()
    assert landing.unclaimed_folders(folder, {"tushare_stock_list"}) == ["bad\\udcff\\n"]


@pytest.mark.parametrize("seconds", [9_300_000_000, -9_300_000_000])
def test_a_time_that_cannot_be_kept(
    con: duckdb.DuckDBPyConnection, folder: Path, seconds: int
) -> None:
    file = folder / "tushare_stock_list" / "list.csv"
    file.write_text(STOCKS + "600000.SH,a,b\n")
    os.utime(file, (seconds, seconds))
    if file.stat().st_mtime != seconds:
        pytest.skip(f"the file system keeps no time like {seconds}")
    assert ingest(con, folder).set_aside == {
        "tushare_stock_list/list.csv": "its time of change lies centuries away; correct it "
        "(`touch`)"
    }
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)
    os.utime(file)
    assert ingest(con, folder).rows_accepted == 1


# --- Ways out of the folder ----------------------------------------------------------------------


@pytest.mark.parametrize("target", ["outside/list.csv", "outside", "nowhere", "landing"])
def test_no_link_is_followed(
    con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path, target: str
) -> None:
    (folder / "tushare_stock_list" / "list.csv").symlink_to(tmp_path / target)
    result = ingest(con, folder)
    assert result.set_aside == {
        "tushare_stock_list/list.csv": "is a link; put the file itself into the landing folder"
    }
    assert "secret" not in everything_in(con)


def test_a_feed_folder_that_is_a_link_is_an_outage(
    con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path
) -> None:
    (folder / "tushare_stock_list" / "list.csv").write_text(STOCKS + "600000.SH,a,b\n")
    ingest(con, folder)
    (folder / "tushare_stock_list").rename(tmp_path / "before")
    (folder / "tushare_stock_list").symlink_to(tmp_path / "outside")
    result = ingest(con, folder)
    assert result.missing_folder == (
        f"{folder}/tushare_stock_list is a link, and none is followed; make it a folder"
    )
    assert con.execute("select symbol from raw.security_reference").fetchall() == [("600000.SH",)]
    assert "secret" not in everything_in(con)


def test_landing_itself_may_lie_elsewhere(
    con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path
) -> None:
    (folder / "tushare_stock_list" / "list.csv").write_text(STOCKS + "600000.SH,a,b\n")
    (tmp_path / "mounted").symlink_to(folder)
    assert ingest(con, tmp_path / "mounted").rows_accepted == 1


def test_a_hard_link_is_a_file_and_its_other_name_stays_as_it_is(
    con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path
) -> None:
    # Only who may read a file can link it so; snapshots (`cp -al`, `rsync --link-dest`) do.
    (folder / "tushare_stock_list" / "list.csv").hardlink_to(tmp_path / "outside" / "list.csv")
    before = tree(tmp_path)
    assert ingest(con, folder).rows_accepted == 1
    assert tree(tmp_path) == before


def test_folders_without_end_are_named_where_they_are_left(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    (folder / "tushare_stock_list" / "list.csv").write_text(STOCKS + "600000.SH,a,b\n")
    here = os.open(folder / "tushare_stock_list", os.O_RDONLY)
    for _ in range(1100):  # longer than any path, deeper than any recursion
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    result = ingest(con, folder)
    assert result.rows_accepted == 1
    ((path, reason),) = result.set_aside.items()
    assert path == "tushare_stock_list" + "/deep" * landing.DEEPEST
    assert reason == f"is a folder {landing.DEEPEST} deep, not looked into; move up what it holds"
    # Python's own removal of a tree would go as deep.
    subprocess.run(["rm", "-rf", str(folder / "tushare_stock_list")], check=True)


# --- Changes while a run looks -------------------------------------------------------------------


def replace_by_link(file: Path, outside: Path) -> None:
    file.unlink()
    file.symlink_to(outside / "list.csv")


def replace_folder_by_link(file: Path, outside: Path) -> None:
    shutil.copystat(file, outside / "list.csv")
    shutil.rmtree(file.parent)
    file.parent.symlink_to(outside)


def replace_by_pipe(file: Path, outside: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replace_by_folder(file: Path, outside: Path) -> None:
    file.unlink()
    file.mkdir()


def replace_by_socket(file: Path, outside: Path) -> None:
    file.unlink()
    # A socket's path may have a hundred letters at most.
    with chdir(file.parent), socket.socket(socket.AF_UNIX) as bound:
        bound.bind(file.name)


def remove(file: Path, outside: Path) -> None:
    file.unlink()


def append(file: Path, outside: Path) -> None:
    with file.open("a") as opened:
        opened.write("600519.SH,c,d\n")


def cut_off(file: Path, outside: Path) -> None:
    os.truncate(file, 5)


def write_over(file: Path, outside: Path) -> None:
    file.write_text(file.read_text().replace("a,b", "c,d"))
    os.utime(file, ns=(1, 1))


LINK = "has become a link, or its folder has; put the file itself into the landing folder"
WRITTEN = "was written to while it was read; the next run reads it."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replace_by_link, LINK),
        (replace_folder_by_link, LINK),
        (replace_by_pipe, "is not a regular file any more; deliver it again"),
        (replace_by_folder, "cannot be read: Is a directory; deliver it again"),
        (replace_by_socket, "cannot be read: No such device or address; deliver it again"),
        (remove, "cannot be read: No such file or directory; deliver it again"),
        (append, WRITTEN),
        (cut_off, WRITTEN),
        (write_over, WRITTEN),
    ],
)
def test_a_file_that_changes_between_the_look_and_the_reading(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, Path], None],
    reason: str,
) -> None:
    file = folder / "tushare_stock_list" / "list.csv"
    file.write_text(STOCKS + "600000.SH,a,b\n")
    scan_feed = landing.scan_feed

    def scan_then_change(*arguments: Any) -> Any:
        found = scan_feed(*arguments)
        change(file, tmp_path / "outside")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(changes, "scan_feed", scan_then_change)
        result = ingest(con, folder)
    assert result.set_aside["tushare_stock_list/list.csv"].startswith(reason)
    assert result.rows_accepted == 0
    assert "secret" not in everything_in(con)
    if reason == WRITTEN:
        os.truncate(file, 0)
        file.write_text(STOCKS + "600000.SH,a,b\n600519.SH,c,d\n")
        assert ingest(con, folder).rows_accepted == 2


# --- Cells ---------------------------------------------------------------------------------------

CELLS = [
    "'; drop table raw.file; --", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "=HYPERLINK(http://x)", "+cmd|' /C calc'!A0", "@SUM(1+1)", "{{ env_var('HOME') }}",
    "{% do run_query('drop table raw.file') %}", "$(touch run)", "`touch run`", "${jndi:ldap://x}",
    "../../etc/passwd", "%n%n%n", "[x](javascript:alert(1))",
]  # fmt: skip


def test_a_cell_is_text(con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path) -> None:
    lines = [f"{number:06}.SZ,{cell},{cell}\n" for number, cell in enumerate(CELLS)]
    refused = [f"{cell},a,b\n" for cell in CELLS]
    file = folder / "tushare_stock_list" / "list.csv"
    file.write_text(STOCKS + "".join(lines + refused))
    before = tree(tmp_path)
    result = ingest(con, folder)
    assert (result.rows_accepted, result.rows_refused) == (len(CELLS), len(CELLS))
    rows = con.execute("select name, industry from raw.security_reference order by symbol")
    assert rows.fetchall() == [(cell, cell) for cell in CELLS]
    kept = con.execute("select raw_text from raw.rejected_row order by line_number").fetchall()
    assert [text for (text,) in kept] == [line.rstrip("\n") for line in refused]
    assert tree(tmp_path) == before


def test_a_formula_of_a_workbook_is_not_computed(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(("No.", "Stock Code", "Stock Name", "Industry"))
    book.worksheets[0].append((1, 5, '=WEBSERVICE("http://x")', "=1+1"))
    (folder / "hsi_composite_list").mkdir()
    book.save(folder / "hsi_composite_list" / "list.xlsx")
    assert ingest(con, folder, "hsi_composite_list").rows_accepted == 1
    # What a formula came to stands beside it in a file; here nothing does.
    assert con.execute("select name, industry from raw.security_reference").fetchall() == [
        (None, None)
    ]


def test_what_a_person_reads_moves_no_cursor(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    evil = "\x1b[2J\x1b]0;x\x07\u202e"
    (folder / "wsj_index").mkdir()
    (folder / "wsj_index" / "HSI.csv").write_text(f"{HSI}{ROW}{evil}, 1, 1, 1, 1\n")
    (folder / "wsj_index" / "HSCEI.csv").write_text(f"Date, {evil}\n")
    (folder / "tushare_stock_list" / "list.csv").write_text(
        f"{STOCKS}600000.SH,a,b\n{evil}.BJ,a,b\n{evil},a,b\n"
    )
    for feed in ("wsj_index", "tushare_stock_list"):
        result = ingest(con, folder, feed)
        assert result.refused_examples
        for told in (*result.set_aside.values(), *result.refused_examples):
            assert told.isprintable(), told
    texts = con.execute("select raw_text from raw.rejected_row where raw_text is not null")
    assert all(evil in text for (text,) in texts.fetchall())


# --- Memory --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """What became of one file, and how much memory more than before that took."""

    accepted: int
    refused: int
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
    (reason,) = result.set_aside.values() or [""]
    out.write_text(json.dumps([result.rows_accepted, result.rows_refused, reason, peak() - before]))


def measured(tmp_path: Path, spec: FeedSpec, name: str, make: Callable[[Path], Any]) -> Reading:
    file = tmp_path / "landing" / spec.feed / name
    file.parent.mkdir(parents=True, exist_ok=True)
    make(file)
    run_in_process(read_measured, tmp_path / "landing", spec, tmp_path / "out.json")
    return Reading(*json.loads((tmp_path / "out.json").read_text()))


def run_in_process(target: Callable[..., None], *arguments: Any) -> None:
    process = processes.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode == 0, "it failed, or did not end"


def megabytes_allowed(spec: FeedSpec) -> int:
    """Reading takes memory in proportion to the limit, and a little in any case."""
    return 20 * spec.format.max_megabytes + 50


def test_two_gigabytes_are_set_aside_unread(tmp_path: Path) -> None:
    spec = spec_of("wsj_index")

    def make(file: Path) -> None:
        file.touch()
        os.truncate(file, 2_000_000_000)

    reading = measured(tmp_path, spec, "HSI.csv", make)
    assert reading.reason == (
        "holds 2,000 MB; feed wsj_index takes at most 128 MB (format.max_megabytes in its spec)"
    )
    assert reading.megabytes < 50


LIMIT = 4
BYTES = LIMIT * 1_000_000 - 1000
LINES, PIECES = LIMIT * LINES_PER_MEGABYTE, LIMIT * PIECES_PER_MEGABYTE
ALLOWED = r"allowed \(format.max_megabytes in the feed's spec\)"


def contradictions(number: int) -> str:
    return "".join(f"09/16/25, {value}, {value}, {value}, {value}\n" for value in range(1, number))


@pytest.mark.parametrize(
    ("content", "refused", "reason"),
    [
        (HSI + ROW + "x" * BYTES, 1, None),
        (HSI + ROW + '"' * BYTES, 1, None),
        (HSI + ROW + "\r" * BYTES, 0, None),
        ("x" * BYTES, 0, "line 1: is no header"),
        (HSI + ROW + "x\n" * (LINES - 10), LINES - 10, None),
        (HSI + ROW + "," * (PIECES - 100), 1, None),
        (HSI + ROW + "\n" * BYTES, 0, "holds 3,999,002 lines or more; 100,000 are allowed"),
        (HSI + ROW + "," * BYTES, 0, "holds 3,999,010 cells or more; 800,000 are allowed"),
        ("," * BYTES, 0, "holds 3,999,000 cells or more; 800,000 are allowed"),
        (HSI + contradictions(60_000), 0, "line 2: none of its 59999 rows can be used; the first: "
         "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … state the same record with other values"),
    ],
    ids=["endless line", "endless quotes", "endless returns", "endless header", "many lines",
         "many cells", "too many lines", "too many cells", "too wide", "contradictions"],
)  # fmt: skip
def test_text_takes_memory_in_proportion(
    tmp_path: Path, content: str, refused: int, reason: str | None
) -> None:
    spec = limited("wsj_index", LIMIT)
    reading = measured(tmp_path, spec, "HSI.csv", lambda file: file.write_text(content))
    assert reading.megabytes < megabytes_allowed(spec)
    assert reading.refused == refused
    assert reading.accepted == (reason is None)
    assert reading.reason.startswith(reason or "")


def test_an_endless_symbol_is_kept_in_part(tmp_path: Path) -> None:
    spec = limited("tushare_stock_list", LIMIT)
    content = f"{STOCKS}600000.SH,a,b\n{'x' * (BYTES - 100)},a,b\n"
    reading = measured(tmp_path, spec, "list.csv", lambda file: file.write_text(content))
    assert (reading.accepted, reading.refused) == (1, 1)
    assert reading.megabytes < megabytes_allowed(spec)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"data": ' + "[" * 100_000, "is nested too deep to hold records"),
        ('{"data": [' + ",".join(f'{{"a{n}": 1}}' for n in range(3000)) + "]}",
         "holds 9,000,000 cells or more; 800,000 are allowed"),
        ('{"data": [' + "{}," * (BYTES // 3 - 10) + "{}]}", "holds 2,665,983 values or more"),
        ('{"data": [' + "{}," * (LINES + 1) + "{}]}", "holds 100,002 records or more; 100,000 are"),
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
    assert len(result.set_aside) == len(depths)
    assert {"too deep" in reason for reason in result.set_aside.values()} == {True, False}


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
         "unpacks to 60 MB; 1 MB are allowed (format.max_megabytes in the feed's spec)"),
        (lambda: lying("docProps/core.xml", b" " * 60_000_000), "is no readable workbook ("),
        (lambda: workbook(more={"big.xml": b"0" * 500_000}, method=zipfile.ZIP_BZIP2),
         "docProps/app.xml is compressed as no workbook is; fetch it again"),
        (lambda: workbook(more={str(number): b"" for number in range(5_000)}),
         "parts, a workbook a few dozen; fetch it again"),
        (laughing, "xl/worksheets/sheet1.xml declares entities, as no workbook does"),
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


# --- Permissions ---------------------------------------------------------------------------------


def read_as_nobody(folder: Path, spec: FeedSpec, out: Path) -> None:
    indices = known_indices()
    with new_warehouse() as con:
        if os.geteuid() == 0:  # permissions do not bind root, as whom containers run tests
            os.setuid(65534)
        result = ingest_feed(con, folder, spec, TODAY, NOW, indices)
    out.write_text(json.dumps([result.rows_accepted, result.set_aside, result.missing_folder]))


@pytest.mark.parametrize("what", ["file", "folder within", "folder"])
def test_what_may_not_be_read_is_told(what: str) -> None:
    # Not in pytest's folder: that is closed to all but the user who runs the tests.
    with tempfile.TemporaryDirectory() as root:
        feed, out = Path(root) / "landing" / "tushare_stock_list", Path(root) / "out"
        (feed / "inner").mkdir(parents=True)
        for name in ("closed.csv", "open.csv"):
            (feed / name).write_text(STOCKS + "600000.SH,a,b\n")
        for path in (Path(root), *Path(root).rglob("*")):
            path.chmod(0o777)
        closed = {"file": feed / "closed.csv", "folder within": feed / "inner", "folder": feed}
        closed[what].chmod(0)
        try:
            run_in_process(read_as_nobody, feed.parent, spec_of(feed.name), out)
        finally:
            closed[what].chmod(0o777)
        accepted, set_aside, missing = json.loads(out.read_text())
        if what == "file":
            reason = "may not be read by this user; correct its permissions"
            assert (accepted, set_aside) == (1, {"tushare_stock_list/closed.csv": reason})
        else:
            assert (accepted, set_aside) == (0, {})
            assert missing == f"{closed[what]} cannot be listed: Permission denied"


# --- A full disk ---------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Make a disk of so many megabytes; skips the test where none can be mounted."""
    mounted = tmp_path / "disk"
    mounted.mkdir()

    def mount(megabytes: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(mounted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no command mount here")
        if done.returncode:
            pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")
        return mounted

    yield mount
    if mounted.is_mount():
        subprocess.run(["umount", str(mounted)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Leave so many bytes free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        status = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - free)
    return ballast


def release_night(home: Home, night: str) -> None:
    with closing(connect(home.warehouse)) as con:
        record_release(
            con,
            home,
            clock=date(2025, 9, 17),
            checks=[],
            what_changed=night,
            fingerprint=night,
        )
    publish(home)


def test_a_full_disk_costs_a_run_and_nothing_else(disk: Callable[[int], Path]) -> None:
    home = Home(disk(24))
    days = [date.fromordinal(738_000 + day) for day in range(1000)]
    lines = [f"{day:%m/%d/%y}" + f", {day.toordinal()}" * 4 + "\n" for day in days]
    (home.landing / "wsj_index").mkdir(parents=True)

    def deliver(number: int) -> None:
        for symbol in ("HSI", "HSCEI"):
            file = home.landing / "wsj_index" / f"{symbol}.csv"
            file.write_text(HSI + "".join(lines[:number]))

    def take_in() -> int:
        with closing(connect(home.warehouse)) as con:
            raw_tables.create_tables(con)
            ingest(con, home.landing, "wsj_index")
            con.execute("checkpoint")
            return len(con.execute("from raw.index_close").fetchall())

    deliver(300)
    assert take_in() == 600
    release_night(home, "first")

    deliver(1000)
    ballast = fill(home.root, free=16_384)
    with pytest.raises(duckdb.Error, match="No space left on device"):
        take_in()
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"
    with closing(connect(home.published, read_only=True)) as con:
        assert len(con.execute("from raw.index_close").fetchall()) == 600

    ballast.unlink()
    assert take_in() == 2000
    ballast = fill(home.root, free=home.warehouse.stat().st_size // 2)
    with pytest.raises(ReleaseError, match=r"No space left .* To do: free at least \d+ MB there"):
        release_night(home, "second")
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"
    ballast.unlink()
    assert publish(home).fingerprint == "second"


def test_models_on_a_full_disk_cost_a_run_and_nothing_else(
    sample_home: Home, disk: Callable[[int], Path]
) -> None:
    size = sample_home.warehouse.stat().st_size
    home = Home(disk(4 * size // 1_000_000 + 32))
    shutil.copyfile(sample_home.warehouse, home.warehouse)
    shutil.copytree(sample_home.root / "dbt", home.root / "dbt")  # the parsed project
    release_night(home, "first")
    selection = ["--select", "security_performance", "--exclude-resource-type", "test"]

    ballast = fill(home.root, free=262_144)
    failed = build(home, selection, state.EVERYTHING, full_refresh=True)
    assert failed.errors == [
        f"the disk that holds {home.root} is full; free some space, then run again"
    ]
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"

    ballast.unlink()
    assert build(home, selection, state.EVERYTHING, full_refresh=True).errors == []
    with (
        closing(connect(home.published, read_only=True)) as before,
        closing(connect(home.warehouse, read_only=True)) as after,
    ):
        rows = [
            con.execute("select count(*) from main.security_performance").fetchone()
            for con in (before, after)
        ]
    assert rows[0] == rows[1]
