"""Proof of law 2: history is what the files say, in whatever order they came.

A history is a few nights of a small market. Before each, files are delivered early, on time or
late, repeated, copied, split, shortened, restated, removed, spoiled or given with wrong figures;
each night asks for some dates, the later ones first or not, or for none. What the nights leave
behind is compared, every published table and every row of it, with a clean rebuild: a new warehouse
that is given the files that are there in the end and is asked for the same dates at once.

What is not compared: the tables `release`, `release_check` and `anomaly`, and the columns
`loaded_at`, which tell how and when the tables came about. One thing a clean rebuild from the last
files cannot know: a file that went bad, or lacks much of what was released, keeps the rows of its
last good content. So the rebuild is given that first, and told which files lacked how much.

    python -m tests.proof.any_order --histories 200 --seed 1 --processes 2 --out any_order.json

Nights call the functions of `pipeline.py`, because that takes seconds. With `--dagster-every N` the
nights of every N-th history are runs of the real Dagster job instead, and are compared with the
same rebuild.

The histories are kept beside `--out` in parts; the same command goes on where it ended.

Belongs here: checking histories, the figures of that, and the command. Does not belong here: the
market, its files, histories and the comparison (`histories/`). The sample of it that `make test`
draws is `tests/property/test_any_order.py`.
"""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.warehouse.connection import connect
from tests.proof.drawing import failures_of
from tests.proof.histories.comparison import PRESENT, differences, published_tables
from tests.proof.histories.events import Night, histories
from tests.proof.histories.house import House, clean_rebuild
from tests.proof.journal import Journal


