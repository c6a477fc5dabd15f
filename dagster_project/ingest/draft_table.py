"""A file of unknown layout as a table: what a draft of a spec knows before it looks at meanings.

Belongs here: formats, encodings, titles, footers, lists of JSON, and how numbers are written. Does
not belong here: what the columns are (`draft.py`), reading by a spec (`reader.py`).
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dagster_project.ingest.document import Cell, FileReadError
from dagster_project.ingest.draft_names import columns_of, is_known
from dagster_project.ingest.feed_spec import Format
from dagster_project.ingest.read_json import parse_json, read_json
from dagster_project.ingest.read_parquet import read_parquet
from dagster_project.ingest.read_tdx_day import read_tdx_day
from dagster_project.ingest.read_workbook import XLS, first_rows
from dagster_project.ingest.unpack import unpack

RowT = TypeVar("RowT")

MAGNITUDES = {"K": 3, "M": 6, "B": 9, "T": 12, "万": 4, "亿": 8}
# From either end of a file.
EXAMINED_ROWS = 1_000
NEWEST_ROWS = 60


@dataclass
class Table:
    """A file as a header and rows, with what a spec must say so that it is read like that."""

    header: list[str]
    rows: list[list[Cell]]
    format: dict[str, Any]
    asks: dict[str, str] = field(default_factory=dict)
    is_newest_first: bool = False

    def __post_init__(self) -> None:
        self.rows = _both_ends(self.rows)

    def column(self, name: str) -> list[str]:
        at = self.header.index(name)
        cells = (row[at] if at < len(row) else None for row in self.rows)
        return [text for cell in cells if (text := (cell or "").strip()) and text not in _NOTHING]


_NOTHING = {"-", "--", "null", "None", "nan", "NaN", "N/A"}


def _both_ends(rows: list[RowT]) -> list[RowT]:
    """All rows of a short file, the first and the last of a long one."""
    if len(rows) <= 2 * EXAMINED_ROWS:
        return rows
    return rows[:EXAMINED_ROWS] + rows[-EXAMINED_ROWS:]


def read_table(path: Path) -> Table:
    """The rows of a file, and the part of a spec that says how they are laid out.

    Raises:
        FileReadError: it is in none of the formats that a spec can describe, or has no rows.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    if not content.strip():
        raise FileReadError("is empty")
    content = unpack(content, _format("xlsx" if b"xl/work" in content else "csv"))
    if content.startswith((b"PK\3\4", XLS)):
        return _from_workbook(content)
    if content.startswith(b"PAR1"):
        document = read_parquet(content, _format("parquet"))
        return Table(document.header, [row.cells for row in document.rows], {"type": "parquet"})
    if path.suffix == ".day" and len(content) % 32 == 0:
        document = read_tdx_day(content, _format("tdx_day"))
        return Table(document.header, [row.cells for row in document.rows], {"type": "tdx_day"})
    text, encoding = _decoded(content)
    beginning = text.lstrip()[:300]
    if re.match(r"<(!doctype|html)", beginning, re.IGNORECASE):
        raise FileReadError("is a web page, not a file of rows; fetch it again")
    is_json = re.match(r"[\[{]|[\w.$]+ ?[\w.$]* ?[=(] ?[\[{]", beginning)
    table = _from_json(text) if is_json else _from_csv(text)
    if encoding != "utf-8":
        table.format["encoding"] = encoding
        if encoding in ("gb18030", "big5"):
            table.asks["encoding"] = "gb18030, or big5"
    _find_numbers(table)
    return table


def _format(type_: str) -> Format:
    return Format.model_validate({"type": type_})


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), "utf-16"
    found = {}
    for encoding in ("utf-8", "gb18030", "big5"):
        try:
            found[encoding] = content.decode(encoding)
        except UnicodeDecodeError:
            continue
    if not found:
        raise FileReadError("is in none of the encodings utf-8, utf-16, gb18030 and big5")
    if "utf-8" in found:
        with_mark = found["utf-8"].startswith("\ufeff")
        return found["utf-8"].removeprefix("\ufeff"), "utf-8-sig" if with_mark else "utf-8"
    encoding = max(found, key=lambda name: _share_of_usual_characters(found[name], name))
    return found[encoding], encoding


def _share_of_usual_characters(text: str, encoding: str) -> float:
    """How many of the Chinese characters are those that everybody writes with.

    What is read in the wrong encoding has characters that nobody uses.
    """
    written = [mark for mark in text if mark > "\x7f"][:5_000]
    if encoding == "big5":
        usual = sum(b"\xa4" <= mark.encode("big5")[:1] <= b"\xc6" for mark in written)
    else:
        usual = sum(bool(mark.encode("gb2312", "ignore")) for mark in written)
    return usual / max(len(written), 1)


def _from_workbook(content: bytes) -> Table:
    found = first_rows(content, _format("xlsx"), EXAMINED_ROWS)
    rows = [[cell or "" for cell in row] for row in found]
    at = _header_row(rows)
    while rows[at] and not rows[at][-1]:
        rows[at].pop()
    form: dict[str, Any] = {"type": "xlsx"} | ({"title_lines": at} if at else {})
    below: list[list[Cell]] = [list(row) for row in rows[at + 1 :] if any(row)]
    while below and sum(map(bool, below[-1])) == 1:
        below.pop()  # a line below the rows, which the reader passes over
    table = Table(rows[at], below, form)
    _find_numbers(table)
    return table


