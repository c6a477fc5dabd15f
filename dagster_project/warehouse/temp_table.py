"""Rows that Python knows become a temp table of DuckDB, in one statement however many.

Belongs here: this one function. Meant for rows by the file; lines by the million come as Arrow.
"""

from collections.abc import Iterable
from typing import Any

import duckdb


def create_temp_table(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: dict[str, str],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    """Create or replace a temp table with these columns (name -> DuckDB type) and rows."""
    types = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    con.execute(
        f"create or replace temp table {name} as "
        f"select item.* from (select unnest(?::STRUCT({types})[]) as item)",
        [[dict(zip(columns, row, strict=True)) for row in rows]],
    )
