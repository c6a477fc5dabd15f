"""The sentences about markets that did not trade."""

from datetime import date

from tests.unit.report.support import DAY, index, session, story


def test_on_a_day_without_sessions_markets_are_closed() -> None:
    headline, paragraphs = story(sessions={})
    assert headline == "Markets closed"
    assert paragraphs == [
        "Hong Kong, Shanghai and Shenzhen were closed on Wednesday, 17 September 2025.",
        "They last traded on 16 September 2025.",
    ]


def test_markets_that_last_traded_on_different_days_are_told_apart() -> None:
    last = {"XHKG": session("XHKG", date(2025, 4, 17)), "XSHG": session("XSHG", DAY)}
    _, paragraphs = story(sessions={}, last_sessions=last)
    assert paragraphs[1] == (
        "The last sessions were in Hong Kong on 17 April 2025 and Shanghai on 17 September 2025."
    )


def test_a_region_that_was_closed_is_named_with_its_last_session() -> None:
    _, paragraphs = story(indices=[index("HSI", 1.0)])
    assert (
        "Shanghai and Shenzhen were closed; the last session there was on 16 September 2025."
        in paragraphs
    )
    assert not any("turnover of Shanghai" in paragraph for paragraph in paragraphs)
