"""What a feed is: one kind of file from one vendor, described by one YAML file in `feeds/`.

Belongs here: the shape of a spec, its validation, and how a file's name matches. Does not belong
here: finding and loading the specs (`feed_catalog.py`), reading files (`reader.py`).
"""

import re
from datetime import date, datetime
from functools import cache, cached_property
from typing import Annotated, Any, Literal

import duckdb
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from dagster_project.market.record_kinds import DELIVERED_COLUMNS, RECORD_KINDS
from dagster_project.market.symbols import Scheme, canonical
from dagster_project.market.units import Unit

# What a column must say besides the header it stands under, with an example; text says nothing.
_EXAMPLES = {"unit": "shares", "format": "'%Y-%m-%d'", "truth": "'*'", "replace": None}


class FeedSpecError(ValueError):
    """A spec in `feeds/` that cannot be used; the message names file, line and remedy."""


class _Misplaced(ValueError):
    """What is wrong below the part of a spec that is being validated, and where there."""

    def __init__(self, message: str, *location: str) -> None:
        super().__init__(message)
        self.location = location


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
MarketCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{4}$")]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


def _known_kind(name: str) -> str:
    if name not in RECORD_KINDS:
        raise ValueError(f"{name!r} is no record kind; known: {', '.join(RECORD_KINDS)}")
    return name


RecordKindName = Annotated[str, AfterValidator(_known_kind)]


class Column(_Strict):
    """A delivered column and what its values mean."""

    column: str
    unit: str | None = None
    format: str | None = None
    optional: bool = Field(False, description="the column may be missing, or a cell empty")
    beyond_range_pct: float = Field(
        0, ge=0, le=10, description="open: how far beyond low and high the vendor's opens lie"
    )
    truth: str | None = Field(None, description="the text that means true, e.g. * on half-days")
    replace: dict[str, str] = Field(
        default_factory=dict, description="regular expression -> replacement"
    )

    @cached_property
    def parsed_unit(self) -> Unit:
        return Unit.parse(self.unit or "")


class Format(_Strict):
    """How a file is laid out."""

    type: Literal["csv", "json", "json_cells", "xlsx"]
    encoding: str = "utf-8"
    delimiter: Annotated[str, StringConstraints(pattern=r'^([^"\s]|\t)$')] = ","
    header_lines: int = Field(1, ge=1, description="the first of them names the columns")
    symbol_line: int | None = Field(
        None, description="a header line whose cells repeat the file's symbol"
    )
    repeated_header: bool = False
    ends_with_newline: bool = Field(
        False, description="a whole file ends with a line feed; without, its last line is refused"
    )
    records: str | None = Field(None, description="json: dotted path of the list of records")
    cells: dict[str, int] | None = Field(None, description="json_cells: column name -> cell col")
    thousands: Annotated[str, StringConstraints(pattern=r"^[^\d.+-]$")] | None = Field(
        None, description="separator of thousands inside numbers"
    )
    nulls: tuple[str, ...] = ("", "-", "--", "N/A", "NA", "null", "None", "nan", "NaN")
    max_megabytes: int = Field(128, ge=1, description="a larger file is set aside unread")

    @field_validator("encoding")
    @classmethod
    def _encoding_known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f"{encoding!r} is no text encoding; e.g. utf-8, gb18030") from None
        return encoding

    @model_validator(mode="after")
    def _complete(self) -> "Format":
        if self.symbol_line and not 2 <= self.symbol_line <= self.header_lines:
            raise _Misplaced("is one of the header lines after the first", "symbol_line")
        if self.ends_with_newline and self.type != "csv":
            raise _Misplaced("only csv ends with a line feed", "ends_with_newline")
        if self.type == "json" and not self.records:
            raise ValueError("a json format names the path of its list, e.g. `records: data`")
        if self.type == "json_cells" and not (self.records and self.cells):
            raise ValueError("a json_cells format names `records` and `cells`")
        return self


class SymbolSource(_Strict):
    """Where a row's symbol stands and how it becomes the canonical one.

    With both `file` and `column`, the two must agree: a file that holds another symbol's rows
    is refused row by row.
    """

    file: str | None = Field(None, description="a placeholder of `files`")
    column: str | None = None
    scheme: Scheme = "as_delivered"
    map: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _somewhere(self) -> "SymbolSource":
        if not (self.file or self.column):
            raise ValueError("say where the symbol stands: `file: <placeholder>` or `column: …`")
        return self

    @property
    def tells_apart(self) -> bool:
        """Whether two delivered symbols are never the same canonical one."""
        if self.map:
            return len(set(self.map.values())) == len(self.map)
        return self.scheme != "hkex_code"

    def canonical(self, delivered: str) -> str | None:
        """The canonical symbol of a delivered one; None where the map does not know it."""
        if self.map:
            return self.map.get(delivered)
        return canonical(self.scheme, delivered)


