"""Wording that several sections share: the names of places, the verbs of changes, levels of closes.

Belongs here: words that more than one section uses. Does not belong here: the sentences of one
section (`sections/`), how a figure is written (`figures.py`), which facts are told (`news.py`).
"""

from datetime import date

from dagster_project.report.day import Day
from dagster_project.report.figures import Row, Text, direction, say

# Below this size of a change, in percent: (past, present) of a rise and of a fall.
VERBS = (
    (0.2, ("edged up", "edges up"), ("edged down", "edges down")),
    (1.0, ("rose", "rises"), ("fell", "falls")),
    (3.0, ("climbed", "climbs"), ("dropped", "drops")),
    (5.0, ("jumped", "jumps"), ("slid", "slides")),
    (float("inf"), ("surged", "surges"), ("plunged", "plunges")),
)
PLACES = {"XHKG": "Hong Kong", "XSHG": "Shanghai", "XSHE": "Shenzhen"}
# As a headline names the index of a region.
SHORT_NAMES = {"HSI": "Hang Seng", "000001.SH": "Shanghai"}
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
