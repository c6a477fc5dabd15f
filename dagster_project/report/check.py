"""Checking a finished report: does every figure follow from the release?

Belongs here: finding the figures in a report's files, and comparing each with the value that its
reference leads to. Does not belong here: writing (`render.py`, which says how figures are bound),
what a figure is (`figures.py`).

Nothing that the report shows is trusted: from a figure's reference alone, its text, its origin and
the list of origins are computed again from the published file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar

from dagster_project.report.figures import Figure, Reference, UnknownFigure
from dagster_project.report.origins import Origins
from dagster_project.report.published import Published
from dagster_project.report.render import (
    escape_markdown,
    origin_entry,
    parse_origin_entry,
)

BoundT = TypeVar("BoundT")

_DIGIT = re.compile(r"\d")
# Attributes that are shown to a reader, or read aloud.
_SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "summary", "title")


def check_html(page: str, published: Published) -> list[str]:
    """Problems of a finished HTML report; empty where every figure follows from the release."""
    reader = _PageReader()
    reader.feed(page)
    reader.close()
    problems = [f"a digit that is bound to no row: {text!r}" for text in reader.unbound]
    origins = Origins(published)
    figures = _look_up(((bound, bound.reference) for bound in reader.figures), published, problems)
    origins.prepare(figure.reference.row for _, figure in figures)
    rows = {}
    for entry in reader.rows:
        try:
            row = Reference.parse(f"{entry.reference}#count(*):count").row
            expected = " ".join(" ".join(origins.in_full(row)).split())
        except UnknownFigure as error:
            problems.append(f"the origin #{entry.number}: {error}")
            continue
        rows[entry.number] = row
        if entry.text != expected:
            problems.append(f"the origin #{entry.number} reads {entry.text!r}, not {expected!r}")
    for bound, figure in figures:
        if bound.text != figure.text:
            problems.append(_wrong(bound.text, figure))
        if bound.origin is not None and bound.origin != origins.in_short(figure):
            problems.append(
                f"the origin of {figure.text!r} reads {bound.origin!r} "
                f"instead of {origins.in_short(figure)!r}"
            )
        if bound.drawn_origin is not None and bound.drawn_origin != bound.origin:
            problems.append(
                f"the origin of {figure.text!r} in a drawing reads {bound.drawn_origin!r}"
            )
        if bound.target is not None and rows.get(bound.target) != figure.reference.row:
            problems.append(f"{figure.text!r} leads to #{bound.target}, which is another row's")
    return problems


def check_markdown(text: str, text_origins: str, published: Published) -> list[str]:
    """Problems of a finished text and its origins; empty where every figure follows."""
    problems: list[str] = []
    entries: list[tuple[str, int, list[Reference]]] = []
    for entry in text_origins.splitlines():
        try:
            parsed = parse_origin_entry(entry)
        except UnknownFigure as error:
            problems.append(f"the origin {entry!r}: {error}")
            continue
        if parsed:
            entries.append((entry, *parsed))
        elif _DIGIT.search(entry):
            problems.append(f"an origin that cannot be read: {entry!r}")
    found = dict(
        _look_up(
            ((ref, str(ref)) for _, _, references in entries for ref in references),
            published,
            problems,
        )
    )
    origins = Origins(published)
    origins.prepare({reference.row for reference in found})
    by_line: dict[int, list[Figure]] = {}
    for entry, line, references in entries:
        figures = [found[reference] for reference in references if reference in found]
        by_line.setdefault(line, []).extend(figures)
        if len(figures) == len(references):
            expected = origin_entry(line, figures, origins)
            if entry != expected:
                problems.append(f"the origin reads {entry!r}, not {expected!r}")
    lines = text.split("\n")
    for line in by_line.keys() - set(range(1, len(lines) + 1)):
        problems.append(f"the text has no line {line}, of which there are origins")
    for number, rest in enumerate(lines, start=1):
        for figure in by_line.get(number, []):
            rest = _take(rest, figure, problems)
        if _DIGIT.search(rest):
            problems.append(f"a digit that is bound to no row: {rest.strip()!r}")
    return problems


def _wrong(shown: str, figure: Figure) -> str:
    reference = figure.reference
    return f"shows {shown!r}, but {reference.measure} of {reference.row.in_words()} is " + (
        f"{figure.text!r}"
    )


def _look_up(
    references: Iterable[tuple[BoundT, str]], published: Published, problems: list[str]
) -> list[tuple[BoundT, Figure]]:
    """Each with the figure of its reference; a reference without a figure is a problem."""
    figures = []
    for bound, reference in references:
        try:
            figures.append((bound, published.figure(Reference.parse(reference))))
        except UnknownFigure as error:
            problems.append(str(error))
    return figures


# HTML


@dataclass
class _Bound:
    """An element with `data-ref`, or a list entry with `data-row`."""

    tag: str
    reference: str
    number: str = ""
    origin: str | None = None
    drawn_origin: str | None = None
    target: str | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


class _PageReader(HTMLParser):
    """Collects the figures of a page, and every digit that belongs to none."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[_Bound] = []
        self.rows: list[_Bound] = []
        self.unbound: list[str] = []
        self._open: list[tuple[str, _Bound | None]] = []
        self._is_drawn_origin = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        for name in _SPOKEN:
            if _DIGIT.search(attributes.get(name, "")):
                self.unbound.append(attributes[name])
        bound = None
        if "data-ref" in attributes:
            bound = _Bound(tag, attributes["data-ref"], origin=attributes.get("data-origin"))
            if "href" in attributes:
                bound.target = attributes["href"].removeprefix("#")
            self.figures.append(bound)
        elif "data-row" in attributes:
            bound = _Bound(tag, attributes["data-row"], number=attributes.get("id", ""))
            self.rows.append(bound)
        self._is_drawn_origin = tag == "title" and "data-title" in attributes
        if tag != "meta":
            self._open.append((tag, bound))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._is_drawn_origin = False
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        innermost = next((bound for _, bound in reversed(self._open) if bound), None)
        if innermost is None:
            if _DIGIT.search(data) and not any(tag == "style" for tag, _ in self._open):
                self.unbound.append(" ".join(data.split()))
        elif self._is_drawn_origin:
            innermost.drawn_origin = (innermost.drawn_origin or "") + data
        else:
            innermost.pieces.append(data)


# Markdown


def _take(text: str, figure: Figure, problems: list[str]) -> str:
    """The rest of a text after a figure, which must be the next piece with digits."""
    expected = escape_markdown(figure.text)
    start = text.find(expected)
    if start >= 0 and not _DIGIT.search(text[:start]):
        return text[start + len(expected) :]
    # A piece of the same shape with other digits is the figure, altered.
    shape = re.sub(r"\d+", r"\\d+", re.escape(expected))
    altered = re.search(shape, text)
    if altered is None or _DIGIT.search(text[: altered.start()]):
        altered = re.search(r"[^|]*", text)
    assert altered is not None
    problems.append(_wrong(altered[0].strip(), figure))
    return text[altered.end() :]
