"""The record kinds: what the rows of a feed become.

Belongs here: the canonical columns with their types and units, and each record kind with its key
and its values. Feed specs, raw tables, the reader and its rules are derived from this module, and a
test compares the dbt sources and staging models with it. Does not belong here: where a vendor's
file has a column (`feeds/`), how a row is read (`ingest/`), what the models make of it (dbt).

A new record kind is one entry here and one staging model. `make record-kinds` then writes what dbt
must know of the kinds (`warehouse/dbt_record_kinds.py`).
"""

from dataclasses import dataclass
from typing import Literal

PRICE = "DECIMAL(18,6)"
AMOUNT = "DECIMAL(18,2)"
TEXT = "VARCHAR"
# The type in which a whole number is read, before it is checked that it is whole.
COUNT = "DECIMAL(18,4)"

# What a feed spec must say about a column: the unit of a number, the format of a date, the text
# that means true. "replace" is for text, about which a spec need not say anything; parts of it can
# be replaced.
Meaning = Literal["unit", "format", "truth", "replace"]


@dataclass(frozen=True)
class CanonicalColumn:
    """A column of records, the same for all feeds.

    Args:
        type: its DuckDB type.
        meaning: what a feed spec must say about the column. None: no file has the column, because
            the spec or the file's name gives its value.
        dimensions: for a number, the units that it may have ("currency" is any ISO 4217 code).
        sign: for a number, which values are possible.
        values: for a text, the only possible ones; empty where any will do.
    """

    type: str
    meaning: Meaning | None = None
    dimensions: frozenset[str] = frozenset()
    sign: Literal["positive", "not_negative", "any"] = "any"
    values: tuple[str, ...] = ()


def _number(
    type_: str, *dimensions: str, sign: Literal["positive", "not_negative", "any"] = "any"
) -> CanonicalColumn:
    return CanonicalColumn(type_, "unit", frozenset(dimensions), sign)


_TEXT_OF_FILE = CanonicalColumn(TEXT, "replace")
_TEXT_OF_SPEC = CanonicalColumn(TEXT)

COLUMNS: dict[str, CanonicalColumn] = {
    "open": _number(PRICE, "points", "currency", sign="positive"),
    "high": _number(PRICE, "points", "currency", sign="positive"),
    "low": _number(PRICE, "points", "currency", sign="positive"),
    "close": _number(PRICE, "points", "currency", sign="positive"),
    "previous_close": _number(PRICE, "points", "currency", sign="positive"),
    "change": _number(PRICE, "points", "currency"),
    "change_pct": _number("DOUBLE", "percent"),
    "volume": _number("BIGINT", "shares", "lots", sign="not_negative"),
    "turnover": _number(AMOUNT, "currency", sign="not_negative"),
    "deals": _number("BIGINT", "deals", sign="not_negative"),
    # What the securities of a market, each on its own, add up to in the same file.
    "turnover_of_securities": _number(AMOUNT, "currency", sign="not_negative"),
    # What was dealt in a security in all, where a record is of a part of it.
    "volume_of_security": _number("BIGINT", "shares", "lots", sign="not_negative"),
    "turnover_of_security": _number(AMOUNT, "currency", sign="not_negative"),
    "buy": _number(AMOUNT, "currency", sign="not_negative"),
    "sell": _number(AMOUNT, "currency", sign="not_negative"),
    # Volume in percent of the shares that can be traded.
    "turnover_rate_pct": _number("DOUBLE", "percent", sign="not_negative"),
    "float_cap": _number(AMOUNT, "currency", sign="positive"),
    "total_cap": _number(AMOUNT, "currency", sign="positive"),
    # What a price as dealt is multiplied with, to be compared across dividends and splits.
    "adjustment_factor": _number(PRICE, "ratio", sign="positive"),
    "target": _number(PRICE, "currency", sign="positive"),
    "name": _TEXT_OF_FILE,
    "name_en": _TEXT_OF_FILE,
    "industry": _TEXT_OF_FILE,
    "currency": _TEXT_OF_FILE,
    "broker": _TEXT_OF_FILE,
    "event": _TEXT_OF_FILE,
    "basket": _TEXT_OF_FILE,
    "what": _TEXT_OF_FILE,
    "trade_date": CanonicalColumn("DATE", "format"),
    "listed": CanonicalColumn("DATE", "format"),
    "delisted": CanonicalColumn("DATE", "format"),
    # The day that a list says it is of.
    "stated_on": CanonicalColumn("DATE", "format"),
    # When a snapshot of a session was taken; the rows of one before the close are rejected.
    "snapshot_time": CanonicalColumn("TIME", "format"),
    "is_half_day": CanonicalColumn("BOOLEAN", "truth"),
    "is_open": CanonicalColumn("BOOLEAN", "truth"),
    "is_special_treatment": CanonicalColumn("BOOLEAN", "truth"),
    "status": CanonicalColumn(TEXT, "replace", values=("traded", "suspended", "no_trade")),
    "channel": CanonicalColumn(TEXT, "replace", values=("shanghai", "shenzhen")),
    "direction": CanonicalColumn(TEXT, "replace", values=("northbound", "southbound")),
    # Given by the spec, or by the file's name.
    "symbol": _TEXT_OF_SPEC,
    "market": _TEXT_OF_SPEC,
    "segment": _TEXT_OF_SPEC,
    "base_currency": _TEXT_OF_SPEC,
    # A file has one column per currency (`rates` in the spec).
    "rate": CanonicalColumn(PRICE, sign="positive"),
}
DELIVERED_COLUMNS = {name: column for name, column in COLUMNS.items() if column.meaning}


