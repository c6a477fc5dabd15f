"""How time and memory grow with the market and its history, beside peers that do less.

    python benchmarks/scale.py                                  # everything, full size: hours
    python benchmarks/scale.py --series 300 --years 1 --parts load,night          # about a minute
    python benchmarks/scale.py --parts load,night --years 35 --profile            # by phase too

Makes a market from the real vendor files (`universe.py`) and measures whole processes: wall time,
CPU of the process and its children, largest memory. Nothing is asserted.

    peers        the same files by plain DuckDB SQL and by pandas, without lineage and checks
    load         all files from an empty home to an audited release and its report
    night        three nights on top, each followed by a bare `dbt build` of what it built
    nothing      a night with nothing new
    definitions  loading Dagster's definitions
    queries      the analyst's queries of the README on the published file, warm
    correction   on top of the load, one close of 2010, or of the middle of a shorter history

A load and all results are kept in WORK, so that a part can be measured again without the others, as
long as the code that they are of is the same. WORK/scale.md shows all results, or PAGE does.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import duckdb

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.universe import HONG_KONG, first_date, make_universe
from dagster_project import fingerprint

PARTS = ("peers", "load", "night", "nothing", "definitions", "queries", "correction")
# Of each size, in the order in which they are shown.
PROCESSES = (
    "peer sql",
    "peer pandas",
    "load",
    "night",
    "bare dbt build",
    "nothing new",
    "definitions",
    "correction",
)
# In a home: the code whose load it is of.
MADE_BY = "made_by"
LOADED_TO = date(2025, 10, 23)
# Sessions of all markets.
NIGHTS = (date(2025, 10, 24), date(2025, 10, 27), date(2025, 10, 28))
CORRECTED = date(2010, 6, 30)
# What is short is measured so often, and the median counts.
REPEATED = 3
QUERY_WARM_UPS, QUERY_RUNS = 3, 30
SHOWN_ROWS = 25
CLI = ["-m", "dagster_project.cli"]
BUILD_OF_A_NIGHT = ["build", "--selector", "night", "--exclude-resource-type", "unit_test"]
DEFINITIONS = ["-c", "from dagster_project.definitions import defs; defs()"]


@dataclass(frozen=True)
class Measured:
    """Wall time and CPU in seconds, and peak memory in MiB, of one process."""

    seconds: float
    cpu: float
    mebibytes: float


def measure(arguments: Sequence[str], **environment: str) -> Measured:
    """Run a command of this environment's Python to its end; raise where it fails."""
    # What was written before is on the disk before the clock starts.
    os.sync()
    command = [sys.executable, *arguments]
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        pid = os.posix_spawn(
            command[0],
            command,
            os.environ | {"PYTHONPATH": str(PROJECT)} | environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ],
        )
        _, status, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - started
        if os.waitstatus_to_exitcode(status) != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(measured: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(
        *(
            statistics.median(getattr(one, name) for one in measured)
            for name in ("seconds", "cpu", "mebibytes")
        )
    )


# --- Results that are kept ----------------------------------------------------------------------


@dataclass
class Results:
    """What was measured with the project's present code: size -> name -> figures."""

    path: Path
    code: str
    sizes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, work: Path) -> "Results":
        results = cls(work / "results.json", fingerprint_of_code())
        if results.path.exists():
            kept = json.loads(results.path.read_text("utf-8"))
            if kept.get("code") == results.code:
                results.sizes = kept["sizes"]
        return results

    def keep(self, size: str, name: str, figures: Any) -> None:
        self.sizes.setdefault(size, {})[name] = figures
        self.path.write_text(json.dumps({"code": self.code, "sizes": self.sizes}, indent=1))

    def measured(self, size: str, name: str) -> Measured | None:
        figures = self.sizes.get(size, {}).get(name)
        return Measured(**figures) if figures else None


