"""A night through the real Dagster job, in this process and on a date of the proof's own.

Belongs here: starting the job as the command line does, at a given real date. Does not belong here:
what a proof makes of the outcome.
"""

import contextlib
import io
from collections.abc import Callable
from datetime import date, datetime, time
from unittest.mock import patch

from dagster_project.defs.run_in_process import Outcome
from dagster_project.home import Home
from dagster_project.market import calendar


def run_in_dagster(
    home: Home,
    asked: tuple[date, date],
    today: date,
    on_step: Callable[[str], None] = lambda step: None,
) -> Outcome:
    """Run the job `nightly`, or `history` for several dates, as if it were `today`.

    Args:
        on_step: called with the name of each step when it starts; never where nothing is new.
    """
    # Importing Dagster takes seconds: only whoever plays a night through it pays.
    from dagster_project.defs import run_in_process

    at_night = datetime.combine(today, time.max, calendar.HONG_KONG)
    first, last = asked
    with (
        patch.object(calendar, "now_in_hong_kong", lambda: at_night),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        job = "nightly" if first == last else "history"
        return run_in_process.run_job(home, job, first, last, on_step)
