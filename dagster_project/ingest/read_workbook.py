"""Reading workbooks (xlsx, and xls of before 2007): the first sheet becomes a header and rows.

Belongs here: unpacking within limits, reading the sheet cell by cell. Does not belong here: what
cells mean (`typed_rows.py`). openpyxl reads an xlsx, but unpacking is code of our own, because
openpyxl unpacks an archive of any size; an xls, which xlrd reads, is not packed.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    PIECES_PER_MEGABYTE,
    Cell,
    Document,
    FileReadError,
    Row,
    check_number,
    storable,
)
from dagster_project.ingest.feed_spec import Format

# The first bytes of an xls.
XLS = b"\xd0\xcf\x11\xe0"
LAST_WORKBOOK_ROW = 1_048_576
MOST_WORKBOOK_PARTS = 1_000


def read_workbook(content: bytes, format_: Format) -> Document:
    """Read the first sheet of a workbook; its first row below the titles is the header.

    Raises:
        FileReadError: it is not a workbook, is empty, or is larger than the format allows.
    """
    at = format_.title_lines + 1
    with _first_sheet(content, format_) as sheet:
        first = next(sheet.iter_rows(min_row=at, max_row=at, values_only=True), ())
        header = [cell or "" for cell in _tidy_cells(first, format_)]
        while header and not header[-1]:
            header.pop()
        if not header:
            raise FileReadError(f"has no header in row {at}; fetch it again")
        rows, last = _rows(sheet, len(header), format_)
    return Document(header, rows, last - len(rows))


def first_rows(content: bytes, format_: Format, count: int) -> list[list[Cell]]:
    """The first rows of a workbook's first sheet, whatever they are, for a draft.

    Raises:
        FileReadError: it is not a workbook, or is larger than the format allows.
    """
    with _first_sheet(content, format_) as sheet:
        found = sheet.iter_rows(min_row=1, max_row=count, values_only=True)
        return [_tidy_cells(values, format_) for values in found]


@contextmanager
def _first_sheet(content: bytes, format_: Format) -> Iterator[Any]:
    """The first sheet; whatever goes wrong while it is read is a `FileReadError`."""
    try:
        yield _xls_sheet(content) if content.startswith(XLS) else _xlsx_sheet(content, format_)
    except FileReadError:
        raise
    except Exception as error:  # both libraries raise errors of any type for a damaged workbook
        raise FileReadError(f"is not a readable workbook ({error}); fetch it again") from error


def _xlsx_sheet(content: bytes, format_: Format) -> Any:
    import openpyxl  # takes a tenth of a second, and most nights bring no workbook

    archive = _unpack(content, format_)
    book = openpyxl.load_workbook(archive, read_only=True, data_only=True, keep_links=False)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # the size that a workbook claims to have may be wrong
    return sheet


class _XlsSheet:
    """The sheet of an xls, asked for rows as openpyxl is."""

    def __init__(self, sheet: Any, datemode: int) -> None:
        self.sheet, self.datemode = sheet, datemode

    def iter_rows(
        self,
        min_row: int,
        max_row: int | None = None,
        max_col: int | None = None,
        values_only: bool = True,
    ) -> Iterator[Sequence[Any]]:
        for number in range(min_row - 1, min(max_row or self.sheet.nrows, self.sheet.nrows)):
            yield [self._value(cell) for cell in self.sheet.row(number)[:max_col]]

    def _value(self, cell: Any) -> Any:
        import xlrd

        if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK, xlrd.XL_CELL_ERROR):
            return None
        if cell.ctype == xlrd.XL_CELL_DATE:
            return xlrd.xldate_as_datetime(cell.value, self.datemode)
        # An xls has no whole numbers: 20250917 is 20250917.0.
        is_whole = isinstance(cell.value, float) and cell.value.is_integer()
        return int(cell.value) if is_whole else cell.value


def _xls_sheet(content: bytes) -> _XlsSheet:
    import xlrd

    # It prints what it thinks of a damaged file.
    book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
    return _XlsSheet(book.sheet_by_index(0), book.datemode)


def _unpack(content: bytes, format_: Format) -> io.BytesIO:
    """Unpack an archive into one without compression, within the format's limits.

    openpyxl reads each part at once, and zipfile would then unpack all of it, even if the archive
    claims a smaller size. Here each part is read in pieces, and no further than its claimed size.
    """
    limit = format_.max_megabytes
    parts = content.count(b"PK\1\2")
    if parts > MOST_WORKBOOK_PARTS:
        raise FileReadError(f"has {parts:,} parts, but a workbook has a few dozen; fetch it again")
    unpacked, tags = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(unpacked, "w") as archive:
        size = sum(item.file_size for item in packed.infolist())
        if size > limit * 1_000_000:
            raise FileReadError(
                f"has {size / 1e6:,.0f} MB when unpacked; at most {limit} MB are allowed "
                "(format.max_megabytes in the feed's spec); fetch it again, or split it"
            )
        for name in dict.fromkeys(packed.namelist()):
            if packed.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileReadError(
                    f"{name} is compressed in a way that workbooks do not use; fetch it again"
                )
            with packed.open(name) as part:
                data = b"".join(iter(lambda: part.read(1 << 16), b""))
            if b"<!DOCTYPE" in data.replace(b"\0", b""):
                raise FileReadError(
                    f"{name} declares XML entities, which workbooks do not; fetch it again"
                )
            tags += data.count(b"<")
            check_number(tags, "tags", PIECES_PER_MEGABYTE, format_)
            archive.writestr(name, data)
    return unpacked


def _rows(sheet: Any, width: int, format_: Format) -> tuple[list[Row], int]:
    """The rows below the header that are not empty, and the number of the last row."""
    # One more column than the header has is read, to notice a row that is too wide.
    at = format_.title_lines + 1
    found = sheet.iter_rows(min_row=at + 1, max_col=width + 1, values_only=True)
    rows: list[Row] = []
    last = at
    letters = 0
    for last, values in enumerate(found, at + 1):
        if last > LAST_WORKBOOK_ROW:
            raise FileReadError(f"has rows beyond {LAST_WORKBOOK_ROW:,}; fetch it again")
        if values.count(None) == len(values):
            continue
        cells = _tidy_cells(values, format_)
        if any(cells):
            used = cells if cells[-1] else cells[:-1]
            rows.append(Row(last, "\t".join(cell or "" for cell in cells).rstrip("\t"), used))
            letters += len(rows[-1].text)
            check_number(letters, "letters", 1_000_000, format_)
            check_number(len(rows), "rows", LINES_PER_MEGABYTE, format_)
            check_number(len(rows) * width, "cells", PIECES_PER_MEGABYTE, format_)
    return rows, last


def _tidy_cells(values: Sequence[Any], format_: Format) -> list[Cell]:
    """The cells of a row as text, within the format's limit.

    A small workbook can repeat one long text in many cells.
    """
    cells: list[Cell] = []
    letters = 0
    for value in values:
        cells.append(_tidy(value))
        letters += len(cells[-1] or "")
        check_number(letters, "letters", 1_000_000, format_)
    return cells


def _tidy(value: Any) -> Cell:
    """A cell as text on one line; workbooks made from PDF files have line breaks in cells."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        value = value.date()
    return None if value is None else " ".join(storable(str(value)).split()) or None
