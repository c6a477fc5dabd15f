"""Releases: readers never wait and never see half of one, and a crash costs nothing.

Belongs here: publishing, rolling back and comparing, on real DuckDB files and with processes that
are really killed. Does not belong here: what the checks of a release are.

`CLOSING_BELL_KILLS` sets how many times the publisher is killed at a random instant (default 8).
"""

import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.audit.results import ReleaseCheck
from dagster_project.home import Home
from dagster_project.release.compare import mart_diff
from dagster_project.release.publish import publish, roll_back
from dagster_project.release.read import (
    Release,
    ReleaseError,
    ReleaseWithheld,
    list_releases,
    published_release,
)
from dagster_project.release.record import record_release
from dagster_project.warehouse.connection import connect

CLOCK = date(2025, 9, 17)
GOOD = ReleaseCheck("closes_are_positive", "index_performance", "block", True, 0, "all positive")
DOUBTFUL = ReleaseCheck("turnover_is_usual", "market_turnover", "warn", False, 2, "twice as high")
BAD = ReleaseCheck("closes_are_positive", "index_performance", "block", False, 3, "three below 0")

KILLS = int(os.environ.get("CLOSING_BELL_KILLS", "8"))
# The calls of a publication after which the disk differs from before.
DISK_CALLS = frozenset(
    ["mkdir", "open", "copy_file_range", "fchmod", "fsync", "symlink", "replace", "unlink", "rmdir"]
)

# Fork from a clean process: a fork of one that has used DuckDB's threads may hang.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["duckdb", "pytest", "dagster_project.release.publish"])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    return home


def audit_night(
    home: Home, night: int, checks: tuple[ReleaseCheck, ...] = (GOOD, DOUBTFUL), rows: int = 100
) -> Release:
    """Rebuild both marts so that every figure is the night's number, and record a release."""
    with closing(connect(home.warehouse)) as con:
        con.execute(
            f"""
            CREATE OR REPLACE TABLE main.index_performance AS
            SELECT DATE '2025-09-17' AS trade_date, 'I' || i AS symbol, {night} AS close,
                hash(i, {night}) AS noise, now()::TIMESTAMP AS loaded_at FROM range({rows}) t(i);
            CREATE OR REPLACE TABLE main.market_turnover AS
            SELECT DATE '2025-09-17' - i::INTEGER AS trade_date, 'XHKG' AS market,
                {night} AS turnover FROM range({rows}) t(i)
            """
        )
        return record_release(
            con,
            home,
            clock=CLOCK,
            checks=checks,
            what_changed=f"night {night}",
            fingerprint=str(night),
            rebuilt_from=CLOCK,
        )


def release_nights(home: Home, *nights: int, rows: int = 100) -> list[Release]:
    releases = []
    for night in nights:
        audit_night(home, night, rows=rows)
        releases.append(publish(home))
    return releases


def night_in(con: duckdb.DuckDBPyConnection) -> int:
    """The night a reader sees, from tables read one after the other; fails if they disagree."""
    seen = {
        int(row[0])
        for query in (
            "SELECT DISTINCT close FROM main.index_performance",
            "SELECT DISTINCT turnover FROM main.market_turnover",
            "SELECT fingerprint FROM main.release ORDER BY release_id DESC LIMIT 1",
        )
        for row in con.execute(query).fetchall()
    }
    assert len(seen) == 1, f"a mix of nights: {sorted(seen)}"
    return seen.pop()


def night_published(home: Home) -> int:
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        return night_in(con)


def kept(home: Home) -> list[str]:
    return [release.fingerprint for release in list_releases(home)]


def leftovers(home: Home) -> list[str]:
    files = [file for file in home.published.parent.rglob("*") if file.is_file()]
    return sorted(file.name for file in files if file.name != home.published.name)


def past(home: Home) -> list[str]:
    """Fingerprints of every release that the published file tells of."""
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        rows = con.execute("SELECT fingerprint FROM main.release ORDER BY release_id").fetchall()
    return [fingerprint for (fingerprint,) in rows]


def run_killed(target: Callable[..., None], *args: Any) -> int:
    """Exit code of a process of its own: 0, or minus the signal that killed it."""
    process = processes.Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Permissions do not bind root, as whom containers run tests."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


