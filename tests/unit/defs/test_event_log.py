"""Dagster's event log on connections that stay open: what is written is found by all, as before."""

from pathlib import Path

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage

# To import the definitions makes the log so.
from dagster_project.definitions import MOST_KEPT_CONNECTIONS


@dg.asset
def chatty(context: dg.AssetExecutionContext) -> None:
    for number in range(50):
        context.log_event(dg.AssetObservation("chatty", metadata={"number": number}))


def observed(instance: dg.DagsterInstance) -> list[object]:
    records = instance.fetch_observations(dg.AssetKey("chatty"), limit=1000).records
    found = [record.asset_observation for record in records]
    return [one.metadata["number"].value for one in found if one]


def test_a_run_of_many_events_opens_few_connections(tmp_path: Path) -> None:
    opened = []
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", lambda c, _: opened.append(c))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        before = len(opened)
        assert dg.materialize([chatty], instance=instance).success
        # Of the log two, of the storage of runs a few.
        assert len(opened) - before < 40
        assert observed(instance) == [*reversed(range(50))]
    # Another process sees the same.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as again:
        assert len(observed(again)) == 50


def test_connections_to_many_runs_are_not_all_kept(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = [dg.materialize([chatty], instance=instance).run_id for _ in range(6)]
        for run_id in runs:
            assert instance.all_logs(run_id)
        log = instance._event_storage
        assert isinstance(log, SqliteEventLogStorage)
        assert len(log.__dict__["_engines"]) == MOST_KEPT_CONNECTIONS


def test_no_connection_outlives_its_log(tmp_path: Path) -> None:
    opened, closed = [], []
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", lambda c, _: opened.append(c))
    sqlalchemy.event.listen(sqlalchemy.Engine, "close", lambda c, _: closed.append(c))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dg.materialize([chatty], instance=instance)
    assert opened
    assert len(closed) == len(opened)


def test_a_log_that_was_wiped_begins_anew(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dg.materialize([chatty], instance=instance)
        instance.wipe()
        run = dg.materialize([chatty], instance=instance)
        assert len(observed(instance)) == 50
        assert instance.all_logs(run.run_id)
