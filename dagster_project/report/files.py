"""The files of a market report: writing them whole, and checking finished ones.

Belongs here: where the files are, how they are replaced, the settings they are written with, and
comparing them as a whole. Does not belong here: what is in them (`composition.py`, `render.py`),
how single figures are checked (`check.py`).
"""

import html
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import zip_longest
from pathlib import Path

import duckdb
from filelock import FileLock

from dagster_project.home import Home, write_whole
from dagster_project.report.all_days import write_all_days
from dagster_project.report.check import check_html, check_markdown
from dagster_project.report.day import ReportError
from dagster_project.report.explore import write_explore
from dagster_project.report.mail import Mail, mail_of
from dagster_project.report.published import Published
from dagster_project.report.render import (
    COLOURS,
    PAGE,
    QUALITY_PAGE,
    TEXT,
    TEXT_ORIGINS,
    Colours,
    asset_page,
    render,
)
from dagster_project.settings import load_settings
from dagster_project.warehouse.connection import connect

__all__ = [
    "COLOURS",
    "Colours",
    "ReportError",
    "check_report",
    "follow_rollback",
    "write_report",
]
FILES = (TEXT, TEXT_ORIGINS, PAGE, QUALITY_PAGE)


def write_report(home: Home, trade_date: date, colours: Colours | None = None) -> dict[str, Path]:
    """Write the files of `reports/<trade date>/`, the page of all reports and that of the history.

    Each is replaced as a whole.

    Returns:
        The files by name: text, its origins, page, page for engineers (`render.py`).

    Raises:
        ReportError: nothing is published yet, or nothing for that date; or the folder cannot be
            written.
        SettingsError: a setting cannot be used.
    """
    settings = load_settings(home)
    shown = colours or settings.colours
    folder = home.reports / trade_date.isoformat()
    with _open(home) as con:
        published = Published(con, trade_date)
        finished = render(published, shown, asset_page(trade_date, settings.ui_url))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(home.reports_lock):
                written = {
                    name: write_whole(folder / name, content.encode())
                    for name, content in finished.items()
                }
                write_explore(home, con, shown)
            write_all_days(home, _sessions(con))
        except OSError as error:
            raise ReportError(f"cannot write into {folder}: {error}; remove the cause") from None
    return written


def read_mail(home: Home, trade_date: date) -> Mail:
    """The report of a trade date as a mail; raises as `write_report`."""
    settings = load_settings(home)
    with _open(home) as con:
        published = Published(con, trade_date)
        return mail_of(published, settings.colours, asset_page(trade_date, settings.ui_url))


def follow_rollback(home: Home, withdrawn: Collection[str], last: date | None) -> list[str]:
    """Write reports of withdrawn releases again, from the release that is published now.

    Those of days that it does not hold are moved to `reports/withdrawn/<release>/<trade date>/`.

    Args:
        withdrawn: the releases made after the published one.
        last: the last day of the published release, whose report is written in any case.

    Returns:
        What became of each report, in words.
    """
    told = []
    days = {last} if last else set()
    moved_to = home.reports / "withdrawn"
    for page in home.reports.glob(f"*/{PAGE}"):
        text = page.read_text(encoding="utf-8", errors="replace")
        release = next((name for name in withdrawn if name in text), None)
        if release and last and date.fromisoformat(page.parent.name) <= last:
            days.add(date.fromisoformat(page.parent.name))
        elif release:
            target = moved_to / release / page.parent.name
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            page.parent.rename(target)
            told.append(f"its report moved: {target}")
    written = [f"report written again: {write_report(home, day)[PAGE]}" for day in sorted(days)]
    if not written:
        with _open(home) as con:
            write_all_days(home, _sessions(con))  # else it is written with each report
    return [*told, *written]


def check_report(home: Home, trade_date: date) -> list[str]:
    """Check a finished report; one line per problem.

    First every figure is looked up in the published file by its own reference. If they all hold,
    the files are compared as a whole with a report written anew, so that no alteration is missed.

    Raises:
        ReportError: nothing is published yet, or nothing for that date.
    """
    problems: list[str] = []
    folder = home.reports / trade_date.isoformat()
    found: dict[str, str] = {}
    for name in FILES:
        path = folder / name
        try:
            found[name] = path.read_bytes().decode()
        except FileNotFoundError:
            problems.append(f"{path} is not there: the report of {trade_date} is not written")
        except UnicodeDecodeError as error:
            problems.append(f"{path} is no UTF-8 text: {error}")
    colours = _colours_of(found.get(PAGE, ""))
    with _open(home) as con:
        published = Published(con, trade_date)
        for name in (PAGE, QUALITY_PAGE):
            if name in found:
                problems += [f"{name}: {problem}" for problem in check_html(found[name], published)]
        if {TEXT, TEXT_ORIGINS} <= found.keys():
            texts = check_markdown(found[TEXT], found[TEXT_ORIGINS], published)
            problems += [f"{TEXT}: {problem}" for problem in texts]
        if not problems and colours is None:
            problems.append(f"{PAGE}: does not say what its colours mean (data-colours)")
        if not problems and colours is not None:
            expected = render(published, colours, _asset_page_of(found.get(PAGE, "")))
            problems += [
                _difference(name, found[name], expected[name])
                for name in found
                if found[name] != expected[name]
            ]
    return problems


def _sessions(con: duckdb.DuckDBPyConnection) -> set[date]:
    """The days of the release on which a market traded."""
    found = con.execute("select distinct trade_date from main.dim_session where is_asked")
    return {day for (day,) in found.fetchall()}


def _colours_of(page: str) -> Colours | None:
    """The setting that a page was written with; None where the page does not show it."""
    said = re.search(r'<html [^>]*data-colours="(\w+)"', page)
    return next((colours for colours in COLOURS if said and said[1] == colours), None)


def _asset_page_of(page: str) -> str | None:
    """The link to the UI that a page was written with; it does not come from the release."""
    said = re.search(r'<a href="([^"]*)" id="asset-page">', page)
    return said and html.unescape(said[1])


def _difference(name: str, found: str, expected: str) -> str:
    """The first place where a file differs from the report that the release gives."""
    both = zip_longest(found, expected)
    position = next(at for at, (one, other) in enumerate(both) if one != other)
    shown = slice(max(0, position - 40), position + 40)
    return (
        f"{name} line {found.count(chr(10), 0, position) + 1} reads {found[shown]!r}, "
        f"where the release gives {expected[shown]!r}; write the report again"
    )


@contextmanager
def _open(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    if not home.published.exists():
        raise ReportError(f"{home.published} is not there yet; run `make nightly DATE=…` first")
    with connect(home.published, read_only=True) as con:
        yield con