class FeedSpec(_Strict):
    """One feed. See the files in `feeds/` for examples, README.md for how to add one."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    vendor: str
    description: str = ""
    files: str = Field(description="path pattern below landing/<feed>/; {placeholder} and *")
    file_date_format: str | None = None
    content: Literal["day", "history"]
    due_by: ClockTime | None = None
    closes_at: ClockTime | dict[str, ClockTime] | None = Field(
        None,
        description="Hong Kong time, or a map symbol -> time: a file delivered earlier holds no "
        "close of that day yet. The close of a full day stands for half-days too: their files are "
        "not due before it",
    )
    prices: Literal["traded", "adjusted"] = Field(
        "traded", description="adjusted: restated for each later dividend and split"
    )
    priority: int = Field(ge=1, le=100)
    format: Format
    records: tuple[RecordKindName, ...] = Field(min_length=1)
    symbol: SymbolSource | None = None
    currency: CurrencyCode | dict[str, CurrencyCode] | None = None
    market: MarketCode | dict[str, MarketCode] | None = None
    segments: tuple[str, ...] = Field(("all",), min_length=1)
    columns: dict[str, Column]
    rates: dict[CurrencyCode, str] = Field(default_factory=dict, description="currency -> column")
    base_currency: CurrencyCode | None = None
    ignored_columns: dict[str, str] = Field(
        default_factory=dict, description="header text, or * for all others -> why it is not read"
    )

    @field_validator("files")
    @classmethod
    def _files_is_a_pattern(cls, files: str) -> str:
        names = re.findall(r"\{(.*?)\}", files)
        if not all(name.isidentifier() for name in names) or len(set(names)) < len(names):
            raise ValueError(f"{files!r}: placeholders are different words, e.g. {{symbol}}.csv")
        return files

    @field_validator("columns")
    @classmethod
    def _columns_known(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name, column in columns.items():
            try:
                _check_column(name, column)
            except ValueError as error:
                raise _Misplaced(str(error), *getattr(error, "location", [name])) from None
        return columns

    @model_validator(mode="after")
    def _records_have_their_columns(self) -> "FeedSpec":
        kinds = [RECORD_KINDS[name] for name in self.records]
        for kind in kinds:
            given = {name for name, column in self.columns.items() if not column.optional}
            missing = ", ".join(sorted(kind.spec_needs - given))
            if missing:
                raise _Misplaced(
                    f"records of kind {kind.name} need {missing}, not optional", "columns"
                )
        if any(kind.has_symbol for kind in kinds) and self.symbol is None:
            raise ValueError("say where the symbol stands: `symbol: {file: …}` or `{column: …}`")
        if self.closes_at and "trade_date" not in self.columns:
            raise _Misplaced("without `trade_date`, no row has a close", "closes_at")
        if isinstance(self.closes_at, dict) and self.symbol is None:
            raise _Misplaced("a map symbol -> time needs `symbol`", "closes_at")
        is_repeated = len(set(self.records)) < len(self.records)
        if {"index_close", "security_close"} <= set(self.records) or is_repeated:
            raise _Misplaced("a kind stands once; closes are of indices or securities", "records")
        return self

    @model_validator(mode="after")
    def _market_and_rates_are_named(self) -> "FeedSpec":
        if "market_turnover" in self.records and self.market is None:
            raise ValueError("market_turnover needs `market`: a MIC, or a map symbol -> MIC")
        if self.market and isinstance(self.market, dict) != bool(self.symbol):
            raise _Misplaced("with `symbol`, it is a map symbol -> MIC; without, a MIC", "market")
        if isinstance(self.market, dict) and len(set(self.market.values())) < len(self.market):
            raise _Misplaced("two symbols give the turnover of one market", "market")
        if ("exchange_rate" in self.records) != bool(self.rates and self.base_currency):
            raise ValueError("exchange_rate needs `rates` and `base_currency`, and only it does")
        return self

    @model_validator(mode="after")
    def _placeholders_are_used(self) -> "FeedSpec":
        if self.symbol and self.symbol.file and self.symbol.file not in self.placeholders:
            raise _Misplaced(f"{self.symbol.file!r} is no placeholder of `files`", "symbol", "file")
        if self.format.symbol_line and not (self.symbol and self.symbol.file):
            raise _Misplaced("it repeats the symbol of `symbol.file`", "format", "symbol_line")
        if ("date" in self.placeholders) != (self.file_date_format is not None):
            raise _Misplaced("{date} in `files` and `file_date_format` go together", "files")
        if self.file_date_format:
            _check_date_format(self.file_date_format, "file_date_format")
        if len(self.segments) > 1 and "segment" not in self.placeholders:
            raise _Misplaced("files of several segments are told apart by {segment}", "files")
        return self

    @model_validator(mode="after")
    def _currency_is_clear(self) -> "FeedSpec":
        units = {name: column.parsed_unit for name, column in self.columns.items() if column.unit}
        named = self.currency.values() if isinstance(self.currency, dict) else [self.currency]
        declared = {currency for currency in named if currency}
        has_own = "currency" in self.columns
        if has_own and self.currency:
            raise _Misplaced("the currency stands in a column or in the spec, not both", "currency")
        for name, unit in units.items():
            if unit.dimension == "currency" and has_own != (unit.currency is None):
                raise _Misplaced(
                    "the unit is `currency` where each row names its own in the column `currency`,"
                    " else that currency's code",
                    *("columns", name),
                )
        if not (self.currency or has_own) and any(
            unit.dimension in {"currency", "points"} for unit in units.values()
        ):
            raise ValueError("state the currency: `currency: HKD`, or a map symbol -> currency")
        for name, unit in units.items():
            if unit.currency and declared != {unit.currency}:
                raise _Misplaced(
                    f"unit {unit.text!r} contradicts currency {self.currency!r}", "columns", name
                )
        return self

    @property
    def placeholders(self) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", self.files))

    @property
    def delivered_columns(self) -> dict[str, str]:
        """Canonical name -> the header text of the column that carries it."""
        named = {name: column.column for name, column in self.columns.items()}
        if self.symbol and self.symbol.column:
            named["symbol"] = self.symbol.column
        return named | {f"rate_{currency}": column for currency, column in self.rates.items()}

    @property
    def optional_columns(self) -> set[str]:
        return {name for name, column in self.columns.items() if column.optional}

    @property
    def has_own_keys_per_file(self) -> bool:
        """Whether no two files of the feed can state the same record, as their names tell."""
        in_name = {"date"} & self.placeholders
        if self.symbol and self.symbol.file and self.symbol.tells_apart:
            in_name.add(self.symbol.file)
        return "*" not in self.files and bool(in_name) and in_name == self.placeholders

    @cached_property
    def _file_pattern(self) -> re.Pattern[str]:
        pattern = ""
        for part in re.split(r"(\{\w+\}|\*)", self.files):
            if part == "*":
                pattern += "[^/]*"
            elif part.startswith("{"):
                name = part[1:-1]
                alternatives = "|".join(map(re.escape, self.segments))
                pattern += f"(?P<{name}>{alternatives if name == 'segment' else '[^/]+?'})"
            else:
                pattern += re.escape(part)
        return re.compile(pattern)

    def match(self, name: str) -> dict[str, str] | None:
        """The placeholders' values in a path below `landing/<feed>/`; None: it does not fit."""
        found = self._file_pattern.fullmatch(name)
        return found.groupdict() if found else None

    def file_date(self, placeholders: dict[str, str]) -> date | None:
        """The date a file's name states, if the pattern has one.

        Raises:
            ValueError: the name has something else there, or the date in another spelling.
        """
        if self.file_date_format is None:
            return None
        stated = datetime.strptime(placeholders["date"], self.file_date_format).date()
        if stated.strftime(self.file_date_format) != placeholders["date"]:
            raise ValueError(f"{placeholders['date']!r} is an unusual spelling of {stated}")
        return stated


