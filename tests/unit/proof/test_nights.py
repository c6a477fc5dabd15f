"""What the proof of unattended nights expects of them, without playing any."""

from datetime import date

import pytest

from tests.proof.nights import MAINLAND_FEEDS, Night, Script, two_months


@pytest.fixture(scope="module")
def nights() -> dict[date, Night]:
    return {night.day: night for night in Script(two_months()).nights()}


def test_thirty_evenings_are_played_and_eight_are_slept_through(
    nights: dict[date, Night],
) -> None:
    assert len(nights) == 31
    assert not {date(2026, 12, 9), date(2027, 1, 13)} & nights.keys()
    caught_up, evening = nights[date(2027, 1, 18)].stretches
    assert (caught_up.clock, evening.clock) == (date(2027, 1, 15), date(2027, 1, 18))


def test_the_clock_is_the_last_session_of_any_market(nights: dict[date, Night]) -> None:
    def clock(day: date) -> date:
        return nights[day].stretches[-1].clock

    assert clock(date(2026, 12, 25)) == date(2026, 12, 25)  # the mainland is open
    assert clock(date(2027, 1, 1)) == date(2026, 12, 31)
    script = Script(two_months())
    last = [script.sessions(market, date(2026, 12, 25))[-1] for market in ("XHKG", "XSHG")]
    assert last == [date(2026, 12, 24), date(2026, 12, 25)]


def test_a_feed_that_ended_is_late_for_twenty_sessions(nights: dict[date, Night]) -> None:
    late = {day: night.stretches[-1].late for day, night in nights.items()}
    assert late[date(2026, 12, 3)] == set()
    assert late[date(2026, 12, 4)] == {"sina_index"}
    assert late[date(2027, 1, 4)] == {"sina_index", *MAINLAND_FEEDS}
    assert late[date(2027, 1, 5)] == set()
