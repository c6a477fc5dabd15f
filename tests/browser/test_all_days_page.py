"""The page of all days in a real browser: it fits, and its search finds."""

from datetime import date
from pathlib import Path

from dagster_project.home import Home
from dagster_project.report.all_days import write_all_days
from tests.browser.chromium import PHONE, needs_chromium, probe

pytestmark = needs_chromium

HEADLINES = {
    date(2025, 9, 17): "Hang Seng Index closes at its highest since 23 July 2021",
    date(2025, 9, 16): "Shanghai edges up",
    date(2025, 8, 29): "Hang Seng Index falls 0.2 %",
}
PROBE = """
const wanted = document.getElementById("wanted");
const found = (words) => {
  wanted.value = words;
  wanted.dispatchEvent(new Event("input"));
  const lines = [...document.querySelectorAll(".headlines li")].filter((l) => l.offsetHeight);
  return [lines.map((l) => l.querySelector("a").textContent), document.forms[0].found.value];
};
const seen = {
  width: innerWidth,
  page: document.documentElement.scrollWidth,
  requests: performance.getEntriesByType("resource").length,
  hangSeng: found("hang seng"),
  september: found("2025-09 index"),
  nothing: found("Nikkei"),
  all: found(""),
  months: [...document.querySelectorAll("section")].filter((s) => s.offsetHeight).length,
};
"""


def page(folder: Path) -> str:
    home = Home(folder / "home")
    for day, headline in HEADLINES.items():
        file = home.reports / f"{day}" / "market_report.html"
        file.parent.mkdir(parents=True)
        file.write_text(f"<h1>{headline}</h1>")
    write_all_days(home)
    return (home.reports / "index.html").read_text("utf-8")


def test_the_search_shows_the_days_whose_headlines_have_all_words(tmp_path: Path) -> None:
    seen = probe(page(tmp_path), PROBE, tmp_path, PHONE)
    latest, shanghai, august = HEADLINES.values()
    assert seen["hangSeng"] == [[latest, august], "2 days"]
    assert seen["september"] == [[latest], "1 day"]
    assert seen["nothing"] == [[], "0 days"]
    assert seen["all"] == [[latest, shanghai, august], "3 days"]
    assert seen["months"] == 2
    assert seen["page"] <= seen["width"] == PHONE[0]
    assert seen["requests"] == 0
