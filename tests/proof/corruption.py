"""Proof that no corruption stays unseen: one at a time, through the whole pipeline.

Belongs here: building clean nights, running a case, judging what the pipeline said of it, and the
command. Does not belong here: the kinds of corruption (`corruptions/`), the checks (`audit/`).

A case takes tonight's clean files, corrupts one of them by a named kind at a place drawn by lot,
and runs the night: ingest, dbt, audit, publish. Its outcome is the first of these that is true:

    blocked     the release was withheld
    set_aside   a file was set aside
    refused     a line was refused
    warned      a check found something that it does not find in the clean night
    harmless    every published figure is that of the clean night
    SILENT      published figures differ, and nothing was said

    python -m tests.proof.corruption --seeds 50 --processes 2 --out corruption.json
    python -m tests.proof.corruption --dagster    one seed a kind, through the Dagster job
    python -m tests.proof.corruption --real       on a night of real vendor files, as far as a kind
                                                  can happen to them
    python -m tests.proof.corruption --until-said a case ends where the reader says something, and
                                                  is not `blocked` then: in half the time

Every case is kept beside `--out` as soon as it is played (`.jsonl`). The same command goes on where
an earlier one ended, or adds its kinds and seeds, as long as the project's version is the same.
"""

import argparse
import gc
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from dagster_project import pipeline
from dagster_project.audit.results import ReleaseCheck, check_results
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from dagster_project.market import seeds
from dagster_project.market.calendar import HONG_KONG
from dagster_project.warehouse.connection import connect
from tests.proof.clean_files import (
    RATES_TIME,
    USUAL_TIME,
    CleanFiles,
    moment,
    read_folder,
    stamp,
    usual_time,
)
from tests.proof.corruptions import BEFORE, FIRST, KINDS, NIGHT, PLACED, Corruption, Landing
from tests.proof.in_dagster import run_in_dagster
from tests.proof.journal import Journal

# Tables that say how figures came about; all others of schema `main` are figures.
BOOKKEEPING = {
    *("release", "release_check", "anomaly"),
    *("file_load", "rejected_row", "figure_origin"),
}
# Claims are about single days of the sample: that one of them is about tonight would be luck.
NOT_COUNTED = {"published_figures_hold"}
OUTCOMES = ("blocked", "set_aside", "refused", "warned", "harmless", "SILENT", "CRASHED")
NOT_CONSERVED = """
    select file from main.file_load
    where lines_read <> rows_loaded + rows_held + rows_refused + rows_outside + lines_framing
    order by file"""


@dataclass(frozen=True)
class Said:
    """Something that a run said: a check's finding, a refused line, a file set aside."""

    by: str
    what: str
    where: str = ""


@dataclass(frozen=True)
class Case:
    """What became of one corruption. `named`: what was said names the corrupted file."""

    kind: str
    seed: int
    what: str
    outcome: str
    named: bool = False
    said_by: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    differing_tables: tuple[str, ...] = ()
    lines_lost_in: tuple[str, ...] = ()
    seconds: float = 0.0


# --- Clean nights ---------------------------------------------------------------------------------