@dataclass
class Tally:
    """Figures of a run of the proof."""

    histories: int = 0
    unequal: int = 0
    nights: int = 0
    histories_in_dagster: int = 0
    nights_in_dagster: int = 0
    deliveries: int = 0
    tables: int = 0
    rows: int = 0
    seconds: float = 0.0
    histories_with: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name in (
            "histories", "unequal", "nights", "histories_in_dagster", "nights_in_dagster",
            "deliveries", "rows", "seconds",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.tables = max(self.tables, other.tables)
        self.histories_with.update(other.histories_with)
        self.failures += other.failures


class Proof:
    """Checks histories one after another, in a folder that is gone afterwards."""

    def __init__(self) -> None:
        self.catalog = load_feeds()
        assert not self.catalog.problems, self.catalog.problems
        self.folder = tempfile.TemporaryDirectory(prefix="any-order-")
        self.tally = Tally()

    def check(self, history: tuple[Night, ...], in_dagster: bool = False) -> str | None:
        """Live a history and rebuild it; says what differs, with all that happened.

        Args:
            in_dagster: live it by runs of the Dagster job; the rebuild calls the functions.
        """
        tally, root = self.tally, Path(self.folder.name) / "home"
        house = House.new(root, self.catalog, in_dagster)
        today = house.live(history)
        found = published_tables(house)
        clean = clean_rebuild(house, today)
        expected = published_tables(clean)
        differing = [*house.job_failures, *differences(found, expected)]
        if (house.withheld is None) != (clean.withheld is None):
            differing.append(f"withheld: {house.withheld}; in the rebuild: {clean.withheld}")
        tally.histories += 1
        tally.nights += house.nights
        tally.histories_in_dagster += in_dagster
        tally.nights_in_dagster += house.nights_in_dagster
        tally.deliveries += sum(house.deliveries.values())
        tally.tables = max(tally.tables, len(expected))
        tally.rows += sum(table.rows.total() for table in expected.values())
        tally.histories_with.update(house.seen.keys())
        if clean.withheld:
            tally.histories_with["withheld in the end"] += 1
        with closing(connect(clean.home.warehouse, read_only=True)) as con:
            for name, query in PRESENT.items():
                tally.histories_with[name] += con.execute(query).fetchone() is not None
        if not differing:
            return None
        tally.unequal += 1
        return "\n".join([*house.log, *differing, f"history = {history!r}"])

    def close(self) -> None:
        self.folder.cleanup()


# So many are kept at once. Hypothesis begins every part with the simplest history.
HISTORIES_A_PART = 25


@dataclass(frozen=True)
class Part:
    """Histories drawn with one seed; `first` is the number of its first in the run, from 1."""

    seed: int
    first: int
    histories: int
    dagster_every: int

    def is_in_dagster(self, number: int) -> bool:
        """Whether the Dagster job plays a history of the part, by its number from 0."""
        return self.dagster_every > 0 and (self.first + number) % self.dagster_every == 0


def _prove(part: Part) -> Tally:
    """Draw histories and check each; a difference does not end the run, it is counted."""
    logging.disable(logging.WARNING)
    proof = Proof()

    def check(history: tuple[Night, ...]) -> str | None:
        return proof.check(history, part.is_in_dagster(proof.tally.histories))

    started = time.monotonic()
    try:
        proof.tally.failures = failures_of(check, histories(), part.seed, part.histories)
    finally:
        proof.close()
    proof.tally.seconds = time.monotonic() - started
    return proof.tally


def prove(
    count: int, seed_: int, processes: int, out: Path | None, dagster_every: int = 0
) -> dict[str, Any]:
    """The full run, in parts, over processes that start before any of them opens a database.

    Args:
        seed_: the first part's; each next part has the next.
        dagster_every: of so many histories, one is lived by the Dagster job; none where 0.

    Returns:
        Its figures: counts, how many histories had what, seconds, machine and date.
    """
    started, journal = time.monotonic(), Journal.beside(out)
    tally = Tally()
    parts = {
        Part(seed_ + number, done + 1, min(HISTORIES_A_PART, count - done), dagster_every)
        for number, done in enumerate(range(0, count, HISTORIES_A_PART))
    }
    for kept in journal.read():
        if Part(**kept["part"]) in parts:
            parts.remove(Part(**kept["part"]))
            tally.add(Tally(**kept["tally"]))
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        in_order = sorted(parts, key=lambda part: part.seed)
        played = {pool.submit(_prove, part): part for part in in_order}
        for future in as_completed(played):
            found = future.result()
            tally.add(found)
            journal.keep({"part": asdict(played[future]), "tally": vars(found)})
            print(f"{tally.histories} of {count} histories", file=sys.stderr, flush=True)
    return {
        "proof": "any_order",
        "version": journal.version,
        "histories": tally.histories,
        "unequal": tally.unequal,
        "nights": tally.nights,
        "histories_in_dagster": tally.histories_in_dagster,
        "nights_in_dagster": tally.nights_in_dagster,
        "deliveries": tally.deliveries,
        "tables": tally.tables,
        "rows_compared": tally.rows,
        "histories_with": dict(sorted(tally.histories_with.items())),
        "seed": seed_,
        "processes": processes,
        "seconds": round(time.monotonic() - started, 1),
        "seconds_of_all_parts": round(tally.seconds, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, DuckDB {duckdb.__version__}",
        "date": datetime.now(UTC).date().isoformat(),
        "failures": tally.failures,
    }


def main() -> int:
    """Run the proof; exit status 1 where any history differs."""
    parser = argparse.ArgumentParser(description="Prove that the order of deliveries is no matter.")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--dagster-every", type=int, default=0, metavar="N",
        help="live every N-th history by the Dagster job (default: none)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    arguments = parser.parse_args()
    figures = prove(
        arguments.histories, arguments.seed, arguments.processes, arguments.out,
        arguments.dagster_every,
    )  # fmt: skip
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    for name, value in figures.items():
        if name == "histories_with":
            print("histories with:")
            for what, number in value.items():
                print(f"  {what:<28} {number:>5}")
        elif name != "failures":
            print(f"{name:<30} {value}")
    return 1 if figures["unequal"] else 0


if __name__ == "__main__":
    sys.exit(main())
