"""Rows of a release, made up for the tests of the report's sentences.

Belongs here: helpers that several test files of the report use.
"""

from datetime import date, timedelta
from typing import Any, cast

from dagster_project.report import composition
from dagster_project.report.day import Day
from dagster_project.report.figures import Row, RowKey, plain
from dagster_project.report.published import Published

DAY = date(2025, 9, 17)
FIRST_DAY = date(2021, 1, 4)
MARKETS = {"XHKG": "hong_kong", "XSHG": "mainland", "XSHE": "mainland"}


def row(table: str, key: dict[str, Any], **values: Any) -> Row:
    return Row(RowKey.of(table, **key), {**key, **values})


def index(symbol: str, change_pct: float | None, **values: Any) -> Row:
    """An index whose close is 1,000 before its change."""
    change = None if change_pct is None else change_pct * 10
    defaults = {
        "name": f"{symbol.capitalize()} Index",
        "region": "hong_kong",
        "close": 1000 + (change or 0),
        "change": change,
        "change_pct": change_pct,
        "closing_high_since": DAY - timedelta(2),
        "closing_low_since": DAY - timedelta(2),
        "record_begins": FIRST_DAY,
        "change_high_since": DAY - timedelta(2),
        "change_low_since": DAY - timedelta(2),
        "streak": 1,
    }
    return row("index_performance", {"symbol": symbol, "trade_date": DAY}, **defaults | values)


def session(market: str, day: date = DAY, is_half_day: bool = False) -> Row:
    return row("dim_session", {"market": market, "trade_date": day}, is_half_day=is_half_day)


ALL_OPEN = {market: session(market) for market in MARKETS}


def names(*sectors: str) -> dict[str, Row]:
    return {
        name: row("dim_sector", {"sector": name}, name=name.replace("_", " ").title())
        for name in sectors
    }


class _NothingDelivered:
    """A release without rows, in place of `Published`."""

    trade_date = DAY
    report = row("report", {"trade_date": DAY})

    def rows(self, *_: Any, **__: Any) -> list[Row]:
        return []

    def counts(self, *_: Any, **__: Any) -> dict[str, Row]:
        return {}

    def total(self, table: str, measure: str, **key: Any) -> Row:
        return row(table, key, **{measure: 0})


def the_day(**rows: Any) -> Day:
    """A day on which Hong Kong traded, and nothing was delivered except what is given."""
    day = Day(cast(Published, _NothingDelivered()))
    # What is set here is what a cached property would have read.
    vars(day).update(
        {
            "release": row("release", {"release_id": "r"}),
            "markets": [row("dim_market", {"market": m}, region=r) for m, r in MARKETS.items()],
            "sessions": {"XHKG": session("XHKG")},
            "last_sessions": {m: session(m, DAY - timedelta(1)) for m in MARKETS},
        }
        | rows
    )
    return day


def story(**rows: Any) -> tuple[str, list[str]]:
    """Headline and paragraphs; `rows` by the names they have on `Day` or on one of the sections."""
    day = the_day(**{name: rows.pop(name) for name in list(rows) if hasattr(Day, name)})
    sections = composition.sections_of(day)
    for name, value in rows.items():
        (owner,) = [section for section in sections if hasattr(type(section), name)]
        vars(owner)[name] = value
    told = composition.paragraphs(day, sections)
    return plain(composition.headline(sections)), [plain(paragraph) for paragraph in told]
