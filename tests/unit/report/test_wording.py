"""The shared wording: the word for a change, and the cell that says when a level was seen."""

from datetime import date
from typing import Any

import pytest

from dagster_project.report.figures import plain
from dagster_project.report.wording import last_seen, verb
from tests.unit.report.support import index, the_day


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
