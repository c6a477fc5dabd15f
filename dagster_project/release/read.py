"""Finding releases and reading what each says about itself.

Belongs here: the columns of a release, where its file is, which release is published and which
are kept. Does not belong here: making one (`record.py`, `publish.py`).
"""

from contextlib import closing
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.home import Home
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.sql import identifier, literal

# The name of the file that marks the folder of a release that is not published yet.
UNFINISHED = "unfinished"


class ReleaseError(RuntimeError):
    """A release could not be made, found or read; the message says what to do."""


class ReleaseWithheld(ReleaseError):
    """A blocking check failed: nothing is published, and the last release stays in place."""


@dataclass(frozen=True)
class Release:
    """A row of `main.release`; the fields are its columns (described in `record.py`)."""

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
    """The release that analysts see now; None before the first.

    Raises:
        ReleaseError: the published file cannot be read.
    """
    return read_releases(home.published)[-1] if home.published.exists() else None


def connect_published(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the published file for reading.

    Raises:
        ReleaseError: nothing is published yet.
    """
    if not home.published.exists():
        raise ReleaseError(f"{home.published} does not exist yet; run `make nightly DATE=…` first")
    return connect(home.published, read_only=True)


def list_releases(home: Home) -> list[Release]:
    """The kept releases, earliest first; `roll_back` can publish any of them again.

    Raises:
        ReleaseError: a file in `releases/` is not a release.
    """
    releases = []
    for file in release_files(home):
        try:
            releases.append(read_releases(file)[-1])
        except ReleaseError:
            if file.exists():
                raise  # if the file is gone, another process has just removed the release
    return releases


def past_releases(home: Home) -> list[Release]:
    """Every release that was ever published, earliest first, whether its file is kept or not."""
    # Each file lists all releases before it. After a rollback, the latest file is not the
    # published one.
    files = [*release_files(home)[-1:], *([home.published] if home.published.exists() else [])]
    known = {release.release_id: release for file in files for release in read_releases(file)}
    return [known[release_id] for release_id in sorted(known)]


def latest_release(home: Home) -> Release | None:
    """The release that was made last, whether it is published or a rollback withdrew it."""
    files = release_files(home)
    return read_releases(files[-1])[-1] if files else None


def withdrawn_release(home: Home) -> Release | None:
    """The release that was made last, if a rollback withdrew it."""
    files = release_files(home)
    return latest_release(home) if files and not is_published(home, files[-1]) else None


def release_file(home: Home, release_id: str) -> Path:
    """The path of a release, whether the file exists or not."""
    return home.releases / release_id / home.published.name


def release_files(home: Home) -> list[Path]:
    """The files of the releases that are or were published, earliest first."""
    return [
        file
        for file in sorted(home.releases.glob(f"*/{home.published.name}"))
        if is_published(home, file) or not (file.parent / UNFINISHED).exists()
    ]


def kept_release(home: Home, release_id: str) -> Path:
    """The file of a release that is kept.

    Raises:
        ReleaseError: it is not kept; the message names those that are.
    """
    files = {file.parent.name: file for file in release_files(home)}
    if release_id not in files:
        kept = ", ".join(files) or "none yet"
        raise ReleaseError(f"no release {release_id!r} in {home.releases}; kept releases: {kept}")
    return files[release_id]


def is_published(home: Home, file: Path) -> bool:
    """Whether a release file is the one that analysts open now."""
    try:
        return file.samefile(home.published)
    except FileNotFoundError:  # nothing is published yet, or the file has just been removed
        return False


def read_releases(file: Path) -> list[Release]:
    """The releases that a release file lists, itself last.

    Raises:
        ReleaseError: the file cannot be read, or lists no release.
    """
    try:
        # The file is attached to a new connection, because connecting to a file that this process
        # has already open with other settings fails.
        with closing(duckdb.connect()) as con:
            con.execute(f"ATTACH {literal(str(file))} AS released (READ_ONLY)")
            releases = releases_in(con, "released")
    except duckdb.Error as error:
        raise ReleaseError(
            f"{file} cannot be read as a release: {error}. Move it away (if it is the published "
            "file, then roll back to a release that is kept, or publish again)."
        ) from error
    if not releases:
        raise ReleaseError(
            f"{file} lists no release, so it was not published by a run: move it away"
        )
    return releases


def releases_in(con: duckdb.DuckDBPyConnection, database: str) -> list[Release]:
    """The rows of `main.release` in an attached database, earliest first."""
    columns = ", ".join(field.name for field in fields(Release))
    rows = con.execute(
        f"SELECT {columns} FROM {identifier(database)}.main.release ORDER BY release_id"
    ).fetchall()
    return [Release(*row) for row in rows]