def _from_csv(text: str) -> Table:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    delimiter = max(",\t;|", key=lambda mark: _evenness(lines, mark))
    try:
        rows = [
            next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
            for line in _both_ends(lines)
        ]
    except csv.Error as error:
        raise FileReadError(f"has a line that cannot be split into cells ({error})") from error
    at = _header_row(rows)
    header = [cell.strip() for cell in rows[at]]
    form: dict[str, Any] = {"type": "csv"}
    form |= {"delimiter": delimiter} if delimiter != "," else {}
    form |= {"title_lines": at} if at else {}
    below = rows[at + 1 :]
    more = next((n for n, row in enumerate(below) if _has_numbers(row)), 0)
    form |= {"header_lines": 1 + more} if more else {}
    if more and rows[at + 1][:1] == ["Ticker"]:
        form["symbol_line"] = 2
    footer = _footer(lines[at + 2 + more :], delimiter)
    asks = {}
    if footer:
        form["footer"] = footer if len(footer) > 1 else footer[0]
        asks["footer"] = "how the lines below the rows begin"
    elif text.endswith("\n"):
        form["ends_with_newline"] = True
        asks["ends_with_newline"] = "whether every whole file does; then a cut one is seen"
    data: list[list[Cell]] = [
        list(row)
        for row in below[more:]
        if len(row) == len(header) and not row[0].startswith(tuple(footer))
    ]
    return Table(header, data, form, asks)


def _footer(lines: Sequence[str], delimiter: str) -> list[str]:
    """How the lines at the end begin that have one cell, and no number in it."""
    found = []
    for line in reversed(lines):
        cell = line.strip().rstrip(delimiter)
        begin = re.split("[:：]", cell)[0]
        if not begin or delimiter in cell or cell[:1].isdigit() or '"' in begin:
            break
        found.append(begin)
    return found[::-1]


def _evenness(lines: Sequence[str], mark: str) -> int:
    """How many of the first lines have the most usual number of these marks, if that is not 0."""
    counts = Counter(line.count(mark) for line in lines[:200])
    counts.pop(0, None)
    return max(counts.values(), default=0)


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """The number of the row that names the columns: as wide as most, with the most known names."""
    scores = [sum(map(is_known, row)) for row in rows[:30]]
    if not scores or not max(scores):
        raise FileReadError("has no row that looks like a header")
    return scores.index(max(scores))


def _has_numbers(row: Sequence[str]) -> bool:
    numbers = sum(bool(re.fullmatch(r"[-+]?[\d,]*\.?\d+[%KMBT万亿]?", c.strip())) for c in row)
    return numbers >= max(2, len(row) // 2)


def _from_json(text: str) -> Table:
    try:
        lists = [(p, found) for p, found in _lists(parse_json(text), "") if found]
    except RecursionError as error:
        raise FileReadError("has lists in lists without end") from error
    records = [(p, f) for p, f in lists if isinstance(f[0], dict | list) or _is_joined(f)]
    arrays = _arrays(lists)
    if arrays and all(isinstance(f[0], dict) and len(f) == 1 for _, f in records):
        arrays_form: dict[str, Any] = {"type": "json", "arrays": arrays}
        document = read_json(text, Format.model_validate(arrays_form))
        return Table(document.header, [row.cells for row in document.rows], arrays_form)
    if not records:
        raise FileReadError("has neither a list of records nor a list for each column")
    where, found = max(records, key=lambda item: len(item[1]))
    form: dict[str, Any] = {"type": "json", "records": where or "."}
    first = found[0]
    if isinstance(first, str):
        form["separator"] = ","
    if not isinstance(first, dict):
        width = len(first.split(",") if isinstance(first, str) else first)
        names = [p for p, f in lists if len(f) == width and p != where and _are_names(f)]
        if not names:
            raise FileReadError(
                f"has records without names at {where or '.'} "
                f"({json.dumps(first, ensure_ascii=False)}): say them in a spec of your own, as "
                "format.names"
            )
        form["names_at"] = names[0]
    document = read_json(text, Format.model_validate(form))
    return Table(document.header, [row.cells for row in document.rows], form)


def _arrays(lists: Sequence[tuple[str, list[Any]]]) -> dict[str, str]:
    """Column name -> path, where each column is a list; empty if dates or closes are not found."""
    flat = [(p, f) for p, f in lists if p and not any(isinstance(v, dict | list) for v in f)]
    longest = max((len(found) for _, found in flat), default=0)
    named = {path.rsplit(".", 1)[-1]: path for path, found in flat if len(found) == longest}
    columns = columns_of(list(named))
    return named if {"trade_date", "close"} <= columns.keys() else {}


def _lists(value: Any, path: str) -> list[tuple[str, list[Any]]]:
    if isinstance(value, list):
        inner = _lists(value[0], f"{path}.0".strip(".")) if value and len(value) == 1 else []
        return [(path, value), *inner]
    if isinstance(value, dict):
        return [f for k, v in value.items() for f in _lists(v, f"{path}.{k}".strip("."))]
    return []


def _is_joined(values: list[Any]) -> bool:
    return isinstance(values[0], str) and values[0].count(",") >= 3


def _are_names(values: list[Any]) -> bool:
    return all(re.match(r"[^\W\d]", str(value)) for value in values)


def _find_numbers(table: Table) -> None:
    """How numbers are written: separators of thousands, letters for magnitudes."""
    cells = [cell or "" for row in table.rows for cell in row]
    if any(re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?[%KMBT万亿]?", cell.strip()) for cell in cells):
        table.format["thousands"] = ","
    found = {c.strip()[-1] for c in cells if re.fullmatch(r"-?[\d.,]+[KMBT万亿]", c.strip())}
    if found:
        table.format["magnitudes"] = {letter: MAGNITUDES[letter] for letter in sorted(found)}
