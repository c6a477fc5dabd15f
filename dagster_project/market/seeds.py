"""The seeds that Python reads: reference tables that people keep in `seeds/`.

Belongs here: where they are, and one pydantic model per table. Does not belong here: what is made
of them (`calendar.py`, dbt). dbt reads all seeds by itself.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import field_validator

from dagster_project.config_files import (
    CsvRow,
    Day,
    FilledText,
    TimeOfDay,
    TrueOrFalse,
    read_csv,
)
from dagster_project.home import PROJECT_ROOT

SEEDS_FOLDER = PROJECT_ROOT / "seeds"


class SeedError(ValueError):
    """A seed has a mistake; the message names file and line."""


class Market(CsvRow):
    """A market, its calendar and its closing times.

    `market` is its ISO 10383 code, `calendar` the name of its calendar in `exchange-calendars`,
    `opened` the day of its first session. From `closes_at` on, in Hong Kong time, the closing
    prices of a day are final, from `half_day_closes_at` on those of a half-day.
    """

    market: FilledText
    calendar: FilledText
    opened: Day
    closes_at: TimeOfDay
    half_day_closes_at: TimeOfDay | None = None

    @field_validator("half_day_closes_at", mode="before")
    @classmethod
    def _empty_is_none(cls, text: Any) -> Any:
        return text or None


class Override(CsvRow):
    """A correction of the calendar for one market and day, with the reason."""

    market: FilledText
    trade_date: Day
    is_session: TrueOrFalse
    is_half_day: TrueOrFalse
    reason: FilledText


class Index(CsvRow):
    """An index that feeds may deliver, and the market whose sessions it has."""

    symbol: FilledText
    market: FilledText


def read_markets(path: Path) -> list[Market]:
    """The markets of `seeds/market.csv`.

    Raises:
        SeedError: a column is missing, a value is empty or wrong, or a market is listed twice.
    """
    markets: dict[str, Market] = {}
    for where, market in read_csv(path, Market, SeedError):
        if market.market in markets:
            raise SeedError(f"{where}: market {market.market} is listed twice; keep one line")
        markets[market.market] = market
    return list(markets.values())


@cache
def usual_closing_time(market: str) -> str:
    """The closing time of a market on a full day."""
    markets = read_markets(SEEDS_FOLDER / "market.csv")
    return {row.market: row.closes_at for row in markets}[market]


def read_overrides(path: Path, markets: Sequence[Market]) -> list[Override]:
    """The corrections of `seeds/session_override.csv`.

    Raises:
        SeedError: a column is missing, a value is empty or wrong, the market is not one of
            `markets`, a closed day is marked as a half-day, or a market and day are listed twice.
    """
    known = {market.market for market in markets}
    overrides: list[Override] = []
    lines: dict[tuple[str, date], str] = {}
    for where, override in read_csv(path, Override, SeedError):
        if override.market not in known:
            raise SeedError(
                f"{where}: market {override.market!r} is not in market.csv, "
                f"which has {', '.join(sorted(known))}"
            )
        if override.is_half_day and not override.is_session:
            raise SeedError(
                f"{where}: {override.trade_date} cannot be a half-day but not a session; "
                "set is_session to true or is_half_day to false"
            )
        key = (override.market, override.trade_date)
        if key in lines:
            raise SeedError(
                f"{where}: {override.market} {override.trade_date} is already listed at "
                f"{lines[key]}; keep one line"
            )
        lines[key] = where
        overrides.append(override)
    return overrides


def markets_and_overrides(config: Path | None = None) -> tuple[list[Market], list[Override]]:
    """The markets, and all corrections of the calendar.

    Args:
        config: the folder whose `session_override.csv` counts over the one in `seeds/`.

    Raises:
        SeedError: one of the files has a mistake.
    """
    markets = read_markets(SEEDS_FOLDER / "market.csv")
    overrides: dict[tuple[str, date], Override] = {}
    for folder in (SEEDS_FOLDER, config):
        path = folder and folder / "session_override.csv"
        if path and path.exists():
            for override in read_overrides(path, markets):
                overrides[override.market, override.trade_date] = override
    return markets, list(overrides.values())


def read_indices(seeds: Path = SEEDS_FOLDER) -> list[Index]:
    """The indices of `seeds/index_definition.csv`.

    Raises:
        SeedError: a column is missing or a value is empty.
    """
    return [index for _, index in read_csv(seeds / "index_definition.csv", Index, SeedError)]


def known_indices(seeds: Path = SEEDS_FOLDER) -> frozenset[str]:
    """The symbols of the indices that feeds may deliver."""
    return frozenset(index.symbol for index in read_indices(seeds))
