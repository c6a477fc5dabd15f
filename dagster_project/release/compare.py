"""Comparing two releases, table by table and row by row.

Belongs here: what differs. Does not belong here: how a person reads it (`cli.py`). Ours and no
library's, because it needs only the key that the contract gives to each table.
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
    files = {"a": kept_release(home, a), "b": kept_release(home, b)}
    # Millions of rows are compared within bounded memory; what does not fit waits on disk.
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
    columns = {side: _columns(con, side, table) for side in ("a", "b")}
    gone = tuple(f"{n} {t}" for n, t in columns["a"].items() if columns["b"].get(n) != t)
    come = tuple(f"{n} {t}" for n, t in columns["b"].items() if columns["a"].get(n) != t)
    # Of a table that only one release has, all rows have come, or gone.
    where = {side: f"{side}.main.{identifier(table)}" for side in columns if columns[side]}
    names = [
        name
        for name, type_ in (columns["b"] or columns["a"]).items()
        if all(columns[side].get(name) == type_ for side in where)
    ]
    if not names:
        return TableDiff(table, 0, 0, 0, come, gone, ())
    selected = ", ".join(identifier(name) for name in names)
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
        f"before.{identifier(name)} IS NOT DISTINCT FROM after.{identifier(name)}"
        for name in key or names
    )
    whole = (
        f"struct_pack({', '.join(f'{identifier(name)} := {identifier(name)}' for name in names)})"
    )
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
            names = ", ".join(identifier(k) for k in key)
            repeats = (f"SELECT 1 FROM {t} GROUP BY {names} HAVING count(*) > 1" for t in tables)
            if not con.execute(" UNION ALL ".join(repeats) + " LIMIT 1").fetchall():
                return key
    return []
