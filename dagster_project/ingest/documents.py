"""Files that are no lines of text: JSON and workbooks become a header and rows of cells.

Belongs here: walking one document in plain Python, cell by cell, without judging what cells mean;
how much any one file may hold. Does not belong here: CSV, types, units, reasons to refuse a row
(`reader.py`).

Such files are small (`format.max_megabytes` in their specs); the many and large ones are CSV.
A few bytes can ask for any number of rows, cells or letters, so these are counted before they are
kept: reading a file takes memory in proportion to `max_megabytes`, whatever it holds.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import openpyxl

from dagster_project.ingest.feed_spec import Format

Cell = str | None


# For each megabyte that `format.max_megabytes` allows. A real line has more than 40 bytes; a real
# cell, JSON value or XML tag more than 5.
LINES_PER_MEGABYTE = 25_000
PIECES_PER_MEGABYTE = 200_000
LAST_WORKBOOK_ROW = 1_048_576
MOST_WORKBOOK_PARTS = 1_000
LONGEST_MESSAGE = 600


class FileReadError(ValueError):
    """One file cannot be read; the message says why, and where: `line 3: …`.

    It may repeat what the file holds, and is shown in terminals: it is cut short, and control
    characters stand in it as escapes.
    """

    def __init__(self, message: str) -> None:
        shown = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
        super().__init__(printable(shown))


def printable(text: str) -> str:
    """The text with escapes for all that is not seen: control characters, turns of direction."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


@dataclass(frozen=True)
class Row:
    """A row of cells, as long as the header.

    `line_number` is the row of a workbook, or the number of a record in its list. `text` says all
    that the row holds.
    """

    line_number: int
    text: str
    cells: list[Cell]


@dataclass(frozen=True)
class Document:
    """`lines_framing` counts the lines that hold no row: header and blanks."""

    header: list[str]
    rows: list[Row]
    lines_framing: int

    @property
    def lines_read(self) -> int:
        return self.lines_framing + len(self.rows)


def check_lines(text: str, format_: Format) -> None:
    """Refuse CSV that is cut into far more lines or cells than text of its size should be.

    Raises:
        FileReadError: more than `format.max_megabytes` stands for.
    """
    _check_number(text.count("\n"), "lines", LINES_PER_MEGABYTE, format_)
    pieces = text.count("\n") + text.count(format_.delimiter)
    _check_number(pieces, "cells", PIECES_PER_MEGABYTE, format_)


def _check_number(number: int, things: str, per_megabyte: int, format_: Format) -> None:
    if number > format_.max_megabytes * per_megabyte:
        raise FileReadError(
            f"holds {number:,} {things} or more; {format_.max_megabytes * per_megabyte:,} are "
            "allowed (format.max_megabytes in the feed's spec); fetch it again, or split it"
        )


