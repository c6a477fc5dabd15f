"""What a file holds before its cells mean anything: a header and rows of cells.

Belongs here: how a document is held, how much any one file may hold, the error of a file that
cannot be read. Does not belong here: the formats (`read_csv.py`, `read_json.py`,
`read_workbook.py`), types, units, reasons to reject a row (`reader.py`, `row_rules.py`).

A few bytes can ask for any number of rows, cells or letters, so these are counted before they are
kept: reading a file takes memory in proportion to `format.max_megabytes`, whatever it holds.
"""

from dataclasses import dataclass

from dagster_project.ingest.feed_spec import Format
from dagster_project.market.printable import printable

Cell = str | None

# For each megabyte that `format.max_megabytes` allows. A real line has more than 40 bytes; a real
# cell, JSON value or XML tag more than 5.
LINES_PER_MEGABYTE = 25_000
PIECES_PER_MEGABYTE = 200_000
LONGEST_MESSAGE = 600


class FileReadError(ValueError):
    """One file cannot be read; the message says why, and where: `line 3: …`.

    It may repeat what the file holds, and is shown in terminals: it is cut short, and control
    characters stand in it as escapes.
    """

    def __init__(self, message: str) -> None:
        shown = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
        super().__init__(printable(shown))


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


def check_number(number: int, things: str, per_megabyte: int, format_: Format) -> None:
    if number > format_.max_megabytes * per_megabyte:
        raise FileReadError(
            f"holds {number:,} {things} or more; {format_.max_megabytes * per_megabyte:,} are "
            "allowed (format.max_megabytes in the feed's spec); fetch it again, or split it"
        )


def storable(text: str) -> str:
    """Half a surrogate pair cannot be stored; it is shown as what it is, an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
