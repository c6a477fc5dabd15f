"""Jobs, the nightly schedule, the sensor that notices files, and when alerts are sent."""

import hashlib
import time
from datetime import datetime, timedelta

import dagster as dg

from dagster_project.alerts import findings, sending
from dagster_project.defs.audit import audit
from dagster_project.defs.fetch import again_tags, sources
from dagster_project.defs.ingest import catalog
from dagster_project.defs.partitions import PARTITION, last_weekday, request_tags
from dagster_project.defs.publish import release as released
from dagster_project.defs.report import market_report
from dagster_project.defs.retention import delete_old_runs
from dagster_project.defs.run_summary import found_after_release
from dagster_project.home import Home
from dagster_project.ingest.landing import LandingMissing, scan_feed
from dagster_project.market import calendar
from dagster_project.pipeline import last_closed_session, nothing_new
from dagster_project.release.read import published_release, withdrawn_release
from dagster_project.settings import SettingsError, load_settings
from dagster_project.warehouse.sessions import closing_times

# What lay in landing when a run was requested for it.
FILES = "closing_bell/files"
# A file that changed this recently may still be being copied.
SETTLING_SECONDS = 10
# After a night is due the schedule has so long before the night counts as overdue.
PATIENCE = timedelta(hours=1)
# Longer than any run takes from its start to its hold of the warehouse.
LONGEST_START = timedelta(minutes=10)
# A look before this hour is for corrections of the session before.
MORNING_ENDS = 12
# A night that failed so often needs somebody, who has been alerted.
MOST_ATTEMPTS = 3
# Why a tick requests nothing that has just found a run whose process is gone.
REPEATED = "Dagster repeats a run whose process is gone"


@dg.success_hook(name="alert_of_what_is_missing")
def alert_of_what_is_missing(context: dg.HookContext) -> None:
    """After publishing: send alerts of late feeds and quarantined files, and the heartbeat.

    Runs that ended long ago are deleted here too, so that the disk of an unwatched machine lasts.
    """
    if context.op.name == released.op.name:
        home = Home.from_environment()
        sending.notify(
            home,
            found_after_release(home, catalog),
            context.log,
            run_page(context.run_id),
        )
        sending.beat(home, context.log)
        delete_old_runs(
            context.instance, load_settings(home).keep_runs_days, calendar.now_in_hong_kong()
        )


@dg.failure_hook(name="alert_of_failure")
def alert_of_failure(context: dg.HookContext) -> None:
    """After a failed step: send an alert that there is no release, or no report of it."""
    home, error, step = Home.from_environment(), context.op_exception, context.op.name
    reason = getattr(error, "description", None) or f"{type(error).__name__}: {error}"
    if step == market_report.op.name:
        found = findings.after_report(home, reason)
    else:
        found = findings.after_failure(home, None if step == audit.op.name else reason)
    sending.notify(home, found, context.log, run_page(context.run_id))


ALERTS = {alert_of_what_is_missing, alert_of_failure}


def reason_of(run_failure: dg.DagsterEvent) -> str:
    """Why a run failed that failed outside its steps."""
    # A run whose process is gone has no data.
    error = getattr(run_failure.event_specific_data, "error", None)
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else run_failure.message or "the run failed"


def run_page(run_id: str) -> str | None:
    """The page of a run in the UI, where the setting `ui_url` says where the UI is.

    A wrong setting ends every run, and the alert of that run must not end with it.
    """
    try:
        ui = load_settings(Home.from_environment()).ui_url
    except SettingsError:
        return None
    return f"{ui.rstrip('/')}/runs/{run_id}" if ui else None


nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    hooks=ALERTS,
    description="One night: everything up to one trade date becomes a release.",
)

history = dg.define_asset_job(
    "history",
    selection=dg.AssetSelection.all(),
    hooks=ALERTS,
    description="A range of trade dates in one run: launch it as a backfill over partitions.",
)


