"""Comparing two releases, table by table and row by row.

Belongs here: what differs. Does not belong here: how the differences are shown (`cli.py`). It is
code of our own because all that it needs is each table's key, which the marts' contract gives.
"""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from dagster_project.home import Home
from dagster_project.release.read import kept_release
from dagster_project.warehouse.sql import identifier, literal


@dataclass(frozen=True)
class RowDiff:
    """A row that differs, with its key and its values; of a changed row only the changed values."""

    kind: Literal["added", "removed", "changed"]
    key: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class TableDiff:
    """How a table differs between two releases: numbers of rows, columns, a few example rows.

    Rows are compared in the columns that both releases have with the same type. `columns_added`
    and `columns_removed` are the other columns, as `name TYPE`. If no key is known, no row counts
    as changed.
    """

    table: str
    added: int
    removed: int
    changed: int
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    examples: tuple[RowDiff, ...]


# Tables and columns that differ between any two releases and say nothing about the market.
_NOT_COMPARED = {"release", "release_check"}
_IGNORED_COLUMNS = {"loaded_at", "first_seen", "is_new"}
# Columns that identify rows in the marts. A table's key is as many of them, in this order, as make
# its rows unique.
_IDENTITY = (
    *("claim_id", "trade_date", "record_kind", "symbol", "market", "scope", "region", "level"),
    *("channel", "direction", "check_name", "side", "rank", "sector", "feed", "file", "path"),
    *("line_number", "metric", "what"),
)


def mart_diff(home: Home, a: str, b: str, examples: int = 3) -> list[TableDiff]:
    """The tables of schema `main` that differ between two releases, sorted by name.

    The time when a row was loaded is not compared, nor are the tables about the release itself.

    Args:
        a: id of the earlier release; `removed` and `before` are its rows.
        b: id of the later release; `added` and `after` are its rows.
        examples: the number of example rows per kind of difference.

    Raises:
        ReleaseError: a release is not kept.
    """
    files = {"a": kept_release(home, a), "b": kept_release(home, b)}
    # Millions of rows are compared in bounded memory; DuckDB writes the rest to the scratch folder.
    with tempfile.TemporaryDirectory() as scratch, closing(duckdb.connect()) as con:
        con.execute(f"SET temp_directory = {literal(scratch)}")
        con.execute("SET preserve_insertion_order = false")
        con.execute("SET memory_limit = '2GB'")
        for name, file in files.items():
            con.execute(f"ATTACH {literal(str(file))} AS {name} (READ_ONLY)")
        tables = con.execute(
            "SELECT DISTINCT table_name FROM duckdb_tables() "
            "WHERE database_name IN ('a', 'b') AND schema_name = 'main' ORDER BY table_name"
        ).fetchall()
        diffs = [
            _table_diff(con, name, examples) for (name,) in tables if name not in _NOT_COMPARED
        ]
    return [diff for diff in diffs if diff]


def _table_diff(con: duckdb.DuckDBPyConnection, table: str, examples: int) -> TableDiff | None:
    """How one table differs between the attached databases `a` and `b`; None if it does not."""
    columns = {side: _columns(con, side, table) for side in ("a", "b")}
    removed = tuple(f"{n} {t}" for n, t in columns["a"].items() if columns["b"].get(n) != t)
    added = tuple(f"{n} {t}" for n, t in columns["b"].items() if columns["a"].get(n) != t)
    tables = {side: f"{side}.main.{identifier(table)}" for side in columns if columns[side]}
    shared = [
        name
        for name, type_ in (columns["b"] or columns["a"]).items()
        if all(columns[side].get(name) == type_ for side in tables)
    ]
    if not shared:
        return TableDiff(table, 0, 0, 0, added, removed, ())
    rows_differ = _collect_rows_of_one_side(con, tables, shared)
    if not (rows_differ or added or removed):
        return None
    key = _key(con, list(tables.values()), shared)
    _pair_rows(con, key, shared)
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
        added,
        removed,
        tuple(_row_diff(kind, key, before or {}, after or {}) for kind, before, after in shown),
    )


def _collect_rows_of_one_side(
    con: duckdb.DuckDBPyConnection, tables: dict[str, str], columns: Sequence[str]
) -> bool:
    """Fill the temp tables `removed` (rows only in `a`) and `added` (only in `b`).

    Args:
        tables: side -> SQL name of the table. All rows of a table that only one release has are
            removed or added.

    Returns:
        Whether there are any.
    """
    selected = ", ".join(identifier(name) for name in columns)
    rows = {
        side: f"(SELECT {selected} FROM {tables[side]})"
        if side in tables
        else f"(SELECT {selected} FROM {next(iter(tables.values()))} LIMIT 0)"
        for side in ("a", "b")
    }
    con.execute(f"CREATE OR REPLACE TEMP TABLE removed AS {rows['a']} EXCEPT ALL {rows['b']}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE added AS {rows['b']} EXCEPT ALL {rows['a']}")
    any_row = "SELECT 1 FROM removed UNION ALL SELECT 1 FROM added LIMIT 1"
    return bool(con.execute(any_row).fetchall())


def _pair_rows(con: duckdb.DuckDBPyConnection, key: Sequence[str], columns: Sequence[str]) -> None:
    """Fill the temp table `row_diff`: `before` and `after` as structs, and the `kind` of change.

    A removed and an added row with the same key are one changed row. Without a key no two rows are
    paired, because no row is in both tables with all its values.
    """
    same = " AND ".join(
        f"before.{identifier(name)} IS NOT DISTINCT FROM after.{identifier(name)}"
        for name in key or columns
    )
    fields = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in columns)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE row_diff AS
        SELECT before, after,
            CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed'
            ELSE 'changed' END AS kind
        FROM (SELECT struct_pack({fields}) AS before FROM removed)
        FULL JOIN (SELECT struct_pack({fields}) AS after FROM added) ON {same}
        """
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
    """The columns of a table with their types; empty if the release has no such table."""
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
    """The columns that identify a row in each of the tables; empty if none do."""
    key: list[str] = []
    for name in _IDENTITY:
        if name in columns:
            key.append(name)
            names = ", ".join(identifier(k) for k in key)
            repeats = (f"SELECT 1 FROM {t} GROUP BY {names} HAVING count(*) > 1" for t in tables)
            if not con.execute(" UNION ALL ".join(repeats) + " LIMIT 1").fetchall():
                return key
    return []
