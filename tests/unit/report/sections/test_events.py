"""The sentences about events and target prices."""

from datetime import date
from typing import Any

import pytest

from tests.unit.report.support import DAY, names, row, story


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "was 1.01 percentage points behind its benchmark, a muted answer."),
        (
            {"is_muted": False, "relative_return_pct": 3.0},
            "was 3.00 percentage points ahead of its benchmark, an unusual answer.",
        ),
        ({"is_muted": None}, "was 1.01 percentage points behind its benchmark."),
        (
            {"relative_return_pct": 0.001},
            "moved with its benchmark, a muted answer.",
        ),
    ],
)
def test_a_response_is_muted_inside_its_usual_range(values: dict[str, Any], text: str) -> None:
    key = {"event_id": "e", "event_date": date(2025, 9, 16), "basket": "hk_consumer"}
    defaults = {
        "what": "Ministries announce support.",
        "relative_return_pct": -1.010752,
        "is_muted": True,
    }
    reaction = row("event_reaction", key, **defaults | values)
    _, paragraphs = story(reactions=[reaction], basket_names=names("hk_consumer"))
    assert (
        "Ministries announce support (16 September 2025): the Hk Consumer basket " + text
        in paragraphs
    )


def test_a_target_price_is_told_against_the_close() -> None:
    key = {"symbol": "9988.HK", "broker": "A Broker", "target_date": DAY}
    values = {"name": "BABA - W", "target": 174, "currency": "HKD"}
    target = row("target_price", key, **values, previous_target=163, upside_pct=7.673263)
    _, paragraphs = story(targets=[target])
    assert (
        "A Broker puts its target price of BABA at 174.00 Hong Kong dollars, after 163.00, 7.67 % "
        "above its close." in paragraphs
    )
