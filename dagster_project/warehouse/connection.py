"""Opening DuckDB files, and reading rows by column name.

Belongs here: the settings of every connection. Does not belong here: which tables there are
(`raw_tables.py`, `state.py`), releases (`release/`).
"""

from pathlib import Path
from typing import Any

import duckdb

# With this setting, clients with DuckDB 1.5 can read the files that a newer DuckDB writes.
STORAGE_VERSION = "v1.5.0"


def connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, without downloading any extension.

    Raises:
        duckdb.IOException: the file is missing (if opened read-only), or another process has it
            open.
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
    """The rows of a query, each as a dict from column name to value."""
    result = con.execute(query, parameters)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
