"""Reading a feed's files: lines become typed rows, framing, or refused rows with a reason.

Belongs here: everything between a file's bytes and the temp table `parsed`. Python looks at each
file once (encoding, header); DuckDB looks at the lines, of many files in one statement.
Does not belong here: which files to read (`landing.py`), JSON and workbooks (`documents.py`),
what the rows change (`raw.py`).

A line is what stands between two line feeds, so `line_number` is what an editor shows; in a
workbook it is the row, in JSON the number of a record in its list. For every file

    lines read = accepted + duplicate + refused + framing.
"""

import csv
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from dagster_project.documents import Document, FileReadError, Row, read_json, read_workbook
from dagster_project.feed import CURRENCIES, FeedSpec, Format
from dagster_project.landing import LandingFile
from dagster_project.temp_table import create_temp_table

FIRST_DATE = date(1900, 1, 1)
# How far beyond high and low a close may lie by rounding alone: indices come at two to four
# decimals, and one line mixes them; prices are exact to a fraction of the smallest tick.
ROUNDING = {"points": "0.0015", "currency": "0.0001"}
MAX_RAW_TEXT = 4000

# What a column of `parsed` holds; the other numbers are prices or rates.
_TYPES = {
    "symbol": "VARCHAR",
    "name": "VARCHAR",
    "industry": "VARCHAR",
    "currency": "VARCHAR",
    "broker": "VARCHAR",
    "event": "VARCHAR",
    "basket": "VARCHAR",
    "what": "VARCHAR",
    "trade_date": "DATE",
    "is_half_day": "BOOLEAN",
    "volume": "BIGINT",
    "deals": "BIGINT",
    "turnover": "DECIMAL(18,2)",
    "change_pct": "DOUBLE",
}
_PRICE = "DECIMAL(18,6)"
# Columns that tell the records of a file apart, where it has them.
_KEYS = ("symbol", "trade_date", "broker", "event", "basket")


@dataclass(frozen=True)
class SymbolProblem:
    """Why rows of a symbol are refused."""

    code: str
    reason: str


SymbolJudge = Callable[[str], SymbolProblem | None]


@dataclass(frozen=True)
class Delivery:
    """A file of landing, what it holds, and the number that its rows will carry."""

    file_id: int
    file: LandingFile
    content: bytes


@dataclass(frozen=True)
class FileReport:
    """What was read of one file. With a `reason`, it is set aside."""

    file_id: int
    lines_read: int = 0
    rows_accepted: int = 0
    rows_duplicate: int = 0
    rows_refused: int = 0
    lines_framing: int = 0
    first_trade_date: date | None = None
    last_trade_date: date | None = None
    reason: str | None = None


@dataclass(frozen=True)
class _Layout:
    """Where the canonical columns stand in a line: name -> 1-based position."""

    width: int
    positions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Source:
    """A file whose header is understood. Either its text or its rows hold the data."""

    file_id: int
    layout: _Layout
    symbol: str | None
    segment: str
    file_date: date | None
    header: str
    lines_read: int
    lines_framing: int
    text: bytes
    rows: list[Row]


def read_files(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    deliveries: Iterable[Delivery],
    today: date,
    judge_symbol: SymbolJudge,
) -> list[FileReport]:
    """Read a batch of files of one feed into temp table `parsed`.

    Args:
        today: rows of a later trade date are refused.
        judge_symbol: what is wrong with a canonical symbol, if anything.

    Returns:
        One report a file. `parsed` holds one row a data line of the files whose header is
        understood: file_id, line_number, segment, the feed's canonical columns in canonical
        units, reason_code and reason (null where the row is good), raw_text (refused rows only),
        is_duplicate.
    """
    reports: list[FileReport] = []
    layouts: dict[_Layout, list[_Source]] = defaultdict(list)
    for delivery in deliveries:
        try:
            source = _open(spec, delivery, judge_symbol)
        except FileReadError as error:
            content = delivery.content.removesuffix(b"\n")
            lines = _count_lines(content) if content and spec.format.type != "xlsx" else 0
            reports.append(
                FileReport(delivery.file_id, lines, rows_refused=lines, reason=str(error))
            )
        else:
            layouts[source.layout].append(source)
    columns = ", ".join(f"{name} {type_}" for name, type_ in _typed_columns(spec).items())
    con.execute(f"""
        create or replace temp table parsed (
            file_id INTEGER, line_number BIGINT, segment VARCHAR, {columns},
            reason_code VARCHAR, reason VARCHAR, raw_text VARCHAR, is_duplicate BOOLEAN)""")
    for layout, sources in layouts.items():
        _parse(con, spec, layout, sources, today, judge_symbol)
    reports += _reports(con, spec, [source for group in layouts.values() for source in group])
    con.execute("delete from parsed where reason_code = 'framing'")
    return reports


