"""Where a warehouse lies on disk, and how its DuckDB file is opened and locked.

Belongs here: the folders of `$CLOSING_BELL_HOME`, connections, the writer's lock.
Does not belong here: tables (`raw.py`), releases (`release.py`), market logic.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# DuckDB 1.5 clients can read files written with this setting.
STORAGE_VERSION = "v1.5.0"


class WarehouseBusy(RuntimeError):
    """Another process is writing the warehouse, and did not finish in time."""


@dataclass(frozen=True)
class Home:
    """The folder that holds everything a run writes (`$CLOSING_BELL_HOME`)."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """`$CLOSING_BELL_HOME`, or `data/` in the checkout."""
        configured = os.environ.get("CLOSING_BELL_HOME")
        return cls(Path(configured).expanduser().resolve() if configured else PROJECT_ROOT / "data")

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published" / "closing_bell.duckdb"

    @property
    def releases(self) -> Path:
        return self.root / "published" / "releases"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @contextmanager
    def writer_lock(self, timeout_seconds: float = 3600) -> Iterator[None]:
        """Hold the right to write the warehouse; one process at a time, freed even by a crash.

        DuckDB's own lock cannot serve: it is gone between the steps of a run, and is dropped
        when the writer's process opens and closes the file in order to copy it.

        Raises:
            WarehouseBusy: another process holds it for longer than `timeout_seconds`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "warehouse.lock"
        with path.open("a+") as lock:
            deadline = time.monotonic() + timeout_seconds
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        lock.seek(0)
                        raise WarehouseBusy(
                            f"{self.warehouse} is being written by process {lock.read().strip()}; "
                            "wait for it to finish or stop it, then run again"
                        ) from None
                    time.sleep(0.2)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file; nothing is ever downloaded for it.

    Raises:
        duckdb.IOException: the file is missing (read-only) or held by another process.
    """
    return duckdb.connect(
        str(path),
        read_only=read_only,
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "autoinstall_known_extensions": "false",
        },
    )


def dicts(
    con: duckdb.DuckDBPyConnection, query: str, parameters: object = None
) -> list[dict[str, Any]]:
    """The rows of a query, each by its columns' names."""
    result = con.execute(query, parameters)
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
