"""The landing folder: listing the files of a feed, and reading their bytes safely.

Belongs here: listing `landing/<folder>/` without opening a file, checking names and types of files,
and reading the bytes of a listed file. Does not belong here: what the bytes mean (`reader.py`).

Somebody who can write to landing must not be able to make Closing Bell read files elsewhere. So no
symbolic link below landing is followed, even one that replaces a file or folder while it is read.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.printable import printable

# Folders below a feed's folder are listed down to this depth, and reported if they are deeper.
DEEPEST = 16
LATEST_TIME = 2**63 - 1
# Earlier times are not real: archives without times unpack files with a time in 1970 or 1980.
_NO_TIME_BEFORE = datetime(1980, 1, 2)
_HONG_KONG_AHEAD = timedelta(hours=8)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True)
class LandingFile:
    """A regular file whose name matches its feed's pattern.

    `path` is relative to landing/, such as wsj_index/HSI.csv; `placeholders` are the parts of the
    name that the pattern captures.
    """

    feed: str
    path: str
    absolute: str
    size: int
    mtime_ns: int
    placeholders: dict[str, str]
    file_date: date | None


@dataclass(frozen=True)
class UnusableFile:
    """A file or folder in a feed's folder that is not read, and the reason."""

    feed: str
    path: str
    size: int
    mtime_ns: int
    reason: str


class FileUnreadable(Exception):
    """A listed file cannot be read, or has changed since; the message says what to do."""


class LandingMissing(FileNotFoundError):
    """A feed's folder is missing or cannot be listed. Its files do not count as removed then."""


def scan_feed(landing: Path, spec: FeedSpec) -> tuple[list[LandingFile], list[UnusableFile]]:
    """List a feed's files, without those whose names start with a dot (not delivered yet), and
    without those that its spec ignores.

    Returns:
        The files that can be read, and those that cannot; both sorted by path.

    Raises:
        LandingMissing: `landing/<folder>` is missing, or it or a folder in it cannot be listed.
    """
    folder = landing.absolute() / spec.landing_folder
    if folder.is_symlink():
        raise LandingMissing(
            f"{folder} is a symbolic link, and links are not followed; make it a folder"
        )
    if not folder.is_dir():
        raise LandingMissing(
            f"{folder} is not a folder; put the files of feed {spec.feed} there ({spec.files}), "
            "or set CLOSING_BELL_HOME to the folder that contains landing/"
        )
    files: list[LandingFile] = []
    unusable: list[UnusableFile] = []
    for inside, status in _walk(folder):
        if stat.S_ISDIR(status.st_mode) and spec.match(inside) is None and _depth(inside) < DEEPEST:
            continue
        if spec.ignores(inside):
            continue
        path, absolute = f"{spec.landing_folder}/{_shown(inside)}", f"{folder}/{inside}"
        found = _examine(spec, inside, absolute, status)
        if isinstance(found, str):
            unusable.append(
                UnusableFile(spec.feed, path, status.st_size, _kept_time(status), found)
            )
            continue
        placeholders, file_date = found
        files.append(
            LandingFile(
                spec.feed, path, absolute, status.st_size, status.st_mtime_ns, placeholders,
                file_date,
            )
        )  # fmt: skip
    files.sort(key=lambda file: file.path)
    unusable.sort(key=lambda file: file.path)
    return files, unusable


def holds_files(landing: Path, folder: str) -> bool:
    """Whether anything was delivered into a folder of landing, readable or not."""
    try:
        return any(not stat.S_ISDIR(status.st_mode) for _, status in _walk(landing / folder))
    except LandingMissing:
        return False


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a feed's folder: path relative to the folder, and status."""
    to_list = [""]
    while to_list:
        below = to_list.pop()
        try:
            with (
                _opened_folder(folder.parent, f"{folder.name}/{below}".split("/")[:-1]) as opened,
                os.scandir(opened) as entries,
            ):
                found = [entry for entry in entries if not entry.name.startswith(".")]
                statuses = [_status(entry) for entry in found]
        except OSError as error:
            where = printable(f"{folder}/{below}".rstrip("/"))
            raise LandingMissing(
                f"{where} cannot be listed: {error.strerror}; make it a readable folder"
            ) from error
        for entry, status in zip(found, statuses, strict=True):
            if status is None:
                continue
            inside = below + entry.name
            yield inside, status
            if stat.S_ISDIR(status.st_mode) and _depth(inside) < DEEPEST:
                to_list.append(f"{inside}/")


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # it was removed after the folder was listed


