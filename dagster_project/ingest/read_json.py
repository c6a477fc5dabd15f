"""Reading JSON: a list of records becomes a header and rows of cells.

A record is an object, or a list or a text of values whose names stand elsewhere; or the document
has one list for each column.

Belongs here: reading one document in plain Python. Does not belong here: what cells mean
(`typed_rows.py`).
"""

import json
import re
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
    """Read the records of a document; the columns are all keys of the records, or their names.

    Numbers stay text as delivered, so that no digit is lost.

    Raises:
        FileReadError: it is not JSON, has no list where the format says, or the items are not
            records.
    """
    try:
        return _read_json(text, format_)
    except RecursionError as error:
        raise FileReadError(
            f"is nested too deeply to contain records ({error!r}); fetch it again"
        ) from error


def _read_json(text: str, format_: Format) -> Document:
    values = sum(map(text.count, ",[{"))
    check_number(values, "values", PIECES_PER_MEGABYTE, format_)
    document = parse_json(text)
    if format_.arrays:
        where, found = "arrays", _from_arrays(document, format_.arrays)
    else:
        where = format_.records or ""
        found = _list_at(document, where)
    if not found:
        raise FileReadError(f"has no records at {where}; fetch it again")
    names = [str(name) for name in _list_at(document, format_.names_at)] if format_.names_at else []
    if format_.count:
        _check_count(found, _json_cell(_value_at(document, format_.count)))
    records: list[Any] = _gather_cells(found, format_.cells) if format_.cells else found
    named = names or list(format_.names)
    if named:
        header, all_cells = named, _unnamed(records, where, format_.separator)
    else:
        header, all_cells = _named(records, where, format_)
    for name, path in format_.document.items():
        value = _json_cell(_value_at(document, path))
        header = [*header, name]
        all_cells = [[*cells, value] for cells in all_cells]
    check_number(len(records), "records", LINES_PER_MEGABYTE, format_)
    check_number(sum(map(len, all_cells)), "cells", PIECES_PER_MEGABYTE, format_)
    rows = [
        Row(number, json_text(record), cells)
        for number, (record, cells) in enumerate(zip(records, all_cells, strict=True), 1)
    ]
    return Document([storable(name) for name in header], rows, 0)


# What sites wrap JSON in, for a script to load it: `callback(…);` or `var data = …;`.
_WRAPPER = re.compile(r"\s*(?:(?:var|let|const)\s+)?[A-Za-z_$][\w$.]*\s*([=(])")


def parse_json(text: str) -> Any:
    """A document, without what a site wraps it in; numbers stay text.

    Raises:
        FileReadError: it is not JSON.
    """
    if wrapped := _WRAPPER.match(text):
        inner = text[wrapped.end() :].rstrip().removesuffix(";").rstrip()
        if wrapped[1] == "(":
            if not inner.endswith(")"):
                raise FileReadError(f"is cut off: {wrapped[0].strip()} has no end; fetch it again")
            inner = inner[:-1]
        # Spaces in place of what is cut off, so that line numbers stay.
        before = re.sub(r"[^\n]", " ", text[: wrapped.end()])
        text = before + inner
    try:
        return json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_float=str,
            parse_int=str,
            parse_constant=str,
        )
    except ValueError as error:
        line, shown = getattr(error, "lineno", 1), " ".join(text[:80].split())
        raise FileReadError(f"line {line}: is not JSON ({error!r}); it begins: {shown}") from error


def _value_at(document: Any, path: str) -> Any:
    """The value at a path of keys and positions with dots; `.` is the document itself."""
    found = document
    try:
        for part in path.split(".") if path != "." else []:
            found = found[int(part)] if isinstance(found, list) else found[part]
    except (ValueError, LookupError, TypeError) as error:
        raise FileReadError(
            f"has nothing at {path} ({error!r}); it begins: {json_text(document)[:80]}"
        ) from error
    return found


def _list_at(document: Any, path: str) -> list[Any]:
    found = _value_at(document, path)
    if not isinstance(found, list):
        raise FileReadError(f"has no list at {path}, but {json_text(found)[:80]}")
    return found


def _check_count(records: list[Any], stated: Cell) -> None:
    if stated != str(len(records)):
        raise FileReadError(
            f"says that it has {stated} records, but has {len(records)}: it is one page of "
            "several, or cut off; fetch it again as a whole"
        )


def _from_arrays(document: Any, paths: dict[str, str]) -> list[dict[str, Any]]:
    """Records from lists of the same length, one for each column."""
    columns = {name: _list_at(document, path) for name, path in paths.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise FileReadError(f"has lists of different lengths: {shown}; fetch it again")
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _unnamed(records: list[Any], where: str, separator: str | None) -> list[list[Cell]]:
    """The cells of records that are lists, or texts with a separator."""
    cells = []
    for number, record in enumerate(records, 1):
        values = record.split(separator) if separator and isinstance(record, str) else record
        if not isinstance(values, list):
            raise FileReadError(f"item {number} of {where} is no list: {json_text(record)[:80]}")
        cells.append([_json_cell(value) for value in values])
    return cells


def _named(records: list[Any], where: str, format_: Format) -> tuple[list[str], list[list[Cell]]]:
    """The keys of records, and their cells in that order."""
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise FileReadError(
                f"item {number} of {where} is not a record: {json_text(record)[:80]}; if its "
                "values have no names, give them (format.names in the feed's spec)"
            )
    header = list(dict.fromkeys(name for record in records for name in record))
    # If no two records share a key, there are as many cells as the square of the records.
    check_number(len(records) * len(header), "cells", PIECES_PER_MEGABYTE, format_)
    return header, [[_json_cell(record.get(name)) for name in header] for record in records]


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
    return value and storable(value) if isinstance(value, str | None) else json_text(value)


def json_text(value: Any) -> str:
    """A value of a document as the text of JSON."""
    return storable(json.dumps(value, ensure_ascii=False))
