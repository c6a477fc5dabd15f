"""Proof that a release is of one state, whatever parts of the house were run before it.

A sequence begins with a night of a small market. Then files change, and somebody materializes
parts: some feeds, one model or all, the release, each alone or together, as clicks in the UI do it.
After each step a release that is new must be the one that its own raw tables give: a copy is built
again from them. In the end the job `nightly` runs, and every published table is compared with a
clean rebuild from the files, as in `any_order.py`.

    python -m tests.proof.any_selection --sequences 200 --seed 1 --processes 2 --out selection.json

The sequences are kept beside `--out` in parts; the same command goes on where it ended.

Belongs here: sequences, checking them, and the command. Does not belong here: the market, its files
and what can happen to them (`histories/`). The sample of it that `make test` draws is
`tests/property/test_any_selection.py`.
"""

import argparse
import logging
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dagster_project import pipeline
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.release.read import published_release
from dagster_project.warehouse import state
from dagster_project.warehouse.connection import connect
from tests.proof.drawing import failures_of
from tests.proof.histories.comparison import differences, published_tables, tables_of
from tests.proof.histories.events import CONTENT, EVENTS, MADE, Event
from tests.proof.histories.files import PATHS
from tests.proof.histories.house import House, clean_rebuild
from tests.proof.histories.market import ASKED, TODAY
from tests.proof.in_dagster import materialize_in_dagster, model_names
from tests.proof.journal import Journal

FEEDS = sorted({path.split("/")[0] for path in PATHS})
# Which models are materialized, the usual more often.
MODELS = ["none", "none", "one", "one", "all", "all", "with what it reads"]


@dataclass(frozen=True)
class Step:
    """What happens to the files, and what is materialized then.

    `feeds` are numbers in `FEEDS`; `pick` chooses the model. The report is left out: it reads only
    what is published.
    """

    events: tuple[Event, ...]
    feeds: tuple[int, ...]
    models: str
    pick: int
    is_released: bool

    def selection(self) -> list[str]:
        """The selection in Dagster's own syntax."""
        selected = [f'key:"feed/{FEEDS[number]}"' for number in self.feeds]
        names = model_names()
        if self.models == "all":
            selected.append("group:seeds or group:staging or group:intermediate or group:marts")
            selected.append("group:audit")
        elif self.models != "none":
            model = f'key:"{names[self.pick % len(names)]}"'
            selected.append(model if self.models == "one" else f"1+{model}")
        if self.is_released:
            selected.append('key:"published/closing_bell"')
        return selected