def fingerprint_of_code() -> str:
    """A hash of all of the project that decides what a run does and how long it takes."""
    files = [
        path
        for path in (PROJECT / "dagster_project").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    files += [*fingerprint.model_files(), *fingerprint.audit_files()]
    return fingerprint.of_files(files, PROJECT)


def commit() -> str:
    """The commit that is checked out, and whether files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip()


# --- One market, measured -----------------------------------------------------------------------


@dataclass
class Market:
    """A market of one size: its files, the home that a load makes of them, and what is measured."""

    folder: Path
    series: int
    years: int
    results: Results
    is_profiled: bool

    @property
    def size(self) -> str:
        return f"{self.series} series, {self.years} years"

    @property
    def universe(self) -> Path:
        return self.folder / "universe"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def loaded(self) -> Path:
        """The home as it was after the load."""
        return self.folder / "loaded"

    @property
    def published(self) -> Path:
        return self.home / "published" / "closing_bell.duckdb"

    @property
    def first(self) -> date:
        return first_date(self.years)

    def make(self) -> None:
        """Write the files, unless they are there."""
        made = self.folder / "universe.json"
        if not made.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            size = make_universe(self.universe, self.series, self.years)
            made.write_text(json.dumps(asdict(size)))
        self.keep("universe", json.loads(made.read_text()))

    def keep(self, name: str, figures: Any) -> None:
        self.results.keep(self.size, name, figures)
        if isinstance(figures, dict) and "seconds" in figures:
            shown = Measured(**figures)
            print(
                f"{self.size:<24} {name:<18} {shown.seconds:8.1f} s {shown.cpu:8.1f} s CPU "
                f"{shown.mebibytes:7,.0f} MiB",
                flush=True,
            )

    def place_files(self) -> None:
        """Put the files into the landing folder of the home, without copying them."""
        shutil.rmtree(self.home / "landing", ignore_errors=True)
        shutil.copytree(self.universe, self.home / "landing", copy_function=os.link)

    def run(self, name: str, *arguments: str) -> Measured:
        """Run a command of closing-bell on the home, profiled where asked."""
        profile = self.folder / "profiles" / name
        runner = ["benchmarks/profile_run.py", str(profile)] if self.is_profiled else CLI
        measured = measure([*runner, *arguments], CLOSING_BELL_HOME=str(self.home))
        if self.is_profiled:
            self.keep(f"profile of {name}", json.loads((profile / "profile.json").read_text()))
        return measured

    def measure_peers(self) -> None:
        target = self.folder / "peer.duckdb"
        for name in ("sql", "pandas"):
            target.unlink(missing_ok=True)
            dates = [f"{self.first}", f"{LOADED_TO}"]
            measured = measure(
                [f"benchmarks/peer_{name}.py", str(self.universe), str(target), *dates]
            )
            self.keep(f"peer {name}", asdict(measured))
        target.unlink()

    def measure_load(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.place_files()
        self.keep("load", asdict(self.run("load", "backfill", f"{self.first}", f"{LOADED_TO}")))
        (self.home / MADE_BY).write_text(self.results.code)
        shutil.rmtree(self.loaded, ignore_errors=True)
        shutil.copytree(
            self.home, self.loaded, symlinks=True, ignore=shutil.ignore_patterns("landing")
        )

    def restore_load(self) -> None:
        """Make the home what it was after the load; load where no such home is kept."""
        if not self._is_made_by_this_code(self.loaded):
            self.measure_load()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.loaded, self.home, symlinks=True)
        self.place_files()

    def _is_made_by_this_code(self, home: Path) -> bool:
        made_by = home / MADE_BY
        return made_by.exists() and made_by.read_text() == self.results.code

    def measure_night(self) -> None:
        self.restore_load()
        nights, builds = [], []
        bare = self.folder / "bare"
        shutil.rmtree(bare, ignore_errors=True)
        shutil.copytree(self.home / "dbt", bare / "dbt")
        for number, night in enumerate(NIGHTS):
            nights.append(self.run("night", "nightly", f"{night}"))
            # The bare build sees what the night saw: the warehouse after its ingest.
            shutil.copy(self.home / "warehouse.duckdb", bare / "warehouse.duckdb")
            if number == 0:
                # Elsewhere dbt parses the project anew; a night need not.
                self._dbt(bare, night, "parse")
            builds.append(self._dbt(bare, night, *BUILD_OF_A_NIGHT))
        shutil.rmtree(bare)
        self.keep("night", asdict(median(nights)))
        self.keep("bare dbt build", asdict(median(builds)))

    def _dbt(self, home: Path, rebuild_from: date, *arguments: str) -> Measured:
        return measure(
            [
                "-m", "dbt.cli.main", *arguments,
                "--project-dir", "dbt_project", "--profiles-dir", "dbt_project",
            ],
            CLOSING_BELL_HOME=str(home),
            CLOSING_BELL_REBUILD_FROM=f"{rebuild_from}",
            DBT_TARGET_PATH=str(home / "dbt"),
            DBT_LOG_PATH=str(home / "dbt" / "logs"),
        )  # fmt: skip

    def last_night(self) -> date:
        """The clock of the home's release; a load is made where there is none."""
        if not self._is_made_by_this_code(self.home):
            self.restore_load()
        with duckdb.connect(str(self.published), read_only=True) as con:
            [(clock,)] = con.execute("select max(clock) from release").fetchall()
        return date.fromisoformat(f"{clock}")

    def measure_nothing(self) -> None:
        clock = self.last_night()
        home = str(self.home)
        runs = [
            measure([*CLI, "nightly", f"{clock}"], CLOSING_BELL_HOME=home) for _ in range(REPEATED)
        ]
        self.keep("nothing new", asdict(median(runs)))

    def measure_definitions(self) -> None:
        self.last_night()
        home = str(self.home)
        runs = [measure(DEFINITIONS, CLOSING_BELL_HOME=home) for _ in range(REPEATED)]
        self.keep("definitions", asdict(median(runs)))

    def measure_queries(self) -> None:
        self.last_night()
        milliseconds = {}
        with duckdb.connect(str(self.published), read_only=True) as con:
            for title, query in analyst_queries():
                taken = []
                for run in range(QUERY_WARM_UPS + QUERY_RUNS):
                    started = time.perf_counter()
                    con.execute(query).fetchall()
                    if run >= QUERY_WARM_UPS:
                        taken.append((time.perf_counter() - started) * 1000)
                milliseconds[title] = statistics.quantiles(taken, n=20)[-1]
        self.keep("queries", milliseconds)

    def measure_correction(self) -> None:
        self.restore_load()
        self.keep("corrected", correct_a_close(self.home / "landing", self.first))
        self.keep("correction", asdict(self.run("correction", "nightly", f"{LOADED_TO}")))


def analyst_queries() -> Iterator[tuple[str, str]]:
    """Title and text of each query of the README."""
    section = (PROJECT / "README.md").read_text("utf-8").partition("## Ten queries")[2]
    for query in re.findall(r"```sql\n(.*?)```", section.partition("\n## ")[0], re.DOTALL):
        first_line, _, _ = query.partition("\n")
        yield first_line.removeprefix("-- "), query


def correct_a_close(landing: Path, first: date) -> str:
    """Raise a close to the session's high, in a file that says nothing else of it; which one."""
    since = CORRECTED if first <= CORRECTED else first + (LOADED_TO - first) / 2
    for path in sorted((landing / HONG_KONG).glob("*.csv")):
        lines = path.read_bytes().splitlines(keepends=True)
        for number, line in enumerate(lines[3:], 3):
            day, close, high, *others = line.split(b",")
            if not since.isoformat().encode() <= day <= b"%d-12-31" % since.year:
                continue
            if close and high and 1.001 < float(high) / float(close) < 1.02:
                lines[number] = b",".join([day, high, high, *others])
                # The landing folder shares its files with the universe: another file, not its text.
                path.unlink()
                path.write_bytes(b"".join(lines))
                return f"{path.name}:{number + 1}, {day.decode()}"
    raise SystemExit(f"no file of {HONG_KONG} has a session of {since.year} to correct")


# --- Showing ------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(results: Results) -> str:
    """All results as Markdown."""
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    about = [
        ["date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"],
        ["version", commit()],
        ["machine", f"{platform.platform()}, {cores} cores, {memory / 2**30:.0f} GiB"],
        ["software", ", ".join([f"Python {platform.python_version()}", *(
            f"{name} {version_of(name)}" for name in ("duckdb", "dagster", "dbt-core", "pandas")
        )])],
        ["others at work", f"load average {os.getloadavg()[1]:.1f} when this was written"],
    ]  # fmt: skip
    parts = [
        "<!-- Generated by benchmarks/scale.py; do not edit. -->\n\n# Scale",
        table(["", "value"], about),
        "## What is wanted",
        table(GOALS, goals(results)),
        "## Processes",
        table(["", "wall", "CPU", "memory, MiB"], processes(results)),
    ]
    if queries := [[size, *row] for size in results.sizes for row in _queries(results, size)]:
        parts += ["## Queries, warm", table(["size", "query", "p95, ms"], queries)]
    for size, names in results.sizes.items():
        for name, tables in names.items():
            if name.startswith("profile of "):
                parts += [f"## {name.capitalize()}: {size}", *_profile(tables)]
    return "\n\n".join(parts) + "\n"


GOALS = ["", "wall", "CPU", "memory, MiB", "wanted"]


def goals(results: Results) -> list[list[str]]:
    """What issue 13 wants, in the longest history that was measured, beside what was measured.

    Others at work change the wall times of both processes of a ratio, and hardly its CPU.
    """
    longest = max(results.sizes, key=lambda size: results.sizes[size]["universe"]["rows"])
    shortest = min(results.sizes, key=lambda size: results.sizes[size]["universe"]["rows"])

    def ratio(title: str, of: str, to: str, wanted: str, other: str = longest) -> list[str]:
        a, b = results.measured(longest, of), results.measured(other, to)
        if not a or not b:
            return [title, "-", "-", "-", wanted]
        ratios = (a.seconds / b.seconds, a.cpu / b.cpu, a.mebibytes / b.mebibytes)
        return [title, *(f"{ratio:.2f} ×" for ratio in ratios), wanted]

    def process(title: str, name: str, wanted: str) -> list[str]:
        of = results.measured(longest, name)
        return [title, *(_figures(of) if of else "---"), wanted]

    slowest = max(results.sizes[longest].get("queries", {}).values(), default=None)
    query = "-" if slowest is None else f"{slowest:.0f} ms"
    rows = [
        process("load", "load", "memory ≤ 4,096 MiB"),
        ratio("load ÷ plain SQL", "load", "peer sql", "wall ≤ 3.5, goal 2.5"),
        ratio("load ÷ pandas", "load", "peer pandas", ""),
        process("night", "night", "wall 10 to 12 s, memory ≤ 1,536 MiB"),
        ratio("night ÷ bare dbt build", "night", "bare dbt build", "wall ≤ 2, goal 1.5"),
        ratio("one corrected close ÷ night", "correction", "night", "wall ≤ 2"),
        process("nothing new", "nothing new", "wall ≤ 0.5 s"),
        process("definitions", "definitions", "wall ≤ 3 s"),
        ["slowest query of the README, warm, p95", query, "", "", "≤ 50 ms"],
    ]
    if shortest != longest:
        title = f"night: {longest} ÷ {shortest}"
        rows.insert(5, ratio(title, "night", "night", "wall ≤ 1.15", shortest))
    return rows


def _figures(of: Measured) -> tuple[str, str, str]:
    return f"{of.seconds:,.1f} s", f"{of.cpu:,.1f} s", f"{of.mebibytes:,.0f}"


def processes(results: Results) -> list[list[str]]:
    """Every process that was measured, by size."""
    rows = []
    for size, names in results.sizes.items():
        made = names["universe"]
        rows.append([f"**{size}: {made['rows']:,} rows, {made['files']:,} files**", "", "", ""])
        measured = ((name, results.measured(size, name)) for name in PROCESSES)
        rows += [[name, *_figures(of)] for name, of in measured if of]
    return rows


def _queries(results: Results, size: str) -> list[list[str]]:
    queries = results.sizes[size].get("queries", {})
    return [[title, f"{milliseconds:.1f}"] for title, milliseconds in queries.items()]


def _profile(tables: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    for name, rows in tables.items():
        total = {key: sum(row[key] for row in rows) for key in ("seconds", "cpu")}
        shown = [
            [
                row["name"] + (" (test)" if row.get("kind") == "test" else ""),
                f"{row['seconds']:.2f}",
                f"{row['cpu']:.2f}",
                f"{row['mebibytes']:,.0f}" if "mebibytes" in row else "",
            ]
            for row in rows[:SHOWN_ROWS]
        ]
        shown.append([f"all {len(rows)}", f"{total['seconds']:.2f}", f"{total['cpu']:.2f}", ""])
        yield table([name, "wall, s", "CPU, s", "memory, MiB"], shown)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=3541)
    parser.add_argument(
        "--years", default="1,3,10,35", help="lengths of history (default: %(default)s)"
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="default: %(default)s")
    parser.add_argument("--real", type=Path, help="the real files (default: $CLOSING_BELL_REAL)")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "closing_bell_scale",
        help="folder for markets, homes and results (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--profile", action="store_true", help="runs by phase, model and check")
    parser.add_argument("--page", type=Path, help="where the page goes (default: WORK/scale.md)")
    options = parser.parse_args()
    parts = options.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(
            f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    if options.real:
        os.environ["CLOSING_BELL_REAL"] = str(options.real.resolve())
    work, target = options.work.resolve(), options.page and options.page.resolve()
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(PROJECT)
    results = Results.read(work)
    for years in map(int, options.years.split(",")):
        folder = work / f"{options.series}_series_{years}_years"
        market = Market(folder, options.series, years, results, options.profile)
        market.make()
        for part in PARTS:
            if part in parts:
                getattr(market, f"measure_{part}")()
    text = page(results)
    (target or work / "scale.md").write_text(text, encoding="utf-8")
    print(f"\n{table(GOALS, goals(results))}\n\n{target or work / 'scale.md'}")


if __name__ == "__main__":
    main()
