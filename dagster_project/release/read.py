"""Finding and reading releases: the published one, those that are kept, what each says of itself.

Belongs here: what a release is, and where its file lies. Does not belong here: making one
(`record.py`, `publish.py`).
"""

from contextlib import closing
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.home import Home
from dagster_project.warehouse.sql import identifier, literal

# Marks the folder of a release that is not published yet.
UNFINISHED = "unfinished"


class ReleaseError(RuntimeError):
    """A release could not be made, found or read; the message says what to do."""


class ReleaseWithheld(ReleaseError):
    """Blocking checks failed: nothing is released, the last good release stays."""


@dataclass(frozen=True)
class Release:
    """A row of `main.release`; the fields are its columns."""

    release_id: str
    clock: date
    published_at: datetime
    previous_release_id: str | None
    rebuilt_from: date | None
    checks_passed: int
    checks_warned: int
    what_changed: str
    fingerprint: str


def published_release(home: Home) -> Release | None:
    """The release analysts see now, or None before the first.

    Raises:
        ReleaseError: the published file cannot be read.
    """
    return read_releases(home.published)[-1] if home.published.exists() else None


def list_releases(home: Home) -> list[Release]:
    """The releases that are kept, earliest first; any of them can be rolled back to.

    Raises:
        ReleaseError: a file in `releases/` is not a release.
    """
    releases = []
    for file in release_files(home):
        try:
            releases.append(read_releases(file)[-1])
        except ReleaseError:
            if file.exists():
                raise  # else another publication has just removed it
    return releases


def past_releases(home: Home) -> list[Release]:
    """Every release that was ever visible, earliest first."""
    # The latest file tells of all before it; it is the published one, unless that was rolled back.
    files = [*release_files(home)[-1:], *([home.published] if home.published.exists() else [])]
    known = {release.release_id: release for file in files for release in read_releases(file)}
    return [known[release_id] for release_id in sorted(known)]


def release_file(home: Home, release_id: str) -> Path:
    return home.releases / release_id / home.published.name


def release_files(home: Home) -> list[Path]:
    """The releases that are or were published, earliest first."""
    return [
        file
        for file in sorted(home.releases.glob(f"*/{home.published.name}"))
        if is_published(home, file) or not (file.parent / UNFINISHED).exists()
    ]


def kept_release(home: Home, release_id: str) -> Path:
    files = {file.parent.name: file for file in release_files(home)}
    if release_id not in files:
        kept = ", ".join(files) or "none yet"
        raise ReleaseError(f"no release {release_id!r} in {home.releases}; kept are: {kept}")
    return files[release_id]


def is_published(home: Home, file: Path) -> bool:
    try:
        return file.samefile(home.published)
    except FileNotFoundError:  # none is published yet, or this one was removed just now
        return False


def read_releases(file: Path) -> list[Release]:
    """The releases that a release file tells of, itself last."""
    try:
        # Attached to a connection of its own: connecting to a file that this process has open
        # fails where it was opened with other settings.
        with closing(duckdb.connect()) as con:
            con.execute(f"ATTACH {literal(str(file))} AS released (READ_ONLY)")
            releases = releases_in(con, "released")
    except duckdb.Error as error:
        raise ReleaseError(
            f"{file} cannot be read as a release: {error}. Move it away (if it is the published "
            "file, then roll back to a release that is kept, or publish again)."
        ) from error
    if not releases:
        raise ReleaseError(f"{file} names no release: move it away, it was not published by a run")
    return releases


def releases_in(con: duckdb.DuckDBPyConnection, database: str) -> list[Release]:
    columns = ", ".join(field.name for field in fields(Release))
    rows = con.execute(
        f"SELECT {columns} FROM {identifier(database)}.main.release ORDER BY release_id"
    ).fetchall()
    return [Release(*row) for row in rows]
