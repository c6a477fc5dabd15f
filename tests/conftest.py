"""Warehouses that several tests look at, each built once by the real commands.

They are only read; a test that changes a warehouse takes a copy (`copy_home`).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import manifest_path
from tests import cli_process
from tests.cli_process import run_cli
from tests.support import place_real_files, real_files

# Name, and what fills the home -> the home.
BuiltOnce = Callable[[str, Callable[[Home], object]], Home]

# What the tests write belongs in their own homes.
os.environ.pop("DAGSTER_HOME", None)


def copy_home(home: Home, target: Path) -> Home:
    """A copy that may be changed; modification times are kept, so nothing looks new."""
    ignored = shutil.ignore_patterns("dagster", "logs")
    shutil.copytree(home.root, target, symlinks=True, ignore=ignored)
    return Home(target)


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> BuiltOnce:
    """Homes that all test processes share; the first to ask builds one, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def build_once(name: str, build: Callable[[Home], object]) -> Home:
        home, built = Home(shared / name), shared / f"{name}.built"
        with FileLock(shared / f"{name}.lock"):
            if not built.exists():
                shutil.rmtree(home.root, ignore_errors=True)
                build(home)
                built.touch()
        return home

    return build_once


@pytest.fixture(scope="session", autouse=True)
def parsed_once(built_once: BuiltOnce) -> None:
    """Lets a command in a new home go on with what dbt parsed for another."""
    cli_process.parsed = lambda: manifest_path(built_once("parsed", manifest_path)).parent


@pytest.fixture(scope="session")
def real_home(built_once: BuiltOnce) -> Home:
    """The real vendor files: history to 2025-09-16, then the night of 2025-09-17."""
    real_files()  # skips where they are absent

    def build(home: Home) -> None:
        place_real_files(home.landing)
        for command in (("backfill", "2021-01-01", "2025-09-16"), ("nightly", "2025-09-17")):
            done = run_cli(home, *command)
            assert done.returncode == 0, done.stderr

    return built_once("real", build)


@pytest.fixture(scope="session")
def sample_home(built_once: BuiltOnce) -> Home:
    """The bundled synthetic sample up to 2025-09-17."""

    def build(home: Home) -> None:
        subprocess.run(
            [sys.executable, "seeds/sample/generate.py", str(home.landing)],
            cwd=PROJECT_ROOT,
            check=True,
        )
        done = run_cli(home, "backfill", "2021-01-01", "2025-09-17")
        assert done.returncode == 0, done.stderr

    return built_once("sample", build)


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
