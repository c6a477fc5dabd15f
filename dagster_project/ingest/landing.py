"""What lies in the landing folder: which file belongs to which feed, and which cannot be taken.

Belongs here: walking `landing/<feed>/` without opening a file, judging names and kinds of file,
and fetching the bytes of one that was listed. Does not belong here: what they mean (`reader.py`).

Whoever may write to landing is not trusted with more than that: below it no link is followed, even
one that takes the place of a file or folder while it is being looked at.
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

# Folders in folders are looked into so far, that no file below a feed's folder is overlooked.
DEEPEST = 16
LATEST_TIME = 2**63 - 1
# Archives that keep no times unpack to 1970 or 1980.
_NO_TIME_BEFORE = datetime(1980, 1, 2)
_HONG_KONG_AHEAD = timedelta(hours=8)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True)
class LandingFile:
    """A regular file whose name fits its feed. `path` is below landing/, e.g. wsj_index/HSI.csv."""

    feed: str
    path: str
    absolute: str
    size: int
    mtime_ns: int
    placeholders: dict[str, str]
    file_date: date | None


@dataclass(frozen=True)
class UnusableFile:
    """Something in a feed's folder that is not read at all, and why."""

    feed: str
    path: str
    size: int
    mtime_ns: int
    reason: str


class FileUnreadable(Exception):
    """A listed file cannot be read as it was listed; the message says why and what to do."""


class LandingMissing(FileNotFoundError):
    """A feed's folder is gone or cannot be listed: an outage, not a removal of its files."""


def scan_feed(landing: Path, spec: FeedSpec) -> tuple[list[LandingFile], list[UnusableFile]]:
    """List a feed's files, sorted by path. Names that begin with a dot are not yet delivered.

    Returns:
        The files to read and those that cannot be; both empty where the folder is.

    Raises:
        LandingMissing: `landing/<feed>` or a folder in it does not exist or cannot be listed.
    """
    folder = landing.absolute() / spec.feed
    if folder.is_symlink():
        raise LandingMissing(f"{folder} is a link, and none is followed; make it a folder")
    if not folder.is_dir():
        raise LandingMissing(
            f"{folder} is no folder; put the files of feed {spec.feed} there ({spec.files}), "
            "or set CLOSING_BELL_HOME to the folder that holds landing/"
        )
    files: list[LandingFile] = []
    unusable: list[UnusableFile] = []
    for inside, status in _walk(folder):
        if stat.S_ISDIR(status.st_mode) and spec.match(inside) is None and _depth(inside) < DEEPEST:
            continue
        path, absolute = f"{spec.feed}/{_shown(inside)}", f"{folder}/{inside}"
        found = _judge(spec, inside, absolute, status)
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


def _walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a feed's folder: its path there, and what it is."""
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
            raise LandingMissing(f"{where} cannot be listed: {error.strerror}") from error
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
        return None  # taken away since the folder was listed


def _kept_time(status: os.stat_result) -> int:
    """The time of a file, as far as 64 bits of nanoseconds reach: from 1677 to 2262."""
    return max(-LATEST_TIME, min(status.st_mtime_ns, LATEST_TIME))


def _depth(inside: str) -> int:
    return inside.count("/") + 1


def _shown(inside: str) -> str:
    """A name as text that can be stored and shown, and that no other name has."""
    return printable(inside.replace("\\", "\\\\"))


@contextmanager
def _opened_folder(landing: str | Path, below: list[str]) -> Iterator[int]:
    """A descriptor of a folder below landing; landing itself may lie behind links, it may not.

    Raises:
        OSError: on the way is something else than a folder.
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
    """The bytes of a file, as many as it was listed with.

    Raises:
        FileUnreadable: it is gone, cannot be read, has become something else, or is being written.
    """
    landing, *below, name = file.absolute.rsplit("/", _depth(file.path))
    # A pipe put in its place would be waited for.
    mode = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with (
            _opened_folder(landing or "/", below) as folder,
            os.fdopen(os.open(name, mode, dir_fd=folder), "rb") as opened,
        ):
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise FileUnreadable("is not a regular file any more; deliver it again")
            content = opened.read(file.size + 1)
            status = os.fstat(opened.fileno())
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise FileUnreadable(
                "has become a link, or its folder has; put the file itself into the landing folder"
            ) from error
        raise FileUnreadable(f"cannot be read: {error.strerror}; deliver it again") from error
    if (len(content), status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise FileUnreadable(
            "was written to while it was read; the next run reads it. Deliver under a name that "
            "begins with a dot, and rename the file when it is whole"
        )
    return content


def _judge(
    spec: FeedSpec, inside: str, absolute: str, status: os.stat_result
) -> tuple[dict[str, str], date | None] | str:
    """What a file's name says; where the file cannot be read, the reason."""
    if stat.S_ISLNK(status.st_mode):
        return "is a link; put the file itself into the landing folder"
    if stat.S_ISDIR(status.st_mode) and _depth(inside) >= DEEPEST:
        return f"is a folder {DEEPEST} deep, not looked into; move up what it holds"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if not inside.isprintable():
        return "its name holds characters that cannot be shown; rename it"
    placeholders = spec.match(inside)
    if placeholders is None:
        return f"its name does not fit {spec.files!r} of feed {spec.feed}; rename it"
    try:
        file_date = spec.file_date(placeholders)
    except ValueError:
        return f"its name holds no date of the form {spec.file_date_format!r}; rename it"
    if status.st_size > spec.format.max_megabytes * 1_000_000:
        return (
            f"holds {status.st_size / 1e6:,.0f} MB; feed {spec.feed} takes at most "
            f"{spec.format.max_megabytes} MB (format.max_megabytes in its spec)"
        )
    if _kept_time(status) != status.st_mtime_ns:
        return "its time of change lies centuries away; correct it (`touch`)"
    if not os.access(absolute, os.R_OK):
        return "may not be read by this user; correct its permissions"
    return placeholders, file_date


def delivered_at(mtime_ns: int) -> datetime | None:
    """When a file was delivered, in Hong Kong; None where its time says nothing."""
    moment = datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC).replace(tzinfo=None)
    return moment + _HONG_KONG_AHEAD if moment >= _NO_TIME_BEFORE else None


def unclaimed_folders(landing: Path, feeds: set[str]) -> list[str]:
    """Folders of landing/ that belong to no feed: a typo in a folder's name, or a spec missing."""
    if not landing.is_dir():
        return []
    return sorted(
        _shown(entry.name)
        for entry in landing.iterdir()
        if not entry.name.startswith(".") and entry.name not in feeds
    )
