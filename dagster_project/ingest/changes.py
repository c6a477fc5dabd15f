"""What differs between a feed's folder and what raw holds of it.

Belongs here: which files must be read, by size, time and fingerprint; no file is opened. Does not
belong here: reading them (`reader.py`), the order of the steps (`feed_ingestion.py`).
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
from dagster_project.market.calendar import today_in_hong_kong
from dagster_project.market.seeds import known_indices
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.raw_tables import FileRow


@dataclass
class FeedChanges:
    """What differs between a feed's folder and what raw holds of it. Paths are below landing/."""

    to_read: list[LandingFile] = field(default_factory=list)
    unusable: list[UnusableFile] = field(default_factory=list)
    removed: list[FileRow] = field(default_factory=list)
    missing_folder: str | None = None
    files_in_landing: int = 0
    loaded: dict[str, FileRow] = field(default_factory=dict)
    # The same bytes give the same rows, but for these files, of which rows waited for their day,
    # or came before its close, and those delivered again at a time that such rows are judged by.
    same_meaning: bool = True
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
    """Compare a feed's folder with raw, by size and modification time; opens no file.

    Args:
        today: the real date in Hong Kong; rows of later dates were refused and wait for theirs.
        indices: symbols of the known indices; `known_indices()` where not given.
    """
    try:
        files, unusable = scan_feed(landing, spec)
    except LandingMissing as error:
        return FeedChanges(missing_folder=str(error))
    held = raw_tables.held_files(con, spec.feed)
    # Of a path's two rows, the one set aside is about its present content.
    latest = {row.path: row for row in sorted(held, key=lambda row: row.status == "set_aside")}
    read_before = con.execute(
        "select 1 from raw.feed where feed = ? and fingerprint = ?",
        [spec.feed, reading_fingerprint(spec, indices)],
    ).fetchone()
    waited = con.execute(
        """select distinct path from raw.rejected_row join raw.file as file using (file_id)
        where file.feed = ? and reason_code = 'future_date'
        and rejected_row.reason[:10]::DATE <= ?""",
        [spec.feed, today or today_in_hong_kong()],
    ).fetchall()
    early = con.execute(
        """select distinct path from raw.rejected_row join raw.file as file using (file_id)
        where file.feed = ? and reason_code = 'before_the_close'""",
        [spec.feed],
    ).fetchall()
    changes = FeedChanges(
        files_in_landing=len(files),
        loaded={row.path: row for row in held if row.status == "loaded"},
        same_meaning=read_before is not None or not held,
        waited_for={path for (path,) in waited},
    )
    for file in files:
        before = changes.loaded.get(file.path)
        if (
            before
            and before.mtime_ns != file.mtime_ns
            and ((file.path,) in early or _has_rows_since(before, file))
        ):
            changes.waited_for.add(file.path)
        known = latest.get(file.path)
        if (
            known is None
            or (known.size, known.mtime_ns) != (file.size, file.mtime_ns)
            or known.sha256 is None  # it could not be read
            or not changes.same_meaning
            or file.path in changes.waited_for
        ):
            changes.to_read.append(file)
    for item in unusable:
        known = latest.get(item.path)
        if known is None or (known.status, known.size, known.mtime_ns, known.reason) != (
            "set_aside", item.size, item.mtime_ns, item.reason,
        ):  # fmt: skip
            changes.unusable.append(item)
    present = {file.path for file in files} | {item.path for item in unusable}
    changes.removed = [row for row in held if row.path not in present]
    return changes


def _has_rows_since(before: FileRow, file: LandingFile) -> bool:
    """Whether a file read before holds rows of the day of its delivery, or of later ones."""
    delivered = delivered_at(file.mtime_ns)
    return bool(delivered and before.last_trade_date and before.last_trade_date >= delivered.date())


def reading_fingerprint(spec: FeedSpec, indices: frozenset[str] | None) -> str:
    """Names all that decides what a file's bytes become: the spec, its symbols, the code."""
    known = sorted(indices or known_indices()) if "index_close" in spec.records else []
    return fingerprint.of_values(spec.model_dump_json(), known, fingerprint.of_reading())
