"""A home that was backed up and restored elsewhere, by the commands of the page on operating."""

import subprocess
from pathlib import Path

import pytest

from dagster_project.home import Home
from tests.cli_process import run_cli
from tests.conftest import copy_home
from tests.proof.crash import tables_of
from tests.proof.deployment import commands_of


@pytest.mark.long
def test_the_night_after_a_restore_equals_that_of_the_home_it_comes_from(
    sample_home: Home, tmp_path: Path
) -> None:
    home, restored = copy_home(sample_home, tmp_path / "home"), Home(tmp_path / "restored")
    places = {
        "/srv/closing-bell": home.root,
        "/srv/restored": restored.root,
        "/var/backups": tmp_path,
    }
    for command in commands_of("## Backup and restore"):
        for told, here in places.items():
            command = command.replace(told, str(here))
        subprocess.run(command, shell=True, check=True)
    assert tables_of(restored.published) == tables_of(home.published)

    for each in (home, restored):
        file = each.landing / "wsj_index" / "HSI.csv"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join([*lines[:5], *lines[6:]]))
        done = run_cli(each, "nightly", "2025-09-17")
        assert done.returncode == 0, done.stderr
        assert "Nothing new" not in done.stdout
    assert tables_of(restored.published) == tables_of(home.published)
    assert tables_of(home.published) != tables_of(sample_home.published)
