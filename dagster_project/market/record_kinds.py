"""Record kinds: what the rows of a feed become, each said once.

Belongs here: the canonical columns with their types and units, and each record kind with its key
and its values. Feed specs, raw tables, the reader and its rules derive from this module; a test
holds the dbt sources and staging models to it. Does not belong here: where a vendor's file has a
column (`feeds/`), how a row is read (`ingest/`), what the models make of it (dbt).

A new record kind is one entry here and one staging model. `make record-kinds` writes what dbt must
know of the kinds (`warehouse/dbt_record_kinds.py`).
"""

from dataclasses import dataclass
from typing import Literal

PRICE = "DECIMAL(18,6)"
AMOUNT = "DECIMAL(18,2)"
TEXT = "VARCHAR"
# Of whole numbers before they are found to be whole.
COUNT = "DECIMAL(18,4)"

# How a feed spec says what a column means: its unit, its date format, the text that means true, or
# nothing but the column itself (text, in which parts may be replaced). None: no column of a file.
Meaning = Literal["unit", "format", "truth", "replace"]


@dataclass(frozen=True)
class CanonicalColumn:
    """A column of records, the same for all feeds.

    Args:
        type: its DuckDB type.
        meaning: what a feed spec must say of a delivered column; None where no file has the
            column, because the spec or the file's name says it.
        dimensions: of a number, the units it may come in ("currency" is any ISO 4217 code).
        sign: of a number, which values are possible.
    """

    type: str
    meaning: Meaning | None = None
    dimensions: frozenset[str] = frozenset()
    sign: Literal["positive", "not_negative", "any"] = "any"


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
    "target": _number(PRICE, "currency", sign="positive"),
    "name": _TEXT_OF_FILE,
    "industry": _TEXT_OF_FILE,
    "currency": _TEXT_OF_FILE,
    "broker": _TEXT_OF_FILE,
    "event": _TEXT_OF_FILE,
    "basket": _TEXT_OF_FILE,
    "what": _TEXT_OF_FILE,
    "trade_date": CanonicalColumn("DATE", "format"),
    "is_half_day": CanonicalColumn("BOOLEAN", "truth"),
    # From the spec, or from the file's name.
    "symbol": _TEXT_OF_SPEC,
    "market": _TEXT_OF_SPEC,
    "segment": _TEXT_OF_SPEC,
    "base_currency": _TEXT_OF_SPEC,
    # One column per currency (`rates` of the spec).
    "rate": CanonicalColumn(PRICE, sign="positive"),
    # No feed can say it yet.
    "status": _TEXT_OF_SPEC,
}
DELIVERED_COLUMNS = {name: column for name, column in COLUMNS.items() if column.meaning}


@dataclass(frozen=True)
class RecordKind:
    """What a row of a feed becomes: a row of the table `raw.<name>`.

    Args:
        what: what a record is of, in words.
        key: the columns that identify a record within a feed.
        values: the columns that say something about it.
        spec_needs: the columns that a feed spec must name, and not as optional.
        row_needs: the columns that a row is rejected without.
        series: SQL for what a record is of: the symbol that its origin is found by.
        part: the column that tells records of one series and day apart, where there is one.
        figure: the number that a record is mainly about, where there is one.
        sessions: whose sessions its days must be: those of the market of an index, of a security,
            or of the record itself. None: any day will do.
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
        """The columns of the key that say what a record is of: symbol, market, …"""
        return tuple(
            name
            for name in self.key
            if name in ("symbol", "market", "base_currency", "currency", "event")
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
        ),
        RecordKind(
            "security_close",
            "the close of a security at a session",
            key=("symbol", "trade_date"),
            values=(*_PRICES, *_DEALT, "name", "status"),
            spec_needs=frozenset({"trade_date", "close"}),
            row_needs=("close",),
            figure="close",
            sessions="security",
        ),
        RecordKind(
            "market_turnover",
            "the turnover of a market, or of a segment of it, at a session",
            key=("market", "segment", "trade_date"),
            values=("turnover", "volume", "deals", "is_half_day", "currency"),
            spec_needs=frozenset({"trade_date", "turnover"}),
            row_needs=("turnover",),
            series="market",
            part="segment",
            figure="turnover",
            sessions="market",
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
        ),
        RecordKind(
            "security_reference",
            "the name and the industry of a security",
            key=("symbol",),
            values=("name", "industry"),
            spec_needs=frozenset({"industry"}),
            row_needs=("symbol",),
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
            "news that a basket of securities may answer to",
            key=("event", "trade_date", "basket"),
            values=("what",),
            spec_needs=frozenset({"trade_date", "event", "basket", "what"}),
            row_needs=("event", "basket"),
            series="basket",
            part="event",
        ),
    )
}


def columns_telling_apart(kinds: tuple[str, ...]) -> list[str]:
    """The key columns of these kinds, each once: what tells the records of one file apart."""
    return list(dict.fromkeys(name for kind in kinds for name in RECORD_KINDS[kind].key))