@st.composite
def sequences(draw: st.DrawFn) -> tuple[tuple[Event, ...], tuple[Step, ...]]:
    """The files of the first night, and three to six steps after it."""
    times, picks = st.integers(0, len(MADE) - 1), st.integers(0, len(PATHS) - 1)
    delivered = draw(st.lists(picks, unique=True, min_size=len(PATHS) // 2, max_size=len(PATHS)))
    first = tuple(Event("delivered", pick, draw(CONTENT), draw(times)) for pick in delivered)
    event = st.builds(Event, st.sampled_from(EVENTS), picks, CONTENT, times)
    step = st.builds(
        Step,
        st.lists(event, max_size=2).map(tuple),
        st.lists(st.integers(0, len(FEEDS) - 1), unique=True, max_size=3).map(tuple),
        st.sampled_from(MODELS),
        st.integers(0, 200),
        st.booleans(),
    )
    return first, tuple(draw(st.lists(step, min_size=3, max_size=6)))


@dataclass
class Tally:
    """Figures of a run of the proof."""

    sequences: int = 0
    inconsistent: int = 0
    steps: int = 0
    releases_by_parts: int = 0
    rows: int = 0
    seconds: float = 0.0
    steps_with: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name in ("sequences", "inconsistent", "steps", "releases_by_parts", "rows", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.steps_with.update(other.steps_with)
        self.failures += other.failures


class Proof:
    """Checks sequences one after another, in a folder that is gone afterwards."""

    def __init__(self) -> None:
        self.catalog = load_feeds()
        self.folder = tempfile.TemporaryDirectory(prefix="any-selection-")
        self.tally = Tally()

    def check(self, sequence: tuple[tuple[Event, ...], tuple[Step, ...]]) -> str | None:
        """Live a sequence; says what was inconsistent, with all that happened."""
        events, steps = sequence
        house = House.new(Path(self.folder.name) / "home", self.catalog, in_dagster=True)
        for event in events:
            house.happen(event)
        house.run(ASKED[0], TODAY)
        wrong: list[str] = []
        for step in steps:
            wrong += self._take(house, step)
        house.put_right()
        house.run(None, TODAY)
        wrong += house.job_failures
        found = published_tables(house)
        clean = clean_rebuild(house, TODAY)
        expected = published_tables(clean)
        wrong += differences(found, expected)
        if (house.withheld is None) != (clean.withheld is None):
            wrong.append(f"withheld: {house.withheld}; in the rebuild: {clean.withheld}")
        self.tally.sequences += 1
        self.tally.steps += len(steps)
        self.tally.rows += sum(table.rows.total() for table in expected.values())
        self.tally.inconsistent += bool(wrong)
        return "\n".join([*house.log, *wrong, f"sequence = {sequence!r}"]) if wrong else None

    def _take(self, house: House, step: Step) -> list[str]:
        """Let a step happen; what is wrong with the release that it made, if it made one."""
        for event in step.events:
            house.happen(event)
        selection = step.selection()
        if not selection:
            return []
        before = published_release(house.home)
        done = materialize_in_dagster(house.home, selection, TODAY)
        house.remember(TODAY)
        released = published_release(house.home)
        outcome = "released" if released != before else "refused" if done.refused else "built"
        house.log.append(f"    {' + '.join(selection)}: {outcome} {' | '.join(done.refused)}")
        self.tally.steps_with[outcome] += 1
        self.tally.steps_with[f"models: {step.models}"] += 1
        wrong = [f"failed otherwise: {reason}" for reason in done.failed]
        if released != before:
            self.tally.releases_by_parts += 1
            wrong += self._differences_from_its_raw(house.home)
        return wrong

    def _differences_from_its_raw(self, home: Home) -> list[str]:
        """Rows of the published tables that its own raw tables do not give."""
        copy = Home(Path(self.folder.name) / "copy")
        copy.root.mkdir(exist_ok=True)
        copy.warehouse.unlink(missing_ok=True)
        shutil.copyfile(home.published, copy.warehouse)
        with closing(connect(copy.warehouse)) as con:
            state.forget_state(con, "built_by")
        if failure := pipeline.transform(copy).failure:
            return [f"its raw tables cannot be built: {failure}"]
        return differences(tables_of(home.published), tables_of(copy.warehouse))

    def close(self) -> None:
        self.folder.cleanup()


# So many are kept at once. Hypothesis begins every part with the simplest sequence.
SEQUENCES_A_PART = 10


@dataclass(frozen=True)
class Part:
    """Sequences drawn with one seed."""

    seed: int
    sequences: int


def _prove(part: Part) -> Tally:
    """Draw sequences and check each; an inconsistency does not end the run, it is counted."""
    logging.disable(logging.WARNING)
    proof = Proof()

    started = time.monotonic()
    try:
        proof.tally.failures = failures_of(proof.check, sequences(), part.seed, part.sequences)
    finally:
        proof.close()
    proof.tally.seconds = time.monotonic() - started
    return proof.tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the proof; exit status 1 where any sequence is inconsistent."""
    parser = argparse.ArgumentParser(description="Prove that any part of the house can be run.")
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args(arguments)
    started, journal, tally = time.monotonic(), Journal.beside(options.out), Tally()
    parts = {
        Part(options.seed + number, min(SEQUENCES_A_PART, options.sequences - done))
        for number, done in enumerate(range(0, options.sequences, SEQUENCES_A_PART))
    }
    for kept in journal.read():
        if Part(**kept["part"]) in parts:
            parts.remove(Part(**kept["part"]))
            tally.add(Tally(**kept["tally"]))
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        played = {
            pool.submit(_prove, part): part for part in sorted(parts, key=lambda part: part.seed)
        }
        for future in as_completed(played):
            tally.add(future.result())
            journal.keep({"part": asdict(played[future]), "tally": vars(future.result())})
            print(f"{tally.sequences} of {options.sequences}", file=sys.stderr, flush=True)
    figures: dict[str, Any] = {
        "sequences": tally.sequences,
        "inconsistent": tally.inconsistent,
        "steps": tally.steps,
        "steps_with": dict(sorted(tally.steps_with.items())),
        "releases_by_parts": tally.releases_by_parts,
        "rows_compared": tally.rows,
        "seed": options.seed,
        "seconds_of_all_parts": round(tally.seconds),
    }
    command = " ".join(["python -m tests.proof.any_selection", *(arguments or sys.argv[1:])])
    journal.finish(options.out, command, tally.failures, time.monotonic() - started, figures)
    return 1 if tally.inconsistent else 0


if __name__ == "__main__":
    sys.exit(main())
