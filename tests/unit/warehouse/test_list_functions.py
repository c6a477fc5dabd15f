"""How DuckDB gets to know the functions of lists; what they answer is in `tests/property/`."""

import gc
from pathlib import Path

import duckdb

from dagster_project.warehouse.list_functions import register


def test_a_database_that_is_still_open_knows_them_already(tmp_path: Path) -> None:
    """As after a build that failed: something still holds one of its connections."""
    query = "select trailing_medians([1, 2]::BIGINT[], [5, 7]::DOUBLE[], 1)[2].median"
    first = duckdb.connect(tmp_path / "a.duckdb")
    register(first)
    with duckdb.connect(tmp_path / "a.duckdb") as second:
        register(second)
        first.close()
        del first
        gc.collect()
        assert second.execute(query).fetchall() == [(5.0,)]
