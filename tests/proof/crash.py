"""A crash costs nothing (law 6): runs killed by SIGKILL at random instants, then run again.

Belongs here: killing real runs, what must hold right after a kill and after the run that follows,
and the figures of that. Does not belong here: publications killed before every single step
(`tests/integration/release/test_crashes.py`), how a run does its work.

    python -m tests.proof.crash --kills 200 --seed 1 --out FILE

Every kill is one of a real run in a home of its own: a night on top of a release, a night killed
twice, or the first run ever. Nine of ten runs are the steps of `pipeline.py` and the
report; every tenth is the whole job as `make nightly` runs it, and so is every run that follows
one of these. Every fortieth kill hits the command itself, while it starts.

This process has imported everything, opens no database itself and forks a child for each run, so
that a case costs seconds. Phases get equal shares of the kills; the instant within one is drawn
from how long it lasts undisturbed. Exit status 1 if anything did not hold; the homes of such
cases are kept.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from tests.proof.journal import project_version

FIRST, LAST, NIGHT = date(2025, 7, 1), date(2025, 9, 16), date(2025, 9, 17)
# Far above what a run takes: whoever needs longer hangs.
DEADLINE_SECONDS = 300.0

# Phase -> the names under which runs call it.
PHASES: dict[str, tuple[tuple[str, str], ...]] = {
    "ingest": (("dagster_project.pipeline", "ingest"),),
    "dbt": (("dagster_project.pipeline", "transform"),),
    "audit": (("dagster_project.pipeline", "audit"),),
    "publish": (("dagster_project.pipeline", "publish"),),
    "report": (
        ("dagster_project.report.files", "write_report"),
        ("dagster_project.defs.report", "write_report"),
    ),
}
# Before the first step and after the last.
START, END = "start", "end"

# `night`: one night on top of a release; `first`: the first run ever.
Kind = Literal["night", "first"]
# `steps`: without Dagster; `job`: the Dagster job in a warm process; `command`: `make nightly`.
Way = Literal["steps", "job", "command"]

# Differ between two runs on the same files, and say nothing about the market.
NOT_COMPARED = {"release", "release_check"}
MOMENTS = {"loaded_at", "first_seen", "is_new"}

# Children of a process that has imported everything and used nothing.
processes = multiprocessing.get_context("fork")


class ProofFailed(AssertionError):
    """Something that has to hold did not; the message says what."""


# Runs, each in a child


def warm(home: Home) -> None:
    """Import all that a run needs; `home` keeps dbt's manifest."""
    os.environ["CLOSING_BELL_HOME"] = str(home.root)
    import_module("dbt.cli.main")
    import_module("dbt.adapters.duckdb.connections")
    import_module("dagster_project.defs.run_in_process")
    definitions = import_module("dagster_project.definitions")
    definitions.defs().resolve_job_def("nightly")
    for places in PHASES.values():
        for module, name in places:
            getattr(import_module(module), name)


def dates_of(kind: Kind) -> tuple[date, date]:
    return (FIRST, LAST) if kind == "first" else (NIGHT, NIGHT)


def run(home: Home, kind: Kind, way: Way) -> None:
    """What `make nightly` or `make backfill` does; with `steps`, without Dagster.

    Raises:
        ProofFailed: nothing was released, or the report failed.
    """
    from dagster_project import pipeline
    from dagster_project.defs.run_in_process import run_job
    from dagster_project.ingest import feed_catalog
    from dagster_project.market import calendar
    from dagster_project.report import files

    first, last = dates_of(kind)
    today, catalog = calendar.today_in_hong_kong(), feed_catalog.load_feeds()
    if way == "job" or pipeline.nothing_new(home, catalog, (first, last), today):
        outcome = run_job(home, "history" if kind == "first" else "nightly", first, last)
        if outcome.status:
            raise ProofFailed("\n".join([*outcome.errors, f"status {outcome.status}"]))
        return
    result = pipeline.run(home, catalog, (first, last), today)
    if result.withheld:
        raise ProofFailed(result.withheld)
    files.write_report(home, last)
    if problems := files.check_report(home, last):
        raise ProofFailed("; ".join(problems))


