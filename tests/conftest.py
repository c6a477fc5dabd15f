"""Warehouses that several tests look at, each built once by the real commands.

They are only read; a test that changes a warehouse takes a copy (`copy_home`).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from tests.support import place_real_files, real_files


def run_cli(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as `make` does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_home(home: Home, target: Path) -> Home:
    """A copy that may be changed; modification times are kept, so nothing looks new."""
    ignored = shutil.ignore_patterns("dagster", "logs")
    shutil.copytree(home.root, target, symlinks=True, ignore=ignored)
    return Home(target)


@contextmanager
def built_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Home]:
    """A home that all test processes share; the first to ask builds it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(shared / f"{name}.lock"):
        yield Home(shared / name)


@pytest.fixture(scope="session")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The real vendor files: history to 2025-09-16, then the night of 2025-09-17."""
    real_files()  # skips where they are absent
    with built_once(tmp_path_factory, "real") as home:
        if not home.published.exists():
            place_real_files(home.landing)
            for command in (("backfill", "2021-01-01", "2025-09-16"), ("nightly", "2025-09-17")):
                done = run_cli(home, *command)
                assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The bundled synthetic sample up to 2025-09-17."""
    with built_once(tmp_path_factory, "sample") as home:
        if not home.published.exists():
            subprocess.run(
                [sys.executable, "seeds/sample/generate.py", str(home.landing)],
                cwd=PROJECT_ROOT,
                check=True,
            )
            done = run_cli(home, "backfill", "2021-01-01", "2025-09-17")
            assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def real(real_home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release made from the real files, open read-only as an analyst would."""
    with connect(real_home.published, read_only=True) as con:
        yield con


@pytest.fixture(scope="session")
def sample(sample_home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release made from the sample, open read-only."""
    with connect(sample_home.published, read_only=True) as con:
        yield con
