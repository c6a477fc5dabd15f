"""Publishing a recorded release, and rolling back: what readers see changes in one step.

Belongs here: copying the warehouse, syncing to disk, the link, tidying up after a crash. Does not
belong here: what a release says (`record.py`), reading one (`read.py`). It is code of our own
because DuckDB drops its lock if a file is opened a second time in the same process.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock

from dagster_project.home import Home
from dagster_project.release.read import (
    UNFINISHED,
    Release,
    ReleaseError,
    is_published,
    kept_release,
    read_releases,
    release_file,
    release_files,
    releases_in,
)
from dagster_project.warehouse.connection import connect

# The number of releases that are kept.
KEEP = 7


def publish(home: Home, keep: int = KEEP) -> Release:
    """Make the release that is recorded in the warehouse the published file.

    Call it after `record_release`, with every connection to the warehouse closed. If the release is
    published already, nothing changes. If a crash interrupted its publication, that is completed.
    If it had been rolled back, it is published again.

    Args:
        keep: the number of releases that stay in `releases/`, at least 2.

    Returns:
        The release that is now published.

    Raises:
        ReleaseError: the warehouse is missing, is open, or has no release recorded; or the
            published folder cannot be written. Readers still have a complete release.
    """
    if keep < 2:
        raise ReleaseError(
            f"cannot keep only {keep} releases: keep at least 2, the published one and the one "
            "before it, which a reader may just be opening"
        )
    with _publishing(home):
        release = _seal(home.warehouse)
        file = release_file(home, release.release_id)
        replaced = home.published.resolve()
        if not file.exists():
            _create_release(home.warehouse, release, file)
        if not is_published(home, file):
            _point_link_to(home, file)
        for old in release_files(home)[:-keep]:
            if old.resolve() != replaced:
                _remove(old.parent)
    return release


def roll_back(home: Home, release_id: str) -> Release:
    """Make a release that is kept the published file; it may be an earlier or a later one.

    Raises:
        ReleaseError: the release is not kept, or the published folder cannot be written.
    """
    with _publishing(home):
        file = kept_release(home, release_id)
        release = read_releases(file)[-1]
        if not is_published(home, file):
            _point_link_to(home, file)
    return release


@contextmanager
def _publishing(home: Home) -> Iterator[None]:
    """Hold the right to publish, after tidying up what a crash may have left.

    Raises:
        ReleaseError: the published folder cannot be written; the message says what to do.
    """
    try:
        home.releases.mkdir(parents=True, exist_ok=True)
        # The lock is released when its process ends, even after kill -9.
        with FileLock(home.root / "publish.lock"):
            _tidy(home)
            yield
    except OSError as error:
        size = home.warehouse.stat().st_size if home.warehouse.exists() else 0
        denied = f"make {home.published.parent} and {home.releases} writable for this user"
        full = f"free at least {size / 1e6:,.0f} MB there, or keep fewer releases"
        advice = {
            errno.EACCES: denied,
            errno.EPERM: f"{denied}, on a file system with symbolic links",
            errno.EROFS: denied,
            errno.ENOSPC: full,
            errno.EDQUOT: full,
        }.get(error.errno or 0, "remove the cause")
        raise ReleaseError(
            f"cannot publish into {home.published.parent}: {error}. Readers still have a "
            f"complete release. To do: {advice}, then publish again."
        ) from error


def _tidy(home: Home) -> None:
    """Complete or remove what a crash left, and remove files that do not belong there."""
    # A .wal file appears if somebody opened a release for writing; readers would read it too.
    for log in home.published.parent.rglob(f"{home.published.name}.wal*"):
        log.unlink()
    for folder in home.releases.iterdir():
        if is_published(home, folder / home.published.name):
            (folder / UNFINISHED).unlink(missing_ok=True)
        elif folder.is_dir() and ((folder / UNFINISHED).exists() or not any(folder.iterdir())):
            _remove(folder)
    home.published.with_name(home.published.name + ".tmp").unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove the folder of a release, its mark last, so that a half-removed one stays marked."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == UNFINISHED):
        path.unlink()
    folder.rmdir()


def _seal(warehouse: Path) -> Release:
    """Checkpoint the warehouse into its single file, and return the release recorded last.

    Raises:
        ReleaseError: the warehouse is missing, is open, cannot be opened, or has no release.
    """
    if not warehouse.exists():
        raise ReleaseError(f"{warehouse} does not exist: nothing to publish; run a night first")
    if _is_open_here(warehouse):
        # Copying would silently drop this process's DuckDB lock, and could copy half a change.
        raise ReleaseError(
            f"{warehouse} is still open in this process: close every connection to it, also "
            "dbt's, before publishing"
        )
    try:
        # This also reads a .wal file that a crash left.
        with closing(connect(warehouse)) as con:
            con.execute("CHECKPOINT")
            releases = releases_in(con, warehouse.stem)
    except duckdb.CatalogException:
        releases = []
    except duckdb.Error as error:
        raise ReleaseError(
            f"{warehouse} cannot be opened: {error}. If another process has it open, close it "
            "there (analysts open the published file), then publish again."
        ) from error
    if not releases:
        raise ReleaseError(
            f"{warehouse} has no release recorded, and only an audited release is published; run "
            "the whole job with its checks"
        )
    if logs := sorted(warehouse.parent.glob(warehouse.name + ".wal*")):
        raise ReleaseError(
            f"{logs[0]} exists after a checkpoint, so another process has opened {warehouse}; "
            "close it there, then publish again"
        )
    return releases[-1]


def _is_open_here(file: Path) -> bool:
    """Whether this process has the file open, in DuckDB or otherwise."""
    wanted = file.stat()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 (names are numbers, not paths)
        try:
            held = os.fstat(int(name))
        except OSError:  # the descriptor that listed the folder is closed by now
            continue
        if os.path.samestat(held, wanted):
            return True
    return False


def _copy(source: Path, target: Path) -> None:
    """Copy to a new read-only file, and wait until it is on the disk."""
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            # DuckDB's readers take this lock too. While it is held, no other process can write.
            fcntl.lockf(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise ReleaseError(
                f"another process is writing {source}: stop it, then publish again"
            ) from error
        before = os.fstat(reader.fileno())
        _copy_bytes(reader, writer, before.st_size)
        after = os.fstat(reader.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ReleaseError(
                f"{source} changed while it was copied: let one run at a time write it, then "
                "publish again"
            )
        os.fchmod(writer.fileno(), 0o444)
        os.fsync(writer.fileno())
    if target.stat().st_size != before.st_size:
        raise ReleaseError(f"{target} has not the size of {source}: publish again")


def _copy_bytes(reader: Any, writer: Any, size: int) -> None:
    """Copy all bytes from one open file to another; some file systems share the blocks."""
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(reader.fileno(), writer.fileno(), size):
                pass
        except OSError as error:
            cannot = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM)
            if error.errno not in cannot:
                raise
    # Copies what is left: nothing, or everything if the kernel cannot copy by itself.
    shutil.copyfileobj(reader, writer, 1 << 23)
    writer.flush()


def _create_release(warehouse: Path, release: Release, file: Path) -> None:
    """Copy the warehouse into a new release folder, marked unfinished until it is published."""
    file.parent.mkdir()
    try:
        (file.parent / UNFINISHED).touch()
        _copy(warehouse, file)
        # The copy is another file, so opening it does not affect DuckDB's lock on the warehouse.
        if read_releases(file)[-1] != release:
            raise ReleaseError(f"{file} does not hold release {release.release_id}: publish again")
        _sync(file.parent)
        _sync(file.parent.parent)
    except BaseException:
        _remove(file.parent)
        raise


def _point_link_to(home: Home, file: Path) -> None:
    """Point the link to a release: from this moment readers see it."""
    link = home.published.with_name(home.published.name + ".tmp")
    link.symlink_to(file.relative_to(link.parent))
    link.replace(home.published)
    _sync(home.published.parent)
    (file.parent / UNFINISHED).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Wait until a folder's entries are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
