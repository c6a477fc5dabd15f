"""Runs a command of `closing-bell`, and writes where its time went.

    python benchmarks/profile_run.py FOLDER nightly 2025-09-17

Writes FOLDER/profile.json with a table by phase, by function of ours, by dbt node and by check of
the audit, and FOLDER/stacks.txt, which tools for flame graphs read (https://www.speedscope.app).

A second thread looks every few milliseconds at what the main thread does, and counts the time and
the CPU of the whole process since it last looked. That costs about a hundredth of the run. Where
dbt runs two nodes at once, each is given half of the CPU of that time.

Belongs here: measuring inside the process. Does not belong here: which commands are measured, and
how the tables are shown (`scale.py`).
"""

import json
import os
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, cast
from unittest.mock import patch

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

SECONDS_BETWEEN_LOOKS = 0.01
PAGE = os.sysconf("SC_PAGE_SIZE")
# The function below which a phase happens, as file and name -> phase. Imports come before others,
# except that the dbt project is parsed while the definitions are imported.
PARSING = ("dagster_project/warehouse/dbt_run.py", "manifest_path")
PHASES = {
    ("dagster_project/pipeline.py", "ingest"): "ingest",
    ("dagster_project/pipeline.py", "transform"): "transform",
    ("dagster_project/pipeline.py", "audit"): "audit",
    ("dagster_project/pipeline.py", "publish"): "publish",
    ("dagster_project/pipeline.py", "nothing_new"): "look for changes",
    ("dagster_project/report/files.py", "write_report"): "report",
    ("dagster_project/report/files.py", "check_report"): "report",
    ("dagster_project/defs/run_summary.py", "release_summary"): "summary",
}
IMPORTING = "<frozen importlib._bootstrap>"


class Look(NamedTuple):
    """What was seen: when, time and CPU since the look before, memory in bytes, and the stack."""

    at: float
    seconds: float
    cpu: float
    memory: int
    stack: tuple[tuple[str, str], ...]


