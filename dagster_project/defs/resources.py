"""Resources: the warehouse, whose only writer is the run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from dagster_project.fetch.source_spec import load_sources
from dagster_project.home import Home
from dagster_project.settings import load_settings


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """The warehouse of `$CLOSING_BELL_HOME`, locked while a run lasts.

    The lock is the system's, free again when its process is gone. A concurrency pool of Dagster
    is not: the slot of a killed run stays taken, and the next run would wait for it forever.
    """

    lock_timeout_seconds: int = 3600
    _home: Home = PrivateAttr()

    @property
    def home(self) -> Home:
        return self._home

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Warehouse"]:
        self._home = Home.from_environment()
        # Before anything is done by half of them.
        load_settings(self._home)
        load_sources(self._home.config)
        self._home.check_space()
        log = context.log or logging.getLogger("closing-bell")
        with self._home.writer_lock(self.lock_timeout_seconds, on_wait=log.warning):
            yield self


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(resources={"warehouse": Warehouse()}, executor=dg.in_process_executor)
