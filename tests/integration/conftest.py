"""What all integration tests of a process share: the definitions of Dagster, and a small home."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs.run_in_process import prepare
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.warehouse.dbt_run import manifest_path
from tests.conftest import BuiltOnce, copy_home
from tests.integration import publishers
from tests.integration.desk import Desk


@pytest.fixture(scope="session")
def definitions(built_once: BuiltOnce) -> dg.Definitions:
    """The definitions as the UI loads them; all test processes share what dbt parsed."""
    home = built_once("parsed", manifest_path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CLOSING_BELL_HOME", str(home.root))
        from dagster_project.definitions import defs

        return defs()


@pytest.fixture(scope="session")
def publishers_home(built_once: BuiltOnce) -> Home:
    """Released up to 17 September 2025, from publishers' own files alone."""
    return built_once("publishers", publishers.build)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Desk]:
    def open_desk(first: str) -> Desk:
        desk = Desk(Home(tmp_path), date.fromisoformat(first))
        monkeypatch.setenv("CLOSING_BELL_HOME", str(tmp_path))
        monkeypatch.setenv("DAGSTER_HOME", str(desk.home.dagster))
        monkeypatch.setattr(calendar, "now_in_hong_kong", lambda: desk.now)
        return desk

    return open_desk


@pytest.fixture
def released_desk(desk: Callable[[str], Desk], tmp_path: Path, built_once: BuiltOnce) -> Desk:
    """Released up to 17 September 2025."""
    opened = desk("2025-09-01").at("2025-09-17")

    def build(home: Home) -> None:
        opened.deliver().nightly()
        copy_home(opened.home, home.root)

    home = built_once("desk", build)
    if not opened.home.published.exists():
        tmp_path.rmdir()
        copy_home(home, tmp_path)
        prepare(opened.home)
    return opened
