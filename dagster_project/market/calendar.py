"""The trading calendar: which days each market traded, and which of them were half-days.

Belongs here: sessions and closing times from `exchange-calendars`, corrected by
`seeds/session_override.csv`, and what stands in where the calendar ends; the real time. Does not
belong here: reading the seeds (`seeds.py`), storing sessions (`warehouse/sessions.py`), what
becomes of rows on days that are no sessions (dbt).

The calendar can be wrong, so checks of the audit compare it with the files.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
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
ONE_DAY = timedelta(days=1)


class Session(NamedTuple):
    """A session of a market: its closing time, and what says that it is a session.

    From `closes_at` on, in Hong Kong time, closing prices are final. `is_guessed` marks a weekday
    after the end of the calendar.
    """

    is_half_day: bool
    closes_at: str
    source: str
    is_guessed: bool


def sessions(
    markets: Sequence[Market],
    overrides: Iterable[Override],
    start: date,
    end: date,
) -> "pa.Table":
    """The sessions of `markets` from `start` to `end`, both included.

    A market has no session before it opened, nor before the first day that its calendar knows.
    After the last day that its calendar knows, each weekday counts as a session, until a later
    version of `exchange-calendars` knows better: a session too many is reported as late, a missing
    one would silently reject good rows. An override always wins.

    Returns:
        A table sorted by market and date, with the columns market VARCHAR, trade_date DATE, and
        those of `Session`. `source` is `exchange_calendars <version>`, `weekday rule: …` or
        `session_override: <reason>`.

    Raises:
        SeedError: a market names a calendar that `exchange-calendars` does not have.
    """
    import pyarrow as pa

    found: dict[tuple[str, date], Session] = {}
    here = {market.market: market for market in markets}
    for market in markets:
        for trade_date, session in _sessions(market, max(start, market.opened), end):
            found[market.market, trade_date] = session
    for override in overrides:
        if override.market in here and start <= override.trade_date <= end:
            key = (override.market, override.trade_date)
            if override.is_session:
                # Of a half-day that no calendar foresaw the morning was lost to the weather.
                closes_at = here[override.market].closes_at
                source = f"session_override: {override.reason}"
                found[key] = Session(override.is_half_day, closes_at, source, False)
            else:
                found.pop(key, None)
    rows = [(*key, *value) for key, value in sorted(found.items())]
    columns = list(zip(*rows, strict=True)) or [()] * 6
    schema = pa.schema(
        [
            pa.field("market", pa.string(), nullable=False),
            pa.field("trade_date", pa.date32(), nullable=False),
            pa.field("is_half_day", pa.bool_(), nullable=False),
            pa.field("closes_at", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("is_guessed", pa.bool_(), nullable=False),
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


def _sessions(market: Market, start: date, end: date) -> Iterator[tuple[date, Session]]:
    """The sessions of a market by its calendar, then by the weekday rule."""
    last_known, days = _calendar(market, start, end)
    source = _source()
    for day, is_half_day in days:
        closes_at = market.half_day_closes_at if is_half_day else market.closes_at
        yield day, Session(is_half_day, closes_at or market.closes_at, source, False)
    if last_known:
        source = f"weekday rule: {source} ends on {last_known}"
        for ordinal in range(max(last_known, start - ONE_DAY).toordinal() + 1, end.toordinal() + 1):
            if (day := date.fromordinal(ordinal)).isoweekday() <= 5:
                yield day, Session(False, market.closes_at, source, True)


@lru_cache(maxsize=16)
def _calendar(
    market: Market, start: date, end: date
) -> tuple[date | None, tuple[tuple[date, bool], ...]]:
    """The last day that a market's calendar knows, and its sessions from `start` to `end`.

    The sessions are pairs (day, is half-day). The last day is None where the calendar has no end.
    """
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
    last_known = last.date() if last is not None else None
    # Whole years, because a calendar cannot be made of one day, or of days without a session.
    span_start, span_end = date(start.year, 1, 1), date(end.year, 12, 31)
    if first is not None:
        span_start = max(span_start, first.date())
    if last_known is not None:
        span_end = min(span_end, last_known)
    if start > end or span_start >= span_end:
        return last_known, ()
    calendar = exchange_calendars.get_calendar(market.calendar, start=span_start, end=span_end)
    half_days = set(calendar.early_closes)
    days = ((day.date(), day in half_days) for day in calendar.sessions)
    return last_known, tuple((day, is_half) for day, is_half in days if start <= day <= end)
