"""How old what analysts see is, by the sessions that it lacks.

Belongs here: which closed sessions no release holds. Does not belong here: what is wrong with a
release (`alerts/findings.py`), who is told (`cli.py`).
"""

from datetime import date, datetime, timedelta

from dagster_project.home import Home
from dagster_project.market.calendar import HONG_KONG, LONGEST_CLOSURE
from dagster_project.release.read import published_release
from dagster_project.warehouse.sessions import closing_times


def oldest_unreleased(home: Home, now: datetime) -> tuple[date, datetime] | None:
    """The earliest session that has closed and is not released, and when its last market closed.

    None where there is none. Days without a session make nothing older. Before the first release it
    is the last session that has closed, for nothing says which others are wanted.

    Args:
        now: the time, with its time zone.

    Raises:
        ReleaseError: the published file cannot be read.
    """
    now = now.astimezone(HONG_KONG)
    release = published_release(home)
    first = release.clock + timedelta(days=1) if release else now.date() - LONGEST_CLOSURE
    closed = [
        (day, closed_at)
        for day, closes_at in sorted(closing_times(first, now.date(), home.config).items())
        if (closed_at := datetime.fromisoformat(f"{day}T{closes_at}").replace(tzinfo=HONG_KONG))
        <= now
    ]
    if not closed:
        return None
    return closed[0] if release else closed[-1]
