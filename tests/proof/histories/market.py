"""The small market of the histories: its days, and spans of them for files and runs.

Belongs here: days and dates. Does not belong here: figures and files (`files.py`).
"""

from datetime import date, timedelta

HK_CLOSED = {date(2025, 1, day) for day in (29, 30, 31)} | {date(2025, 10, 1), date(2025, 10, 7)}
MAINLAND_CLOSED = (
    {date(2025, 1, day) for day in (28, 29, 30, 31)}
    | {date(2025, 2, 3), date(2025, 2, 4)}
    | {date(2025, 10, day) for day in range(1, 9)}
)
HALF_DAY = date(2025, 1, 28)
# A day without trading of which a file has a row all the same.
PHANTOM = date(2025, 10, 7)

Span = tuple[date, date]


def _weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


# Two stretches with half a year between them; in each are days on which one market trades alone.
WINTER, AUTUMN = (date(2025, 1, 20), date(2025, 2, 12)), (date(2025, 9, 8), date(2025, 10, 14))
DAYS = [*_weekdays(*WINTER), *_weekdays(*AUTUMN)]
SPANS: list[Span] = [
    *[(DAYS[0], DAYS[-1])] * 3,
    WINTER,
    AUTUMN,
    (date(2025, 1, 27), date(2025, 2, 4)),
    (date(2025, 9, 22), date(2025, 10, 3)),
    (date(2025, 9, 30), date(2025, 10, 10)),
    (date(2025, 10, 8), date(2025, 10, 8)),
]
ASKED: list[Span] = [
    (date(2025, 9, 30), date(2025, 10, 10)),
    (date(2025, 1, 24), date(2025, 2, 5)),
    (date(2025, 9, 15), date(2025, 10, 2)),
    (date(2025, 10, 6), date(2025, 10, 9)),
    (date(2025, 9, 8), date(2025, 9, 19)),
    (date(2025, 10, 10), date(2025, 10, 10)),
    *[(DAYS[0], DAYS[-1])] * 2,
]
# The real date of a night: on the early one, later rows lie in the future and wait.
EARLY, TODAY = date(2025, 10, 2), date(2026, 1, 5)


def trades(symbol: str, day: date) -> bool:
    """Whether a symbol has a figure of a day."""
    in_hong_kong = symbol.startswith("HS") or symbol.endswith(".HK") or symbol in ("main", "gem")
    return day not in (HK_CLOSED if in_hong_kong else MAINLAND_CLOSED)
