"""Rejecting a row because of what is in it: conditions in SQL on its typed cells.

Belongs here: every reason that follows from a row's cells, its file's name and the time of
delivery. Does not belong here: how cells become values (`typed_rows.py`); comparison with other
rows of the file (`file_rules.py`), or with other files, other days or the calendar (the audit's
views in dbt).
"""

from collections.abc import Collection
from datetime import date

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.spec_sql import (
    EarlyClosings,
    closing_time,
    declared_as,
    holds_nothing,
    segment_code,
    two_digits,
)
from dagster_project.market.calendar import EARLIEST_DATE
from dagster_project.market.record_kinds import COLUMNS, RECORD_KINDS
from dagster_project.market.seeds import usual_closing_time
from dagster_project.market.symbols import MARKET_SUFFIXES
from dagster_project.market.units import CURRENCIES
from dagster_project.warehouse.sql import literal, shown

# How far a close or an open may be beyond high and low because of rounding. Indices have two to
# four decimals, and one line mixes them; prices are exact to a fraction of the smallest tick.
ROUNDING = {"points": "0.0015", "currency": "0.0001"}
# How far a reported change may be from close - previous close because of rounding. Three figures
# are rounded to two decimals for indices and adjusted prices, and none for other prices. A
# percentage has two decimals as well.
CHANGE_ROUNDING = {"points": 0.0151, "currency": 0.0001}
ADJUSTED_ROUNDING = 0.01
PCT_ROUNDING = 0.0051
# The average price of a session is between low and high, and a wrong unit is wrong by a factor of
# ten or more, so the margin can be small. It must be larger where the average is compared with that
# of other rows, because averages change by themselves.
AVERAGE_MARGIN = 1.5
LEVEL_MARGIN = 8
WRONG_UNIT_OR_PRICE = "unit_or_price_wrong"
# Significant digits that a number with an exponent must have; spreadsheets show at most six.
MIN_DIGITS = 7
MAX_RAW_TEXT = 4000
# The problem of a row that the spec ignores.
IGNORED = "framing: "


class _Rules:
    """Conditions with their reasons, in order; the first that is true gives the reason."""

    def __init__(self) -> None:
        self.cases: list[str] = []

    def reject(self, condition: str, code: str, *message: str, only_if: str | None = None) -> None:
        """Add a condition.

        Args:
            message: SQL expressions that are joined to the message.
            only_if: a cheap condition that is checked before an expensive one.
        """
        text = ", ".join([literal(f"{code}: "), *message])
        rule = f"case when {condition} then concat({text}) end"
        self.cases.append(f"case when {only_if} then {rule} end" if only_if else rule)

    def first(self) -> str:
        """SQL: `code: message` of the first condition that is true; null if none is."""
        return f"coalesce({', '.join(self.cases)})"


def rejection_reason(
    spec: FeedSpec,
    width: int,
    cells: dict[str, str],
    types: dict[str, str],
    today: date,
    early: EarlyClosings,
    segment_cell: str | None = None,
) -> str:
    """SQL: why a row is rejected, as `code: message`; `framing: ` for framing, null for a good row.

    Args:
        width: the number of cells that a line must have.
        cells: canonical column -> SQL of its cell, for the columns that the files have.
        types: canonical column -> DuckDB type.
        early: the days on which markets close early.
        segment_cell: SQL of the cell that says of which segment a row is, if there is one.
    """
    rules = _Rules()
    needed, missing = _needed(spec)
    _pass_over(rules, spec, segment_cell)
    _reject_odd_shapes(rules, spec, width, needed)
    if segment_cell:
        rules.reject(
            "segment is null", "unknown_segment", shown(segment_cell),
            literal(f" is no segment of feed {spec.feed}; add it to segment.map or segment.ignored "
                    f"in feeds/{spec.feed}.yaml"),
        )  # fmt: skip
    if "trade_date" in types:
        _reject_dates(rules, spec, cells.get("trade_date"), today, early)
    if "symbol" in cells:
        _reject_symbols(rules, spec, cells["symbol"])
    _reject_numbers(rules, spec, cells, types)
    _reject_lots(rules, spec)
    _reject_other_values(rules, spec, cells)
    rules.reject(needed, "missing_value", f"'the row has no {missing}'")
    for name in cells:
        column = spec.columns.get(name)
        if column and column.unit and not column.optional:
            rules.reject(
                f"{name} is null{_unless_suspended(spec)}", "missing_value",
                f"'the row has no {name}; if the vendor sometimes leaves it out, make it "
                f"`optional` in feeds/{spec.feed}.yaml'",
            )  # fmt: skip
    if "currency" in cells:
        known = ", ".join(map(literal, sorted(CURRENCIES)))
        rules.reject(
            f"currency is null or currency not in ({known})", "unknown_currency",
            shown(cells["currency"]), literal(f" is not one of the currencies {known}"),
        )  # fmt: skip
    _reject_signs(rules, cells)
    _reject_ranges(rules, spec, cells)
    _reject_changes(rules, spec, cells)
    _reject_average_prices(rules, spec, cells)
    return rules.first()


