"""Finding sections: every file in the folder is one, and the sections come in their own order."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagster_project.report import composition, sections
from dagster_project.report.figures import plain
from dagster_project.report.section import section_classes
from tests.unit.report.support import index, story, the_day

NEW_SECTION = """
from dagster_project.report.figures import say
from dagster_project.report.section import Section


class Weather(Section):
    name = "{name}"
    title = "Weather"
    order = {order}

    def paragraphs(self):
        return [say("The sun shone.")]

    def notes(self):
        return [say("It shone on all markets.")]
"""


@pytest.fixture
def add_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts a file into `sections/` until the test ends."""
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])

    def add(text: str) -> None:
        (tmp_path / "added.py").write_text(text)
        importlib.invalidate_caches()

    yield add
    sys.modules.pop(f"{sections.__name__}.added", None)


def test_sections_come_in_the_order_that_each_file_gives() -> None:
    found = section_classes()
    assert [section.name for section in found] == [
        "indices",
        "sectors",
        "movers",
        "closures",
        "turnover",
        "breadth",
        "events",
        "claims",
        "tonight",
    ]
    assert [section.order for section in found] == sorted({section.order for section in found})


def test_every_file_of_the_folder_is_a_section() -> None:
    files = {path.stem for path in Path(sections.__path__[0]).glob("[!_]*.py")}
    assert {section.__module__.rpartition(".")[2] for section in section_classes()} == files


@pytest.mark.parametrize(("order", "after"), [(1, None), (65, "breadth"), (1000, "tonight")])
def test_a_new_file_is_shown_where_its_order_says(
    add_file: Callable[[str], None], order: int, after: str | None
) -> None:
    add_file(NEW_SECTION.format(name="weather", order=order))
    found = [section.name for section in section_classes()]
    position = found.index("weather")
    assert (found[position - 1] if position else None) == after
    parts = composition.parts(composition.sections_of(the_day()))
    (part,) = [part for part in parts if part.name == "weather"]
    assert (part.title, plain(part.notes[0])) == ("Weather", "It shone on all markets.")
    _, paragraphs = story(indices=[index("HSI", 1.0)])
    assert "The sun shone." in paragraphs


def test_a_new_section_is_not_shown_on_closed_days_unless_it_says_so(
    add_file: Callable[[str], None],
) -> None:
    add_file(NEW_SECTION.format(name="weather", order=65))
    shown = composition.sections_of(the_day(sessions={}))
    assert [section.name for section in shown] == ["closures", "claims", "tonight"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"added\.py has no subclass of Section"),
        (NEW_SECTION.format(name="movers", order=65), "have the same name, 'movers'"),
        (NEW_SECTION.format(name="weather", order=30), "have the same order, 30"),
    ],
)
def test_a_file_that_is_no_section_of_its_own_is_rejected(
    add_file: Callable[[str], None], text: str, problem: str
) -> None:
    add_file(text)
    with pytest.raises(ValueError, match=problem):
        section_classes()
