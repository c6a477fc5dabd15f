"""The definitions of Dagster, loaded once for all integration tests of a process."""

import dagster as dg
import pytest

from tests.conftest import built_once


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The definitions as `dagster dev` loads them; all test processes share what dbt parsed."""
    with (
        built_once(tmp_path_factory, "definitions") as home,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("CLOSING_BELL_HOME", str(home.root))
        from dagster_project.definitions import defs

        return defs()
