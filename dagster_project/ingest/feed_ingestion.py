"""The ingest of a feed: find the files that changed, read them, and bring raw up to date.

Belongs here: the order of these steps, and counting what became of the files. Does not belong
here: how changes are found (`changes.py`), how files are read (`reader.py`) and stored
(`warehouse/raw_tables.py`), what Dagster shows (`defs/ingest.py`).
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from dagster_project.ingest.changes import FeedChanges, detect_changes, reading_fingerprint
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import FileUnreadable, LandingFile, UnusableFile, read_file
from dagster_project.ingest.reader import Delivery, FileReport, read_files
from dagster_project.ingest.reported_records import reported_records
from dagster_project.ingest.short_files import attached_release, short_files
from dagster_project.ingest.typed_rows import SymbolCheck
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.market.seeds import known_indices
from dagster_project.market.symbols import (
    MARKET_SUFFIXES,
    SymbolProblem,
    index_problem,
    priced_in_another,
    security_problem,
)
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.raw_tables import FileRow
from dagster_project.warehouse.sessions import early_closings
from dagster_project.warehouse.temp_table import create_temp_table

# Files are read in batches of about this size, so that memory is bounded.
BATCH_BYTES = 64_000_000
# The number of rejected rows that a result names.
SHOWN_EXAMPLES = 10


@dataclass
class FeedResult:
    """What one ingest of a feed did.

    Numbers of rows and lines are of the files that were read this time. `changed_from` is the
    earliest covered date whose record changed, `quarantined` is path -> reason, `missing_folder`
    says what is wrong if the feed's folder could not be listed.
    """

    feed: str
    files_read: int = 0
    files_unchanged: int = 0
    files_removed: int = 0
    rows_accepted: int = 0
    rows_duplicate: int = 0
    rows_rejected: int = 0
    lines_framing: int = 0
    lines_read: int = 0
    changed_from: date | None = None
    quarantined: dict[str, str] = field(default_factory=dict)
    rejected_examples: list[str] = field(default_factory=list)
    dates_read: list[date] = field(default_factory=list)
    missing_folder: str | None = None


def symbol_check(spec: FeedSpec, indices: frozenset[str]) -> SymbolCheck:
    """Return the function that checks the canonical symbols of a feed.

    A symbol of a feed of index closes must be in `indices`; any other symbol must have the form of
    a security's symbol on a market that is covered, and be priced in the feed's currency.
    """

    def check(symbol: str) -> SymbolProblem | None:
        if "index_close" in spec.records:
            return index_problem(symbol, indices)
        problem = security_problem(symbol)
        if problem is None and "security_close" in spec.records and isinstance(spec.currency, str):
            problem = priced_in_another(symbol, spec.currency)
        return problem

    return check


def ingest_feed(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    spec: FeedSpec,
    today: date,
    now: datetime,
    indices: frozenset[str] | None = None,
    published: Path | None = None,
) -> FeedResult:
    """Bring raw up to date with the files in one feed's folder.

    Each batch of files is one transaction. If the run is killed, raw is complete for the batches
    before, and the next run reads the other files.

    Args:
        today: the date in Hong Kong; rows of later trade dates are rejected.
        now: the time in UTC that is stored as the time from which the new rows were known.
        indices: symbols of the known indices; default: `known_indices()`.
        published: the published file, which new contents of files are compared with; without one
            no content is too short.
    """
    indices = indices or known_indices()
    changes = detect_changes(con, landing, spec, today, indices)
    result = FeedResult(spec.feed, missing_folder=changes.missing_folder)
    if changes.missing_folder:
        return result
    check_symbol = symbol_check(spec, indices)
    dates = []
    batches = list(_batches(changes.to_read))
    # The rows that a content lacks may have moved to a file of a later batch. So files that seem
    # too short are read again after all others.
    postponed: list[LandingFile] = []
    may_be_short = any(file.path in changes.loaded for file in changes.to_read)
    with attached_release(con, published if may_be_short else None):
        for number, batch in enumerate(itertools.chain(batches, _batches(postponed))):
            may_wait = len(batches) > 1 and number < len(batches)
            with _transaction(con):
                read, others = _read_batch(
                    con, spec, changes, batch, today, now, check_symbol,
                    postponed if may_wait else None,
                )  # fmt: skip
                dates.append(_apply(con, spec, changes, read, others, [], now))
                _count(con, spec, result, read, others)
    with _transaction(con):
        if changes.unusable or changes.removed:
            first_id = raw_tables.next_file_id(con)
            rows = [_unusable_row(*item, now) for item in enumerate(changes.unusable, first_id)]
            dates.append(_apply(con, spec, changes, [], rows, changes.removed, now))
            result.quarantined |= {item.path: item.reason for item in changes.unusable}
        _remember_feed(con, spec, reading_fingerprint(spec, indices), now)
    result.changed_from = min(filter(None, dates), default=None)
    result.files_removed = len({row.path for row in changes.removed})
    result.files_unchanged = changes.files_in_landing - result.files_read
    return result


def retire_feed(con: duckdb.DuckDBPyConnection, name: str, now: datetime) -> None:
    """Supersede all records and files of a feed whose spec was deleted."""
    with _transaction(con):
        held = [row.file_id for row in raw_tables.held_files(con, name)]
        raw_tables.replace_files(con, [], held, now)
        for kind in RECORD_KINDS.values():
            raw_tables.apply_records(con, kind, name, None, held, None, now)
        con.execute("delete from raw.feed where feed = ?", [name])
        state.mark_pending(con, state.EVERYTHING, f"feed {name} was retired", now)


@contextmanager
def _transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def _batches(files: Sequence[LandingFile]) -> Iterator[list[LandingFile]]:
    batch: list[LandingFile] = []
    size = 0
    for file in files:
        if batch and size + file.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _read_batch(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    changes: FeedChanges,
    batch: list[LandingFile],
    today: date,
    now: datetime,
    check_symbol: SymbolCheck,
    postponed: list[LandingFile] | None,
) -> tuple[list[FileRow], list[FileRow]]:
    """Read a batch of files into the temp table `parsed`.

    Args:
        postponed: gets the files that seem too short. None: they are quarantined.

    Returns:
        The new rows of `raw.file`: first of the files that were read, then of the others, which
        could not be opened or have the same bytes as before.
    """
    others: list[FileRow] = []
    files: dict[int, tuple[LandingFile, str]] = {}
    new_ids = itertools.count(raw_tables.next_file_id(con))

    def deliveries() -> Iterator[Delivery]:
        for file in batch:
            try:
                content = read_file(file)
            except FileUnreadable as error:
                report = FileReport(next(new_ids), reason=str(error))
                others.append(_file_row(file, None, report, now))
                continue
            sha256 = hashlib.sha256(content).hexdigest()
            loaded = changes.loaded.get(file.path)
            same_meaning = changes.same_meaning and file.path not in changes.waited_for
            if loaded and loaded.sha256 == sha256 and same_meaning:
                others.append(replace(loaded, mtime_ns=file.mtime_ns))
                continue
            file_id = loaded.file_id if loaded else next(new_ids)
            files[file_id] = file, sha256
            yield Delivery(file_id, file, content)

    read: list[FileRow] = []
    renumbered: dict[int, int] = {}
    early = {market: early_closings(con, market) for market in MARKET_SUFFIXES}
    reports = read_files(con, spec, deliveries(), today, check_symbol, early)
    for report in _without_short(con, spec, changes, files, reports, postponed):
        file, sha256 = files[report.file_id]
        loaded = changes.loaded.get(file.path)
        if report.reason and loaded and (loaded.sha256 != sha256 or not changes.same_meaning):
            # The file is quarantined now, and the rows of its earlier content, or those read with
            # the earlier spec, stay in use under the old file_id. But if only the file's time has
            # changed, the old rows are wrong too, and the file_id is kept so that they go.
            renumbered[report.file_id] = next(new_ids)
            report = replace(report, file_id=renumbered[report.file_id])
        read.append(_file_row(file, sha256, report, now))
    if renumbered:
        numbers = {"old": "INTEGER", "new": "INTEGER"}
        create_temp_table(con, "renumbered", numbers, renumbered.items())
        con.execute("update parsed set file_id = new from renumbered where file_id = old")
    return read, others


def _without_short(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    changes: FeedChanges,
    files: Mapping[int, tuple[LandingFile, str]],
    reports: list[FileReport],
    postponed: list[LandingFile] | None,
) -> list[FileReport]:
    """Quarantine, or postpone, the files of a batch whose content is too short.

    Args:
        files: file_id -> file and hash.
        postponed: as for `_read_batch`.

    Returns:
        The reports of all files that are not postponed.
    """
    good = [report.file_id for report in reports if report.reason is None]
    judged = {
        file_id: file.path
        for file_id, (file, sha256) in files.items()
        if file_id in good and (loaded := changes.loaded.get(file.path)) and loaded.sha256 != sha256
    }
    kinds = {name: reported_records(spec, RECORD_KINDS[name]) for name in spec.records}
    gone = [*good, *(row.file_id for row in changes.removed)]
    short = short_files(con, spec, judged, kinds, gone)
    if not short:
        return reports
    create_temp_table(con, "off", {"file_id": "INTEGER"}, [(file_id,) for file_id in short])
    con.execute("delete from parsed where file_id in (from off)")
    if postponed is not None:
        postponed += [files[file_id][0] for file_id in short]
        return [report for report in reports if report.file_id not in short]
    return [
        FileReport(r.file_id, r.lines_read, rows_rejected=r.lines_read, reason=short[r.file_id])
        if r.file_id in short
        else r
        for r in reports
    ]


def _file_row(file: LandingFile, sha256: str | None, report: FileReport, now: datetime) -> FileRow:
    return FileRow(
        report.file_id, file.feed, file.path, sha256, file.size, file.mtime_ns,
        "set_aside" if report.reason else "loaded", report.reason, report.lines_read,
        report.rows_accepted, report.rows_duplicate, report.rows_rejected, report.lines_framing,
        report.first_trade_date, report.last_trade_date, now, report.remark,
    )  # fmt: skip


def _unusable_row(file_id: int, item: UnusableFile, now: datetime) -> FileRow:
    return FileRow(
        file_id, item.feed, item.path, None, item.size, item.mtime_ns, "set_aside", item.reason,
        0, 0, 0, 0, 0, None, None, now,
    )  # fmt: skip


def _apply(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    changes: FeedChanges,
    read: list[FileRow],
    others: list[FileRow],
    removed: list[FileRow],
    now: datetime,
) -> date | None:
    """Bring raw up to date with a batch: with the rows in `parsed`, and the state of all its files.

    Args:
        read: files whose rows are in `parsed`, if they were not quarantined.
        others: files without rows in `parsed`; only their rows in `raw.file` change.
        removed: files that are no longer in landing.

    Returns:
        The earliest covered date whose figures may change; None if none may.
    """
    if read:
        con.execute("delete from raw.rejected_row where file_id in (select file_id from parsed)")
    raw_tables.replace_files(con, [*read, *others], [row.file_id for row in removed], now)
    if read:
        con.execute(
            """insert into raw.rejected_row
            select ?, file_id, line_number, raw_text, reason_code, reason, ?
            from parsed where reason_code is not null""",
            [spec.feed, now],
        )
    read_ids = [row.file_id for row in read if row.status == "loaded"]
    known_ids = {row.file_id for row in changes.loaded.values()}
    read_again = known_ids.intersection(row.file_id for row in read)
    held = [*read_again, *(row.file_id for row in removed)]
    delivered = None
    if not (spec.has_own_keys_per_file and changes.same_meaning):
        delivered = [row.file_id for row in (*read, *others) if row.status == "loaded"]
    # With an earlier spec the feed may have had records of other kinds.
    (before,) = con.execute(
        "select record_kinds from raw.feed where feed = ?", [spec.feed]
    ).fetchone() or ((),)
    found: list[state.Change] = []
    for name in dict.fromkeys([*spec.records, *before]):
        kind = RECORD_KINDS[name]
        reported = reported_records(spec, kind) if read_ids and name in spec.records else None
        found += raw_tables.apply_records(con, kind, spec.feed, reported, held, delivered, now)
    state.mark_changes(con, found, f"feed {spec.feed}", now)
    return min((change.first for change in found), default=None)


def _count(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    result: FeedResult,
    read: list[FileRow],
    others: list[FileRow],
) -> None:
    """Add the files of a batch and their rows to the feed's result."""
    quarantined = {row.path: row.reason for row in (*read, *others) if row.reason}
    result.quarantined |= quarantined
    loaded = {row.file_id: row for row in read if row.status == "loaded"}
    result.files_read += len(loaded) + len(quarantined)
    for row in loaded.values():
        result.rows_accepted += row.rows_accepted
        result.rows_duplicate += row.rows_duplicate
        result.rows_rejected += row.rows_refused
        result.lines_framing += row.lines_framing
        result.lines_read += row.lines_read
        if spec.content == "day" and row.first_trade_date:
            result.dates_read.append(row.first_trade_date)
    wanted = SHOWN_EXAMPLES - len(result.rejected_examples)
    if wanted and result.rows_rejected:
        rejected = con.execute(
            """select file_id, line_number, reason from parsed
            where reason_code is not null and file_id in (select unnest(?::INTEGER[]))
            order by file_id, line_number limit ?""",
            [list(loaded), wanted],
        ).fetchall()
        result.rejected_examples += [
            f"{loaded[file_id].path}:{line}: {reason}" for file_id, line, reason in rejected
        ]


def _remember_feed(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, fingerprint: str, now: datetime
) -> None:
    """Store the spec in `raw.feed`, where the models read it; rebuild all if they see a change."""
    row = (
        spec.feed, spec.title, spec.vendor, list(spec.records), spec.priority,
        spec.content == "day", spec.due_by, list(spec.segments), fingerprint, spec.price_basis,
        spec.due_every == "month",
    )  # fmt: skip
    held = con.execute("from raw.feed where feed = ?", [spec.feed]).fetchone()
    if held == row:
        return
    con.execute("delete from raw.feed where feed = ?", [spec.feed])
    con.execute(f"insert into raw.feed values ({', '.join('?' * len(row))})", row)
    if held is not None and (*held[3:8], *held[9:]) != (*row[3:8], *row[9:]):
        state.mark_pending(con, state.EVERYTHING, f"spec of feed {spec.feed} changed", now)
