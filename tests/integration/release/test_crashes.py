"""A publisher that is killed, at any step and at any instant, costs nothing.

Belongs here: publishing in processes that are really killed, and two publishers at once. Does not
belong here: other steps of a run that are killed (`tests/integration/test_crash.py`).

`CLOSING_BELL_KILLS` sets how many times the publisher is killed at a random instant (default 8).
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.release.publish import publish
from dagster_project.release.read import published_release
from dagster_project.release.record import record_release
from dagster_project.warehouse.connection import connect
from tests.forked import FORKED
from tests.integration.release.support import (
    CLOCK,
    GOOD,
    audit_night,
    kept,
    leftovers,
    night_published,
    past,
    release_nights,
)

KILLS = int(os.environ.get("CLOSING_BELL_KILLS", "8"))
# The calls of a publication after which the disk differs from before.
DISK_CALLS = frozenset(
    ["mkdir", "open", "copy_file_range", "fchmod", "fsync", "symlink", "replace", "unlink", "rmdir"]
)


def run_killed(target: Callable[..., None], *args: Any) -> int:
    """Exit code of a process of its own: 0, or minus the signal that killed it."""
    process = FORKED.Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


def publish_and_be_killed(home: Home, call: int, calls: frozenset[str] = DISK_CALLS) -> None:
    """Publish, and be killed just before the given call (counted from 1) of those named."""
    seen = 0

    def watch(frame: Any, event: str, function: Any) -> None:
        nonlocal seen
        if event == "c_call" and function.__name__ in calls:
            seen += 1
            if seen == call:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    publish(home)


@pytest.mark.parametrize("before", ["nothing", "another crash"])
def test_killed_before_any_step_of_a_publication(home: Home, tmp_path: Path, before: str) -> None:
    release_nights(home, *range(1, 8))
    audit_night(home, 8)
    steps = 100
    if before == "another crash":
        ready_to_show = frozenset({"symlink"})
        assert run_killed(publish_and_be_killed, home, 1, ready_to_show) == -signal.SIGKILL
        assert leftovers(home)
        steps = 8  # those that tidy up; the rest are as after no crash
    seen_after_kill = []
    for call in range(1, steps + 1):
        again, moved_on = (Home(tmp_path / f"{name}_{call}") for name in ("again", "moved_on"))
        shutil.copytree(home.root, again.root, symlinks=True)
        exit_code = run_killed(publish_and_be_killed, again, call)
        shutil.copytree(again.root, moved_on.root, symlinks=True)
        seen = night_published(again)
        seen_after_kill.append(seen)

        assert publish(again).fingerprint == "8"
        assert past(again) == [str(night) for night in range(1, 9)]
        release_nights(moved_on, 9)
        assert past(moved_on) == [*(str(night) for night in range(1, seen + 1)), "9"]
        for crashed in (again, moved_on):
            assert str(night_published(crashed)) == past(crashed)[-1]
            assert kept(crashed) == past(crashed)[-7:]
            assert leftovers(crashed) == []
            shutil.rmtree(crashed.root)
        if exit_code == 0:
            break
        assert exit_code == -signal.SIGKILL
    if before == "another crash":
        assert set(seen_after_kill) == {7}
        return
    assert exit_code == 0, "publishing never came to its end"
    assert seen_after_kill == sorted(seen_after_kill)
    # Folder, mark, copy, chmod, fsync, link, replace, mark, the oldest: fewer were not watched.
    assert seen_after_kill.count(7) > 6
    assert seen_after_kill.count(8) > 4


def publish_nights(home: Home, nights: range, started: Path) -> None:
    for night in nights:
        audit_night(home, night, rows=200_000)
        started.touch()
        publish(home)


def test_killed_at_random_instants(home: Home, tmp_path: Path) -> None:
    choose = random.Random(20250917)
    release_nights(home, 0, 1, rows=200_000)
    before = time.monotonic()
    publish(home)
    audit_night(home, 2, rows=200_000)
    publish(home)
    both = time.monotonic() - before  # how long a night takes here
    last = night_published(home)
    for kill in range(KILLS):
        started = tmp_path / f"started_{kill}"
        process = FORKED.Process(
            target=publish_nights, args=(home, range(last + 1, last + 50), started)
        )
        process.start()
        deadline = time.monotonic() + 60
        while not started.exists():
            assert process.is_alive(), "the publisher failed"
            assert time.monotonic() < deadline, "the publisher hangs"
            time.sleep(0.001)
        time.sleep(choose.uniform(0, 1.5 * both))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL

        seen = night_published(home)
        assert seen >= last
        release_nights(home, seen + 1, rows=200_000)
        last = seen + 1
        assert night_published(home) == last
        assert past(home) == [str(night) for night in range(last + 1)]
        assert kept(home) == [str(night) for night in range(last + 1)][-7:]
        assert leftovers(home) == []


def audit_and_be_killed(home: Home, night: int) -> None:
    with closing(connect(home.warehouse)) as con:
        con.execute("CREATE TABLE main.only_in_log AS SELECT 42 AS answer")
        con.execute("UPDATE main.index_performance SET close = ?", [night])
        con.execute("UPDATE main.market_turnover SET turnover = ?", [night])
        record_release(
            con, home, clock=CLOCK, checks=[GOOD], what_changed="", fingerprint=str(night)
        )
        os.kill(os.getpid(), signal.SIGKILL)


def test_log_left_by_a_crash_is_published_too(home: Home) -> None:
    release_nights(home, 1)
    assert run_killed(audit_and_be_killed, home, 2) == -signal.SIGKILL
    log = home.warehouse.with_name("warehouse.duckdb.wal")
    assert log.stat().st_size > 0

    publish(home)
    assert not log.exists()
    assert night_published(home) == 2
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        assert con.execute("SELECT answer FROM main.only_in_log").fetchall() == [(42,)]


def test_two_publishers_at_once_publish_once(home: Home) -> None:
    audit_night(home, 1, rows=200_000)
    with ProcessPoolExecutor(2, mp_context=FORKED) as pool:
        first, second = pool.map(publish, [home, home])
    assert first == second == published_release(home)
    assert kept(home) == ["1"]
    assert leftovers(home) == []