def _count_lines(text: bytes) -> int:
    """Of a text without its last line feed."""
    return text.count(b"\n") + 1


# --- Files: bytes become text, the header is understood ------------------------------------------


def _open(spec: FeedSpec, delivery: Delivery, judge_symbol: SymbolJudge) -> _Source:
    """Look at a file as a whole.

    Raises:
        FileReadError: it cannot be read, or holds something else than its feed's files do.
    """
    file, content, format_ = delivery.file, delivery.content, spec.format
    delivered = symbol = None
    text = b""
    if spec.symbol and spec.symbol.file:
        delivered = file.placeholders[spec.symbol.file]
        symbol, problem = _judge_symbol(spec, delivered, judge_symbol)
        if problem:
            raise FileReadError(f"{problem.reason} (it is in the file's name)")
    if not content.strip():
        raise FileReadError("is empty; the download may have failed, fetch it again")
    if format_.type == "xlsx":
        document = read_workbook(content, format_)
    elif format_.type == "csv":
        decoded = _decode(content, format_.encoding)
        document = _csv_header(decoded, format_, delivered)
        text = content if format_.encoding == "utf-8" else decoded.encode()
        text = text.removesuffix(b"\n")
        if b"\r" in text:
            text = re.sub(rb"\r+(?=\n|\Z)", b"", text)
    else:
        document = read_json(_decode(content, format_.encoding), format_)
    return _Source(
        file_id=delivery.file_id,
        layout=_Layout(len(document.header), _positions(spec, document.header)),
        symbol=symbol,
        segment=file.placeholders.get("segment", spec.segments[0]),
        file_date=file.file_date,
        header="\t".join(document.header),
        lines_read=_count_lines(text) if format_.type == "csv" else document.lines_read,
        lines_framing=document.lines_framing,
        text=text,
        rows=document.rows,
    )


def _judge_symbol(
    spec: FeedSpec, delivered: str, judge_symbol: SymbolJudge
) -> tuple[str | None, SymbolProblem | None]:
    """The canonical symbol of a delivered one, and what is wrong with it."""
    symbol = spec.symbol.canonical(delivered) if spec.symbol else None
    if symbol is None:
        return None, SymbolProblem(
            "unknown_symbol",
            f"symbol {delivered!r} is not in the map of feed {spec.feed}; add it to symbol.map "
            f"in feeds/{spec.feed}.yaml",
        )
    return symbol, judge_symbol(symbol)