def _check_column(name: str, column: Column) -> None:
    if column.beyond_range_pct and name != "open":
        raise _Misplaced("only opens may lie beyond low and high", name, "beyond_range_pct")
    if name not in DELIVERED_COLUMNS:
        known = ", ".join(sorted(DELIVERED_COLUMNS))
        raise ValueError(f"is not a canonical column; known: {known} (and see `symbol`, `rates`)")
    needed, dimensions = DELIVERED_COLUMNS[name].meaning, DELIVERED_COLUMNS[name].dimensions
    said = {key for key in _EXAMPLES if getattr(column, key)}
    if not said <= {needed}:
        raise ValueError(f"has no {', '.join(sorted(said - {needed}))}")
    example = _EXAMPLES[needed] if needed else None
    if example and not said:
        raise ValueError(f"state its {needed}, e.g. `{needed}: {example}`")
    if needed == "unit" and column.parsed_unit.dimension not in dimensions:
        raise ValueError(
            f"a unit of {column.unit!r} does not fit; expected {' or '.join(sorted(dimensions))}"
        )
    if column.format:
        _check_date_format(column.format, name, "format")
    for pattern, replacement in column.replace.items():
        try:
            _ask_duckdb("select regexp_replace('', ?, ?)", pattern, replacement)
        except duckdb.Error as error:
            raise ValueError(f"replace: {pattern!r} is no regular expression: {error}") from None


def _check_date_format(format_: str, *location: str) -> None:
    """A format must carry a whole date, in Python and in DuckDB."""
    day = date(2025, 9, 17)
    try:
        text = day.strftime(format_)
        in_duckdb = _ask_duckdb("select strptime(?, ?)::DATE", text, format_)
        whole = in_duckdb == datetime.strptime(text, format_).date() == day
    except (ValueError, duckdb.Error):
        whole = False
    if not whole:
        raise _Misplaced(f"{format_!r} is no date format; e.g. '%Y-%m-%d', '%Y%m%d'", *location)


@cache
def _ask_duckdb(query: str, *parameters: str) -> Any:
    """What the reader's engine makes of a pattern or a format."""
    with duckdb.connect() as con:
        return con.execute(query, parameters).fetchall()[0][0]
