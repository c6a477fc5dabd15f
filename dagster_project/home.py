"""$CLOSING_BELL_HOME: the folder that holds everything a run writes, and the writer's lock.

Belongs here: paths below that folder, the lock. Does not belong here: what the files hold
(`warehouse/`, `release/`), market logic.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


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
