"""How long Dagster remembers a run.

Belongs here: deleting runs that ended long ago, with their events and logs. Does not belong here:
how many releases are kept (`release/publish.py`), ticks of schedules and sensors (`dagster.yaml`).
"""

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
# So that a first clean-up does not keep a night waiting; the next nights delete the rest.
MOST_AT_ONCE = 50


def delete_old_runs(instance: dg.DagsterInstance, keep_days: int, now: datetime) -> int:
    """Delete runs that were requested longer ago than so many days, the oldest first.

    Returns:
        How many.
    """
    old = dg.RunsFilter(statuses=FINISHED, created_before=now - timedelta(days=keep_days))
    runs = instance.get_runs(old, limit=MOST_AT_ONCE, ascending=True)
    for run in runs:
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        # SQLite has a file per run, whose rows are gone now; Dagster leaves the file.
        if shard := getattr(instance.event_log_storage, "path_for_shard", None):
            for beside in ("", "-wal", "-shm"):
                Path(f"{shard(run.run_id)}{beside}").unlink(missing_ok=True)
    return len(runs)
