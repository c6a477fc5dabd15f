"""Judging what was read of a file: why a row is refused, by that one file alone.

Belongs here: everything that a file's bytes, name and time of delivery say against one of its
rows, as SQL on the typed rows. Does not belong here: how cells become values (`reader.py`); what
other files, other days or the calendar say against a row (`audit/`).

As nothing else is asked, the same files give the same rows in whatever order they come.
"""

import re
from bisect import bisect
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from math import log
from operator import itemgetter
from statistics import median

import duckdb

from dagster_project.ingest.feed_spec import CURRENCIES, FeedSpec
from dagster_project.warehouse.temp_table import create_temp_table

FIRST_DATE = date(1900, 1, 1)
# How far beyond high and low a close may lie by rounding alone: indices come at two to four
# decimals, and one line mixes them; prices are exact to a fraction of the smallest tick.
ROUNDING = {"points": "0.0015", "currency": "0.0001"}
# How far a stated change may lie from close - previous close: three figures, each rounded to two
# decimals (indices, adjusted prices), or none of them. A percentage has two decimals as well.
CHANGE_ROUNDING = {"points": 0.0151, "currency": 0.0001}
ADJUSTED_ROUNDING = 0.01
PCT_ROUNDING = 0.0051
# A price averaged over the session lies between low and high. Units are wrong by a factor of ten
# at least; where the average is only compared with that of the rows around, it moves by itself.
AVERAGE_MARGIN = 1.5
LEVEL_MARGIN = 8
NEIGHBOURS = 5
# Levels that are remembered while a file is walked through; bounds the work on a hostile one.
_MOST_LEVELS = 8
# Archives that keep no times unpack to 1970 or 1980.
_NO_TIME_BEFORE = datetime(1980, 1, 2)
_HONG_KONG_AHEAD = timedelta(hours=8)
_OFF = {"file_id": "INTEGER", "line_number": "BIGINT", "reason": "VARCHAR"}
UNIT_TROUBLE = "unit_or_price_wrong"
MAX_RAW_TEXT = 4000
# Of the lines that contradict each other, in the reason of each of them.
SHOWN_LINES = 10
# Columns that tell the records of a file apart, where it has them.
_KEYS = ("symbol", "trade_date", "broker", "event", "basket")


def delivered_at(mtime_ns: int) -> datetime | None:
    """When a file was delivered, in Hong Kong; None where its time says nothing."""
    moment = datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC).replace(tzinfo=None)
    return moment + _HONG_KONG_AHEAD if moment >= _NO_TIME_BEFORE else None


def sql_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def by_symbol(value: str | dict[str, str] | None) -> str:
    """SQL for a constant of a spec, or for its map from symbol."""
    if isinstance(value, dict):
        cases = (f"when {sql_literal(symbol)} then '{mapped}'" for symbol, mapped in value.items())
        return f"case symbol {' '.join(cases)} end"
    return f"'{value}'" if value else "null"


def holds_nothing(spec: FeedSpec, cell: str) -> str:
    """SQL: whether a cell is empty, or holds what its feed writes for nothing."""
    # `in (…)` would become a join, which every good row pays for too.
    tokens = "|".join(map(re.escape, spec.format.nulls))
    return f"coalesce(regexp_full_match(trim({cell}), {sql_literal(tokens)}), true)"


class _Troubles:
    """Conditions in the order in which they are asked; the first that holds names the trouble."""

    def __init__(self) -> None:
        self.cases: list[str] = []

    def refuse(self, condition: str, code: str, *message: str, only_if: str | None = None) -> None:
        """Add one; of a condition that costs much, `only_if` is asked first."""
        text = ", ".join([sql_literal(f"{code}: "), *message])
        trouble = f"case when {condition} then concat({text}) end"
        self.cases.append(f"case when {only_if} then {trouble} end" if only_if else trouble)

    def first(self) -> str:
        """SQL: the first of them that a row has; null where it has none."""
        return f"coalesce({', '.join(self.cases)})"


