"""Reading Tongdaxin's `.day` files: binary records of one security, a session each.

Belongs here: unpacking the records. Does not belong here: what cells mean (`typed_rows.py`).

A record has 32 bytes: date (YYYYMMDD), open, high, low and close in hundredths, turnover as a float
of single precision, volume, and four bytes of no meaning. That is so for A shares and indices;
funds and B shares are in thousandths, and not read. Source: the format as its readers describe it,
and files of 2011 to 2017.
"""

import struct

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    Cell,
    Document,
    FileReadError,
    Row,
    check_number,
    shortest,
)
from dagster_project.ingest.feed_spec import Format

_HEADER = ["date", "open", "high", "low", "close", "amount", "volume"]
_RECORD = struct.Struct("<IIIIIfII")


def read_tdx_day(content: bytes, format_: Format) -> Document:
    """Read all records; `line_number` is the number of the record, from 1.

    Raises:
        FileReadError: it does not end with a whole record, or is larger than the format allows.
    """
    records, rest = divmod(len(content), _RECORD.size)
    if rest:
        raise FileReadError(
            f"record {records + 1}: has {rest} bytes of {_RECORD.size}; the file is cut off, or "
            "is no .day file; fetch it again"
        )
    check_number(records, "records", LINES_PER_MEGABYTE, format_)
    rows = []
    for number, values in enumerate(_RECORD.iter_unpack(content), 1):
        day, *prices, amount, volume, _ = values
        levels = [f"{price // 100}.{price % 100:02}" for price in prices]
        cells: list[Cell] = [str(day), *levels, shortest(amount), str(volume)]
        rows.append(Row(number, ",".join(map(str, cells)), cells))
    return Document(_HEADER, rows, 0)
