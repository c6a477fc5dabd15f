"""A landing folder with its warehouse, and small files to deliver to it.

Belongs here: helpers that several test files of ingest use. Does not belong here: fixtures
(`conftest.py`), what every test may use (`tests/support.py`).
"""

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed
from dagster_project.ingest.feed_spec import FeedSpec
from tests.support import NOW, TODAY, new_warehouse, specs

SPECS = specs()
HSI = "Date, Open, High, Low, Close\n"
DAYS = {"12": "09/12/25", "15": "09/15/25", "16": "09/16/25", "17": "09/17/25"}
LATER = NOW + timedelta(days=1)


def hsi(**closes: int | str) -> str:
    """A file of wsj_index: day of September 2025 (d12 …) -> close."""
    lines = [
        f"{DAYS[day[1:]]}, {close}, {close}, {close}, {close}" for day, close in closes.items()
    ]
    return HSI + "\n".join(lines) + "\n"


def tushare(**closes: int | str) -> str:
    """A file of tushare_index_daily with rows of 000001.SH: day of September 2025 -> close."""
    header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount\n"
    return header + "".join(
        f"000001.SH,202509{day[1:]},{close},{close},{close},{close},{close},0,0,2,3\n"
        for day, close in closes.items()
    )


class House:
    """A landing folder and the warehouse that reads it."""

    def __init__(self, root: Path) -> None:
        self.landing = root / "landing"
        self.con = new_warehouse()
        self.clock = 1_000_000_000
        self.published: Path | None = None

    def put(self, path: str, content: str | bytes, mtime: int | None = None) -> Path:
        """Deliver a file; without a given time, later than all before."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.clock += 1
        self.touch(path, mtime or self.clock)
        return file

    def touch(self, path: str, mtime: int) -> None:
        os.utime(self.landing / path, ns=(mtime, mtime))

    def run(
        self, feed: str | FeedSpec = "wsj_index", today: date = TODAY, now: datetime = NOW
    ) -> FeedResult:
        spec = SPECS[feed] if isinstance(feed, str) else feed
        return ingest_feed(self.con, self.landing, spec, today, now, published=self.published)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(query, parameters).fetchall()

    def closes(self, feed: str = "wsj_index") -> dict[int, int]:
        """Day of September 2025 -> current close."""
        return dict(
            self.rows(
                "select day(trade_date), close::INTEGER from raw.index_close "
                "where feed = ? and is_current order by 1",
                feed,
            )
        )

    def files(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select parse_filename(path), status, lines_read, rows_accepted, rows_refused "
            "from raw.file order by path, status"
        )
