"""The shared wording: the word for a change, and which levels of a close are mentioned."""

from datetime import date, timedelta
from typing import Any

import pytest

from dagster_project.report.figures import plain
from dagster_project.report.wording import last_seen, news_value, notable_level, verb
from tests.unit.report.support import DAY, index, the_day


@pytest.mark.parametrize(
    ("change_pct", "past", "present"),
    [
        (0.0, "was unchanged", "is unchanged"),
        (0.004, "was unchanged", "is unchanged"),
        (0.19, "edged up", "edges up"),
        (0.2, "rose", "rises"),
        (1.78, "climbed", "climbs"),
        (4.22, "jumped", "jumps"),
        (5.0, "surged", "surges"),
        (-0.11, "edged down", "edges down"),
        (-0.5, "fell", "falls"),
        (-1.7, "dropped", "drops"),
        (-3.0, "slid", "slides"),
        (-13.22, "plunged", "plunges"),
    ],
)
def test_a_change_has_its_word(change_pct: float, past: str, present: str) -> None:
    assert verb(change_pct) == past
    assert verb(change_pct, present=True) == present


@pytest.mark.parametrize(
    ("values", "clause"),
    [
        ({"closing_high_since": date(2021, 7, 23)}, "its highest close since 23 July 2021"),
        ({"closing_high_since": DAY - timedelta(28)}, "its highest close since 20 August 2025"),
        ({"closing_high_since": DAY - timedelta(27)}, None),
        (
            {"closing_high_since": None},
            "its highest close since records began in January 2021",
        ),
        (
            {"change": -1, "closing_low_since": date(2025, 1, 23)},
            "its lowest close since 23 January 2025",
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


def test_no_record_is_told_on_the_day_it_begins() -> None:
    begun = index("HSI", 1.0, closing_high_since=None, record_begins=DAY)
    assert notable_level(the_day(), begun) is None


@pytest.mark.parametrize(
    ("values", "cell"),
    [
        ({"closing_high_since": date(2021, 7, 23)}, "highest since 23 Jul 2021"),
        ({"closing_high_since": None}, "highest since records began in January 2021"),
        ({"change": -1, "closing_low_since": None}, "lowest since records began in January 2021"),
        ({"change": 0, "closing_high_since": None}, ""),
    ],
)
def test_a_cell_says_since_when_a_close_is_the_highest(values: dict[str, Any], cell: str) -> None:
    assert plain(last_seen(the_day(), index("HSI", 1.0, **values))) == cell


def test_a_change_and_the_years_since_a_level_add_up() -> None:
    years_ago = DAY - timedelta(days=3 * 365 + 1)
    both = index("HSI", 4.0, closing_high_since=years_ago)
    assert news_value(the_day(), both, 2.0) == pytest.approx(5.0, abs=0.01)
