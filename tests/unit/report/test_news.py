"""What is news: which levels of a close are told, and which region comes first."""

from datetime import date, timedelta
from typing import Any

import pytest

from dagster_project.report.figures import plain
from dagster_project.report.news import (
    index_news,
    levels_left_for_securities,
    notable_level,
    regions_by_news,
)
from tests.unit.report.support import ALL_OPEN, DAY, index, the_day


@pytest.mark.parametrize(
    ("values", "clause"),
    [
        ({"closing_high_since": date(2021, 7, 23)}, "its highest close since July 2021"),
        ({"closing_high_since": DAY - timedelta(27)}, None),
        ({"closing_high_since": DAY - timedelta(28)}, "its highest close since 20 August"),
        ({"closing_high_since": None}, "its highest close since records began in January 2021"),
        ({"closing_high_since": None, "record_begins": date(2024, 9, 17)}, None),
        (
            {"change": -1, "closing_low_since": date(2025, 1, 23)},
            "its lowest close since 23 January",
        ),
        # A fall says nothing of highs, a rise nothing of lows.
        ({"change": -1, "closing_high_since": date(2021, 7, 23)}, None),
        ({"change": 0, "closing_high_since": None}, None),
        ({"change": None, "closing_high_since": None}, None),
    ],
)
def test_a_level_is_told_when_it_was_not_seen_for_long(
    values: dict[str, Any], clause: str | None
) -> None:
    level = notable_level(the_day(), index("HSI", 1.0, **values))
    assert (plain(level.clause()) if level else None) == clause


def test_a_change_a_level_and_a_change_not_seen_for_long_add_up() -> None:
    years_ago = DAY - timedelta(days=4 * 365 + 1)
    both = index("HSI", 4.0, closing_high_since=years_ago)
    assert index_news(the_day(), both) == pytest.approx(2.0 + 2.0, abs=0.01)
    all_three = index("HSI", 4.0, closing_high_since=years_ago, change_high_since=years_ago)
    assert index_news(the_day(), all_three) == pytest.approx(2.0 + 2.0 + 2.0, abs=0.01)


def test_a_region_that_was_closed_is_no_news() -> None:
    indices = [index("HSI", 0.1), index("000001.SH", 9.0, region="mainland")]
    assert regions_by_news(the_day(indices=indices)) == ["hong_kong"]
    assert regions_by_news(the_day(indices=indices, sessions=ALL_OPEN)) == ["mainland", "hong_kong"]


def test_each_level_of_a_benchmark_takes_the_room_of_a_securitys() -> None:
    high = {"closing_high_since": date(2021, 7, 23)}
    indices = [index("HSI", 1.0, **high), index("000001.SH", 1.0, region="mainland", **high)]
    assert levels_left_for_securities(the_day(indices=indices[:1])) == 2
    assert levels_left_for_securities(the_day(indices=indices, sessions=ALL_OPEN)) == 1
