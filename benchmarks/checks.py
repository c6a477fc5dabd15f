"""What the checks cost a night: the same nights with them and without, in one warm process.

    python benchmarks/checks.py [--nights 6]

The real vendor files up to a Tuesday are released first; then night follows night, every other one
without dbt's tests and without the audit. What the reader refuses cannot be left out: it is part of
reading. Nothing is asserted.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from dagster_project import pipeline
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from tests.support import TODAY, place_real_files

FIRST, LAST = date(2021, 1, 1), date(2025, 8, 26)
WITHOUT_TESTS = ("--selector", "night", "--exclude-resource-type", "test")


def run(home: Home, first: date, last: date, with_checks: bool) -> float:
    """One run; seconds."""
    started = time.monotonic()
    with home.writer_lock():
        pipeline.ingest(home, load_feeds(), (first, last), TODAY)
        result = pipeline.transform(home, () if with_checks else WITHOUT_TESTS)
        if result.failure:
            raise SystemExit(result.failure)
        if with_checks:
            pipeline.audit(home)
        pipeline.publish(home)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nights", type=int, default=6, help="of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        place_real_files(home.landing)
        run(home, FIRST, LAST, with_checks=True)
        seconds: dict[bool, list[float]] = {True: [], False: []}
        day = LAST
        for number in range(2 * options.nights + 1):
            day += timedelta(days=3 if day.isoweekday() == 5 else 1)
            with_checks = number % 2 == 0
            taken = run(home, day, day, with_checks)
            if number:  # the first warms up
                seconds[with_checks].append(taken)
    medians = {kind: statistics.median(taken) for kind, taken in seconds.items()}
    print(f"with checks     {medians[True]:6.2f} s, the median of {len(seconds[True])} nights")
    print(f"without checks  {medians[False]:6.2f} s")
    print(f"ratio           {medians[True] / medians[False]:6.2f}")


if __name__ == "__main__":
    main()
