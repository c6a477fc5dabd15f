"""Releases: how an audited warehouse becomes what analysts open, and how to look back.

Belongs here: the tables `main.release` and `main.release_check`, publishing, rolling back, and
comparing two releases. Does not belong here: what the checks are, when to publish, how a diff is
shown.

A release is one file, never changed once it is there:

    published/closing_bell.duckdb    what analysts open: a symbolic link to the published one of …
    published/releases/<release_id>/closing_bell.duckdb
    published/releases/<release_id>/unfinished    … this one is still being made, or never was

Readers never wait. Publishing points the link to a new file, in one step; whoever has the old one
open keeps it until they close it. The link is what keeps readers apart from a publication: DuckDB
2.0 opens a database three times to connect to it, and takes the header from one and the tables
from another. It follows the link once, before all three; where a file were put in the place of
another it could meet two releases, and show neither.

The order of steps in `publish` makes two things true at every instant, so that a crash costs
nothing: the link leads to one whole release, and every release that is not marked unfinished is
or was published. The releases themselves therefore say what was released; the warehouse's own
table is written anew from them each time.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb

from dagster_project.audit.results import OFFENDING_ROWS, ReleaseCheck
from dagster_project.home import Home
from dagster_project.warehouse.connection import connect

KEEP = 7
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


@dataclass(frozen=True)
class Table:
    """A table of schema `main` as it is created: column -> (type, description)."""

    name: str
    description: str
    columns: dict[str, tuple[str, str]]


RELEASE = Table(
    "release",
    "A release: one published, audited version of the whole warehouse. The latest is this file.",
    {
        "release_id": (
            "VARCHAR NOT NULL",
            "Time of the release (UTC) and its number since the first; sorts in order of release",
        ),
        "clock": ("DATE NOT NULL", "Last trade date that runs had asked for"),
        "published_at": (
            "TIMESTAMP NOT NULL",
            "When the audit ended and the release was made, UTC",
        ),
        "previous_release_id": (
            "VARCHAR",
            "The release analysts saw until this one; null for the first",
        ),
        "rebuilt_from": ("DATE", "Earliest session rebuilt for this release; null if none was"),
        "checks_passed": ("INTEGER NOT NULL", "Number of checks that passed"),
        "checks_warned": ("INTEGER NOT NULL", "Number of checks that failed with a warning only"),
        "what_changed": (
            "VARCHAR NOT NULL",
            "What is new since the release before, in a few words",
        ),
        "fingerprint": (
            "VARCHAR NOT NULL",
            "Hash of all that the release was made from; equal fingerprints, equal tables",
        ),
    },
)

RELEASE_CHECK = Table(
    "release_check",
    "A check of the latest release: what the audit looked for before it let the release out.",
    {
        "check_name": ("VARCHAR NOT NULL", "Name of the check"),
        "asset": ("VARCHAR NOT NULL", "The table, or other asset, that was checked"),
        "severity": (
            "VARCHAR NOT NULL",
            "What a failure does: block (the release is withheld) or warn (it is shown)",
        ),
        "passed": ("BOOLEAN NOT NULL", "Whether the check passed"),
        "rows_found": ("BIGINT NOT NULL", "Number of rows the check objects to, not waived"),
        "explanation": ("VARCHAR NOT NULL", "What was found, in words, and what to do"),
        "rows_waived": (
            "BIGINT NOT NULL",
            "Number of rows that someone has said are real (audit/waivers.csv); they hold nothing "
            "back",
        ),
        "offending_rows": (
            OFFENDING_ROWS,
            "The rows, worst first and at most 200, each with its feed, file and line where it "
            "has one; waiver: who said that it is real, and why",
        ),
        "release_id": ("VARCHAR NOT NULL", "The release that was checked"),
    },
)


# Recording


def record_release(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    *,
    clock: date,
    checks: Sequence[ReleaseCheck],
    what_changed: str,
    fingerprint: str,
    rebuilt_from: date | None = None,
) -> Release:
    """Write a new release and its checks into the warehouse, in one transaction.

    `main.release` becomes the releases that were ever visible plus the new one, so a release that
    a crash kept from being published leaves no trace; so does one that is withheld.

    Args:
        con: connection to the warehouse, in no transaction.
        home: where the published files are.
        clock: last trade date that runs have asked for.
        checks: every check of the audit, passed or not.
        what_changed: what is new, in a few words.
        fingerprint: hash of all that the tables are made from.
        rebuilt_from: earliest session rebuilt; None if none was.

    Raises:
        ReleaseWithheld: a check with severity `block` failed.
        ReleaseError: a published file cannot be read.
    """
    past = _past_releases(home)
    failed = [check for check in checks if not check.passed]
    blocking = [check for check in failed if check.severity == "block"]
    if blocking:
        _write(con, past, ())
        reasons = "\n".join(
            f"  {check.check_name} on {check.asset}: {check.explanation} (rows: {check.rows_found})"
            for check in blocking
        )
        raise ReleaseWithheld(
            f"the release for {clock} is withheld, the published file stays as it is. "
            f"Failed:\n{reasons}\nRepair the files these name, then run again."
        )
    published = published_release(home)
    # A computer's clock can be set back; the order of releases cannot.
    now = datetime.now(UTC).replace(tzinfo=None)
    published_at = max([now, *(release.published_at for release in past)])
    number = int(past[-1].release_id.rsplit("-", 1)[1]) + 1 if past else 1
    release = Release(
        release_id=f"{published_at:%Y%m%dT%H%M%SZ}-{number:04}",
        clock=clock,
        published_at=published_at,
        previous_release_id=published.release_id if published else None,
        rebuilt_from=rebuilt_from,
        checks_passed=len(checks) - len(failed),
        checks_warned=len(failed),
        what_changed=what_changed,
        fingerprint=fingerprint,
    )
    _write(con, [*past, release], [(*check.as_row, release.release_id) for check in checks])
    return release


def _write(
    con: duckdb.DuckDBPyConnection,
    releases: Sequence[Release],
    checks: Sequence[tuple[Any, ...]],
) -> None:
    con.begin()
    try:
        _create(con, RELEASE, [astuple(release) for release in releases])
        _create(con, RELEASE_CHECK, checks)
        con.commit()
    except BaseException:
        con.rollback()
        raise


def _create(con: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = ", ".join(f"{column} {type_}" for column, (type_, _) in table.columns.items())
    con.execute(f"CREATE OR REPLACE TABLE main.{table.name} ({columns})")
    con.execute(f"COMMENT ON TABLE main.{table.name} IS {_text(table.description)}")
    for column, (_, description) in table.columns.items():
        con.execute(f"COMMENT ON COLUMN main.{table.name}.{column} IS {_text(description)}")
    if rows:
        marks = ", ".join(
            # A list of structs whose fields are all null has no type of its own.
            f"?::{OFFENDING_ROWS}" if type_ == OFFENDING_ROWS else "?"
            for type_, _ in table.columns.values()
        )
        values = ", ".join(f"({marks})" for _ in rows)
        con.execute(
            f"INSERT INTO main.{table.name} VALUES {values}",
            [value for row in rows for value in row],
        )


# Publishing


def publish(home: Home, keep: int = KEEP) -> Release:
    """Make the warehouse's recorded release the published file.

    To be called after `record_release`, with every connection to the warehouse closed. A release
    that is published already stays as it is; one left half published by a crash is finished. One
    that had been rolled back is put in place again.

    Args:
        home: the warehouse and the published files.
        keep: how many releases stay in `releases/`, at least 2.

    Returns:
        The release that is now published.

    Raises:
        ReleaseError: the warehouse is missing, open, or has no release recorded; the published
            folder cannot be written. Readers have a whole release in any case.
    """
    if keep < 2:
        raise ReleaseError(
            f"asked to keep {keep} releases: keep at least 2, the published one and the one before "
            "it, which a reader may just be opening"
        )
    with _publishing(home):
        release = _seal(home.warehouse)
        file = _file(home, release.release_id)
        replaced = home.published.resolve()
        if not file.exists():
            _make(home.warehouse, release, file)
        if not _is_published(home, file):
            _show(home, file)
        for old in _files(home)[:-keep]:
            if old.resolve() != replaced:
                _remove(old.parent)
    return release


def roll_back(home: Home, release_id: str) -> Release:
    """Make an earlier release the published file; the next night publishes a new one over it.

    Raises:
        ReleaseError: no such release is kept, or the published folder cannot be written.
    """
    with _publishing(home):
        file = _kept(home, release_id)
        release = _read(file)[-1]
        if not _is_published(home, file):
            _show(home, file)
    return release


@contextmanager
def _publishing(home: Home) -> Iterator[None]:
    """One publisher at a time, beginning with the folders as no crash would have left them."""
    try:
        home.releases.mkdir(parents=True, exist_ok=True)
        folder = os.open(home.releases, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # freed with the descriptor, even by kill -9
            _tidy(home)
            yield
        finally:
            os.close(folder)
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
            f"cannot publish into {home.published.parent}: {error}. Readers still have a whole "
            f"release. To do: {advice}, then publish again."
        ) from error


def _tidy(home: Home) -> None:
    """Finish or remove what a crash left, and what never belonged there."""
    # A .wal comes from someone who opened a release for writing; readers would be served it.
    for log in home.published.parent.rglob(f"{home.published.name}.wal*"):
        log.unlink()
    for folder in home.releases.iterdir():
        if _is_published(home, folder / home.published.name):
            (folder / UNFINISHED).unlink(missing_ok=True)
        elif folder.is_dir() and ((folder / UNFINISHED).exists() or not any(folder.iterdir())):
            _remove(folder)
    home.published.with_name(home.published.name + ".tmp").unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove a release, its mark last: what is half removed is not taken for a release."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == UNFINISHED):
        path.unlink()
    folder.rmdir()


def _seal(warehouse: Path) -> Release:
    """Bring the whole warehouse into its one file; returns the release recorded last."""
    if not warehouse.exists():
        raise ReleaseError(f"{warehouse} does not exist: nothing to publish; run a night first")
    if _is_open_here(warehouse):
        # Copying would silently drop DuckDB's lock of this process, and could copy half a change.
        raise ReleaseError(
            f"{warehouse} is still open in this process: close every connection to it, those of "
            "dbt too, before publishing"
        )
    try:
        # Takes in a .wal left by a crash, too.
        with closing(connect(warehouse)) as con:
            con.execute("CHECKPOINT")
            releases = _rows(con, warehouse.stem)
    except duckdb.CatalogException:
        releases = []
    except duckdb.Error as error:
        raise ReleaseError(
            f"{warehouse} cannot be opened: {error}. If another process has it open, close it "
            "there (analysts open the published file), then publish again."
        ) from error
    if not releases:
        raise ReleaseError(
            f"{warehouse} has no release recorded: only what has been audited is published; "
            "run the whole job, checks included"
        )
    if logs := sorted(warehouse.parent.glob(warehouse.name + ".wal*")):
        raise ReleaseError(
            f"{logs[0]} is there after a checkpoint: another process has opened {warehouse}; "
            "close it there, then publish again"
        )
    return releases[-1]


def _is_open_here(file: Path) -> bool:
    """Whether this process has a descriptor of the file, DuckDB's included."""
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
    """Copy to a new read-only file and wait until the disk has it."""
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            # The lock DuckDB's own readers take: no other process can write meanwhile.
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
        raise ReleaseError(f"{target} is not as long as {source}: publish again")


