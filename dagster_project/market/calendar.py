"""The trading calendar: which days each market traded, and which of them were half-days.

Belongs here: sessions from `exchange-calendars`, corrected by `seeds/session_override.csv`. Does
not belong here: reading the seeds (`seeds.py`), storing sessions (`warehouse/sessions.py`), what
becomes of rows on days that are no sessions (dbt).

The calendar can be wrong, so checks of the audit compare it with the files.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dagster_project import fingerprint as fingerprints
from dagster_project.home import PROJECT_ROOT
from dagster_project.market.seeds import Market, Override, SeedError

if TYPE_CHECKING:
    import pyarrow as pa

# The first date for which sessions are computed; rows before EARLIEST_DATE are rejected.
FIRST_SESSION = date(1990, 1, 1)
EARLIEST_DATE = date(1900, 1, 1)
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
# No market has been closed for longer between two sessions.
LONGEST_CLOSURE = timedelta(days=31)


class CalendarTooShort(ValueError):
    """The installed `exchange-calendars` does not know the sessions of a requested date yet."""


def sessions(
    markets: Sequence[Market],
    overrides: Iterable[Override],
    start: date,
    end: date,
) -> "pa.Table":
    """The sessions of `markets` from `start` to `end`, both included.

    A market has no session before it opened, nor before the first day that its calendar knows. A
    day that the calendar does not know yet is an error, because a missing session would silently
    reject good rows. An override always wins over the calendar.

    Returns:
        A table sorted by market and date, with the columns market VARCHAR, trade_date DATE,
        is_half_day BOOLEAN and source VARCHAR. `source` is `exchange_calendars <version>` or
        `session_override: <reason>`.

    Raises:
        CalendarTooShort: `end` is after the last day that a market's calendar knows.
        SeedError: a market names a calendar that `exchange-calendars` does not have.
    """
    import pyarrow as pa

    source = _source()
    found: dict[tuple[str, date], tuple[bool, str]] = {}
    for market in markets:
        for trade_date, is_half_day in _calendar(market, max(start, market.opened), end):
            found[market.market, trade_date] = (is_half_day, source)
    here = {market.market for market in markets}
    for override in overrides:
        if override.market in here and start <= override.trade_date <= end:
            key = (override.market, override.trade_date)
            if override.is_session:
                found[key] = (override.is_half_day, f"session_override: {override.reason}")
            else:
                found.pop(key, None)
    rows = [(*key, *value) for key, value in sorted(found.items())]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    schema = pa.schema(
        [
            pa.field("market", pa.string(), nullable=False),
            pa.field("trade_date", pa.date32(), nullable=False),
            pa.field("is_half_day", pa.bool_(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
        ]
    )
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def fingerprint(
    markets: Sequence[Market],
    overrides: Iterable[Override],
    start: date,
    end: date,
) -> str:
    """A hash of everything that `sessions` depends on; equal fingerprints mean equal sessions.

    It does not import `exchange_calendars`, which takes a second. So a stored table can be kept
    without that cost, as long as the fingerprint is unchanged.
    """
    return f"{_source()}, {start} to {end}, " + fingerprints.of_values(
        fingerprints.of_files([Path(__file__)], PROJECT_ROOT),
        sorted(map(repr, markets)),
        sorted(map(repr, overrides)),
    )


def now_in_hong_kong() -> datetime:
    """The real time in Hong Kong, which is also Shanghai's and Shenzhen's.

    All that a run decides by the clock it takes from here, so that a test can move the clock.
    """
    return datetime.now(HONG_KONG)


def today_in_hong_kong() -> date:
    """The real date in Hong Kong, which is also Shanghai's and Shenzhen's."""
    return now_in_hong_kong().date()


def _source() -> str:
    return f"exchange_calendars {version('exchange-calendars')}"


@lru_cache(maxsize=16)
def _calendar(market: Market, start: date, end: date) -> tuple[tuple[date, bool], ...]:
    """The sessions of a market's calendar from `start` to `end`, as pairs (day, is half-day)."""
    # The import takes a second, so it is done only here.
    import exchange_calendars
    from exchange_calendars.errors import InvalidCalendarName

    try:
        # A calendar cannot be made beyond its bounds; one of a short span tells what they are.
        bounds = exchange_calendars.get_calendar(
            market.calendar, start="2000-01-03", end="2000-01-31"
        )
    except InvalidCalendarName:
        raise SeedError(
            f"market.csv: market {market.market} names calendar {market.calendar!r}, which "
            "exchange-calendars does not have; see exchange_calendars.get_calendar_names()"
        ) from None
    first, last = bounds.bound_min(), bounds.bound_max()
    if last is not None and end > last.date():
        raise CalendarTooShort(
            f"{_source()} knows the sessions of {market.market} only up to {last.date()}, "
            f"but {end} was requested; install a later version "
            "(pip install --upgrade exchange-calendars)"
        )
    # Whole years, because a calendar cannot be made of one day, or of days without a session.
    span_start, span_end = date(start.year, 1, 1), date(end.year, 12, 31)
    if first is not None:
        span_start = max(span_start, first.date())
    if last is not None:
        span_end = min(span_end, last.date())
    if start > end or span_start >= span_end:
        return ()
    calendar = exchange_calendars.get_calendar(market.calendar, start=span_start, end=span_end)
    half_days = set(calendar.early_closes)
    days = ((day.date(), day in half_days) for day in calendar.sessions)
    return tuple((day, is_half_day) for day, is_half_day in days if start <= day <= end)
