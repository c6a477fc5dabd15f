"""What a kind of corruption is, and where one of its cases happens.

Belongs here: the register of kinds, and drawing by lot the feed, file, row and column of a case.
Does not belong here: the kinds themselves (`files.py`, `numbers.py`, `times.py`, `meaning.py`).
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatch
from functools import cached_property
from typing import Literal

from dagster_project.ingest.feed_spec import FeedSpec
from tests.proof.corruptions.sheet import Sheet

# The sessions that the warehouse holds before the night, and the night itself. Between them lie
# days on which only Hong Kong (05-02, 06-02) or only the mainland traded (04-18, 04-21, 07-01).
FIRST, BEFORE, NIGHT = date(2025, 4, 14), date(2025, 9, 16), date(2025, 9, 17)

Group = Literal["files", "numbers", "time", "meaning"]

INDEX_FEEDS = ("wsj_index", "yahoo_index", "sina_index", "baostock_index", "csindex")
SECURITY_FEEDS = ("yahoo_hk", "eastmoney_a_share", "tushare_daily")
PRICE_FEEDS = (*INDEX_FEEDS, *SECURITY_FEEDS)
# Each of these states figures that another feed states too.
A_SHARE_FEEDS = ("eastmoney_a_share", "tushare_daily")
DATED_FEEDS = (*PRICE_FEEDS, "hkex_turnover", "ecb_exchange_rates")
CSV_FEEDS = tuple(feed for feed in DATED_FEEDS if feed not in {"csindex", "hkex_turnover"})
PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Landing:
    """The clean files: as delivered for the session before, and tonight. Path -> content."""

    specs: Mapping[str, FeedSpec]
    before: Mapping[str, bytes]
    tonight: Mapping[str, bytes]

    @cached_property
    def columns(self) -> dict[str, set[str]]:
        """The canonical columns of each file of tonight; none of a workbook's."""
        sheets = {path: self.sheet(path) for path in self.tonight if not path.endswith(".xlsx")}
        return {
            path: {name for name in sheet.spec.delivered_columns if sheet.has(name)}
            for path, sheet in sheets.items()
        }

    @cached_property
    def ended(self) -> set[str]:
        """Histories without a row of tonight: of a feed that ended, of a suspended share."""
        found = set()
        for path in self.columns:
            spec = self.spec(path)
            if spec.feed in DATED_FEEDS and spec.content != "day":
                sheet = self.sheet(path)
                if NIGHT not in map(sheet.date, range(len(sheet.rows))):
                    found.add(path)
        return found

    def sheet(self, path: str) -> Sheet:
        return Sheet(self.spec(path), self.tonight[path])

    def spec(self, path: str) -> FeedSpec:
        return self.specs[path.split("/")[0]]


@dataclass(frozen=True)
class Corruption:
    """What a case does to the clean files of tonight.

    Attributes:
        what: in words.
        files: path -> its content instead; None where the file is gone. The content of the
            session before means that nothing was delivered.
        delivered_at: when, in Hong Kong; the usual time where not given.
        overrides: lines for the calendar's `session_override.csv`.
    """

    what: str
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    delivered_at: datetime | None = None
    overrides: tuple[str, ...] = ()


