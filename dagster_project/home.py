"""$CLOSING_BELL_HOME: the folder that holds everything a run writes, and the writer's lock.

Belongs here: paths below that folder, the lock. Does not belong here: what the files hold
(`warehouse/`, `release/`), market logic.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

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
        """Hold the right to write the warehouse: one process at a time; a crash frees it.

        DuckDB's own lock is not enough: a run gives it up between its steps, and loses it when its
        process opens and closes the file in order to copy it.

        Raises:
            WarehouseBusy: another process holds it for longer than `timeout_seconds`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "warehouse.lock"
        lock = FileLock(path, timeout=timeout_seconds, poll_interval=0.2)
        try:
            lock.acquire()
        except Timeout as error:
            raise WarehouseBusy(
                f"{self.warehouse} is being written by process {path.read_text().strip()}; "
                "wait for it to finish or stop it, then run again"
            ) from error
        try:
            path.write_text(str(os.getpid()))
            yield
        finally:
            lock.release()

    def is_being_written(self) -> bool:
        """Whether a process holds the right to write at this moment."""
        try:
            with self.writer_lock(timeout_seconds=0):
                return False
        except WarehouseBusy:
            return True