@dataclass
class Stage:
    """A folder in which nights are played, each from the state of the session before.

    `work` is always the same place: dbt parses its project again where its profile moves.
    """

    folder: Path
    work: Path
    landing: Landing = field(init=False)
    catalog: FeedCatalog = field(init=False)
    known: set[Said] = field(init=False)
    rows_known: dict[str, int] = field(init=False)

    @property
    def before(self) -> Path:
        return self.folder / "before"

    @property
    def clean(self) -> Home:
        return Home(self.folder / "clean")

    @property
    def whole(self) -> Home:
        return Home(self.folder / "whole")

    def build(self, is_real: bool = False) -> None:
        """Play the clean nights: up to the session before, tonight, and all in one run."""
        self.catalog = load_feeds()
        clean = CleanFiles(self.catalog, is_real)
        before, tonight = clean.on(BEFORE), clean.on(NIGHT)
        for name, day, files, others in (
            ("landing_before", BEFORE, before, tonight),
            ("landing_tonight", NIGHT, tonight, before),
        ):
            for feed in self.catalog.feeds:
                (self.folder / name / feed).mkdir(parents=True)
            for path, content in files.items():
                target = self.folder / name / path
                target.write_bytes(content)
                stamp(target, usual_time(path, day, changed=others.get(path) != content))
        first = FIRST + timedelta(days=1)
        self._begin(self.folder / "landing_before")
        self._run((first, BEFORE), BEFORE)
        self._keep("before")
        self.restore()
        self._run((NIGHT, NIGHT), NIGHT)
        self._keep("clean")
        self._begin(self.folder / "landing_tonight")
        self._run((first, NIGHT), NIGHT)
        self._keep("whole")

    def _begin(self, landing: Path) -> None:
        self._clear()
        shutil.copytree(landing, self.work / "landing", copy_function=os.link)

    def _run(self, asked: tuple[date, date], today: date) -> None:
        result = pipeline.run(Home(self.work), self.catalog, asked, today, now_on(today))
        assert result.release, f"a clean night is withheld: {result.withheld}"

    def _keep(self, name: str) -> None:
        target = self.folder / name
        target.mkdir()
        for part in ("warehouse.duckdb", "published"):
            shutil.move(self.work / part, target / part)

    def _clear(self) -> None:
        """Empty `work`, but for what dbt knows of its project."""
        self.work.mkdir(parents=True, exist_ok=True)
        for path in self.work.iterdir():
            if path.name != "dbt":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def open(self) -> None:
        """Read what the clean nights hold."""
        self.catalog = load_feeds()
        self.landing = Landing(
            self.catalog.feeds,
            read_folder(self.folder / "landing_before"),
            read_folder(self.folder / "landing_tonight"),
        )
        self.known, self.rows_known = set(), Counter()
        for home in (self.clean, self.whole):
            with connect(home.warehouse, read_only=True) as con:
                self.known |= said_by_reader(con)
                checks = check_results(con)
            # A check that looks further back may find what it finds in a clean whole, too.
            self.known |= said_by_checks(checks, {}, self.work)
            for check in checks:
                if not check.passed:
                    known = self.rows_known.get(check.check_name, 0)
                    self.rows_known[check.check_name] = max(known, check.rows_found)

    def restore(self) -> Home:
        """The state of the session before, with tonight's clean files."""
        self._clear()
        shutil.copy2(self.before / "warehouse.duckdb", self.work / "warehouse.duckdb")
        # Releases are never changed, only removed: a link serves as a copy.
        shutil.copytree(
            self.before / "published", self.work / "published", symlinks=True,
            copy_function=os.link,
        )  # fmt: skip
        shutil.copytree(
            self.folder / "landing_tonight", self.work / "landing", copy_function=os.link
        )
        return Home(self.work)

    def place(self, home: Home, corruption: Corruption) -> None:
        """Put the corrupted files in the place of the clean ones, with plausible times."""
        for path, content in corruption.files.items():
            target = home.landing / path
            target.unlink(missing_ok=True)
            if content is None:
                continue
            if content == self.landing.before.get(path):  # nothing was delivered
                shutil.copy2(self.folder / "landing_before" / path, target)
                continue
            target.write_bytes(content)
            when = corruption.delivered_at
            stamp(target, when.replace(tzinfo=HONG_KONG) if when else usual_time_of(path))


def usual_time_of(path: str) -> datetime:
    """When a file of tonight comes, whatever its name says."""
    is_rates = path.startswith("ecb_exchange_rates/")
    return moment(NIGHT, *(RATES_TIME if is_rates else USUAL_TIME))


def now_on(day: date) -> datetime:
    """UTC, late in the evening of a day in Hong Kong."""
    return moment(day, 22, 30).astimezone(UTC).replace(tzinfo=None)


@contextmanager
def overridden(lines: Sequence[str], folder: Path) -> Iterator[None]:
    """Add lines to the calendar's corrections for the time of a block."""
    if not lines:
        yield
        return
    copy = folder / "seeds"
    copy.mkdir()
    for name in ("market.csv", "session_override.csv"):
        shutil.copy2(seeds.SEEDS_FOLDER / name, copy / name)
    with (copy / "session_override.csv").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    with patch.object(seeds, "SEEDS_FOLDER", copy):
        yield


# --- What was said --------------------------------------------------------------------------------


