"""The page of all reports, and their feed: `reports/index.html` and `reports/feed.xml`.

Belongs here: which reports there are, with headline and lead as each says them. Does not belong
here: what a report says (`composition.py`), writing one (`files.py`).
"""

import base64
import hashlib
import html
import re
from calendar import Calendar
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

from filelock import FileLock
from markupsafe import Markup

from dagster_project.home import Home, write_whole
from dagster_project.report.environment import environment

PAGE, FEED = "index.html", "feed.xml"
# A reader of feeds asks each day, or after a holiday; older reports are on the page.
ENTRIES_OF_FEED = 30
# Headline and lead stand behind the styles.
_BEGINNING = 1 << 16

_SCRIPT = Path(__file__).with_name("templates") / "all_days.js"


@dataclass(frozen=True)
class WrittenReport:
    """A report in the folder of reports: its day, what it says first, when it was written (UTC)."""

    day: date
    headline: str
    lead: str
    written: str


@dataclass(frozen=True)
class Month:
    """A month with reports, the latest first; `weeks` are of seven days, Monday first."""

    first: date
    weeks: list[list[date]]
    reports: dict[date, WrittenReport]


def write_all_days(home: Home, sessions: Collection[date] = ()) -> None:
    """Write the page and the feed of the reports that are there now; each is replaced whole.

    Args:
        sessions: days on which a market traded; without a report they are marked.
    """
    home.reports.mkdir(parents=True, exist_ok=True)
    with FileLock(home.reports_lock):
        _write(home, sessions)


def _write(home: Home, sessions: Collection[date]) -> None:
    reports = sorted(_written_reports(home), key=lambda report: report.day, reverse=True)
    script = _SCRIPT.read_text(encoding="utf-8")
    page = environment.get_template("all_days.html.j2").render(
        months=list(_months(reports)),
        sessions=sessions,
        count=len(reports),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    feed = environment.get_template("feed.xml.j2").render(
        reports=reports[:ENTRIES_OF_FEED],
        updated=max((report.written for report in reports), default="1970-01-01T00:00:00Z"),
    )
    write_whole(home.reports / PAGE, page.encode())
    write_whole(home.reports / FEED, feed.encode())


def _written_reports(home: Home) -> Iterator[WrittenReport]:
    for page in home.reports.glob("????-??-??/market_report.html"):
        with page.open(encoding="utf-8", errors="replace") as file:
            beginning = file.read(_BEGINNING)
        written = datetime.fromtimestamp(page.stat().st_mtime, UTC)
        yield WrittenReport(
            date.fromisoformat(page.parent.name),
            _words(r"<h1[^>]*>(.*?)</h1>", beginning) or f"The report of {page.parent.name}",
            _words(r'<p class="lead">(.*?)</p>', beginning),
            f"{written:%Y-%m-%dT%H:%M:%SZ}",
        )


def _words(pattern: str, page: str) -> str:
    """The text of an element of a page, without markup."""
    found = re.search(pattern, page, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""


def _months(reports: Sequence[WrittenReport]) -> Iterator[Month]:
    for first, of_month in groupby(reports, key=lambda report: report.day.replace(day=1)):
        weeks = Calendar().monthdatescalendar(first.year, first.month)
        yield Month(first, weeks, {report.day: report for report in of_month})
