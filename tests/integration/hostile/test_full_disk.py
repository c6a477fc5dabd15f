"""A full disk costs a run and nothing else: readers keep a whole release.

Belongs here: each step on a disk that is really full. Does not belong here: a run that is killed
(`tests/integration/test_crash.py`).
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.release.publish import publish
from dagster_project.release.read import ReleaseError, published_release
from dagster_project.release.record import record_release
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import build
from tests.cli_process import run_cli
from tests.conftest import copy_home
from tests.integration.hostile.support import HSI, ingest


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Make a disk of so many megabytes; skips the test where none can be mounted."""
    mounted = tmp_path / "disk"
    mounted.mkdir()

    def mount(megabytes: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(mounted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no command mount here")
        if done.returncode:
            pytest.skip(f"no small disk can be mounted: {done.stderr.strip()}")
        return mounted

    yield mount
    if mounted.is_mount():
        subprocess.run(["umount", str(mounted)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Leave so many bytes free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        status = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - free)
    return ballast


def release_night(home: Home, night: str) -> None:
    with closing(connect(home.warehouse)) as con:
        record_release(
            con,
            home,
            clock=date(2025, 9, 17),
            checks=[],
            what_changed=night,
            fingerprint=night,
        )
    publish(home)


def test_a_full_disk_costs_a_run_and_nothing_else(disk: Callable[[int], Path]) -> None:
    home = Home(disk(24))
    days = [date.fromordinal(738_000 + day) for day in range(1000)]
    lines = [f"{day:%m/%d/%y}" + f", {day.toordinal()}" * 4 + "\n" for day in days]
    (home.landing / "wsj_index").mkdir(parents=True)

    def deliver(number: int) -> None:
        for symbol in ("HSI", "HSCEI"):
            file = home.landing / "wsj_index" / f"{symbol}.csv"
            file.write_text(HSI + "".join(lines[:number]))

    def take_in() -> int:
        with closing(connect(home.warehouse)) as con:
            raw_tables.create_tables(con)
            ingest(con, home.landing, "wsj_index")
            con.execute("checkpoint")
            return len(con.execute("from raw.index_close").fetchall())

    deliver(300)
    assert take_in() == 600
    release_night(home, "first")

    deliver(1000)
    ballast = fill(home.root, free=16_384)
    with pytest.raises(duckdb.Error, match="No space left on device"):
        take_in()
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"
    with closing(connect(home.published, read_only=True)) as con:
        assert len(con.execute("from raw.index_close").fetchall()) == 600

    ballast.unlink()
    assert take_in() == 2000
    ballast = fill(home.root, free=home.warehouse.stat().st_size // 2)
    with pytest.raises(ReleaseError, match=r"No space left .* To do: free at least \d+ MB there"):
        release_night(home, "second")
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"
    ballast.unlink()
    assert publish(home).fingerprint == "second"


def test_a_run_that_would_end_on_a_full_disk_does_not_begin(disk: Callable[[int], Path]) -> None:
    home = Home(disk(9))
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 1
    (needed, stays) = done.stderr.strip().splitlines()
    assert needed.startswith(f"the disk that holds {home.root} has 9 MB free; a run needs at least")
    assert needed.endswith("free some space, then run again")
    assert stays == f"The release was withheld; {home.published} stays as it was."
    assert not home.dagster.exists()


def test_a_test_that_cannot_run_is_no_failed_test(sample_home: Home, tmp_path: Path) -> None:
    """A disk that fills up while dbt tests was once told as `grain is not unique`."""
    home = copy_home(sample_home, tmp_path / "home")
    with closing(connect(home.warehouse)) as con:
        con.execute("alter table main.sector_index rename column sector to other")
    tested = build(home, ["--select", "sector_index_grain_is_unique"], state.REBUILD_ALL)
    assert tested.tests == []
    error = tested.errors[-1]
    assert error.startswith("sector_index_grain_is_unique")
    assert "sector" in error


def test_a_test_whose_model_failed_is_no_failed_test(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    with closing(connect(home.warehouse)) as con:
        con.execute("alter table main.sector_performance rename column sector to other")
    built = build(home, ["--select", "sector_leaders_laggards"], state.REBUILD_ALL)
    assert built.tests == []
    assert any(error.startswith("sector_leaders_laggards: ") for error in built.errors)


def test_models_on_a_full_disk_cost_a_run_and_nothing_else(
    sample_home: Home, disk: Callable[[int], Path]
) -> None:
    size = sample_home.warehouse.stat().st_size
    home = Home(disk(4 * size // 1_000_000 + 32))
    shutil.copyfile(sample_home.warehouse, home.warehouse)
    shutil.copytree(sample_home.root / "dbt", home.root / "dbt")  # the parsed project
    release_night(home, "first")
    selection = ["--select", "security_performance", "--exclude-resource-type", "test"]

    ballast = fill(home.root, free=262_144)
    failed = build(home, selection, state.REBUILD_ALL)
    assert failed.errors == [
        f"the disk that holds {home.root} is full; free some space, then run again"
    ]
    released = published_release(home)
    assert released is not None
    assert released.fingerprint == "first"

    ballast.unlink()
    assert build(home, selection, state.REBUILD_ALL).errors == []
    with (
        closing(connect(home.published, read_only=True)) as before,
        closing(connect(home.warehouse, read_only=True)) as after,
    ):
        rows = [
            con.execute("select count(*) from main.security_performance").fetchone()
            for con in (before, after)
        ]
    assert rows[0] == rows[1]
