"""Which files of a feed must be read, because they differ from what raw holds.

Belongs here: comparing by size, time and fingerprint, without opening a file. Does not belong
here: reading files (`reader.py`), the order of the steps (`feed_ingestion.py`).
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from dagster_project import fingerprint
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import (
    LandingFile,
    LandingMissing,
    UnusableFile,
    delivered_at,
    scan_feed,
)
from dagster_project.ingest.spec_sql import closing_time
from dagster_project.market.calendar import today_in_hong_kong
from dagster_project.market.seeds import known_indices
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.raw_tables import FileRow
from dagster_project.warehouse.sessions import days_with_new_closing_time


@dataclass
class FeedChanges:
    """What differs between a feed's folder and what raw holds of it.

    Paths are relative to landing/. `loaded` is path -> the row of `raw.file` whose records are in
    use. `missing_folder` says what is wrong if the folder could not be listed.
    """

    to_read: list[LandingFile] = field(default_factory=list)
    unusable: list[UnusableFile] = field(default_factory=list)
    removed: list[FileRow] = field(default_factory=list)
    missing_folder: str | None = None
    files_in_landing: int = 0
    loaded: dict[str, FileRow] = field(default_factory=dict)
    # Whether a file with unchanged bytes can be skipped, because spec and code are unchanged too.
    same_meaning: bool = True
    # Paths of files that must be read again although their bytes may be unchanged: today, or the
    # new time of delivery, can change which of their rows are rejected.
    waited_for: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.to_read or self.unusable or self.removed)


def detect_changes(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    spec: FeedSpec,
    today: date | None = None,
    indices: frozenset[str] | None = None,
) -> FeedChanges:
    """Compare a feed's folder with raw, by size and modification time, without opening a file.

    Args:
        today: the date in Hong Kong. Rows of later dates were rejected, and are read again when
            their date has come.
        indices: symbols of the known indices; default: `known_indices()`.
    """
    try:
        files, unusable = scan_feed(landing, spec)
    except LandingMissing as error:
        return FeedChanges(missing_folder=str(error))
    held = raw_tables.held_files(con, spec.feed)
    # If a path has two rows, the quarantined one is about the file's present content.
    latest = {row.path: row for row in sorted(held, key=lambda row: row.status == "set_aside")}
    changes = FeedChanges(
        files_in_landing=len(files),
        loaded={row.path: row for row in held if row.status == "loaded"},
        same_meaning=not held or _was_read_with(con, spec, indices),
    )
    changes.waited_for = _whose_dates_have_come(con, spec, today or today_in_hong_kong())
    changes.waited_for |= _whose_delivery_time_matters(con, spec, changes.loaded, files)
    changes.waited_for |= _whose_closing_time_changed(con, latest)
    changes.to_read = [
        file for file in files if _must_be_read(file, latest.get(file.path), changes)
    ]
    changes.unusable = [item for item in unusable if not _is_known(item, latest.get(item.path))]
    present = {file.path for file in files} | {item.path for item in unusable}
    changes.removed = [row for row in held if row.path not in present]
    return changes


def _must_be_read(file: LandingFile, known: FileRow | None, changes: FeedChanges) -> bool:
    return (
        known is None
        or (known.size, known.mtime_ns) != (file.size, file.mtime_ns)
        or known.sha256 is None  # it could not be opened
        or not changes.same_meaning
        or file.path in changes.waited_for
    )


def _is_known(item: UnusableFile, known: FileRow | None) -> bool:
    """Whether raw already says that a file cannot be used, and for the same reason."""
    return known is not None and (known.status, known.size, known.mtime_ns, known.reason) == (
        "set_aside", item.size, item.mtime_ns, item.reason,
    )  # fmt: skip


def _was_read_with(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, indices: frozenset[str] | None
) -> bool:
    """Whether the feed's files were last read with this spec, these indices and this code."""
    found = con.execute(
        "select 1 from raw.feed where feed = ? and fingerprint = ?",
        [spec.feed, reading_fingerprint(spec, indices)],
    ).fetchone()
    return found is not None


def _whose_dates_have_come(con: duckdb.DuckDBPyConnection, spec: FeedSpec, today: date) -> set[str]:
    """Paths of files with rows that were rejected for a future date which is no longer one."""
    paths = con.execute(
        """select distinct path from raw.rejected_row join raw.file as file using (file_id)
        where file.feed = ? and reason_code = 'future_date'
        and rejected_row.reason[:10]::DATE <= ?""",
        [spec.feed, today],
    ).fetchall()
    return {path for (path,) in paths}


def _whose_delivery_time_matters(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    loaded: dict[str, FileRow],
    files: list[LandingFile],
) -> set[str]:
    """Paths of files that were delivered at another time, if their rows are checked against it.

    These are files with rows that came before the close of their date, or that would have.
    """
    early = {
        path
        for (path,) in con.execute(
            """select distinct path from raw.rejected_row join raw.file as file using (file_id)
            where file.feed = ? and reason_code = 'before_the_close'""",
            [spec.feed],
        ).fetchall()
    }
    return {
        file.path
        for file in files
        if (before := loaded.get(file.path))
        and before.mtime_ns != file.mtime_ns
        and (file.path in early or _has_rows_since(before, file))
    }


def _whose_closing_time_changed(
    con: duckdb.DuckDBPyConnection, latest: dict[str, FileRow]
) -> set[str]:
    """Paths of files that came on a day of which another closing time is known now."""
    days = days_with_new_closing_time(con)
    return {
        path
        for path, row in latest.items()
        if days and (delivered := delivered_at(row.mtime_ns)) and delivered.date() in days
    }


def _has_rows_since(before: FileRow, file: LandingFile) -> bool:
    """Whether a loaded file has rows of its new day of delivery, or of a later day."""
    delivered = delivered_at(file.mtime_ns)
    return bool(delivered and before.last_trade_date and before.last_trade_date >= delivered.date())


def reading_fingerprint(spec: FeedSpec, indices: frozenset[str] | None) -> str:
    """A hash of all that decides what a file's bytes become: spec, known indices, times, code."""
    known = sorted(indices or known_indices()) if "index_close" in spec.records else []
    return fingerprint.of_values(
        spec.model_dump_json(), known, closing_time(spec, {}), fingerprint.of_reading()
    )
