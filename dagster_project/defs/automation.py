"""Jobs, the nightly schedule, and the sensor that notices files."""

import hashlib
import time

import dagster as dg

from dagster_project.defs.ingest import catalog
from dagster_project.defs.partitions import last_weekday, trade_dates
from dagster_project.landing import LandingMissing, scan_feed
from dagster_project.release import published_release
from dagster_project.sessions import HONG_KONG, today_in_hong_kong
from dagster_project.warehouse import Home

# A file that changed this recently may still be being copied.
SETTLING_SECONDS = 10

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    partitions_def=trade_dates,
    description="One night: everything up to one trade date becomes a release.",
)

history = dg.define_asset_job(
    "history",
    selection=dg.AssetSelection.all(),
    partitions_def=trade_dates,
    description="A range of trade dates in one run: launch it as a backfill over partitions.",
)


@dg.schedule(
    job=nightly,
    cron_schedule="30 18 * * 1-5",
    execution_timezone="Asia/Hong_Kong",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def after_the_close(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Weekdays at 18:30 in Hong Kong, when the files of all three markets are due."""
    day = context.scheduled_execution_time.astimezone(HONG_KONG).date().isoformat()
    return dg.RunRequest(run_key=day, partition_key=day)


@dg.sensor(job=nightly, minimum_interval_seconds=60)
def landing_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Runs when a file in landing is new, changed or gone: a correction reaches the release.

    It asks for no new date: rows after the warehouse's clock wait for their night.
    """
    home = Home.from_environment()
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
    seen = digest.hexdigest()
    if seen == context.cursor:
        return dg.SkipReason("no file is new, changed or gone")
    if time.time() - newest / 1e9 < SETTLING_SECONDS:
        return dg.SkipReason("a file changed just now; it may still be being copied")
    context.update_cursor(seen)
    release = published_release(home)
    day = last_weekday(release.clock if release else today_in_hong_kong())
    return dg.RunRequest(run_key=seen, partition_key=day.isoformat())
