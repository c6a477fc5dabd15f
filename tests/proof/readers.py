"""Nobody waits (law 5): processes that read the published file through many publications.

Belongs here: many processes that open, query and close the published file while releases are
published over it, and the figures of that. Does not belong here: killed publications (`crash.py`),
the time of loading or of marts.

    python -m tests.proof.readers --readers 8 --publications 100 --out FILE

The release is the bundled sample's, with its whole history. Each publication changes one figure
in every row of three marts to the number of the release; a reader that meets two numbers in one
connection has made a mixed read. Before the first publication the same readers read for a while
undisturbed, and for a while beside a writer who publishes nothing: the one takes cores from them,
the other is what their latency is compared with. Exit status 1 if there was any error, mixed read,
or step back to an earlier release.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.audit.results import ReleaseCheck
from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.release.publish import publish
from dagster_project.release.read import published_release
from dagster_project.release.record import record_release
from dagster_project.warehouse.connection import connect
from tests.proof.journal import project_version

STOP = "stop"
FIRST, LAST = date(2021, 1, 1), date(2025, 9, 17)
CHECK = ReleaseCheck("figures_agree", "index_performance", "block", True, 0, 0, "all agree")
# Each gives the numbers of the releases that it met.
NUMBERS = (
    "select distinct change from main.index_performance "
    "where trade_date = (select max(trade_date) from main.index_performance)",
    "select distinct average_20d from main.market_turnover",
    "select distinct turnover from main.security_performance where symbol = '0700.HK'",
    "select fingerprint from main.release order by release_id desc limit 1",
)
# What an analyst asks besides.
QUESTIONS = (
    "select symbol, name, close, closing_high_since from main.index_performance "
    "where trade_date = '2025-09-17' order by region, symbol",
    "select scope, turnover_cny, change_pct from main.cross_market_turnover "
    "where is_complete order by trade_date desc limit 5",
    "select region, side, rank, sector, top_name from main.sector_leaders_laggards "
    "where trade_date = '2025-09-17' and level = 'sector' and rank <= 3",
    "select symbol, name, change_pct from main.security_performance "
    "where trade_date = '2025-09-17' and status = 'traded' order by change_pct desc limit 10",
)


@dataclass
class Reading:
    """What one reader met: of each read the start (seconds, one clock for all), seconds from open
    to close, and the release."""

    starts: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    releases: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    steps_back: int = 0


def read(published: Path, signals: Path, pause: float) -> Reading:
    """Open, ask, close, until `stop` is in the folder of signals; says there when it has begun.

    Args:
        pause: mean seconds between two reads.
    """
    reading, choose = Reading(), random.Random(os.getpid())
    while not (signals / STOP).exists():
        start = time.monotonic()
        try:
            with closing(
                duckdb.connect(str(published), read_only=True, config={"threads": 1})
            ) as con:
                seen = {
                    int(row[0]) for query in NUMBERS[:2] for row in con.execute(query).fetchall()
                }
                con.execute(choose.choice(QUESTIONS)).fetchall()
                seen |= {
                    int(row[0]) for query in NUMBERS[2:] for row in con.execute(query).fetchall()
                }
        except duckdb.Error as error:  # counted and printed: it is what is measured
            reading.errors[f"{type(error).__name__}: {error}"] += 1
            continue
        reading.starts.append(start)
        reading.seconds.append(time.monotonic() - start)
        reading.mixed += len(seen) != 1
        newest = max(seen)
        reading.steps_back += bool(reading.releases) and newest < reading.releases[-1]
        reading.releases.append(newest)
        if len(reading.starts) == 1:
            (signals / f"reads_{os.getpid()}").touch()
        time.sleep(choose.uniform(0, 2 * pause))
    return reading


def audit(home: Home, number: int) -> None:
    """Change figures of the warehouse to the release's number, and record the release."""
    with closing(connect(home.warehouse)) as con:
        con.execute(f"update main.index_performance set change = {number}")
        con.execute(f"update main.market_turnover set average_20d = {number}")
        con.execute(f"update main.security_performance set turnover = {number}")
        record_release(
            con,
            home,
            clock=LAST,
            checks=[CHECK],
            what_changed=f"release {number}",
            fingerprint=str(number),
        )


