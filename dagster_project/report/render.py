"""Rendering: a composed report as one Markdown and one HTML file.

Belongs here: how a figure is bound to its row in either file, and the templates' helpers. Does not
belong here: what a report says or shows (`sections/`). `check.py` reads what is written here.

How a figure is bound, which `check.py` relies on:
- HTML: the figure's text is alone in an element with its reference as `data-ref`. A number or a
  date is a link to the origin of its row (`data-row`), and shows the origin when pointed at
  (`data-origin`). The page has no digit anywhere else.
- Markdown: a figure with digits in a sentence is followed by a note, and a row of a table ends
  with one; the note begins with the references, in the order of the figures. The file has no digit
  anywhere else.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from markupsafe import Markup, escape

from dagster_project.report.composition import compose
from dagster_project.report.drawing import Chart
from dagster_project.report.environment import environment
from dagster_project.report.figures import Figure, Reference, RowKey, Text
from dagster_project.report.origins import Origins
from dagster_project.report.published import Published
from dagster_project.report.tables import Cell, Column, Table

Colours = Literal["hong_kong", "western"]
COLOURS: tuple[Colours, ...] = ("hong_kong", "western")
BAR_LENGTH = 12


@dataclass(frozen=True)
class Finished:
    """A report's two files, as they are written."""

    markdown: str
    html: str


def render(published: Published, colours: Colours, asset_page: str | None = None) -> Finished:
    """The report's two files; the same release, date, colours and link give the same bytes."""
    report = compose(published)
    origins = Origins(published)
    origins.prepare(figure.reference.row for figure in report.figures)
    return Finished(
        markdown=environment.get_template("report.md.j2").render(
            report=report, md=_Markdown(origins)
        ),
        html=environment.get_template("report.html.j2").render(
            report=report, page=_Page(origins), colours=colours, asset_page=asset_page
        ),
    )


def asset_page(trade_date: date, ui_url: str | None) -> str | None:
    """The report's asset in the Dagster UI; None where no setting says where the UI is."""
    if not ui_url:
        return None
    return f"{ui_url.rstrip('/')}/assets/report/market_report?partition={trade_date}"


# HTML


class _Page:
    """Helpers of the HTML template; numbers the rows in the order of the figures."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._numbers: dict[RowKey, int] = {}

    def text(self, text: Text) -> Markup:
        pieces = (
            self.figure(piece) if isinstance(piece, Figure) else _code(piece) for piece in text
        )
        return Markup("").join(pieces)

    def figure(self, figure: Figure) -> Markup:
        if figure.is_words or figure.value is None:
            language = Markup(' lang="zh"') if re.search(r"[\u3400-\u9fff]", figure.text) else ""
            return Markup('<span data-ref="{}"{}>{}</span>').format(
                figure.reference, language, figure.text
            )
        return self._link(figure) + Markup("{}</a>").format(figure.text)

    def _link(self, figure: Figure) -> Markup:
        side = {1: " up", -1: " down", 0: " flat", None: ""}[figure.direction]
        return Markup('<a class="figure{}" href="#o{}" data-ref="{}" data-origin="{}">').format(
            side,
            self._number(figure.reference.row),
            figure.reference,
            self._origins.in_short(figure),
        )

    def svg(self, chart: Chart) -> Markup:
        return Markup(chart.svg(self._svg_link))

    def _svg_link(self, figure: Figure) -> str:
        # The bar that shows an origin is CSS, which a drawing lacks; it has a title instead.
        origin = escape(self._origins.in_short(figure))
        return self._link(figure) + Markup('<title data-title="origin">{}</title>').format(origin)

    def bar(self, cell: Cell) -> Markup:
        if cell.bar is None:
            return Markup("")
        half = 2 if cell.bar.is_from_middle else 1
        parts = Markup("").join(
            Markup('<i class="{}" style="width:{}%"></i>').format(
                side, f"{length * 100 / half:.1f}"
            )
            for side, length in cell.bar.parts
        )
        kind = "bar middle" if cell.bar.is_from_middle else "bar"
        return Markup('<span class="{}" aria-hidden="true">{}</span>').format(kind, parts)

    def origins(self) -> list[tuple[int, RowKey, list[str]]]:
        """Number, row and lines of every row that the page has linked to so far."""
        return [(n, row, self._origins.in_full(row)) for row, n in self._numbers.items()]

    def _number(self, row: RowKey) -> int:
        return self._numbers.setdefault(row, len(self._numbers) + 1)


def _code(words: str) -> Markup:
    """The report's own words, with names of tables between backticks."""
    pieces = words.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if position % 2 else escape(piece)
        for position, piece in enumerate(pieces)
    )


