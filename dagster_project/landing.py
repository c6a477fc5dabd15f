"""What lies in the landing folder: which file belongs to which feed, and which cannot be taken.

Belongs here: walking `landing/<feed>/` without opening a file, and judging names and kinds of
file. Does not belong here: what is inside a file (`reader.py`).
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.feed import FeedSpec


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


class LandingMissing(FileNotFoundError):
    """A feed's folder is gone or cannot be listed: an outage, not a removal of its files."""


def scan_feed(landing: Path, spec: FeedSpec) -> tuple[list[LandingFile], list[UnusableFile]]:
    """List a feed's files, sorted by path. Names that begin with a dot are not yet delivered.

    Returns:
        The files to read and those that cannot be; both empty where the folder is.

    Raises:
        LandingMissing: `landing/<feed>` or a folder in it does not exist or cannot be listed.
    """
    folder = landing / spec.feed
    if not folder.is_dir():
        raise LandingMissing(
            f"{folder} is no folder; put the files of feed {spec.feed} there ({spec.files}), "
            "or set CLOSING_BELL_HOME to the folder that holds landing/"
        )
    files: list[LandingFile] = []
    unusable: list[UnusableFile] = []
    start = len(str(folder)) + 1
    try:
        for entry, status in _walk(str(folder)):
            inside = entry.path[start:]
            if stat.S_ISDIR(status.st_mode) and spec.match(inside) is None:
                continue
            path = f"{spec.feed}/{inside}".encode("utf-8", "backslashreplace").decode()
            found = _judge(spec, inside, entry.path, status)
            if isinstance(found, str):
                unusable.append(
                    UnusableFile(spec.feed, path, status.st_size, status.st_mtime_ns, found)
                )
                continue
            placeholders, file_date = found
            files.append(
                LandingFile(
                    spec.feed, path, entry.path, status.st_size, status.st_mtime_ns,
                    placeholders, file_date,
                )
            )  # fmt: skip
    except OSError as error:
        raise LandingMissing(f"{error.filename} cannot be listed: {error.strerror}") from error
    files.sort(key=lambda file: file.path)
    unusable.sort(key=lambda file: file.path)
    return files, unusable


def _walk(folder: str) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """Everything below a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # taken away since the folder was listed
            yield entry, status
            if stat.S_ISDIR(status.st_mode):
                yield from _walk(entry.path)


def _judge(
    spec: FeedSpec, inside: str, absolute: str, status: os.stat_result
) -> tuple[dict[str, str], date | None] | str:
    """What a file's name says; where the file cannot be read, the reason."""
    if stat.S_ISLNK(status.st_mode):
        return "is a link; put the file itself into the landing folder"
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
    if not os.access(absolute, os.R_OK):
        return "may not be read by this user; correct its permissions"
    return placeholders, file_date


def unclaimed_folders(landing: Path, feeds: set[str]) -> list[str]:
    """Folders of landing/ that belong to no feed: a typo in a folder's name, or a spec missing."""
    if not landing.is_dir():
        return []
    return sorted(
        entry.name
        for entry in landing.iterdir()
        if not entry.name.startswith(".") and entry.name not in feeds
    )
