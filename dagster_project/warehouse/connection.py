"""Opening DuckDB files, and reading rows by column name.

Belongs here: the settings of every connection. Does not belong here: which tables there are
(`raw.py`), releases (`release/`).
"""

from pathlib import Path
from typing import Any

import duckdb

# DuckDB 1.5 clients can read files written with this setting.
STORAGE_VERSION = "v1.5.0"


def connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file; nothing is ever downloaded for it.

    Raises:
        duckdb.IOException: the file is missing (read-only) or held by another process.
    """
    return duckdb.connect(
        str(path),
        read_only=read_only,
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "autoinstall_known_extensions": "false",
        },
    )


def dicts(
    con: duckdb.DuckDBPyConnection, query: str, parameters: object = None
) -> list[dict[str, Any]]:
    """The rows of a query, each by its columns' names."""
    result = con.execute(query, parameters)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
