"""Reading CSV: Python reads the header, and DuckDB splits the lines.

Belongs here: how a line is split into cells. Does not belong here: what cells mean
(`typed_rows.py`).
"""

import csv
import re

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    PIECES_PER_MEGABYTE,
    Document,
    FileReadError,
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