@dataclass(frozen=True)
class RecordKind:
    """What a row of a feed becomes: a row of the table `raw.<name>`.

    Args:
        what: what a record is about, in words.
        key: the columns that identify a record within a feed.
        values: the other columns.
        spec_needs: the columns that a feed spec must have, and not as optional.
        row_needs: the columns without which a row is rejected.
        series: SQL of a record's subject, under which its origin is looked up.
        part: the column that distinguishes records of one series and day, if there is one.
        figure: the main number of a record, if there is one.
        sessions: on which sessions the records must be: those of the index's market, of the
            security's market, or of the record's own market. None: on any day.
        is_looked_back_on: whether records of days that are not covered count too: they are not
            published, but figures of later, covered dates look back on them.
    """

    name: str
    what: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    spec_needs: frozenset[str]
    row_needs: tuple[str, ...]
    series: str = "symbol"
    part: str | None = None
    figure: str | None = None
    sessions: Literal["index", "security", "market"] | None = None
    is_looked_back_on: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """Column -> DuckDB type, the key first."""
        return {name: COLUMNS[name].type for name in (*self.key, *self.values)}

    @property
    def is_dated(self) -> bool:
        return "trade_date" in self.key

    @property
    def has_symbol(self) -> bool:
        return "symbol" in self.key

    @property
    def subject(self) -> tuple[str, ...]:
        """The columns of the key that say what a record is about: symbol, market, …"""
        return tuple(
            name
            for name in self.key
            if name in ("symbol", "market", "channel", "base_currency", "currency", "event")
        )


_PRICES = ("open", "high", "low", "close", "previous_close", "change")
_DEALT = ("change_pct", "volume", "turnover", "currency")