def problem(
    spec: FeedSpec, width: int, cells: dict[str, str], types: dict[str, str], today: date
) -> str:
    """SQL: null for a good row, else `code: what is wrong, and what to do`, or `framing: `.

    Args:
        width: how many cells a line has.
        cells: canonical column -> SQL of its cell, for those that the files have.
        types: canonical column -> DuckDB type.
    """
    troubles = _Troubles()
    needed, missing = _needed(spec)
    _judge_shape(troubles, spec, width, needed)
    if "trade_date" in cells:
        _judge_date(troubles, spec, cells["trade_date"], today)
    if "symbol" in cells:
        _judge_symbol(troubles, spec, cells["symbol"])
    _judge_numbers(troubles, spec, cells, types)
    troubles.refuse(needed, "missing_value", f"'the row has no {missing}'")
    for name in cells:
        column = spec.columns.get(name)
        if column and column.unit and not column.optional:
            troubles.refuse(
                f"{name} is null", "missing_value",
                f"'the row has no {name}; if the vendor leaves it out at times, it is `optional` "
                f"in feeds/{spec.feed}.yaml'",
            )  # fmt: skip
    if "currency" in cells:
        known = ", ".join(map(sql_literal, sorted(CURRENCIES)))
        troubles.refuse(
            f"currency is null or currency not in ({known})", "unknown_currency",
            _shown(cells["currency"]), sql_literal(f" is none of the currencies {known}"),
        )  # fmt: skip
    _judge_signs(troubles, cells)
    _judge_range(troubles, spec, cells)
    _judge_change(troubles, spec, cells)
    _judge_average_price(troubles, spec, cells)
    return troubles.first()


def _shown(cell: str) -> str:
    # What moves a terminal's cursor or turns writing round is not repeated in a message.
    return rf"chr(39) || regexp_replace(left(coalesce({cell}, ''), 80), '\pC', '�', 'g') || chr(39)"


def _needed(spec: FeedSpec) -> tuple[str, str]:
    """SQL: whether a row lacks what its kind is about; and how that is called."""
    kinds = set(spec.records)
    if kinds & {"index_close", "security_close"}:
        return "close is null", "close"
    if "market_turnover" in kinds:
        return "turnover is null", "turnover"
    if "broker_target" in kinds:
        return "target is null or broker is null", "target, or no broker"
    if "market_event" in kinds:
        return "event is null or basket is null", "event, or no basket"
    if spec.rates:
        return " and ".join(f"rate_{currency} is null" for currency in spec.rates), "rate"
    return "symbol is null", "symbol"


def _judge_shape(troubles: _Troubles, spec: FeedSpec, width: int, needed: str) -> None:
    odd_width = f"len(fields) is distinct from {width}"
    troubles.refuse("trim(text) = ''", "framing", only_if=odd_width)
    troubles.refuse(
        "fields is null", "broken_quotes", "'its quotes do not pair'", only_if=odd_width
    )
    troubles.refuse(
        odd_width, "field_count", f"'{width} cells are expected, '", "len(fields)",
        "' are there; the line may be cut off or its columns shifted'",
    )  # fmt: skip
    if spec.format.repeated_header:
        shown_cells = "list_transform(fields, lambda cell: coalesce(trim(cell), ''))"
        troubles.refuse(f"array_to_string({shown_cells}, chr(9)) = header", "framing")
    filled = f"len(list_filter(fields, lambda cell: not {holds_nothing(spec, 'cell')}))"
    troubles.refuse(f"{filled} <= 1", "framing", only_if=needed)
    if spec.format.ends_with_newline:
        troubles.refuse(
            "line_number = open_line", "cut_off",
            "'the file does not end with a line feed: this line may be cut off; fetch it again'",
        )  # fmt: skip


