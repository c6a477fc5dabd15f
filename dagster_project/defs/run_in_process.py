"""Running a Dagster job in this process, and what its result means for whoever started it.

Belongs here: the exit status of a run, and why it failed. Does not belong here: what it says of the
release (`run_summary.py`), arguments and how messages are shown (`cli.py`), what a step does
(`pipeline.py`).

Dagster and the definitions are imported only when a job runs: importing them takes seconds.
"""

import gc
import logging
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dagster_project.alerts import findings, sending
from dagster_project.audit.results import ReleaseCheck, check_results
from dagster_project.defs.run_summary import blocked_lines, found_after_release, release_summary
from dagster_project.home import DiskFull, Home, WarehouseBusy
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from dagster_project.market import calendar
from dagster_project.pipeline import (
    check_dates,
    day_to_report,
    last_closed_session,
    nothing_new,
)
from dagster_project.release.read import ReleaseError, published_release
from dagster_project.settings import load_settings
from dagster_project.warehouse.connection import connect

if TYPE_CHECKING:
    import dagster as dg

RELEASED, WITHHELD, REPORT_FAILED = 0, 1, 3
# Steps whose failure is explained by the checks that failed in them: step -> suite of checks.
STEPS_OF_CHECKS = {"transform": "dbt", "audit": "audit"}
# The run itself logs all alerts; this logs only that a channel failed.
LOG = logging.getLogger("closing-bell")
LOG.setLevel(logging.CRITICAL)

# By this tag the UI finds the runs of a job.
REPOSITORY_LABEL = ".dagster/repository"
REPOSITORY = "__repository__@closing-bell"

