"""Reading Parquet files: their columns become a header and rows of cells.

Belongs here: reading one file within the limits of its format. Does not belong here: what cells
mean (`typed_rows.py`).
"""

import io
from datetime import date, datetime
from typing import Any

from dagster_project.ingest.document import (
    LINES_PER_MEGABYTE,
    PIECES_PER_MEGABYTE,
    Cell,
    Document,
    FileReadError,
    Row,
    check_number,
    shortest,
    storable,
)
from dagster_project.ingest.feed_spec import Format


def read_parquet(content: bytes, format_: Format) -> Document:
    """Read all rows; `line_number` is the number of the row, from 1.

    Dates become `YYYY-MM-DD`, also where they were kept as midnights.

    Raises:
        FileReadError: it is not a Parquet file, or is larger than the format allows.
    """
    import pyarrow.parquet  # most nights bring no such file

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        number, columns = file.metadata.num_rows, file.metadata.num_columns
        check_number(number, "rows", LINES_PER_MEGABYTE, format_)
        check_number(number * columns, "cells", PIECES_PER_MEGABYTE, format_)
        table = file.read()
    except FileReadError:
        raise
    except Exception as error:  # pyarrow raises errors of many types for a damaged file
        raise FileReadError(f"is not a readable Parquet file ({error}); fetch it again") from error
    try:
        values = [_cells(column) for column in table.columns]
    except Exception as error:  # such as a time of the year 300000
        raise FileReadError(f"has values that cannot be read ({error}); fetch it again") from error
    rows = [
        Row(number, ",".join(cell or "" for cell in cells), list(cells))
        for number, cells in enumerate(zip(*values, strict=True), 1)
    ]
    return Document([storable(name) for name in table.column_names], rows, 0)


def _cells(column: Any) -> list[Cell]:
    if str(column.type) == "float":
        return [None if value is None else shortest(value) for value in column.to_pylist()]
    return [_cell(value) for value in column.to_pylist()]


def _cell(value: Any) -> Cell:
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return str(value.date()) if midnight else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else storable(str(value))
