"""Dagster's daemon as a machine runs it, with its clock set to another time.

Belongs here: starting and stopping the daemon and commands under a moved clock, and what Dagster
says of the runs that the daemon started. Does not belong here: files, and what a run must lead to
(`nights.py`).

All Python processes of the daemon live at the moved time (`moved_clock/sitecustomize.py`): the
daemon, its code server, and a process per run. A clock is set when a process starts and goes on
from there, so the daemon is started for each stretch of time that a proof plays.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from dagster_project.defs.run_in_process import prepare
from dagster_project.home import PROJECT_ROOT, Home

MOVED_CLOCK = Path(__file__).with_name("moved_clock")
# Far above what a run takes: whoever needs longer hangs.
DEADLINE_SECONDS = 300.0
REQUESTED_BY = ("dagster/schedule_name", "dagster/sensor_name")


class DaemonFailed(AssertionError):
    """The daemon ended, or did not do in time what it should; the message shows its log."""


@dataclass
class Machine:
    """A home, and the processes that work in it."""

    home: Home
    log: Path
    daemon: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def command(self, at: datetime, *arguments: str) -> None:
        """Run a Python module as a command, as if it were another time.

        Raises:
            DaemonFailed: its exit status is not 0.
        """
        prepare(self.home)
        with self.log.open("ab") as log:
            done = subprocess.run(
                [sys.executable, "-m", *arguments],
                cwd=PROJECT_ROOT, env=self._environment(at), stdout=log, stderr=log, check=False,
            )  # fmt: skip
        if done.returncode:
            raise DaemonFailed(f"{' '.join(arguments)}: exit {done.returncode}\n{self.told()}")

    def switch_on(self, at: datetime) -> None:
        """Start the schedule and the sensors, as somebody does once in the UI."""
        for kind in ("schedule", "sensor"):
            self.command(at, "dagster", kind, "start", "--start-all", "-w", "workspace.yaml")

    @contextlib.contextmanager
    def on(self, at: datetime) -> Iterator[None]:
        """The daemon runs, from a moved time on; afterwards it is stopped in the usual way."""
        with self.log.open("ab") as log:
            self.daemon = self._start(at, log)
        try:
            yield
        finally:
            self.stop(signal.SIGTERM)

    def _start(self, at: datetime, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"],
            cwd=PROJECT_ROOT, env=self._environment(at), stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip

    def stop(self, with_signal: signal.Signals) -> None:
        """Signal the daemon, its code server and its runs, as the system does when it stops."""
        if self.daemon is None:
            return
        group, self.daemon = self.daemon, None
        for each in (with_signal, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group.pid, each)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and _lives(group):
                time.sleep(0.1)

    def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait for something that the daemon does.

        Raises:
            DaemonFailed: it does not come, or the daemon ended.
        """
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_so():
            if self.daemon is None or self.daemon.poll() is not None:
                raise DaemonFailed(f"the daemon ended while waiting for {what}\n{self.told()}")
            if time.monotonic() > deadline:
                raise DaemonFailed(f"waited in vain for {what}\n{self.told()}")
            time.sleep(0.3)

    def told(self) -> str:
        """The end of the log."""
        return self.log.read_text(errors="replace")[-4000:]

    def _environment(self, at: datetime) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": f"{MOVED_CLOCK}:{PROJECT_ROOT}",
            "CLOSING_BELL_CLOCK_AHEAD": f"{at.timestamp() - time.time():.3f}",
            "CLOSING_BELL_HOME": str(self.home.root),
            "DAGSTER_HOME": str(self.home.dagster),
        }


@dataclass(frozen=True)
class Run:
    """A run as Dagster knows it; `requested_by` is the schedule, a sensor, or nothing."""

    run_id: str
    status: str
    requested_by: str
    is_finished: bool


class Runs:
    """What Dagster says of the runs of a home."""

    def __init__(self, home: Home) -> None:
        import dagster as dg

        self.instance: Any = dg.DagsterInstance.from_config(str(home.dagster))

    def all(self) -> list[Run]:
        """All runs, the oldest first."""
        return [
            Run(
                run.run_id,
                run.status.value,
                next((run.tags[tag] for tag in REQUESTED_BY if tag in run.tags), ""),
                run.is_finished,
            )
            for run in reversed(self.instance.get_runs())
        ]

    def steps_begun(self, run: Run) -> set[str]:
        """The steps of a run that have begun."""
        import dagster as dg

        started = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START)
        return {entry.dagster_event.step_key for entry in started}


def _lives(group: subprocess.Popen[bytes]) -> bool:
    """Whether a process of the group is left; the first is this process's child, to be reaped."""
    group.poll()
    try:
        os.killpg(group.pid, 0)
    except ProcessLookupError:
        return False
    return True