DAGSTER_YAML = """\
# Written by Closing Bell; edit as you like.
nux:
  enabled: false
telemetry:
  enabled: false
# A run whose process died is repeated. One that failed in a step is not: somebody was alerted.
run_retries:
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
run_monitoring:
  enabled: true
  start_timeout_seconds: 600
  max_runtime_seconds: 14400
# Ticks; how long runs are kept is the setting keep_runs_days.
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      started: 90
      success: 90
      failure: 90
"""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the exit status, lines about the release, and lines about what failed."""

    status: int
    messages: Sequence[str] = ()
    errors: Sequence[str] = ()


def prepare(home: Home) -> None:
    """Create the landing folder and the Dagster instance, where they are missing."""
    home.landing.mkdir(parents=True, exist_ok=True)
    home.dagster.mkdir(parents=True, exist_ok=True)
    configuration = home.dagster / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML)
    os.environ["CLOSING_BELL_HOME"] = str(home.root)


def night_due(home: Home) -> date:
    """The trade date of a night for which none was named."""
    return last_closed_session(home, load_feeds(config=home.config), calendar.now_in_hong_kong())


def run_job(
    home: Home,
    job_name: str,
    first: date,
    last: date,
    on_step: Callable[[str], None] = lambda step: None,
    on_wait: Callable[[str], None] = lambda why: None,
) -> Outcome:
    """Run a job over a range of trade dates, unless there is nothing new.

    Args:
        on_step: called with the name of each step when it starts.
        on_wait: called with the reason, if the run must wait for another.

    Raises:
        DatesRejected: the range is reversed, or after today.
        SettingsError: a setting cannot be used.
    """
    today = calendar.today_in_hong_kong()
    check_dates(first, last, today)
    load_settings(home)
    catalog = load_feeds(config=home.config)
    try:
        with home.writer_lock(on_wait=on_wait):
            is_nothing_new = nothing_new(home, catalog, (first, last), today)
        if not is_nothing_new:
            home.check_space()
    except (WarehouseBusy, DiskFull, OSError) as error:
        sending.notify(home, findings.after_failure(home, str(error)), LOG)
        return Outcome(WITHHELD, (), [str(error), _stays(home)])
    if is_nothing_new:
        return _when_nothing_is_new(home, catalog, last)
    prepare(home)
    return _outcome(home, catalog, last, _execute(home, job_name, first, last, on_step))


def write_and_check_report(home: Home, day: date) -> Outcome:
    """Write the report of a day; status 1 if a figure in it does not follow from the release.

    Raises:
        ReleaseError: the report cannot be written.
    """
    # Importing the library that draws the charts takes half a second.
    from dagster_project.report.files import ReportError, check_report, write_report
    from dagster_project.report.render import PAGE, TEXT

    try:
        files = write_report(home, day)
    except ReportError as error:
        raise ReleaseError(str(error)) from error
    problems = check_report(home, day)
    return Outcome(1 if problems else 0, [*(str(files[name]) for name in (TEXT, PAGE)), *problems])


def _when_nothing_is_new(home: Home, catalog: FeedCatalog, last: date) -> Outcome:
    """The release as it is; sends alerts and writes a report that the last run did not."""
    problems = found_after_release(home, catalog)
    messages = [
        "Nothing new: no file changed, nothing was written and nothing published.",
        *release_summary(home, problems["late"]),
    ]
    sending.notify(home, problems, LOG)
    sending.beat(home, LOG)
    day = day_to_report(home, last)
    if not day or not _is_report_missing(home, day):
        return Outcome(RELEASED, messages)
    try:
        written = write_and_check_report(home, day)
    except ReleaseError as error:
        return Outcome(
            REPORT_FAILED, messages, [f"market_report: {error}", _report_failed(home, last)]
        )
    if written.status:
        return Outcome(REPORT_FAILED, [*messages, *written.messages], [_report_failed(home, last)])
    return Outcome(RELEASED, [*messages, *written.messages])


def _report_failed(home: Home, last: date) -> str:
    return (
        "Released, but the market report failed; remove the cause, then "
        f"`make report DATE={day_to_report(home, last) or last}`."
    )


def _is_report_missing(home: Home, day: date) -> bool:
    """Whether the last run was killed after its release and before its report."""
    release = published_release(home)
    if release is None or day_to_report(home, release.clock) != day:
        return False
    files = list((home.reports / f"{day}").glob("market_report.*"))
    return len(files) < 2 or any(
        release.release_id not in file.read_text(encoding="utf-8") for file in files
    )


def _execute(
    home: Home, job_name: str, first: date, last: date, on_step: Callable[[str], None]
) -> "dg.ExecuteInProcessResult":
    # Dagster and dbt create millions of objects that live as long as the run. With the default
    # thresholds, searching them for garbage takes a twentieth of a night.
    gc.set_threshold(200_000, 50, 100)
    import dagster as dg

    from dagster_project.definitions import defs
    from dagster_project.defs.partitions import request_tags
    from dagster_project.defs.transform import transform

    def on_event(entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event and event.event_type == dg.DagsterEventType.STEP_START and event.step_key:
            on_step(event.step_key)
        elif entry.step_key == transform.op.name and entry.level == logging.INFO:
            on_step(f"{entry.step_key}: {entry.user_message}")

    job = defs().resolve_job_def(job_name)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        instance.add_event_listener(run_id, on_event)
        return job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags=request_tags(first, last) | {REPOSITORY_LABEL: REPOSITORY},
            raise_on_error=False,
            # The UI shows every event; a shell wants the result.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def _outcome(
    home: Home, catalog: FeedCatalog, last: date, result: "dg.ExecuteInProcessResult"
) -> Outcome:
    import dagster as dg

    from dagster_project.defs.report import REPORT, market_report

    failures = {
        event.step_key: event.step_failure_data
        for event in result.all_events
        if event.is_step_failure
    }
    errors = [
        f"alerts: {event.message}"
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.HOOK_ERRORED
    ]
    wrong_figures = [
        check
        for check in result.get_asset_check_evaluations()
        if check.asset_key == REPORT and not check.passed
    ]
    is_report_wrong = bool(wrong_figures) or failures.keys() == {market_report.op.name}
    if not (result.success or is_report_wrong):
        errors += _why_withheld(home, failures)
        if not failures:
            errors.append(_alert_outside_steps(home, result))
        errors.append(_stays(home))
        return Outcome(WITHHELD, (), errors)
    summary = release_summary(home, found_after_release(home, catalog)["late"])
    if is_report_wrong:
        errors += [f"market_report: {_reason(failure)}" for failure in failures.values()]
        errors += [f"market_report: {check.metadata['problems'].value}" for check in wrong_figures]
        errors.append(_report_failed(home, last))
        return Outcome(REPORT_FAILED, summary, errors)
    return Outcome(RELEASED, summary, errors)


def _stays(home: Home) -> str:
    return f"The release was withheld; {home.published} stays as it was."


def _why_withheld(home: Home, failures: Mapping[str | None, Any]) -> list[str]:
    """Per failed step the checks that block the release, or else the error."""
    lines = []
    for step, failure in failures.items():
        suite = STEPS_OF_CHECKS.get(step or "")
        checks = _blocking_checks(home, suite) if suite else []
        lines += [line for check in checks for line in blocked_lines(check)]
        if not checks:
            lines.append(f"{step}: {_reason(failure)}")
    return lines


def _alert_outside_steps(home: Home, result: "dg.ExecuteInProcessResult") -> str:
    """Send the alert of a run that failed outside its steps, where no hook does; its reason."""
    from dagster_project.defs.automation import reason_of

    (event,) = (event for event in result.all_events if event.is_job_failure)
    reason = reason_of(event)
    sending.notify(home, findings.after_failure(home, reason), LOG)
    return reason


def _blocking_checks(home: Home, suite: str) -> list[ReleaseCheck]:
    """The failed checks of a suite that withhold the release."""
    if not home.warehouse.exists():
        return []
    with connect(home.warehouse, read_only=True) as con:
        names = con.execute(
            "select check_name from raw.check_result "
            "where suite = ? and not passed and severity = 'block'",
            [suite],
        ).fetchall()
        return [check for check in check_results(con) if (check.check_name,) in names]


def _reason(failure: Any) -> str:
    """Why a step failed: the description of our own failures, else the first cause's traceback."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error.cause:
        error = error.cause
    return str(error.to_string())
