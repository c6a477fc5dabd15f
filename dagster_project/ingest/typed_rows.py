"""Lines become typed rows: DuckDB splits, types and validates many files in one statement.

Belongs here: how a cell becomes a value in its canonical unit, and filling the temp table `parsed`.
Does not belong here: encodings and headers (`reader.py`), why a row is rejected (`row_rules.py`,
`file_rules.py`).
"""

import re
from collections.abc import Callable
from datetime import date

import duckdb

from dagster_project.ingest.document import LONGEST_MESSAGE
from dagster_project.ingest.feed_column import EPOCH
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.file_rules import reject_contradictions, reject_levels
from dagster_project.ingest.read_csv import split_line
from dagster_project.ingest.row_rules import IGNORED, MAX_RAW_TEXT, rejection_reason
from dagster_project.ingest.source_file import Layout, SourceFile, source_table
from dagster_project.ingest.spec_sql import EarlyClosings, holds_nothing, segment_code
from dagster_project.market.printable import printable
from dagster_project.market.record_kinds import COLUMNS, COUNT, PRICE
from dagster_project.market.symbols import SymbolProblem
from dagster_project.warehouse.sql import literal
from dagster_project.warehouse.temp_table import create_temp_table

SymbolCheck = Callable[[str], SymbolProblem | None]


def typed_columns(spec: FeedSpec) -> dict[str, str]:
    """The feed's columns in `parsed`: canonical name -> DuckDB type."""
    from_name = [*(["symbol"] if spec.symbol else []), *["trade_date"] * spec.is_dated_by_name]
    names = dict.fromkeys([*from_name, *spec.columns])
    types = {name: COLUMNS[name].type for name in names}
    return types | {f"rate_{currency}": PRICE for currency in spec.rates}


def append_typed_rows(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    layout: Layout,
    sources: list[SourceFile],
    today: date,
    check_symbol: SymbolCheck,
    early: EarlyClosings,
) -> None:
    """Append the rows of all files of one layout to `parsed`, with the reasons to reject them."""
    con.register("source_file", source_table(sources))
    rows = _source_rows(con, spec, sources)
    cells = {name: f"fields[{position}]" for name, position in layout.positions}
    segment_cell = cells.pop("segment", None)
    types = typed_columns(spec)
    if spec.symbol and spec.symbol.column:
        _create_known_symbol(
            con, spec, f"select distinct {cells['symbol']} from {rows}", check_symbol
        )
        symbol = "known_symbol.symbol, symbol_problem"
        join = f"left join known_symbol on known_symbol.delivered = {cells['symbol']}"
    else:
        symbol, join = "file_symbol as symbol", ""
    values = ", ".join(
        f"{_value(spec, name, cells.get(name), type_)} as {name}"
        for name, type_ in types.items()
        if name != "symbol"
    )
    reason = rejection_reason(spec, layout.width, cells, types, today, early, segment_cell)
    con.execute(f"""
        insert into parsed by name
        with typed as (
            select file_id, line_number, {_segment(spec, segment_cell)} as segment,
                file_symbol, file_date,
                delivered_at, delivered_on,
                open_line, header, text, fields, {symbol}, {values}
            from {rows} as row {join}
        ), checked as (
            select *, {reason} as problem from typed
        )
        select file_id, line_number, segment, {", ".join(types)},
            case when problem is not null then split_part(problem, ': ', 1) end as reason_code,
            case when problem is not null then problem[strpos(problem, ': ') + 2:] end as reason,
            case when problem is not null then text[:{MAX_RAW_TEXT}] end as raw_text,
            false as is_duplicate
        from checked""")
    known = [*types, *["segment"] * (spec.segment is not None)]
    reject_contradictions(con, spec, known, rows)
    reject_levels(con, spec, cells, rows)
    con.execute("drop table if exists temp.source_row")
    con.unregister("source_file")


def _source_rows(con: duckdb.DuckDBPyConnection, spec: FeedSpec, sources: list[SourceFile]) -> str:
    """SQL: the data lines of the files in `source_file`, with `line_number`, `text`, `fields`."""
    if spec.format.type == "csv":
        return f"""(
            select *, {split_line(spec.format.delimiter)} as fields from (
                select * exclude (lines), unnest(range(1, len(lines) + 1)) as line_number,
                    unnest(lines) as text
                from (select * exclude (document), string_split(document, chr(10)) as lines
                      from source_file))
            where line_number > {spec.format.title_lines + spec.format.header_lines})"""
    create_temp_table(
        con, "source_row",
        {"file_id": "INTEGER", "line_number": "BIGINT", "text": "VARCHAR", "fields": "VARCHAR[]"},
        [(s.file_id, row.line_number, row.text, row.cells) for s in sources for row in s.rows],
    )  # fmt: skip
    return "(from source_row join source_file using (file_id))"


def _segment(spec: FeedSpec, cell: str | None) -> str:
    """SQL: the segment of a row, from its own cell or from the file; null if it is not known."""
    if spec.segment is None:
        return "segment"
    cases = (f"when {literal(code)} then {literal(to)}" for code, to in spec.segment.map.items())
    return f"case {segment_code(cell or '')} {' '.join(cases)} end"


