"""What was known at an earlier moment: a table macro a record kind, in the warehouse itself.

Belongs here: the macros `main.<kind>_as_known_at(moment)`. Does not belong here: how raw keeps
what it superseded (`raw.py`), what the models make of it (dbt).

    select * from index_close_as_known_at('2025-09-17 20:00') where symbol = 'HSI'

An answer has, for each feed and record, the row that counted at that moment: of the files that
then stated the record the one delivered last, as `is_current` in raw says it of now. It is what
the files said: not only dates that were asked for, and every feed, whatever its priority.
"""

import duckdb

from dagster_project.market.record_kinds import RECORD_KINDS, RecordKind

_SUFFIX = "_as_known_at"


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create or replace the macros and their comments; the tables of `raw` must be there.

    They are stored in the file, so whoever opens it has them. DuckDB looks up the tables that a
    macro names in the catalog in use: a file attached under another name needs `use <name>` first.
    """
    for kind in RECORD_KINDS.values():
        name = f"main.{kind.name}{_SUFFIX}"
        con.execute(f"create or replace macro {name}(moment) as table {_query(kind)}")
        con.execute(f"comment on macro table {name} is '{_comment(kind)}'")


def _comment(kind: RecordKind) -> str:
    """Of one macro, without a quote: it stands between quotes."""
    return (
        f"What the files said at a moment (UTC): one row for each feed and {', '.join(kind.key)}, "
        "with the values that counted then, of dates asked for or not. loaded_at: since when they "
        "were known; superseded_at: when their file ceased to state them, null while it still "
        "does; file, file_sha256 and line_number: where they were found, last if in several "
        "contents of the file. A moment may carry an offset from UTC; one without is UTC."
    )


def _query(kind: RecordKind) -> str:
    """The body of a macro; `moment` is its parameter.

    raw.file_superseded has the earlier contents of a file with the time each ended, so one that
    held at a moment is the first to end after it. A row that was superseded was last found in the
    content that ended no earlier than the row did.
    """
    key = ", ".join(f"stated.{name}" for name in kind.key)
    values = ", ".join(f"stated.{name}" for name in kind.values)
    return f"""
        with asked as (
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
            where ended_at > (select utc from asked) group by file_id
        ),
        stated as (
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
            stated.feed, {key}, {values},
            stated.path as file, stated.sha256 as file_sha256, stated.line_number,
            stated.loaded_at, stated.superseded_at
        from stated join delivery on stated.file_id = delivery.file_id
        where stated.loaded_at <= (select utc from asked)
            and (stated.superseded_at is null or stated.superseded_at > (select utc from asked))
        qualify row_number() over (
            partition by stated.feed, {key} order by delivery.mtime_ns desc, stated.path desc
        ) = 1"""
