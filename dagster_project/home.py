"""$CLOSING_BELL_HOME: the folder that holds everything a run writes, and the writer's lock.

Belongs here: paths below that folder, writing a file whole, the lock, the room that is left. Does
not belong here: what the files hold (`warehouse/`, `release/`), market logic.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class WarehouseBusy(RuntimeError):
    """Another process is writing the warehouse, and did not finish in time."""


class DiskFull(RuntimeError):
    """The disk has no room for a run; the message says how much is needed."""


# What the smallest run writes: the log of Dagster, what dbt parsed, a warehouse.
LEAST_FREE_BYTES = 50_000_000


def write_whole(file: Path, content: bytes) -> Path:
    """Write a file aside and rename it: nobody reads half of it, whenever the machine stops.

    The name aside is always the same, so that what a crash left behind is overwritten.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    with unfinished.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    return unfinished.replace(file)


@dataclass(frozen=True)
class Home:
    """The folder that holds everything a run writes (`$CLOSING_BELL_HOME`)."""

    root: Path
    # Where Dagster keeps its instance, if that is not in the home.
    dagster_home: Path | None = None

    @classmethod
    def from_environment(cls) -> "Home":
        """`$CLOSING_BELL_HOME`, or `data/` in the checkout; with `$DAGSTER_HOME`, if it is set."""
        root, dagster = _folder_in("CLOSING_BELL_HOME"), _folder_in("DAGSTER_HOME")
        return cls(root or PROJECT_ROOT / "data", dagster)

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def config(self) -> Path:
        """What an operator edits: a row or file there counts over the one that is shipped."""
        return self.root / "config"

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
    def reports_lock(self) -> Path:
        """Held by whoever writes reports, or the page of all of them."""
        return self.root / "reports.lock"

    @property
    def dagster(self) -> Path:
        return self.dagster_home or self.root / "dagster"

    def check_space(self) -> None:
        """Refuse to begin what would end on a full disk.

        A release is a copy of the warehouse, for which some file systems need no room; publishing
        says what it lacks.

        Raises:
            DiskFull: less is free than the smallest run needs.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE_BYTES:
            size = self.warehouse.stat().st_size if self.warehouse.exists() else 0
            raise DiskFull(
                f"the disk that holds {self.root} has {free / 1e6:.0f} MB free; a run needs at "
                f"least {LEAST_FREE_BYTES / 1e6:.0f} MB, and its release up to {size / 1e6:.0f} MB "
                "more: free some space, then run again"
            )

    @contextmanager
    def writer_lock(
        self, timeout_seconds: float = 3600, on_wait: Callable[[str], None] = lambda why: None
    ) -> Iterator[None]:
        """Hold the right to write the warehouse: one process at a time; a crash frees it.

        DuckDB's own lock is not enough: a run gives it up between its steps, and loses it when its
        process opens and closes the file in order to copy it.

        Args:
            on_wait: called with the reason, if another process holds it.

        Raises:
            WarehouseBusy: another process holds it for longer than `timeout_seconds`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "warehouse.lock"
        lock = FileLock(path, poll_interval=0.2)
        busy = f"{self.warehouse} is being written by process"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(f"This run waits: {busy} {path.read_text().strip()}")
            try:
                lock.acquire(timeout=timeout_seconds)
            except Timeout as error:
                raise WarehouseBusy(
                    f"{busy} {path.read_text().strip()}; wait for it to finish or stop it, then "
                    "run again"
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


def _folder_in(variable: str) -> Path | None:
    configured = os.environ.get(variable)
    return Path(configured).expanduser().resolve() if configured else None