def _value(spec: FeedSpec, name: str, cell: str | None, type_: str) -> str:
    """SQL: a cell in its canonical type and unit; null if the cell holds no such value."""
    if cell is None:
        is_from_name = name == "trade_date" and spec.is_dated_by_name
        return "file_date" if is_from_name else f"null::{type_}"
    column = spec.columns.get(name)
    if column and type_ == "TIME":
        return f"try_strptime(trim({cell}), {literal(column.format or '')})::TIME"
    if column and type_ == "DATE":
        if column.format == EPOCH:
            # Hong Kong and the mainland are eight hours ahead, all year. Seconds have ten digits;
            # what has more counts something else.
            seconds = f"case when abs(try_cast({cell} as BIGINT)) < 1e11 then {cell}::BIGINT end"
            return f"epoch_ms(1000 * ({seconds} + 8 * 3600))::DATE"
        return f"try_strptime(trim({cell}), {literal(column.format or '')})::DATE"
    if column and type_ == "BOOLEAN":
        is_true = f"trim({cell}) = {literal(column.truth or '')}"
        is_false = holds_nothing(spec, cell, name)
        if column.falsehood:
            is_false += f" or trim({cell}) = {literal(column.falsehood)}"
        return f"case when {is_true} then true when {is_false} then false end"
    if column and type_ == "VARCHAR":
        # Some vendors end a name with a NUL, or begin it with a byte order mark.
        text = rf"nullif(trim(regexp_replace({cell}, '[\p{{Cc}}\p{{Cf}}]', '', 'g')), '')"
        for pattern, replacement in column.replace.items():
            text = f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}, 'g')"
        return f"case when not {holds_nothing(spec, cell, name)} then {text} end"
    if column and column.nulls:
        cell = f"case when not {holds_nothing(spec, cell, name)} then {cell} end"
    thousands = spec.format.thousands
    if thousands:
        grouped = rf"\s*-?\d{{1,3}}({re.escape(thousands)}\d{{3}})*(\.\d+)?\s*"
        cell = (
            f"case when not contains({cell}, {literal(thousands)}) then {cell} "
            f"when regexp_full_match({cell}, {literal(grouped)}) "
            f"then replace({cell}, {literal(thousands)}, '') end"
        )
    for letter, exponent in spec.format.magnitudes.items():
        number = f"rtrim(rtrim({cell})[:-2])"
        cell = (
            f"case when ends_with(rtrim({cell}), {literal(letter)}) "
            rf"and regexp_full_match({number}, '\s*[-+]?[0-9.]+') "
            f"then {number} || 'e{exponent}' else {cell} end"
        )
    unit = column.parsed_unit if column else None
    if unit and unit.dimension == "percent":
        number = f"rtrim({cell}, '% ')" + (f" || 'e{unit.exponent}'" if unit.exponent else "")
        return f"try_cast(try_cast({number} as {PRICE}) as DOUBLE)"
    if unit and unit.exponent:
        # This is exact. A product of decimals could overflow, and one of doubles would be rounded.
        mantissa = r"^\s*([-+]?[0-9]*\.?[0-9]*)e[-+]?[0-9]+\s*$"
        cell = f"""case when contains(lower({cell}), 'e')
            then regexp_extract(lower({cell}), '{mantissa}', 1) || 'e'
                || (try_cast(split_part(lower({cell}), 'e', 2) as INTEGER) + {unit.exponent})
            else trim({cell}) || 'e{unit.exponent}' end"""
    if type_ == "BIGINT":
        # A direct cast to a whole number would accept hexadecimal digits, and round.
        number = f"try_cast({cell} as {COUNT})"
        return f"case when {number} % 1 = 0 then {number}::BIGINT end"
    return f"try_cast({cell} as {type_})"


def _create_known_symbol(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, delivered: str, check_symbol: SymbolCheck
) -> None:
    """Create the temp table `known_symbol`, so that each symbol is checked once, not in each row.

    Args:
        delivered: SQL of the symbols as the files have them.
    """
    rows: list[tuple[str, str | None, str | SymbolProblem | None]] = []
    for (text,) in con.execute(delivered).fetchall():
        if text is not None and text.strip():
            if spec.symbol and spec.symbol.ignores(text.strip()):
                rows.append((text, None, IGNORED))
                continue
            symbol, problem = canonical_symbol(spec, text.strip(), check_symbol)
            message = problem and printable(f"{problem.code}: {problem.reason[:LONGEST_MESSAGE]}")
            rows.append((text, symbol, message))
    columns = dict.fromkeys(("delivered", "symbol", "symbol_problem"), "VARCHAR")
    create_temp_table(con, "known_symbol", columns, rows)


def canonical_symbol(
    spec: FeedSpec, delivered: str, check_symbol: SymbolCheck
) -> tuple[str | None, SymbolProblem | None]:
    """The canonical symbol of a delivered one, and what is wrong with it, if anything."""
    symbol = spec.symbol.canonical(delivered) if spec.symbol else None
    if symbol is None:
        return None, SymbolProblem(
            "unknown_symbol",
            f"symbol {delivered!r} is not in the map of feed {spec.feed}; add it to symbol.map "
            f"in feeds/{spec.feed}.yaml",
        )
    return symbol, check_symbol(symbol)