def _judge_date(troubles: _Troubles, spec: FeedSpec, cell: str, today: date) -> None:
    troubles.refuse(
        "trade_date is null", "bad_date", _shown(cell), "' is no date of the form '",
        sql_literal(spec.columns["trade_date"].format or ""),
    )  # fmt: skip
    troubles.refuse(
        f"trade_date < '{FIRST_DATE}'::DATE", "bad_date", "trade_date", "' is too long ago'"
    )
    if spec.closes_at:
        closes_at = by_symbol(spec.closes_at)
        troubles.refuse(
            f"delivered_at < trade_date + {closes_at}::TIME", "before_the_close",
            "'the file was delivered on '", "strftime(delivered_at, '%Y-%m-%d at %H:%M')",
            "' Hong Kong time, before the close of '", "trade_date", "' at '", closes_at,
            "': no closing figures yet; fetch it again after that time, on a half-day too'",
            only_if="trade_date >= delivered_on",
        )  # fmt: skip
    troubles.refuse(
        f"trade_date > '{today}'::DATE", "future_date", "trade_date",
        "' lies in the future; the file is read again once that day has come'",
    )  # fmt: skip
    if "date" in spec.placeholders:
        troubles.refuse(
            "trade_date <> file_date", "wrong_date", "'the row is of '", "trade_date",
            "', the file is named for '", "file_date",
        )  # fmt: skip


def _judge_symbol(troubles: _Troubles, spec: FeedSpec, cell: str) -> None:
    troubles.cases.append("symbol_problem")
    troubles.refuse("symbol is null", "unknown_symbol", "'the row has no symbol'")
    if spec.symbol and spec.symbol.file:
        troubles.refuse(
            "symbol <> file_symbol", "wrong_symbol", "'the row is of '", _shown(cell),
            "', the file is named for '", "file_symbol",
        )  # fmt: skip


def _judge_numbers(
    troubles: _Troubles, spec: FeedSpec, cells: dict[str, str], types: dict[str, str]
) -> None:
    disguised = _Troubles()
    for name, cell in cells.items():
        if types[name] in {"VARCHAR", "DATE"}:
            continue
        message = (
            sql_literal(f"column {spec.delivered_columns[name]!r} holds "), _shown(cell),
            "', which is nothing that its spec declares'",
        )  # fmt: skip
        troubles.refuse(
            f"not {holds_nothing(spec, cell)}", "bad_number", *message, only_if=f"{name} is null"
        )
        disguised.refuse(f"regexp_matches({cell}, '_|[eE][+]')", "bad_number", *message)
    if disguised.cases:
        # DuckDB reads 1_000 as a number, and a spreadsheet writes 1.36E+08 for 135628512.
        may_be = "contains(text, '_') or contains(text, '+')"
        troubles.cases.append(f"case when {may_be} then {disguised.first()} end")


def _judge_signs(troubles: _Troubles, cells: Collection[str]) -> None:
    prices = {"open", "high", "low", "close", "previous_close", "target"}
    for name in cells:
        if name in prices or name.startswith("rate_"):
            troubles.refuse(f"{name} <= 0", "not_positive", f"'{name} is '", name)
        elif name in {"volume", "turnover", "deals"}:
            troubles.refuse(f"{name} < 0", "negative", f"'{name} is '", name)