class Place:
    """A file, drawn by lot, and the draws of what in it is corrupted."""

    def __init__(self, landing: Landing, paths: list[str], rng: random.Random) -> None:
        self.landing, self.rng = landing, rng
        feed = rng.choice(sorted({path.split("/")[0] for path in paths}))
        self.path = rng.choice([path for path in paths if path.startswith(f"{feed}/")])
        self.feed = feed
        self.spec = landing.spec(self.path)

    @cached_property
    def sheet(self) -> Sheet:
        return self.landing.sheet(self.path)

    @property
    def content(self) -> bytes:
        return self.landing.tonight[self.path]

    @cached_property
    def rows(self) -> list[int]:
        """Rows that count in the warehouse, oldest first; of the day's file all of tonight."""
        covered = []
        for row in range(len(self.sheet.rows)):
            is_covered = FIRST < self.sheet.date(row) <= NIGHT
            if is_covered and not (self.is_day and self.symbol(row).endswith(".BJ")):
                covered.append(row)
        return sorted(covered, key=self.sheet.date)

    @property
    def is_day(self) -> bool:
        return self.spec.content == "day"

    def symbol(self, row: int) -> str:
        return self.sheet.text(row, "symbol") if self.sheet.has("symbol") else self.path

    def tonight(self) -> int:
        """A row of tonight: the one of a history, any of a day's file."""
        return self.rng.choice(self.rows) if self.is_day else self.rows[-1]

    def row(self) -> int:
        """A row of tonight, or, less often, of an earlier session."""
        return self.tonight() if self.rng.random() < 0.6 else self.rng.choice(self.rows)

    def column(self, *columns: str) -> str:
        """One of these columns, among those that the file has."""
        return self.rng.choice([column for column in columns if self.sheet.has(column)])

    def prices(self) -> list[str]:
        """The columns that are prices or levels, with the previous close and the change."""
        names = (*PRICES, "previous_close", "change")
        return [name for name in names if self.sheet.has(name)]

    def where(self, row: int) -> str:
        symbol = f" {self.symbol(row)}" if self.sheet.has("symbol") else ""
        return f"{self.path}:{self.sheet.line(row)} ({self.sheet.date(row)}{symbol})"

    def changed(self, what: str, delivered_at: datetime | None = None) -> Corruption:
        """The sheet as it is now, instead of the clean file."""
        return Corruption(what, {self.path: self.sheet.render()}, delivered_at)

    def replaced(self, what: str, content: bytes) -> Corruption:
        return Corruption(what, {self.path: content})


@dataclass(frozen=True)
class Kind:
    """A kind of corruption.

    Attributes:
        description: one line.
        feeds: it can happen to.
        needs: canonical columns that a file must have.
        path: a pattern that a file's path must fit.
        beside: another file of tonight that is corrupted or read too.
        unseeable: why no check can see it in the files, where none can.
    """

    name: str
    group: Group
    description: str
    feeds: tuple[str, ...]
    inject: Callable[[Place], Corruption]
    needs: tuple[str, ...] = ()
    path: str = "*"
    unseeable: str | None = None
    beside: str | None = None

    def can_happen(self, landing: Landing) -> bool:
        """Whether tonight's files are of the feeds that the kind needs."""
        if self.beside and self.beside not in landing.tonight:
            return False
        return any(self._fits(landing, path) for path in landing.tonight)

    def corrupt(self, landing: Landing, seed: int) -> Corruption:
        """The case of a seed; the same landing and seed give the same case."""
        paths = [path for path in sorted(landing.tonight) if self._fits(landing, path)]
        return self.inject(Place(landing, paths, random.Random(f"{self.name}-{seed}")))

    def _fits(self, landing: Landing, path: str) -> bool:
        feed = path.split("/")[0]
        if feed not in self.feeds or not fnmatch(path, self.path) or path in landing.ended:
            return False
        spec = landing.spec(path)
        if spec.content == "day" and not path.endswith(f"/{NIGHT.strftime('%Y%m%d')}.csv"):
            return False
        return landing.columns.get(path, set()).issuperset(self.needs)


KINDS: dict[str, Kind] = {}


def kind(
    group: Group,
    description: str,
    feeds: tuple[str, ...],
    needs: tuple[str, ...] = (),
    path: str = "*",
    unseeable: str | None = None,
    name: str | None = None,
    beside: str | None = None,
) -> Callable[[Callable[[Place], Corruption]], Callable[[Place], Corruption]]:
    """Register a function as the kind of its name."""

    def register(inject: Callable[[Place], Corruption]) -> Callable[[Place], Corruption]:
        named = name or inject.__name__
        assert named not in KINDS, f"two kinds are named {named}"
        KINDS[named] = Kind(
            named, group, description, feeds, inject, needs, path, unseeable, beside
        )
        return inject

    return register
