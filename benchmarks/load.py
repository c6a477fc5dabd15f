"""How long a load and a night take, beside their peers in the same run.

    python benchmarks/load.py [--real ../shared/real] [--runs 1]

- load: every real vendor file from an empty home to a published release, one process; beside a
  plain pandas script that reads the same files (`pandas_load.py`) and does nothing more;
- night: one trade date on top; beside a bare `dbt build` of the same project for the same date.

Wall time and the largest memory of the process are printed; nothing is asserted.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.support import place_real_files

FIRST, BEFORE, NIGHT = "2021-01-01", "2025-09-16", "2025-09-17"


@dataclass(frozen=True)
class Measured:
    """Wall time in seconds and peak resident memory in MiB of one process."""

    seconds: float
    mebibytes: float

    def __str__(self) -> str:
        return f"{self.seconds:7.1f} s {self.mebibytes:7.0f} MiB"


def measure(arguments: list[str], **environment: str) -> Measured:
    """Run a command to its end; raise where it fails."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            os.environ | environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ],
        )
        _, status, usage = os.wait4(pid, 0)
        seconds = time.monotonic() - started
        if os.waitstatus_to_exitcode(status) != 0:
            output.seek(0)
            raise SystemExit(f"{' '.join(arguments)} failed:\n{output.read().decode()}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    os.chdir(PROJECT)
    python = sys.executable
    dbt = str(Path(python).parent / "dbt")
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            place_real_files(home.joinpath("landing"))
            cli = [python, "-m", "dagster_project.cli"]
            peer = measure(
                [python, "benchmarks/pandas_load.py", str(home / "landing"), f"{folder}/p.duckdb"]
            )
            load = measure([*cli, "backfill", FIRST, BEFORE], CLOSING_BELL_HOME=str(home))
            bare = Path(folder) / "bare"
            shutil.copytree(home, bare, ignore=shutil.ignore_patterns("landing", "published"))
            night = measure([*cli, "nightly", NIGHT], CLOSING_BELL_HOME=str(home))
            again = measure([*cli, "nightly", NIGHT], CLOSING_BELL_HOME=str(home))
            # The bare build sees what the night sees: the warehouse after its ingest.
            shutil.copy(home / "warehouse.duckdb", bare / "warehouse.duckdb")
            build = measure(
                [dbt, "build", "--project-dir", "dbt_project", "--profiles-dir", "dbt_project"],
                CLOSING_BELL_HOME=str(bare),
                CLOSING_BELL_REBUILD_FROM=NIGHT,
                DBT_TARGET_PATH=str(bare / "dbt"),
                DBT_LOG_PATH=str(bare / "logs"),
            )
        print(f"load, files to release      {load}")
        print(f"  peer: pandas, files only  {peer}")
        print(f"night, files to release     {night}")
        ratio = night.seconds / build.seconds
        print(f"  peer: bare dbt build      {build}   (night / build {ratio:.2f})")
        print(f"night with nothing new      {again}")


if __name__ == "__main__":
    main()