RECORD_KINDS = {
    kind.name: kind
    for kind in (
        RecordKind(
            "index_close",
            "the close of an index at a session",
            key=("symbol", "trade_date"),
            values=(*_PRICES, *_DEALT),
            spec_needs=frozenset({"trade_date", "close"}),
            row_needs=("close",),
            figure="close",
            sessions="index",
            is_looked_back_on=True,
        ),
        RecordKind(
            "security_close",
            "the close of a security at a session",
            key=("symbol", "trade_date"),
            values=(
                *_PRICES,
                *_DEALT,
                "name",
                "status",
                "turnover_rate_pct",
                "is_special_treatment",
            ),
            spec_needs=frozenset({"trade_date", "close"}),
            row_needs=("close",),
            figure="close",
            sessions="security",
        ),
        RecordKind(
            "market_turnover",
            "the turnover of a market, or of a segment of it, at a session",
            key=("market", "segment", "trade_date"),
            values=(
                "turnover",
                "volume",
                "deals",
                "is_half_day",
                "currency",
                "turnover_of_securities",
            ),
            spec_needs=frozenset({"trade_date", "turnover"}),
            row_needs=("turnover",),
            series="market",
            part="segment",
            figure="turnover",
            sessions="market",
            is_looked_back_on=True,
        ),
        RecordKind(
            "connect_turnover",
            "what was dealt through a channel of Stock Connect in a direction, on a day",
            key=("channel", "direction", "trade_date"),
            values=("turnover", "buy", "sell", "deals", "is_open", "currency"),
            spec_needs=frozenset({"trade_date", "channel", "direction", "is_open"}),
            row_needs=("channel", "direction", "is_open"),
            series="channel",
            part="direction",
            figure="turnover",
        ),
        RecordKind(
            "short_selling",
            "what was sold short of a security at a session",
            key=("symbol", "trade_date"),
            values=("volume", "turnover", "volume_of_security", "turnover_of_security", "currency"),
            spec_needs=frozenset({"trade_date", "volume", "turnover"}),
            row_needs=("turnover",),
            figure="turnover",
            sessions="security",
        ),
        RecordKind(
            "exchange_rate",
            "the price of one unit of the base currency in another, on a day",
            key=("base_currency", "currency", "trade_date"),
            values=("rate",),
            spec_needs=frozenset({"trade_date"}),
            row_needs=("rate",),
            series="base_currency || currency",
            figure="rate",
            is_looked_back_on=True,
        ),
        RecordKind(
            "security_reference",
            "the names, the industry and the dates of a security",
            key=("symbol",),
            values=("name", "name_en", "industry", "listed", "delisted", "stated_on"),
            spec_needs=frozenset({"industry"}),
            row_needs=("symbol",),
            sessions="security",
        ),
        RecordKind(
            "security_name",
            "the name of a security from a day on",
            key=("symbol", "trade_date"),
            values=("name",),
            spec_needs=frozenset({"trade_date", "name"}),
            row_needs=("name",),
        ),
        RecordKind(
            "security_valuation",
            "the capitalisation of a security at a session",
            key=("symbol", "trade_date"),
            values=("float_cap", "total_cap", "turnover_rate_pct", "currency"),
            spec_needs=frozenset({"trade_date", "float_cap"}),
            row_needs=("float_cap",),
            sessions="security",
        ),
        RecordKind(
            "security_adjustment",
            "the adjustment factor of a security at a session",
            key=("symbol", "trade_date"),
            values=("adjustment_factor",),
            spec_needs=frozenset({"trade_date", "adjustment_factor"}),
            row_needs=("adjustment_factor",),
            figure="adjustment_factor",
            sessions="security",
        ),
        RecordKind(
            "broker_target",
            "the target price of a broker for a security",
            key=("symbol", "broker", "trade_date"),
            values=("target", "currency"),
            spec_needs=frozenset({"trade_date", "broker", "target"}),
            row_needs=("target", "broker"),
            part="broker",
            figure="target",
        ),
        RecordKind(
            "market_event",
            "an event that may move a basket of securities",
            key=("event", "trade_date", "basket"),
            values=("what",),
            spec_needs=frozenset({"trade_date", "event", "basket", "what"}),
            row_needs=("event", "basket"),
            series="basket",
            part="event",
        ),
    )
}


def identifying_columns(kinds: tuple[str, ...]) -> list[str]:
    """The key columns of these kinds, each once: they identify the records of one file."""
    return list(dict.fromkeys(name for kind in kinds for name in RECORD_KINDS[kind].key))
