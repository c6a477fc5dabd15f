"""Nights on a moved clock: a machine that was off, holidays, a year the calendar does not know."""

from collections.abc import Callable
from datetime import date, time

import dagster as dg
import pytest

from tests.integration.desk import SHARES, Desk, prices

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WITHOUT_CHANGE = """
    select symbol, trade_date::VARCHAR from main.index_performance where change_pct is null
    union all
    select symbol, trade_date::VARCHAR from main.security_performance where change_pct is null"""


@pytest.mark.long
def test_a_machine_that_was_off_catches_up(desk: Callable[[str], Desk]) -> None:
    """Off for two nights, then over Golden Week; every change is one over one session."""
    house = desk("2025-09-01").at("2025-09-17").deliver()
    house.nightly()
    assert house.covered() == [("2025-09-17", "2025-09-17")]
    assert house.ask(WITHOUT_CHANGE) == []  # the first covered session has a change too

    house.at("2025-09-22").deliver().nightly()
    assert house.covered() == [("2025-09-17", "2025-09-22")]
    ((close, before, change),) = house.ask("""
        select round(close, 2)::DOUBLE, round(previous_close, 2)::DOUBLE, change_pct
        from main.security_performance where symbol = '9988.HK' and trade_date = '2025-09-22'""")
    closes = dict(prices([date(2025, 9, 19), date(2025, 9, 22)], SHARES["9988.HK"]))
    assert (before, close) == tuple(closes.values())
    assert change == pytest.approx(100 * close / before - 100)  # type: ignore[operator]
    assert house.ask(WITHOUT_CHANGE) == []
    assert "Nothing new" in house.at("2025-09-23", time(17, 59)).nightly()
    assert "Nothing new" in house.nightly("2025-09-19")  # the clock does not move back

    house.at("2025-10-09").deliver().nightly()
    assert house.covered() == [("2025-09-17", "2025-10-09")]
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask("""
        select market, count(*) from main.dim_session where is_asked
        and trade_date between '2025-10-01' and '2025-10-09' group by all order by all
        """) == [("XHKG", 5), ("XSHE", 1), ("XSHG", 1)]

    # Nothing came for the next session: it is late, not false.
    said = house.at("2025-10-10").nightly()
    assert house.covered() == [("2025-09-17", "2025-10-10")]
    assert "late     2025-10-10 XHKG wsj_index: nothing that counts" in said
    refused = house.closing_bell("nightly", "2025-10-13")
    assert (refused.exit_code, house.covered()) == (2, [("2025-09-17", "2025-10-10")])
    assert "after today (2025-10-10 in Hong Kong)" in refused.output


def test_a_year_that_the_calendar_does_not_know(
    desk: Callable[[str], Desk], definitions: dg.Definitions
) -> None:
    """Off over the new year, then by the schedule; the mainland stays closed on 5 January."""
    house = desk("2026-12-01").at("2026-12-30").deliver()
    house.nightly()
    house.at("2027-01-04").deliver()
    house.nightly()
    assert house.covered() == [("2026-12-30", "2027-01-04")]
    assert ("sessions_guessed",) in house.ask(
        "select check_name from main.release_check where not passed"
    )
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask(
        "select trade_date::VARCHAR, closes_at from main.dim_session "
        "where market = 'XHKG' and is_asked order by 1"
    ) == [("2026-12-30", "16:10"), ("2026-12-31", "12:10"), ("2027-01-04", "16:10")]

    house.at("2027-01-06").deliver(closed=("2027-01-05",))
    schedule = definitions.resolve_schedule_def("after_the_close")
    with dg.build_schedule_context(
        scheduled_execution_time=house.now, repository_def=definitions.get_repository_def()
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance, tags=dict(request.tags)
        )
    assert result.success
    assert house.covered() == [("2026-12-30", "2027-01-06")]
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask(
        "select trade_date::VARCHAR from main.index_performance "
        "where symbol = '000001.SH' and trade_date >= '2027-01-01' order by 1"
    ) == [("2027-01-04",), ("2027-01-06",)]
