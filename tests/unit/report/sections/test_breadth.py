"""The sentences about breadth."""

from dagster_project.report.figures import Row
from tests.unit.report.support import ALL_OPEN, DAY, row, story


def breadth(market: str, advancers: int, decliners: int) -> Row:
    return row(
        "market_breadth",
        {"market": market, "trade_date": DAY},
        advancers=advancers,
        decliners=decliners,
        securities_reported=advancers + decliners + 1,
    )


def told(hong_kong: Row, shanghai: Row, shenzhen: Row) -> list[str]:
    rows = {"XHKG": hong_kong, "XSHG": shanghai, "XSHE": shenzhen}
    return story(sessions=ALL_OPEN, breadth=rows)[1]


def test_of_a_market_alone_the_shares_are_counted_and_of_two_they_are_words() -> None:
    paragraphs = told(breadth("XHKG", 183, 319), breadth("XSHG", 34, 44), breadth("XSHE", 97, 3))
    assert "Of the 503 Hong Kong shares followed, 183 rose." in paragraphs
    assert (
        "Of the shares followed, about half rose in Shanghai, nearly all in Shenzhen." in paragraphs
    )


def test_markets_that_are_alike_share_a_word() -> None:
    paragraphs = told(breadth("XHKG", 1, 1), breadth("XSHG", 2, 98), breadth("XSHE", 0, 7))
    assert "Of the shares followed, hardly any rose in Shanghai and Shenzhen." in paragraphs


def test_on_a_first_day_nothing_is_said_of_breadth() -> None:
    _, paragraphs = story(breadth={"XHKG": breadth("XHKG", 0, 0)})
    assert not any("shares followed" in text for text in paragraphs)
