"""Reading a feed's files: lines become typed rows, framing, or refused rows with a reason.

Belongs here: everything between a file's bytes and the temp table `parsed`. Python looks at each
file once (encoding, header); DuckDB looks at the lines, of many files in one statement.
Does not belong here: which files to read (`landing.py`), JSON and workbooks (`documents.py`),
why a row is refused (`judgement.py`), what the rows change (`raw.py`).

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
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from dagster_project.ingest.documents import (
    LONGEST_MESSAGE,
    Document,
    FileReadError,
    Row,
    check_lines,
    printable,
    read_json,
    read_workbook,
)
from dagster_project.ingest.feed_spec import FeedSpec, Format
from dagster_project.ingest.landing import LandingFile
from dagster_project.ingest.row_rules import (
    MAX_RAW_TEXT,
    delivered_at,
    holds_nothing,
    judge_levels,
    judge_repeats,
    problem,
    set_aside_units,
    sql_literal,
)
from dagster_project.warehouse.temp_table import create_temp_table

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
_COUNT = "DECIMAL(18,4)"


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
    """What was read of one file. With a `reason`, it is set aside; a `remark` is but told."""

    file_id: int
    lines_read: int = 0
    rows_accepted: int = 0
    rows_duplicate: int = 0
    rows_refused: int = 0
    lines_framing: int = 0
    first_trade_date: date | None = None
    last_trade_date: date | None = None
    reason: str | None = None
    remark: str | None = None


@dataclass(frozen=True)
class _Layout:
    """Where the canonical columns stand in a line: name -> 1-based position."""

    width: int
    positions: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Source:
    """A file whose header is understood. Either its text or its rows hold the data.

    `delivered` is Hong Kong time; `open_line` is the last line where no line feed ends it.
    """

    file_id: int
    layout: _Layout
    symbol: str | None
    segment: str
    file_date: date | None
    delivered: datetime | None
    header: str
    remark: str | None
    open_line: int | None
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
    open_line = None
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
        check_lines(decoded, format_)
        document = _csv_header(decoded, format_, delivered)
        text = content if format_.encoding == "utf-8" else decoded.encode()
        is_ended, text = text.endswith(b"\n"), text.removesuffix(b"\n")
        if b"\r" in text:
            text = re.sub(rb"\r+(?=\n|\Z)", b"", text)
        open_line = None if is_ended else _count_lines(text)
    else:
        document = read_json(_decode(content, format_.encoding), format_)
    return _Source(
        file_id=delivery.file_id,
        layout=_Layout(len(document.header), _positions(spec, document.header)),
        symbol=symbol,
        segment=file.placeholders.get("segment", spec.segments[0]),
        file_date=file.file_date,
        delivered=delivered_at(file.mtime_ns),
        header="\t".join(document.header),
        remark=_remark(spec, document.header),
        open_line=open_line,
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


def _remark(spec: FeedSpec, header: list[str]) -> str | None:
    """What is odd about a header that is understood: columns of which the spec says nothing."""
    known = {*spec.delivered_columns.values(), *spec.ignored_columns, ""}
    unknown = [name for name in dict.fromkeys(header) if name not in known]
    if not unknown or "*" in known:
        return None
    shown = ", ".join(map(repr, unknown))[:300]
    return (
        f"line 1: feeds/{spec.feed}.yaml does not know {shown}; if the vendor added it, name it "
        "under columns or ignored_columns"
    )


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
            select file_id, line_number, segment, file_symbol, file_date,
                delivered_at, delivered_on,
                open_line, header, text, fields, {symbol}, {values}
            from {rows} as row {join}
        ), judged as (
            select *, {problem(spec, layout.width, cells, types, today)} as problem from typed
        )
        select file_id, line_number, segment, {", ".join(types)},
            case when problem is not null then split_part(problem, ': ', 1) end as reason_code,
            case when problem is not null then problem[strpos(problem, ': ') + 2:] end as reason,
            case when problem is not null then text[:{MAX_RAW_TEXT}] end as raw_text,
            false as is_duplicate
        from judged""")
    judge_repeats(con, list(types), rows)
    judge_levels(con, spec, cells, rows)
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
                _single(pa.timestamp("s"), source.delivered and _packed_seconds(source.delivered)),
                _single(pa.date32(), source.delivered and _packed(_days(source.delivered.date()))),
                _single(pa.int32(), source.open_line and _packed(source.open_line)),
                _single_text(source.header),
                _single_text(source.text),
            ],
            names=[
                "file_id",
                "file_symbol",
                "segment",
                "file_date",
                "delivered_at",
                "delivered_on",
                "open_line",
                "header",
                "document",
            ],
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


def _packed_seconds(moment: datetime) -> bytes:
    return struct.pack("=q", (moment - datetime(1970, 1, 1)) // timedelta(seconds=1))


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
        return f"case when {is_true} then true when {holds_nothing(spec, cell)} then false end"
    if column and type_ == "VARCHAR":
        text = f"trim({cell})"
        for pattern, replacement in column.replace.items():
            text = (
                f"regexp_replace({text}, {sql_literal(pattern)}, {sql_literal(replacement)}, 'g')"
            )
        return f"case when not {holds_nothing(spec, cell)} then {text} end"
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
        cell = f"trim({cell}) || 'e{unit.exponent}'"
    if type_ == "BIGINT":
        # A cast to a whole number takes hexadecimals, and rounds.
        number = f"try_cast({cell} as {_COUNT})"
        return f"case when {number} % 1 = 0 then {number}::BIGINT end"
    return f"try_cast({cell} as {type_})"


def _create_judged_symbol(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, delivered: str, judge_symbol: SymbolJudge
) -> None:
    """Temp table `judged_symbol`: each delivered symbol is judged once, not once a row."""
    rows = []
    for (text,) in con.execute(delivered).fetchall():
        if text is not None and text.strip():
            symbol, problem = _judge_symbol(spec, text.strip(), judge_symbol)
            told = problem and printable(f"{problem.code}: {problem.reason[:LONGEST_MESSAGE]}")
            rows.append((text, symbol, told))
    columns = dict.fromkeys(("delivered", "symbol", "symbol_problem"), "VARCHAR")
    create_temp_table(con, "judged_symbol", columns, rows)


# --- Files are counted --------------------------------------------------------------------------


def _reports(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, sources: list[_Source]
) -> list[FileReport]:
    """Count what became of the lines; a file of which nothing can be used is set aside.

    So is one of which more than half comes in other units than its spec declares.
    """
    units = set_aside_units(con, spec)
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
                    framing + source.lines_framing, first, last, None, source.remark,
                )
            )  # fmt: skip
            continue
        reason = "holds a header and no rows; fetch it again"
        if refused:
            reason = f"line {line}: none of its {refused} rows can be used; the first: {why}"
        reason = units.get(source.file_id, reason)
        lines = source.lines_read
        reports.append(FileReport(source.file_id, lines, rows_refused=lines, reason=reason))
    return reports
