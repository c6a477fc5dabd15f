"""What stands in the way of publishing is reported with its remedy, and readers keep a release.

Belongs here: files, folders and processes that keep a release from being published. Does not belong
here: a disk that is full (`tests/integration/hostile/test_full_disk.py`), crashes
(`test_crashes.py`).
"""

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.release.publish import publish
from dagster_project.release.read import ReleaseError, list_releases, published_release
from dagster_project.warehouse.connection import connect
from tests.forked import FORKED
from tests.integration.release.support import (
    audit_night,
    kept,
    leftovers,
    night_published,
    release_nights,
)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Permissions do not bind root, as whom containers run tests."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_nothing_to_publish(home: Home) -> None:
    assert published_release(home) is None
    assert list_releases(home) == []
    with pytest.raises(ReleaseError, match=r"warehouse\.duckdb does not exist"):
        publish(home)
    connect(home.warehouse).close()
    with pytest.raises(ReleaseError, match="has no release recorded"):
        publish(home)
    assert not home.published.exists()


def test_warehouse_open_in_this_process(home: Home) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    with (
        closing(connect(home.warehouse)),
        pytest.raises(ReleaseError, match="still open in this process: close every connection"),
    ):
        publish(home)
    assert night_published(home) == 1
    publish(home)
    assert night_published(home) == 2


def hold_open(home: Home, opened: Path, stop: Path) -> None:
    with closing(connect(home.warehouse, read_only=True)):
        opened.touch()
        while not stop.exists():
            time.sleep(0.01)


def test_warehouse_open_in_another_process(home: Home, tmp_path: Path) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    opened, stop = tmp_path / "opened", tmp_path / "stop"
    process = FORKED.Process(target=hold_open, args=(home, opened, stop))
    process.start()
    try:
        while not opened.exists():
            assert process.is_alive()
            time.sleep(0.01)
        with pytest.raises(ReleaseError, match="If another process has it open, close it"):
            publish(home)
    finally:
        stop.touch()
        process.join(60)
    assert night_published(home) == 1
    assert publish(home).fingerprint == "2"


def test_published_folder_that_cannot_be_written() -> None:
    # Not in pytest's folder: that is closed to all but the user who runs the tests.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        with as_ordinary_user():
            home = Home(Path(folder) / "home")
            home.root.mkdir()
            release_nights(home, 1)
            audit_night(home, 2)
            home.releases.chmod(0o555)
            home.published.parent.chmod(0o555)
            with pytest.raises(ReleaseError, match=r"To do: make .*published.* writable"):
                publish(home)
            assert night_published(home) == 1
            home.releases.chmod(0o755)
            with pytest.raises(ReleaseError, match=r"To do: make .*published.* writable"):
                publish(home)
            assert night_published(home) == 1
            assert kept(home) == ["1"]
            home.published.parent.chmod(0o755)
            publish(home)
            assert night_published(home) == 2
            assert leftovers(home) == []


def test_copy_that_does_not_fit(home: Home) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    size = home.warehouse.stat().st_size
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(ReleaseError, match="Readers still have a complete release"):
            publish(home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert night_published(home) == 1
    assert leftovers(home) == []
    publish(home)
    assert night_published(home) == 2


def test_published_file_that_is_no_release(home: Home) -> None:
    release_nights(home, 1)
    home.published.unlink()
    home.published.write_text("not a database")
    with pytest.raises(ReleaseError, match=r"closing_bell\.duckdb cannot be read.*Move it away"):
        published_release(home)
    home.published.unlink()
    assert publish(home).fingerprint == "1"
    assert night_published(home) == 1


def test_what_others_put_beside_the_releases_stays(home: Home) -> None:
    release_nights(home, 1)
    note = home.releases / "notes" / "why.txt"
    note.parent.mkdir()
    note.write_text("kept for the auditor")
    release_nights(home, 2)
    assert note.read_text() == "kept for the auditor"
    assert kept(home) == ["1", "2"]


def test_log_beside_the_published_file_is_removed(home: Home) -> None:
    release_nights(home, 1)
    for file in (home.published, home.published.resolve()):
        file.with_name(file.name + ".wal").write_bytes(b"a release is never written to")
    release_nights(home, 2)
    assert leftovers(home) == []
    assert night_published(home) == 2
