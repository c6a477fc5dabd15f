"""What a release holds, how many are kept, and what withholds one.

Belongs here: recording and publishing when nothing stands in the way. Does not belong here: what
the checks of a release are (`tests/integration/test_audit.py`), obstacles (`test_obstacles.py`).
"""

from contextlib import closing
from datetime import datetime

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.release.publish import publish
from dagster_project.release.read import (
    ReleaseError,
    ReleaseWithheld,
    list_releases,
    published_release,
)
from dagster_project.warehouse.connection import connect
from tests.integration.release.support import (
    BAD,
    CLOCK,
    DOUBTFUL,
    GOOD,
    audit_night,
    kept,
    night_published,
    past,
    release_nights,
)

# --- What a release holds ------------------------------------------------------------------------


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


# --- Withholding ---------------------------------------------------------------------------------


def test_failed_blocking_check_withholds_the_release(home: Home) -> None:
    (good,) = release_nights(home, 1)
    with pytest.raises(ReleaseWithheld, match=r"closes_are_positive on .*: below 0"):
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
