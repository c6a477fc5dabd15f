"""The sentences about turnover."""

from typing import Any

from dagster_project.report.figures import Row
from tests.unit.report.support import ALL_OPEN, DAY, row, story


def turnover(market: str, **values: Any) -> Row:
    defaults = {
        "currency": "HKD" if market == "XHKG" else "CNY",
        "turnover": 360_000_000_000,
        "previous_turnover": 300_000_000_000,
        "ratio_to_average_20d": 0.9,
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


def test_turnover_is_told_by_market_and_in_one_currency() -> None:
    _, paragraphs = story(
        sessions=ALL_OPEN,
        turnovers={
            "XHKG": turnover("XHKG", ratio_to_average_20d=1.029),
            "XSHG": turnover("XSHG"),
            "XSHE": turnover("XSHE", ratio_to_average_20d=1.0),
        },
        scopes={"mainland": scope("mainland"), "all": scope("all", turnover_cny=2_705_600_000_000)},
    )
    (told,) = [text for text in paragraphs if "Turnover in" in text]
    assert told.startswith(
        "Turnover in Shanghai and Shenzhen came to 2.38 trillion yuan, up from 2.34 trillion the "
        "session before; against the average of the twenty sessions before, Shanghai was 10.0 % "
        "lower and Shenzhen was level. Hong Kong's turnover was 360.00 billion Hong Kong dollars, "
        "up from 300.00 billion; that is 2.9 % above the average of the twenty sessions before."
    )
    assert told.endswith("Counted in yuan, all markets together turned over 2.71 trillion.")


def test_a_part_of_the_turnover_is_not_told_as_the_whole() -> None:
    part = {"is_complete": False, "markets_reported": 1, "turnover_cny": None, "change_cny": None}
    _, paragraphs = story(
        sessions=ALL_OPEN,
        turnovers={"XSHG": turnover("XSHG", ratio_to_average_20d=None)},
        scopes={"mainland": scope("mainland", **part), "all": scope("all", **part)},
    )
    (told,) = [text for text in paragraphs if "turnover" in text]
    assert told == (
        "Shanghai's turnover was 360.00 billion yuan, up from 300.00 billion. No file states the "
        "turnover of Shenzhen. No file states the turnover of Hong Kong."
    )


def test_without_an_earlier_session_turnover_is_compared_with_nothing() -> None:
    alone = turnover("XHKG", previous_turnover=None, ratio_to_average_20d=None)
    _, paragraphs = story(turnovers={"XHKG": alone})
    assert "Hong Kong's turnover was 360.00 billion Hong Kong dollars." in paragraphs
