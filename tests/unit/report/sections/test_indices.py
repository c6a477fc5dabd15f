"""The sentences about indices, and the headline."""

from datetime import date, timedelta

from tests.unit.report.support import DAY, index, session, story


def test_the_strongest_fact_makes_the_headline() -> None:
    headline, (first, *_) = story(
        indices=[
            index("HSI", 1.78, closing_high_since=date(2021, 7, 23)),
            index("HSTECH", 4.22, closing_high_since=date(2021, 11, 25)),
        ]
    )
    assert headline == "Hsi Index closes at its highest since 23 July 2021"
    assert first == (
        "The Hsi Index climbed 17.80 points, or 1.78 %, to close at 1,017.80 on Wednesday, its "
        "highest close since 23 July 2021. The Hstech Index jumped 4.22 % to 1,042.20 (its "
        "highest close since 25 November 2021)."
    )


def test_a_crash_outweighs_a_level_of_some_months() -> None:
    headline, _ = story(indices=[index("HSI", -13.22, closing_low_since=DAY - timedelta(days=100))])
    assert headline == "Hsi Index plunges 13.22 %, closes at 867.80"


def test_a_day_without_any_move_reads_well() -> None:
    headline, (first, *_) = story(indices=[index("HSI", 0.0), index("HSCEI", 0.0)])
    assert headline == "Hsi Index closes unchanged at 1,000.00"
    assert first == (
        "The Hsi Index closed unchanged at 1,000.00 on Wednesday. "
        "The Hscei Index was unchanged at 1,000.00."
    )


def test_a_first_day_compares_with_nothing() -> None:
    headline, (first, *_) = story(indices=[index("HSI", None), index("HSTECH", None)])
    assert headline == "Hsi Index closes at 1,000.00"
    assert first == (
        "The Hsi Index closed at 1,000.00 on Wednesday; the warehouse has no close of the session "
        "before. Also without a close of the session before: the Hstech Index at 1,000.00."
    )


def test_a_half_day_is_called_a_shortened_session() -> None:
    _, (first, *_) = story(
        indices=[index("HSI", 1.0)], sessions={"XHKG": session("XHKG", is_half_day=True)}
    )
    assert "to close at 1,010.00 in Wednesday's shortened session." in first


def test_sessions_in_a_row_and_a_change_of_long_ago_are_told() -> None:
    long_ago = date(2025, 4, 8)
    _, (first, *_) = story(indices=[index("HSI", 1.0, streak=4, change_high_since=long_ago)])
    assert first.endswith(" The gain was its fourth in a row and its largest since 8 April 2025.")
    _, (first, *_) = story(indices=[index("HSI", -1.0, streak=-3)])
    assert first.endswith(" The fall was its third in a row.")
    _, (first, *_) = story(indices=[index("HSI", -1.0, change_high_since=long_ago, streak=-2)])
    assert "The fall" not in first
