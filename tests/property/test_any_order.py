"""A sample of the proof in `tests/proof/any_order.py`: the order of deliveries does not matter.

`CLOSING_BELL_HISTORIES` sets how many histories are drawn (default 3: each costs a minute or two).
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given

from tests.proof.any_order import Proof
from tests.proof.drawing import drawn
from tests.proof.histories.events import Event, Night, histories
from tests.proof.histories.files import LEVELS, MAY_BE_WRONG, PATHS, Content
from tests.proof.histories.market import ASKED, DAYS

HISTORIES = int(os.environ.get("CLOSING_BELL_HISTORIES", "3"))


@pytest.fixture(scope="module")
def proof() -> Iterator[Proof]:
    proof = Proof()
    yield proof
    proof.close()


# What fails says all that happened, as a history to paste.
@pytest.mark.long
@drawn(HISTORIES, derandomize=True)
@given(history=histories())
def test_any_history_gives_the_tables_of_a_clean_rebuild(
    proof: Proof, history: tuple[Night, ...]
) -> None:
    found = proof.check(history)
    assert found is None, found


def pick(path: str) -> int:
    return list(PATHS).index(path)


def test_a_history_of_all_kinds_of_events(proof: Proof) -> None:
    """A history that is sure to hold what the others may lack."""
    everything = (DAYS[0], DAYS[-1])
    usual = Content(everything, LEVELS)
    later = Content(everything, (3, 1, 0))
    first = tuple(
        Event("delivered", pick(path), usual, 2)
        for path in PATHS
        if path not in ("baostock_index/sz399001.csv", "hkex_turnover/main_2.json")
    )
    there = sorted(list(PATHS)[event.pick] for event in first)
    may_be_wrong = [path for path in there if path.startswith(MAY_BE_WRONG)]
    history = (
        Night(first, ASKED[0], is_early=True),
        Night(
            (
                Event("restated", there.index("wsj_index/HSI.csv"), later, 3),
                Event("delivered", pick("baostock_index/sz399001.csv"), later, 1),
                Event("wrong", may_be_wrong.index("ecb_exchange_rates/a.csv"), usual, 3),
            ),
            ASKED[1],
            is_early=False,
        ),
    )
    proof.tally.histories_with.clear()
    found = proof.check(history)
    assert found is None, found
    for what in ("late", "restated", "withheld", "later dates first", "half-day"):
        assert proof.tally.histories_with[what], what
    for what in ("one market's session", "overlapping feeds"):
        assert proof.tally.histories_with[what], what
