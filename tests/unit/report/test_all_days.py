"""The page of all reports and their feed, from reports as they lie in the folder."""

import base64
import hashlib
import os
import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.report.all_days import ENTRIES_OF_FEED, write_all_days

ATOM = "{http://www.w3.org/2005/Atom}"


def write(home: Home, day: str, headline: str, lead: str = "It closed.") -> None:
    page = home.reports / day / "market_report.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        f'<style>{"/**/" * 2000}</style><h1>{headline}</h1>\n<p class="lead">{lead}</p>'
    )
    at = datetime(2025, 9, 18, tzinfo=UTC).timestamp()
    os.utime(page, (at, at))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def page_of(home: Home) -> str:
    write_all_days(home)
    return (home.reports / "index.html").read_text("utf-8")


def feed_of(home: Home) -> ET.Element:
    write_all_days(home)
    return ET.fromstring((home.reports / "feed.xml").read_bytes())


def test_a_day_has_its_headline_and_a_link(home: Home) -> None:
    write(home, "2025-09-17", 'Hang Seng closes at <a href="#o1">26,908.39</a>')
    write(home, "2025-08-29", "Shanghai falls")
    page = page_of(home)
    assert '<a href="2025-09-17/market_report.html">Hang Seng closes at 26,908.39</a>' in page
    assert re.findall("<h2[^>]*>(.*?)</h2>", page) == ["September 2025", "August 2025"]
    assert ">2 days</output>" in page
    september = page.split("<tbody>")[1].split("</tbody>")[0]
    assert re.findall(">(\\d+)</(?:a|span)>", september) == [str(day) for day in range(1, 31)]
    assert re.findall('<a href="([^"]*)"', september) == ["2025-09-17/market_report.html"]


def test_a_session_without_a_report_is_no_holiday(home: Home) -> None:
    write(home, "2025-09-17", "Shanghai falls")
    sessions = {date(2025, 9, 16), date(2025, 9, 17)}
    write_all_days(home, sessions)
    page = (home.reports / "index.html").read_text("utf-8")
    assert re.findall('<span class="session">(\\d+)</span>', page) == ["16"]
    assert "sessions without a report" in page


def test_markup_in_a_headline_stays_text(home: Home) -> None:
    write(home, "2025-09-17", "S&amp;P &lt;script&gt;alert(1)&lt;/script&gt; rises")
    assert "S&amp;P &lt;script&gt;alert(1)&lt;/script&gt; rises" in page_of(home)
    (title,) = feed_of(home).findall(f"{ATOM}entry/{ATOM}title")
    assert title.text == "S&P <script>alert(1)</script> rises"


def test_the_page_loads_nothing_and_runs_its_own_script_only(home: Home) -> None:
    write(home, "2025-09-17", "Hang Seng rises")
    page = page_of(home)
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in page
    assert not re.search('src="|url\\(|https?:', page)


def test_the_feed_has_what_its_standard_requires(home: Home) -> None:
    for day in range(1, 29):
        write(home, f"2025-08-{day:02}", "Shanghai falls")
        write(home, f"2025-09-{day:02}", "Hang Seng rises", "It closed at 26,908.39.")
    feed = feed_of(home)
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{name}") is not None
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == ENTRIES_OF_FEED
    latest = {child.tag.removeprefix(ATOM): child for child in entries[0]}
    assert latest["id"].text == "urn:closing-bell:report:2025-09-28"
    assert latest["title"].text == "Hang Seng rises"
    assert latest["content"].text == "It closed at 26,908.39."
    assert latest["updated"].text == "2025-09-18T00:00:00Z"
    assert latest["link"].attrib["href"] == "2025-09-28/market_report.html"
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == ENTRIES_OF_FEED


def test_a_report_that_cannot_be_read_is_still_a_day(home: Home) -> None:
    write(home, "2025-09-17", "")
    assert ">The report of 2025-09-17</a>" in page_of(home)


def test_without_reports_it_says_so(home: Home) -> None:
    assert "No report yet." in page_of(home)
    assert feed_of(home).findall(f"{ATOM}entry") == []