def _judge_range(troubles: _Troubles, spec: FeedSpec, cells: Collection[str]) -> None:
    """Low, high, and what lies between them."""
    if {"high", "low"} <= set(cells):
        troubles.refuse(
            "low > high", "high_below_low", "'high '", "high", "' lies below low '", "low",
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
                troubles.refuse(
                    f"{price}::DOUBLE {comparison} {name}::DOUBLE * (1 {sign} {beyond / 100})"
                    if beyond
                    else "true",
                    f"{price}_out_of_range",
                    f"'{price} '", price, f"' lies {word} {name} '", name,
                    only_if=f"{price} {comparison} {name} {sign} {rounding}",
                )  # fmt: skip


def _judge_change(troubles: _Troubles, spec: FeedSpec, cells: Collection[str]) -> None:
    """Change, in points and percent, against close and previous close of the same row."""
    if "close" not in cells:
        return
    rounding = CHANGE_ROUNDING[spec.columns["close"].parsed_unit.dimension]
    if {"previous_close", "change"} <= set(cells):
        troubles.refuse(
            f"abs(close - previous_close - change) > {rounding}", "change_contradicts",
            "'change '", "change", "' is not close '", "close", "' less previous close '",
            "previous_close", "'; one of the three is wrong'",
        )  # fmt: skip
    if "change_pct" not in cells or not {"previous_close", "change"} & set(cells):
        return
    if spec.prices == "adjusted":
        rounding = ADJUSTED_ROUNDING
    change = "change" if "change" in cells else "(close - previous_close)"
    previous = "previous_close" if "previous_close" in cells else "(close - change)"
    # 100 * change / previous, without a division, and with the rounding of all three.
    troubles.refuse(
        f"abs({change}::DOUBLE * 100 - change_pct * {previous}::DOUBLE) > "
        f"{PCT_ROUNDING} * {previous}::DOUBLE + {100 * rounding}",
        "change_contradicts",
        "'change of '", "change_pct", "' % is not change '", change, "' in percent of '", previous,
        "'; one of the three is wrong'",
    )  # fmt: skip


# --- Units ---------------------------------------------------------------------------------------


def _rounding(spec: FeedSpec, name: str) -> float:
    """Half of the unit in which a column is declared, in canonical units."""
    smallest = 0.01 if name == "turnover" else 1.0
    return float(max(10 ** spec.columns[name].parsed_unit.exponent, smallest)) / 2


def _declared(spec: FeedSpec, *names: str) -> str:
    """How figures are called in a message: volume (lots) or turnover (thousand CNY)."""
    return " or ".join(f"{name} ({spec.columns[name].unit})" for name in names)


def _about(factor: str) -> str:
    """SQL: a factor with two digits: 0.012, 120."""
    rounded = f"round({factor}, (1 - floor(log10({factor})))::INTEGER)"
    return f"regexp_replace({rounded}::VARCHAR, '\\.0$', '')"


def _judge_average_price(troubles: _Troubles, spec: FeedSpec, cells: Collection[str]) -> None:
    """Turnover ÷ volume lies between low and high, where both are in units of currency."""
    if not {"high", "low", "close", "turnover", "volume"} <= set(cells):
        return
    if spec.columns["close"].parsed_unit.dimension != "currency":
        return
    turnover, volume = "turnover::DOUBLE", "volume::DOUBLE"
    turnover_rounding, volume_rounding = _rounding(spec, "turnover"), _rounding(spec, "volume")
    # Adjusted afterwards, a price of long ago is any part of what was paid; it is never more.
    margin = LEVEL_MARGIN if spec.prices == "adjusted" else AVERAGE_MARGIN
    message = (
        "'turnover ÷ volume is '", "round(turnover / nullif(volume, 0), 4)", "', about '",
        _about("nullif(turnover, 0) / nullif(volume, 0) / close"), "' × the close '", "close",
        sql_literal(
            f": {_declared(spec, 'volume', 'turnover')} comes in another unit than "
            f"feeds/{spec.feed}.yaml declares, or the price is wrong"
        ),
    )  # fmt: skip
    troubles.refuse(
        f"({turnover} + {turnover_rounding}) * {margin} < "
        f"({volume} - {volume_rounding}) * low::DOUBLE",
        UNIT_TROUBLE, *message,
    )  # fmt: skip
    if spec.prices == "traded":
        troubles.refuse(
            f"{turnover} - {turnover_rounding} > "
            f"({volume} + {volume_rounding}) * high::DOUBLE * {margin}",
            UNIT_TROUBLE, *message,
        )  # fmt: skip


def judge_levels(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, columns: Collection[str], rows: str
) -> None:
    """Refuse rows of which turnover ÷ volume, or ÷ deals, is of another size than around them.

    For files whose prices are not those that were paid: indices, whole markets, and prices that
    were adjusted afterwards. Where no size holds for more than half, every row is refused.

    Args:
        columns: those that the files have.
        rows: SQL of the files' lines, with file_id, line_number and text.
    """
    are_paid = "security_close" in spec.records and spec.prices == "traded"
    if not {"trade_date", "turnover"} <= set(columns) or are_paid:
        return
    symbol = "symbol" if spec.symbol else "null"
    for divisor in ("volume", "deals"):
        if divisor not in columns:
            continue
        rated = f"""
            select file_id, {symbol} as series, line_number, trade_date,
                {"close" if "close" in columns else "null as close"},
                turnover::DOUBLE / {divisor} as rate
            from parsed
            where (reason_code is null or reason_code = '{UNIT_TROUBLE}') and not is_duplicate
            and {divisor} > 0 and turnover > 0 and file_id in (select file_id from source_file)"""
        jumping = _jumps(con, spec, divisor, rated)
        _refuse(con, jumping, rows)
        if spec.prices == "adjusted" and divisor == "volume":
            _refuse(con, _far_from_prices(con, spec, rated, jumping), rows)


def _jumps(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, divisor: str, rated: str
) -> list[tuple[int, int, str]]:
    """Rows of another size than those around them: file_id, line_number, reason."""
    # Next to no series jumps, so that few are looked at in Python.
    found = con.execute(f"""
        with rated as ({rated}),
        wide as (
            select file_id, series from rated group by all
            having max(rate) >= {LEVEL_MARGIN} * min(rate)
        ), jumping as (
            select distinct file_id, series from (
                select file_id, series, rate / lag(rate) over (
                    partition by file_id, series order by trade_date, line_number) as jump
                from rated
                where exists (
                    from wide where wide.file_id = rated.file_id
                    and wide.series is not distinct from rated.series))
            where jump >= {LEVEL_MARGIN} or jump <= 1 / {LEVEL_MARGIN}
        )
        select file_id, series, line_number, rate from rated
        where exists (
            from jumping where jumping.file_id = rated.file_id
            and jumping.series is not distinct from rated.series)
        order by file_id, series, trade_date, line_number""").fetchall()

    def of_another_size(rate: float, factor: float) -> str:
        about = f"{float(f'{factor:.2g}'):g}"
        return (
            f"turnover ÷ {divisor} is {rate:.6g}, about {about} × what it is in the rows around: "
            f"{_declared(spec, divisor, 'turnover')} comes in another unit than "
            f"feeds/{spec.feed}.yaml declares, or is wrong"
        )

    off = []
    for (file_id, _), series in groupby(found, key=itemgetter(0, 1)):
        lines = [(line, rate) for *_, line, rate in series]
        for (line, rate), factor in zip(
            lines, levels_off([rate for _, rate in lines]), strict=True
        ):
            if factor is not None:
                off.append((file_id, line, of_another_size(rate, factor)))
    return off


def levels_off(rates: Sequence[float]) -> list[float | None]:
    """Which values of a series are of another size than it has around them.

    A series may drift to any size, but not jump there.

    Args:
        rates: positive values in order of time.

    Returns:
        None for a value of the size that more than half have where they stand; else how many
        times that size it is. Where no size holds more than half, no value is None.
    """
    starts = [0] + [
        number
        for number in range(1, len(rates))
        if not 1 / LEVEL_MARGIN < rates[number] / rates[number - 1] < LEVEL_MARGIN
    ]
    levels: list[list[int]] = []  # the one met last comes first
    for start, end in zip(starts, [*starts[1:], len(rates)], strict=True):
        size = median(rates[start : min(start + NEIGHBOURS, end)])
        far = [
            abs(log(size / median(rates[number] for number in level[-NEIGHBOURS:])))
            for level in levels[:_MOST_LEVELS]
        ]
        if far and min(far) < log(LEVEL_MARGIN):
            levels.insert(0, levels.pop(far.index(min(far))))
        else:
            levels.insert(0, [])
        levels[0].extend(range(start, end))
    main = max(levels, key=len)
    kept = set(main) if 2 * len(main) > len(rates) else set()
    factors: list[float | None] = [None] * len(rates)
    for number in range(len(rates)):
        if number not in kept:
            at = bisect(main, number)
            around = main[max(at - NEIGHBOURS, 0) : at + NEIGHBOURS]
            factors[number] = rates[number] / median(rates[other] for other in around)
    return factors


def _far_from_prices(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    rated: str,
    jumping: Sequence[tuple[int, int, str]],
) -> list[tuple[int, int, str]]:
    """All rows, but for those, of files whose last prices are of another size.

    The last prices of a file are not adjusted yet, or only for what came since.
    """
    create_temp_table(con, "off", _OFF, jumping)
    return con.execute(f"""
        with rated as (
            from ({rated}) as rated
            where not exists (
                from off where off.file_id = rated.file_id and off.line_number = rated.line_number)
        ), level as (
            select file_id, series,
                list_median(arg_max(rate / close, trade_date, {NEIGHBOURS})) as factor
            from rated group by all
        )
        select file_id, line_number, concat(
            'turnover ÷ volume is about ', {_about("factor")},
            ' × the price in the last rows: ',
            {sql_literal(_declared(spec, "volume", "turnover"))},
            {sql_literal(f" comes in another unit than feeds/{spec.feed}.yaml declares")})
        from rated join level using (file_id, series)
        where factor >= {LEVEL_MARGIN} or factor <= 1 / {LEVEL_MARGIN}""").fetchall()


def _refuse(
    con: duckdb.DuckDBPyConnection, found: Sequence[tuple[int, int, str]], rows: str
) -> None:
    if not found:
        return
    create_temp_table(con, "off", _OFF, found)
    con.execute(f"""
        update parsed set reason_code = '{UNIT_TROUBLE}', reason = off.reason,
            raw_text = source.text[:{MAX_RAW_TEXT}]
        from off, {rows} as source
        where off.file_id = parsed.file_id and off.line_number = parsed.line_number
        and source.file_id = parsed.file_id and source.line_number = parsed.line_number""")


def set_aside_units(con: duckdb.DuckDBPyConnection, spec: FeedSpec) -> dict[int, str]:
    """Files of which more than half of the rows have wrong units: file_id -> reason.

    Their rows are taken out of `parsed`: the one reason stands for all.
    """
    if not {"volume", "turnover"} <= set(spec.columns):
        return {}
    found = con.execute(f"""
        select file_id, min(line_number) filter (is_wrong), arg_min(reason, line_number),
            count(*) filter (is_wrong), count(*)
        from (
            select *, reason_code is not null as is_wrong from parsed
            where reason_code = '{UNIT_TROUBLE}'
            or (reason_code is null and volume > 0 and turnover > 0))
        group by file_id having count(*) filter (is_wrong) * 2 > count(*)""").fetchall()
    if not found:
        return {}
    create_temp_table(con, "off", {"file_id": "INTEGER"}, [(row[0],) for row in found])
    con.execute("delete from parsed where file_id in (select file_id from off)")
    return {
        file_id: f"line {line}: {reason} (so in {wrong:,} of {judged:,} rows)"
        for file_id, line, reason, wrong, judged in found
    }


# --- Repeats -------------------------------------------------------------------------------------


def judge_repeats(con: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: str) -> None:
    """Identical repeats of a record inside a file count once; contradictions are refused.

    Args:
        columns: what `parsed` holds of a record.
        rows: SQL of the files' lines, with file_id, line_number and text.
    """
    key = ["file_id", *(name for name in _KEYS if name in columns)]
    same = " and ".join(f"parsed.{name} = repeated.{name}" for name in key)
    con.execute(f"""
        create or replace temp table repeated as
        select {", ".join(key)}, min(line_number) as first_line,
            count(distinct ({", ".join(columns)})) > 1 as is_contradiction,
            array_to_string(list(line_number order by line_number)[:{SHOWN_LINES}], ', ')
                || case when count(*) > {SHOWN_LINES} then ', …' else '' end as lines
        from parsed semi join (
            select {", ".join(key)} from parsed
            where reason_code is null and file_id in (select file_id from source_file)
            group by all having count(*) > 1
        ) using ({", ".join(key)})
        where reason_code is null group by {", ".join(key)}""")
    if not con.execute("from repeated limit 1").fetchall():
        return
    con.execute(f"""
        update parsed set is_duplicate = true from repeated
        where {same} and reason_code is null
        and not is_contradiction and line_number > first_line""")
    con.execute(f"""
        update parsed set reason_code = 'contradicting_rows',
            reason = 'lines ' || repeated.lines || ' state the same record with other values',
            raw_text = source.text[:{MAX_RAW_TEXT}]
        from repeated, {rows} as source
        where {same} and reason_code is null and is_contradiction
        and source.file_id = parsed.file_id and source.line_number = parsed.line_number""")