def announce_phases(said: Connection) -> None:
    """In a child: say which phase begins, as it begins."""
    for phase, places in PHASES.items():
        for module, name in places:
            step = getattr(import_module(module), name)
            setattr(import_module(module), name, _announced(step, phase, said))


def _announced(step: Callable[..., Any], phase: str, said: Connection) -> Callable[..., Any]:
    def announced(*arguments: Any, **options: Any) -> Any:
        said.send(phase)
        return step(*arguments, **options)

    return announced


def _child(
    home: Home,
    log: Path,
    said: Connection,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["CLOSING_BELL_HOME"] = str(home.root)
    try:
        if function is run:
            announce_phases(said)
        said.send((END, function(home, *arguments)))
    except BaseException:
        traceback.print_exc()
        raise


@contextmanager
def child(
    home: Home, log: Path, function: Callable[..., Any], *arguments: Any
) -> Iterator[tuple[Any, Connection]]:
    """A function of a home, running in a child; with the pipe on which it tells what it does."""
    heard, said = processes.Pipe(duplex=False)
    process = processes.Process(target=_child, args=(home, log, said, function, arguments))
    process.start()
    said.close()
    try:
        yield process, heard
    finally:
        process.kill()
        process.join()
        heard.close()


def in_child(home: Home, log: Path, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function that uses DuckDB, which this process must not.

    Raises:
        ProofFailed: it failed, or hangs; the end of its log is in the message.
    """
    with child(home, log, function, *arguments) as (process, heard):
        for phase, _, result in phases_heard(heard):
            if phase == END:
                process.join(DEADLINE_SECONDS)
                return result
        process.join(1)
        hangs = process.exitcode is None
    told = log.read_text(errors="replace")[-2000:]
    raise ProofFailed(f"{function.__name__} {'hangs' if hangs else 'failed'}:\n{told}")


def phases_heard(heard: Connection) -> Iterator[tuple[str, float, Any]]:
    """The phases as they begin, with the moment; ends with the child, or when it hangs."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while heard.poll(max(deadline - time.monotonic(), 0)):
        try:
            message = heard.recv()
        except EOFError:
            return
        phase, result = message if isinstance(message, tuple) else (message, None)
        yield phase, time.monotonic(), result


def measure(home: Home, log: Path, kind: Kind, way: Way) -> dict[str, float]:
    """Run undisturbed; seconds of each phase."""
    begun: list[tuple[str, float]] = []
    with child(home, log, run, kind, way) as (_, heard):
        begun += [(phase, moment) for phase, moment, _ in phases_heard(heard)]
    if [phase for phase, _ in begun] != [*PHASES, END]:
        raise ProofFailed(f"phases begun: {begun}\n{log.read_text(errors='replace')[-2000:]}")
    return {phase: ended - moment for (phase, moment), (_, ended) in itertools.pairwise(begun)}


def kill_in(home: Home, log: Path, kind: Kind, way: Way, phase: str, seconds: float) -> str | None:
    """Run, and kill so many seconds after a phase begins.

    Returns:
        The phase that was hit; None where the run was over before.
    """
    last = START
    with child(home, log, run, kind, way) as (process, heard):
        for last, _, _ in phases_heard(heard):
            if last in (phase, END):
                break
        if last != END:
            time.sleep(seconds)
        process.kill()
        process.join()
        # What it said between the instant and its end.
        last = [last, *(phase for phase, _, _ in phases_heard(heard))][-1]
        if last == END:
            return None
        if process.exitcode != -signal.SIGKILL:
            raise ProofFailed(f"the run failed:\n{log.read_text(errors='replace')[-2000:]}")
    return last


def command(home: Home, kind: Kind) -> list[str]:
    first, last = dates_of(kind)
    dates = ["backfill", f"{first}", f"{last}"] if kind == "first" else ["nightly", f"{last}"]
    return [sys.executable, "-m", "dagster_project.cli", *dates]


def kill_command(home: Home, log: Path, kind: Kind, share: float, seconds: float) -> str | None:
    """Start the command itself and kill it within `share` of the `seconds` that a start takes."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command(home, kind),
            cwd=PROJECT_ROOT,
            env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
            stdout=file,
            stderr=file,
        )
        time.sleep(share * seconds)
        process.kill()
        return START if process.wait() == -signal.SIGKILL else None


def measure_start(home: Home, log: Path, kind: Kind) -> float:
    """Seconds from the command's start to its run's, which takes the lock."""
    begun = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(
            command(home, kind),
            cwd=PROJECT_ROOT,
            env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
            stdout=file,
            stderr=file,
        )
        lock = home.root / "warehouse.lock"
        try:
            while not lock.exists() and process.poll() is None:
                time.sleep(0.05)
            if process.poll() is not None:
                raise ProofFailed(f"the command failed:\n{log.read_text(errors='replace')[-2000:]}")
            return time.monotonic() - begun
        finally:
            process.kill()
            process.wait()


# What must hold


def tables_of(file: Path) -> dict[str, tuple[int, int]]:
    """Every table and view of a release: rows and a hash of them all, without moments.

    Outside of schema `main` the names alone count.
    """
    found = {}
    with connect(file, read_only=True) as con:
        columns: dict[tuple[str, str], list[str]] = {}
        for schema, table, name, type_ in con.execute("""
            select schema_name, table_name, column_name, data_type from duckdb_columns()
            where not internal and database_name = current_database()
            order by all""").fetchall():
            if name not in MOMENTS:
                columns.setdefault((schema, table), []).append(f'"{name}"')
            found[f"{schema}.{table}.{name} {type_}"] = (0, 0)
        for (schema, table), names in columns.items():
            if schema == "main" and table not in NOT_COMPARED:
                rows, digest = con.execute(
                    f"select count(*), coalesce(sum(hash({', '.join(names)})::HUGEINT), 0) "
                    f'from main."{table}"'
                ).fetchone() or (0, 0)
                found[f"main.{table}"] = (rows, int(digest))
    return found


def differing_tables(file: Path, other: Path) -> list[str]:
    """The tables, views and columns of two releases that are not the same in both."""
    found, expected = tables_of(file), tables_of(other)
    names = found.keys() | expected.keys()
    return sorted(name for name in names if found.get(name) != expected.get(name))


def published_tables(home: Home) -> dict[str, tuple[int, int]] | None:
    """The published tables; None before the first release.

    Raises:
        ProofFailed: the file is not one whole, audited release.
    """
    if not os.path.lexists(home.published):
        return None
    with connect(home.published, read_only=True) as con:
        ids = [
            release_id
            for (release_id,) in con.execute(
                "select release_id from main.release order by release_id"
            ).fetchall()
        ]
        checks = con.execute(
            "select release_id, count(*), count(*) filter (not passed and severity = 'block') "
            "from main.release_check group by all"
        ).fetchall()
    if not ids or ids[-1] != home.published.resolve().parent.name:
        raise ProofFailed(f"{home.published.resolve()} says it is release {ids[-1:]}")
    if [release_id for release_id, _, _ in checks] != ids[-1:]:
        raise ProofFailed(f"release {ids[-1]} shows the checks of {checks}")
    if checks[0][2]:
        raise ProofFailed(f"release {ids[-1]} was not held back by {checks[0][2]} failed checks")
    return tables_of(home.published)


def report_problems(home: Home, day: date) -> list[str]:
    from dagster_project.report.files import check_report

    return check_report(home, day)


def files_of(home: Home) -> set[str]:
    """Every file of a home, with releases by their number; not Dagster's, which tells of runs."""
    found = set()
    releases = sorted(path.name for path in home.releases.glob("*"))
    for path in home.root.rglob("*"):
        parts = list(path.relative_to(home.root).parts)
        if parts[0] not in ("dagster", "landing") and not path.is_dir():
            parts = [
                f"release {releases.index(part) + 1}" if part in releases else part
                for part in parts
            ]
            found.add("/".join(parts))
    return found


# The proof


@dataclass
class Figures:
    """What came out; everything but the first lines must be empty."""

    kills: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    seen_after_kill: Counter[str] = field(default_factory=Counter)
    over_before_the_kill: int = 0
    unreadable: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    reports_wrong: list[str] = field(default_factory=list)
    failed_reruns: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        return [
            *self.unreadable,
            *self.unequal,
            *self.leftovers,
            *self.reports_wrong,
            *self.failed_reruns,
        ]


class Proof:
    """Homes to copy, what they must become, and how long the phases last here."""

    def __init__(self, folder: Path, choose: random.Random) -> None:
        self.folder, self.choose = folder, choose
        self.log = folder / "prepare.log"
        self.figures = Figures()
        self.landings = {"first": folder / "landing_first", "night": folder / "landing_night"}
        for kind, through in (("first", LAST), ("night", NIGHT)):
            subprocess.run(
                [
                    *(sys.executable, "seeds/sample/generate.py", str(self.landings[kind])),
                    *("--through", f"{through}"),
                ],
                cwd=PROJECT_ROOT,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        # First in a child, which parses the dbt project: whoever has used dbt cannot be forked.
        self.warm = Home(folder / "warm")
        in_child(self.warm, self.log, warm)
        warm(self.warm)
        self.seconds: dict[tuple[Kind, Way], dict[str, float]] = {}
        self.undisturbed: dict[Kind, Home] = {}
        self.tables: dict[Kind, dict[str, tuple[int, int]]] = {}
        # The night's home is a copy of the first run's.
        kinds: tuple[Kind, ...] = ("first", "night")
        for kind in kinds:
            home = self.new_home(kind)
            self.seconds[kind, "steps"] = measure(home, self.log, kind, "steps")
            self.tables[kind] = in_child(home, self.log, published_tables)
            self.undisturbed[kind] = self.keep(home, f"undisturbed_{kind}")
        home = self.new_home("night")
        self.seconds["night", "job"] = measure(home, self.log, "night", "job")
        if in_child(home, self.log, published_tables) != self.tables["night"]:
            raise ProofFailed("the job and its steps publish different tables")

    def measure_start(self) -> None:
        """How long the command takes to start, in a home that it has never seen."""
        if ("first", "command") not in self.seconds:
            started = measure_start(self.new_home("first"), self.log, "first")
            self.seconds["first", "command"] = {START: started}

    def keep(self, home: Home, name: str) -> Home:
        return Home(home.root.rename(self.folder / name))

    def new_home(self, kind: Kind) -> Home:
        """A home just before a run of this kind; modification times are kept."""
        # Always in the same place: in another one dbt would parse its project anew.
        home = Home(self.folder / "home")
        shutil.rmtree(home.root, ignore_errors=True)
        if kind == "night":
            shutil.copytree(
                self.undisturbed["first"].root,
                home.root,
                symlinks=True,
                ignore=shutil.ignore_patterns("landing"),
            )
        shutil.copytree(self.landings[kind], home.landing)
        return home

    def case(self, number: int, phase: str, kind: Kind, way: Way, kills: int) -> None:
        """Kill a run once or more often, look at what is published, run again, compare."""
        if way == "command":
            self.measure_start()
        home = self.new_home(kind)
        log = self.folder / f"case_{number}.log"
        about = f"case {number} ({kind}, {way})"
        problems = len(self.figures.problems())
        for _ in range(kills):
            try:
                hit = self.kill(home, log, phase, kind, way)
            except ProofFailed as error:
                self.figures.failed_reruns.append(f"{about}: {error}")
                break
            if hit is None:
                self.figures.over_before_the_kill += 1
                continue
            self.figures.kills[hit] += 1
            self.figures.ways[way] += 1
            about += f", killed in {hit}"
            self.look(home, log, kind, about)
            phase = self.choose.choice(list(PHASES))
        self.finish(home, log, kind, way, about)
        if len(self.figures.problems()) == problems:
            log.unlink()
        else:
            self.keep(home, f"case_{number}")

    def kill(self, home: Home, log: Path, phase: str, kind: Kind, way: Way) -> str | None:
        if way == "command":
            share = self.choose.random()
            return kill_command(home, log, kind, share, self.seconds[kind, way][START])
        lasts = self.seconds[kind, way][phase]
        return kill_in(home, log, kind, way, phase, self.choose.uniform(0, lasts))

    def look(self, home: Home, log: Path, kind: Kind, about: str) -> None:
        """Right after a kill: one whole audited release, that before the run or that after."""
        try:
            seen = in_child(home, log, published_tables)
        except ProofFailed as error:
            self.figures.unreadable.append(f"{about}: {error}")
            return
        if seen == self.tables[kind]:
            self.figures.seen_after_kill["the new release"] += 1
        elif seen == (None if kind == "first" else self.tables["first"]):
            self.figures.seen_after_kill["the release before, or none before the first"] += 1
        else:
            self.figures.unreadable.append(f"{about}: neither the release before nor the new one")

    def finish(self, home: Home, log: Path, kind: Kind, way: Way, about: str) -> None:
        """The run that follows ends as if nothing had happened."""
        try:
            if way == "command":
                subprocess.run(
                    command(home, kind),
                    cwd=PROJECT_ROOT,
                    env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
                    check=True,
                    timeout=DEADLINE_SECONDS,
                    capture_output=True,
                )
            else:
                in_child(home, log, run, kind, way)
            tables = in_child(home, log, published_tables) or {}
            wrong = in_child(home, log, report_problems, dates_of(kind)[1])
        except (ProofFailed, subprocess.SubprocessError) as error:
            self.figures.failed_reruns.append(f"{about}: {error}")
            return
        expected = self.tables[kind]
        if tables != expected:
            differ = sorted(
                name for name in {*tables, *expected} if tables.get(name) != expected.get(name)
            )
            self.figures.unequal.append(f"{about}: {', '.join(differ)}")
        if wrong:
            self.figures.reports_wrong.append(f"{about}: {'; '.join(wrong)}")
        # The command keeps dbt's manifest in its home; the others have it from the warm one.
        known = files_of(self.undisturbed[kind]) | files_of(self.warm)
        if left := files_of(home) - known:
            self.figures.leftovers.append(f"{about}: {', '.join(sorted(left))}")


def prove(kills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kill so many runs; the figures, ready to be written as JSON."""
    begun = time.monotonic()
    proof = Proof(folder, random.Random(seed))
    prepared = time.monotonic()
    print(f"prepared in {prepared - begun:.0f} s; phases: {proof.seconds}", flush=True)
    figures, number = proof.figures, 0
    while figures.kills.total() < kills:
        number += 1
        # The phase with the fewest kills so far, so that each gets its share.
        phase = min(PHASES, key=lambda name: (figures.kills[name], proof.choose.random()))
        way: Way = "command" if number % 40 == 20 else "job" if number % 10 == 7 else "steps"
        kind: Kind = "first" if way == "command" or number % 10 == 4 else "night"
        proof.case(number, phase, kind, way, kills=2 if number % 5 == 3 else 1)
        if number % 10 == 0:
            print(
                f"{figures.kills.total()} of {kills} kills, {len(figures.problems())} problems, "
                f"{time.monotonic() - prepared:.0f} s",
                flush=True,
            )
    return {
        "proof": "crash",
        "date": f"{date.today()}",
        "version": project_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "seed": seed,
        "kills": figures.kills.total(),
        "kills_in_phase": {name: figures.kills[name] for name in (START, *PHASES)},
        "kills_of": dict(figures.ways),
        "published_right_after_a_kill": dict(figures.seen_after_kill),
        "runs_over_before_the_kill": figures.over_before_the_kill,
        "unreadable_or_mixed": figures.unreadable,
        "failed_reruns": figures.failed_reruns,
        "unequal_reruns": figures.unequal,
        "leftovers": figures.leftovers,
        "wrong_reports": figures.reports_wrong,
        "seconds": round(time.monotonic() - begun),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="closing_bell_crash_"))
    figures = prove(options.kills, options.seed, folder)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    wanted_empty = ("unreadable_or_mixed", "failed_reruns", "unequal_reruns")
    if any(figures[name] for name in (*wanted_empty, "leftovers", "wrong_reports")):
        print(f"The homes of what failed are kept in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
