"""Wording that several sections share: the names of places, the verbs of changes, levels of closes.

Belongs here: words and rules that more than one section uses. Does not belong here: the sentences
of one section (`sections/`), how a figure is written (`figures.py`).
"""

from dataclasses import dataclass
from datetime import date

from dagster_project.report.day import Day
from dagster_project.report.figures import Figure, Row, Text, direction, say

# A level last seen more recently is not mentioned: most rises are the highest of some days.
NOTABLE_AFTER_DAYS = 28
DAYS_PER_YEAR = 365.25

# Below this size of a change, in percent: (past, present) of a rise and of a fall.
VERBS = (
    (0.2, ("edged up", "edges up"), ("edged down", "edges down")),
    (1.0, ("rose", "rises"), ("fell", "falls")),
    (3.0, ("climbed", "climbs"), ("dropped", "drops")),
    (5.0, ("jumped", "jumps"), ("slid", "slides")),
    (float("inf"), ("surged", "surges"), ("plunged", "plunges")),
)
PLACES = {"XHKG": "Hong Kong", "XSHG": "Shanghai", "XSHE": "Shenzhen"}
REGION_NAMES = {"hong_kong": "Hong Kong", "mainland": "mainland China"}
CURRENCIES = {"CNY": "yuan", "HKD": "Hong Kong dollars", "USD": "US dollars"}
WEIGHTINGS = {
    "equal": "on average",
    "float_cap": "weighted by float capitalisation",
}


def weekday(day: date) -> str:
    return f"{day:%A}"


def region_title(region: str) -> str:
    """A region as a caption begins with it."""
    name = REGION_NAMES[region]
    return name[0].upper() + name[1:]


def verb(change_pct: float, present: bool = False) -> str:
    """The word for a change in percent; what is shown as 0.00 is unchanged."""
    if direction(change_pct) == 0:
        return "is unchanged" if present else "was unchanged"
    rise, fall = next(words for below, *words in VERBS if abs(change_pct) < below)
    return (rise if change_pct > 0 else fall)[present]


# Levels of closes


def level_last_seen(row: Row) -> str | None:
    """The column that says when the level of an index's or a security's close was last seen.

    After a rise the session that closed at or above it, after a fall at or below it; None where
    nothing moved or no earlier close is known.
    """
    if row["change"] is None or row["change"] == 0:
        return None
    return "closing_high_since" if row["change"] > 0 else "closing_low_since"


def extreme(column: str) -> str:
    """The word for what a close is since the day in a column of `level_last_seen`."""
    return "highest" if column == "closing_high_since" else "lowest"


def last_seen(day: Day, row: Row) -> Text:
    """A table's cell: when the level of a close was last seen, in the direction it moved."""
    column = level_last_seen(row)
    if column is None:
        return ()
    if row[column] is None:
        begins = day.record_begins(row).written("month")
        return say("{word} since records began in {begins}", word=extreme(column), begins=begins)
    return say("{word} since {since}", word=extreme(column), since=row.figure(column, "short_date"))


@dataclass(frozen=True)
class Level:
    """A level of a close that a sentence mentions: the highest or lowest since a day."""

    word: str
    """`highest` or `lowest`."""
    since: Figure
    years: float
    is_first_day: bool
    """Whether no such level is known and `since` is the first day of the record.

    The record may begin long after the index or the security: nothing is said of all time.
    """

    def clause(self, noun: str = " close") -> Text:
        """`its highest close since 23 July 2021`."""
        if self.is_first_day:
            return say(
                "its {word}{noun} since records began in {since}",
                word=self.word,
                noun=noun,
                since=self.since.written("month"),
            )
        return say("its {word}{noun} since {since}", word=self.word, noun=noun, since=self.since)


def notable_level(day: Day, row: Row) -> Level | None:
    """The level of a close, where it was not seen for at least `NOTABLE_AFTER_DAYS`."""
    column = level_last_seen(row)
    if column is None:
        return None
    is_first_day = row[column] is None
    since = day.record_begins(row) if is_first_day else row.figure(column, "date")
    if since.value is None:
        return None
    days = (day.trade_date - since.value).days
    if days < NOTABLE_AFTER_DAYS:
        return None
    return Level(extreme(column), since, days / DAYS_PER_YEAR, is_first_day)


def news_value(day: Day, row: Row, usual_change: float) -> float:
    """How newsworthy a close is: the years since its level was seen, plus the size of its change.

    A change of `usual_change` percent weighs as much as one year.
    """
    level = notable_level(day, row)
    return (level.years if level else 0.0) + abs(row["change_pct"] or 0.0) / usual_change
