"""Quarantining a file whose new content lacks much of what was released of it.

Belongs here: which contents are too short. Does not belong here: files that are wrong in themselves
(`reader.py`, `file_rules.py`); what changed in the figures (the audit's views in dbt).

A vendor's file that suddenly holds only the last five sessions would empty the history. Whether a
content is too short depends on what was released, so it is the one rule of ingest that does not
look at the files alone (law 2 in docs/trust.md).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.record_kinds import RECORD_KINDS, RecordKind
from dagster_project.warehouse.sql import literal
from dagster_project.warehouse.temp_table import create_temp_table

# A content that lacks a larger share of the released rows than this is quarantined.
MOST_LACKING = 0.2
# Of fewer released rows no share is taken: they are a list that people keep, or a new symbol.
FEWEST_ROWS = 10
RELEASED = "released"
HOW_TO_MEAN_IT = (
    "the former content counts on. If it is meant, remove the file, run a night, "
    "and deliver it again"
)


@contextmanager
def attached_release(con: duckdb.DuckDBPyConnection, published: Path | None) -> Iterator[None]:
    """Attach the published file, if there is one, as the database that `short_files` reads."""
    if published is None or not published.exists():
        yield
        return
    con.execute(f"attach {literal(str(published))} as {RELEASED} (read_only)")
    try:
        yield
    finally:
        con.execute(f"detach {RELEASED}")


def short_files(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    judged: Mapping[int, str],
    reported: Mapping[str, str],
    gone: Collection[int],
) -> dict[int, str]:
    """Find the files of a batch whose new content lacks too much of what was released of them.

    A content is too short if it lacks more than a fifth of the released rows of a symbol, or of all
    released rows of the file: a file of one day loses symbols, not sessions. A row that another
    file of the feed reports is not lacking. Nothing is too short before the first release.

    Args:
        judged: file_id -> path of the files that replace a loaded content.
        reported: record kind -> a query of the records that the good rows of the batch report, as
            `raw_tables.apply_records` takes it.
        gone: file_ids of the feed whose rows in raw do not count on: removed files, and those of
            the batch.

    Returns:
        file_id -> reason of each such file.
    """
    kinds = [RECORD_KINDS[name] for name in reported if judged and _is_released(con, name)]
    if not kinds:
        return {}
    create_temp_table(con, "judged_file", {"file_id": "INTEGER", "path": "VARCHAR"}, judged.items())
    create_temp_table(con, "gone_file", {"file_id": "INTEGER"}, [(number,) for number in gone])
    create_temp_table(con, "short_file", {"file_id": "INTEGER"}, [])
    for kind in kinds:
        _keep_released(con, spec, kind, reported[kind.name])
    lacking = " union all ".join(
        f"select 1 from {kind.name}_lacking where is_lacking" for kind in kinds
    )
    if not con.execute(f"select 1 from ({lacking}) limit 1").fetchall():
        return {}
    short: dict[int, str] = {}
    # The rows of a file that is too short do not come, and another file may have relied on them.
    while found := _too_short(con, spec, reported, kinds):
        short |= found
        create_temp_table(con, "short_file", {"file_id": "INTEGER"}, [(file,) for file in short])
    return short


def _is_released(con: duckdb.DuckDBPyConnection, kind: str) -> bool:
    """Whether a release is attached, and has this kind: an older version's may not."""
    found = con.execute(
        f"""select 1 from duckdb_tables()
        where database_name = '{RELEASED}' and schema_name = 'raw' and table_name = ?""",
        [kind],
    ).fetchall()
    return bool(found)


def _keep_released(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, kind: RecordKind, reported: str
) -> None:
    """Fill the temp table `<kind>_lacking` with the released rows of the judged files.

    `is_lacking` says whether the file's new content lacks the row.
    """
    key = ", ".join(kind.key)
    covered = f"semi join {RELEASED}.raw.asked_dates on trade_date between from_date and to_date"
    con.execute(f"""
        create or replace temp table {kind.name}_lacking as
        with held as (
            select judged_file.file_id, {key}
            from {RELEASED}.raw.{kind.name} as held
            join {RELEASED}.raw.file as file on held.file_id = file.file_id
            join judged_file on judged_file.path = file.path
            where held.feed = '{spec.feed}' and held.is_current
        ), released as (
            from held {covered if kind.is_dated else ""}
        ), now as (
            select distinct file_id, {key}, true as is_there from ({reported})
            where file_id in (select file_id from judged_file)
        )
        select released.*, is_there is null as is_lacking
        from released left join now using (file_id, {key})""")


def _too_short(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    reported: Mapping[str, str],
    kinds: Collection[RecordKind],
) -> dict[int, str]:
    """file_id -> reason of the files that are too short, apart from those in `short_file`."""
    found: dict[int, str] = {}
    for kind in kinds:
        about = [*kind.subject, *(["segment"] if kind.part == "segment" else [])]
        dates = (
            "min(trade_date) filter (is_lost), max(trade_date) filter (is_lost)"
            if kind.is_dated
            else "null, null"
        )
        rows = con.execute(f"""
            with row as ({_lost(spec, kind, reported[kind.name])})
            select file_id, concat_ws(' ', {", ".join(about)}), grouping({about[0]}),
                count(*), count(*) filter (is_lost), {dates}
            from row
            where file_id not in (from short_file)
            group by grouping sets ((file_id, {", ".join(about)}), (file_id))
            having count(*) >= {FEWEST_ROWS}
            and count(*) filter (is_lost) > {MOST_LACKING} * count(*)
            order by 1, 3, count(*) filter (is_lost) desc, 2""").fetchall()
        for file_id, subject, is_whole, released, lost, first, last in rows:
            of = "" if is_whole else f" of {subject}"
            between = f" ({first} to {last})" if first else ""
            found.setdefault(
                file_id,
                f"lacks {lost:,} of {released:,} released rows{of}{between}; {HOW_TO_MEAN_IT}",
            )
    return found


def _lost(spec: FeedSpec, kind: RecordKind, reported: str) -> str:
    """SQL: the released rows of the judged files, and whether no file of the feed reports them."""
    if spec.has_own_keys_per_file:
        return f"select *, is_lacking as is_lost from {kind.name}_lacking"
    key = ", ".join(kind.key)
    return f"""
        select lacking.*, is_lacking and is_elsewhere is null as is_lost
        from {kind.name}_lacking as lacking
        left join (
            select distinct {key}, true as is_elsewhere from (
                select file_id, {key} from raw.{kind.name} where feed = '{spec.feed}'
                and (file_id not in (from gone_file) or file_id in (from short_file))
                union all
                select file_id, {key} from ({reported})
                where file_id not in (from short_file))
        ) using ({key})"""
