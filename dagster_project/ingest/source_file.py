"""A file whose header has been read, and many such files as one table for DuckDB.

Belongs here: what is known of a file before its lines are read. Does not belong here: opening it
(`reader.py`), its rows (`typed_rows.py`).
"""

import struct
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from dagster_project.ingest.document import Row


@dataclass(frozen=True)
class Layout:
    """The number of cells in a line, and the 1-based position of each canonical column.

    `variant` is the number of the layout in `FeedSpec.variants`.
    """

    width: int
    positions: tuple[tuple[str, int], ...]
    variant: int


@dataclass(frozen=True)
class SourceFile:
    """A file whose header has been read.

    The data is in `text` for CSV, and in `rows` for other formats. `delivered` is in Hong Kong
    time. `open_line` is the number of the last line if it does not end with a line feed.
    `can_be_empty` is as for `Document`.
    """

    file_id: int
    layout: Layout
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
    can_be_empty: bool


def source_table(sources: list[SourceFile]) -> pa.Table:
    """One row per file, with what is known of it and its text, which is not copied.

    Each file is a record batch, so that DuckDB can use all its threads. The arrays are made from
    buffers because `pyarrow.array` would import pandas, which takes longer than a night's files.
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