def _decode(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileReadError(
            f"line {line}: is not {encoding} (byte {error.start}: {content[error.start]:#04x}); "
            "the file may be in another encoding or cut off"
        ) from error
    if text[:200].lstrip().lower().startswith(("<!doctype", "<html")):
        raise FileReadError("line 1: is a web page, not data; the download failed, fetch it again")
    return text


def _csv_header(text: str, format_: Format, delivered_symbol: str | None) -> Document:
    """The header of a CSV file; its rows are left to DuckDB."""
    lines = text.split("\n", format_.header_lines)[: format_.header_lines]
    header = [name.strip() for name in _header_cells(lines[0], 1, format_.delimiter)]
    at = format_.symbol_line
    if at and at <= len(lines):
        cells = _header_cells(lines[at - 1], at, format_.delimiter)
        named = {cell.strip() for cell in cells[1:]}
        if named != {delivered_symbol}:
            raise FileReadError(
                f"line {at}: names {', '.join(sorted(named)) or 'no symbol'}, not the "
                f"{delivered_symbol} of the file's name; it may hold another symbol's prices"
            )
    return Document(header, [], len(lines))


def _header_cells(line: str, line_number: int, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise FileReadError(
            f"line {line_number}: is no header ({error}); it begins: {line[:80]}"
        ) from error


def _positions(spec: FeedSpec, header: list[str]) -> tuple[tuple[str, int], ...]:
    shown = ", ".join(header)[:300]
    positions = []
    for name, delivered in spec.delivered_columns.items():
        found = header.count(delivered)
        if found > 1:
            raise FileReadError(f"line 1: column {delivered!r} stands {found} times: {shown}")
        if found:
            positions.append((name, header.index(delivered) + 1))
        elif name not in spec.optional_columns:
            raise FileReadError(
                f"line 1: column {delivered!r} is missing; the header is: {shown}. If the vendor "
                f"renamed it, correct feeds/{spec.feed}.yaml"
            )
    return tuple(positions)


# --- Lines: cells become typed values ------------------------------------------------------------


def _typed_columns(spec: FeedSpec) -> dict[str, str]:
    """Canonical column -> DuckDB type of `parsed`."""
    names = dict.fromkeys([*(["symbol"] if spec.symbol else []), *spec.columns])
    types = {name: _TYPES.get(name, _PRICE) for name in names}
    return types | {f"rate_{currency}": _PRICE for currency in spec.rates}


def _parse(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    layout: _Layout,
    sources: list[_Source],
    today: date,
    judge_symbol: SymbolJudge,
) -> None:
    """Append the typed and judged rows of all files of one layout to `parsed`."""
    con.register("source_file", _source_files(sources))
    if spec.format.type == "csv":
        rows = f"""(
            select *, {_split(spec.format.delimiter)} as fields from (
                select * exclude (lines), unnest(range(1, len(lines) + 1)) as line_number,
                    unnest(lines) as text
                from (select * exclude (document), string_split(document, chr(10)) as lines
                      from source_file))
            where line_number > {spec.format.header_lines})"""
    else:
        create_temp_table(
            con, "source_row",
            {"file_id": "INTEGER", "line_number": "BIGINT", "text": "VARCHAR",
             "fields": "VARCHAR[]"},
            [(s.file_id, row.line_number, row.text, row.cells) for s in sources for row in s.rows],
        )  # fmt: skip
        rows = "(from source_row join source_file using (file_id))"
    cells = {name: f"fields[{position}]" for name, position in layout.positions}
    types = _typed_columns(spec)
    if spec.symbol and spec.symbol.column:
        _create_judged_symbol(
            con, spec, f"select distinct {cells['symbol']} from {rows}", judge_symbol
        )
        symbol = "judged_symbol.symbol, symbol_problem"
        join = f"left join judged_symbol on judged_symbol.delivered = {cells['symbol']}"
    else:
        symbol, join = "file_symbol as symbol", ""
    values = ", ".join(
        f"{_value(spec, name, cells.get(name), type_)} as {name}"
        for name, type_ in types.items()
        if name != "symbol"
    )
    con.execute(f"""
        insert into parsed by name
        with typed as (
            select file_id, line_number, segment, file_symbol, file_date, header, text, fields,
                {symbol}, {values}
            from {rows} as row {join}
        ), judged as (
            select *, {_problem(spec, layout, cells, types, today)} as problem from typed
        )
        select file_id, line_number, segment, {", ".join(types)},
            case when problem is not null then split_part(problem, ': ', 1) end as reason_code,
            case when problem is not null then problem[strpos(problem, ': ') + 2:] end as reason,
            case when problem is not null then text[:{MAX_RAW_TEXT}] end as raw_text,
            false as is_duplicate
        from judged""")
    _judge_repeats(con, spec, rows)
    con.execute("drop table if exists temp.source_row")
    con.unregister("source_file")


def _source_files(sources: list[_Source]) -> pa.Table:
    """What is known of each file, and its text without a copy.

    A record batch a file lets all threads of DuckDB take part. Made from buffers, since
    `pyarrow.array` would import pandas, which takes longer than a night's files.
    """
    return pa.Table.from_batches(
        pa.RecordBatch.from_arrays(
            [
                _single(pa.int32(), _packed(source.file_id)),
                _single_text(source.symbol),
                _single_text(source.segment),
                _single(pa.date32(), source.file_date and _packed(_days(source.file_date))),
                _single_text(source.header),
                _single_text(source.text),
            ],
            names=["file_id", "file_symbol", "segment", "file_date", "header", "document"],
        )
        for source in sources
    )


def _single(type_: pa.DataType, value: bytes | None) -> pa.Array:
    return (
        pa.nulls(1, type_)
        if value is None
        else pa.Array.from_buffers(type_, 1, [None, pa.py_buffer(value)])
    )


def _single_text(value: str | bytes | None) -> pa.Array:
    if value is None:
        return pa.nulls(1, pa.string())
    data = value.encode() if isinstance(value, str) else value
    return pa.StringArray.from_buffers(1, pa.py_buffer(_packed(0, len(data))), pa.py_buffer(data))


def _packed(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}i", *numbers)


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _split(delimiter: str) -> str:
    """SQL: the cells of a line, null where its quotes do not pair.

    Only lines with a quote pay for the quoting rules of CSV. No cell goes over several lines.
    """
    comma = re.escape(delimiter)
    line = f"{sql_literal(delimiter)} || text"
    cell = f'{comma} *("(?:[^"]|"")*") *|{comma}([^"{comma}]*)'
    return f"""case
        when not contains(text, '"') then string_split(text, {sql_literal(delimiter)})
        when regexp_full_match({line}, {sql_literal(f"(?:{cell})*")}) then list_transform(
            regexp_extract_all({line}, {sql_literal(cell)}),
            lambda found: case when contains(found, '"')
                then replace(trim(found[2:])[2:-2], '""', '"') else found[2:] end)
        end"""


def _value(spec: FeedSpec, name: str, cell: str | None, type_: str) -> str:
    """SQL: a cell in its canonical type and unit; null where it holds nothing of the kind."""
    if cell is None:
        return f"null::{type_}"
    column = spec.columns.get(name)
    if column and name == "trade_date":
        return f"try_strptime(trim({cell}), {sql_literal(column.format or '')})::DATE"
    if column and name == "is_half_day":
        is_true = f"trim({cell}) = {sql_literal(column.truth or '')}"
        return f"case when {is_true} then true when {_holds_nothing(spec, cell)} then false end"
    if column and type_ == "VARCHAR":
        text = f"trim({cell})"
        for pattern, replacement in column.replace.items():
            text = (
                f"regexp_replace({text}, {sql_literal(pattern)}, {sql_literal(replacement)}, 'g')"
            )
        return f"case when not {_holds_nothing(spec, cell)} then {text} end"
    thousands = spec.format.thousands
    if thousands:
        grouped = rf"\s*-?\d{{1,3}}({re.escape(thousands)}\d{{3}})*(\.\d+)?\s*"
        cell = (
            f"case when not contains({cell}, {sql_literal(thousands)}) then {cell} "
            f"when regexp_full_match({cell}, {sql_literal(grouped)}) "
            f"then replace({cell}, {sql_literal(thousands)}, '') end"
        )
    unit = column.parsed_unit if column else None
    if unit and unit.dimension == "percent":
        return f"try_cast(try_cast(rtrim({cell}, '% ') as {_PRICE}) as DOUBLE)"
    if unit and unit.exponent:
        # Exact, where a product of decimals overflows and one of doubles is rounded.
        return f"try_cast(trim({cell}) || 'e{unit.exponent}' as {type_})"
    return f"try_cast({cell} as {type_})"


def _holds_nothing(spec: FeedSpec, cell: str) -> str:
    # `in (…)` would become a join, which every good row pays for too.
    tokens = "|".join(map(re.escape, spec.format.nulls))
    return f"coalesce(regexp_full_match(trim({cell}), {sql_literal(tokens)}), true)"


def _create_judged_symbol(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, delivered: str, judge_symbol: SymbolJudge
) -> None:
    """Temp table `judged_symbol`: each delivered symbol is judged once, not once a row."""
    rows = []
    for (text,) in con.execute(delivered).fetchall():
        if text is not None and text.strip():
            symbol, problem = _judge_symbol(spec, text.strip(), judge_symbol)
            rows.append((text, symbol, f"{problem.code}: {problem.reason}" if problem else None))
    columns = dict.fromkeys(("delivered", "symbol", "symbol_problem"), "VARCHAR")
    create_temp_table(con, "judged_symbol", columns, rows)


# --- Rows are judged -----------------------------------------------------------------------------


def _problem(
    spec: FeedSpec, layout: _Layout, cells: dict[str, str], types: dict[str, str], today: date
) -> str:
    """SQL: null for a good row, else `code: what is wrong, and what to do`, or `framing: `.

    The first trouble counts. A condition that costs much comes after one that seldom holds.
    """
    kinds = set(spec.records)
    troubles: list[str] = []

    def refuse(condition: str, code: str, *message: str, only_if: str | None = None) -> None:
        text = ", ".join([sql_literal(f"{code}: "), *message])
        trouble = f"case when {condition} then concat({text}) end"
        troubles.append(f"case when {only_if} then {trouble} end" if only_if else trouble)

    def shown(cell: str) -> str:
        return f"chr(39) || left(coalesce({cell}, ''), 80) || chr(39)"

    odd_width = f"len(fields) is distinct from {layout.width}"
    refuse("trim(text) = ''", "framing", only_if=odd_width)
    refuse("fields is null", "broken_quotes", "'its quotes do not pair'", only_if=odd_width)
    refuse(
        odd_width, "field_count", f"'{layout.width} cells are expected, '", "len(fields)",
        "' are there; the line may be cut off or its columns shifted'",
    )  # fmt: skip
    if spec.format.repeated_header:
        shown_cells = "list_transform(fields, lambda cell: coalesce(trim(cell), ''))"
        refuse(f"array_to_string({shown_cells}, chr(9)) = header", "framing")
    if kinds & {"index_close", "security_close"}:
        needed, missing = "close is null", "close"
    elif "market_turnover" in kinds:
        needed, missing = "turnover is null", "turnover"
    elif "broker_target" in kinds:
        needed, missing = "target is null or broker is null", "target, or no broker"
    elif "market_event" in kinds:
        needed, missing = "event is null or basket is null", "event, or no basket"
    elif spec.rates:
        needed = " and ".join(f"rate_{currency} is null" for currency in spec.rates)
        missing = "rate"
    else:
        needed, missing = "symbol is null", "symbol"
    filled = f"len(list_filter(fields, lambda cell: not {_holds_nothing(spec, 'cell')}))"
    refuse(f"{filled} <= 1", "framing", only_if=needed)

    if "trade_date" in cells:
        format_ = sql_literal(spec.columns["trade_date"].format or "")
        refuse(
            "trade_date is null", "bad_date", shown(cells["trade_date"]),
            "' is no date of the form '", format_,
        )  # fmt: skip
        refuse(f"trade_date < '{FIRST_DATE}'::DATE", "bad_date", "trade_date", "' is too long ago'")
        refuse(
            f"trade_date > '{today}'::DATE", "future_date", "trade_date",
            "' lies in the future; the file is read again once that day has come'",
        )  # fmt: skip
        if "date" in spec.placeholders:
            refuse(
                "trade_date <> file_date", "wrong_date", "'the row is of '", "trade_date",
                "', the file is named for '", "file_date",
            )  # fmt: skip
    if "symbol" in cells:
        troubles.append("symbol_problem")
        refuse("symbol is null", "unknown_symbol", "'the row has no symbol'")
        if spec.symbol and spec.symbol.file:
            refuse(
                "symbol <> file_symbol", "wrong_symbol", "'the row is of '", shown(cells["symbol"]),
                "', the file is named for '", "file_symbol",
            )  # fmt: skip
    for name, cell in cells.items():
        if types[name] not in {"VARCHAR", "DATE"}:
            refuse(
                f"not {_holds_nothing(spec, cell)}", "bad_number",
                sql_literal(f"column {spec.delivered_columns[name]!r} holds "), shown(cell),
                "', which is nothing that its spec declares'", only_if=f"{name} is null",
            )  # fmt: skip
    refuse(needed, "missing_value", f"'the row has no {missing}'")

    if "currency" in cells:
        known = ", ".join(map(sql_literal, sorted(CURRENCIES)))
        refuse(
            f"currency is null or currency not in ({known})", "unknown_currency",
            shown(cells["currency"]), sql_literal(f" is none of the currencies {known}"),
        )  # fmt: skip
    prices = {"open", "high", "low", "close", "previous_close", "target"}
    for name in cells:
        if name in prices or name.startswith("rate_"):
            refuse(f"{name} <= 0", "not_positive", f"'{name} is '", name)
        elif name in {"volume", "turnover", "deals"}:
            refuse(f"{name} < 0", "negative", f"'{name} is '", name)
    if {"high", "low"} <= cells.keys():
        refuse(
            "low > high", "high_below_low", "'high '", "high", "' lies below low '", "low",
            "'; columns may be swapped'",
        )  # fmt: skip
    if "close" in cells:
        rounding = ROUNDING[spec.columns["close"].parsed_unit.dimension]
        for name, sign, word in (("high", "+", "above"), ("low", "-", "below")):
            if name in cells:
                comparison = ">" if sign == "+" else "<"
                refuse(
                    f"close {comparison} {name} {sign} {rounding}", "close_out_of_range",
                    "'close '", "close", f"' lies {word} {name} '", name,
                )  # fmt: skip
    return f"coalesce({', '.join(troubles)})"


def _judge_repeats(con: duckdb.DuckDBPyConnection, spec: FeedSpec, rows: str) -> None:
    """Identical repeats of a record inside a file count once; contradictions are refused."""
    key = ["file_id", *(name for name in _KEYS if name in _typed_columns(spec))]
    same = " and ".join(f"parsed.{name} = repeated.{name}" for name in key)
    con.execute(f"""
        create or replace temp table repeated as
        select {", ".join(key)}, min(line_number) as first_line,
            count(distinct ({", ".join(_typed_columns(spec))})) > 1 as is_contradiction,
            string_agg(line_number, ', ' order by line_number) as lines
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


def _reports(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, sources: list[_Source]
) -> list[FileReport]:
    """Count what became of the lines; a file of which nothing can be used is set aside."""
    dates = "trade_date" if "trade_date" in spec.columns else "null::DATE"
    counts = {
        file_id: counted
        for file_id, *counted in con.execute(f"""
            select file_id,
                count(*) filter (where reason_code is null and not is_duplicate),
                count(*) filter (where is_duplicate),
                count(*) filter (where reason_code <> 'framing'),
                count(*) filter (where reason_code = 'framing'),
                min({dates}) filter (where reason_code is null),
                max({dates}) filter (where reason_code is null),
                min(line_number) filter (where reason_code <> 'framing'),
                arg_min(reason, line_number) filter (where reason_code <> 'framing')
            from parsed group by file_id""").fetchall()
    }
    reports = []
    for source in sources:
        accepted, duplicate, refused, framing, first, last, line, why = counts.get(
            source.file_id, (0, 0, 0, 0, None, None, None, None)
        )
        if accepted:
            reports.append(
                FileReport(
                    source.file_id, source.lines_read, accepted, duplicate, refused,
                    framing + source.lines_framing, first, last,
                )
            )  # fmt: skip
            continue
        reason = "holds a header and no rows; fetch it again"
        if refused:
            reason = f"line {line}: none of its {refused} rows can be used; the first: {why}"
        lines = source.lines_read
        reports.append(FileReport(source.file_id, lines, rows_refused=lines, reason=reason))
    return reports


def sql_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
