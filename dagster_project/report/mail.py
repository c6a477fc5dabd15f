"""The market report as a mail: what a reader of the evening needs, in HTML and in plain text.

Belongs here: which parts of a report a mail has, and how they are written for mail clients, which
know neither style sheets nor links within a mail. Does not belong here: to whom it goes, and how
(`alerts/`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from dagster_project.report.composition import compose
from dagster_project.report.environment import environment
from dagster_project.report.figures import figures_of, plain
from dagster_project.report.published import Published
from dagster_project.report.render import Colours
from dagster_project.report.tables import Cell, Table

# Colours that are readable on white, of a rise and of a fall.
_RED, _GREEN = "#b42318", "#0e7043"
_SIDES: dict[Colours, dict[int | None, str]] = {
    "hong_kong": {1: _RED, -1: _GREEN},
    "western": {1: _GREEN, -1: _RED},
}


@dataclass(frozen=True)
class Mail:
    subject: str
    text: str
    html: str


def mail_of(published: Published, colours: Colours, page: str | None = None) -> Mail:
    """The mail of a trade date.

    Args:
        page: the address of a page with more, for example the report's asset in the UI.

    Raises:
        ReportError: the release does not reach to the date.
    """
    report = compose(published)
    subject = f"{plain(report.headline)} ({report.date.text})"
    paragraphs = [plain(text) for text in (report.lead, *report.paragraphs)]
    parts = [subject, *paragraphs]
    if report.glance:
        parts.insert(2, _in_columns(report.glance))
    footer = (
        f"Written by rules from release {report.release.text}, up to {report.clock.text}. "
        "Its page, market_report.html, shows which line of which file each figure comes from."
    )
    html = environment.get_template("mail.html.j2").render(
        report=report, plain=plain, colour_of=_colour(colours), footer=footer, page=page
    )
    end = [footer, *([f"See {page}"] if page else [])]
    return Mail(subject, "\n\n".join([*parts, "\n".join(end)]) + "\n", html)


def _colour(colours: Colours) -> Callable[[Cell], str | None]:
    def of(cell: Cell) -> str | None:
        (direction, *_) = [*(figure.direction for figure in figures_of(cell.text)), None]
        return _SIDES[colours].get(direction)

    return of


def _in_columns(table: Table) -> str:
    """A table as lines of text, numbers to the right."""
    rows = [[column.heading for column in table.columns]]
    rows += [[plain(cell.text) for cell in row] for row in table.rows]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column.kind == "number" else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        ).rstrip()
        for row in rows
    )
