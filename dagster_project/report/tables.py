"""The parts that the tables of a report are made of: columns, cells, bars.

Belongs here: what a table is. Does not belong here: which figures a table has (`sections/`), how a
table becomes HTML or Markdown (`render.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.report.figures import Text


@dataclass(frozen=True)
class Column:
    heading: str
    kind: str = "number"
    """`number` (to the right), `words`, `phrase` (words on one line) or `bar` (a size)."""


@dataclass(frozen=True)
class Bar:
    """A mark of a size: lengths of its parts, each between 0 and 1 of the column."""

    parts: Sequence[tuple[str, float]]
    """Class of a part (`up`, `down`, `flat`) and its length."""
    is_from_middle: bool = False
    """Whether losses go to the left of a middle line, gains to the right."""


@dataclass(frozen=True)
class Cell:
    text: Text = ()
    bar: Bar | None = None


@dataclass(frozen=True)
class Table:
    name: str
    caption: Text
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


def table(
    name: str, caption: Text, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> list[Table]:
    """The table as a list of one, or an empty list where it has no rows.

    A part of a row is a figure, a text, a bar or a cell; None gives an empty cell.
    """
    cells = [[_cell(part) for part in row] for row in rows]
    return [Table(name, caption, columns, cells)] if cells else []


def _cell(part: Any) -> Cell:
    if part is None:
        return Cell()
    if isinstance(part, Cell):
        return part
    if isinstance(part, Bar):
        return Cell(bar=part)
    return Cell(part if isinstance(part, tuple) else (part,))
