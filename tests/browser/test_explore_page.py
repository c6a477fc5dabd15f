"""The page of the history in a real browser: range, region, search and keys do what they say."""

from pathlib import Path
from typing import Any

import pytest

from dagster_project.home import Home
from dagster_project.report.explore import PAGE, write_explore
from dagster_project.warehouse.connection import connect
from tests.browser.chromium import PHONE, needs_chromium, probe

pytestmark = needs_chromium

PROBE = """
const byId = (id) => document.getElementById(id);
const pick = (name, value) => {
  const input = document.querySelector(`input[name=${name}][value="${value}"]`);
  input.click();
};
const lines = (id) =>
  [...byId(id).querySelectorAll(".u-series th .u-label")].map((l) => l.textContent).slice(1);
const span = (id) => byId(id).getAttribute("aria-label");
const press = (id, key) =>
  byId(id).dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const begin = {lines: lines("indices"), span: span("indices")};
press("one", "End");
const last = byId("place").textContent;
press("one", "ArrowLeft");
const before = byId("place").textContent;
pick("range", "1m");
const month = span("indices");
pick("region", "mainland");
const mainland = lines("indices");
const search = byId("search");
search.querySelector("input").value = "kweichow";
search.requestSubmit();
const found = lines("securities");
search.querySelector("input").value = "Nikkei";
search.requestSubmit();
const unknown = search.querySelector("output").value;
const from = document.querySelector("input[name=from]");
from.value = "2025-09-01";
from.dispatchEvent(new Event("change", {bubbles: true}));
const seen = {
  begin, last, before, month, mainland, found, unknown,
  query: byId("query").textContent,
  fromSpan: span("one"),
  address: decodeURIComponent(location.hash),
  heat: byId("sectors").querySelectorAll("canvas").length,
  areas: byId("map").querySelectorAll("rect").length,
  width: innerWidth,
  page: document.documentElement.scrollWidth,
  requests: performance.getEntriesByType("resource").length,
  drawn: Number(document.documentElement.dataset.drawn),
};
"""


@pytest.fixture(scope="module")
def seen(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("explore")
    home = Home(folder / "home")
    with connect(sample_home.published, read_only=True) as con:
        write_explore(home, con, "hong_kong")
    return probe((home.reports / PAGE).read_text("utf-8"), PROBE, Path(folder), PHONE)


def test_it_begins_with_a_year_of_both_regions(seen: dict[str, Any]) -> None:
    assert seen["begin"]["lines"][0] == "Hang Seng Index"
    assert "SSE Composite Index" in seen["begin"]["lines"]
    assert "2024-09-17 to 2025-09-17" in seen["begin"]["span"]


def test_range_and_region_choose_and_stay_in_the_address(seen: dict[str, Any]) -> None:
    assert "2025-08-18 to 2025-09-17" in seen["month"]
    assert "Hang Seng Index" not in seen["mainland"]
    assert "SSE Composite Index" in seen["mainland"]
    assert "2025-09-01 to 2025-09-17" in seen["fromSpan"]
    assert "region=mainland" in seen["address"]
    assert "from=2025-09-01" in seen["address"]


def test_the_search_adds_a_security_or_gives_the_query(seen: dict[str, Any]) -> None:
    assert any("Kweichow Moutai" in line for line in seen["found"])
    assert "600519.SH" in seen["address"]
    assert "Not among" in seen["unknown"]
    assert "symbol = 'Nikkei'" in seen["query"]


def test_keys_move_along_a_chart_and_tell_value_and_line(seen: dict[str, Any]) -> None:
    assert seen["last"].startswith("2025-09-17: Hang Seng Index 26,908.39, line ")
    assert seen["before"].startswith("2025-09-16: Hang Seng Index 26,438.51, line ")


def test_it_fits_a_phone_and_loads_nothing(seen: dict[str, Any]) -> None:
    assert seen["width"] == PHONE[0]
    assert seen["page"] <= PHONE[0]
    assert seen["requests"] == 0
    assert seen["heat"] == 1
    assert seen["areas"] > 10
    assert seen["drawn"] > 0