def _copy_bytes(reader: Any, writer: Any, size: int) -> None:
    """All bytes of one open file to another; file systems that can will share the blocks."""
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(reader.fileno(), writer.fileno(), size):
                pass
        except OSError as error:
            cannot = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM)
            if error.errno not in cannot:
                raise
    # Whatever is left: nothing, or everything where the kernel cannot copy by itself.
    shutil.copyfileobj(reader, writer, 1 << 23)
    writer.flush()


def _make(warehouse: Path, release: Release, file: Path) -> None:
    """Copy the warehouse to be a release, marked unfinished until it is shown."""
    file.parent.mkdir()
    try:
        (file.parent / UNFINISHED).touch()
        _copy(warehouse, file)
        # The copy is a file of its own: opening it does not touch DuckDB's lock on the warehouse.
        if _read(file)[-1] != release:
            raise ReleaseError(f"{file} does not hold release {release.release_id}: publish again")
        _sync(file.parent)
        _sync(file.parent.parent)
    except BaseException:
        _remove(file.parent)
        raise


def _show(home: Home, file: Path) -> None:
    """Make a release the published one: the instant at which readers see it."""
    link = home.published.with_name(home.published.name + ".tmp")
    link.symlink_to(file.relative_to(link.parent))
    link.replace(home.published)
    _sync(home.published.parent)
    (file.parent / UNFINISHED).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Wait until the disk has a folder's entries."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Looking


