"""One report of all sections: which region comes first, and what a day without deliveries says."""

from tests.unit.report.support import MARKETS, index, row, session, story


def test_the_region_with_the_stronger_fact_comes_first() -> None:
    mainland = index("000001.SH", 3.5, region="mainland")
    sessions = {market: session(market) for market in MARKETS}
    _, (first, *_) = story(indices=[index("HSI", 0.1), mainland], sessions=sessions)
    assert first.startswith("The 000001.sh Index jumped")


def test_missing_deliveries_are_said_not_guessed() -> None:
    headline, paragraphs = story(
        followed=[row("dim_index", {"symbol": "HSI"}, name="Hang Seng Index", market="XHKG")]
    )
    assert headline == "Markets traded, but no file states the close of an index"
    assert "No file states the close of an index of Hong Kong." in paragraphs
    assert paragraphs[-1] == (
        "No file states a close of the Hang Seng Index, closes of securities of Hong Kong or the "
        "turnover of Hong Kong."
    )
