"""What several test files need: the real vendor files, and raw as rows that can be compared.

Belongs here: helpers without a test of their own. Fixtures are in `conftest.py`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.home import PROJECT_ROOT
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse import raw_tables

# Feed -> the real files that belong in its landing folder, and the name of each there.
_REAL_FILES: dict[str, dict[str, str | None]] = {
    "wsj_index": {"index_wsj/*.csv": None},
    "baostock_index": {"index_baostock/*.csv": None},
    "sina_index": {"index_sina/*.csv": None},
    "yahoo_index": {"index_yahoo/*.csv": None},
    "yahoo_hk": {"hk_yahoo/*.csv": None},
    "eastmoney_a_share": {"a_share_eastmoney/*.csv": None},
    "tushare_daily": {"tushare/daily_20250403.csv": "20250403.csv"},
    "tushare_index_daily": {"tushare/index_daily_*.csv": None},
    "csindex": {"csindex/*.json": None},
    "tushare_stock_list": {"sectors/a_share_*.csv": None, "tushare/stock_basic.csv": None},
    "hsi_composite_list": {"sectors/*.xlsx": None},
}
# The same with more shares and longer histories, and prices as dealt; of a file that several
# folders have the last counts.
_LONG_FILES: dict[str, dict[str, str | None]] = _REAL_FILES | {
    "wsj_index": {"index_wsj/*.csv": None, "index_wsj_to_2025_10/*.csv": None},
    "yahoo_hk": {
        f"{folder}/*.csv": None
        for folder in ("hk_yahoo", "hk_yahoo_to_2025_10", "hk_yahoo_since_2009")
    },
    "eastmoney_a_share": {
        f"a_share_eastmoney{which}/*.csv": None for which in ("", "_to_2025_10", "_since_listing")
    },
    "baostock_a_share": {"a_share_baostock/*.csv": None},
}
TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 12)


def real_files() -> Path:
    """The folder of real vendor files; skips the test where there is none."""
    folder = Path(os.environ.get("CLOSING_BELL_REAL") or PROJECT_ROOT.parent / "shared" / "real")
    if not folder.is_dir():
        pytest.skip(f"the real vendor files are not at {folder}; set CLOSING_BELL_REAL")
    return folder


def real_deliveries(is_long: bool = False) -> dict[str, Path]:
    """Path in a landing folder -> the real vendor file that a delivery would put there."""
    deliveries: dict[str, Path] = {}
    for feed, sources in (_LONG_FILES if is_long else _REAL_FILES).items():
        for pattern, name in sources.items():
            found = sorted(real_files().glob(pattern))
            assert found, f"no {pattern} among the real files"
            deliveries |= {f"{feed}/{name or source.name}": source for source in found}
    return deliveries


def place_real_files(landing: Path, is_long: bool = False) -> None:
    """Copy every real vendor file, with its time, to where a delivery would put it."""
    for path, source in real_deliveries(is_long).items():
        target = landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def specs(*feeds: str) -> dict[str, FeedSpec]:
    """The specs of feeds by name; of all where none is named."""
    catalog: FeedCatalog = load_feeds()
    assert not catalog.problems, catalog.problems
    return {name: catalog.feeds[name] for name in feeds or catalog.feeds}


def new_warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory that has been asked for 2000 to 2025."""
    con = duckdb.connect(config={"threads": 2})
    raw_tables.create_tables(con)
    con.execute("insert into raw.asked_dates values ('2000-01-01', '2025-12-31')")
    return con


def ingest(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    feeds: Iterable[FeedSpec],
    today: date = TODAY,
    now: datetime = NOW,
) -> dict[str, FeedResult]:
    """Ingest some feeds, in their order."""
    return {spec.feed: ingest_feed(con, landing, spec, today, now) for spec in feeds}


def raw_rows(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """All that raw says now, table by table, with paths for file_ids and without moments."""
    tables = {
        "file": "select * exclude (file_id, loaded_at) from raw.file",
        "rejected_row": """
            select path, rejected.* exclude (file_id, loaded_at)
            from raw.rejected_row as rejected join raw.file using (file_id)""",
    }
    for kind in RECORD_KINDS:
        tables[kind] = f"""
            select path, record.* exclude (file_id, loaded_at)
            from raw.{kind} as record left join raw.file as file
            on file.file_id = record.file_id and file.status = 'loaded'"""
    return {
        name: con.execute(f"from ({query}) order by all").fetchall()
        for name, query in tables.items()
    }


def compiled(calls: Iterable[str], home: Path) -> list[str]:
    """The SQL that dbt makes of calls of macros.

    Args:
        home: an empty folder for what dbt writes.
    """
    result = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--quiet", "compile"),
            *("--inline", "\n----\n".join(calls)),
            *("--project-dir", str(PROJECT_ROOT / "dbt_project")),
            *("--profiles-dir", str(PROJECT_ROOT / "dbt_project")),
            *("--target-path", str(home / "target"), "--log-path", str(home / "logs")),
        ],
        env=os.environ | {"CLOSING_BELL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.split("\n----\n")
