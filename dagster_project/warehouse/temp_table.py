"""Making a DuckDB temp table from rows in Python, in one statement.

Belongs here: this one function. It is meant for a few rows per file; lines of files come as Arrow
(`ingest/source_file.py`).
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