def said_by_reading(con: duckdb.DuckDBPyConnection) -> set[Said]:
    """Files quarantined and lines rejected when they were read."""
    aside = con.execute("select path, reason from raw.file where status = 'set_aside'").fetchall()
    refused = con.execute("""
        select file.path, rejected_row.reason from raw.rejected_row
        join raw.file as file using (file_id) where reason_code <> 'file_set_aside'""").fetchall()
    found = {Said("file set aside", reason, path) for path, reason in aside}
    return found | {Said("row refused", reason, path) for path, reason in refused}


def said_by_reader(con: duckdb.DuckDBPyConnection) -> set[Said]:
    """The same, and lines of days that are no session of their market."""
    refused = con.execute(
        "select file, reason from main.rejected_row where reason_code = 'not_a_session'"
    ).fetchall()
    return said_by_reading(con) | {Said("row refused", reason, path) for path, reason in refused}


def reader_outcome(said: Iterable[Said]) -> str:
    """What became of a file of which the reader says something."""
    return "set_aside" if any(item.by == "file set aside" for item in said) else "refused"


def said_by_checks(
    checks: Iterable[ReleaseCheck], rows_known: dict[str, int], work: Path
) -> set[Said]:
    """What the failed checks found; one that names no rows counts where it found more of them."""
    found = set()
    for check in checks:
        if check.passed or check.check_name in NOT_COUNTED:
            continue
        rows = [row for row in check.offending_rows if row.waiver is None]
        for row in rows:
            what = f"{row.trade_date or ''} {row.symbol or ''} {row.what}".replace(str(work), "")
            found.add(Said(check.check_name, what.strip(), row.file or ""))
        if not rows and check.rows_found > rows_known.get(check.check_name, 0):
            found.add(Said(check.check_name, f"{check.rows_found} rows: {check.explanation}"))
    return found


def differing_tables(clean: Home, other: Home) -> list[str]:
    """Published tables whose figures are not the same in two releases."""
    with duckdb.connect() as con:
        for name, home in (("clean", clean), ("other", other)):
            con.execute(f"attach '{home.published.resolve()}' as {name} (read_only)")
        tables: dict[str, list[str]] = defaultdict(list)
        for table, column in con.execute("""
            select table_name, column_name from duckdb_columns()
            where database_name = 'clean' and schema_name = 'main' and not internal
            order by table_name, column_index""").fetchall():
            if table not in BOOKKEEPING and column not in {"loaded_at", "line_number"}:
                tables[table].append(f'"{column}"')
        return [
            table
            for table, columns in tables.items()
            if con.execute(f"""
                with a as (select {", ".join(columns)} from clean.main.{table}),
                b as (select {", ".join(columns)} from other.main.{table})
                select 1 from ((from a except all from b) union all (from b except all from a))
                limit 1""").fetchall()
        ]


# --- A case ---------------------------------------------------------------------------------------


def run_case(stage: Stage, kind: str, seed: int, until_said: bool = False) -> Case:
    """Play tonight with one corruption, and judge what was said of it.

    Args:
        until_said: end where reading the files says something of it.
    """
    corruption = KINDS[kind].corrupt(stage.landing, seed)
    started = time.perf_counter()
    home = stage.restore()
    stage.place(home, corruption)
    try:
        with overridden(corruption.overrides, stage.work):
            if until_said:
                pipeline.ingest(home, stage.catalog, (NIGHT, NIGHT), NIGHT, now_on(NIGHT))
                with connect(home.warehouse, read_only=True) as con:
                    said = said_by_reading(con) - stage.known
                if said:
                    case = case_of(kind, seed, corruption, reader_outcome(said), said)
                    return replace(case, seconds=round(time.perf_counter() - started, 2))
            result = pipeline.run(home, stage.catalog, (NIGHT, NIGHT), NIGHT, now_on(NIGHT))
    except Exception:
        last = traceback.format_exc().strip().splitlines()
        return Case(kind, seed, corruption.what, "CRASHED", examples=tuple(last[-6:]))
    case = judge(stage, home, kind, seed, corruption, result.checks, result.withheld)
    return replace(case, seconds=round(time.perf_counter() - started, 2))