# What a release holds


def test_published_file_tells_what_was_released_and_checked(home: Home) -> None:
    first, second = release_nights(home, 1, 2)

    assert published_release(home) == second
    assert list_releases(home) == [first, second]
    assert first.previous_release_id is None
    assert second.previous_release_id == first.release_id
    assert (second.clock, second.rebuilt_from) == (CLOCK, CLOCK)
    assert (second.checks_passed, second.checks_warned) == (1, 1)
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        assert past(home) == ["1", "2"]
        checks = con.execute("SELECT * FROM main.release_check ORDER BY check_name").fetchall()
        assert checks == [(*check.as_row, second.release_id) for check in (GOOD, DOUBTFUL)]
        undescribed = con.execute(
            """
            SELECT table_name, NULL FROM duckdb_tables()
            WHERE table_name IN ('release', 'release_check') AND comment IS NULL
            UNION ALL
            SELECT table_name, column_name FROM duckdb_columns()
            WHERE table_name IN ('release', 'release_check') AND comment IS NULL
            """
        ).fetchall()
    assert undescribed == []


def test_release_ids_sort_in_order_of_release_even_if_the_clock_is_set_back(home: Home) -> None:
    audit_night(home, 1)
    future = datetime(2199, 1, 1, 12)
    with closing(connect(home.warehouse)) as con:
        con.execute(
            "UPDATE main.release SET published_at = ?, release_id = '21990101T120000Z-0001'",
            [future],
        )
    publish(home)
    releases = release_nights(home, *range(2, 13))

    ids = [release.release_id for release in releases]
    assert ids[0] == "21990101T120000Z-0002"
    assert ids == sorted(set(ids))
    assert kept(home) == [str(night) for night in range(6, 13)]


def test_publishing_again_changes_nothing(home: Home) -> None:
    (release,) = release_nights(home, 1)
    before = home.published.stat()
    assert publish(home) == release
    after = home.published.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_published_file_cannot_be_written(home: Home) -> None:
    release_nights(home, 1)
    assert home.published.stat().st_mode & 0o777 == 0o444
    assert home.published.is_symlink(), "the mode is that of the release"


def test_last_seven_releases_are_kept(home: Home) -> None:
    release_nights(home, *range(1, 11))
    assert kept(home) == ["4", "5", "6", "7", "8", "9", "10"]
    assert past(home) == [str(night) for night in range(1, 11)]
    audit_night(home, 11)
    publish(home, keep=2)
    assert kept(home) == ["10", "11"]
    with pytest.raises(ReleaseError, match="keep at least 2"):
        publish(home, keep=1)


# Withholding


def test_failed_blocking_check_withholds_the_release(home: Home) -> None:
    (good,) = release_nights(home, 1)
    with pytest.raises(ReleaseWithheld, match=r"closes_are_positive on .*: three below 0"):
        audit_night(home, 2, checks=(BAD, DOUBTFUL))
    assert publish(home) == good
    assert night_published(home) == 1
    assert past(home) == ["1"]


def test_withheld_night_takes_back_a_release_that_was_never_published(home: Home) -> None:
    release_nights(home, 1)
    audit_night(home, 2)  # and killed before it was published
    with pytest.raises(ReleaseWithheld):
        audit_night(home, 3, checks=(BAD,))
    assert publish(home).fingerprint == "1"
    assert night_published(home) == 1


def test_release_that_never_became_visible_leaves_no_trace(home: Home) -> None:
    (first,) = release_nights(home, 1)
    audit_night(home, 2)  # and killed before it was published
    (third,) = release_nights(home, 3)
    assert past(home) == ["1", "3"]
    assert third.previous_release_id == first.release_id
    assert third.release_id.endswith("-0002")


def test_past_survives_the_loss_of_the_warehouse(home: Home) -> None:
    release_nights(home, 1, 2)
    home.warehouse.unlink()
    release_nights(home, 3)
    assert past(home) == ["1", "2", "3"]


# Readers


def read_until(published: Path, stop: Path) -> list[int]:
    """Open, query, close, again and again; the nights seen."""
    nights = []
    while not stop.exists():
        with closing(duckdb.connect(str(published), read_only=True, config={"threads": 1})) as con:
            nights.append(night_in(con))
    return nights