@dg.schedule(
    job=nightly,
    cron_schedule="30 18 * * 1-5",
    execution_timezone="Asia/Hong_Kong",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=(
        "On weekdays at 18:30 in Hong Kong, when the files of all three markets are due: releases "
        "up to the last session that has closed."
    ),
)
def after_the_close(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The night of an evening.

    Dagster catches up only with the last tick that it missed. That is enough: a run takes in every
    date since the last covered one. `overdue_nights` asks again for a night that came to nothing.
    """
    evening = context.scheduled_execution_time.astimezone(calendar.HONG_KONG)
    day = last_closed_session(Home.from_environment(), catalog, evening)
    return dg.RunRequest(
        # One run per evening, also on a holiday: it repeats a night that failed.
        run_key=evening.date().isoformat(),
        partition_key=last_weekday(day).isoformat(),
        tags=request_tags(day, day),
    )


if sources.on:
    fetching = dg.define_asset_job(
        "fetching",
        selection=dg.AssetSelection.groups("sources"),
        description="Asks the sources for the files of a day that are not there, and stops there.",
    )

    @dg.schedule(
        job=fetching,
        cron_schedule=["*/20 16-21 * * 1-5", "0 22 * * 1-5", "0 8 * * 1-6"],
        execution_timezone="Asia/Hong_Kong",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=(
            "From 16:00 to 22:00 in Hong Kong asks every twenty minutes for what is not there yet, "
            "and at 8:00 once more for all files of the last session, for corrections under the "
            "same name. The sensor landing_files takes what comes."
        ),
    )
    def look_for_files(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """What is still to be had of the day, or was corrected since."""
        # Importing the library that asks takes a quarter of a second.
        from dagster_project.fetch.fetching import is_there

        home = Home.from_environment()
        at = context.scheduled_execution_time.astimezone(calendar.HONG_KONG)
        is_morning = at.hour < MORNING_ENDS
        before = at.date() - timedelta(days=is_morning)
        day = max(closing_times(before - calendar.LONGEST_CLOSURE, before, home.config))
        if not is_morning and day < before:
            return dg.SkipReason(f"{before} is no session")
        if not is_morning and all(is_there(home, source, day) for source in sources.on.values()):
            return dg.SkipReason(f"all files of {day} are there")
        return dg.RunRequest(
            run_key=at.isoformat(),
            partition_key=last_weekday(day).isoformat(),
            tags=request_tags(day, day) | (again_tags(day) if is_morning else {}),
        )


@dg.run_failure_sensor(
    monitored_jobs=[nightly, history],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Alerts about a run that failed outside its steps: its process is gone, or another process "
        "kept the warehouse to itself for an hour."
    ),
)
def runs_that_never_began(context: dg.RunFailureSensorContext) -> None:
    """An alert where no hook is called."""
    if context.get_step_failure_events():
        return
    home = Home.from_environment()
    found = findings.after_failure(home, reason_of(context.failure_event))
    sending.notify(home, found, context.log, run_page(context.dagster_run.run_id))


@dg.sensor(
    job=nightly,
    minimum_interval_seconds=60,
    description=(
        "Starts a run when a file in landing is new, changed or gone, so that a correction reaches "
        "the release. It requests no new date: rows after the warehouse's clock wait for their "
        "night."
    ),
)
def landing_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run of the files that no release holds.

    Whether anything is new is asked of the release, not of an earlier tick: so what a killed run
    left is found again. A run that failed in a step was told, and is not repeated for its files.
    """
    home, now = Home.from_environment(), calendar.now_in_hong_kong()
    if home.is_being_written():
        return dg.SkipReason("a run is at work")
    digest, newest = hashlib.sha256(), 0
    for spec in catalog.feeds.values():
        try:
            files, unusable = scan_feed(home.landing, spec)
        except LandingMissing:
            continue
        found = [(file.path, file.size, file.mtime_ns) for file in files]
        found += [(item.path, item.size, item.mtime_ns) for item in unusable]
        digest.update(repr(found).encode())
        newest = max([newest, *(mtime_ns for _, _, mtime_ns in found)])
    if not newest:
        return dg.SkipReason(f"{home.landing} holds no files")
    if time.time() - newest / 1e9 < SETTLING_SECONDS:
        return dg.SkipReason("a file changed just now; it may still be being copied")
    if nothing_new(home, catalog, None, now.date()):
        return dg.SkipReason("no file is new, changed or gone")
    if fail_lost_runs(context.instance, now) and context.instance.run_retries_enabled:
        return dg.SkipReason(REPEATED)
    files_tag = {FILES: digest.hexdigest()}
    attempts = context.instance.get_runs(dg.RunsFilter(tags=files_tag))
    if any(not run.is_finished for run in attempts):
        return dg.SkipReason("a run of these files is requested")
    if attempts and not _was_lost(context.instance, attempts[0]):
        return dg.SkipReason(f"run {attempts[0].run_id} of these files ended without a release")
    if len(attempts) >= MOST_ATTEMPTS:
        return dg.SkipReason(f"{len(attempts)} runs of these files were lost; the next night comes")
    release = published_release(home)
    day = release.clock if release else last_closed_session(home, catalog, now)
    return dg.RunRequest(
        run_key=f"{digest.hexdigest()}, attempt {len(attempts) + 1}",
        partition_key=last_weekday(day).isoformat(),
        tags=files_tag,
    )


def _was_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run ended with its process, and not because a step failed."""
    of_steps = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return run.status == dg.DagsterRunStatus.FAILURE and not of_steps


@dg.sensor(
    job=nightly,
    minimum_interval_seconds=600,
    description=(
        "Requests the night that should be released by now and is not: nobody requested it, its "
        "run failed, or the machine stopped under it. A night that fails three times waits for the "
        "next evening."
    ),
)
def overdue_nights(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The night that is overdue."""
    home, now = Home.from_environment(), calendar.now_in_hong_kong()
    if home.is_being_written():
        return dg.SkipReason("a run is at work")
    if fail_lost_runs(context.instance, now) and context.instance.run_retries_enabled:
        return dg.SkipReason(REPEATED)
    day = last_closed_session(home, catalog, now - PATIENCE)
    release = published_release(home)
    if release and release.clock >= day:
        return dg.SkipReason(f"{day} is released")
    withdrawn = withdrawn_release(home)
    if withdrawn and withdrawn.clock >= day:
        return dg.SkipReason(f"{day} was released and withdrawn")
    night = {PARTITION: last_weekday(day).isoformat()}
    attempts = context.instance.get_runs(dg.RunsFilter(tags=night))
    if not release and not attempts:
        return dg.SkipReason("nothing was requested yet")
    if any(not run.is_finished for run in attempts):
        return dg.SkipReason(f"{day} is requested")
    if attempts and attempts[0].status == dg.DagsterRunStatus.CANCELED:
        return dg.SkipReason(f"somebody cancelled the run of {day}")
    if len(attempts) >= MOST_ATTEMPTS:
        return dg.SkipReason(f"{day} failed {len(attempts)} times; the next evening tries again")
    return dg.RunRequest(
        run_key=f"{day}, attempt {len(attempts) + 1}",
        partition_key=last_weekday(day).isoformat(),
        tags=request_tags(day, day),
    )


def fail_lost_runs(instance: dg.DagsterInstance, now: datetime) -> bool:
    """Mark runs as failed that ended with their machine, which Dagster takes for running.

    Ten of them would keep every other run in the queue. Called while nobody holds the writer's
    lock, which a run holds from its first step to its last.

    Returns:
        Whether there was any.
    """
    at_work = [
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
    lost = [
        record.dagster_run
        for record in instance.get_run_records(dg.RunsFilter(statuses=at_work))
        if record.update_timestamp < now - LONGEST_START
    ]
    for run in lost:
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run)
        else:
            instance.report_run_failed(run, "its process is gone; did the machine stop?")
    return bool(lost)
