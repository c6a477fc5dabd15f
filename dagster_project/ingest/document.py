"""A file as a header and rows of text cells, whatever its format.

Belongs here: the classes for a document, limits on its size, the error for a file that cannot be
read. Does not belong here: the formats (`read_csv.py` and its like), types and units
(`typed_rows.py`), reasons to reject a row (`row_rules.py`).

A small file can expand to any number of rows, cells or letters. So these are counted before they
are stored, and reading a file takes memory in proportion to `format.max_megabytes` at most.
"""

from dataclasses import dataclass

import numpy as np

from dagster_project.ingest.feed_spec import Format
from dagster_project.market.printable import printable

Cell = str | None

# Limits per megabyte of `format.max_megabytes`. Real lines have more than 40 bytes; real cells,
# JSON values and XML tags have more than 5.
LINES_PER_MEGABYTE = 25_000
PIECES_PER_MEGABYTE = 200_000
LONGEST_MESSAGE = 600


class FileReadError(ValueError):
    """A file cannot be read; the message says why, and where if known (`line 3: …`).

    The message can repeat text of the file and is shown in terminals. So it is shortened, and
    control characters in it are escaped.
    """

    def __init__(self, message: str) -> None:
        shown = message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…"
        super().__init__(printable(shown))


@dataclass(frozen=True)
class Row:
    """A row of cells of a file that DuckDB does not split itself.

    `line_number` is the row in the workbook, or the number of the record. `text` is the whole row
    as one text.
    """

    line_number: int
    text: str
    cells: list[Cell]


@dataclass(frozen=True)
class Document:
    """The header and the rows of a file; `lines_framing` counts headers and blank lines.

    A file without rows is quarantined, unless it `can_be_empty`: nothing happened that it would
    list.
    """

    header: list[str]
    rows: list[Row]
    lines_framing: int
    can_be_empty: bool = False

    @property
    def lines_read(self) -> int:
        return self.lines_framing + len(self.rows)


def shortest(number: float) -> str:
    """A number of single precision in the fewest digits that tell it from all others."""
    return np.format_float_positional(np.float32(number), unique=True, trim="-")


def check_number(number: int, things: str, per_megabyte: int, format_: Format) -> None:
    """Check the number of lines, cells, … of a file against the limit of its format.

    Raises:
        FileReadError: there are more.
    """
    allowed = format_.max_megabytes * per_megabyte
    if number > allowed:
        raise FileReadError(
            f"has {number:,} {things} or more; {allowed:,} are allowed (format.max_megabytes in "
            "the feed's spec); fetch it again, or split it"
        )


def storable(text: str) -> str:
    """The text with escapes for halves of surrogate pairs, which cannot be stored."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