def test_readers_see_whole_releases_through_publications(home: Home, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    release_nights(home, 1, rows=10_000)
    with ProcessPoolExecutor(3, mp_context=processes) as pool:
        readers = [pool.submit(read_until, home.published, stop) for _ in range(3)]
        try:
            time.sleep(0.5)
            release_nights(home, *range(2, 22), rows=10_000)
            time.sleep(0.3)
        finally:
            stop.touch()
        seen = [reader.result(timeout=60) for reader in readers]  # raises what a reader met
    for nights in seen:
        assert nights == sorted(nights), "a reader went back in time"
        assert nights[-1] == 21
    assert len({night for nights in seen for night in nights}) > 10


def test_reader_is_led_to_a_file_that_never_changes(home: Home) -> None:
    """DuckDB opens a database several times to connect; the link must be followed only once."""
    (release,) = release_nights(home, 1)
    with closing(duckdb.connect(str(home.published), read_only=True)) as con:
        ((name, path),) = con.execute(
            "SELECT database_name, path FROM duckdb_databases() WHERE NOT internal"
        ).fetchall()
    assert name == "closing_bell"
    assert Path(path) == home.releases / release.release_id / "closing_bell.duckdb"
    assert not home.published.readlink().is_absolute(), "the home can be moved"


def test_open_connection_keeps_its_release(home: Home) -> None:
    (first,) = release_nights(home, 1)
    # With settings of their own, as in a notebook that also runs a night.
    path = str(home.published)
    with closing(duckdb.connect(path, read_only=True, config={"threads": 1})) as analyst:
        releases = release_nights(home, *range(2, 10))
        assert first not in list_releases(home)
        assert night_in(analyst) == 1
        assert published_release(home) == releases[-1]
        assert night_published(home) == 9
        assert night_in(analyst) == 1


# Crashes


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
        process = processes.Process(
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
    with ProcessPoolExecutor(2, mp_context=processes) as pool:
        first, second = pool.map(publish, [home, home])
    assert first == second == published_release(home)
    assert kept(home) == ["1"]
    assert leftovers(home) == []


# What stands in the way


def test_nothing_to_publish(home: Home) -> None:
    assert published_release(home) is None
    assert list_releases(home) == []
    with pytest.raises(ReleaseError, match=r"warehouse\.duckdb does not exist"):
        publish(home)
    connect(home.warehouse).close()
    with pytest.raises(ReleaseError, match="has no release recorded"):
        publish(home)
    assert not home.published.exists()


def test_warehouse_open_in_this_process(home: Home) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    with (
        closing(connect(home.warehouse)),
        pytest.raises(ReleaseError, match="still open in this process: close every connection"),
    ):
        publish(home)
    assert night_published(home) == 1
    publish(home)
    assert night_published(home) == 2


def hold_open(home: Home, opened: Path, stop: Path) -> None:
    with closing(connect(home.warehouse, read_only=True)):
        opened.touch()
        while not stop.exists():
            time.sleep(0.01)


def test_warehouse_open_in_another_process(home: Home, tmp_path: Path) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    opened, stop = tmp_path / "opened", tmp_path / "stop"
    process = processes.Process(target=hold_open, args=(home, opened, stop))
    process.start()
    try:
        while not opened.exists():
            assert process.is_alive()
            time.sleep(0.01)
        with pytest.raises(ReleaseError, match="If another process has it open, close it"):
            publish(home)
    finally:
        stop.touch()
        process.join(60)
    assert night_published(home) == 1
    assert publish(home).fingerprint == "2"


def test_published_folder_that_cannot_be_written() -> None:
    # Not in pytest's folder: that is closed to all but the user who runs the tests.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        with as_ordinary_user():
            home = Home(Path(folder) / "home")
            home.root.mkdir()
            release_nights(home, 1)
            audit_night(home, 2)
            home.releases.chmod(0o555)
            home.published.parent.chmod(0o555)
            with pytest.raises(ReleaseError, match=r"To do: make .*published.* writable"):
                publish(home)
            assert night_published(home) == 1
            home.releases.chmod(0o755)
            with pytest.raises(ReleaseError, match=r"To do: make .*published.* writable"):
                publish(home)
            assert night_published(home) == 1
            assert kept(home) == ["1"]
            home.published.parent.chmod(0o755)
            publish(home)
            assert night_published(home) == 2
            assert leftovers(home) == []


def test_copy_that_does_not_fit(home: Home) -> None:
    release_nights(home, 1)
    audit_night(home, 2)
    size = home.warehouse.stat().st_size
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, hard))
    try:
        with pytest.raises(ReleaseError, match="Readers still have a whole release"):
            publish(home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert night_published(home) == 1
    assert leftovers(home) == []
    publish(home)
    assert night_published(home) == 2


def test_published_file_that_is_no_release(home: Home) -> None:
    release_nights(home, 1)
    home.published.unlink()
    home.published.write_text("not a database")
    with pytest.raises(ReleaseError, match=r"closing_bell\.duckdb cannot be read.*Move it away"):
        published_release(home)
    home.published.unlink()
    assert publish(home).fingerprint == "1"
    assert night_published(home) == 1


def test_what_others_put_beside_the_releases_stays(home: Home) -> None:
    release_nights(home, 1)
    note = home.releases / "notes" / "why.txt"
    note.parent.mkdir()
    note.write_text("kept for the auditor")
    release_nights(home, 2)
    assert note.read_text() == "kept for the auditor"
    assert kept(home) == ["1", "2"]


def test_log_beside_the_published_file_is_removed(home: Home) -> None:
    release_nights(home, 1)
    for file in (home.published, home.published.resolve()):
        file.with_name(file.name + ".wal").write_bytes(b"a release is never written to")
    release_nights(home, 2)
    assert leftovers(home) == []
    assert night_published(home) == 2


# Back, and what differs


def test_roll_back(home: Home) -> None:
    first, second, third = release_nights(home, 1, 2, 3)
    assert roll_back(home, second.release_id) == second
    assert published_release(home) == second
    assert night_published(home) == 2
    assert list_releases(home) == [first, second, third]
    assert leftovers(home) == []

    (fourth,) = release_nights(home, 4)
    assert fourth.previous_release_id == second.release_id
    assert past(home) == ["1", "2", "3", "4"], "the third was seen for a while"


def test_roll_back_to_the_oldest_survives_the_next_publications(home: Home) -> None:
    oldest = release_nights(home, *range(1, 8))[0]
    roll_back(home, oldest.release_id)
    assert roll_back(home, oldest.release_id) == oldest
    audit_night(home, 8)
    assert night_published(home) == 1
    publish(home)
    assert kept(home) == [str(night) for night in range(1, 9)], "a reader may be opening the 1st"
    release_nights(home, 9)
    assert kept(home) == [str(night) for night in range(3, 10)]


def test_publishing_after_roll_back_puts_the_recorded_release_back(home: Home) -> None:
    first, second = release_nights(home, 1, 2)
    roll_back(home, first.release_id)
    assert publish(home) == second
    assert night_published(home) == 2


def test_roll_back_to_a_release_that_is_not_kept(home: Home) -> None:
    (release,) = release_nights(home, 1)
    with pytest.raises(ReleaseError, match=f"no release 'yesterday' .* {release.release_id}"):
        roll_back(home, "yesterday")
    assert night_published(home) == 1


def release_marts(home: Home, sql: str) -> str:
    with closing(connect(home.warehouse)) as con:
        con.execute(sql)
        record_release(con, home, clock=CLOCK, checks=[GOOD], what_changed="", fingerprint=sql)
    return publish(home).release_id


def test_mart_diff(home: Home) -> None:
    a = release_marts(
        home,
        """
        CREATE TABLE index_performance AS
        SELECT DATE '2025-09-01' + d::INTEGER AS trade_date, s AS symbol, 100.00 + d AS close,
            CASE WHEN d = 0 THEN NULL ELSE 1.5 END AS change_pct, 'old' AS loaded_at, 1 AS gone
        FROM range(10) t(d), (VALUES ('HSI'), ('HSCEI')) u(s);
        CREATE TABLE same AS SELECT 'HSI' AS symbol, 'old' AS loaded_at;
        CREATE TABLE lines AS SELECT 'x' AS word FROM range(3);
        CREATE TABLE old_mart AS SELECT 'HSI' AS symbol
        """,
    )
    b = release_marts(
        home,
        """
        UPDATE index_performance SET loaded_at = 'new';
        UPDATE index_performance SET close = 26908.39
            WHERE symbol = 'HSI' AND trade_date = '2025-09-10';
        UPDATE index_performance SET change_pct = 1.78 WHERE change_pct IS NULL;
        DELETE FROM index_performance WHERE symbol = 'HSCEI' AND trade_date > '2025-09-08';
        INSERT INTO index_performance VALUES ('2025-09-11', 'HSTECH', 6334.24, 4.22, 'new', 1);
        ALTER TABLE index_performance DROP gone;
        ALTER TABLE index_performance ADD note VARCHAR;
        UPDATE same SET loaded_at = 'new';
        INSERT INTO lines VALUES ('x'), ('y');
        DROP TABLE old_mart;
        CREATE TABLE new_mart AS SELECT 'HSI' AS symbol FROM range(2)
        """,
    )
    diffs = {diff.table: diff for diff in mart_diff(home, a, b)}
    assert list(diffs) == ["index_performance", "lines", "new_mart", "old_mart"]

    index = diffs["index_performance"]
    assert (index.added, index.removed, index.changed) == (1, 2, 3)
    assert index.columns_added == ("note VARCHAR",)
    assert index.columns_removed == ("gone INTEGER",)
    by_key = {(row.key["trade_date"], row.key["symbol"]): row for row in index.examples}
    assert len(by_key) == len(index.examples) == 6
    hsi = by_key[date(2025, 9, 10), "HSI"]
    assert hsi.kind == "changed"
    assert {k: float(v) for k, v in hsi.before.items()} == {"close": 109.0}
    assert {k: float(v) for k, v in hsi.after.items()} == {"close": 26908.39}
    first = by_key[date(2025, 9, 1), "HSCEI"]
    assert (first.kind, first.before["change_pct"]) == ("changed", None)
    assert by_key[date(2025, 9, 11), "HSTECH"].kind == "added"
    assert by_key[date(2025, 9, 11), "HSTECH"].before == {}
    for day in (date(2025, 9, 9), date(2025, 9, 10)):
        assert by_key[day, "HSCEI"].kind == "removed"
        assert by_key[day, "HSCEI"].after == {}

    assert (diffs["lines"].added, diffs["lines"].removed, diffs["lines"].changed) == (2, 0, 0)
    assert (diffs["new_mart"].added, diffs["new_mart"].columns_added) == (2, ("symbol VARCHAR",))
    assert (diffs["old_mart"].removed, diffs["old_mart"].added) == (1, 0)

    back = {diff.table: diff for diff in mart_diff(home, b, a, examples=0)}["index_performance"]
    assert (back.added, back.removed, back.changed, back.examples) == (2, 1, 3, ())
    assert mart_diff(home, b, b) == []


def test_mart_diff_finds_a_row_again_by_as_many_words_as_identify_it(home: Home) -> None:
    days = [CLOCK - timedelta(days=back) for back in range(3)]
    columns = "trade_date DATE, region VARCHAR, level VARCHAR, sector VARCHAR, members INTEGER"
    values = ", ".join(f"('{day}', 'mainland', 'sector', '{s}', 1)" for day in days for s in "xy")
    a = release_marts(
        home,
        f"CREATE TABLE sector_performance ({columns});"
        f"INSERT INTO sector_performance VALUES {values}",
    )
    b = release_marts(
        home, f"UPDATE sector_performance SET members = 2 WHERE trade_date = '{CLOCK}'"
    )
    (diff,) = mart_diff(home, a, b)
    assert (diff.added, diff.removed, diff.changed) == (0, 0, 2)
    assert [row.key for row in diff.examples] == [
        {"trade_date": CLOCK, "region": "mainland", "level": "sector", "sector": sector}
        for sector in "xy"
    ]


def test_mart_diff_of_a_release_that_is_not_kept(home: Home) -> None:
    (release,) = release_nights(home, 1)
    with pytest.raises(ReleaseError, match="no release 'tomorrow'"):
        mart_diff(home, release.release_id, "tomorrow")
