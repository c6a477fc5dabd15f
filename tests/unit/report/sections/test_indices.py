"""The sentences about indices, and the headline."""

from datetime import date, timedelta

from tests.unit.report.support import ALL_OPEN, DAY, index, session, story

SHANGHAI = {"name": "SSE Composite Index", "region": "mainland"}
BEFORE_HOLIDAY = {market: session(market, DAY - timedelta(days=9)) for market in ALL_OPEN}


def test_a_level_of_years_is_in_the_headline_and_the_lead() -> None:
    headline, (lead, region, *_) = story(
        sessions=ALL_OPEN,
        indices=[
            index("HSI", 1.78, closing_high_since=date(2021, 7, 23)),
            index("HSTECH", 4.22, closing_high_since=date(2021, 11, 25)),
            index("HSCEI", 2.24),
            index("000001.SH", 0.37, **SHANGHAI),
        ],
    )
    assert headline == (
        "Hang Seng climbs 1.78 % to its highest close since July 2021 as Shanghai rises 0.37 %"
    )
    assert lead == (
        "The Hsi Index climbed 17.80 points, or 1.78 %, to close at 1,017.80 on Wednesday, its "
        "highest close since July 2021. The SSE Composite Index rose 0.37 % to 1,003.70."
    )
    assert region == "The Hstech Index jumped 4.22 %, ahead of the Hscei Index."


def test_the_region_whose_benchmark_is_most_news_leads() -> None:
    headline, (lead, *_) = story(
        sessions=ALL_OPEN,
        last_sessions=BEFORE_HOLIDAY | {"XHKG": session("XHKG", DAY - timedelta(days=1))},
        indices=[
            index("HSI", -9.41, change_low_since=date(2008, 10, 27)),
            index("000001.SH", 4.59, closing_high_since=date(2022, 2, 21), **SHANGHAI),
            index("399006.SZ", 17.25, region="mainland"),
        ],
    )
    assert headline == "Hang Seng plunges 9.41 % while Shanghai jumps 4.59 % after the holiday"
    assert lead == (
        "The Hsi Index plunged 94.10 points, or 9.41 %, to close at 905.90 on Wednesday. The fall "
        "was its largest since October 2008. The SSE Composite Index jumped 4.59 % to 1,045.90 "
        "after the holiday, its highest close since February 2022."
    )


def test_regions_that_moved_alike_share_the_verb() -> None:
    indices = [index("HSI", -13.22), index("000001.SH", -7.34, **SHANGHAI)]
    headline, _ = story(sessions=ALL_OPEN, indices=indices)
    assert headline == "Hang Seng plunges 13.22 %, Shanghai 7.34 %"


def test_an_implausible_close_is_no_news() -> None:
    indices = [index("HSI", 35.0), index("HSTECH", 0.4), index("000001.SH", 0.3, **SHANGHAI)]
    headline, told = story(sessions=ALL_OPEN, indices=indices, implausible_indices={"HSI"})
    assert headline == "Hstech Index rises 0.40 %, Shanghai 0.30 %"
    assert not any("35.00" in text for text in told)


def test_without_its_benchmark_a_region_has_the_first_index_known() -> None:
    headline, _ = story(indices=[index("HSCI-ENERGY", 3.0), index("HSTECH", 0.5)])
    assert headline == "Hstech Index rises 0.50 %"


def test_a_day_without_any_move_reads_well() -> None:
    headline, (lead, region, *_) = story(indices=[index("HSI", 0.0), index("HSCEI", 0.0)])
    assert headline == "Hang Seng is unchanged"
    assert lead == "The Hsi Index closed unchanged at 1,000.00 on Wednesday."
    assert region == "The Hscei Index was unchanged."


def test_a_first_day_compares_with_nothing() -> None:
    headline, (lead, *_) = story(indices=[index("HSI", None), index("HSTECH", None)])
    assert headline == "Hang Seng closes at 1,000.00"
    assert lead == (
        "The Hsi Index closed at 1,000.00 on Wednesday; the warehouse has no close of the session "
        "before."
    )


def test_a_half_day_is_called_a_shortened_session() -> None:
    _, (lead, *_) = story(
        indices=[index("HSI", 1.0)], sessions={"XHKG": session("XHKG", is_half_day=True)}
    )
    assert "to close at 1,010.00 in Wednesday's shortened session." in lead


def test_sessions_in_a_row_and_a_change_of_long_ago_are_told() -> None:
    long_ago = date(2025, 4, 8)
    _, (lead, *_) = story(indices=[index("HSI", 1.0, streak=4, change_high_since=long_ago)])
    assert lead.endswith(" The gain was its fourth in a row and its largest since 8 April.")
    _, (lead, *_) = story(indices=[index("HSI", -1.0, streak=-3)])
    assert lead.endswith(" The fall was its third in a row.")
    _, (lead, *_) = story(indices=[index("HSI", -1.0, change_high_since=long_ago, streak=-2)])
    assert "The fall" not in lead


def test_an_index_that_went_the_other_way_is_told_too() -> None:
    changes = {"HSI": 1.0, "HSTECH": -2.0, "HSCEI": 0.5, "HSX": -0.7}
    _, (_, region, *_) = story(indices=[index(name, change) for name, change in changes.items()])
    assert region == (
        "The Hstech Index dropped 2.00 %, more than the Hsx Index; the Hscei Index rose 0.50 %."
    )
