"""Landing has no way out: no link below it is followed, and folders without end are left.

Belongs here: things in landing that lead elsewhere. Does not belong here: a file that becomes a
link while a run looks (`test_changes_while_reading.py`).
"""

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest import landing
from tests.integration.hostile.support import STOCKS, everything_in, ingest, tree


@pytest.mark.parametrize("target", ["outside/list.csv", "outside", "nowhere", "landing"])
def test_no_link_is_followed(
    con: duckdb.DuckDBPyConnection, folder: Path, tmp_path: Path, target: str
) -> None:
    (folder / "tushare_stock_list" / "list.csv").symlink_to(tmp_path / target)
    result = ingest(con, folder)
    assert result.quarantined == {
        "tushare_stock_list/list.csv": (
            "is a symbolic link; put the file itself into the landing folder"
        )
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
        f"{folder}/tushare_stock_list is a symbolic link, and links are not followed; "
        "make it a folder"
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
    ((path, reason),) = result.quarantined.items()
    assert path == "tushare_stock_list" + "/deep" * landing.DEEPEST
    assert reason == (
        f"is a folder at depth {landing.DEEPEST}, and is not read; move its files to a folder above"
    )
    # Python's own removal of a tree would go as deep.
    subprocess.run(["rm", "-rf", str(folder / "tushare_stock_list")], check=True)
