"""The trade date of a report, and the rows that several sections read.

Belongs here: rows that more than one section needs, each read once, and whether the release
reaches to the date. Does not belong here: rows that one section needs (`sections/`), words
(`wording.py`).
"""

import re
from datetime import date
from functools import cached_property
from typing import Any

from dagster_project.report.figures import Figure, Reference, Row, RowKey, Text, say
from dagster_project.report.published import Published

# Region -> the index whose close stands for the region's; it comes first.
HEADLINE_INDEX = {"hong_kong": "HSI", "mainland": "000001.SH"}
REGIONS = tuple(HEADLINE_INDEX)


class ReportError(RuntimeError):
    """A report cannot be written; the message says what to do."""


class Day:
    """A trade date of a release; its rows are read when they are first used, and then kept."""

    def __init__(self, published: Published) -> None:
        self.published = published

    @property
    def trade_date(self) -> date:
        return self.published.trade_date

    @property
    def report(self) -> Row:
        """The one row of the table `report`."""
        return self.published.report

    @cached_property
    def release(self) -> Row:
        (release,) = self.published.rows("release", "order by release_id desc limit 1")
        return release

    @cached_property
    def markets(self) -> list[Row]:
        # Hong Kong first, as its close is the later one; Shanghai before Shenzhen.
        return self.published.rows("dim_market", "order by region, market desc")

    @cached_property
    def sessions(self) -> dict[str, Row]:
        """Market -> its session on the trade date; without the markets that were closed."""
        rows = self.published.rows(
            "dim_session", "where trade_date = ? order by market", [self.trade_date]
        )
        return {row["market"]: row for row in rows}

    @cached_property
    def last_sessions(self) -> dict[str, Row]:
        """Market -> its session before the trade date, where the calendar has one."""
        rows = self.published.rows(
            "dim_session",
            """where trade_date < ?
            qualify row_number() over (partition by market order by trade_date desc) = 1""",
            [self.trade_date],
        )
        return {row["market"]: row for row in rows}

    @cached_property
    def indices(self) -> list[Row]:
        """The indices that have a close, those of Hong Kong first."""
        rows = self.published.rows("index_performance", "where trade_date = ?", [self.trade_date])
        return sorted(rows, key=index_order)

    @cached_property
    def implausible_indices(self) -> set[str]:
        """The indices whose close of the day a check is sure to be wrong, or does not believe."""
        rows = self.published.rows(
            "anomaly",
            """where trade_date = ? and record_kind = 'index_close'
            and (check_name = 'moves_implausible' or confidence = 'certain')""",
            [self.trade_date],
            key_columns=("check_name", "symbol", "trade_date"),
        )
        return {row["symbol"] for row in rows}

    @cached_property
    def breadth(self) -> dict[str, Row]:
        """Market -> its breadth."""
        rows = self.published.rows("market_breadth", "where trade_date = ?", [self.trade_date])
        return {row["market"]: row for row in rows}

    @cached_property
    def sector_names(self) -> dict[str, Row]:
        """Sector -> the row that has its name."""
        rows = self.published.rows("dim_sector", "order by sector")
        return {row["sector"]: row for row in rows}

    @cached_property
    def basket_names(self) -> dict[str, Row]:
        """Basket -> the row that has its name."""
        rows = self.published.rows("seed.basket", "order by basket")
        return {row["basket"]: row for row in rows}

    @property
    def is_closed(self) -> bool:
        """Whether no market traded."""
        return not self.sessions

    def open_markets(self, region: str) -> list[Row]:
        return [
            market
            for market in self.markets
            if market["region"] == region and market["market"] in self.sessions
        ]

    def security_name(self, row: Row) -> Figure:
        """The English name of the security that a row is of, else its own name, else its symbol."""
        known = self.english_names.get(row["symbol"])
        if known:
            return known.figure("name_en", "short_name")
        return row.figure("name", "short_name") if row["name"] else row.figure("symbol", "text")

    def security_names(self, row: Row) -> Text:
        """The name of a security for a table: the English one, and a Chinese one beside it."""
        name = self.security_name(row)
        is_chinese = re.search(r"[\u3400-\u9fff]", row["name"] or "")
        if not is_chinese or name.value == row["name"]:
            return (name,)
        return say("{name} {local}", name=name, local=row.figure("name", "short_name"))

    @cached_property
    def english_names(self) -> dict[str, Row]:
        """Symbol -> the row of a security that has an English name."""
        rows = self.published.rows("dim_security", "where name_en is not null order by symbol")
        return {row["symbol"]: row for row in rows}

    def record_begins(self, row: Row) -> Figure:
        """The first day known of the index or security that a row is of."""
        if "record_begins" in row.values:
            return row.figure("record_begins", "date")
        key = RowKey.of("dim_security", symbol=row["symbol"])
        return self.published.figure(Reference(key, "first_trade_date", "date"))


def check_requested(day: Day) -> None:
    """Check that runs have requested the date.

    Raises:
        ReportError: they have not, so that the release says nothing of it.
    """
    con, clock = day.published.con, day.release["clock"]
    (first,) = con.execute(
        "select min(trade_date) from main.dim_session where is_asked"
    ).fetchone() or (None,)
    sessions = con.execute(
        "select is_asked from main.dim_session where trade_date = ?", [day.trade_date]
    ).fetchall()
    # Within the dates there may be sessions that no run has requested.
    is_skipped = bool(sessions) and not any(is_asked for (is_asked,) in sessions)
    if first is not None and first <= day.trade_date <= clock and not is_skipped:
        return
    raise ReportError(
        f"the release holds nothing of {day.trade_date}: runs have requested {first} to {clock}. "
        f"Run `make nightly DATE={day.trade_date}` first."
    )


def index_order(row: Row | dict[str, Any]) -> tuple[bool, bool, str]:
    """Sort key of indices: Hong Kong's first, in each region the headline index first."""
    return (
        row["region"] != REGIONS[0],
        row["symbol"] != HEADLINE_INDEX.get(row["region"]),
        row["symbol"],
    )
