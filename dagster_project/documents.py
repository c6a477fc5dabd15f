"""Files that are no lines of text: JSON and workbooks become a header and rows of cells.

Belongs here: walking one document in plain Python, cell by cell, without judging what cells mean.
Does not belong here: CSV, types, units, reasons to refuse a row (`reader.py`).

Such files are small (`format.max_megabytes` in their specs); the many and large ones are CSV.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import openpyxl

from dagster_project.feed import Format

Cell = str | None


class FileReadError(ValueError):
    """One file cannot be read; the message says why, and where: `line 3: …`."""


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


def read_workbook(content: bytes, format_: Format) -> Document:
    """The first sheet of a workbook; its first row is the header.

    Raises:
        FileReadError: no workbook, empty, or larger unpacked than the format allows.
    """
    limit = format_.max_megabytes * 1_000_000
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > limit:
            raise FileReadError(
                f"unpacks to {unpacked / 1e6:,.0f} MB; {limit / 1e6:,.0f} MB are allowed "
                "(format.max_megabytes in the feed's spec)"
            )
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # a workbook may claim to be as large as it likes
        first = next(sheet.iter_rows(max_row=1, values_only=True), ())
        header = [_tidy(cell) or "" for cell in first]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise FileReadError("holds no header in its first row; fetch it again")
        # One column more than the header shows whether a row is too wide.
        wide = sheet.iter_rows(min_row=2, max_col=len(header) + 1, values_only=True)
        rows, last = [], 1
        for last, values in enumerate(wide, 2):
            cells = [_tidy(value) for value in values]
            if any(cells):
                used = cells if cells[-1] else cells[:-1]
                rows.append(Row(last, "\t".join(cell or "" for cell in cells).rstrip("\t"), used))
    except FileReadError:
        raise
    except Exception as error:  # a damaged part makes openpyxl raise whatever it meets
        raise FileReadError(f"is no readable workbook ({error}); fetch it again") from error
    return Document(header, rows, last - len(rows))


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
    path = format_.records or ""
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
    except (ValueError, RecursionError, LookupError, TypeError) as error:
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
