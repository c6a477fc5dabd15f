"""The raw schema: what the files in landing report, and what they reported before.

Belongs here: the tables of schema `raw`, and how a batch of parsed rows changes them. Does not
belong here: reading files (`ingest/reader.py`), which dates count or what figures mean (dbt).

The current rows of raw depend only on the files in landing. Every record that a file reports is a
row. If several files of a feed report the same record, `is_current` marks the row of the file that
was delivered last; of files with the same time, the one whose path sorts last. A row that its file
no longer reports moves to `<kind>_superseded` with the time, so that `as_of.py` can show what was
known at an earlier moment.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime

import duckdb

from dagster_project.market.calendar import EARLIEST_DATE, LONGEST_CLOSURE
from dagster_project.market.record_kinds import RECORD_KINDS, RecordKind
from dagster_project.warehouse.state import FEW_SERIES, Change, pending_of_all_from
from dagster_project.warehouse.temp_table import create_temp_table


@dataclass(frozen=True)
class FileRow:
    """A row of `raw.file`: what became of a file in landing.

    `status` is `loaded`, or `set_aside` for a quarantined file, and then `reason` says why. A path
    has two rows if a good file was replaced by a quarantined one: the good one's records stay in
    use. `remark` says what is odd about a file that was loaded nevertheless.
    """

    file_id: int
    feed: str
    path: str
    sha256: str | None
    size: int
    mtime_ns: int
    status: str
    reason: str | None
    lines_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_refused: int
    lines_framing: int
    first_trade_date: date | None
    last_trade_date: date | None
    loaded_at: datetime
    remark: str | None = None


_FILE_ID = {"file_id": "INTEGER"}
_FILE_COLUMNS = {
    **_FILE_ID,
    **dict.fromkeys(("feed", "path", "sha256"), "VARCHAR"),
    **dict.fromkeys(("size", "mtime_ns"), "BIGINT"),
    **dict.fromkeys(("status", "reason"), "VARCHAR"),
    **dict.fromkeys(("lines_read", "rows_accepted", "rows_duplicate", "rows_refused"), "BIGINT"),
    "lines_framing": "BIGINT",
    **dict.fromkeys(("first_trade_date", "last_trade_date"), "DATE"),
    "loaded_at": "TIMESTAMP",
    "remark": "VARCHAR",
}


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create schema `raw` and its tables if they are missing."""
    con.execute("create schema if not exists raw")
    columns = ", ".join(f"{name} {type_}" for name, type_ in _FILE_COLUMNS.items())
    con.execute(f"create table if not exists raw.file ({columns})")
    con.execute(
        f"create table if not exists raw.file_superseded ({columns}, superseded_at TIMESTAMP)"
    )
    con.execute("""
        create table if not exists raw.rejected_row (
            feed VARCHAR, file_id INTEGER, line_number BIGINT, raw_text VARCHAR,
            reason_code VARCHAR, reason VARCHAR, loaded_at TIMESTAMP)""")
    for kind in RECORD_KINDS.values():
        columns = ", ".join(f"{name} {type_}" for name, type_ in kind.columns.items())
        columns = f"""
            feed VARCHAR, {columns}, file_id INTEGER, line_number BIGINT,
            loaded_at TIMESTAMP, is_current BOOLEAN"""
        con.execute(f"create table if not exists raw.{kind.name} ({columns})")
        con.execute(
            f"create table if not exists raw.{kind.name}_superseded "
            f"({columns}, superseded_at TIMESTAMP)"
        )
    con.execute("create table if not exists raw.asked_dates (from_date DATE, to_date DATE)")
    con.execute("""
        create table if not exists raw.session (
            market VARCHAR, trade_date DATE, is_half_day BOOLEAN, closes_at VARCHAR,
            source VARCHAR, is_guessed BOOLEAN)""")
    con.execute("""
        create table if not exists raw.feed (
            feed VARCHAR, title VARCHAR, vendor VARCHAR, record_kinds VARCHAR[],
            priority INTEGER, is_daily BOOLEAN, due_by VARCHAR, segments VARCHAR[],
            fingerprint VARCHAR, price_basis VARCHAR, is_monthly BOOLEAN)""")
    con.execute("""
        create table if not exists raw.pending_rebuild (
            trade_date DATE, reason VARCHAR, noticed_at TIMESTAMP, symbol VARCHAR,
            last_changed_date DATE)""")
    _add_missing_columns(con)
    con.execute("create table if not exists raw.feed_problem (feed VARCHAR, problem VARCHAR)")
    con.execute("create table if not exists raw.state (key VARCHAR, value VARCHAR)")


