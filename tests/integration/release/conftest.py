"""An empty home for each test of releases."""

from pathlib import Path

import pytest

from dagster_project.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    return home