# Markdown


def escape_markdown(text: str) -> str:
    """Text escaped so that Markdown shows it as it is, without markup, HTML or cell borders."""
    # Markdown ignores an underscore within a word, and an ampersand that no word follows.
    return re.sub(r"([\\`*{}\[\]<>|~$]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", text)


def note_of(origins: Origins, references: Sequence[Reference]) -> str:
    """A note: the references, grouped by row, then the records behind them."""
    groups: list[tuple[RowKey, list[str]]] = []
    for reference in references:
        measure = f"{reference.measure}:{reference.form}"
        if groups and groups[-1][0] == reference.row:
            groups[-1][1].append(measure)
        else:
            groups.append((reference.row, [measure]))
    spans = [f"`{row}#{','.join(measures)}`" for row, measures in groups]
    lines = dict.fromkeys(line for row, _ in groups for line in origins.in_full(row)[1:])
    return " ".join(spans) + "".join(f"; {escape_markdown(line)}" for line in lines)


def references_of(note: str) -> list[Reference]:
    """The references that a note begins with; raises `UnknownFigure` if one cannot be parsed."""
    references = []
    for span in re.match(r"(?:`[^`]*` ?)*", note)[0].split("`")[1::2]:  # type: ignore[index]
        row, _, measures = span.partition("#")
        references += [Reference.parse(f"{row}#{measure}") for measure in measures.split(",")]
    return references


class _Markdown:
    """Helpers of the Markdown template; numbers the notes in the order of the text."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._notes: dict[tuple[Reference, ...], int] = {}

    def text(self, text: Text) -> str:
        """A sentence, with a note after each figure that has digits."""
        written = ""
        for piece in text:
            written += piece if isinstance(piece, str) else escape_markdown(piece.text)
            # A name without digits needs no note.
            if isinstance(piece, Figure) and re.search(r"\d", piece.text):
                written += self._mark([piece.reference])
        return written

    def table(self, table: Table) -> str:
        """A table whose last column has the notes of its rows."""
        shown = [
            position
            for position, column in enumerate(table.columns)
            if column.kind != "bar" or any(_is_move(row[position]) for row in table.rows)
        ]
        columns = [table.columns[position] for position in shown] + [Column("Note", "words")]
        lines = [
            [column.heading for column in columns],
            ["---:" if column.kind == "number" else ":---" for column in columns],
        ]
        for row in table.rows:
            cells = [row[position] for position in shown]
            figures = [piece for cell in cells for piece in cell.text if isinstance(piece, Figure)]
            mark = self._mark([figure.reference for figure in figures])
            lines.append([*map(_markdown_cell, cells), mark])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def notes(self) -> Iterable[str]:
        for references, number in self._notes.items():
            yield f"[^{number}]: {note_of(self._origins, references)}"

    def _mark(self, references: Sequence[Reference]) -> str:
        if not references:
            return ""
        number = self._notes.setdefault(tuple(references), len(self._notes) + 1)
        return f"[^{number}]"


def _is_move(cell: Cell) -> bool:
    return cell.bar is not None and cell.bar.is_from_middle


def _markdown_cell(cell: Cell) -> str:
    if cell.bar is not None:
        return "".join(_MOVE[side] * round(size * BAR_LENGTH) for side, size in cell.bar.parts)
    return "".join(
        escape_markdown(piece if isinstance(piece, str) else piece.text) for piece in cell.text
    )


_MOVE = {"up": "▲", "down": "▼", "flat": ""}
