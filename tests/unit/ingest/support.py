"""Reading contents as files of the project's feeds, and lines to read.

Belongs here: helpers that several test files of ingest use. Does not belong here: the shapes that
one format alone needs (its own test file).
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import duckdb

from dagster_project.ingest.feed_ingestion import symbol_check
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import LandingFile
from dagster_project.ingest.reader import Delivery, FileReport, read_files
from dagster_project.ingest.spec_sql import EarlyClosings
from dagster_project.market.seeds import known_indices
from tests.support import specs

TODAY = date(2025, 9, 17)
HONG_KONG = timezone(timedelta(hours=8))
DELIVERED = datetime(2025, 9, 17, 18, tzinfo=HONG_KONG)
SPECS = specs()
INDICES = known_indices()
HSI = "Date, Open, High, Low, Close\n"
DAY = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"

RECORD = {
    "tradeDate": "20230719", "indexCode": "931743", "open": 3450.1, "high": 3475.77,
    "low": 3402.53, "close": 3416.96, "tradingVol": 536439769, "tradingValue": 151.33,
}  # fmt: skip


@dataclass
class Reading:
    """What became of one file: its report, and the rows of `parsed` by line."""

    report: FileReport
    rows: list[dict[str, Any]]

    @property
    def good(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["reason_code"] is None]

    @property
    def rejected(self) -> dict[int, tuple[str, str]]:
        return {
            row["line_number"]: (row["reason_code"], row["reason"])
            for row in self.rows
            if row["reason_code"] is not None
        }

    def check_lines_are_conserved(self) -> None:
        report = self.report
        counted = report.rows_accepted, report.rows_duplicate, report.rows_rejected
        assert report.lines_read == sum(counted) + report.lines_framing
        if report.reason is None:
            good = [row for row in self.good if not row["is_duplicate"]]
            assert counted == (len(good), len(self.good) - len(good), len(self.rejected))


def read_several(
    spec: FeedSpec,
    files: dict[str, bytes],
    today: date = TODAY,
    delivered: datetime = DELIVERED,
    early: EarlyClosings | None = None,
) -> dict[str, Reading]:
    """Read contents as files of a feed, all in one batch, all delivered at one time."""
    mtime_ns = int(delivered.timestamp()) * 1_000_000_000
    deliveries = []
    for number, (name, content) in enumerate(files.items(), 1):
        placeholders = spec.match(name)
        assert placeholders is not None, name
        file = LandingFile(
            spec.feed, f"{spec.feed}/{name}", name, len(content), mtime_ns, placeholders,
            spec.file_date(placeholders),
        )  # fmt: skip
        deliveries.append(Delivery(number, file, content))
    with duckdb.connect(config={"threads": 1}) as con:
        reports = read_files(con, spec, deliveries, today, symbol_check(spec, INDICES), early)
        cursor = con.execute("select * from parsed order by file_id, line_number")
        columns = [column[0] for column in cursor.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    readings = {}
    for number, name in enumerate(files, 1):
        (report,) = (report for report in reports if report.file_id == number)
        reading = Reading(report, [row for row in rows if row["file_id"] == number])
        reading.check_lines_are_conserved()
        readings[name] = reading
    return readings


def read(
    feed: str | FeedSpec,
    name: str,
    content: str | bytes,
    today: date = TODAY,
    delivered: datetime = DELIVERED,
    early: EarlyClosings | None = None,
) -> Reading:
    """Read one content as a file of a feed; a text ends as the feed's whole files do."""
    spec = SPECS[feed] if isinstance(feed, str) else feed
    if isinstance(content, str):
        is_open = spec.format.ends_with_newline and not content.endswith("\n")
        content = (content + "\n" * is_open).encode()
    return read_several(spec, {name: content}, today, delivered, early)[name]


def hsi_line(**cells: str) -> str:
    """A line of wsj_index with some cells replaced."""
    row = {
        "date": "09/16/25",
        "open": "26500",
        "high": "26600",
        "low": "26400",
        "close": "26438.51",
    }
    return ", ".join((row | cells).values())


def day_line(**cells: str) -> str:
    """A line of tushare_daily with some cells replaced."""
    row = {
        "ts_code": "000001.SZ", "trade_date": "20250403", "open": "11.31", "high": "11.39",
        "low": "11.3", "close": "11.34", "pre_close": "11.37", "change": "-0.03",
        "pct_chg": "-0.2639", "vol": "643913.91", "amount": "730375.808",
    }  # fmt: skip
    return ",".join((row | cells).values())


def cells(*rows: tuple[str, ...]) -> str:
    """HKEX's sparse cells."""
    body = [
        {"row": number, "col": column, "text": text}
        for number, row in enumerate(rows)
        for column, text in enumerate(row)
    ]
    return json.dumps({"tables": [{"body": body}]})