def published_release(home: Home) -> Release | None:
    """The release analysts see now, or None before the first.

    Raises:
        ReleaseError: the published file cannot be read.
    """
    return _read(home.published)[-1] if home.published.exists() else None


def list_releases(home: Home) -> list[Release]:
    """The releases that are kept, earliest first; any of them can be rolled back to.

    Raises:
        ReleaseError: a file in `releases/` is not a release.
    """
    releases = []
    for file in _files(home):
        try:
            releases.append(_read(file)[-1])
        except ReleaseError:
            if file.exists():
                raise  # else another publication has just removed it
    return releases


def _past_releases(home: Home) -> list[Release]:
    """Every release that was ever visible, earliest first."""
    # The latest file tells of all before it; it is the published one, unless that was rolled back.
    files = [*_files(home)[-1:], *([home.published] if home.published.exists() else [])]
    known = {release.release_id: release for file in files for release in _read(file)}
    return [known[release_id] for release_id in sorted(known)]


def _file(home: Home, release_id: str) -> Path:
    return home.releases / release_id / home.published.name


def _files(home: Home) -> list[Path]:
    """The releases that are or were published, earliest first."""
    return [
        file
        for file in sorted(home.releases.glob(f"*/{home.published.name}"))
        if _is_published(home, file) or not (file.parent / UNFINISHED).exists()
    ]