def _needed(spec: FeedSpec) -> tuple[str, str]:
    """SQL: whether a row lacks a value that its record kind needs; and the values' names."""
    # A feed of two kinds (index close and market turnover) needs the values of the first.
    kind = next(kind for name, kind in RECORD_KINDS.items() if name in spec.records)
    if spec.rates:
        return " and ".join(f"rate_{currency} is null" for currency in spec.rates), "rate"
    missing = " or ".join(f"{name} is null" for name in kind.row_needs)
    return f"({missing}){_unless_suspended(spec)}", ", or no ".join(kind.row_needs)


def _unless_suspended(spec: FeedSpec) -> str:
    """SQL: that a row is not of a suspended security, of which a feed need not give any price."""
    return " and status is distinct from 'suspended'" if "status" in spec.columns else ""


def _pass_over(rules: _Rules, spec: FeedSpec, segment_cell: str | None) -> None:
    """Pass over the rows that the spec ignores, before they are looked at."""
    if spec.symbol and spec.symbol.ignored:
        rules.cases.append(f"case when symbol_problem = '{IGNORED}' then symbol_problem end")
    if spec.segment and spec.segment.ignored:
        pattern = "|".join(f"(?:{pattern})" for pattern in spec.segment.ignored)
        rules.reject(
            f"regexp_full_match({segment_code(segment_cell or '')}, {literal(pattern)})", "framing",
            only_if="segment is null",
        )  # fmt: skip


def _reject_odd_shapes(rules: _Rules, spec: FeedSpec, width: int, needed: str) -> None:
    odd_width = f"len(fields) is distinct from {width}"
    rules.reject("trim(text) = ''", "framing", only_if=odd_width)
    for beginning in spec.format.footer:
        rules.reject(f"starts_with(trim(text), {literal(beginning)})", "framing")
    rules.reject("fields is null", "broken_quotes", "'its quotes are malformed'", only_if=odd_width)
    rules.reject(
        odd_width, "field_count", f"'{width} cells are expected, but the line has '", "len(fields)",
        "'; it may be cut off, or its columns shifted'",
    )  # fmt: skip
    if spec.format.repeated_header:
        shown_cells = "list_transform(fields, lambda cell: coalesce(trim(cell), ''))"
        rules.reject(f"array_to_string({shown_cells}, chr(9)) = header", "framing")
    filled = f"len(list_filter(fields, lambda cell: not {holds_nothing(spec, 'cell')}))"
    rules.reject(f"{filled} <= 1", "framing", only_if=needed)
    if spec.format.ends_with_newline:
        rules.reject(
            "line_number = open_line", "cut_off",
            "'the file does not end with a line feed: this line may be cut off; fetch it again'",
        )  # fmt: skip


def _reject_dates(
    rules: _Rules, spec: FeedSpec, cell: str | None, today: date, early: EarlyClosings
) -> None:
    if cell:
        rules.reject(
            "trade_date is null", "bad_date", shown(cell), "' is not a date of the form '",
            literal(spec.columns["trade_date"].format or ""),
        )  # fmt: skip
    rules.reject(
        f"trade_date < '{EARLIEST_DATE}'::DATE",
        "bad_date",
        "trade_date",
        f"' is before {EARLIEST_DATE}, too long ago'",
    )
    if spec.closes_at:
        closes_at = closing_time(spec, early)
        rules.reject(
            f"delivered_at < trade_date + {closes_at}::TIME", "before_the_close",
            "'the file was delivered on '", "strftime(delivered_at, '%Y-%m-%d at %H:%M')",
            "' Hong Kong time, before the close of '", "trade_date", "' at '", closes_at,
            "', so it has no final figures yet; fetch it again after that time'",
            only_if="trade_date >= delivered_on",
        )  # fmt: skip
    if "snapshot_time" in spec.columns:
        _reject_early_snapshots(rules, spec)
    rules.reject(
        f"trade_date > '{today}'::DATE", "future_date", "trade_date",
        "' is in the future; the file is read again when that day has come'",
    )  # fmt: skip
    if cell and "date" in spec.placeholders:
        rules.reject(
            "trade_date <> file_date", "wrong_date", "'the row is for '", "trade_date",
            "', but the file is named for '", "file_date",
        )  # fmt: skip


