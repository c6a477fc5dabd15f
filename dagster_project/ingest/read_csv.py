"""Reading CSV: Python reads the header, and DuckDB splits the lines.

Belongs here: how a line is split into cells; tables with a column for each symbol, which Python
reads. Does not belong here: what cells mean (`typed_rows.py`).
"""

import csv
import re

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    PIECES_PER_MEGABYTE,
    Cell,
    Document,
    FileReadError,
    Row,
    check_number,
)
from dagster_project.ingest.feed_spec import Format
from dagster_project.warehouse.sql import literal


def check_lines(text: str, format_: Format) -> None:
    """Check that a CSV file has no more lines and cells than its format allows.

    Raises:
        FileReadError: there are more than `format.max_megabytes` stands for.
    """
    check_number(text.count("\n"), "lines", LINES_PER_MEGABYTE, format_)
    pieces = text.count("\n") + text.count(format_.delimiter)
    check_number(pieces, "cells", PIECES_PER_MEGABYTE, format_)


def csv_header(text: str, format_: Format) -> Document:
    """Read the header of a CSV file into a document without rows; DuckDB reads the rows.

    Raises:
        FileReadError: the header cannot be read.
    """
    titles = format_.title_lines
    above = titles + format_.header_lines
    lines = text.split("\n", above)[:above]
    if len(lines) <= titles:
        raise FileReadError(f"has no header below {titles} title lines; fetch it again")
    header = [name.strip() for name in _header_cells(lines[titles], titles + 1, format_.delimiter)]
    return Document(header, [], len(lines))


def read_wide(text: str, format_: Format) -> Document:
    """Read a table with a column for each symbol: each filled cell becomes a row.

    `line_number` is the number of the cell, row by row; a line with other cells than the header has
    is one row, which is rejected.

    Raises:
        FileReadError: the header lacks a column that rows keep, or has a symbol twice.
    """
    assert format_.wide
    check_lines(text, format_)
    header = csv_header(text, format_).header
    at_line = f"line {format_.title_lines + 1}"
    kept = [header.index(name) for name in format_.wide.kept if name in header]
    if len(kept) < len(format_.wide.kept):
        raise FileReadError(
            f"{at_line}: column {', '.join(format_.wide.kept)} is missing; the header is: "
            f"{', '.join(header)[:300]}"
        )
    symbols = {at: name for at, name in enumerate(header) if at not in kept and name}
    if len(set(symbols.values())) < len(symbols):
        raise FileReadError(f"{at_line}: a symbol has two columns; fetch it again")
    rows: list[Row] = []
    framing = format_.title_lines + format_.header_lines
    for line in text.removesuffix("\n").split("\n")[framing:]:
        if not line.strip():
            framing += 1
            continue
        cells = split_csv(line, format_.delimiter)
        if len(cells) != len(header):
            rows.append(Row(len(rows) + 1, line, list(cells[:1])))
            continue
        for at, symbol in symbols.items():
            if cells[at].strip() not in format_.nulls:
                found: list[Cell] = [*(cells[place] for place in kept), symbol, cells[at]]
                rows.append(Row(len(rows) + 1, format_.delimiter.join(map(str, found)), found))
    return Document([*format_.wide.kept, "symbol", format_.wide.value], rows, framing)


def split_csv(line: str, delimiter: str) -> list[str]:
    """The cells of a line; none if its quotes are malformed."""
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def check_symbol_line(text: str, format_: Format, delivered_symbol: str | None) -> None:
    """Check that the `symbol_line` of the header repeats the symbol in the file's name.

    Raises:
        FileReadError: it names another.
    """
    if format_.symbol_line is None:
        return
    at = format_.title_lines + format_.symbol_line
    lines = text.split("\n", at)
    cells = _header_cells(lines[at - 1], at, format_.delimiter) if at <= len(lines) else []
    named = {cell.strip() for cell in cells[1:]}
    if named != {delivered_symbol}:
        raise FileReadError(
            f"line {at}: names {', '.join(sorted(named)) or 'no symbol'}, but the file is "
            f"named for {delivered_symbol}; it may contain another symbol's prices"
        )


def _header_cells(line: str, line_number: int, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise FileReadError(
            f"line {line_number}: is not a header ({error}); it begins: {line[:80]}"
        ) from error


def split_line(delimiter: str) -> str:
    """SQL: the cells of the line `text`; null if its quotes are malformed.

    The slower rules for quotes are only applied to lines with a quote. A cell cannot contain a line
    feed.
    """
    comma = re.escape(delimiter)
    line = f"{literal(delimiter)} || text"
    cell = f'{comma} *("(?:[^"]|"")*") *|{comma}([^"{comma}]*)'
    return f"""case
        when not contains(text, '"') then string_split(text, {literal(delimiter)})
        when regexp_full_match({line}, {literal(f"(?:{cell})*")}) then list_transform(
            regexp_extract_all({line}, {literal(cell)}),
            lambda found: case when contains(found, '"')
                then replace(trim(found[2:])[2:-2], '""', '"') else found[2:] end)
        end"""
