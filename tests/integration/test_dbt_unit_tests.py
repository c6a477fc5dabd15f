"""The unit tests of the dbt models; a night does not run them, so they run here."""

from pathlib import Path

from dagster_project.home import Home
from dagster_project.warehouse.dbt_run import run_unit_tests
from tests.conftest import copy_home


def test_models_hold_their_unit_tests(sample_home: Home, tmp_path: Path) -> None:
    results = run_unit_tests(copy_home(sample_home, tmp_path / "home"))
    assert len(results) > 10
    assert {name: status for name, status in results.items() if status != "pass"} == {}
