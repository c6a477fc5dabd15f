"""Rendering: a composed report as its files, Markdown and HTML.

Belongs here: how a figure is bound to its row in each file, and the templates' helpers. Does not
belong here: what a report says or shows (`sections/`). `check.py` reads what is written here.

How a figure is bound, which `check.py` relies on:
- HTML: the figure's text is alone in an element with its reference as `data-ref`. A number or a
  date is a link to the origin of its row (`data-row`), and shows the origin when pointed at
  (`data-origin`). The page has no digit anywhere else.
- Markdown: the text is plain. The file of origins has an entry for each figure with digits, in
  their order: the line of the text, the figures, their references and the records behind them. The
  text has no digit anywhere else.
"""

import re
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

from dagster_project.report.composition import Report, compose
from dagster_project.report.drawing import Chart
from dagster_project.report.environment import environment
from dagster_project.report.figures import Figure, Reference, RowKey, Text
from dagster_project.report.origins import Origins
from dagster_project.report.published import Published
from dagster_project.report.tables import Cell, Table

Colours = Literal["hong_kong", "western"]
COLOURS: tuple[Colours, ...] = ("hong_kong", "western")
BAR_LENGTH = 12


# The files of a report.
TEXT, TEXT_ORIGINS = "market_report.md", "market_report.origins.md"
PAGE, QUALITY_PAGE = "market_report.html", "data_quality.html"


def render(published: Published, colours: Colours, asset_page: str | None = None) -> dict[str, str]:
    """The report's files, by name; the same release, date, colours and link give the same bytes."""
    report = compose(published)
    origins = Origins(published)
    origins.prepare(figure.reference.row for figure in report.figures)
    text, text_origins = _markdown(report, origins)
    pages = {
        name: environment.get_template(template).render(
            report=report, page=_Page(origins), colours=colours, asset_page=asset_page
        )
        for name, template in ((PAGE, "report.html.j2"), (QUALITY_PAGE, "data_quality.html.j2"))
    }
    return {TEXT: text, TEXT_ORIGINS: text_origins, **pages}


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
        row = figure.reference.row
        is_first = row not in self._numbers
        number = self._numbers.setdefault(row, len(self._numbers) + 1)
        return Markup('<a class="figure{}"{} href="#o{}" data-ref="{}" data-origin="{}">').format(
            side,
            # Where the way back from the origin leads.
            Markup(' id="f{}"').format(number) if is_first else "",
            number,
            figure.reference,
            self._origins.in_short(figure),
        )

    def chart(self, chart: Chart) -> Markup:
        return Markup(
            '<figure>\n<figcaption id="{name}-caption"><b>{title}</b> <span>{caption}</span>'
            "</figcaption>\n{svg}\n</figure>"
        ).format(
            name=chart.name,
            title=self.text(chart.title),
            caption=self.text(chart.caption),
            svg=Markup(chart.svg(self._svg_link)),
        )

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


def _code(words: str) -> Markup:
    """The report's own words, with names of tables between backticks."""
    pieces = words.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if position % 2 else escape(piece)
        for position, piece in enumerate(pieces)
    )


# Markdown

# Around the number of a figure while the text is rendered; no name may have them.
_BEGIN, _END = "\ue000", "\ue001"


def escape_markdown(text: str) -> str:
    """Text escaped so that Markdown shows it as it is, without markup, HTML or cell borders."""
    text = text.replace(_BEGIN, "").replace(_END, "")
    # Markdown ignores an underscore within a word, and an ampersand that no word follows.
    return re.sub(r"([\\`*{}\[\]<>|~$]|&(?=[#\w])|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", text)


def origin_entry(line: int, figures: Sequence[Figure], origins: Origins) -> str:
    """The origin of figures of one row: line of the text, figures, references, records."""
    shown = "; ".join(escape_markdown(figure.text) for figure in figures)
    row = figures[0].reference.row
    measures = ",".join(f"{f.reference.measure}:{f.reference.form}" for f in figures)
    records = "".join(f"; {escape_markdown(record)}" for record in origins.in_full(row)[1:])
    return f"- Line {line}: {shown} ← `{row}#{measures}`{records}"


def parse_origin_entry(entry: str) -> tuple[int, list[Reference]] | None:
    """Line and references of what `origin_entry` wrote, None of any other text.

    Raises:
        UnknownFigure: a reference cannot be parsed.
    """
    match = re.match(r"- Line (\d+): .*?(?<!\\)`([^`]*)`", entry)
    if match is None:
        return None
    row, _, measures = match[2].partition("#")
    return int(match[1]), [Reference.parse(f"{row}#{measure}") for measure in measures.split(",")]


def _markdown(report: Report, origins: Origins) -> tuple[str, str]:
    """The text, and the origins of its figures."""
    helpers = _Markdown()
    marked = environment.get_template("report.md.j2").render(report=report, md=helpers)
    entries = []
    for number, line in enumerate(marked.split("\n"), start=1):
        found = [helpers.figures[int(n)] for n in re.findall(f"{_BEGIN}(\\d+){_END}", line)]
        for _, figures in groupby(found, key=lambda figure: figure.reference.row):
            entries.append(origin_entry(number, list(figures), origins))
    return (
        re.sub(f"{_BEGIN}\\d+{_END}", "", marked),
        environment.get_template("origins.md.j2").render(text_name=TEXT, entries=entries),
    )


class _Markdown:
    """Helpers of the Markdown template; marks each figure that has digits with its number."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def text(self, text: Text) -> str:
        written = ""
        for piece in text:
            written += escape_markdown(piece.text) if isinstance(piece, Figure) else piece
            # A name without digits needs no origin.
            if isinstance(piece, Figure) and re.search(r"\d", piece.text):
                written += f"{_BEGIN}{len(self.figures)}{_END}"
                self.figures.append(piece)
        return written

    def table(self, table: Table) -> str:
        shown = [
            position
            for position, column in enumerate(table.columns)
            if column.kind != "bar" or any(_is_move(row[position]) for row in table.rows)
        ]
        columns = [table.columns[position] for position in shown]
        lines = [
            [column.heading for column in columns],
            ["---:" if column.kind == "number" else ":---" for column in columns],
            *([self._cell(row[position]) for position in shown] for row in table.rows),
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cell(self, cell: Cell) -> str:
        if cell.bar is not None:
            return "".join(_MOVE[side] * round(size * BAR_LENGTH) for side, size in cell.bar.parts)
        # A border that is the section's own word would end the cell.
        return self.text(tuple(escape_markdown(p) if isinstance(p, str) else p for p in cell.text))


def _is_move(cell: Cell) -> bool:
    return cell.bar is not None and cell.bar.is_from_middle


_MOVE = {"up": "▲", "down": "▼", "flat": ""}
