"""The trading calendar: which days each market traded, and which of them were half-days.

Belongs here: sessions from `exchange-calendars`, corrected by `seeds/session_override.csv`. Does
not belong here: reading the seeds (`seeds.py`), storing sessions (`warehouse/sessions.py`), what a
row on another day means (dbt).

The calendar is never trusted over the files: a check compares both.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
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

# Sessions are known from here on; nothing that is older than EARLIEST_DATE is believed.
FIRST_SESSION = date(1990, 1, 1)
EARLIEST_DATE = date(1900, 1, 1)
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


class CalendarTooShort(ValueError):
    """The installed `exchange-calendars` does not know the sessions asked for."""


def sessions(
    markets: Sequence[Market],
    overrides: Iterable[Override],
    start: date,
    end: date,
) -> "pa.Table":
    """The sessions of `markets` from `start` to `end`, both included.

    A market has no session before it opened, nor before the first day its calendar knows: none are
    made up. A day its calendar does not know yet is an error, for a missing session would silently
    refuse good rows. An override always wins.

    Returns:
        market VARCHAR, trade_date DATE, is_half_day BOOLEAN, source VARCHAR, by market and date;
        source is `exchange_calendars <version>` or `session_override: <reason>`.

    Raises:
        CalendarTooShort: `end` lies after the last day a market's calendar knows.
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
    """Names everything `sessions` depends on; equal fingerprints, equal sessions.

    Costs no import of `exchange_calendars`, so a stored table can be kept while this is unchanged.
    """
    return f"{_source()}, {start} to {end}, " + fingerprints.of_values(
        fingerprints.of_files([Path(__file__)], PROJECT_ROOT),
        sorted(map(repr, markets)),
        sorted(map(repr, overrides)),
    )


def today_in_hong_kong() -> date:
    """Today's date in Hong Kong, which is also Shanghai's and Shenzhen's."""
    return datetime.now(HONG_KONG).date()


def _source() -> str:
    return f"exchange_calendars {version('exchange-calendars')}"


@lru_cache(maxsize=16)
def _calendar(market: Market, start: date, end: date) -> tuple[tuple[date, bool], ...]:
    """(day, is half-day) of the market's calendar, from the later of `start` and its first day."""
    # Costs a second: only whoever needs the calendar pays.
    import exchange_calendars
    from exchange_calendars.errors import InvalidCalendarName

    try:
        # Any short span serves to ask for the bounds; beyond them a calendar cannot be made.
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
            f"{_source()} knows the sessions of {market.market} only to {last.date()}, but "
            f"{end} is asked for; install a later version "
            "(pip install --upgrade exchange-calendars)"
        )
    # Whole years: a calendar cannot be made of one day, or of days without any session.
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
