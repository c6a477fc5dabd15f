"""Reading a feed's files: each line becomes a typed row, a rejected row with a reason, or framing.

Belongs here: opening files, understanding their headers, counting what became of their lines.
Python looks at each file as a whole; DuckDB reads the lines of many files in one statement
(`typed_rows.py`). Does not belong here: which files to read (`changes.py`), their formats
(`read_csv.py` and its like), why a row is rejected (`row_rules.py`, `file_rules.py`), what the rows
change in raw (`warehouse/raw_tables.py`).

A line ends with a line feed, so `line_number` is the number that an editor shows. In a workbook it
is the row, and in JSON, Parquet and binary files the number of the record. For every file

    lines read = accepted + duplicate + rejected + framing.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.ingest.document import FileReadError
from dagster_project.ingest.feed_spec import TEXT_TYPES, FeedSpec, Format
from dagster_project.ingest.file_rules import quarantine_wrong_units
from dagster_project.ingest.landing import LandingFile, delivered_at
from dagster_project.ingest.read_csv import (
    check_lines,
    check_symbol_line,
    csv_header,
    read_wide,
)
from dagster_project.ingest.read_hkex_quotations import read_hkex_quotations
from dagster_project.ingest.read_hkex_stock_connect import read_hkex_stock_connect
from dagster_project.ingest.read_json import read_json
from dagster_project.ingest.read_parquet import read_parquet
from dagster_project.ingest.read_tdx_day import read_tdx_day
from dagster_project.ingest.read_workbook import XLS, read_workbook
from dagster_project.ingest.source_file import Layout, SourceFile
from dagster_project.ingest.spec_sql import EarlyClosings
from dagster_project.ingest.typed_rows import (
    SymbolCheck,
    append_typed_rows,
    canonical_symbol,
    typed_columns,
)
from dagster_project.ingest.unpack import is_packed, unpack


@dataclass(frozen=True)
class Delivery:
    """A file of landing with its content, and the file_id that its rows get."""

    file_id: int
    file: LandingFile
    content: bytes


@dataclass(frozen=True)
class FileReport:
    """What became of the lines of one file.

    A file with a `reason` is quarantined. A `remark` is reported, and rejects nothing. The trade
    dates are the first and the last of the accepted rows.
    """

    file_id: int
    lines_read: int = 0
    rows_accepted: int = 0
    rows_duplicate: int = 0
    rows_rejected: int = 0
    lines_framing: int = 0
    first_trade_date: date | None = None
    last_trade_date: date | None = None
    reason: str | None = None
    remark: str | None = None


def read_files(
    con: duckdb.DuckDBPyConnection,
    spec: FeedSpec,
    deliveries: Iterable[Delivery],
    today: date,
    check_symbol: SymbolCheck,
    early: EarlyClosings | None = None,
) -> list[FileReport]:
    """Read a batch of files of one feed into the temp table `parsed`.

    `parsed` has one row per data line of the files whose header can be understood, with the columns
    file_id, line_number, segment, the feed's canonical columns in canonical units, reason_code and
    reason (null for a good row), raw_text (of rejected rows only), is_duplicate.

    Args:
        today: rows of a later trade date are rejected.
        check_symbol: returns what is wrong with a canonical symbol, if anything.
        early: the days on which markets close early; by default none.

    Returns:
        One report per file.
    """
    reports: list[FileReport] = []
    layouts: dict[Layout, list[SourceFile]] = defaultdict(list)
    for delivery in deliveries:
        try:
            source = _open(spec, delivery, check_symbol)
        except FileReadError as error:
            lines = _lines_unread(spec, delivery.content)
            reports.append(
                FileReport(delivery.file_id, lines, rows_rejected=lines, reason=str(error))
            )
        else:
            layouts[source.layout].append(source)
    columns = ", ".join(f"{name} {type_}" for name, type_ in typed_columns(spec).items())
    con.execute(f"""
        create or replace temp table parsed (
            file_id INTEGER, line_number BIGINT, segment VARCHAR, {columns},
            reason_code VARCHAR, reason VARCHAR, raw_text VARCHAR, is_duplicate BOOLEAN)""")
    for layout, sources in layouts.items():
        of_layout = spec.variants[layout.variant]
        append_typed_rows(con, of_layout, layout, sources, today, check_symbol, early or {})
    reports += _reports(con, spec, [source for group in layouts.values() for source in group])
    con.execute("delete from parsed where reason_code = 'framing'")
    return reports


def _lines_unread(spec: FeedSpec, content: bytes) -> int:
    """The number of lines of a file that cannot be read; 0 where it is no text, or packed."""
    content = content.removesuffix(b"\n")
    is_text = spec.format.type in TEXT_TYPES and not is_packed(content)
    return _count_lines(content) if content and is_text else 0


def _count_lines(text: bytes) -> int:
    """The number of lines of a text that was stripped of its last line feed."""
    return text.count(b"\n") + 1


# --- Files: bytes become text, the header is understood ------------------------------------------


class _AnotherLayout(FileReadError):
    """The header has not the columns of the layout."""


def _open(spec: FeedSpec, delivery: Delivery, check_symbol: SymbolCheck) -> SourceFile:
    """Decode a file and find its columns, in the first of the feed's layouts that fits.

    Raises:
        FileReadError: it cannot be decoded, or is not as the feed's spec describes its files.
    """
    errors: list[FileReadError] = []
    # A feed that comes as workbooks and as text: each file can only be one of these.
    is_book = delivery.content.startswith((b"PK", XLS))
    fitting = [n for n, v in enumerate(spec.variants) if (v.format.type == "xlsx") == is_book]
    for number in fitting or range(len(spec.variants)):
        try:
            return _open_as(spec, number, delivery, check_symbol)
        except FileReadError as error:
            errors.append(error)
    # Of a layout whose columns are there more can be said than that they are not.
    raise next((error for error in errors if not isinstance(error, _AnotherLayout)), errors[0])


def _open_as(
    feed: FeedSpec, variant: int, delivery: Delivery, check_symbol: SymbolCheck
) -> SourceFile:
    spec = feed.variants[variant]
    file, content, format_ = delivery.file, delivery.content, spec.format
    delivered = symbol = None
    segment = file.placeholders.get("segment", next(iter(spec.segments)))
    open_line = None
    text = b""
    if spec.symbol and spec.symbol.file:
        delivered = file.placeholders[spec.symbol.file]
        symbol, problem = canonical_symbol(spec, delivered, check_symbol)
        if problem:
            raise FileReadError(f"{problem.reason} (from the file's name)")
    if not content.strip():
        raise FileReadError("is empty; the download may have failed, fetch it again")
    content = unpack(content, format_)
    if format_.type == "xlsx":
        document = read_workbook(content, format_)
    elif format_.type == "parquet":
        document = read_parquet(content, format_)
    elif format_.type == "tdx_day":
        document = read_tdx_day(content, format_)
    elif format_.type == "csv":
        as_delivered = _decode(content, format_)
        decoded = _with_line_feeds(as_delivered)
        has_other_line_ends = decoded is not as_delivered
        check_lines(decoded, format_)
        document = csv_header(decoded, format_)
        is_as_delivered = format_.encoding == "utf-8" and not has_other_line_ends
        text = content if is_as_delivered else decoded.encode()
        is_ended, text = text.endswith(b"\n"), text.removesuffix(b"\n")
        if b"\r" in text:
            text = re.sub(rb"\r+(?=\n|\Z)", b"", text)
        open_line = None if is_ended else _count_lines(text)
    elif format_.type == "wide_csv":
        document = read_wide(_with_line_feeds(_decode(content, format_)), format_)
    elif format_.type == "hkex_quotations":
        document = read_hkex_quotations(_decode(content, format_), format_, segment)
    elif format_.type == "hkex_stock_connect":
        document = read_hkex_stock_connect(_decode(content, format_), format_)
    else:
        document = read_json(_decode(content, format_), format_)
    layout = Layout(len(document.header), _positions(spec, document.header), variant)
    if format_.type == "csv":
        check_symbol_line(decoded, format_, delivered)
    return SourceFile(
        file_id=delivery.file_id,
        layout=layout,
        symbol=symbol,
        segment=segment,
        file_date=file.file_date,
        delivered=delivered_at(file.mtime_ns),
        header="\t".join(document.header),
        remark=_remark(spec, document.header),
        open_line=open_line,
        lines_read=_count_lines(text) if format_.type == "csv" else document.lines_read,
        lines_framing=document.lines_framing,
        text=text,
        rows=document.rows,
        can_be_empty=document.can_be_empty,
    )


def _with_line_feeds(text: str) -> str:
    """The text itself, except where carriage returns alone end its lines."""
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


def _decode(content: bytes, format_: Format) -> str:
    encoding, type_ = format_.encoding, format_.type
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileReadError(
            f"line {line}: is not {encoding} (byte {error.start}: {content[error.start]:#04x}); "
            "the file may be in another encoding or cut off"
        ) from error
    is_page = text[:200].lstrip().lower().startswith(("<!doctype", "<html"))
    if is_page and type_ != "hkex_quotations":
        raise FileReadError("line 1: is a web page, not data; the download failed, fetch it again")
    return text


def _positions(spec: FeedSpec, header: list[str]) -> tuple[tuple[str, int], ...]:
    shown = ", ".join(header)[:300]
    positions = []
    for name, delivered in spec.delivered_columns.items():
        found = header.count(delivered)
        if found > 1:
            raise FileReadError(f"line 1: column {delivered!r} appears {found} times: {shown}")
        if found:
            positions.append((name, header.index(delivered) + 1))
        elif name not in spec.optional_columns:
            raise _AnotherLayout(
                f"line 1: column {delivered!r} is missing; the header is: {shown}. If the vendor "
                f"renamed it, correct feeds/{spec.feed}.yaml"
            )
    return tuple(positions)


def _remark(spec: FeedSpec, header: list[str]) -> str | None:
    """Name the columns of a header that the spec does not mention; None if there are none."""
    known = {*spec.delivered_columns.values(), *spec.ignored_columns, ""}
    unknown = [name for name in dict.fromkeys(header) if name not in known]
    if not unknown or "*" in known:
        return None
    shown = ", ".join(map(repr, unknown))[:300]
    return (
        f"line 1: feeds/{spec.feed}.yaml does not know {shown}; if the vendor added it, add it "
        "to columns or ignored_columns"
    )


# --- Files are counted --------------------------------------------------------------------------


def _reports(
    con: duckdb.DuckDBPyConnection, spec: FeedSpec, sources: list[SourceFile]
) -> list[FileReport]:
    """Count what became of the lines of each file, and quarantine files that are of no use.

    These are files without a good row, but for those that can be empty, and files whose rows are
    mostly in other units than the spec declares.
    """
    units = quarantine_wrong_units(con, spec)
    dates = "trade_date" if "trade_date" in typed_columns(spec) else "null::DATE"
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
        accepted, duplicate, rejected, framing, first, last, line, why = counts.get(
            source.file_id, (0, 0, 0, 0, None, None, None, None)
        )
        is_empty = source.can_be_empty and not rejected and source.file_id not in units
        if accepted or is_empty:
            reports.append(
                FileReport(
                    source.file_id, source.lines_read, accepted, duplicate, rejected,
                    framing + source.lines_framing, first, last, None, source.remark,
                )
            )  # fmt: skip
            continue
        reason = "has a header but no rows; fetch it again"
        if rejected:
            reason = f"line {line}: none of its {rejected} rows can be used; the first: {why}"
        reason = units.get(source.file_id, reason)
        lines = source.lines_read
        reports.append(FileReport(source.file_id, lines, rows_rejected=lines, reason=reason))
    return reports