def _add_missing_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Give the tables of a warehouse that an earlier version made the columns of this one."""
    wanted = {
        ("file", "remark"): "VARCHAR",
        ("file_superseded", "remark"): "VARCHAR",
        ("feed", "price_basis"): "VARCHAR",
        ("feed", "is_monthly"): "BOOLEAN",
        ("session", "closes_at"): "VARCHAR",
        ("session", "is_guessed"): "BOOLEAN",
        ("pending_rebuild", "series"): "VARCHAR",
        ("pending_rebuild", "last_changed_date"): "DATE",
    }
    for kind in RECORD_KINDS.values():
        for table in (kind.name, f"{kind.name}_superseded"):
            wanted |= {(table, column): type_ for column, type_ in kind.columns.items()}
    present = con.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'raw'"
    ).fetchall()
    for table, column in wanted.keys() - set(present):
        con.execute(f"alter table raw.{table} add column {column} {wanted[table, column]}")


def held_files(con: duckdb.DuckDBPyConnection, feed: str) -> list[FileRow]:
    """The rows of `raw.file` of a feed, sorted by path and status."""
    rows = con.execute("from raw.file where feed = ? order by path, status", [feed]).fetchall()
    return [FileRow(*row) for row in rows]


def feeds_in_use(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The feeds that have ever delivered a file."""
    rows = con.execute("select feed from raw.file union select feed from raw.file_superseded")
    return {feed for (feed,) in rows.fetchall()}


def next_file_id(con: duckdb.DuckDBPyConnection) -> int:
    """The lowest file_id above all that are or were in use."""
    (highest,) = con.execute("""
        select max(file_id) from (
            select file_id from raw.file union all select file_id from raw.file_superseded)
        """).fetchone() or (None,)
    return (highest or 0) + 1


def replace_files(
    con: duckdb.DuckDBPyConnection, rows: Sequence[FileRow], removed: Sequence[int], now: datetime
) -> None:
    """Bring `raw.file` up to date with landing, and keep the rows that were replaced.

    Replaced rows move to `raw.file_superseded`, unless the new row says the same. Quarantined files
    are also listed in `raw.rejected_row`.

    Args:
        rows: files that were read, or whose time has changed. A loaded file replaces all rows of
            its path. A quarantined file replaces an earlier quarantined one, and a loaded one only
            if it has the same file_id.
        removed: file_ids of files that are no longer in landing.
    """
    create_temp_table(con, "new_file", _FILE_COLUMNS, map(astuple, rows))
    create_temp_table(con, "removed_file", _FILE_ID, [(file_id,) for file_id in removed])
    con.execute("""
        create or replace temp table replaced_file as
        select file_id from raw.file as held semi join new_file
            on held.feed = new_file.feed and held.path = new_file.path
            and (new_file.status = 'loaded' or held.status = 'set_aside'
                or new_file.file_id = held.file_id)
        union select file_id from removed_file""")
    con.execute(
        """insert into raw.file_superseded by name
        select *, ? as superseded_at from raw.file as held semi join replaced_file using (file_id)
        where not exists (
            select 1 from new_file where new_file.feed = held.feed and new_file.path = held.path
            and new_file.status = held.status and new_file.sha256 is not distinct from held.sha256
            and new_file.mtime_ns = held.mtime_ns
            and new_file.reason is not distinct from held.reason)""",
        [now],
    )
    con.execute("delete from raw.file where file_id in (from replaced_file)")
    con.execute("insert into raw.file by name from new_file")
    con.execute(r"""
        insert into raw.rejected_row
        select feed, file_id, coalesce(try_cast(named as BIGINT), 1), null, 'file_set_aside',
            reason, loaded_at
        from (select *, regexp_extract(reason, '^line (\d+): ', 1) as named from new_file)
        where status = 'set_aside'""")
    con.execute("delete from raw.rejected_row where file_id not in (select file_id from raw.file)")


def apply_records(
    con: duckdb.DuckDBPyConnection,
    kind: RecordKind,
    feed: str,
    reported: str | None,
    held: Sequence[int],
    redelivered: Sequence[int] | None,
    now: datetime,
) -> list[Change]:
    """Bring `raw.<kind>` up to date with what some files of a feed report now.

    `raw.file` must have the files' times of delivery already.

    Args:
        reported: a query of the records that the files report, with the kind's columns, file_id and
            line_number. None: they report none of this kind.
        held: file_ids of which raw may have rows; rows that `reported` does not repeat are
            superseded.
        redelivered: file_ids whose place in the order of delivery may have changed. None: no two
            files of the feed can report the same record.

    Returns:
        The covered dates whose figures may change, and of which series.
    """
    table, key = f"raw.{kind.name}", ", ".join(kind.key)
    columns = f"{', '.join(kind.columns)}, file_id, line_number"
    reported = reported or f"select {columns} from {table} limit 0"
    insert = f"""
        insert into {table} (feed, {columns}, loaded_at, is_current)
        select '{feed}', {columns}, ?, true from """
    create_temp_table(con, "held_file", _FILE_ID, [(file_id,) for file_id in held])
    new = f"(select * from ({reported}) where file_id not in (from held_file))"
    con.execute(insert + new, [now])
    _find_differences(con, kind, feed, reported)
    gone = "rowid in (select held_row from difference where not is_same)"
    con.execute(
        f"insert into {table}_superseded by name "
        f"select *, ? as superseded_at from {table} where {gone}",
        [now],
    )
    con.execute(f"delete from {table} where {gone}")
    con.execute(f"""
        update {table} set line_number = difference.line_number from difference
        where {table}.rowid = held_row and is_same""")
    con.execute(f"{insert} difference where not is_same and line_number is not null", [now])
    changed = f"select {key} from {new} union all select {key} from difference where not is_same"
    if redelivered is not None:
        _mark_latest_delivered(con, kind, feed, redelivered)
        changed += f" union all select {key} from turned"
    return _changes(con, kind, changed)


