"""The one entry point of Dagster: loads everything in `defs/`, and makes its event log faster.

A run writes hundreds of events into SQLite. Dagster opens a connection for each, which costs more
than the event, and waits for the disk at each commit.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

from dagster_project.home import PROJECT_ROOT

# Each run has a file of events, and all runs one together; a server looks at many runs.
MOST_KEPT_CONNECTIONS = 4


@sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
def _sync_less(connection: Any, _record: Any) -> None:
    """Sync at checkpoints only: no event is lost when a process is killed."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("pragma synchronous = normal")


@contextmanager
def _kept_connection(log: Any, shard: str) -> Iterator[sqlalchemy.Connection]:
    """What `SqliteEventLogStorage._connect` gives, on a connection that stays open."""
    with log._db_lock:
        engines = log.__dict__.setdefault("_engines", OrderedDict())
        is_new = shard not in log._initialized_dbs
        if is_new or shard not in engines:
            if before := engines.pop(shard, None):
                before.dispose()
            engines[shard] = sqlalchemy.create_engine(
                log.conn_string_for_shard(shard),
                poolclass=sqlalchemy.QueuePool,
                pool_size=1,
                # The lock lets one thread in at a time.
                connect_args={
                    "timeout": SQLITE_BUSY_TIMEOUT_SECONDS,
                    "check_same_thread": False,
                },
            )
            if len(engines) > MOST_KEPT_CONNECTIONS:
                engines.popitem(last=False)[1].dispose()
        engines.move_to_end(shard)
        engine = engines[shard]
        if is_new:
            log._initdb(engine)
            log._initialized_dbs.add(shard)
        with engine.connect() as connection, connection.begin():
            yield connection


def _dispose(log: Any) -> None:
    """Close what was kept, too."""
    with log._db_lock:
        for engine in log.__dict__.pop("_engines", {}).values():
            engine.dispose()
    _dispose_watching(log)


_dispose_watching = SqliteEventLogStorage.dispose
SqliteEventLogStorage._connect = _kept_connection  # type: ignore[assignment,method-assign]
SqliteEventLogStorage.dispose = _dispose  # type: ignore[assignment,method-assign]


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=PROJECT_ROOT)
