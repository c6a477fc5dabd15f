"""A feed that anybody may deliver to, and what its warehouse holds afterwards.

Belongs here: helpers that several test files of hostile input use. Does not belong here: fixtures
(`conftest.py`), the files made to harm (each test file makes its own).
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from tests.forked import FORKED
from tests.support import NOW, TODAY, specs

STOCKS = "ts_code,name,industry\n"
HSI = "Date, Open, High, Low, Close\n"
ROW = "09/16/25, 1, 1, 1, 1\n"


@cache
def spec_of(feed: str) -> FeedSpec:
    return specs(feed)[feed]


def ingest(
    con: duckdb.DuckDBPyConnection, folder: Path, feed: str = "tushare_stock_list"
) -> FeedResult:
    return ingest_feed(con, folder, spec_of(feed), TODAY, NOW)


def everything_in(con: duckdb.DuckDBPyConnection) -> str:
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'raw'")
    return "\n".join(
        repr(con.execute(f"from raw.{name}").fetchall()) for (name,) in tables.fetchall()
    )


def tree(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder, with its mode, size and time."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        found[str(path)] = status.st_mode, status.st_size, status.st_mtime_ns
    return found


def run_in_process(target: Callable[..., None], *arguments: Any) -> None:
    process = FORKED.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode == 0, "it failed, or did not end"
