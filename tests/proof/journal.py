"""What a long proof keeps of its parts as it plays them, so that the same command goes on later.

Belongs here: the file beside `--out`, and which version of the project its lines are about. Does
not belong here: what a part is (each proof's own).
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.home import PROJECT_ROOT


@dataclass(frozen=True)
class Journal:
    """Parts played by one version of the project, a line each."""

    path: Path | None
    version: str

    @classmethod
    def beside(cls, out: Path | None) -> "Journal":
        """The journal of a proof that writes its figures to `out`; without it nothing is kept."""
        return cls(out and out.with_suffix(".jsonl"), project_version())

    def read(self) -> list[Any]:
        """The parts that this version has played."""
        if not self.path or not self.path.exists():
            return []
        lines = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        return [line["part"] for line in lines if line["version"] == self.version]

    def keep(self, part: Any) -> None:
        if self.path:
            line = json.dumps({"version": self.version, "part": part}, ensure_ascii=False)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def finish(
        self,
        out: Path | None,
        command: str,
        failures: Sequence[str],
        seconds: float,
        figures: Mapping[str, Any],
    ) -> None:
        """Print the failures of a proof, and write its figures to `out`."""
        of_all = {
            "command": command,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": self.version,
            "machine": f"{platform.platform()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}",
            "failures": failures,
            "seconds": round(seconds),
            **figures,
        }
        print("\n".join([f"{len(failures)} failures, {round(seconds)} s", *failures]))
        if out:
            out.write_text(json.dumps(of_all, ensure_ascii=False, indent=1))


def project_version() -> str:
    """The commit checked out; where files were changed since, a version of this moment only."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    version = described.stdout.strip() or "unknown-dirty"
    return f"{version}-{time.time():.0f}" if version.endswith("-dirty") else version
