"""Waivers: a line that waives nothing is an error."""

from pathlib import Path

import pytest

from dagster_project.audit.policy import PolicyError
from dagster_project.audit.waivers import load_waivers


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no_such_check,HSI,2025-09-17,real,me", "no check is named 'no_such_check'"),
        ("moves_implausible,HSI,17/9/2025,real,me", "trade_date"),
        ("moves_implausible,HSI,2025-09-17,,me", "reason"),
        ("moves_implausible,HSI,2025-09-17,real,", "who"),
    ],
)
def test_a_waiver_that_waives_nothing_is_reported_with_its_line(
    line: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "waivers.csv"
    lines = [
        "check_name,symbol,trade_date,reason,who",
        "moves_implausible,HSI,2025-09-16,real,me",
        line,
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=message) as raised:
        load_waivers(path)
    assert f"{path}:3" in str(raised.value)