def _reject_early_snapshots(rules: _Rules, spec: FeedSpec) -> None:
    """Reject the rows of a snapshot of a session that was still running."""
    times = {market: usual_closing_time(market) for market in MARKET_SUFFIXES}
    cases = (
        f"when ends_with(symbol, '{suffix}') then '{times[market]}'"
        for market, suffix in MARKET_SUFFIXES.items()
    )
    closes_at = f"case {' '.join(cases)} end"
    rules.reject(
        f"snapshot_time < {closes_at}::TIME", "before_the_close",
        "'the file is a snapshot of '", "snapshot_time", "', before the close at '", closes_at,
        "'; fetch it again after that time'",
    )  # fmt: skip


def _reject_symbols(rules: _Rules, spec: FeedSpec, cell: str) -> None:
    rules.cases.append("symbol_problem")
    rules.reject("symbol is null", "unknown_symbol", "'the row has no symbol'")
    if spec.symbol and spec.symbol.file:
        rules.reject(
            "symbol <> file_symbol", "wrong_symbol", "'the row is for '", shown(cell),
            "', but the file is named for '", "file_symbol",
        )  # fmt: skip


def _reject_numbers(
    rules: _Rules, spec: FeedSpec, cells: dict[str, str], types: dict[str, str]
) -> None:
    disguised = _Rules()
    for name, cell in cells.items():
        if types[name] in {"VARCHAR", "DATE", "TIME"}:
            continue
        message = (
            literal(f"column {spec.delivered_columns[name]!r} has "), shown(cell),
            literal(f", which is not what feeds/{spec.feed}.yaml declares"),
        )  # fmt: skip
        rules.reject(
            f"not {holds_nothing(spec, cell, name)}",
            "bad_number",
            *message,
            only_if=f"{name} is null",
        )
        # DuckDB reads 1_000 as a number.
        disguised.reject(f"contains({cell}, '_')", "bad_number", *message)
        disguised.reject(
            _may_lack_digits(cell, name, types[name]), "bad_number",
            literal(f"column {spec.delivered_columns[name]!r} has "), shown(cell),
            "', which may lack digits: spreadsheets round like that; fetch the file itself'",
        )  # fmt: skip
    if disguised.cases:
        may_be = "contains(text, '_') or contains(text, 'e') or contains(text, 'E')"
        rules.cases.append(f"case when {may_be} then {disguised.first()} end")


def _reject_lots(rules: _Rules, spec: FeedSpec) -> None:
    column = spec.columns.get("volume")
    if column and "lots" in (column.unit or "") and "security_close" in spec.records:
        rules.reject(
            "symbol like '%.HK'", WRONG_UNIT_OR_PRICE,
            literal(
                f"column {column.column!r} is declared in lots of 100 shares, but in Hong Kong "
                "each security has a lot of its own; deliver shares, and say so in "
                f"feeds/{spec.feed}.yaml"
            ),
        )  # fmt: skip


def _may_lack_digits(cell: str, name: str, type_: str) -> str:
    """SQL: whether digits of a number with an exponent may have been lost.

    1.36E8 may have been 135628512 in a spreadsheet that shows three digits; 1.5902774E7 is whole.
    So every digit left of the point must be there. A column with decimals needs seven digits
    besides, more than spreadsheets show, for 1.23E+02 may have been 123.45; but not below 0.01,
    where programs write 1E-3 for 0.001. Of a count nothing may vanish, as 5.9E-39 would.
    """
    mantissa = f"regexp_extract({cell}, '([0-9.]*)[eE]', 1)"
    exponent = f"try_cast(regexp_extract({cell}, '[eE]([-+]?[0-9]+)', 1) as INTEGER)"
    decimals = f"length(regexp_extract({mantissa}, '\\.([0-9]*)', 1))"
    digits = f"length(ltrim(replace({mantissa}, '.', ''), '0'))"
    too_few = (
        f"{name} = 0" if type_ == "BIGINT" else f"({exponent} > -3 and {digits} < {MIN_DIGITS})"
    )
    return f"{digits} > 0 and ({exponent} > {decimals} or {too_few})"


def _reject_other_values(rules: _Rules, spec: FeedSpec, cells: dict[str, str]) -> None:
    """Reject dates of another form, and texts that are not among the possible values."""
    for name, cell in cells.items():
        column = spec.columns.get(name)
        if column and column.format and name != "trade_date":
            rules.reject(
                f"{name} is null and not {holds_nothing(spec, cell, name)}", "bad_date",
                literal(f"{name} is "), shown(cell), literal(f", not of the form {column.format}"),
            )  # fmt: skip
        if column and COLUMNS[name].values:
            known = ", ".join(COLUMNS[name].values)
            listed = ", ".join(map(literal, COLUMNS[name].values))
            rules.reject(
                f"{name} not in ({listed})", f"unknown_{name}",
                literal(f"{name} is "), shown(cell), literal(f", which is not one of {known}"),
            )  # fmt: skip


