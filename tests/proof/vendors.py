"""The files of the bundled sample, beyond its end: what vendors deliver evening by evening.

Belongs here: the sessions of the added months, and writing files as of a day with the time of their
delivery. Does not belong here: how a vendor writes a file (`seeds/sample/generate.py`), which
evening brings what (the proof).
"""

import importlib.util
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import exchange_calendars

from dagster_project.home import PROJECT_ROOT

GENERATOR = PROJECT_ROOT / "seeds" / "sample" / "generate.py"
# `exchange_calendars` knows the mainland's sessions up to then; later ones are weekdays.
MAINLAND_KNOWN_UNTIL = date(2026, 12, 31)
# Rates are set in Frankfurt when Hong Kong has closed for long, and come on the next evening.
COMES_A_DAY_LATER = {"ecb_exchange_rates"}


class Vendors:
    """All feeds of the sample, or some, up to a later last session."""

    def __init__(
        self,
        first: date,
        last: date,
        closed: Collection[date] = (),
        suspended: Mapping[str, tuple[date, date]] | None = None,
        ends: Mapping[str, date] | None = None,
        feeds: Collection[str] = (),
    ) -> None:
        """
        Args:
            first: the histories begin here, and so do the daily files.
            closed: weekdays of later years on which the mainland does not trade.
            suspended: symbol -> the first and the last day on which it does not trade.
            ends: feed -> the last day that it delivers.
            feeds: only these; by default all of the sample.
        """
        self.sample: Any = _generator()
        self.closed, self.ends = frozenset(closed), ends or {}
        self.sample.LAST = last
        self.sample.sessions = cache(self._sessions)
        self.sample.ANCHORS["suspended"] |= suspended or {}
        self.sample.until = lambda bars, through: [
            bar for bar in bars if first <= bar.day <= through
        ]
        daily_files = sum(day >= first for day in self.sessions("XSHG"))
        self.sample.ANCHORS["daily_files"] = daily_files
        self.feeds = {
            feed.__name__: feed for feed in self.sample.FEEDS if not feeds or feed.__name__ in feeds
        }

    def sessions(self, calendar: str) -> list[date]:
        """The sessions on which an exchange really trades; Shenzhen's are Shanghai's."""
        days: list[date] = self.sample.sessions("XSHG" if calendar == "XSHE" else calendar)
        return days

    def closes(self, index: str) -> dict[date, tuple[float, float]]:
        """Each session's close of an index, and the close before."""
        bars = self.sample.index_bars(index, 4 if index == "000001.SH" else 2)
        return {bar.day: (bar.close, bar.previous) for bar in bars}

    def files(self, through: date, feeds: Collection[str] = ()) -> Iterator[tuple[str, bytes]]:
        """The path of each file below landing and its content, as of the evening of a day."""
        for name, feed in self.feeds.items():
            if not feeds or name in feeds:
                known = through - timedelta(days=1) if name in COMES_A_DAY_LATER else through
                yield from feed(min(known, self.ends.get(name, known)))

    def deliver(
        self,
        landing: Path,
        through: date,
        at: datetime,
        feeds: Collection[str] = (),
        without: Collection[str] = (),
    ) -> list[str]:
        """Write the files as of a day that are new or have changed, as if at a given time.

        Args:
            without: files, or feeds, that do not come.
        """
        written = []
        for path, content in self.files(through, feeds):
            if path not in without and path.split("/")[0] not in without:
                target = landing / path
                if not target.exists() or target.read_bytes() != content:
                    put(target, content, at)
                    written.append(path)
        return written

    def _sessions(self, calendar: str) -> list[date]:
        begin, end = self.sample.FIRST, self.sample.LAST
        known = min(end, MAINLAND_KNOWN_UNTIL) if calendar == "XSHG" else end
        found = exchange_calendars.get_calendar(calendar, start=begin, end=known).sessions
        closed = self.sample.ANCHORS["hong_kong_sessions"]["closed"] if calendar == "XHKG" else []
        days = [day.date() for day in found if day.date() not in closed]
        later = (known + timedelta(days=number + 1) for number in range((end - known).days))
        return days + [day for day in later if day.isoweekday() <= 5 and day not in self.closed]


def put(target: Path, content: bytes, at: datetime) -> None:
    """Write a file as if at a given time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    os.utime(target, (at.timestamp(), at.timestamp()))


def _generator() -> Any:
    """The sample's generator as a module of its own, so that its sample stays what it is."""
    spec = importlib.util.spec_from_file_location("longer_sample", GENERATOR)
    if not spec or not spec.loader:
        raise ImportError(f"{GENERATOR} is missing")
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
