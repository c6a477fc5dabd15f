"""Small runs of the proofs of laws 5 and 6: whole runs killed, a published file always read.

Belongs here: the proofs of `tests/proof/crash.py` and `readers.py`, small. Does not belong here:
publications killed before every single step (`release/test_crashes.py`).

`CLOSING_BELL_KILLS` sets how many runs are killed (default 4).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.warehouse.connection import connect
from tests.proof import crash, readers

KILLS = int(os.environ.get("CLOSING_BELL_KILLS", "4"))


def copy_of(home: Home, folder: Path) -> Home:
    """What is published and the warehouse behind it, links as links."""
    shutil.copytree(home.published.parent, folder / "published", symlinks=True)
    shutil.copy2(home.warehouse, folder)
    return Home(folder)


@pytest.mark.long
def test_runs_killed_at_random_instants_cost_nothing(tmp_path: Path) -> None:
    """In a process of its own: pytest's has used DuckDB, which cannot be forked."""
    out = tmp_path / "figures.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.proof.crash"),
            *("--kills", str(KILLS), "--seed", "20250917", "--out", str(out)),
        ],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["kills"] >= KILLS
    assert sum(figures["kills_in_phase"][phase] > 0 for phase in crash.PHASES) >= min(KILLS, 3)


def test_readers_through_publications(sample_home: Home, tmp_path: Path) -> None:
    home = copy_of(sample_home, tmp_path)
    figures = readers.prove(home, readers=4, publications=10, quiet_seconds=3, pause=0.02)
    assert readers.holds(figures), figures
    assert figures["releases_seen"] > 5
    assert figures["read_during_publications"]["count"] > 0


def test_a_published_file_of_two_releases_is_noticed(sample_home: Home, tmp_path: Path) -> None:
    """The proof itself: a release that shows another's checks is not taken for a whole one."""
    home = copy_of(sample_home, tmp_path)
    assert crash.published_tables(home) == crash.published_tables(sample_home)
    file = home.published.resolve()
    file.chmod(0o644)
    with connect(file) as con:
        con.execute("update main.release_check set release_id = 'another'")
    with pytest.raises(crash.ProofFailed, match="shows the checks of"):
        crash.published_tables(home)


def test_one_altered_row_is_noticed(sample_home: Home, tmp_path: Path) -> None:
    home = copy_of(sample_home, tmp_path)
    file = home.published.resolve()
    file.chmod(0o644)
    with connect(file) as con:
        con.execute(
            "update main.index_performance set close = close + 0.01 "
            "where symbol = 'HSI' and trade_date = '2025-09-17'"
        )
    before, after = crash.tables_of(sample_home.published), crash.tables_of(file)
    assert {name for name in before if before[name] != after[name]} == {
        "main.index_performance",
        "main.latest_index_performance",  # a view of it
    }
