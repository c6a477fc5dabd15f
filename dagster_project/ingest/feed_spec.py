"""The spec of a feed: what a YAML file in `feeds/` can say, and whether it is right.

Belongs here: the keys of a spec, their validation, matching file names. Does not belong here:
finding and loading the specs (`feed_catalog.py`), reading files (`reader.py`).
"""

import re
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from dagster_project.config_files import TIME_OF_DAY
from dagster_project.ingest.feed_column import (
    Column,
    Misplaced,
    Strict,
    check_column,
    check_date_format,
)
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.market.symbols import MARKET_SUFFIXES, Scheme, canonical


class FeedSpecError(ValueError):
    """A spec in `feeds/` has a mistake; the message says where it is and how to correct it."""


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
MarketCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{4}$")]
ClockTime = Annotated[str, StringConstraints(pattern=rf"^({TIME_OF_DAY})$")]
ClosingTime = Annotated[
    str, StringConstraints(pattern=rf"^({TIME_OF_DAY}|{'|'.join(MARKET_SUFFIXES)})$")
]


def _known_kind(name: str) -> str:
    if name not in RECORD_KINDS:
        raise ValueError(f"{name!r} is not a record kind; known: {', '.join(RECORD_KINDS)}")
    return name


# Prices as dealt on the exchange, or rewritten by the vendor after each dividend and split: by a
# factor, or by an amount, which can lead below zero and makes wrong percentages.
PriceBasis = Literal["traded", "adjusted_ratio", "adjusted_difference"]

RecordKindName = Annotated[str, AfterValidator(_known_kind)]


# The formats in which a line of the file is a line of text.
TEXT_TYPES = ("csv", "wide_csv", "json", "json_cells", "hkex_quotations", "hkex_stock_connect")


class Wide(Strict):
    """A table with a column for each symbol, and one figure: which columns are not symbols."""

    kept: tuple[str, ...] = Field(min_length=1, description="columns that each of its rows keeps")
    value: str = Field(description="the name that the figures get; the symbols are in `symbol`")


