"""The trading calendar: which days each market traded, and which of them were half-days.

Belongs here: sessions from `exchange-calendars`, corrected by `seeds/session_override.csv`, and the
reading of the two seeds they depend on. Does not belong here: storing sessions (`raw.py`), deciding
what a row on another day means (dbt), anything of Dagster.

The calendar is never trusted over the files: a check compares both.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_DATE = date(1990, 1, 1)
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


class SeedError(ValueError):
    """A seed says something that cannot be; the message names file and line."""


class CalendarTooShort(ValueError):
    """The installed `exchange-calendars` does not know the sessions asked for."""


@dataclass(frozen=True)
class Market:
    """A market and the calendar it follows.

    `market` is its ISO 10383 MIC, `calendar` a name `exchange-calendars` knows, `opened` the day of
    its first session.
    """

    market: str
    calendar: str
    opened: date


@dataclass(frozen=True)
class Override:
    """What is true of one market and day where the calendar is wrong, and why."""

    market: str
    trade_date: date
    is_session: bool
    is_half_day: bool
    reason: str


def read_markets(path: Path) -> list[Market]:
    """The markets of `seeds/market.csv`.

    Raises:
        SeedError: a column is missing, a value is empty or wrong, a market stands twice.
    """
    markets: dict[str, Market] = {}
    for where, row in _rows(path, ["market", "calendar", "opened"]):
        market = Market(
            _text(where, row, "market"), _text(where, row, "calendar"), _date(where, row, "opened")
        )
        if market.market in markets:
            raise SeedError(f"{where}: market {market.market} stands twice; keep one line")
        markets[market.market] = market
    return list(markets.values())


def read_overrides(path: Path, markets: Sequence[Market]) -> list[Override]:
    """The corrections of `seeds/session_override.csv`.

    Raises:
        SeedError: a column is missing, a value is empty or wrong, the market is not one of
            `markets`, a closed day is called a half-day, or a market and day stand twice.
    """
    known = {market.market for market in markets}
    overrides: list[Override] = []
    stated: dict[tuple[str, date], str] = {}
    for where, row in _rows(path, ["market", "trade_date", "is_session", "is_half_day", "reason"]):
        override = Override(
            _text(where, row, "market"),
            _date(where, row, "trade_date"),
            _bool(where, row, "is_session"),
            _bool(where, row, "is_half_day"),
            _text(where, row, "reason"),
        )
        if override.market not in known:
            raise SeedError(
                f"{where}: market {override.market!r} is not in market.csv, "
                f"which has {', '.join(sorted(known))}"
            )
        if override.is_half_day and not override.is_session:
            raise SeedError(
                f"{where}: {override.trade_date} cannot be a half-day and no session; "
                "set is_session to true or is_half_day to false"
            )
        key = (override.market, override.trade_date)
        if key in stated:
            raise SeedError(
                f"{where}: {override.market} {override.trade_date} is already stated at "
                f"{stated[key]}; keep one line"
            )
        stated[key] = where
        overrides.append(override)
    return overrides


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
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for line in [*sorted(map(repr, markets)), *sorted(map(repr, overrides))]:
        digest.update(line.encode())
    return f"{_source()}, {start} to {end}, {digest.hexdigest()[:16]}"


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


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """('file:line', row) of a seed; the named columns are there and every row is as long."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            header = reader.fieldnames or []
            missing = [column for column in columns if column not in header]
            if missing:
                raise SeedError(
                    f"{path}:1: column {', '.join(missing)} is missing; the header is "
                    f"{','.join(header) or 'empty'}"
                )
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if None in row or None in row.values():
                    raise SeedError(
                        f"{where}: the line has not as many values as the header, {len(header)}; "
                        "quote a value that holds a comma"
                    )
                yield where, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise SeedError(
                f"{path}:{reader.line_num + 1}: not a UTF-8 CSV line: {error}"
            ) from error


def _text(where: str, row: dict[str, str], column: str) -> str:
    value = row[column].strip()
    if not value:
        raise SeedError(f"{where}: {column} is empty")
    return value


def _date(where: str, row: dict[str, str], column: str) -> date:
    value = _text(where, row, column)
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()
    except ValueError:
        raise SeedError(f"{where}: {column} is {value!r}, not a date YYYY-MM-DD") from None


def _bool(where: str, row: dict[str, str], column: str) -> bool:
    value = _text(where, row, column)
    if value not in ("true", "false"):
        raise SeedError(f"{where}: {column} is {value!r}, neither true nor false")
    return value == "true"
