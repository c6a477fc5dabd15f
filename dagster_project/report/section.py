"""What a section of the report is, and how the files in `sections/` are found.

Belongs here: what every section has and may add to the report. Does not belong here: the sections
themselves (`sections/`), how they become one report (`composition.py`).
"""

import pkgutil
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import ClassVar

from dagster_project.report import sections
from dagster_project.report.day import Day
from dagster_project.report.drawing import Chart
from dagster_project.report.figures import Text
from dagster_project.report.tables import Table


class Section:
    """One subject of the report: its rows, and the sentences, charts and tables made of them.

    A subclass reads its rows in cached properties, by `self.published.rows(…)`, and overrides what
    it adds to the report; what is empty is left out.
    """

    name: ClassVar[str]
    """The anchor of the section in the page; no other section has the same."""
    title: ClassVar[str]
    order: ClassVar[int]
    """The place among the sections, in the text and in the page; no other section has the same."""
    on_closed_days: ClassVar[bool] = False
    """Whether it is part of the report of a day on which no market traded."""
    is_for_engineers: ClassVar[bool] = False
    """Whether its tables are on the page about the data, not on the page about the day."""
    is_wide: ClassVar[bool] = True
    """Whether its tables take the whole width, one below the other."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.published = day.published

    # The text

    def headline(self) -> Text | None:
        """The headline of the report; the first section that has one gives it."""
        return None

    def lead(self) -> Iterable[Text]:
        """Sentences of the first paragraph: what a reader of one paragraph must know."""
        return ()

    def region_sentences(self, region: str) -> Iterable[Text]:
        """Sentences about a region that traded; those of all sections are one paragraph."""
        return ()

    def paragraphs(self) -> Sequence[Text]:
        """Paragraphs about the whole day."""
        return ()

    def glance(self) -> Table | None:
        """The small table beside the lead; the first section that has one gives it."""
        return None

    def lead_charts(self) -> Sequence[Chart]:
        """Charts right below the lead."""
        return ()

    # The section of the page

    def charts(self) -> Sequence[Chart]:
        return ()

    def tables(self) -> Sequence[Table]:
        return ()

    def notes(self) -> Sequence[Text]:
        """What a reader of the tables needs to know."""
        return ()


def section_classes() -> list[type[Section]]:
    """The sections of all files in `sections/`, in their order.

    Raises:
        ValueError: a file has no section, or two sections have the same name or order.
    """
    found: list[type[Section]] = []
    for module_info in pkgutil.iter_modules(sections.__path__):
        module = import_module(f"{sections.__name__}.{module_info.name}")
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Section)
            and value.__module__ == module.__name__
        ]
        if not own:
            raise ValueError(f"{module.__file__} has no subclass of Section")
        found += own
    for key in ("name", "order"):
        _check_differ(found, key)
    return sorted(found, key=lambda section: section.order)


def _check_differ(found: Iterable[type[Section]], key: str) -> None:
    first: dict[object, type[Section]] = {}
    for section in found:
        other = first.setdefault(getattr(section, key), section)
        if other is not section:
            raise ValueError(
                f"{other.__module__} and {section.__module__} have the same {key}, "
                f"{getattr(section, key)!r}; give one of them another"
            )
