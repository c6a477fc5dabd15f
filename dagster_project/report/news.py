"""What is news of a day: how the facts of a close are weighed, and which of them the text tells.

Belongs here: rules that choose between facts. Does not belong here: their words (`wording.py`), the
sentences (`sections/`).
"""

from dataclasses import dataclass
from datetime import date
from math import sqrt

from dagster_project.report.day import HEADLINE_INDEX, REGIONS, Day, index_order
from dagster_project.report.figures import Figure, Row, Text, direction, say
from dagster_project.report.wording import extreme, level_last_seen

# A level last seen more recently is not mentioned: most rises are the highest of some days.
NOTABLE_LEVEL_AFTER_DAYS = 28
# The same of a change that was last as large.
NOTABLE_CHANGE_AFTER_DAYS = 90
# A record that is younger says nothing where no close was higher or lower.
NOTABLE_RECORD_AFTER_YEARS = 3
DAYS_PER_YEAR = 365.25
# A change, in percent, that weighs as much as a level not seen for a year.
USUAL_INDEX_CHANGE = 2.0
USUAL_SECURITY_CHANGE = 4.0
# Levels that the text tells: more of them are a list, not news.
TOLD_LEVELS = 3
# The official industry indices: the tables have them, the text tells of sectors.
INDUSTRY_INDICES = "HSCI-"


@dataclass(frozen=True)
class Level:
    """A level of a close that a sentence mentions: the highest or lowest since a day."""

    word: str
    """`highest` or `lowest`."""
    since: Figure
    """The day, as the text tells it."""
    years: float
    is_first_day: bool
    """Whether no such level is known and `since` is the first day of the record.

    The record may begin long after the index or the security: nothing is said of all time.
    """

    def clause(self) -> Text:
        """`its highest close since July 2021`."""
        begins = "records began in " if self.is_first_day else ""
        return say(
            "its {word} close since {begins}{since}",
            word=self.word,
            begins=begins,
            since=self.since,
        )


def notable_level(day: Day, row: Row) -> Level | None:
    """The level of a close, where it was not seen for at least `NOTABLE_LEVEL_AFTER_DAYS`."""
    column = level_last_seen(row)
    if column is None:
        return None
    is_first_day = row[column] is None
    since = day.record_begins(row) if is_first_day else row.figure(column, "date")
    if since.value is None:
        return None
    years = _years(day, since.value)
    if years < NOTABLE_LEVEL_AFTER_DAYS / DAYS_PER_YEAR:
        return None
    if is_first_day and years < NOTABLE_RECORD_AFTER_YEARS:
        return None
    return Level(extreme(column), _dated(day, since), years, is_first_day)


def largest_since(day: Day, row: Row) -> Figure | None:
    """The last day on which an index went further in the same direction, where it is long ago."""
    way = direction(row["change_pct"])
    column = "change_high_since" if way > 0 else "change_low_since"
    since = row[column] if way else None
    if since is None or (day.trade_date - since).days < NOTABLE_CHANGE_AFTER_DAYS:
        return None
    return _dated(day, row.figure(column, "date"))


def index_news(day: Day, row: Row) -> float:
    """How newsworthy the close of an index is."""
    since = largest_since(day, row)
    return _weight(day, row, USUAL_INDEX_CHANGE) + sqrt(_years(day, since.value) if since else 0)


def security_news(day: Day, row: Row) -> float:
    """How newsworthy the close of a security is."""
    return _weight(day, row, USUAL_SECURITY_CHANGE)


def benchmark(day: Day, region: str) -> Row | None:
    """The index that stands for a region: its headline index, else the first that has a close.

    An index whose close is implausible stands for nothing.
    """
    rows = [
        row
        for row in sorted(day.indices, key=index_order)
        if row["region"] == region
        and row["symbol"] not in day.implausible_indices
        and not row["symbol"].startswith(INDUSTRY_INDICES)
    ]
    return next((row for row in rows if row["symbol"] == HEADLINE_INDEX[region]), None) or next(
        iter(rows), None
    )


def regions_by_news(day: Day) -> list[str]:
    """The regions that traded, the one whose benchmark is most news first."""

    def news(region: str) -> float:
        row = benchmark(day, region)
        return index_news(day, row) if row else -1.0

    return sorted(filter(day.open_markets, REGIONS), key=news, reverse=True)


def benchmarks_by_news(day: Day) -> dict[str, Row]:
    """Region -> its benchmark, in the order of `regions_by_news`, where it has one."""
    found = {region: benchmark(day, region) for region in regions_by_news(day)}
    return {region: row for region, row in found.items() if row}


def levels_left_for_securities(day: Day) -> int:
    """How many levels the text has room for beside those of the benchmarks."""
    rows = benchmarks_by_news(day).values()
    return TOLD_LEVELS - sum(bool(notable_level(day, row)) for row in rows)


def _weight(day: Day, row: Row, usual_change: float) -> float:
    """A change of `usual_change` percent weighs as much as a level not seen for a year."""
    level = notable_level(day, row)
    return sqrt(level.years if level else 0) + abs(row["change_pct"] or 0.0) / usual_change


def _years(day: Day, since: date) -> float:
    return (day.trade_date - since).days / DAYS_PER_YEAR


def _dated(day: Day, since: Figure) -> Figure:
    """A day as the text tells it: by month and year where it is more than a year ago."""
    return since.written("month" if _years(day, since.value) > 1 else "recent_date")
