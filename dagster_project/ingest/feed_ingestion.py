"""Bringing raw in line with landing: notice what changed, read it, apply it, feed by feed.

Belongs here: the order of those steps and what a person is told about them. Does not belong
here: how files are found (`landing.py`), read (`reader.py`) or stored (`raw.py`); Dagster.
"""

import csv
import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

import duckdb

from dagster_project.home import PROJECT_ROOT
from dagster_project.ingest import documents, feed_spec, reader, row_rules
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import (
    FileUnreadable,
    LandingFile,
    LandingMissing,
    UnusableFile,
    read_file,
    scan_feed,
)
from dagster_project.ingest.reader import (
    Delivery,
    FileReport,
    SymbolJudge,
    SymbolProblem,
    read_files,
)
from dagster_project.ingest.row_rules import by_symbol, delivered_at
from dagster_project.market.calendar import today_in_hong_kong
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.raw_tables import FileRow
from dagster_project.warehouse.temp_table import create_temp_table

SEEDS_FOLDER = PROJECT_ROOT / "seeds"
# Files are read together in batches of about this size, which bounds memory.
BATCH_BYTES = 64_000_000
SHOWN_EXAMPLES = 10

_SECURITY = re.compile(r"[0-9]{4}\.HK|[1-9][0-9]{4}\.HK|[0-9]{6}\.(SH|SZ)")


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


@dataclass
class FeedResult:
    """What one ingest of a feed did; counts are of the files read now."""

    feed: str
    files_read: int = 0
    files_unchanged: int = 0
    files_removed: int = 0
    rows_accepted: int = 0
    rows_duplicate: int = 0
    rows_refused: int = 0
    lines_framing: int = 0
    lines_read: int = 0
    changed_from: date | None = None
    set_aside: dict[str, str] = field(default_factory=dict)
    refused_examples: list[str] = field(default_factory=list)
    dates_read: list[date] = field(default_factory=list)
    missing_folder: str | None = None


def known_indices(seeds: Path = SEEDS_FOLDER) -> frozenset[str]:
    """Symbols of `seeds/index_definition.csv`."""
    with (seeds / "index_definition.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["symbol"] for row in csv.DictReader(file))


def symbol_judge(spec: FeedSpec, indices: frozenset[str]) -> SymbolJudge:
    """What is wrong with a symbol of a feed: unknown index, malformed, or a market not covered."""

    def judge(symbol: str) -> SymbolProblem | None:
        if "index_close" in spec.records:
            if symbol in indices:
                return None
            return SymbolProblem(
                "unknown_symbol",
                f"symbol {symbol!r} is no known index; add it to seeds/index_definition.csv, "
                "or correct the file",
            )
        if _SECURITY.fullmatch(symbol):
            return None
        if symbol.endswith(".BJ"):
            return SymbolProblem(
                "market_not_covered", f"{symbol} trades in Beijing, which is not covered"
            )
        return SymbolProblem(
            "unknown_symbol",
            f"symbol {symbol!r} is neither four or five digits + .HK nor six digits + .SH or .SZ",
        )

    return judge


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
        [spec.feed, _fingerprint(spec, indices)],
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


def _fingerprint(spec: FeedSpec, indices: frozenset[str] | None) -> str:
    """Names all that decides what a file's bytes become: the spec, its symbols, the reader."""
    known = sorted(indices or known_indices()) if "index_close" in spec.records else []
    return hashlib.sha256(
        repr((spec.fingerprint, known, _reader_fingerprint())).encode()
    ).hexdigest()


@cache
def _reader_fingerprint() -> str:
    digest = hashlib.sha256()
    for module in (documents, feed_spec, row_rules, reader):
        digest.update(Path(module.__file__ or "").read_bytes())
    return digest.hexdigest()


def ingest_feed(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    spec: FeedSpec,
    today: date,
    now: datetime,
    indices: frozenset[str] | None = None,
) -> FeedResult:
    """Bring raw in line with one feed's folder.

    Each batch of files is a transaction: killed at any instant, raw says what some of the files
    say, and the next run reads the others.

    Args:
        today: the real date in Hong Kong; later trade dates are refused.
        now: UTC, the moment from which what is read now is known.
        indices: symbols of the known indices; `known_indices()` where not given.
    """
    indices = indices or known_indices()
    changes = detect_changes(con, landing, spec, today, indices)
    result = FeedResult(spec.feed, missing_folder=changes.missing_folder)
    if changes.missing_folder:
        return result
    judge = symbol_judge(spec, indices)
    dates = []
    for batch in _batches(changes.to_read):
        with _transaction(con):
            read, others = _read_batch(con, spec, changes, batch, today, now, judge)
            dates.append(_apply(con, spec, changes, read, others, [], now))
            _tell(con, spec, result, read, others)
    with _transaction(con):
        if changes.unusable or changes.removed:
            first_id = raw_tables.next_file_id(con)
            rows = [_unusable_row(*item, now) for item in enumerate(changes.unusable, first_id)]
            dates.append(_apply(con, spec, changes, [], rows, changes.removed, now))
            result.set_aside |= {item.path: item.reason for item in changes.unusable}
        _remember_feed(con, spec, _fingerprint(spec, indices), now)
    result.changed_from = min(filter(None, dates), default=None)
    result.files_removed = len({row.path for row in changes.removed})
    result.files_unchanged = changes.files_in_landing - result.files_read
    return result


def retire_feed(con: duckdb.DuckDBPyConnection, name: str, now: datetime) -> None:
    """Withdraw everything that a feed said whose spec is gone."""
    with _transaction(con):
        held = [row.file_id for row in raw_tables.held_files(con, name)]
        raw_tables.replace_files(con, [], held, now)
        for kind in raw_tables.RECORD_KINDS.values():
            raw_tables.apply_records(con, kind, name, None, held, None, now)
        con.execute("delete from raw.feed where feed = ?", [name])
        raw_tables.mark_pending(con, raw_tables.EVERYTHING, f"feed {name} is gone", now)


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
    judge: SymbolJudge,
) -> tuple[list[FileRow], list[FileRow]]:
    """Read files into temp table `parsed`.

    Returns:
        What `raw.file` shall say of the files in `parsed`, and of those that are not: unread, or
        with the same bytes as before.
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
    for report in read_files(con, spec, deliveries(), today, judge):
        file, sha256 = files[report.file_id]
        loaded = changes.loaded.get(file.path)
        if report.reason and loaded and (loaded.sha256 != sha256 or not changes.same_meaning):
            # Its number stays with the rows of the earlier content, or of the earlier spec. Where
            # only the file's time says otherwise, nothing of it counts any more.
            renumbered[report.file_id] = next(new_ids)
            report = replace(report, file_id=renumbered[report.file_id])
        read.append(_file_row(file, sha256, report, now))
    if renumbered:
        numbers = {"old": "INTEGER", "new": "INTEGER"}
        create_temp_table(con, "renumbered", numbers, renumbered.items())
        con.execute("update parsed set file_id = new from renumbered where file_id = old")
    return read, others


def _file_row(file: LandingFile, sha256: str | None, report: FileReport, now: datetime) -> FileRow:
    return FileRow(
        report.file_id, file.feed, file.path, sha256, file.size, file.mtime_ns,
        "set_aside" if report.reason else "loaded", report.reason, report.lines_read,
        report.rows_accepted, report.rows_duplicate, report.rows_refused, report.lines_framing,
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
    """Make raw say what `parsed` says of the files that were read, and what is known of others.

    Returns:
        The earliest date asked for whose record changed; None where none did.
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
    # An earlier spec may have made records of other kinds.
    (before,) = con.execute(
        "select record_kinds from raw.feed where feed = ?", [spec.feed]
    ).fetchone() or ((),)
    dates = []
    for name in dict.fromkeys([*spec.records, *before]):
        kind = raw_tables.RECORD_KINDS[name]
        stated = _stated(spec, kind) if read_ids and name in spec.records else None
        dates.append(raw_tables.apply_records(con, kind, spec.feed, stated, held, delivered, now))
    changed_from = min(filter(None, dates), default=None)
    if changed_from:
        raw_tables.mark_pending(con, changed_from, f"feed {spec.feed}", now)
    return changed_from


