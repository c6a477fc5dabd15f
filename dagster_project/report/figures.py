"""Figures: the values that a report shows, each with a reference to where it comes from.

Belongs here: what a figure is, how it is written (its form), the reference that leads back to it,
and texts with figures in them. Does not belong here: reading them (`published.py`), which ones a
report shows (`sections/`), and the records behind them (`origins.py`).

A reference is an address within a release:

    index_performance?symbol=HSI&trade_date=2025-09-17#close:level
    table             key of the row, or rows          measure:form

A measure is a column of the one row that has the key, or `count(*)`, `sum(column)`,
`min(column)`, `max(column)` over all that have it. The table `report` has one row: the
settings that the report is written with.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

MISSING = "–"
MINUS = "−"


class UnknownFigure(ValueError):
    """A reference that cannot be parsed, or for which the release has no row."""


# How a figure is written


def _rounded(value: Any, places: int) -> Decimal:
    """Rounded half up, as people round; a DOUBLE is rounded as it is printed."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _number(value: Any, places: int) -> str:
    return f"{_rounded(value, places):,f}".replace("-", MINUS)


def _signed(value: Any, places: int) -> str:
    rounded = _rounded(value, places)
    return ("+" if rounded > 0 else "") + _number(rounded + 0, places)


def _money(value: Any) -> str:
    for name, size in (("trillion", 10**12), ("billion", 10**9), ("million", 10**6)):
        # What would be shown as 1,000.00 billion is a trillion.
        if abs(_rounded(Decimal(str(value)) * 1000 / size, 2)) >= 1000:
            return f"{_number(Decimal(str(value)) / size, 2)} {name}"
    return _number(value, 0)


def _day(value: date, month: str) -> str:
    return f"{value.day} {value:{month}} {value.year}"


_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth"),
)


def _ordinal(value: int) -> str:
    if value <= len(_ORDINALS):
        return _ORDINALS[value - 1]
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10)
    return f"{value}{ending or 'th'}"


def _one_line(value: Any) -> str:
    return " ".join(str(value).split())


FORMS: dict[str, Callable[[Any], str]] = {
    "text": _one_line,
    "lower": lambda value: _one_line(value).lower(),
    "capital": lambda value: _one_line(value).capitalize(),
    # Without its full stop, so that it can be part of another sentence.
    "sentence": lambda value: _one_line(value).rstrip("."),
    # The Hong Kong list marks share classes behind the name: `BABA - W`.
    "short_name": lambda value: re.sub(r" - [A-Z]{1,3}$", "", _one_line(value)),
    "shortened": lambda value: textwrap.shorten(str(value), 240, placeholder=" …"),
    # A number of sessions in a row, positive or negative.
    "ordinal": lambda value: _ordinal(abs(value)),
    "count": lambda value: _number(value, 0),
    "level": lambda value: _number(value, 2),
    "price": lambda value: _number(value, 2 if abs(value) >= 1 else 3),
    "points": lambda value: _signed(value, 2),
    # The end of a range: signed, but neither a gain nor a loss.
    "bound": lambda value: _signed(value, 2),
    "points_size": lambda value: _number(abs(value), 2),
    "pct": lambda value: _signed(value, 2) + " %",
    "pct_size": lambda value: _number(abs(value), 2) + " %",
    "share": lambda value: _number(value, 1) + " %",
    "money": _money,
    "billions": lambda value: _number(Decimal(str(value)) / 10**9, 2),
    # A ratio to an average, as the difference from it.
    "above": lambda value: _signed((Decimal(str(value)) - 1) * 100, 1) + " %",
    "above_size": lambda value: _number(abs((Decimal(str(value)) - 1) * 100), 1) + " %",
    "date": lambda value: _day(value, "%B"),
    "short_date": lambda value: _day(value, "%b"),
    # A day of the last twelve months.
    "recent_date": lambda value: f"{value.day} {value:%B}",
    "month": lambda value: f"{value:%B} {value.year}",
    "title": lambda value: f"Market report, {_day(value, '%B')}",
    "moment": lambda value: f"{_day(value, '%B')}, {value:%H:%M} UTC",
}
SIGNED = {"points", "pct", "above"}


def direction(value: Any, places: int = 2) -> int:
    """1 up, -1 down, 0 neither, after rounding: what is shown as 0.00 did not move."""
    rounded = 0 if value is None else _rounded(value, places)
    return (rounded > 0) - (rounded < 0)


