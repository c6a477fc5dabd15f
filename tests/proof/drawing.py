"""How the proofs draw their examples by Hypothesis, and the tests the samples of these.

Belongs here: settings of Hypothesis, and counting what fails instead of ending at it. Does not
belong here: what is drawn and checked (`any_order.py`, `any_selection.py`).
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

Example = TypeVar("Example")


def drawn(count: int, **others: Any) -> settings:
    """So many examples that take long, none of them shrunk: that would take an hour."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        **others,
    )


def failures_of(
    check: Callable[[Example], str | None],
    examples: st.SearchStrategy[Example],
    seed_: int,
    count: int,
) -> list[str]:
    """Draw examples with a seed and check each; what fails is told at once, and does not end it.

    Args:
        check: says what is wrong with an example, or None.
    """
    failures: list[str] = []

    @seed(seed_)
    @drawn(count, verbosity=Verbosity.quiet)
    @given(examples)
    def check_one(example: Example) -> None:
        if found := check(example):
            failures.append(f"seed {seed_}, {found}")
            print(failures[-1], file=sys.stderr, flush=True)

    check_one()
    return failures
