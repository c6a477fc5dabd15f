"""A landing folder and an empty warehouse, for each test of hostile input."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.integration.hostile.support import STOCKS
from tests.support import new_warehouse

SECRET = "600519.SH,a secret,of someone else\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The landing folder; beside it lies a file that is none of ours."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "list.csv").write_text(STOCKS + SECRET)
    (tmp_path / "landing" / "tushare_stock_list").mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with new_warehouse() as con:
        yield con