def _stated(spec: FeedSpec, kind: raw_tables.RecordKind) -> str:
    """SQL: the records of one kind that the good rows of `parsed` state."""
    good = "from parsed where reason_code is null and not is_duplicate"
    if kind.name == "exchange_rate":
        return " union all ".join(
            f"""select '{spec.base_currency}' as base_currency, '{currency}' as currency,
                trade_date, rate_{currency} as rate, file_id, line_number
            {good} and rate_{currency} is not null"""
            for currency in spec.rates
        )
    values = {name: name for name in kind.columns if name in spec.columns}
    if "symbol" in kind.columns:
        values["symbol"] = "symbol"
    if "currency" in kind.columns and "currency" not in spec.columns:
        values["currency"] = by_symbol(spec.currency)
    if kind.name == "market_turnover":
        values |= {"market": by_symbol(spec.market), "segment": "segment"}
        good += f" and turnover is not null and {values['market']} is not null"
    columns = ", ".join(
        f"{values.get(name, 'null')}::{type_} as {name}" for name, type_ in kind.columns.items()
    )
    return f"select {columns}, file_id, line_number {good}"


def _tell(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    result: FeedResult,
    read: list[FileRow],
    others: list[FileRow],
) -> None:
    """Add to a result what became of a batch of files."""
    set_aside = {row.path: row.reason for row in (*read, *others) if row.reason}
    result.set_aside |= set_aside
    loaded = {row.file_id: row for row in read if row.status == "loaded"}
    result.files_read += len(loaded) + len(set_aside)
    for row in loaded.values():
        result.rows_accepted += row.rows_accepted
        result.rows_duplicate += row.rows_duplicate
        result.rows_refused += row.rows_refused
        result.lines_framing += row.lines_framing
        result.lines_read += row.lines_read
        if spec.content == "day" and row.first_trade_date:
            result.dates_read.append(row.first_trade_date)
    wanted = SHOWN_EXAMPLES - len(result.refused_examples)
    if wanted and result.rows_refused:
        refused = con.execute(
            """select file_id, line_number, reason from parsed
            where reason_code is not null and file_id in (select unnest(?::INTEGER[]))
            order by file_id, line_number limit ?""",
            [list(loaded), wanted],
        ).fetchall()
        result.refused_examples += [
            f"{loaded[file_id].path}:{line}: {reason}" for file_id, line, reason in refused
        ]


def _remember_feed(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, fingerprint: str, now: datetime
) -> None:
    """`raw.feed` says what the spec says; the models read it there."""
    row = (
        spec.feed, spec.title, spec.vendor, list(spec.records), spec.priority,
        spec.content == "day", spec.due_by, list(spec.segments), fingerprint,
    )  # fmt: skip
    held = con.execute("from raw.feed where feed = ?", [spec.feed]).fetchone()
    if held == row:
        return
    con.execute("delete from raw.feed where feed = ?", [spec.feed])
    con.execute(f"insert into raw.feed values ({', '.join('?' * len(row))})", row)
    if held is not None and held[3:8] != row[3:8]:
        raw_tables.mark_pending(
            con, raw_tables.EVERYTHING, f"spec of feed {spec.feed} changed", now
        )
