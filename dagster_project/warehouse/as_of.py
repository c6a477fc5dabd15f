"""Records as of an earlier moment: one table macro per record kind, stored in the warehouse.

Belongs here: the macros `main.<kind>_as_known_at(moment)`. Does not belong here: how raw keeps
superseded rows (`raw_tables.py`), what the models make of raw (dbt).

    select * from index_close_as_known_at('2025-09-17 20:00') where symbol = 'HSI'

For each feed and record, a macro returns the row that counted at that moment: if several files
reported the record then, the row of the file delivered last (as `is_current` in raw marks it for
now). It returns what the files reported, of every feed whatever its priority, and of all dates,
requested or not.
"""

import duckdb

from dagster_project.market.record_kinds import RECORD_KINDS, RecordKind

_SUFFIX = "_as_known_at"


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create or replace the macros and their comments; the tables of `raw` must exist.

    The macros are stored in the file, so everybody who opens it has them. DuckDB looks for the
    tables of a macro in the current catalog, so a file that is attached under another name needs
    `use <name>` first.
    """
    for kind in RECORD_KINDS.values():
        name = f"main.{kind.name}{_SUFFIX}"
        con.execute(f"create or replace macro {name}(moment) as table {_query(kind)}")
        con.execute(f"comment on macro table {name} is '{_comment(kind)}'")


def _comment(kind: RecordKind) -> str:
    """The description of a macro. It has no quote, because it is put between quotes."""
    return (
        "What the files reported as of a moment (UTC): "
        f"one row per feed and {', '.join(kind.key)}, with the values that counted then, "
        "of all dates, requested or not. loaded_at: since when they were known; superseded_at: "
        "when their file no longer reported them, null while it still does; file, file_sha256 and "
        "line_number: where they were found, the last place if in several contents of the file. A "
        "moment may have an offset from UTC; without one it is UTC."
    )


def _query(kind: RecordKind) -> str:
    """The body of a macro; `moment` is its parameter.

    raw.file_superseded has the earlier contents of a file, each with the time at which it was
    replaced. The content in use at a moment is the first that was replaced after it. A superseded
    row was last found in the content that was replaced together with it or next after it.
    """
    key = ", ".join(f"reported.{name}" for name in kind.key)
    values = ", ".join(f"reported.{name}" for name in kind.values)
    return f"""
        with requested as (
            select case when regexp_matches(cast(moment as varchar), ':.*[+-]')
                then cast(moment as timestamptz) at time zone 'UTC'
                else cast(moment as timestamp)
            end as utc
        ),
        content as (
            select file_id, path, sha256, mtime_ns, 'infinity'::timestamp as ended_at from raw.file
            union all
            select file_id, path, sha256, mtime_ns, superseded_at from raw.file_superseded
        ),
        delivery as (
            select file_id, min_by(mtime_ns, ended_at) as mtime_ns from content
            where ended_at > (select utc from requested) group by file_id
        ),
        reported as (
            select record.*, null::timestamp as superseded_at, path, sha256
            from raw.{kind.name} as record
            join raw.file as file on record.file_id = file.file_id
            union all by name
            select record.*, path, sha256
            from raw.{kind.name}_superseded as record
            asof join content
                on record.file_id = content.file_id and record.superseded_at <= content.ended_at
        )
        select
            reported.feed, {key}, {values},
            reported.path as file, reported.sha256 as file_sha256, reported.line_number,
            reported.loaded_at, reported.superseded_at
        from reported join delivery on reported.file_id = delivery.file_id
        where reported.loaded_at <= (select utc from requested)
            and (
                reported.superseded_at is null
                or reported.superseded_at > (select utc from requested)
            )
        qualify row_number() over (
            partition by reported.feed, {key} order by delivery.mtime_ns desc, reported.path desc
        ) = 1"""