def judge(
    stage: Stage,
    home: Home,
    kind: str,
    seed: int,
    corruption: Corruption,
    checks: Sequence[ReleaseCheck],
    withheld: str | None,
) -> Case:
    with connect(home.warehouse, read_only=True) as con:
        by_reader = said_by_reader(con) - stage.known
        lost = tuple(file for (file,) in con.execute(NOT_CONSERVED).fetchall())
    by_checks = said_by_checks(checks, stage.rows_known, stage.work) - stage.known
    said = by_reader | by_checks
    differing: list[str] = []
    if withheld:
        outcome = "blocked"
    elif by_reader:
        outcome = reader_outcome(by_reader)
    else:
        differing = differing_tables(stage.clean, home)
        outcome = "warned" if said else "SILENT" if differing else "harmless"
    case = case_of(kind, seed, corruption, outcome, said, withheld or "")
    return replace(case, differing_tables=tuple(differing), lines_lost_in=lost)


def case_of(
    kind: str, seed: int, corruption: Corruption, outcome: str, said: set[Said], withheld: str = ""
) -> Case:
    """A case, with what was said of it."""
    named = [*corruption.files, *(["session_override"] if corruption.overrides else [])]
    texts = [f"{item.where} {item.what}" for item in said] + [withheld]
    return Case(
        kind,
        seed,
        corruption.what,
        outcome,
        named=any(name in text for name in named for text in texts),
        said_by=tuple(sorted({item.by for item in said})),
        examples=tuple(sorted(f"{item.by}: {item.where} {item.what}"[:300] for item in said)[:3]),
    )


def run_case_in_dagster(stage: Stage, kind: str, seed: int) -> Case:
    """The same case through the job `nightly`, as `make nightly` runs it."""
    corruption = KINDS[kind].corrupt(stage.landing, seed)
    started = time.perf_counter()
    home = stage.restore()
    stage.place(home, corruption)
    with overridden(corruption.overrides, stage.work):
        outcome = run_in_dagster(home, (NIGHT, NIGHT), NIGHT)
    with connect(home.warehouse, read_only=True) as con:
        checks = check_results(con)
    withheld = "\n".join(outcome.errors) if outcome.status else None
    case = judge(stage, home, kind, seed, corruption, checks, withheld)
    return replace(case, seconds=round(time.perf_counter() - started, 2))


# --- The command ----------------------------------------------------------------------------------

_stage: Stage | None = None


def _open_stage(folder: Path) -> None:
    """Each process plays in a work folder of its own."""
    global _stage
    _stage = Stage(folder, folder / f"work-{os.getpid()}")
    _stage.open()
    # Else a twentieth of every case is spent on looking through what dbt's modules keep.
    gc.freeze()
    gc.set_threshold(50_000)


def _play(kind: str, seed: int, in_dagster: bool, until_said: bool) -> list[Case]:
    assert _stage
    case = run_case(_stage, kind, seed, until_said)
    return [case, run_case_in_dagster(_stage, kind, seed)] if in_dagster else [case]


