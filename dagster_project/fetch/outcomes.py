"""What became of a source's file, and keeping it, so that what lacks can be explained.

Belongs here: the outcomes, and the last one of each source. Does not belong here: how they come
about (`fetching.py`).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from dagster_project.home import Home, write_whole

# new: it was written. changed: it was there, and its publisher corrected it. unchanged: it is there
# as it was. no_session, not_yet, expired: there is no file, as calendar and clock say. refused: the
# publisher does not answer us. damaged: what came is not the file. unreachable: nothing came.
Outcome = Literal[
    "new", "changed", "unchanged", "no_session", "not_yet", "expired", "refused", "damaged",
    "unreachable",
]  # fmt: skip
# Outcomes after which a person has something to do.
FAILURES: tuple[Outcome, ...] = ("expired", "refused", "damaged", "unreachable")
_ABSENT: tuple[Outcome, ...] = (*FAILURES, "not_yet")


@dataclass(frozen=True)
class Fetched:
    """What became of one source: its file below landing/, and what is to be said."""

    source: str
    file: str
    outcome: Outcome
    message: str


def remember(home: Home, fetched: Fetched, day: date) -> None:
    """Keep what became of a source's file of a day, in place of what was kept of the source."""
    kept = asdict(fetched) | {"day": f"{day}"}
    write_whole(_file(home, fetched.source), json.dumps(kept, indent=1).encode())


def why_absent(home: Home, folder: str, day: date) -> str | None:
    """Why files of a folder in landing/ did not come, as the last visits say; None if they did."""
    reasons = []
    for kept in _kept(home):
        is_of_day = kept["day"] == f"{day}" and kept["file"].startswith(f"{folder}/")
        if is_of_day and kept["outcome"] in _ABSENT:
            outcome = kept["outcome"].replace("_", " ")
            reasons.append(f"{kept['source']} {outcome}, {kept['message']}")
    return "; ".join(reasons) or None


def _file(home: Home, source: str) -> Path:
    return home.root / "fetch" / f"{source}.outcome.json"


def _kept(home: Home) -> Iterator[dict[str, str]]:
    for file in sorted((home.root / "fetch").glob("*.outcome.json")):
        yield json.loads(file.read_text(encoding="utf-8"))
