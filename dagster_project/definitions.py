"""The one entry point of Dagster: loads everything in `defs/`."""

from typing import Any

import dagster as dg
import sqlalchemy

from dagster_project.home import PROJECT_ROOT


@sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
def _sync_less(connection: Any, _record: Any) -> None:
    """Dagster's event log is SQLite with a commit an event: hundreds a run, a disk sync each.

    Syncing at checkpoints instead loses no event when a process is killed, and spares seconds.
    """
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("pragma synchronous = normal")


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=PROJECT_ROOT)
