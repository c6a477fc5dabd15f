"""A name is a name: whatever a file is called, it is listed, read and shown as text.

Belongs here: names and times of files made to harm. Does not belong here: links, folders and other
things that are no file (`test_links.py`), names that are merely wrong
(`tests/unit/ingest/test_landing.py`).
"""

import os
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest import landing
from dagster_project.ingest.changes import detect_changes
from tests.integration.hostile.support import STOCKS, ingest, spec_of, tree
from tests.support import TODAY

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
    assert (result.files_read, result.rows_accepted) == (len(names), len(names))
    assert result.quarantined == {}
    shown = {f"tushare_stock_list/{name}".replace("\\", "\\\\") for name in names}
    assert {path for (path,) in con.execute("select path from raw.file").fetchall()} == shown
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)
    assert tree(tmp_path) == before
    for name in names:
        (folder / "tushare_stock_list" / name).unlink()
    assert ingest(con, folder).files_removed == len(names)


UNSEEN = ["two\nlines.csv", "\x1b[2Jcleared.csv", "tab\t.csv", "rtl\u202evsc.csv", "bad\udcff.csv"]


def test_a_name_that_cannot_be_shown_is_reported_in_escapes(
    con: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    for name in UNSEEN:
        (folder / "tushare_stock_list" / name).write_text(STOCKS + "600519.SH,a,b\n")
    (folder / "tushare_stock_list" / "two\\nlines.csv").write_text(STOCKS + "600000.SH,a,b\n")
    result = ingest(con, folder)
    assert result.rows_accepted == 1
    assert [path.removeprefix("tushare_stock_list/") for path in sorted(result.quarantined)] == [
        "\\x1b[2Jcleared.csv", "bad\\udcff.csv", "rtl\\u202evsc.csv", "tab\\t.csv",
        "two\\nlines.csv",
    ]  # fmt: skip
    assert set(result.quarantined.values()) == {"its name has unprintable characters; rename it"}
    # The file that has the name as which another is shown is distinguished from it.
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)


def test_a_folder_of_no_feed_is_reported_in_escapes(folder: Path) -> None:
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
    assert ingest(con, folder).quarantined == {
        "tushare_stock_list/list.csv": "its modification time is centuries away; correct it "
        "with `touch`"
    }
    assert not detect_changes(con, folder, spec_of("tushare_stock_list"), TODAY)
    os.utime(file)
    assert ingest(con, folder).rows_accepted == 1