class Sampler(threading.Thread):
    """Looks at the main thread until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.looks: list[Look] = []
        self._stopped = threading.Event()
        self._main = threading.main_thread().ident

    def run(self) -> None:
        seconds, cpu = time.monotonic(), 0.0
        with Path("/proc/self/statm").open("rb", buffering=0) as statm:
            while not self._stopped.wait(SECONDS_BETWEEN_LOOKS):
                now, cpu_now = time.monotonic(), time.process_time()
                statm.seek(0)
                memory = int(statm.read().split()[1]) * PAGE
                stack = tuple(_stack(sys._current_frames().get(self._main or 0)))[::-1]
                self.looks.append(Look(time.time(), now - seconds, cpu_now - cpu, memory, stack))
                seconds, cpu = now, cpu_now

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _stack(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """File and function of a frame and of those that called it."""
    while frame:
        file = frame.f_code.co_filename
        yield file.split("site-packages/")[-1].removeprefix(f"{PROJECT}/"), frame.f_code.co_name
        frame = frame.f_back


def phase_of(stack: Sequence[tuple[str, str]]) -> str:
    """The phase of a run in which a stack was seen."""
    if PARSING in stack:
        return "parse the dbt project"
    if any(file == IMPORTING for file, _ in stack):
        return "imports"
    found = next((PHASES[frame] for frame in stack if frame in PHASES), None)
    if found:
        return found
    return "Dagster" if any(file.startswith("dagster") for file, _ in stack) else "other"


def function_of(stack: Sequence[tuple[str, str]]) -> str:
    """The innermost function of this project in a stack, or of Dagster where it works."""
    known = ("dagster_project/", "dagster/") if phase_of(stack) == "Dagster" else "dagster_project/"
    ours = [frame for frame in stack if frame[0].startswith(known)]
    file, name = ours[-1] if ours else ("", "-")
    return f"{file.removeprefix('dagster_project/')} {name}".strip()


class TimedConnection:
    """A DuckDB connection that counts the time of its statements, by the view of the audit read."""

    def __init__(self, con: Any, seconds: dict[str, float], cpu: dict[str, float]) -> None:
        self._con, self._seconds, self._cpu = con, seconds, cpu

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def execute(self, statement: str, *parameters: Any) -> Any:
        started, cpu = time.monotonic(), time.process_time()
        result = self._con.execute(statement, *parameters)
        view = re.search(r"insert into found .* from audit\.(\w+)", statement, re.DOTALL)
        name = view[1] if view else "comparing findings"
        self._seconds[name] += time.monotonic() - started
        self._cpu[name] += time.process_time() - cpu
        return result


def profiled(arguments: Sequence[str]) -> tuple[int, dict[str, Any], list[Look]]:
    """Run a command; its exit status, its tables and all looks."""
    sampler = Sampler()
    sampler.start()
    from dagster_project import cli, pipeline
    from dagster_project.audit import anomalies
    from dagster_project.warehouse import dbt_run

    nodes: list[dict[str, Any]] = []
    seconds: dict[str, float] = defaultdict(float)
    cpu: dict[str, float] = defaultdict(float)
    find_anomalies = anomalies.find_anomalies

    def timed_build(*args: Any, **kwargs: Any) -> Any:
        result = dbt_run.build(*args, **kwargs)
        nodes.extend(event["data"]["node_info"] for event in result.events)
        return result

    def timed_find_anomalies(con: Any, *args: Any) -> None:
        find_anomalies(cast(Any, TimedConnection(con, seconds, cpu)), *args)

    with (
        patch.object(pipeline, "build", timed_build),
        patch.object(anomalies, "find_anomalies", timed_find_anomalies),
    ):
        try:
            cli.main(list(arguments), prog_name="closing-bell")
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    sampler.stop()
    looks = sampler.looks
    tables = {
        "phases": _summed(looks, lambda look: phase_of(look.stack)),
        "functions": _summed(
            looks, lambda look: f"{phase_of(look.stack)}: {function_of(look.stack)}"
        ),
        "nodes": _of_nodes(nodes, looks),
        "checks": [
            {"name": name, "seconds": seconds[name], "cpu": cpu[name]}
            for name in sorted(seconds, key=lambda name: -seconds[name])
        ],
    }
    return status, tables, looks


def _summed(looks: Sequence[Look], name_of: Callable[[Look], str]) -> list[dict[str, Any]]:
    """Time, CPU and the largest memory by a name, the longest first."""
    seconds: dict[str, float] = defaultdict(float)
    cpu: dict[str, float] = defaultdict(float)
    memory: dict[str, int] = defaultdict(int)
    for look in looks:
        name = name_of(look)
        seconds[name] += look.seconds
        cpu[name] += look.cpu
        memory[name] = max(memory[name], look.memory)
    return [
        {"name": name, "seconds": taken, "cpu": cpu[name], "mebibytes": memory[name] / 2**20}
        for name, taken in sorted(seconds.items(), key=lambda item: -item[1])
    ]


def _of_nodes(nodes: Sequence[dict[str, Any]], looks: Sequence[Look]) -> list[dict[str, Any]]:
    """Time, CPU and the largest memory of each dbt node, and what dbt did between them."""
    spans = [
        (
            node["node_name"],
            node["resource_type"],
            *(
                datetime.fromisoformat(node[key] + "+00:00").timestamp()
                for key in ("node_started_at", "node_finished_at")
            ),
        )
        for node in nodes
    ]
    cpu: dict[str, float] = defaultdict(float)
    memory: dict[str, int] = defaultdict(int)
    between = "between nodes"
    seconds_between = 0.0
    for look in looks:
        if phase_of(look.stack) != "transform":
            continue
        running = [name for name, _, begun, ended in spans if begun <= look.at <= ended]
        if not running:
            seconds_between += look.seconds
        for name in running or [between]:
            cpu[name] += look.cpu / max(1, len(running))
            memory[name] = max(memory[name], look.memory)
    rows = [(name, kind, ended - begun) for name, kind, begun, ended in spans]
    rows.append((between, "dbt", seconds_between))
    return [
        {
            "name": name,
            "kind": kind,
            "seconds": seconds,
            "cpu": cpu[name],
            "mebibytes": memory[name] / 2**20,
        }
        for name, kind, seconds in sorted(rows, key=lambda row: -row[2])
    ]


def main(folder: Path, *arguments: str) -> int:
    """Run a command and write its profile."""
    status, tables, looks = profiled(arguments)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profile.json").write_text(json.dumps(tables, indent=1))
    stacks: Counter[str] = Counter()
    for look in looks:
        frames = [f"{file}:{name}" for file, name in look.stack]
        stacks[";".join([phase_of(look.stack), *frames])] += round(look.seconds * 1000)
    lines = [f"{stack} {milliseconds}\n" for stack, milliseconds in stacks.items()]
    (folder / "stacks.txt").write_text("".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
