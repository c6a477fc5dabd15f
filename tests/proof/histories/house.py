"""A home in which a history happens, and the clean rebuild that it is compared with.

Belongs here: placing files, running nights, remembering what a clean rebuild must know. Does not
belong here: what can happen (`events.py`), comparing the results (`comparison.py`).
"""

import hashlib
import os
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

from dagster_project import pipeline
from dagster_project.defs.run_in_process import WITHHELD
from dagster_project.home import Home
from dagster_project.ingest import feed_ingestion
from dagster_project.ingest.feed_catalog import FeedCatalog
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from tests.proof.histories.events import MADE, Event, Night
from tests.proof.histories.files import BAD, MAY_BE_WRONG, PATHS, WRITERS, Content, twin
from tests.proof.histories.market import DAYS, EARLY, TODAY, Span
from tests.proof.in_dagster import run_in_dagster


@dataclass(frozen=True)
class File:
    """A file as it lies in landing; `content` is None where no feed can read it."""

    data: bytes
    mtime_ns: int
    content: Content | None


@dataclass
class House:
    """A home, what lies in its landing folder, and what happened there."""

    home: Home
    catalog: FeedCatalog
    there: dict[str, File] = field(default_factory=dict)
    # The last contents that could be read, with the real date of the night that read them.
    good: dict[str, tuple[File, date]] = field(default_factory=dict)
    # The files that were quarantined because they lack what was released, with the reason.
    short: dict[str, str] = field(default_factory=dict)
    asked: list[Span] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    deliveries: Counter[str] = field(default_factory=Counter)
    withheld: str | None = None
    nights: int = 0
    # Whether nights are runs of the Dagster job, and how many of them had something to do.
    in_dagster: bool = False
    nights_in_dagster: int = 0
    # How runs of the job failed for another reason than a blocking check.
    job_failures: list[str] = field(default_factory=list)

    @classmethod
    def new(cls, root: Path, catalog: FeedCatalog, in_dagster: bool = False) -> "House":
        """An empty home, but for what dbt has parsed: that costs more than a night."""
        house = cls(Home(root), catalog, in_dagster=in_dagster)
        root.mkdir(exist_ok=True)
        for entry in root.iterdir():
            if entry.is_dir() and entry.name != "dbt":
                shutil.rmtree(entry)
            elif entry.is_file():
                entry.unlink()
        for feed in catalog.feeds:
            (house.home.landing / feed).mkdir(parents=True)
        return house

    # Files

    def put(self, path: str, file: File) -> None:
        target = self.home.landing / path
        target.write_bytes(file.data)
        os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
        self.there[path] = file

    def deliver(self, path: str, made: int, content: Content | None, data: bytes = b"") -> None:
        """Put a file that says `content`, or holds `data` that no feed can read."""
        self.deliveries[path] += 1
        # No path bears a time twice: a correction of the same size is noticed by its time.
        mtime_ns = int(MADE[made].timestamp()) * 1_000_000_000 + self.deliveries[path]
        if content:
            symbols = PATHS[path]
            if content.is_short and len(symbols) > 1:
                symbols = symbols[:-1]
            data = WRITERS[path.split("/")[0]](content, symbols)
        self.put(path, File(data, mtime_ns, content))

    def remove(self, path: str) -> None:
        (self.home.landing / path).unlink()
        del self.there[path]

    # Nights

    def happen(self, event: Event) -> None:
        """Let something happen to the files."""
        what, path, content = event.what, list(PATHS)[event.pick], event.content
        good = sorted(path for path, file in self.there.items() if file.content)
        if what == "delivered":
            wanted = [path for path in PATHS if path not in good]
            if path in good and wanted:
                path = wanted[event.pick % len(wanted)]
            if path.startswith(("tushare_daily/", "tushare_adj_factor/")):
                day = datetime.strptime(path[-12:-4], "%Y%m%d").date()
                content = replace(content, span=(day, day))
            file = self.there.get(path)
            if file:
                what = "restated" if file.content else "repaired"
            elif any(a <= content.span[1] and content.span[0] <= b for a, b in self.asked):
                what = "late"
            self.deliver(path, event.time, content)
        else:
            if what in ("copied", "split"):
                good = [path for path in good if twin(path)]
            elif what == "wrong":
                good = [path for path in good if path.startswith(MAY_BE_WRONG)]
            if not good:
                return
            path = good[event.pick % len(good)]
            self.change(what, path, event)
        said = self.there[path].content if path in self.there else None
        self.tell(what, f"{path} {said or ''} made on {MADE[event.time]:%m-%d}")

    def change(self, what: str, path: str, event: Event) -> None:
        """Let something happen to a file that can be read."""
        content, other = self.there[path].content, twin(path)
        assert content
        first, last = content.span
        if what == "restated":
            self.deliver(path, event.time, replace(content, levels=event.content.levels))
        elif what == "repeated":
            self.deliver(path, event.time, content)
        elif what == "copied":
            assert other
            self.deliver(other, event.time, content)
        elif what == "split":
            assert other
            middle = _middle(content)
            self.deliver(other, event.time, replace(content, span=(first, middle)))
            self.deliver(path, event.time, replace(content, span=(middle, last)))
        elif what == "shortened":
            self.deliver(path, event.time, replace(content, span=(_middle(content), last)))
        elif what == "removed":
            self.remove(path)
        elif what == "spoiled":
            self.deliver(path, event.time, None, BAD[event.time % len(BAD)])
        else:
            assert what == "wrong"
            self.deliver(path, len(MADE) - 1, replace(content, is_wrong=True))

    def tell(self, what: str, words: str) -> None:
        self.seen[what] += 1
        self.log.append(f"    {what}: {words}")

    def run(self, asked: Span | None, today: date) -> None:
        self.log.append(f"    run on {today}, asked for {asked}")
        if self.in_dagster:
            self.withheld = self.run_job(asked, today)
        else:
            self.withheld = pipeline.run(self.home, self.catalog, asked, today).withheld
        self.nights += 1
        if self.withheld:
            self.tell("withheld", self.withheld)
        if asked:
            self.asked.append(asked)
        self.remember(today)

    def remember(self, today: date) -> None:
        """Keep what a clean rebuild cannot know: which contents were read last, and judged how."""
        with closing(connect(self.home.warehouse, read_only=True)) as con:
            loaded = {
                path: (sha256, mtime_ns)
                for path, sha256, mtime_ns in con.execute(
                    "select path, sha256, mtime_ns from raw.file where status = 'loaded'"
                ).fetchall()
            }
            short = con.execute(
                "select path, reason from raw.file where status = 'set_aside' "
                "and reason like 'lacks %'"
            ).fetchall()
        self.short = dict(short)
        for path, reason in self.short.items():
            self.tell("too short", f"{path} {reason}")
        self.good = {path: kept for path, kept in self.good.items() if path in loaded}
        for path, file in self.there.items():
            if loaded.get(path) == (hashlib.sha256(file.data).hexdigest(), file.mtime_ns):
                self.good[path] = file, today

    def run_job(self, asked: Span | None, today: date) -> str | None:
        """Run a night by the Dagster job; returns why the release was withheld, if it was.

        A job always asks for dates. A night without any asks for the clock, which is covered, as
        the sensor of the landing folder does.
        """
        if asked is None:
            clock = max(last for _, last in self.asked)
            asked = clock, clock
        steps: list[str] = []
        outcome = run_in_dagster(self.home, asked, today, steps.append)
        self.nights_in_dagster += bool(steps)
        why = "\n".join(outcome.errors)
        is_blocked = any(error.startswith("blocked") for error in outcome.errors)
        if outcome.status and not (outcome.status == WITHHELD and is_blocked):
            self.job_failures.append(f"the job ended with status {outcome.status}: {why}")
            self.log.append(f"    {self.job_failures[-1]}")
        return why if outcome.status == WITHHELD else None

    def live(self, history: tuple[Night, ...]) -> date:
        """All nights of a history; returns the real date of the last."""
        today = EARLY
        for number, night in enumerate(history):
            self.log.append(f"night {number + 1}")
            if not night.is_early or (night.asked and night.asked[1] > EARLY):
                today = TODAY
            for event in night.events:
                self.happen(event)
            if night.asked and any(night.asked[1] < first for first, _ in self.asked):
                self.tell("later dates first", f"{night.asked[0]} to {night.asked[1]}")
            self.run(night.asked, today)
        if self.put_right():
            self.run(None, today)
        return today

    def put_right(self) -> bool:
        """Deliver what is wrong again, for it may withhold the release to compare; whether any."""
        wrong = [
            path for path, file in self.there.items() if file.content and file.content.is_wrong
        ]
        for path in wrong:
            content = self.there[path].content
            assert content
            self.deliver(path, len(MADE) - 1, replace(content, is_wrong=False))
            self.tell("put right", path)
        return bool(wrong)


