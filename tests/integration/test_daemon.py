"""A night through Dagster's own daemon, on which the machine stops in the middle of the run.

Two months of nights are `make prove-nights`; what the schedule and the sensors answer, by
themselves, is in `test_dagster.py`.
"""

import signal
from datetime import date, datetime
from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.warehouse.connection import connect
from tests.proof.daemon import Machine, Runs
from tests.proof.vendors import Vendors

NIGHT = date(2027, 1, 5)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"{NIGHT}T{clock}").replace(tzinfo=calendar.HONG_KONG)


@pytest.mark.long
def test_a_night_whose_machine_stops_is_released_later_that_evening(tmp_path: Path) -> None:
    """The schedule's run is lost; once the machine is on again Dagster repeats it."""
    vendors = Vendors(
        date(2026, 12, 1), NIGHT, closed=[date(2027, 1, 1)], feeds=["wsj_index", "baostock_index"]
    )
    machine = Machine(Home(tmp_path / "home"), tmp_path / "daemon.log")
    vendors.deliver(machine.home.landing, NIGHT, at("17:20:00"))
    for switch in (("schedule", "start", "after_the_close"), ("sensor", "start", "overdue_nights")):
        machine.command(at("17:30:00"), "dagster", *switch, "-w", "workspace.yaml")
    runs = Runs(machine.home)

    with machine.on(at("18:29:55")):
        machine.wait_until(
            lambda: any("ingest" in runs.steps_begun(run) for run in runs.all()), "a run"
        )
        machine.stop(signal.SIGKILL)
    assert not machine.home.published.exists()
    with machine.on(at("19:05:00")):
        machine.wait_until(
            lambda: len(runs.all()) == 2 and all(run.is_finished for run in runs.all()), "a release"
        )
    assert [(run.requested_by, run.status) for run in runs.all()] == [
        ("after_the_close", "FAILURE"),
        ("after_the_close", "SUCCESS"),
    ]
    with connect(machine.home.published, read_only=True) as con:
        released = con.execute(
            "select symbol, trade_date, close::DOUBLE, previous_close::DOUBLE "
            "from main.index_performance where symbol in ('HSI', '000001.SH')"
        ).fetchall()
    assert sorted(released) == [
        (index, NIGHT, *vendors.closes(index)[NIGHT]) for index in ("000001.SH", "HSI")
    ]
