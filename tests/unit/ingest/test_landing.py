"""The landing folder: what is a feed's file, what is not, and what is an outage."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.ingest.landing import (
    FileUnreadable,
    LandingMissing,
    read_file,
    scan_feed,
    unclaimed_folders,
)
from tests.support import specs

HK = specs("yahoo_hk")["yahoo_hk"]
DAILY = specs("tushare_daily")["tushare_daily"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yahoo_hk").mkdir()
    return tmp_path / "yahoo_hk"


def test_files_are_listed_in_order_with_what_their_names_say(folder: Path) -> None:
    for name in ("0700.HK", "0005.HK"):
        (folder / f"{name}.csv").write_text("x")
    os.utime(folder / "0005.HK.csv", ns=(1, 1_700_000_000_123_456_789))
    files, unusable = scan_feed(folder.parent, HK)
    assert [file.path for file in files] == ["yahoo_hk/0005.HK.csv", "yahoo_hk/0700.HK.csv"]
    assert (files[0].size, files[0].mtime_ns) == (1, 1_700_000_000_123_456_789)
    assert files[0].placeholders == {"symbol": "0005.HK"}
    assert not unusable


def test_names_that_begin_with_a_dot_are_not_yet_delivered(folder: Path) -> None:
    (folder / ".0005.HK.csv.part").write_text("x")
    (folder / ".trash").mkdir()
    (folder / ".trash" / "0005.HK.csv").write_text("x")
    assert scan_feed(folder.parent, HK) == ([], [])


@pytest.mark.parametrize(
    "name",
    ["it's.csv", "a b.csv", "..csv..csv", "*.csv", "[a].csv", "恒生.csv", "--x.csv", '".csv'],
)
def test_odd_names_are_files_like_others(folder: Path, name: str) -> None:
    (folder / name).write_text("x")
    files, unusable = scan_feed(folder.parent, HK)
    found = [file.path for file in files] + ([] if not name.startswith(".") else [name])
    assert [Path(path).name for path in found] == [name]
    assert not unusable


def make_link(path: Path) -> None:
    path.symlink_to("/etc/hosts")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(path))


def make_large(path: Path) -> None:
    path.touch()
    os.truncate(path, 129_000_000)


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("notes.txt", Path.touch, "does not match '{symbol}.csv' of feed yahoo_hk; rename it"),
        ("two\nlines.csv", Path.touch, "unprintable characters; rename it"),
        ("rtl\u202e.csv", Path.touch, "unprintable characters"),
        ("bad\udcff.csv", Path.touch, "unprintable characters"),
        ("0005.HK.csv", make_link, "is a symbolic link; put the file itself"),
        ("0005.HK.csv", Path.mkdir, "is not a regular file"),
        ("0005.HK.csv", os.mkfifo, "is not a regular file"),
        ("0005.HK.csv", make_socket, "is not a regular file"),
        ("0005.HK.csv", make_large, "has 129 MB; feed yahoo_hk allows at most 128 MB"),
    ],
)
def test_what_cannot_be_taken_is_named_with_a_reason(
    folder: Path, name: str, make: Callable[[Path], None], reason: str
) -> None:
    (folder / "0700.HK.csv").touch()
    make(folder / name)
    files, unusable = scan_feed(folder.parent, HK)
    assert [file.path for file in files] == ["yahoo_hk/0700.HK.csv"]
    assert len(unusable) == 1
    assert reason in unusable[0].reason
    unusable[0].path.encode()  # it can be stored
    assert unusable[0].path.isprintable()


def test_no_two_names_are_shown_alike(folder: Path) -> None:
    for name in (
        "two\nlines.csv",
        "two\\nlines.csv",
        "two\\\\nlines.csv",
        "bad\udcff",
        "bad\\udcff",
    ):
        (folder / name).touch()
    files, unusable = scan_feed(folder.parent, HK)
    assert len({file.path for file in files} | {item.path for item in unusable}) == 5


def test_a_file_is_read_as_it_was_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "it\\s.csv").write_bytes(b"\xff\x00\r\n")
    monkeypatch.chdir(folder)
    for landing in (folder.parent, Path("..")):
        ((file,), _) = scan_feed(landing, HK)
        assert read_file(file) == b"\xff\x00\r\n"
    (folder / "it\\s.csv").write_bytes(b"")
    with pytest.raises(FileUnreadable, match="was written while it was read"):
        read_file(file)


def test_a_link_is_followed_to_landing_but_not_below(folder: Path, tmp_path: Path) -> None:
    (folder / "0005.HK.csv").write_text("x")
    (tmp_path / "elsewhere").symlink_to(tmp_path)
    ((file,), _) = scan_feed(tmp_path / "elsewhere", HK)
    assert read_file(file) == b"x"
    folder.rename(tmp_path / "before")
    folder.symlink_to(tmp_path / "before")
    with pytest.raises(
        LandingMissing, match="yahoo_hk is a symbolic link, and links are not followed"
    ):
        scan_feed(tmp_path, HK)
    with pytest.raises(FileUnreadable, match="is now a symbolic link, or in a folder that is one"):
        read_file(file)


def test_files_in_a_folder_below_are_named_not_lost(folder: Path) -> None:
    (folder / "2025").mkdir()
    (folder / "2025" / "0005.HK.csv").touch()
    (folder / "linked").symlink_to(folder / "2025")
    files, unusable = scan_feed(folder.parent, HK)
    assert not files
    assert [item.path for item in unusable] == ["yahoo_hk/2025/0005.HK.csv", "yahoo_hk/linked"]


@pytest.mark.parametrize("name", ["2025-09-17.csv", "2025917.csv", "20250931.csv"])
def test_a_name_without_its_date_is_rejected(tmp_path: Path, name: str) -> None:
    (tmp_path / "tushare_daily").mkdir()
    (tmp_path / "tushare_daily" / name).touch()
    files, unusable = scan_feed(tmp_path, DAILY)
    assert not files
    assert "its name has no date of the form '%Y%m%d'" in unusable[0].reason


def test_a_file_that_may_not_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "0005.HK.csv").write_text("x")
    (folder / "0005.HK.csv").chmod(0)
    if os.access(folder / "0005.HK.csv", os.R_OK):  # root may read all
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    files, unusable = scan_feed(folder.parent, HK)
    assert not files
    assert "this user may not read it; correct its permissions" in unusable[0].reason


def test_a_file_taken_away_during_the_scan_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("0005", "0700"):
        (folder / f"{name}.HK.csv").touch()
    scandir = os.scandir

    def scan_then_remove(path: str) -> object:
        entries = scandir(path)
        (folder / "0005.HK.csv").unlink(missing_ok=True)
        return entries

    monkeypatch.setattr(os, "scandir", scan_then_remove)
    files, unusable = scan_feed(folder.parent, HK)
    assert [file.path for file in files] == ["yahoo_hk/0700.HK.csv"]
    assert not unusable


def test_a_missing_folder_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(LandingMissing, match=r"yahoo_hk is not a folder; put the files of feed"):
        scan_feed(tmp_path, HK)
    (tmp_path / "yahoo_hk").write_text("a file")
    with pytest.raises(LandingMissing, match="is not a folder"):
        scan_feed(tmp_path, HK)


def test_a_folder_that_cannot_be_listed_is_an_outage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", fail)
    with pytest.raises(LandingMissing, match="yahoo_hk cannot be listed: Permission denied"):
        scan_feed(folder.parent, HK)


def test_folders_of_no_feed_are_reported(tmp_path: Path) -> None:
    for name in ("yahoo_hk", "yahoo_hkk", ".hidden"):
        (tmp_path / name).mkdir()
    assert unclaimed_folders(tmp_path, {"yahoo_hk"}) == ["yahoo_hkk"]
    assert unclaimed_folders(tmp_path / "missing", {"yahoo_hk"}) == []
