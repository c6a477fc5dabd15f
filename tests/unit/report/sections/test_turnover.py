"""The sentences about turnover."""

from datetime import date
from typing import Any

from dagster_project.report.figures import Row
from tests.unit.report.support import ALL_OPEN, DAY, row, story


def turnover(market: str, **values: Any) -> Row:
    defaults = {
        "currency": "HKD" if market == "XHKG" else "CNY",
        "turnover": 360_000_000_000,
        "previous_turnover": 300_000_000_000,
        "average_20d": 400_000_000_000,
        "turnover_high_since": date(2025, 9, 1),
    }
    return row("market_turnover", {"market": market, "trade_date": DAY}, **defaults | values)


def scope(name: str, **values: Any) -> Row:
    defaults = {
        "turnover_cny": 2_376_700_000_000,
        "previous_turnover_cny": 2_341_400_000_000,
        "change_cny": 35_300_000_000,
        "markets_open": 2,
        "markets_reported": 2,
        "is_complete": True,
    }
    key = {"scope": name, "trade_date": DAY}
    return row("cross_market_turnover", key, **defaults | values)


def test_turnover_is_told_by_region_beside_its_average() -> None:
    _, paragraphs = story(
        sessions=ALL_OPEN,
        turnovers={
            "XHKG": turnover("XHKG", average_20d=350_000_000_000),
            "XSHG": turnover("XSHG"),
            "XSHE": turnover("XSHE"),
        },
        scopes={"mainland": scope("mainland")},
    )
    assert (
        "Turnover in Hong Kong came to 360.00 billion Hong Kong dollars after 300.00 billion the "
        "session before, about its average of the twenty sessions before. Turnover in Shanghai and "
        "Shenzhen came to 2.38 trillion yuan after 2.34 trillion the session before, a little "
        "below its average of the twenty sessions before." in paragraphs
    )


def test_a_part_of_the_turnover_is_not_told_as_the_whole() -> None:
    part = {"is_complete": False, "markets_reported": 1, "turnover_cny": None, "change_cny": None}
    _, paragraphs = story(
        sessions=ALL_OPEN,
        turnovers={"XSHG": turnover("XSHG")},
        scopes={"mainland": scope("mainland", **part)},
    )
    assert not any("Turnover in" in text for text in paragraphs)
    assert "No file states" in paragraphs[-1]
    assert "the turnover of Hong Kong" in paragraphs[-1]


def test_without_an_earlier_session_turnover_is_compared_with_nothing() -> None:
    alone = turnover("XHKG", previous_turnover=None, average_20d=None)
    _, paragraphs = story(turnovers={"XHKG": alone})
    assert "Turnover in Hong Kong came to 360.00 billion Hong Kong dollars." in paragraphs


def test_the_lead_has_a_turnover_that_was_not_seen_for_years() -> None:
    _, (lead, *_) = story(
        sessions=ALL_OPEN,
        turnovers={"XSHG": turnover("XSHG", turnover_high_since=date(2015, 6, 8))},
    )
    assert lead.endswith("Turnover was the largest in Shanghai since June 2015.")