def _kept_time(status: os.stat_result) -> int:
    """A file's time in nanoseconds, limited to what 64 bits can store: 1677 to 2262."""
    return max(-LATEST_TIME, min(status.st_mtime_ns, LATEST_TIME))


def _depth(inside: str) -> int:
    return inside.count("/") + 1


def _shown(inside: str) -> str:
    """A path as text that can be stored and shown; different paths give different texts."""
    return printable(inside.replace("\\", "\\\\"))


@contextmanager
def _opened_folder(landing: str | Path, below: list[str]) -> Iterator[int]:
    """Open a folder below landing, without following a link there, and yield its descriptor.

    Links on the path to landing itself are followed.

    Raises:
        OSError: part of the path is missing, or is not a folder.
    """
    opened = os.open(landing, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in below:
            inner = os.open(name, _FOLDER, dir_fd=opened)
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


def read_file(file: LandingFile) -> bytes:
    """Read the bytes of a file, after checking that it is still as it was listed.

    Raises:
        FileUnreadable: it is gone, cannot be read, is no longer a regular file, or has changed.
    """
    landing, *below, name = file.absolute.rsplit("/", _depth(file.path))
    # O_NONBLOCK: if a pipe has replaced the file, opening it must not wait for a writer.
    mode = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with (
            _opened_folder(landing or "/", below) as folder,
            os.fdopen(os.open(name, mode, dir_fd=folder), "rb") as opened,
        ):
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise FileUnreadable("is no longer a regular file; deliver it again")
            content = opened.read(file.size + 1)
            status = os.fstat(opened.fileno())
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FileUnreadable(
                "is now a symbolic link, or in a folder that is one; put the file itself into the "
                "landing folder"
            ) from error
        raise FileUnreadable(f"cannot be read: {error.strerror}; deliver it again") from error
    if (len(content), status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise FileUnreadable(
            "was written while it was read; the next run reads it again. To avoid this, deliver "
            "it under a name that starts with a dot, and rename it when it is complete"
        )
    return content


def _examine(
    spec: FeedSpec, inside: str, absolute: str, status: os.stat_result
) -> tuple[dict[str, str], date | None] | str:
    """The placeholders and the date in a file's name; or the reason why the file is not read."""
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link; put the file itself into the landing folder"
    if stat.S_ISDIR(status.st_mode) and _depth(inside) >= DEEPEST:
        return f"is a folder at depth {DEEPEST}, and is not read; move its files to a folder above"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file; remove it, or put a regular file in its place"
    if not inside.isprintable():
        return "its name has unprintable characters; rename it"
    placeholders = spec.match(inside)
    if placeholders is None:
        return f"its name does not match {spec.files!r} of feed {spec.feed}; rename it"
    try:
        file_date = spec.file_date(placeholders)
    except ValueError:
        return f"its name has no date of the form {spec.file_date_format!r}; rename it"
    if status.st_size > spec.format.max_megabytes * 1_000_000:
        return (
            f"has {status.st_size / 1e6:,.0f} MB; feed {spec.feed} allows at most "
            f"{spec.format.max_megabytes} MB (format.max_megabytes in its spec); fetch it again, "
            "or split it"
        )
    if _kept_time(status) != status.st_mtime_ns:
        return "its modification time is centuries away; correct it with `touch`"
    if not os.access(absolute, os.R_OK):
        return "this user may not read it; correct its permissions"
    return placeholders, file_date


def delivered_at(mtime_ns: int) -> datetime | None:
    """When a file was delivered, in Hong Kong time; None if its time cannot be real."""
    moment = datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC).replace(tzinfo=None)
    return moment + _HONG_KONG_AHEAD if moment >= _NO_TIME_BEFORE else None


def unclaimed_folders(landing: Path, folders: set[str]) -> list[str]:
    """Entries of landing/ that no feed reads, because of a typo or a missing spec."""
    if not landing.is_dir():
        return []
    return sorted(
        _shown(entry.name)
        for entry in landing.iterdir()
        if not entry.name.startswith(".") and entry.name not in folders
    )
