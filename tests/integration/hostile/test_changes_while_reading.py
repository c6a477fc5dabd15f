"""A file that changes after it was listed and before it is read is not read in this run.

Belongs here: what may take the place of a file in that moment. Does not belong here: files that
change between two runs (`tests/integration/ingest/`).
"""

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.ingest import changes, landing
from tests.integration.hostile.support import STOCKS, everything_in, ingest


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


LINK = (
    "is now a symbolic link, or in a folder that is one; "
    "put the file itself into the landing folder"
)
WRITTEN = "was written while it was read; the next run reads it again."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replace_by_link, LINK),
        (replace_folder_by_link, LINK),
        (replace_by_pipe, "is no longer a regular file; deliver it again"),
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
    assert result.quarantined["tushare_stock_list/list.csv"].startswith(reason)
    assert result.rows_accepted == 0
    assert "secret" not in everything_in(con)
    if reason == WRITTEN:
        os.truncate(file, 0)
        file.write_text(STOCKS + "600000.SH,a,b\n600519.SH,c,d\n")
        assert ingest(con, folder).rows_accepted == 2
