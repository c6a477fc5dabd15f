"""The real Dagster, in this process and on a date of the proof's own.

Belongs here: starting the job as the command line does, and parts of it as the UI does, at a given
real date. Does not belong here:
what a proof makes of the outcome.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import TYPE_CHECKING
from unittest.mock import patch

from dagster_project.defs.run_in_process import Outcome
from dagster_project.home import Home
from dagster_project.market import calendar

if TYPE_CHECKING:
    from dagster import Definitions


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

    first, last = asked
    with _at_night(today):
        job = "nightly" if first == last else "history"
        return run_in_process.run_job(home, job, first, last, on_step)


@dataclass(frozen=True)
class Materialized:
    """How steps failed: for a reason of ours, which says what to do, or otherwise."""

    refused: list[str]
    failed: list[str]


def materialize_in_dagster(home: Home, selection: Sequence[str], today: date) -> Materialized:
    """Materialize some assets with their checks, as a click in the UI does.

    Args:
        selection: parts of a selection in Dagster's own syntax.
    """
    from dagster import AssetSelection, DagsterInstance

    from dagster_project.defs.run_in_process import prepare

    prepare(home)
    definitions = _definitions()
    keys = AssetSelection.from_string(" or ".join(selection)).resolve(
        definitions.resolve_asset_graph()
    )
    job = definitions.resolve_implicit_global_asset_job_def()
    with _at_night(today), DagsterInstance.from_config(str(home.dagster)) as instance:
        result = job.execute_in_process(
            instance=instance, asset_selection=sorted(keys), raise_on_error=False
        )
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    described = [failure.user_failure_data for failure in failures if failure.user_failure_data]
    return Materialized(
        [str(failure.description) for failure in described],
        [str(failure.error) for failure in failures if not failure.user_failure_data],
    )


def model_names() -> list[str]:
    """The keys of all tables and views of models, as paths."""
    graph = _definitions().resolve_asset_graph()
    groups = {"staging", "intermediate", "marts", "audit"}
    keys = [key for key in graph.get_all_asset_keys() if graph.get(key).group_name in groups]
    return sorted(key.to_user_string() for key in keys)


@cache
def _definitions() -> "Definitions":
    from dagster_project.definitions import defs

    return defs()


@contextlib.contextmanager
def _at_night(today: date) -> Iterator[None]:
    """Late in the evening of a day in Hong Kong, and without a word on the terminal."""
    at_night = datetime.combine(today, time.max, calendar.HONG_KONG)
    with (
        patch.object(calendar, "now_in_hong_kong", lambda: at_night),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield
