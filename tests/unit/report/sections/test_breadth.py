"""The sentences about breadth."""

from typing import Any

from dagster_project.report.figures import Row
from tests.unit.report.support import ALL_OPEN, DAY, row, story


def breadth(market: str, advancers: int, decliners: int, **values: Any) -> Row:
    counts = dict.fromkeys(("new_highs_52w", "new_lows_52w", "limit_up"), 0)
    return row(
        "market_breadth",
        {"market": market, "trade_date": DAY},
        advancers=advancers,
        decliners=decliners,
        **counts | {"limit_down": None} | values,
    )


def test_breadth_says_which_side_was_larger() -> None:
    _, paragraphs = story(
        sessions=ALL_OPEN,
        breadth={
            "XHKG": breadth("XHKG", 54, 12, new_highs_52w=11),
            "XSHG": breadth("XSHG", 34, 44),
            "XSHE": breadth("XSHE", 7, 7, limit_up=2),
        },
    )
    assert (
        "Advancers outnumbered decliners by 54 to 12 in Hong Kong. Decliners outnumbered advancers "
        "by 44 to 34 in Shanghai. As many advanced as declined in Shenzhen (7 each). Of the "
        "securities followed, 11 in Hong Kong closed at the highest of a year. At the upper price "
        "limit closed 2 in Shenzhen." in paragraphs
    )


def test_on_a_first_day_nothing_is_said_of_breadth() -> None:
    _, paragraphs = story(breadth={"XHKG": breadth("XHKG", 0, 0)})
    assert not any("advance" in text.lower() for text in paragraphs)
