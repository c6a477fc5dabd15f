"""Runs that ended long ago are deleted with all that Dagster wrote of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.test_utils import create_run_for_test

# The definitions keep connections to the event log open, as in every run.
from dagster_project import definitions
from dagster_project.defs.retention import delete_old_runs


@dg.op
def speak() -> None:
    print("something")


@dg.job(executor_def=dg.in_process_executor)
def spoken() -> None:
    speak()


def test_only_ended_runs_are_deleted_and_only_old_ones(tmp_path: Path) -> None:
    assert definitions.MOST_KEPT_CONNECTIONS
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        ended = spoken.execute_in_process(instance=instance).run_id
        waiting = create_run_for_test(instance, "spoken").run_id
        now = datetime.now(UTC)

        assert delete_old_runs(instance, 30, now + timedelta(days=29)) == 0
        assert {run.run_id for run in instance.get_runs()} == {ended, waiting}
        written = [path for path in tmp_path.rglob("*") if ended in str(path)]
        assert written

        assert delete_old_runs(instance, 30, now + timedelta(days=31)) == 1
        assert [run.run_id for run in instance.get_runs()] == [waiting]
        assert not [path for path in tmp_path.rglob("*") if ended in str(path)]
