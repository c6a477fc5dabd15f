"""Rejecting rows because of other rows in their file: wrong units, repeated records.

Belongs here: contradictions between the rows of one file, and when they quarantine the file. Does
not belong here: contradictions within one row (`row_rules.py`); comparison with other files, other
days or the calendar (the audit's views in dbt).

Since a rule sees only one file, the same files give the same rows in whatever order they arrive.
"""

from bisect import bisect
from collections.abc import Collection, Sequence
from itertools import groupby
from math import log
from operator import itemgetter
from statistics import median

import duckdb

from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.row_rules import LEVEL_MARGIN, MAX_RAW_TEXT, WRONG_UNIT_OR_PRICE
from dagster_project.ingest.spec_sql import declared_as, two_digits
from dagster_project.market.record_kinds import identifying_columns
from dagster_project.warehouse.sql import literal
from dagster_project.warehouse.temp_table import create_temp_table

# The number of values before or after a place whose median is the level there.
NEIGHBOURS = 5
# The number of levels that a value is compared with; bounds the work for a hostile file.
_MOST_LEVELS = 8
_OFF = {"file_id": "INTEGER", "line_number": "BIGINT", "reason": "VARCHAR"}
# The number of contradicting lines that the reason names.
SHOWN_LINES = 10


def reject_levels(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, columns: Collection[str], rows: str
) -> None:
    """Reject rows whose turnover ÷ volume (or ÷ deals) is at another level than around them.

    This is for files without traded prices: indices, whole markets, and adjusted prices. Files with
    traded prices are checked row by row (`row_rules.py`). If no level holds for more than half of a
    series, all its rows are rejected.

    Args:
        columns: the columns that the files have.
        rows: SQL of the files' lines, with file_id, line_number and text.
    """
    are_traded = "security_close" in spec.records and spec.price_basis == "traded"
    if not {"trade_date", "turnover"} <= set(columns) or are_traded:
        return
    symbol = "symbol" if spec.symbol else "segment"
    for divisor in ("volume", "deals"):
        if divisor not in columns:
            continue
        rated = f"""
            select file_id, {symbol} as series, line_number, trade_date,
                {"close" if "close" in columns else "null as close"},
                turnover::DOUBLE / {divisor} as rate
            from parsed
            where (reason_code is null or reason_code = '{WRONG_UNIT_OR_PRICE}')
            and not is_duplicate and {divisor} > 0 and turnover > 0
            and file_id in (select file_id from source_file)"""
        jumping = _jumps(con, spec, divisor, rated)
        _reject(con, jumping, rows)
        if spec.price_basis != "traded" and divisor == "volume":
            _reject(con, _far_from_prices(con, spec, rated, jumping), rows)


def _jumps(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, divisor: str, rated: str
) -> list[tuple[int, int, str]]:
    """Rows at another level than those around them, as (file_id, line_number, reason)."""
    # DuckDB selects the series that jump at all; they are few, and only they are read in Python.
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
            f"turnover ÷ {divisor} is {rate:.6g}, about {about} × its level in the rows around: "
            f"{declared_as(spec, divisor, 'turnover')} is in another unit than "
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
    """Find the values of a series that are at another level than the values around them.

    A series may drift to any level, but not jump to it. A jump is a factor of `LEVEL_MARGIN` or
    more.

    Args:
        rates: positive values in order of time.

    Returns:
        One entry per value: None if it is at the main level, which more than half of the values
        have; else its factor to the main level around it. If no level has more than half of the
        values, no entry is None.
    """
    starts = [0] + [
        number
        for number in range(1, len(rates))
        if not 1 / LEVEL_MARGIN < rates[number] / rates[number - 1] < LEVEL_MARGIN
    ]
    levels: list[list[int]] = []  # the level seen last comes first
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
    """Rows of series whose turnover ÷ volume does not fit their last prices, except `jumping`.

    Adjusted prices are compared in their last rows only, because they are adjusted little or not
    at all there.

    Returns:
        (file_id, line_number, reason) of all rows of such a series.
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
            'turnover ÷ volume is about ', {two_digits("factor")},
            ' × the price in the last rows: ',
            {literal(declared_as(spec, "volume", "turnover"))},
            {literal(f" is in another unit than feeds/{spec.feed}.yaml declares")})
        from rated join level using (file_id, series)
        where factor >= {LEVEL_MARGIN} or factor <= 1 / {LEVEL_MARGIN}""").fetchall()


def _reject(
    con: duckdb.DuckDBPyConnection, found: Sequence[tuple[int, int, str]], rows: str
) -> None:
    if not found:
        return
    create_temp_table(con, "off", _OFF, found)
    con.execute(f"""
        update parsed set reason_code = '{WRONG_UNIT_OR_PRICE}', reason = off.reason,
            raw_text = source.text[:{MAX_RAW_TEXT}]
        from off, {rows} as source
        where off.file_id = parsed.file_id and off.line_number = parsed.line_number
        and source.file_id = parsed.file_id and source.line_number = parsed.line_number""")


def quarantine_wrong_units(con: duckdb.DuckDBPyConnection, spec: FeedSpec) -> dict[int, str]:
    """Quarantine files in which more than half of the rows have wrong units.

    Their rows are deleted from `parsed`, because one reason is enough for all of them.

    Returns:
        file_id -> reason of each such file.
    """
    if not {"volume", "turnover"} <= set(spec.columns):
        return {}
    found = con.execute(f"""
        select file_id, min(line_number) filter (is_wrong), arg_min(reason, line_number),
            count(*) filter (is_wrong), count(*)
        from (
            select *, reason_code is not null as is_wrong from parsed
            where reason_code = '{WRONG_UNIT_OR_PRICE}'
            or (reason_code is null and volume > 0 and turnover > 0))
        group by file_id having count(*) filter (is_wrong) * 2 > count(*)""").fetchall()
    if not found:
        return {}
    create_temp_table(con, "off", {"file_id": "INTEGER"}, [(row[0],) for row in found])
    con.execute("delete from parsed where file_id in (select file_id from off)")
    return {
        file_id: f"line {line}: {reason} (likewise in {wrong:,} of {checked:,} rows)"
        for file_id, line, reason, wrong, checked in found
    }


def reject_contradictions(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, columns: Sequence[str], rows: str
) -> None:
    """Mark identical repeats of a record in a file as duplicates, and reject contradicting rows.

    Args:
        columns: the columns of a record in `parsed`.
        rows: SQL of the files' lines, with file_id, line_number and text.
    """
    key = ["file_id", *(n for n in identifying_columns(spec.records) if n in columns)]
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
            reason = 'lines ' || repeated.lines || ' report the same record with different values',
            raw_text = source.text[:{MAX_RAW_TEXT}]
        from repeated, {rows} as source
        where {same} and reason_code is null and is_contradiction
        and source.file_id = parsed.file_id and source.line_number = parsed.line_number""")
