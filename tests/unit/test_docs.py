"""The documentation leads somewhere: every link and every path in it exists.

Belongs here: what pages say about the repository's own files. Does not belong here: the
descriptions of models and columns (`tests/integration/test_documentation.py`).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.home import PROJECT_ROOT
from tests.support import specs

PAGES = sorted(
    str(page.relative_to(PROJECT_ROOT))
    for page in (
        PROJECT_ROOT / "README.md",
        PROJECT_ROOT / "CONTRIBUTING.md",
        *(PROJECT_ROOT / "docs").rglob("*.md"),
    )
)
_FENCE = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ADDRESS = re.compile(r"[a-z]+:")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(dagster_project|dbt_project|tests|seeds|docs|benchmarks|\.ci)/.*")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"[<>*{}…]")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page is called, as GitHub makes it."""
    headings = (heading.replace("`", "").lower() for heading in _HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def paths_in_code(text: str) -> Iterator[str]:
    """Words in backticks that look like paths of the repository and hold no placeholder."""
    for code in _CODE.findall(text):
        for word in code.split():
            if _PATH.fullmatch(word) and not _PLACEHOLDER.search(word):
                yield word


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_resolves(name: str) -> None:
    page = PROJECT_ROOT / name
    lost = []
    for link in _LINK.findall(prose(page)):
        if _ADDRESS.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == [], f"{name} has links that lead nowhere"


@pytest.mark.parametrize("name", PAGES)
def test_every_path_in_backticks_exists(name: str) -> None:
    lost = [
        path
        for path in paths_in_code(prose(PROJECT_ROOT / name))
        if not (PROJECT_ROOT / path).exists()
    ]
    assert lost == [], f"{name} names paths that do not exist; was something moved?"


def test_what_counts_as_a_path() -> None:
    text = (
        "`python -m pytest tests/a.py -k x`, `tests/<room>/b.py`, `a.py`, `seeds/c.csv`, tests/d.py"
    )
    assert list(paths_in_code(text)) == ["tests/a.py", "seeds/c.csv"]


def test_the_page_of_feeds_names_every_feed_once_and_says_which_were_never_tried() -> None:
    page = (PROJECT_ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(specs())
    described = {row.split("`")[1] for row in rows if row.rstrip(" |").endswith("description")}
    assert described == {name for name, spec in specs().items() if spec.unverified}