def _kept(home: Home, release_id: str) -> Path:
    files = {file.parent.name: file for file in _files(home)}
    if release_id not in files:
        kept = ", ".join(files) or "none yet"
        raise ReleaseError(f"no release {release_id!r} in {home.releases}; kept are: {kept}")
    return files[release_id]


def _is_published(home: Home, file: Path) -> bool:
    try:
        return file.samefile(home.published)
    except FileNotFoundError:  # none is published yet, or this one was removed just now
        return False


def _read(file: Path) -> list[Release]:
    """The releases that a release file tells of, itself last."""
    try:
        # Attached to a connection of its own: connecting to a file that this process has open
        # fails where it was opened with other settings.
        with closing(duckdb.connect()) as con:
            con.execute(f"ATTACH {_text(str(file))} AS released (READ_ONLY)")
            releases = _rows(con, "released")
    except duckdb.Error as error:
        raise ReleaseError(
            f"{file} cannot be read as a release: {error}. Move it away (if it is the published "
            "file, then roll back to a release that is kept, or publish again)."
        ) from error
    if not releases:
        raise ReleaseError(f"{file} names no release: move it away, it was not published by a run")
    return releases


def _rows(con: duckdb.DuckDBPyConnection, database: str) -> list[Release]:
    columns = ", ".join(field.name for field in fields(Release))
    rows = con.execute(
        f"SELECT {columns} FROM {_name(database)}.main.release ORDER BY release_id"
    ).fetchall()
    return [Release(*row) for row in rows]


# Comparing


@dataclass(frozen=True)
class RowDiff:
    """A row that differs: its key, and its values before and after (changed: only what changed)."""

    kind: Literal["added", "removed", "changed"]
    key: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class TableDiff:
    """How a table differs between two releases: numbers of rows, columns, a few example rows.

    Rows are compared in the columns that both have with the same type; `columns_added` and
    `columns_removed` are the others, as `name TYPE`. Without a key no row counts as changed.
    """

    table: str
    added: int
    removed: int
    changed: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    examples: tuple[RowDiff, ...]


# Differ between any two releases, and say nothing about the market.
_NOT_COMPARED = {"release", "release_check"}
_IGNORED_COLUMNS = {"loaded_at"}
# What identifies a row, in the contract's words: a table's key is the first of these that it has,
# as many as make its rows unique.
_IDENTITY = (
    *("claim_id", "trade_date", "record_kind", "symbol", "market", "scope", "region", "level"),
    *("side", "rank", "sector", "feed", "file", "path", "line_number", "metric"),
)


def mart_diff(home: Home, a: str, b: str, examples: int = 3) -> list[TableDiff]:
    """The tables of schema `main` that differ between releases `a` and `b`, in order of name.

    When a row was loaded is no difference, nor what the release tables say of themselves.

    Args:
        home: where the releases are kept.
        a: release_id of the earlier one; `removed` and `before` are its rows.
        b: release_id of the later one; `added` and `after` are its rows.
        examples: how many example rows of each kind to give.

    Raises:
        ReleaseError: a release is not kept.
    """
    files = {"a": _kept(home, a), "b": _kept(home, b)}
    # Millions of rows are compared within bounded memory; what does not fit waits on disk.
    with tempfile.TemporaryDirectory() as scratch, closing(duckdb.connect()) as con:
        con.execute(f"SET temp_directory = {_text(scratch)}")
        con.execute("SET preserve_insertion_order = false")
        con.execute("SET memory_limit = '2GB'")
        for name, file in files.items():
            con.execute(f"ATTACH {_text(str(file))} AS {name} (READ_ONLY)")
        tables = con.execute(
            "SELECT DISTINCT table_name FROM duckdb_tables() "
            "WHERE database_name IN ('a', 'b') AND schema_name = 'main' ORDER BY table_name"
        ).fetchall()
        diffs = [
            _table_diff(con, name, examples) for (name,) in tables if name not in _NOT_COMPARED
        ]
    return [diff for diff in diffs if diff]