def _reject_signs(rules: _Rules, cells: Collection[str]) -> None:
    for name in cells:
        sign = COLUMNS["rate" if name.startswith("rate_") else name].sign
        if sign == "positive":
            rules.reject(
                f"{name} <= 0", "not_positive", f"'{name} is '", name, "', but must be above 0'"
            )
        elif sign == "not_negative":
            rules.reject(
                f"{name} < 0", "negative", f"'{name} is '", name, "', but must not be below 0'"
            )


def _reject_ranges(rules: _Rules, spec: FeedSpec, cells: Collection[str]) -> None:
    """Reject rows whose low is above high, or whose close or open is beyond them."""
    if {"high", "low"} <= set(cells):
        rules.reject(
            "low > high", "high_below_low", "'high '", "high", "' is below low '", "low",
            "'; columns may be swapped'",
        )  # fmt: skip
    for price in ("close", "open"):
        if price not in cells:
            continue
        rounding = ROUNDING[spec.columns[price].parsed_unit.dimension]
        beyond = spec.columns[price].beyond_range_pct
        for name, sign, word in (("high", "+", "above"), ("low", "-", "below")):
            if name in cells:
                comparison = ">" if sign == "+" else "<"
                rules.reject(
                    f"{price}::DOUBLE {comparison} {name}::DOUBLE * (1 {sign} {beyond / 100})"
                    if beyond
                    else "true",
                    f"{price}_out_of_range",
                    f"'{price} '", price, f"' is {word} {name} '", name,
                    only_if=f"{price} {comparison} {name} {sign} {rounding}",
                )  # fmt: skip


def _reject_changes(rules: _Rules, spec: FeedSpec, cells: Collection[str]) -> None:
    """Reject rows whose change, or change in percent, contradicts close and previous close."""
    if "close" not in cells:
        return
    rounding = CHANGE_ROUNDING[spec.columns["close"].parsed_unit.dimension]
    if {"previous_close", "change"} <= set(cells):
        rules.reject(
            f"abs(close - previous_close - change) > {rounding}", "change_contradicts",
            "'change '", "change", "' is not close '", "close", "' minus previous close '",
            "previous_close", "'; one of the three is wrong'",
        )  # fmt: skip
    if "change_pct" not in cells or not {"previous_close", "change"} & set(cells):
        return
    if spec.price_basis != "traded":
        rounding = ADJUSTED_ROUNDING
    change = "change" if "change" in cells else "(close - previous_close)"
    previous = "previous_close" if "previous_close" in cells else "(close - change)"
    # change_pct = 100 * change / previous, without a division, and with rounding of all three.
    rules.reject(
        f"abs({change}::DOUBLE * 100 - change_pct * {previous}::DOUBLE) > "
        f"{PCT_ROUNDING} * {previous}::DOUBLE + {100 * rounding}",
        "change_contradicts",
        "'change of '", "change_pct", "' % is not change '", change, "' in percent of '", previous,
        "'; one of the three is wrong'",
    )  # fmt: skip


def _rounding(spec: FeedSpec, name: str) -> float:
    """The largest error of rounding a column to its declared unit, in canonical units."""
    smallest = 0.01 if name == "turnover" else 1.0
    return float(max(10 ** spec.columns[name].parsed_unit.exponent, smallest)) / 2


def _reject_average_prices(rules: _Rules, spec: FeedSpec, cells: Collection[str]) -> None:
    """Reject rows whose turnover ÷ volume is not between low and high, if these are prices."""
    if not {"high", "low", "close", "turnover", "volume"} <= set(cells):
        return
    if spec.columns["close"].parsed_unit.dimension != "currency":
        return
    turnover, volume = "turnover::DOUBLE", "volume::DOUBLE"
    turnover_rounding, volume_rounding = _rounding(spec, "turnover"), _rounding(spec, "volume")
    # An adjusted price can be any fraction of the traded price, but never more.
    margin = AVERAGE_MARGIN if spec.price_basis == "traded" else LEVEL_MARGIN
    message = (
        "'turnover ÷ volume is '", "round(turnover / nullif(volume, 0), 4)", "', about '",
        two_digits("nullif(turnover, 0) / nullif(volume, 0) / close"), "' × the close '", "close",
        literal(
            f": {declared_as(spec, 'volume', 'turnover')} is in another unit than "
            f"feeds/{spec.feed}.yaml declares, or the price is wrong"
        ),
    )  # fmt: skip
    rules.reject(
        f"({turnover} + {turnover_rounding}) * {margin} < "
        f"({volume} - {volume_rounding}) * low::DOUBLE",
        WRONG_UNIT_OR_PRICE, *message,
    )  # fmt: skip
    if spec.price_basis == "traded":
        rules.reject(
            f"{turnover} - {turnover_rounding} > "
            f"({volume} + {volume_rounding}) * high::DOUBLE * {margin}",
            WRONG_UNIT_OR_PRICE, *message,
        )  # fmt: skip
