"""Readers through publications: does anyone wait, fail, or see half of a release?

Belongs here: many processes that open, query and close the published file while releases are
published over it, and the figures of that. Does not belong here: the time of loading or of marts.

    python benchmarks/readers.py [--publications 100] [--readers 8] [--rows 1000000]

Every release is made so that all its figures are the number of the release; a reader that meets
two numbers in one connection has made a mixed read. Exit status 1 if there was any error, mixed
read, or step back to an earlier release.
"""

import argparse
import math
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dagster_project.release import ReleaseCheck, publish, record_release  # noqa: E402
from dagster_project.warehouse import Home, connect  # noqa: E402

CHECK = ReleaseCheck("figures_agree", "index_performance", "block", True, 0, "all agree")
QUERIES = (
    "SELECT DISTINCT close FROM main.index_performance WHERE trade_date = "
    "(SELECT max(trade_date) FROM main.index_performance)",
    "SELECT DISTINCT turnover FROM main.market_turnover",
    "SELECT fingerprint FROM main.release ORDER BY release_id DESC LIMIT 1",
)


@dataclass
class Reading:
    """What one reader met: seconds from open to close of each read, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    releases: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    steps_back: int = 0


def read(published: Path, stop: Path) -> Reading:
    """Open, query, close, until told to stop."""
    reading = Reading()
    while not stop.exists():
        start = time.perf_counter()
        try:
            with closing(
                duckdb.connect(str(published), read_only=True, config={"threads": 1})
            ) as con:
                seen = {int(row[0]) for query in QUERIES for row in con.execute(query).fetchall()}
        except duckdb.Error as error:  # counted and printed: it is what is measured
            reading.errors[f"{type(error).__name__}: {error}"] += 1
            continue
        reading.seconds.append(time.perf_counter() - start)
        reading.mixed += len(seen) != 1
        newest = max(seen)
        reading.steps_back += bool(reading.releases) and newest < reading.releases[-1]
        reading.releases.append(newest)
    return reading


def audit(home: Home, number: int, rows: int) -> None:
    """Change every figure of the warehouse to the release's number, and record the release."""
    with closing(connect(home.warehouse)) as con:
        con.execute(
            f"""
            CREATE TABLE IF NOT EXISTS main.history AS
            SELECT i AS line, hash(i) AS noise FROM range({rows}) t(i);
            CREATE OR REPLACE TABLE main.index_performance AS
            SELECT DATE '2025-09-17' - (i // 100)::INTEGER AS trade_date, i % 100 AS symbol,
                {number} AS close FROM range(100000) t(i);
            CREATE OR REPLACE TABLE main.market_turnover AS
            SELECT DATE '2025-09-17' - i::INTEGER AS trade_date, {number} AS turnover
            FROM range(1000) t(i)
            """
        )
        record_release(
            con,
            home,
            clock=date(2025, 9, 17),
            checks=[CHECK],
            what_changed=f"release {number}",
            fingerprint=str(number),
        )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def in_ms(name: str, seconds: list[float]) -> str:
    p50, p99 = (1000 * percentile(seconds, share) for share in (0.5, 0.99))
    return f"{name}: p50 {p50:,.1f} ms, p99 {p99:,.1f} ms, max {1000 * max(seconds):,.1f} ms"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--rows", type=int, default=1_000_000, help="ballast, 8 bytes a row")
    arguments = parser.parse_args()

    publishing: list[float] = []
    with tempfile.TemporaryDirectory(prefix="closing_bell_readers_") as folder:
        home, stop = Home(Path(folder)), Path(folder) / "stop"
        audit(home, 0, arguments.rows)
        publish(home)
        size = home.published.stat().st_size
        with ProcessPoolExecutor(
            arguments.readers, mp_context=multiprocessing.get_context("spawn")
        ) as pool:
            running = [pool.submit(read, home.published, stop) for _ in range(arguments.readers)]
            try:
                for number in range(1, arguments.publications + 1):
                    audit(home, number, arguments.rows)
                    start = time.perf_counter()
                    publish(home)
                    publishing.append(time.perf_counter() - start)
            finally:
                stop.touch()
            readings = [reading.result() for reading in running]

    seconds = [value for reading in readings for value in reading.seconds]
    errors = sum((reading.errors for reading in readings), Counter[str]())
    mixed = sum(reading.mixed for reading in readings)
    steps_back = sum(reading.steps_back for reading in readings)
    seen = {number for reading in readings for number in reading.releases}
    print(
        f"{arguments.readers} readers, {arguments.publications} publications of "
        f"{size / 1e6:,.0f} MB, {len(seconds):,} reads, {len(seen)} different releases seen"
    )
    print(f"errors {errors.total()}, mixed reads {mixed}, steps back {steps_back}")
    for error, count in errors.most_common(5):
        print(f"  {count} x {error}")
    print(in_ms("publish", publishing))
    if not seconds:
        print("no read succeeded")
        return 1
    print(in_ms("open, query, close", seconds))
    return int(bool(errors or mixed or steps_back))


if __name__ == "__main__":
    raise SystemExit(main())