def _table_diff(con: duckdb.DuckDBPyConnection, table: str, examples: int) -> TableDiff | None:
    columns = {side: _columns(con, side, table) for side in ("a", "b")}
    gone = tuple(f"{n} {t}" for n, t in columns["a"].items() if columns["b"].get(n) != t)
    come = tuple(f"{n} {t}" for n, t in columns["b"].items() if columns["a"].get(n) != t)
    # Of a table that only one release has, all rows have come, or gone.
    where = {side: f"{side}.main.{_name(table)}" for side in columns if columns[side]}
    names = [
        name
        for name, type_ in (columns["b"] or columns["a"]).items()
        if all(columns[side].get(name) == type_ for side in where)
    ]
    if not names:
        return TableDiff(table, 0, 0, 0, come, gone, ())
    selected = ", ".join(_name(name) for name in names)
    rows = {
        side: f"(SELECT {selected} FROM {where[side]})"
        if side in where
        else f"(SELECT {selected} FROM {next(iter(where.values()))} LIMIT 0)"
        for side in columns
    }
    con.execute(f"CREATE OR REPLACE TEMP TABLE removed AS {rows['a']} EXCEPT ALL {rows['b']}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE added AS {rows['b']} EXCEPT ALL {rows['a']}")
    differ = con.execute("SELECT 1 FROM removed UNION ALL SELECT 1 FROM added LIMIT 1").fetchall()
    if not (differ or come or gone):
        return None
    key = _key(con, list(where.values()), names)
    # A row is in one of the two only, so without a key no row meets another.
    same = " AND ".join(
        f"before.{_name(name)} IS NOT DISTINCT FROM after.{_name(name)}" for name in key or names
    )
    whole = f"struct_pack({', '.join(f'{_name(name)} := {_name(name)}' for name in names)})"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE row_diff AS
        SELECT before, after,
            CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed'
            ELSE 'changed' END AS kind
        FROM (SELECT {whole} AS before FROM removed)
        FULL JOIN (SELECT {whole} AS after FROM added) ON {same}
        """
    )
    count = dict(con.execute("SELECT kind, count(*) FROM row_diff GROUP BY kind").fetchall())
    shown = con.execute(
        f"""
        SELECT kind, before, after FROM row_diff
        QUALIFY row_number() OVER (PARTITION BY kind ORDER BY after, before) <= {examples}
        ORDER BY kind, after, before
        """
    ).fetchall()
    return TableDiff(
        table,
        count.get("added", 0),
        count.get("removed", 0),
        count.get("changed", 0),
        come,
        gone,
        tuple(_row_diff(kind, key, before or {}, after or {}) for kind, before, after in shown),
    )


def _row_diff(
    kind: Literal["added", "removed", "changed"],
    key: Sequence[str],
    before: dict[str, Any],
    after: dict[str, Any],
) -> RowDiff:
    at = {name: (after or before)[name] for name in key}
    if kind == "changed":
        differing = [name for name in after if after[name] != before[name]]
        before = {name: before[name] for name in differing}
        after = {name: after[name] for name in differing}
    return RowDiff(kind, at, before, after)


def _columns(con: duckdb.DuckDBPyConnection, side: str, table: str) -> dict[str, str]:
    """Column -> type of a table; empty where the release has no such table."""
    rows = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = 'main' AND table_name = ? "
        "ORDER BY column_index",
        [side, table],
    ).fetchall()
    return {name: type_ for name, type_ in rows if name not in _IGNORED_COLUMNS}


def _key(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], columns: Sequence[str]
) -> list[str]:
    """The columns that identify a row in each of the tables; empty if none are known to."""
    key: list[str] = []
    for name in _IDENTITY:
        if name in columns:
            key.append(name)
            names = ", ".join(_name(k) for k in key)
            repeats = (f"SELECT 1 FROM {t} GROUP BY {names} HAVING count(*) > 1" for t in tables)
            if not con.execute(" UNION ALL ".join(repeats) + " LIMIT 1").fetchall():
                return key
    return []


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
