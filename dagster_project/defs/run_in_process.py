"""Run a Dagster job in this process, print its result, and turn it into an exit status.

Belongs here: what `closing-bell nightly`, `backfill` and `report` do around a job. Does not belong
here: arguments (`cli.py`), what a step does (`pipeline.py`).
"""

import gc
import logging
import os
import sys
from datetime import date
from typing import Any

from dagster_project.alerts import findings, sending
from dagster_project.audit.policy import load_policies
from dagster_project.audit.results import ReleaseCheck, check_results, describe
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.market.calendar import today_in_hong_kong
from dagster_project.pipeline import check_dates, day_to_report, nothing_new
from dagster_project.release import ReleaseError, published_release
from dagster_project.warehouse.connection import connect

# What a person reads: the steps whose failure is told by the checks that failed in them, and how
# many of a check's rows are listed.
STEPS_OF_CHECKS = {"transform": "dbt", "audit": "audit"}
SHOWN_ROWS = 10
# Alerts are told by the run itself; only a channel that fails is heard here.
LOG = logging.getLogger("closing-bell")
LOG.setLevel(logging.CRITICAL)

DAGSTER_YAML = """\
# Written by Closing Bell; edit as you like.
nux:
  enabled: false
telemetry:
  enabled: false
"""


def prepare(home: Home) -> None:
    """Create the landing folder and a Dagster instance, where they are missing."""
    home.landing.mkdir(parents=True, exist_ok=True)
    home.dagster.mkdir(parents=True, exist_ok=True)
    configuration = home.dagster / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["CLOSING_BELL_HOME"] = str(home.root)


def run_job(home: Home, job_name: str, first: date, last: date) -> int:
    """Run a job in this process, tell its result, and return the exit status."""
    check_dates(first, last, today_in_hong_kong())
    if nothing_new(home, load_feeds(), (first, last), today_in_hong_kong()):
        print("Nothing new: no file changed, nothing was written and nothing published.")
        print(report(home))
        # What a channel did not take is sent now.
        sending.notify(home, findings.after_release(home), LOG)
        day = day_to_report(home, last)
        if day and _is_report_owed(home, day):
            return 3 if write_and_check(home, day) else 0
        return 0
    prepare(home)
    # Dagster and dbt make millions of objects that live as long as the run: looking through them
    # for garbage again and again costs a twentieth of a night.
    gc.set_threshold(200_000, 50, 100)
    # Importing Dagster and the definitions costs seconds: only whoever runs a job pays.
    import dagster as dg

    from dagster_project.definitions import defs
    from dagster_project.defs.automation import reason_of
    from dagster_project.defs.report import REPORT, market_report

    job = defs().resolve_job_def(job_name)
    with dg.DagsterInstance.get() as instance:
        tags = {
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
        }
        result = job.execute_in_process(
            instance=instance,
            tags=tags,
            raise_on_error=False,
            # The UI shows every event; a shell wants the result.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    failed = {
        event.step_key: event.step_failure_data
        for event in result.all_events
        if event.is_step_failure
    }
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.HOOK_ERRORED:
            _complain(f"alerts: {event.message}")
    wrong_figures = [
        check
        for check in result.get_asset_check_evaluations()
        if check.asset_key == REPORT and not check.passed
    ]
    if result.success and not wrong_figures:
        print(report(home))
        return 0
    if wrong_figures or failed.keys() == {market_report.op.name}:
        print(report(home))
        for failure in failed.values():
            _complain(f"market_report: {_reason(failure)}")
        for check in wrong_figures:
            _complain(f"market_report: {check.metadata['problems'].value}")
        _complain(
            "Released, but the market report failed; remove the cause, then "
            f"`make report DATE={day_to_report(home, last) or last}`."
        )
        return 3
    for step, failure in failed.items():
        checks = _blocking(home, STEPS_OF_CHECKS[step]) if step in STEPS_OF_CHECKS else []
        if not checks:
            _complain(f"{step}: {_reason(failure)}")
        for told in checks:
            _complain(_check_lines("blocked", told))
    if not failed:
        # It failed outside its steps, where no hook tells anybody.
        (event,) = (event for event in result.all_events if event.is_job_failure)
        reason = reason_of(event)
        _complain(reason)
        sending.notify(home, findings.after_failure(home, reason), LOG)
    _complain(f"The release was withheld; {home.published} stays as it was.")
    return 1


def _is_report_owed(home: Home, day: date) -> bool:
    """Whether the last run was killed after its release and before its report."""
    release = published_release(home)
    if release is None or day_to_report(home, release.clock) != day:
        return False
    files = list((home.reports / f"{day}").glob("market_report.*"))
    return len(files) < 2 or any(
        release.release_id not in file.read_text(encoding="utf-8") for file in files
    )


def _complain(text: str) -> None:
    print(text, file=sys.stderr)


def _blocking(home: Home, suite: str) -> list[ReleaseCheck]:
    """The checks of a suite that hold the release back."""
    if not home.warehouse.exists():
        return []
    with connect(home.warehouse, read_only=True) as con:
        names = con.execute(
            "select check_name from raw.check_result "
            "where suite = ? and not passed and severity = 'block'",
            [suite],
        ).fetchall()
        return [check for check in check_results(con) if (check.check_name,) in names]


def _check_lines(label: str, check: ReleaseCheck) -> str:
    """A check that failed: what it objects to, a row a line, and what to do."""
    head = f"{label:<9}{check.asset}: {check.check_name}: "
    rows = [row for row in check.offending_rows if row.waiver is None]
    if not rows:
        return head + check.explanation
    policy = load_policies().get(check.check_name)
    head += f"{check.rows_found} found" + (f"; to do: {policy.to_do}" if policy else "")
    lines = [head, *(f"{'':<9}{describe(row)}" for row in rows[:SHOWN_ROWS])]
    if check.rows_found > SHOWN_ROWS:
        lines.append(f"{'':<9}and {check.rows_found - SHOWN_ROWS} more")
    return "\n".join(lines)


def _reason(failure: Any) -> str:
    """What went wrong in a step: our own words where we have them, else the whole error."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error.cause:
        error = error.cause
    return str(error.to_string())


def write_and_check(home: Home, day: date) -> int:
    """Write the report of a day; 1 where a figure in it does not follow from the release."""
    # Importing the charts' library costs half a second: only whoever draws pays.
    from dagster_project.report import ReportError, check_report, write_report

    try:
        paths = write_report(home, day)
    except ReportError as error:
        raise ReleaseError(str(error)) from error
    problems = check_report(home, day)
    print("\n".join([*map(str, paths), *problems]))
    return 1 if problems else 0


def report(home: Home) -> str:
    """What a release holds and lacks: one line, or one and a line a row that a check objects to."""
    with connect(home.published, read_only=True) as con:
        (release_id, clock, what_changed) = con.execute(
            "select release_id, clock, what_changed from main.release order by release_id desc"
        ).fetchone() or ("", None, "")
        failed = [check for check in check_results(con) if not check.passed]
    lines = [_check_lines("warning", check) for check in failed]
    for late in findings.after_release(home)["late"]:
        lines += [f"late     {late.what}", f"{'':<9}to do: {late.to_do}"]
    lines.append(f"release  {release_id}, up to {clock}: {what_changed}")
    lines.append(f"file     {home.published}")
    # Before a weekend the last session's.
    pages = sorted(home.reports.glob("*/market_report.html"))
    if pages := [page for page in pages if page.parent.name <= str(clock)]:
        lines.append(f"report   {pages[-1]}")
    return "\n".join(lines)