def read_workbook(content: bytes, format_: Format) -> Document:
    """The first sheet of a workbook; its first row is the header.

    Raises:
        FileReadError: no workbook, empty, or larger unpacked than the format allows.
    """
    try:
        archive = _unpack(content, format_)
        book = openpyxl.load_workbook(archive, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a workbook may claim to be as large as it likes
        first = next(sheet.iter_rows(max_row=1, values_only=True), ())
        header = [cell or "" for cell in _tidy_cells(first, format_)]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise FileReadError("holds no header in its first row; fetch it again")
        rows, last = _rows(sheet, len(header), format_)
    except FileReadError:
        raise
    except Exception as error:  # a damaged part makes openpyxl raise whatever it meets
        raise FileReadError(f"is no readable workbook ({error}); fetch it again") from error
    return Document(header, rows, last - len(rows))


def _unpack(content: bytes, format_: Format) -> io.BytesIO:
    """The same archive with nothing compressed in it.

    What openpyxl reads at once, zipfile unpacks at once, however little the archive says it is:
    here it comes in pieces, and no further than what was said.
    """
    limit = format_.max_megabytes
    parts = content.count(b"PK\1\2")
    if parts > MOST_WORKBOOK_PARTS:
        raise FileReadError(f"holds {parts:,} parts, a workbook a few dozen; fetch it again")
    unpacked, tags = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(unpacked, "w") as archive:
        size = sum(item.file_size for item in packed.infolist())
        if size > limit * 1_000_000:
            raise FileReadError(
                f"unpacks to {size / 1e6:,.0f} MB; {limit} MB are allowed "
                "(format.max_megabytes in the feed's spec)"
            )
        for name in dict.fromkeys(packed.namelist()):
            if packed.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileReadError(f"{name} is compressed as no workbook is; fetch it again")
            with packed.open(name) as part:
                data = b"".join(iter(lambda: part.read(1 << 16), b""))
            if b"<!DOCTYPE" in data.replace(b"\0", b""):
                raise FileReadError(f"{name} declares entities, as no workbook does")
            tags += data.count(b"<")
            _check_number(tags, "tags", PIECES_PER_MEGABYTE, format_)
            archive.writestr(name, data)
    return unpacked


def _rows(sheet: Any, width: int, format_: Format) -> tuple[list[Row], int]:
    """The rows below the header that hold anything, and the number of the last row."""
    # One column more than the header shows whether a row is too wide.
    found = sheet.iter_rows(min_row=2, max_col=width + 1, values_only=True)
    rows: list[Row] = []
    last = 1
    letters = 0
    for last, values in enumerate(found, 2):
        if last > LAST_WORKBOOK_ROW:
            raise FileReadError(f"has rows beyond {LAST_WORKBOOK_ROW:,}; fetch it again")
        if values.count(None) == len(values):
            continue
        cells = _tidy_cells(values, format_)
        if any(cells):
            used = cells if cells[-1] else cells[:-1]
            rows.append(Row(last, "\t".join(cell or "" for cell in cells).rstrip("\t"), used))
            letters += len(rows[-1].text)
            _check_number(letters, "letters", 1_000_000, format_)
            _check_number(len(rows), "rows", LINES_PER_MEGABYTE, format_)
            _check_number(len(rows) * width, "cells", PIECES_PER_MEGABYTE, format_)
    return rows, last


def _tidy_cells(values: Sequence[Any], format_: Format) -> list[Cell]:
    """The cells of a row; many may repeat one long text that the workbook holds once."""
    cells: list[Cell] = []
    letters = 0
    for value in values:
        cells.append(_tidy(value))
        letters += len(cells[-1] or "")
        _check_number(letters, "letters", 1_000_000, format_)
    return cells


def _tidy(value: Any) -> Cell:
    """A cell as text, with the line breaks of a converted PDF closed up."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return None if value is None else " ".join(_valid(str(value)).split()) or None


def read_json(text: str, format_: Format) -> Document:
    """The list of records at a path of a JSON document; its columns are all keys it uses.

    Numbers come as the text that was delivered, so that no digit is lost.

    Raises:
        FileReadError: not JSON, no list at the path, or items of another shape.
    """
    try:
        return _read_json(text, format_)
    except RecursionError as error:
        raise FileReadError(f"is nested too deep to hold records ({error!r})") from error


def _read_json(text: str, format_: Format) -> Document:
    path = format_.records or ""
    values = sum(map(text.count, ",[{"))
    _check_number(values, "values", PIECES_PER_MEGABYTE, format_)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
        )
        for part in path.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
        if not isinstance(found, list):
            raise TypeError("no list there")
    except (ValueError, LookupError, TypeError) as error:
        line, shown = getattr(error, "lineno", 1), " ".join(text[:80].split())
        raise FileReadError(
            f"line {line}: is not JSON with a list at {path} ({error!r}); it begins: {shown}"
        ) from error
    records = found if format_.cells is None else _gather_cells(found, format_.cells)
    if not records:
        raise FileReadError(f"holds no records at {path}; fetch it again")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise FileReadError(f"record {number} of {path} is none: {str(record)[:80]}")
    header = list(dict.fromkeys(name for record in records for name in record))
    _check_number(len(records), "records", LINES_PER_MEGABYTE, format_)
    # Records that share no key have as many cells as there are records, squared.
    _check_number(len(records) * len(header), "cells", PIECES_PER_MEGABYTE, format_)
    rows = [
        Row(number, _as_text(record), [_json_cell(record.get(name)) for name in header])
        for number, record in enumerate(records, 1)
    ]
    return Document([_valid(name) for name in header], rows, 0)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key stands twice in one object: {[name for name, _ in pairs]}")
    return found


def _gather_cells(cells: list[Any], columns: dict[str, int]) -> list[dict[str, Any]]:
    """Sparse cells {row, col, text} become rows, in the order in which the rows begin."""
    names = {str(position): name for name, position in columns.items()}
    rows: dict[str, dict[str, Any]] = {}
    for cell in cells:
        if not (isinstance(cell, dict) and {"row", "col", "text"} <= set(cell)):
            raise FileReadError(f"holds something that is no cell (row, col, text): {cell}"[:200])
        row, column = str(cell["row"]), str(cell["col"])
        record = rows.setdefault(row, dict.fromkeys(columns))
        name = names.get(column, f"column {column}")
        if record.get(name) is not None:
            raise FileReadError(f"row {row} has two cells {name!r}: {cell}"[:200])
        record[name] = cell["text"]
    return list(rows.values())


def _json_cell(value: Any) -> Cell:
    return value and _valid(value) if isinstance(value, str | None) else _as_text(value)


def _as_text(value: Any) -> str:
    return _valid(json.dumps(value, ensure_ascii=False))


def _valid(text: str) -> str:
    """Half a surrogate pair cannot be stored; it is shown as what it is, an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
