"""A sample of the proof in `tests/proof/any_selection.py`: a release is of one state.

`CLOSING_BELL_SEQUENCES` sets how many sequences are drawn (default 2: each costs half a minute).
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.proof.any_selection import FEEDS, Proof, Step, sequences
from tests.proof.drawing import drawn
from tests.proof.histories.events import Event
from tests.proof.histories.files import LEVELS, PATHS, Content
from tests.proof.histories.market import DAYS

SEQUENCES = int(os.environ.get("CLOSING_BELL_SEQUENCES", "2"))


@pytest.fixture(scope="module")
def proof() -> Iterator[Proof]:
    proof = Proof()
    yield proof
    proof.close()


# What fails says all that happened, as a sequence to paste.
@pytest.mark.long
@drawn(SEQUENCES, derandomize=True)
@given(sequence=sequences())
def test_parts_in_any_order_give_no_inconsistent_release(
    proof: Proof, sequence: tuple[tuple[Event, ...], tuple[Step, ...]]
) -> None:
    found = proof.check(sequence)
    assert found is None, found


def test_a_correction_that_is_released_by_parts(proof: Proof) -> None:
    """A sequence that is sure to be refused first, and then to release what it built."""
    everything = (DAYS[0], DAYS[-1])
    first = tuple(
        Event("delivered", number, Content(everything, LEVELS), 2) for number in range(len(PATHS))
    )
    there = sorted(PATHS)
    corrected = Event(
        "restated", there.index("wsj_index/HSI.csv"), Content(everything, (3, 1, 0)), 3
    )
    feed = (FEEDS.index("wsj_index"),)
    steps = (
        Step((corrected,), feed, "none", 0, is_released=False),
        Step((), (), "none", 0, is_released=True),
        Step((), (), "one", 7, is_released=True),
        Step((), (), "all", 0, is_released=True),
        Step((), (), "none", 0, is_released=True),
    )
    proof.tally.steps_with.clear()
    found = proof.check((first, steps))
    assert found is None, found
    assert proof.tally.steps_with["refused"] == 2
    assert proof.tally.steps_with["released"] == 1
    assert proof.tally.steps_with["built"] == 2
