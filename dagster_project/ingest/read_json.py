"""Reading JSON: the list of records at a path becomes a header and rows of cells.

Belongs here: reading one document in plain Python. Does not belong here: what cells mean
(`typed_rows.py`).
"""

import json
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


def read_json(text: str, format_: Format) -> Document:
    """Read the list of records at the format's path; the columns are all keys of the records.

    Numbers stay text as delivered, so that no digit is lost.

    Raises:
        FileReadError: it is not JSON, has no list at the path, or the items are not records.
    """
    try:
        return _read_json(text, format_)
    except RecursionError as error:
        raise FileReadError(
            f"is nested too deeply to contain records ({error!r}); fetch it again"
        ) from error


def _read_json(text: str, format_: Format) -> Document:
    path = format_.records or ""
    values = sum(map(text.count, ",[{"))
    check_number(values, "values", PIECES_PER_MEGABYTE, format_)
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
        raise FileReadError(f"has no records at {path}; fetch it again")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise FileReadError(f"item {number} of {path} is not a record: {str(record)[:80]}")
    header = list(dict.fromkeys(name for record in records for name in record))
    check_number(len(records), "records", LINES_PER_MEGABYTE, format_)
    # If no two records share a key, there are as many cells as the square of the records.
    check_number(len(records) * len(header), "cells", PIECES_PER_MEGABYTE, format_)
    rows = [
        Row(number, _as_text(record), [_json_cell(record.get(name)) for name in header])
        for number, record in enumerate(records, 1)
    ]
    return Document([storable(name) for name in header], rows, 0)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object has a key twice: {[name for name, _ in pairs]}")
    return found


def _gather_cells(cells: list[Any], columns: dict[str, int]) -> list[dict[str, Any]]:
    """Make records from a list of cells {row, col, text}, ordered by the first cell of each row.

    Args:
        columns: column name -> `col` of its cells.
    """
    names = {str(position): name for name, position in columns.items()}
    rows: dict[str, dict[str, Any]] = {}
    for cell in cells:
        if not (isinstance(cell, dict) and {"row", "col", "text"} <= set(cell)):
            raise FileReadError(f"has an item that is not a cell (row, col, text): {cell}"[:200])
        row, column = str(cell["row"]), str(cell["col"])
        record = rows.setdefault(row, dict.fromkeys(columns))
        name = names.get(column, f"column {column}")
        if record.get(name) is not None:
            raise FileReadError(f"row {row} has two cells {name!r}: {cell}"[:200])
        record[name] = cell["text"]
    return list(rows.values())


def _json_cell(value: Any) -> Cell:
    return value and storable(value) if isinstance(value, str | None) else _as_text(value)


def _as_text(value: Any) -> str:
    return storable(json.dumps(value, ensure_ascii=False))
