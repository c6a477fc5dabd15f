"""A night through the real Dagster job, in this process and on a date of the proof's own.

Belongs here: starting the job as the command line does, at a given real date. Does not belong here:
what a proof makes of the outcome.
"""

import contextlib
import io
from collections.abc import Callable
from datetime import date
from unittest.mock import patch

from dagster_project.defs.run_in_process import Outcome
from dagster_project.home import Home


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
    from dagster_project.defs import ingest, run_in_process

    def on_that_day() -> date:
        return today

    first, last = asked
    with (
        patch.object(run_in_process, "today_in_hong_kong", on_that_day),
        patch.object(ingest, "today_in_hong_kong", on_that_day),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        job = "nightly" if first == last else "history"
        return run_in_process.run_job(home, job, first, last, on_step)