def build_sample(home: Home) -> None:
    """The bundled sample with its whole history, released by the real command."""
    for command in (
        ["seeds/sample/generate.py", str(home.landing)],
        ["-m", "dagster_project.cli", "backfill", f"{FIRST}", f"{LAST}"],
    ):
        subprocess.run(
            [sys.executable, *command],
            cwd=PROJECT_ROOT,
            env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def in_ms(seconds: list[float]) -> dict[str, float]:
    """How many, median, 95th percentile and maximum in milliseconds."""
    return {
        "count": len(seconds),
        "p50_ms": round(1000 * percentile(seconds, 0.5), 1),
        "p95_ms": round(1000 * percentile(seconds, 0.95), 1),
        "max_ms": round(1000 * max(seconds), 1),
    }


def prove(
    home: Home, readers: int, publications: int, quiet_seconds: float, pause: float
) -> dict[str, Any]:
    """Publish over a home's release while it is read; the figures, ready to be written as JSON."""
    begun = time.monotonic()
    audit(home, 0)
    publish(home)
    size = home.published.stat().st_size
    publishing: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(readers, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        signals = Path(folder)
        running = [pool.submit(read, home.published, signals, pause) for _ in range(readers)]
        try:
            while len(list(signals.iterdir())) < readers:
                for reader in running:
                    if reader.done():
                        reader.result()  # raises what it met
                time.sleep(0.05)
            undisturbed = time.monotonic()
            time.sleep(quiet_seconds)
            written = time.monotonic()
            while time.monotonic() < written + quiet_seconds:
                audit(home, 0)
            first = time.monotonic()
            for number in range(1, publications + 1):
                audit(home, number)
                start = time.monotonic()
                publish(home)
                publishing.append(time.monotonic() - start)
            last = time.monotonic()
            time.sleep(1)  # so that everybody sees the last one
        finally:
            (signals / STOP).touch()
        readings = [reading.result() for reading in running]

    timed = [pair for r in readings for pair in zip(r.starts, r.seconds, strict=True)]
    quiet = [seconds for start, seconds in timed if undisturbed <= start < written]
    beside = [seconds for start, seconds in timed if written <= start < first]
    disturbed = [seconds for start, seconds in timed if first <= start < last]
    errors = sum((r.errors for r in readings), Counter[str]())
    final = published_release(home)
    return {
        "proof": "readers",
        "date": f"{date.today()}",
        "version": project_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "readers": readers,
        "publications": publications,
        "release_mb": round(size / 1e6, 1),
        "reads": len(timed),
        "releases_seen": len({number for r in readings for number in r.releases}),
        "errors": errors.total(),
        "first_errors": dict(errors.most_common(5)),
        "mixed_reads": sum(r.mixed for r in readings),
        "steps_back": sum(r.steps_back for r in readings),
        "last_release_seen_by_all": all(
            final is not None and r.releases[-1:] == [int(final.fingerprint)] for r in readings
        ),
        "publish": in_ms(publishing),
        "read_undisturbed": in_ms(quiet),
        "read_beside_a_writer": in_ms(beside),
        "read_during_publications": in_ms(disturbed),
        "seconds": round(time.monotonic() - begun),
    }


def holds(figures: dict[str, Any]) -> bool:
    """Whether nobody met an error, a mixed release, an earlier one, or missed the last."""
    return figures["last_release_seen_by_all"] and not (
        figures["errors"] or figures["mixed_reads"] or figures["steps_back"]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--publications", type=int, default=100)
    parser.add_argument(
        "--quiet", type=float, default=20, help="seconds undisturbed, and as many beside a writer"
    )
    parser.add_argument("--pause", type=float, default=0.05, help="mean seconds between reads")
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="closing_bell_readers_") as folder:
        home = Home(Path(folder))
        build_sample(home)
        figures = prove(home, options.readers, options.publications, options.quiet, options.pause)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 0 if holds(figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
