"""What can happen in a history, and how a history is drawn.

Belongs here: events, nights, and their strategy for hypothesis. Does not belong here: letting them
happen (`house.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.proof.histories.files import LEVELS, PATHS, Content
from tests.proof.histories.market import ASKED, SPANS, Span

CONTENT = st.builds(
    Content,
    st.sampled_from(SPANS),
    st.lists(st.sampled_from(LEVELS), min_size=2, max_size=4).map(tuple),
    st.booleans(),
)
# When files are made. The first two are at noon of a session, which is not over then.
MADE = [
    datetime(2025, 10, 9, 4, tzinfo=UTC),
    datetime(2025, 10, 10, 4, tzinfo=UTC),
    *(datetime(2025, 11, day, 12, tzinfo=UTC) for day in (1, 2, 3, 4)),
]
# What may happen to a file, the usual more often. Repeated: the same bytes at another time.
EVENTS = [
    *["delivered"] * 3,
    *["restated"] * 3,
    *["repeated"] * 2,
    *["wrong"] * 2,
    *["shortened"] * 2,
    *("copied", "split", "removed", "spoiled"),
]


@dataclass(frozen=True)
class Event:
    """Something that happens to a file: a delivery to one that is wanted, else to one that is good.

    `pick` chooses the file, `time` when it was made; where two state the same, the later counts.
    """

    what: str
    pick: int
    content: Content
    time: int


@dataclass(frozen=True)
class Night:
    """What happens to the files before a run, and the dates the run is asked for."""

    events: tuple[Event, ...]
    asked: Span | None
    is_early: bool


@st.composite
def histories(draw: st.DrawFn) -> tuple[Night, ...]:
    """Two to four nights: most files are delivered for the first, anything happens later."""
    times, picks = st.integers(0, len(MADE) - 1), st.integers(0, len(PATHS) - 1)
    delivered = draw(st.lists(picks, unique=True, min_size=len(PATHS) // 2, max_size=len(PATHS)))
    first = Night(
        tuple(Event("delivered", pick, draw(CONTENT), draw(times)) for pick in delivered),
        draw(st.sampled_from(ASKED)),
        draw(st.booleans()),
    )
    event = st.builds(Event, st.sampled_from(EVENTS), picks, CONTENT, times)
    later = st.builds(
        Night,
        st.lists(event, min_size=2, max_size=6).map(tuple),
        st.sampled_from([*ASKED, None]),
        st.booleans(),
    )
    return (first, *(draw(later) for _ in range(draw(st.integers(1, 3)))))
