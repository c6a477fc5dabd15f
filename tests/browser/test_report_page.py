"""The report's page in a real browser: it fits, it follows the reader's colours, figures answer.

Belongs here: what only a browser can tell. Does not belong here: what the page says and whether it
holds (`tests/integration/test_report.py`).
"""

import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.report.files import Colours, write_report
from dagster_project.report.render import PAGE
from tests.browser.chromium import PHONE, WIDE, needs_chromium, probe, sheets

DAY = date(2025, 9, 17)

pytestmark = needs_chromium

# Runs in the page: what a reader would see, as JSON.
PROBE = """
// Places where the tabulator key stops before the first section.
const stops = () => {
  const before = element => first("main section").compareDocumentPosition(element)
    & Node.DOCUMENT_POSITION_PRECEDING;
  return [...document.querySelectorAll("a[href], [tabindex], summary")].filter(before).length;
};
const style = (element, part) => getComputedStyle(element, part);
const first = selector => document.querySelector(selector);
const figure = first(".lead a.figure");
figure.focus();
const {content: bar, position: barPosition} = style(figure, "::after");
const target = first(figure.getAttribute("href"));
location.hash = figure.getAttribute("href");
const drawn = first("svg a.figure text").getBoundingClientRect();
const seen = {
  width: innerWidth,
  page: document.documentElement.scrollWidth,
  scripts: document.scripts.length,
  requests: performance.getEntriesByType("resource").length,
  paper: style(document.body).backgroundColor,
  ink: style(document.body).color,
  soft: style(first("nav a")).color,
  up: style(first("a.figure.up")).color,
  down: style(first("a.figure.down")).color,
  arrow: style(first("a.figure.up"), "::before").content,
  origin: figure.dataset.origin,
  bar,
  barPosition,
  reached: target.matches(":target") && target.checkVisibility() && target.textContent,
  back: first(target.parentElement.querySelector(".back").getAttribute("href")) !== null,
  stops: stops(),
  hasHeader: [...document.querySelectorAll("table")].every(t => t.caption && t.tHead),
  drawn: Math.min(drawn.width, drawn.height),
  line: style(first("svg path[stroke='var(--line)']")).stroke,
};
"""


def written(published: Path, folder: Path, colours: Colours = "hong_kong") -> str:
    home = Home(folder / "home")
    home.published.parent.mkdir(parents=True)
    shutil.copyfile(published, home.published)
    return write_report(home, DAY, colours)[PAGE].read_text()


@pytest.fixture
def page(sample_home: Home, tmp_path: Path) -> str:
    return written(sample_home.published, tmp_path)


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(float(part) for part in colour.partition("(")[2].strip(")").split(",")[:3])


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as the Web Content Accessibility Guidelines define it."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in rgb(colour)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def is_red(colour: str) -> bool:
    red, green, _ = rgb(colour)
    return red > green


def test_the_page_fits_a_phone(page: str, tmp_path: Path) -> None:
    seen = probe(page, PROBE, tmp_path, PHONE)
    assert seen["width"] == PHONE[0]
    assert seen["page"] <= PHONE[0]
    assert seen["drawn"] >= 9  # pixels: a label in a drawing can still be read


def test_a_figure_tells_its_origin_when_pointed_at_and_when_followed(
    page: str, tmp_path: Path
) -> None:
    seen = probe(page, PROBE, tmp_path)
    assert "of HSI on 17 September 2025" in seen["origin"]
    assert "From line" in seen["origin"]
    assert json.loads(seen["bar"]) == seen["origin"]
    assert seen["barPosition"] == "fixed"
    assert "index_performance, symbol HSI, trade_date 2025-09-17" in seen["reached"]
    assert seen["back"]
    assert seen["stops"] <= 3
    assert seen["hasHeader"]
    assert seen["requests"] == 0


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_page_can_be_read_by_day_and_by_night(page: str, tmp_path: Path, is_dark: bool) -> None:
    seen = probe(
        page, PROBE, tmp_path, WIDE, f"--blink-settings=preferredColorScheme={int(not is_dark)}"
    )
    assert (sum(rgb(seen["paper"])) < sum(rgb(seen["ink"]))) == is_dark
    for colour in ("ink", "soft", "up", "down"):
        assert contrast(seen[colour], seen["paper"]) >= 4.5, colour
    assert contrast(seen["line"], seen["paper"]) >= 3


@pytest.mark.parametrize("colours", ["hong_kong", "western"])
def test_red_and_green_mean_what_was_set(
    sample_home: Home, tmp_path: Path, colours: Colours
) -> None:
    seen = probe(written(sample_home.published, tmp_path, colours), PROBE, tmp_path)
    assert is_red(seen["up"]) == (colours == "hong_kong")
    assert is_red(seen["down"]) == (colours == "western")
    assert "▲" in seen["arrow"]


def test_it_prints_on_four_sheets(page: str, tmp_path: Path) -> None:
    assert 1 < sheets(page, tmp_path) <= 4


def test_a_hostile_name_runs_nothing(sample_home: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.published.parent.mkdir(parents=True)
    shutil.copyfile(sample_home.published, home.published)
    with duckdb.connect(str(home.published)) as con:
        for table in ("index_performance", "security_performance", "dim_sector"):
            con.execute(
                f"""update main.{table}
                set name = '"><script>document.title = 1</script><img src=x onerror=alert(1)>'"""
            )
    page = write_report(home, DAY)[PAGE].read_text()
    seen = probe(page, PROBE, tmp_path)
    assert seen["scripts"] == 1  # the probe's own
    assert seen["requests"] == 0