def _middle(content: Content) -> date:
    first, last = content.span
    return DAYS[(DAYS.index(first) + DAYS.index(last)) // 2]


def clean_rebuild(house: House, today: date) -> House:
    """In the same place a new home with the same files, asked for the same dates, and one run.

    It cannot know which contents lacked what had been released when they came: it is told.
    """

    def short_files(
        con: object, spec: object, judged: dict[int, str], *others: object
    ) -> dict[int, str]:
        return {file: house.short[path] for file, path in judged.items() if path in house.short}

    with patch.object(feed_ingestion, "short_files", short_files):
        return _rebuild(house, today)


def _rebuild(house: House, today: date) -> House:
    clean = House.new(house.home.root, house.catalog)
    spoiled = {
        path: house.good[path]
        for path, file in house.there.items()
        if path in house.good and house.good[path][0] != file
    }
    # Each as it was read when it was last good; beside it what it holds now.
    for read_on in sorted({day for _, day in spoiled.values()}):
        of_day = [path for path, (_, day) in spoiled.items() if day == read_on]
        for path in of_day:
            clean.put(path, spoiled[path][0])
        pipeline.ingest(clean.home, clean.catalog, house.asked[0], read_on)
        for path in of_day:
            clean.put(path, house.there[path])
    for path, file in house.there.items():
        clean.put(path, file)
    with closing(connect(clean.home.warehouse)) as con:
        raw_tables.create_tables(con)
        for asked in sorted(house.asked):
            state.cover(con, asked, datetime.now(UTC).replace(tzinfo=None))
    clean.run(max(house.asked, key=lambda asked: asked[1]), today)
    return clean
