"""A landing file as rows of cells that can be changed and written back in the vendor's format.

Belongs here: taking apart and putting together the formats of the bundled sample, so that a
corruption can say "this cell" of a CSV, a JSON file and the exchange's sparse cells alike. Does
not belong here: what is corrupted, and the pipeline's own reading of files (`reader.py`), which
this must not share.
"""

import datetime
import json
import re
from collections.abc import Iterator
from decimal import Decimal

from dagster_project.ingest.feed_spec import FeedSpec

Row = list[str | None]
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class Sheet:
    """The header and rows of one file; unchanged, `render()` gives back its bytes.

    Attributes:
        names: the header as delivered; for sparse cells the number of each column.
        rows: the cells of each row as delivered text; None where a sparse cell is absent.
    """

    def __init__(self, spec: FeedSpec, content: bytes) -> None:
        self.spec = spec
        text = content.decode()
        self.mark = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix(self.mark)
        self.tail = "\n" if text.endswith("\n") else ""
        self.preamble: list[str] = []
        self.names: list[str]
        self.rows: list[Row]
        self._quoted: set[int] = set()
        read = {"csv": self._read_csv, "json": self._read_json, "json_cells": self._read_cells}
        read[spec.format.type](text)

    # What stands where.

    def at(self, column: str) -> int | None:
        """Position of a canonical column; None where the file has none."""
        if self.spec.format.type == "json_cells":
            delivered = str((self.spec.format.cells or {})[self.spec.delivered_columns[column]])
        else:
            delivered = self.spec.delivered_columns.get(column, "")
        names = [name.strip() for name in self.names]
        return names.index(delivered) if delivered in names else None

    def has(self, *columns: str) -> bool:
        return all(
            column in self.spec.delivered_columns and self.at(column) is not None
            for column in columns
        )

    def position(self, column: str) -> int:
        found = self.at(column)
        assert found is not None, f"{self.spec.feed} has no {column}"
        return found

    def text(self, row: int, column: str) -> str:
        return (self.rows[row][self.position(column)] or "").strip()

    def number(self, row: int, column: str) -> Decimal:
        """A cell as a number; of its unit nothing is known here."""
        return Decimal(self.text(row, column).replace(",", "") or "0")

    def date(self, row: int) -> datetime.date:
        return datetime.datetime.strptime(self.text(row, "trade_date"), self._date_format).date()

    def put(self, row: int, column: str, value: str | Decimal) -> None:
        """Write a cell; a number in the spelling that the file uses."""
        position = self.position(column)
        before = self.rows[row][position] or ""
        if isinstance(value, Decimal):
            grouped = "," if self.spec.format.thousands else ""
            whole = grouped or re.fullmatch(r"\s*-?\d+", before)
            value = round(value) if whole and value == round(value) else value  # type: ignore[assignment]
            value = f"{value:{grouped}f}"
        self.rows[row][position] = " " * (len(before) - len(before.lstrip())) + value

    def put_date(self, row: int, day: datetime.date) -> None:
        self.put(row, "trade_date", day.strftime(self._date_format))

    def line(self, row: int) -> int:
        """The line of a row, as an editor shows it; of JSON, the number of the record."""
        return row + 1 + (len(self.preamble) if self.spec.format.type == "csv" else 0)

    @property
    def _date_format(self) -> str:
        format_ = self.spec.columns["trade_date"].format
        assert format_
        return format_

    # Formats.

    def render(self) -> bytes:
        write = {"csv": self._csv, "json": self._json, "json_cells": self._cells}
        return (self.mark + write[self.spec.format.type]()).encode()

    def _read_csv(self, text: str) -> None:
        lines = text.removesuffix("\n").split("\n")
        self.preamble = lines[: self.spec.format.header_lines]
        self.names = self.preamble[0].split(",")
        self.rows = [list(line.split(",")) for line in lines[self.spec.format.header_lines :]]

    def _csv(self) -> str:
        lines = [",".join(self.names), *self.preamble[1:]]
        lines += [",".join(cell or "" for cell in row) for row in self.rows]
        return "\n".join(lines) + self.tail

    def _read_json(self, text: str) -> None:
        records = json.loads(text, parse_float=_Raw, parse_int=_Raw)[self.spec.format.records]
        self.names = list(records[0])
        self._quoted = {
            at for at, name in enumerate(self.names) if not isinstance(records[0][name], _Raw)
        }
        self.rows = [[str(record[name]) for name in self.names] for record in records]

    def _json(self) -> str:
        lines = ",\n".join(
            " {"
            + ",".join(
                f"{json.dumps(name)}:{self._literal(at, cell)}"
                for at, (name, cell) in enumerate(zip(self.names, row, strict=False))
            )
            + "}"
            for row in self.rows
        )
        return f'{{"code":"200","{self.spec.format.records}":[\n{lines}\n]}}{self.tail}'

    def _literal(self, at: int, cell: str | None) -> str:
        if cell is not None and at not in self._quoted and _JSON_NUMBER.fullmatch(cell):
            return cell
        return json.dumps(cell, ensure_ascii=False)

    def _read_cells(self, text: str) -> None:
        cells = json.loads(text)["tables"][0]["body"]
        self.names = [str(number) for number in sorted({cell["col"] for cell in cells} | {1})]
        rows: dict[int, Row] = {}
        for cell in cells:
            rows.setdefault(cell["row"], [None] * len(self.names))[cell["col"]] = cell["text"]
        self.rows = list(rows.values())

    def _cells(self) -> str:
        lines = ",\n".join(
            ",".join(self._row_cells(*numbered)) for numbered in enumerate(self.rows)
        )
        return f'{{"tables":[{{"body":[\n{lines}\n]}}]}}{self.tail}'

    def _row_cells(self, number: int, row: Row) -> Iterator[str]:
        for at, text in enumerate(row):
            if text is not None:
                column = int(self.names[at]) if at < len(self.names) else at
                cell = {"row": number, "col": column, "text": text}
                yield json.dumps(cell, separators=(",", ":"), ensure_ascii=False)


class _Raw(str):
    """A JSON number as it was written."""
