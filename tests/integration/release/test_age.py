"""How old what analysts see is: by sessions, so that closed days make nothing older."""

from collections.abc import Callable
from datetime import datetime

import pytest
from click.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.release.age import oldest_unreleased
from dagster_project.release.publish import roll_back
from tests.integration.release.support import release_nights


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=calendar.HONG_KONG)


@pytest.mark.parametrize(
    ("now", "session", "closed_at"),
    [
        ("2025-09-18T16:09", None, None),  # Shanghai has closed, Hong Kong not yet
        ("2025-09-18T16:10", "2025-09-18", "16:10"),
        ("2025-09-21T12:00", "2025-09-18", "16:10"),
        ("2025-10-05T12:00", "2025-09-18", "16:10"),
    ],
)
def test_the_oldest_session_that_is_not_released(
    home: Home, now: str, session: str | None, closed_at: str | None
) -> None:
    release_nights(home, 1)  # up to 17 September 2025
    found = oldest_unreleased(home, at(now))
    shown = found and (str(found[0]), f"{found[1]:%H:%M}")
    assert shown == (session and (session, closed_at))


Status = Callable[..., Result]


@pytest.fixture
def status(home: Home, monkeypatch: pytest.MonkeyPatch) -> Status:
    monkeypatch.setenv("CLOSING_BELL_HOME", str(home.root))

    def run(now: str, *arguments: str) -> Result:
        monkeypatch.setattr(calendar, "now_in_hong_kong", lambda: at(now))
        return CliRunner().invoke(cli.main, ["status", *arguments])

    return run


def test_status_says_what_is_published_and_how_old_it_is(home: Home, status: Status) -> None:
    (release,) = release_nights(home, 1)
    shown = status("2025-09-17T20:00", "--max-age", "1h")
    assert shown.exit_code == 0, shown.output
    assert f"release  {release.release_id}" in shown.output
    assert "clock    2025-09-17" in shown.output
    assert "every session that has closed is released" in shown.output

    old = status("2025-09-20T18:10")
    assert "age      2 d 2 h: the session of 2025-09-18 is not released" in old.output
    assert old.exit_code == 0
    assert status("2025-09-20T18:10", "--max-age", "3d").exit_code == 0
    assert status("2025-09-20T18:10", "--max-age", "26h").exit_code == 1
    assert status("2025-09-20T18:10", "--max-age", "soon").exit_code == 2


def test_before_the_first_release_the_last_closed_session_counts(status: Status) -> None:
    shown = status("2025-10-01T18:00")  # a holiday everywhere
    assert "release  none yet" in shown.output
    assert "the session of 2025-09-30 is not released" in shown.output
    assert status("2025-10-01T18:00", "--max-age", "26h").exit_code == 0
    assert status("2025-10-01T18:20", "--max-age", "26h").exit_code == 1


def test_a_withdrawn_release_is_not_what_analysts_see(home: Home, status: Status) -> None:
    first, second = release_nights(home, 1, 2)
    roll_back(home, first.release_id)
    shown = status("2025-09-17T20:00")
    assert f"rollback {second.release_id}, up to 2025-09-17, is withdrawn" in shown.output