def run_cases(
    folder: Path,
    wanted: Sequence[tuple[str, int]],
    processes: int,
    in_dagster: bool = False,
    is_real: bool = False,
    until_said: bool = False,
) -> Iterator[list[Case]]:
    """Play cases in several processes, each warmed once; DuckDB is not used before they start.

    Yields:
        Of each case what became of it, and then, where asked for, the same through Dagster.
    """
    if not wanted:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        pool.submit(_build, folder, is_real).result()
    with ProcessPoolExecutor(processes, context, _open_stage, (folder,)) as pool:
        playable = pool.submit(_playable_kinds).result()
        futures = [
            pool.submit(_play, kind, seed, in_dagster, until_said)
            for kind, seed in wanted
            if kind in playable
        ]
        try:
            for number, future in enumerate(as_completed(futures), 1):
                yield future.result()
                if number % 100 == 0:
                    print(f"{number} of {len(futures)} cases", file=sys.stderr, flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # else what fails is told after all the others


def _build(folder: Path, is_real: bool) -> None:
    Stage(folder, folder / "work-build").build(is_real)


def _playable_kinds() -> set[str]:
    assert _stage
    return {name for name, kind in KINDS.items() if kind.can_happen(_stage.landing)}


def failures(cases: Iterable[Case]) -> list[str]:
    """What the proof does not accept: silence where it could be seen, lost lines, crashes."""
    found = []
    for case in cases:
        where = f"{case.kind} seed {case.seed}: {case.what}"
        if case.outcome == "SILENT" and not KINDS[case.kind].unseeable:
            found.append(f"SILENT {where}; differing: {', '.join(case.differing_tables)}")
        if case.outcome == "CRASHED":
            found.append(f"CRASHED {where}: {' | '.join(case.examples)}")
        found += [f"lines of {file} are not conserved: {where}" for file in case.lines_lost_in]
    return found


def table_of(cases: Sequence[Case]) -> str:
    """Kind × outcome, in how many of its cases the corrupted file was named."""
    lines = [f"{'kind':<36}" + "".join(f"{name:>10}" for name in OUTCOMES) + f"{'named':>8}"]
    by_kind = defaultdict(list)
    for case in cases:
        by_kind[case.kind].append(case)
    for name, group in by_kind.items():
        counts = Counter(case.outcome for case in group)
        row = "".join(f"{counts[outcome] or '·':>10}" for outcome in OUTCOMES)
        mark = " (unseeable)" if KINDS[name].unseeable else ""
        lines.append(f"{name:<36}{row}{sum(case.named for case in group):>8}{mark}")
    counts = Counter(case.outcome for case in cases)
    totals = "".join(f"{counts[outcome]:>10}" for outcome in OUTCOMES)
    lines.append(f"{'all':<36}{totals}{sum(case.named for case in cases):>8}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=50, help="cases a kind (default 50)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--kinds", help="comma-separated; all where not given")
    parser.add_argument("--placed", action="store_true", help="kinds that depend on their place")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--dagster", action="store_true", help="one seed a kind, and the same in Dagster"
    )
    parser.add_argument("--real", action="store_true", help="on the real vendor files")
    parser.add_argument("--until-said", action="store_true", help="end where a file is refused")
    parser.add_argument("--out", type=Path, help="write everything as JSON")
    options = parser.parse_args(arguments)
    kinds = PLACED if options.placed else list(KINDS)
    kinds = options.kinds.split(",") if options.kinds else kinds
    if unknown := set(kinds) - KINDS.keys():
        parser.error(f"no kind is named {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    started, journal = time.perf_counter(), Journal.beside(options.out)
    with tempfile.TemporaryDirectory(prefix="corruption-") as temporary:
        count = 1 if options.dagster else options.seeds
        seeds = range(options.first_seed, options.first_seed + count)
        played = {
            (cases[0].kind, cases[0].seed): cases
            for cases in ([Case(**case) for case in part] for part in journal.read())
            if cases[0].kind in KINDS
        }
        wanted = [(kind, seed) for seed in seeds for kind in kinds if (kind, seed) not in played]
        folder = Path(temporary) / "stage"
        folder.mkdir()
        how = (options.processes, options.dagster, options.real, options.until_said)
        for cases in run_cases(folder, wanted, *how):
            journal.keep([asdict(case) for case in cases])
            played[cases[0].kind, cases[0].seed] = cases
        in_order = sorted(played, key=lambda case: (list(KINDS).index(case[0]), case[1]))
        found, figures = _prove_corruptions([played[case] for case in in_order])
    command = " ".join(["python -m tests.proof.corruption", *(arguments or sys.argv[1:])])
    journal.finish(options.out, command, found, time.perf_counter() - started, figures)
    return 1 if found else 0


def _prove_corruptions(played: Sequence[Sequence[Case]]) -> tuple[list[str], dict[str, Any]]:
    cases = [case for case, *_ in played]
    found = failures(cases)
    for case, *others in played:
        for other in others:
            if other.outcome != case.outcome:
                found.append(
                    f"in Dagster {other.outcome}, else {case.outcome}: {case.kind} seed "
                    f"{case.seed}: {case.what}; {' | '.join(other.examples)}"
                )
    print(table_of(cases))
    print(f"\n{len({case.kind for case in cases})} kinds, {len(cases)} cases")
    seeds_of = Counter(case.kind for case in cases)
    return found, {
        "kinds": len(seeds_of),
        "kinds_by_seeds": {f"at {seeds}:": n for seeds, n in Counter(seeds_of.values()).items()},
        "cases": len(cases),
        "seconds_of_all_cases": round(
            sum(case.seconds for played_by in played for case in played_by)
        ),
        "cases_in_dagster": sum(len(others) for _, *others in played),
        "outcomes": Counter(case.outcome for case in cases),
        "unseeable": {name: kind.unseeable for name, kind in KINDS.items() if kind.unseeable},
        "every_case": [asdict(case) for case in cases],
    }


if __name__ == "__main__":
    sys.exit(main())
