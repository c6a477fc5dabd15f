"""Rolling back makes an earlier release the published file at once.

Belongs here: rolling back, and publishing afterwards. Does not belong here: what differs between
two releases (`test_compare.py`).
"""

import pytest

from dagster_project.home import Home
from dagster_project.release.publish import publish, roll_back
from dagster_project.release.read import ReleaseError, list_releases, published_release
from tests.integration.release.support import (
    audit_night,
    kept,
    leftovers,
    night_published,
    past,
    release_nights,
)


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
