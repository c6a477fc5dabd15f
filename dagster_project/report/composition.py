"""One report of all sections: the headline, the paragraphs in their order, the parts of the page.

Belongs here: how sections are put together. Does not belong here: what a section says
(`sections/`), how the report becomes Markdown and HTML (`render.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from dagster_project.report.day import Day, check_requested
from dagster_project.report.drawing import Chart
from dagster_project.report.figures import Figure, Text, paragraph
from dagster_project.report.news import regions_by_news
from dagster_project.report.published import Published
from dagster_project.report.section import Section, section_classes
from dagster_project.report.tables import Table
from dagster_project.report.wording import weekday

GivenT = TypeVar("GivenT")


@dataclass(frozen=True)
class Part:
    """A section as the page shows it."""

    name: str
    title: str
    is_wide: bool
    charts: Sequence[Chart]
    tables: Sequence[Table]
    notes: Sequence[Text]


@dataclass(frozen=True)
class Report:
    """All that the templates show, except how it looks."""

    headline: Text
    lead: Text
    paragraphs: Sequence[Text]
    """Those after the lead."""
    lead_charts: Sequence[Chart]
    glance: Table | None
    """The small table beside the lead."""
    parts: Sequence[Part]
    data_parts: Sequence[Part]
    """Those of the page about the data."""
    weekday: str
    date: Figure
    title: Figure
    release: Figure
    clock: Figure
    published_at: Figure

    @cached_property
    def figures(self) -> list[Figure]:
        texts: list[Text] = [self.headline, self.lead, *self.paragraphs]
        texts += [text for chart in self.lead_charts for text in _texts(chart)]
        tables = [self.glance] if self.glance else []
        for part in (*self.parts, *self.data_parts):
            tables += part.tables
            texts += part.notes
            texts += [text for chart in part.charts for text in _texts(chart)]
        texts += [table.caption for table in tables]
        texts += [cell.text for table in tables for row in table.rows for cell in row]
        found = [piece for text in texts for piece in text if isinstance(piece, Figure)]
        return [*found, self.date, self.title, self.release, self.clock, self.published_at]


def compose(published: Published) -> Report:
    """The report of a trade date.

    Raises:
        ReportError: the release does not reach to the date.
    """
    day = Day(published)
    check_requested(day)
    sections = sections_of(day)
    lead, *others = paragraphs(day, sections) or [()]
    return Report(
        headline=headline(sections),
        lead=lead,
        paragraphs=others,
        lead_charts=[chart for section in sections for chart in section.lead_charts()],
        glance=_first(section.glance() for section in sections),
        parts=parts(section for section in sections if not section.is_for_engineers),
        data_parts=parts(section for section in sections if section.is_for_engineers),
        weekday=weekday(day.trade_date),
        date=day.report.figure("trade_date", "date"),
        title=day.report.figure("trade_date", "title"),
        release=day.release.figure("release_id", "text"),
        clock=day.release.figure("clock", "date"),
        published_at=day.release.figure("published_at", "moment"),
    )


def sections_of(day: Day) -> list[Section]:
    """The sections that the report of a day is made of, in their order."""
    return [
        section(day) for section in section_classes() if section.on_closed_days or not day.is_closed
    ]


def headline(sections: Sequence[Section]) -> Text:
    return _first(section.headline() for section in sections) or ()


def paragraphs(day: Day, sections: Sequence[Section]) -> list[Text]:
    """The lead, a paragraph a region, the region that is most news first, and the whole day."""
    texts = [paragraph(sentence for section in sections for sentence in section.lead())]
    for region in regions_by_news(day):
        texts.append(
            paragraph(
                sentence for section in sections for sentence in section.region_sentences(region)
            )
        )
    for section in sections:
        texts += section.paragraphs()
    return [text for text in texts if text]


def parts(sections: Iterable[Section]) -> list[Part]:
    """The sections of a page, without those that have nothing to show."""
    shown = [
        Part(
            section.name,
            section.title,
            section.is_wide,
            section.charts(),
            section.tables(),
            section.notes(),
        )
        for section in sections
    ]
    return [part for part in shown if part.charts or part.tables or part.notes]


def _texts(chart: Chart) -> list[Text]:
    return [chart.title, chart.caption, tuple(chart.labels)]


def _first(given: Iterable[GivenT | None]) -> GivenT | None:
    return next((one for one in given if one is not None), None)
