"""Readers never wait, and never see half of a release.

Belongs here: what a reader sees while others publish. Does not belong here: the same with the whole
sample and many readers (`tests/integration/test_crash.py`).
"""

import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb

from dagster_project.home import Home
from dagster_project.release.read import list_releases, published_release
from tests.forked import FORKED
from tests.integration.release.support import night_in, night_published, release_nights


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
    with ProcessPoolExecutor(3, mp_context=FORKED) as pool:
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