# Rows, figures, references


@dataclass(frozen=True)
class RowKey:
    """A table of the release and the key of a row, or of several rows for `count(*)` and sums."""

    table: str
    key: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, table: str, **key: Any) -> "RowKey":
        return cls(table, tuple((column, str(value)) for column, value in key.items()))

    def __str__(self) -> str:
        return f"{self.table}?{urlencode(self.key, quote_via=quote)}"

    def in_words(self) -> str:
        return ", ".join([self.table, *(f"{column} {value}" for column, value in self.key)])

    def __getitem__(self, column: str) -> str:
        return dict(self.key)[column]


@dataclass(frozen=True)
class Reference:
    """Where a figure comes from, and in which form it is written."""

    row: RowKey
    measure: str
    form: str

    def __str__(self) -> str:
        return f"{self.row}#{self.measure}:{self.form}"

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Parse what `str()` wrote.

        Raises:
            UnknownFigure: the text is not a reference.
        """
        match = re.fullmatch(r"([a-z_.]+)\?([^#]*)#([a-z_0-9()*]+):([a-z_]+)", text)
        if not match or match[4] not in FORMS:
            raise UnknownFigure(f"{text!r} is no reference to a figure")
        row = RowKey(match[1], tuple(parse_qsl(match[2], keep_blank_values=True)))
        return cls(row, match[3], match[4])


@dataclass(frozen=True)
class Figure:
    """A value of the release and how the report writes it."""

    reference: Reference
    value: Any

    @property
    def text(self) -> str:
        return MISSING if self.value is None else FORMS[self.reference.form](self.value)

    def written(self, form: str) -> "Figure":
        """The same figure in another form."""
        reference = self.reference
        return Figure(Reference(reference.row, reference.measure, form), self.value)

    @property
    def is_words(self) -> bool:
        """Whether it is a name or a sentence, rather than a number or a date."""
        return isinstance(self.value, str)

    @property
    def direction(self) -> int | None:
        """1 up, -1 down, 0 neither; None where the form has no direction."""
        if self.value is None or self.reference.form not in SIGNED:
            return None
        if self.reference.form == "above":
            return direction((Decimal(str(self.value)) - 1) * 100, 1)
        return direction(self.value)


@dataclass(frozen=True)
class Row:
    """A row of the release: `row["close"]` is a value, `row.figure("close", "level")` a figure."""

    row_key: RowKey
    values: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def figure(self, measure: str, form: str) -> Figure:
        return Figure(Reference(self.row_key, measure, form), self.values[measure])


# Text with figures in it

Text = tuple["str | Figure", ...]


def say(pattern: str, **parts: Any) -> Text:
    """A text from a pattern: `say("closed at {close}", close=figure)`.

    Raises:
        ValueError: the words contain a digit; every digit of a report belongs to a figure.
    """
    pieces: list[str | Figure] = []
    for words, name in re.findall(r"([^{]*)(?:\{(\w+)\})?", pattern):
        pieces.append(words)
        if name:
            part = parts[name]
            pieces.extend(part if isinstance(part, tuple) else [part])
    text = tuple(piece for piece in pieces if piece != "")
    for piece in text:
        if isinstance(piece, str) and re.search(r"\d", piece):
            raise ValueError(f"{piece!r} holds a digit that is no figure's")
    return text


def listed(texts: Iterable[Text], last: str = "and") -> Text:
    """Texts as an enumeration: `a, b and c`."""
    items = list(texts)
    joined: list[str | Figure] = []
    for position, text in enumerate(items):
        if position:
            before = "" if last.startswith(",") else " "
            joined.append(f"{before}{last} " if position == len(items) - 1 else ", ")
        joined.extend(text)
    return tuple(joined)


def paragraph(sentences: Iterable[Text]) -> Text:
    """Sentences as one text, a space between them; empty ones are left out."""
    pieces: list[str | Figure] = []
    for sentence in sentences:
        if sentence:
            pieces += [" ", *sentence] if pieces else sentence
    return tuple(pieces)


def plain(text: Text) -> str:
    """A text as it reads."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in text)


def figures_of(text: Text) -> list[Figure]:
    return [piece for piece in text if isinstance(piece, Figure)]
