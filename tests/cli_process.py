"""Commands of `closing-bell` in processes of their own, as `make` runs them.

Belongs here: how such a process is started. Does not belong here: homes and what they hold
(`tests/conftest.py`), processes that are killed or that serve a page (`tests/proof/`).

Importing the libraries takes as long as a night of the sample, and so does parsing the dbt project.
So each command runs in a fork of a process that has imported them, and then imports the project
itself; and a new home gets what dbt parsed for another.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from dagster_project.home import PROJECT_ROOT, Home
from tests.forked import FORKED

# Finds the folder with what dbt parsed, which is the same for all homes; see `tests/conftest.py`.
parsed: Callable[[], Path] | None = None


def run_cli(
    home: Home, *arguments: str, now: datetime | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends; by default, now is now."""
    if parsed and home.landing.exists() and not (home.root / "dbt").exists():
        shutil.copytree(parsed(), home.root / "dbt")
    environment = os.environ | {"CLOSING_BELL_HOME": str(home.root)}
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "stdout"), Path(folder, "stderr")
        process = FORKED.Process(target=_run, args=(arguments, environment, *printed, now))
        process.start()
        process.join()
        stdout, stderr = (path.read_text(encoding="utf-8") for path in printed)
    return subprocess.CompletedProcess(arguments, process.exitcode or 0, stdout, stderr)


def start_cli(home: Home, *arguments: str) -> subprocess.Popen[str]:
    """Start a command, in a process that can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    stdout: Path,
    stderr: Path,
    now: datetime | None,
) -> None:
    for stream, path in ((sys.stdout, stdout), (sys.stderr, stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream.fileno())
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT_ROOT)
    from dagster_project.cli import main
    from dagster_project.market import calendar

    if now:
        calendar.now_in_hong_kong = lambda: now
    main(arguments, prog_name="closing-bell")