def _find_differences(
    con: duckdb.DuckDBPyConnection, kind: RecordKind, feed: str, reported: str
) -> None:
    """Fill the temp table `difference`: what the files in `held_file` report and raw does not have.

    One row per record that differs, with the reported values. `held_row` is the rowid in raw, null
    for a new record; `line_number` is null for a record that is gone; `is_same` marks a record of
    which only the line differs.
    """
    same_values = " and ".join(
        f"held.{name} is not distinct from reported.{name}" for name in kind.values
    )
    key = ", ".join(kind.key)
    con.execute(f"""
        create or replace temp table difference as
        select held_row, file_id, {key}, {", ".join(f"reported.{name}" for name in kind.values)},
            reported.line_number,
            held_row is not null and reported.line_number is not null and {same_values} as is_same
        from (
            select rowid as held_row, * from raw.{kind.name}
            where feed = '{feed}' and file_id in (from held_file)
        ) as held
        full join (
            select * from ({reported}) where file_id in (from held_file)
        ) as reported using (file_id, {key})
        where not is_same or held.line_number <> reported.line_number""")


def _mark_latest_delivered(
    con: duckdb.DuckDBPyConnection, kind: RecordKind, feed: str, redelivered: Sequence[int]
) -> None:
    """Set `is_current` of each record that several files report to the file delivered last.

    Looks at the records of the files `redelivered` and at those in `difference`, and leaves the
    rows that it changed in the temp table `turned`.
    """
    table, key = f"raw.{kind.name}", ", ".join(kind.key)
    create_temp_table(con, "redelivered_file", _FILE_ID, [(file_id,) for file_id in redelivered])
    con.execute(f"""
        create or replace temp table turned as
        select * from (
            select held.rowid as held_row, {key}, is_current, row_number() over (
                partition by {key} order by file.mtime_ns desc, file.path desc
            ) = 1 as is_latest
            from {table} as held join raw.file as file using (feed, file_id)
            semi join (
                select {key} from {table}
                where feed = '{feed}' and file_id in (from redelivered_file)
                union select {key} from difference where not is_same
            ) as touched using ({key})
            where feed = '{feed}')
        where is_current <> is_latest""")
    con.execute(f"""
        update {table} set is_current = is_latest from turned
        where {table}.rowid = held_row""")


def _changes(con: duckdb.DuckDBPyConnection, kind: RecordKind, changed: str) -> list[Change]:
    """From which covered date on figures change; records without a date count from the start.

    Where records of few series are earlier than those of all others, they are told apart.

    Args:
        changed: a query of the keys of the changed records.
    """
    if not kind.is_dated:
        found = con.execute(f"select 1 from ({changed}) limit 1").fetchall()
        return [Change(EARLIEST_DATE, EARLIEST_DATE)] if found else []
    # The first covered session takes its previous close from the session before.
    since = f"from_date - {LONGEST_CLOSURE.days}"
    touched_dates = f"trade_date between {since} and to_date"
    if kind.is_looked_back_on:
        touched_dates = "trade_date <= to_date"
    span = """
        select min(greatest(trade_date, from_date)), max(greatest(trade_date, from_date))"""
    ((first, last),) = con.execute(f"""
        {span} from (select distinct trade_date from ({changed}))
        join raw.asked_dates on {touched_dates}""").fetchall()
    if first is None:
        return []
    of_all_from = pending_of_all_from(con)
    if of_all_from is not None and of_all_from <= first:
        return [Change(first, last)]
    by_series = con.execute(f"""
        {span}, {kind.series} as series from ({changed})
        join raw.asked_dates on {touched_dates}
        group by series order by 1, series limit {FEW_SERIES + 1}""").fetchall()
    alone = [Change(*row) for row in by_series]
    if len(alone) <= FEW_SERIES:
        return alone
    of_all_from = alone.pop().first
    return [
        *(change for change in alone if change.first < of_all_from),
        Change(of_all_from, last),
    ]
