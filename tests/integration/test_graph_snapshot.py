"""Dagster shows the graph of `graph_snapshot.txt`, so that a change of it is seen in a review.

Belongs here: the comparison, and what a failure says. Does not belong here: how the graph becomes
text (`graph_snapshot.py`).
"""

from difflib import unified_diff

import dagster as dg
import pytest

from dagster_project.home import PROJECT_ROOT
from tests.integration.graph_snapshot import SNAPSHOT, snapshot_text


def changes(before: str, after: str) -> str:
    """The lines that only one of two texts has, marked with - and +."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


def test_the_graph_is_that_of_the_snapshot(definitions: dg.Definitions) -> None:
    found = snapshot_text(definitions)
    kept = SNAPSHOT.read_text(encoding="utf-8")
    if found != kept:
        pytest.fail(
            f"Dagster shows another graph than {SNAPSHOT.relative_to(PROJECT_ROOT)}:\n"
            f"{changes(kept, found)}\n"
            "If the change is intended, run `make graph-snapshot` and commit the file.",
            pytrace=False,
        )


def test_a_change_is_shown_as_lines_that_go_and_come() -> None:
    before = "asset a in marts\nasset b in marts\njob nightly\n"
    after = "asset a in marts\nasset b in audit\njob nightly\njob weekly\n"
    assert changes(before, after).splitlines() == [
        "-asset b in marts",
        "+asset b in audit",
        "+job weekly",
    ]