class Format(Strict):
    """How the files of a feed are laid out."""

    type: Literal[
        "csv",
        "json",
        "json_cells",
        "parquet",
        "tdx_day",
        "wide_csv",
        "xlsx",
        "hkex_quotations",
        "hkex_stock_connect",
    ]
    section: Literal["quotations", "indices", "turnover", "short_selling"] | None = Field(
        None, description="hkex_quotations: the part of the file that the feed reads"
    )
    encoding: str = "utf-8"
    delimiter: Annotated[str, StringConstraints(pattern=r'^([^"\s]|\t)$')] = ","
    title_lines: int = Field(0, ge=0, description="csv and xlsx: lines above the header")
    header_lines: int = Field(1, ge=1, description="the first of them has the columns' names")
    footer: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = Field(
        (), description="how lines below the rows begin that hold no data"
    )
    symbol_line: int | None = Field(
        None, description="the number of a header line whose cells repeat the file's symbol"
    )
    repeated_header: bool = False
    ends_with_newline: bool = Field(
        False,
        description="a complete file ends with a line feed; if it does not, its last line is "
        "rejected",
    )
    records: str | None = Field(
        None, description="json: path of the list of records, with dots; `.` is the whole document"
    )
    names: tuple[str, ...] = Field(
        (), description="json: the names of a record's values, where the file does not give them"
    )
    names_at: str | None = Field(
        None, description="json: path of the list of these names, where it stands in the file"
    )
    separator: str | None = Field(
        None, min_length=1, description="json: what separates the values of a record that is a text"
    )
    arrays: dict[str, str] = Field(
        default_factory=dict,
        description="json: column name -> path of the list of its values, in place of `records`",
    )
    document: dict[str, str] = Field(
        default_factory=dict,
        description="json: column name -> path of a value that holds for all records of the file",
    )
    wide: Wide | None = Field(None, description="wide_csv: a table with a column for each symbol")
    count: str | None = Field(
        None, description="json: path of the number of records that a complete file has"
    )
    cells: dict[str, int] | None = Field(
        None, description="json_cells: column name -> `col` of its cells"
    )
    thousands: Annotated[str, StringConstraints(pattern=r"^[^\d.+-]$")] | None = Field(
        None, description="the separator of thousands in numbers"
    )
    magnitudes: dict[str, int] = Field(
        default_factory=dict,
        description="last letter of a number -> exponent of ten: {K: 3, M: 6} or {万: 4, 亿: 8}",
    )
    nulls: tuple[str, ...] = ("", "-", "--", "N/A", "NA", "null", "None", "nan", "NaN")
    max_megabytes: int = Field(128, ge=1, description="a larger file is quarantined unread")

    @field_validator("footer", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("encoding")
    @classmethod
    def _encoding_known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError(f"{encoding!r} is not a text encoding; e.g. utf-8, gb18030") from None
        return encoding

    @model_validator(mode="after")
    def _complete(self) -> "Format":
        if self.symbol_line and not 2 <= self.symbol_line <= self.header_lines:
            raise Misplaced("must be one of the header lines after the first", "symbol_line")
        if self.ends_with_newline and self.type != "csv":
            raise Misplaced("only csv files end with a line feed", "ends_with_newline")
        if self.type == "json" and bool(self.records) == bool(self.arrays):
            raise ValueError(
                "a json format needs the path of its list, e.g. `records: data`, or `arrays`"
            )
        if self.names and self.names_at:
            raise Misplaced("give the names, or where the file has them, not both", "names_at")
        if self.separator and not (self.names or self.names_at):
            raise Misplaced("goes with `names` or `names_at`", "separator")
        if self.type == "json_cells" and not (self.records and self.cells):
            raise ValueError("a json_cells format needs `records` and `cells`")
        if (self.type == "wide_csv") != bool(self.wide):
            raise Misplaced("goes with the type wide_csv, which needs it", "wide")
        if (self.type == "hkex_quotations") != bool(self.section):
            raise Misplaced("goes with the type hkex_quotations, which needs it", "section")
        return self


class CodeSource(Strict):
    """Where the code of a row is that says what the row is about."""

    column: str | None = None
    map: dict[str, str] = Field(default_factory=dict)
    ignored: dict[str, str] = Field(
        default_factory=dict,
        description="regular expression -> why rows whose whole code it fits, and which `map` does "
        "not have, are not read",
    )

    @field_validator("ignored")
    @classmethod
    def _ignored_are_patterns(cls, ignored: dict[str, str]) -> dict[str, str]:
        for pattern in ignored:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return ignored

    def ignores(self, delivered: str) -> bool:
        """Whether rows of a delivered code are not read."""
        return delivered not in self.map and any(
            re.fullmatch(pattern, delivered) for pattern in self.ignored
        )


class SegmentSource(CodeSource):
    """The column that says of which segment of the market a row is; `map` has the segments.

    Rows of a segment that is not in `segments` are kept beside the total, and not added to it.
    """

    column: str
    map: dict[str, str] = Field(min_length=1)


class SymbolSource(CodeSource):
    """Where a row's symbol is, and how it becomes the canonical one.

    With both `file` and `column`, the two must agree: rows of another symbol than the file's are
    rejected.
    """

    file: str | None = Field(None, description="a placeholder of `files`")
    scheme: Scheme = "as_delivered"

    @model_validator(mode="after")
    def _somewhere(self) -> "SymbolSource":
        if not (self.file or self.column):
            raise ValueError("say where the symbol is: `file: <placeholder>` or `column: …`")
        if self.ignored and not self.column:
            raise Misplaced("needs `column`", "ignored")
        return self

    @property
    def is_one_to_one(self) -> bool:
        """Whether different delivered symbols always have different canonical symbols."""
        if self.map:
            return len(set(self.map.values())) == len(self.map)
        return self.scheme != "hkex_code"

    def canonical(self, delivered: str) -> str | None:
        """The canonical symbol of a delivered one; None if it is not in the map."""
        if self.map:
            return self.map.get(delivered)
        return canonical(self.scheme, delivered)


class OtherLayout(Strict):
    """Another layout of the same files: what it does not say is as in the spec itself.

    A key that is null is taken away.
    """

    format: dict[str, Any] = Field(default_factory=dict)
    symbol: dict[str, Any] = Field(default_factory=dict)
    segment: dict[str, Any] = Field(default_factory=dict)
    columns: dict[str, dict[str, Any] | None] = Field(default_factory=dict)
    ignored_columns: dict[str, str] = Field(default_factory=dict)


class FeedSpec(Strict):
    """A feed: one kind of file from one vendor.

    See the files in `feeds/` for examples, and README.md for how to add one.
    """

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    vendor: str
    description: str = ""
    unverified: str | None = Field(
        None, description="what the spec follows, where no real file of the vendor was at hand"
    )
    folder: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]*$",
        description="the folder in landing/, where several feeds read the same files; by default "
        "that of the feed's own name",
    )
    files: str = Field(description="path pattern in landing/<folder>/, with {placeholder} and *")
    ignored_files: dict[str, str] = Field(
        default_factory=dict,
        description="pattern of the shell, with * and [!…] -> why these files are not read",
    )
    file_date_format: str | None = None
    content: Literal["day", "history"]
    due_by: ClockTime | None = None
    due_every: Literal["session", "month"] = Field(
        "session",
        description="what is written once a month is due on a month's fifth session, for all of "
        "the month before",
    )
    closes_at: ClosingTime | dict[str, ClosingTime] | None = Field(
        None,
        description="when the figures of a day are final: a time in Hong Kong, or a market for "
        "its closing time of the day, half-days included, or a map symbol -> one of these. Rows of "
        "a day are rejected if the file was delivered earlier that day. A mainland feed with "
        "volume or turnover says 15:30: closes are final at 15:00, but trading at the closing "
        "price goes on (STAR and ChiNext; since 2026-07-06 all A shares)",
    )
    price_basis: PriceBasis = Field(
        "traded", description="whether the vendor rewrites prices, and how; see PriceBasis"
    )
    priority: int = Field(ge=1, le=100)
    format: Format
    records: tuple[RecordKindName, ...] = Field(min_length=1)
    symbol: SymbolSource | None = None
    currency: CurrencyCode | dict[str, CurrencyCode] | None = None
    market: MarketCode | dict[str, MarketCode] | None = None
    segments: dict[str, str] = Field(
        default={"all": ""},
        min_length=1,
        description="the parts of a market that make its total -> what {segment} in `files` is for "
        "each; as a list where these are the same",
    )
    segment: SegmentSource | None = None
    columns: dict[str, Column]
    rates: dict[CurrencyCode, str] = Field(
        default_factory=dict, description="currency -> its column"
    )
    base_currency: CurrencyCode | None = None
    ignored_columns: dict[str, str] = Field(
        default_factory=dict,
        description="header text, or * for all others -> why the column is not read",
    )
    layouts: tuple[OtherLayout, ...] = Field(
        (), description="how else the vendor lays out these files; the first that fits is taken"
    )

    @model_validator(mode="before")
    @classmethod
    def _prices_of_earlier_specs(cls, spec: Any) -> Any:
        """Read `prices: adjusted`, which specs of earlier versions say, as a ratio."""
        if isinstance(spec, dict) and "prices" in spec and "price_basis" not in spec:
            basis = "adjusted_ratio" if spec["prices"] == "adjusted" else spec["prices"]
            return {key: value for key, value in spec.items() if key != "prices"} | {
                "price_basis": basis
            }
        return spec

    @field_validator("segments", mode="before")
    @classmethod
    def _segments_as_a_list(cls, segments: Any) -> Any:
        return {name: name for name in segments} if isinstance(segments, list) else segments

    @field_validator("files")
    @classmethod
    def _files_is_a_pattern(cls, files: str) -> str:
        names = re.findall(r"\{(.*?)\}", files)
        if not all(name.isidentifier() for name in names) or len(set(names)) < len(names):
            raise ValueError(
                f"{files!r}: placeholders must be different words, e.g. {{symbol}}.csv"
            )
        return files

    @field_validator("columns")
    @classmethod
    def _columns_known(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name, column in columns.items():
            try:
                check_column(name, column)
            except ValueError as error:
                raise Misplaced(str(error), *getattr(error, "location", [name])) from None
        return columns

    @model_validator(mode="after")
    def _records_have_their_columns(self) -> "FeedSpec":
        kinds = [RECORD_KINDS[name] for name in self.records]
        for kind in kinds:
            given = {name for name, column in self.columns.items() if not column.optional}
            given |= {"trade_date"} if self.is_dated_by_name else set()
            missing = ", ".join(sorted(kind.spec_needs - given))
            if missing:
                raise Misplaced(
                    f"records of kind {kind.name} need {missing}, and not optional", "columns"
                )
        if any(kind.has_symbol for kind in kinds) and self.symbol is None:
            raise ValueError("say where the symbol is: `symbol: {file: …}` or `{column: …}`")
        if self.closes_at and not ("trade_date" in self.columns or self.is_dated_by_name):
            raise Misplaced("needs the column `trade_date`", "closes_at")
        if isinstance(self.closes_at, dict) and self.symbol is None:
            raise Misplaced("a map symbol -> time needs `symbol`", "closes_at")
        is_repeated = len(set(self.records)) < len(self.records)
        if {"index_close", "security_close"} <= set(self.records) or is_repeated:
            raise Misplaced(
                "a kind can be named once, and only one of index_close and security_close",
                "records",
            )
        return self

    @model_validator(mode="after")
    def _market_and_rates_are_named(self) -> "FeedSpec":
        if "market_turnover" in self.records and self.market is None:
            raise ValueError("market_turnover needs `market`: a MIC, or a map symbol -> MIC")
        if self.market and isinstance(self.market, dict) != bool(self.symbol):
            raise Misplaced(
                "must be a map symbol -> MIC with `symbol`, and a MIC without", "market"
            )
        if isinstance(self.market, dict) and len(set(self.market.values())) < len(self.market):
            raise Misplaced("two symbols cannot give the turnover of one market", "market")
        if ("exchange_rate" in self.records) != bool(self.rates and self.base_currency):
            raise ValueError("`rates` and `base_currency` are for exchange_rate, which needs both")
        return self

    @model_validator(mode="after")
    def _placeholders_are_used(self) -> "FeedSpec":
        if self.symbol and self.symbol.file and self.symbol.file not in self.placeholders:
            raise Misplaced(
                f"{self.symbol.file!r} is not a placeholder of `files`", "symbol", "file"
            )
        if self.format.symbol_line and not (self.symbol and self.symbol.file):
            raise Misplaced("needs `symbol.file`, whose symbol it repeats", "format", "symbol_line")
        if ("date" in self.placeholders) != (self.file_date_format is not None):
            raise Misplaced("{date} in `files` needs `file_date_format`, and the reverse", "files")
        if self.file_date_format:
            check_date_format(self.file_date_format, "file_date_format")
        if self.segment:
            if missing := self.segments.keys() - set(self.segment.map.values()):
                raise Misplaced(f"lacks {', '.join(sorted(missing))}", "segment", "map")
        elif len(self.segments) > 1 and "segment" not in self.placeholders:
            raise Misplaced(
                "with several segments, `files` needs the placeholder {segment}", "files"
            )
        return self

    @model_validator(mode="after")
    def _currency_is_clear(self) -> "FeedSpec":
        units = {name: column.parsed_unit for name, column in self.columns.items() if column.unit}
        named = self.currency.values() if isinstance(self.currency, dict) else [self.currency]
        declared = {currency for currency in named if currency}
        has_own = "currency" in self.columns
        if has_own and self.currency:
            raise Misplaced("give the currency in a column or in the spec, not in both", "currency")
        for name, unit in units.items():
            if unit.dimension == "currency" and has_own != (unit.currency is None):
                raise Misplaced(
                    "the unit must be `currency` if each row names its currency in the column "
                    "`currency`, and else the currency's code",
                    *("columns", name),
                )
        if not (self.currency or has_own) and any(
            unit.dimension in {"currency", "points"} for unit in units.values()
        ):
            raise ValueError("give the currency: `currency: HKD`, or a map symbol -> currency")
        for name, unit in units.items():
            if unit.currency and declared != {unit.currency}:
                raise Misplaced(
                    f"unit {unit.text!r} contradicts currency {self.currency!r}", "columns", name
                )
        return self

    @model_validator(mode="after")
    def _layouts_fit(self) -> "FeedSpec":
        for number, variant in enumerate(self.variants[1:]):
            other = set(variant.columns) - set(self.columns)
            if other:
                raise Misplaced(
                    f"has {', '.join(sorted(other))}, which the spec itself has not",
                    *("layouts", str(number), "columns"),
                )
        return self

    @property
    def variants(self) -> "tuple[FeedSpec, ...]":
        """This spec, and the spec of each other layout."""
        return (self, *self._other_variants)

    @cached_property
    def _other_variants(self) -> "list[FeedSpec]":
        said = self.model_dump(exclude={"layouts"}, exclude_unset=True)
        return [self._with_layout(said, layout) for layout in self.layouts]

    @staticmethod
    def _with_layout(said: dict[str, Any], layout: OtherLayout) -> "FeedSpec":
        changed = layout.model_dump(exclude_unset=True)
        columns = {
            name: said["columns"].get(name, {}) | keys if keys else None
            for name, keys in changed.pop("columns", {}).items()
        }
        merged = said | {key: said.get(key, {}) | keys for key, keys in changed.items()}
        merged["columns"] = said["columns"] | columns
        for part in ("format", "symbol", "segment", "columns"):
            if part in merged:
                merged[part] = {k: v for k, v in merged[part].items() if v is not None}
        return FeedSpec.model_validate(merged)

    @property
    def placeholders(self) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", self.files))

    @property
    def is_dated_by_name(self) -> bool:
        """Whether the rows have no date of their own, and are of the date in the file's name."""
        return "date" in self.placeholders and "trade_date" not in self.columns

    @property
    def delivered_columns(self) -> dict[str, str]:
        """The columns that are read: canonical name -> header text."""
        named = {name: column.column for name, column in self.columns.items()}
        if self.symbol and self.symbol.column:
            named["symbol"] = self.symbol.column
        if self.segment:
            named["segment"] = self.segment.column
        return named | {f"rate_{currency}": column for currency, column in self.rates.items()}

    @property
    def optional_columns(self) -> set[str]:
        return {name for name, column in self.columns.items() if column.optional}

    @property
    def has_own_keys_per_file(self) -> bool:
        """Whether file names ensure that no two files of the feed report the same record."""
        in_name = {"date"} & self.placeholders
        if self.symbol and self.symbol.file and self.symbol.is_one_to_one:
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
                alternatives = {
                    "segment": "|".join(map(re.escape, self.segments.values())),
                    # What else stands beside a date must not be taken for a part of it.
                    "date": _digits_of(self.file_date_format or "") if "*" in self.files else None,
                }
                pattern += f"(?P<{name}>{alternatives.get(name) or '[^/]+?'})"
            else:
                pattern += re.escape(part)
        return re.compile(pattern)

    @property
    def landing_folder(self) -> str:
        """The name of the folder in landing/ that the feed reads."""
        return self.folder or self.feed

    def ignores(self, name: str) -> bool:
        """Whether a path below landing/<folder>/ is one of those that are not read."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignored_files)

    def match(self, name: str) -> dict[str, str] | None:
        """The placeholders' values in a path below landing/<folder>/; None if it does not match.

        For {segment} it is the name of the segment.
        """
        found = self._file_pattern.fullmatch(name)
        if found is None:
            return None
        values = found.groupdict()
        if "segment" in values:
            named = {text: segment for segment, text in self.segments.items()}
            values["segment"] = named[values["segment"]]
        return values

    def file_date(self, placeholders: dict[str, str]) -> date | None:
        """The date in a file's name; None if the pattern has no date.

        Raises:
            ValueError: the name has no date there, or has it in another spelling.
        """
        if self.file_date_format is None:
            return None
        day = datetime.strptime(placeholders["date"], self.file_date_format).date()
        if day.strftime(self.file_date_format) != placeholders["date"]:
            raise ValueError(f"{placeholders['date']!r} is an unusual spelling of {day}")
        return day


def _digits_of(date_format: str) -> str | None:
    """The pattern of a date in a file's name that consists of digits alone; None for others."""
    digits = {"%Y": 4, "%y": 2, "%m": 2, "%d": 2}
    parts = re.findall("%.", date_format)
    if "".join(parts) != date_format or not set(parts) <= set(digits):
        return None
    return rf"\d{{{sum(digits[part] for part in parts)}}}"
