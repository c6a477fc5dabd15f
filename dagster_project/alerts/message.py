"""The message that a channel sends: its subject and its text.

Belongs here: the wording around problems. Does not belong here: which problems there are
(`findings.py`), how a message travels (`channels.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.alerts.findings import KINDS, Kind, Problem

# Problems of a kind that a message spells out; it counts the others.
SHOWN = 20


@dataclass(frozen=True)
class Message:
    """What a channel sends."""

    subject: str
    problems: Sequence[Problem]
    see: str | None = None

    @property
    def text(self) -> str:
        lines = [self.subject]
        for kind in KINDS:
            of_kind = [problem for problem in self.problems if problem.kind == kind]
            if of_kind:
                lines += ["", _HEADINGS[kind], *(f"- {problem}" for problem in of_kind[:SHOWN])]
            if len(of_kind) > SHOWN:
                lines.append(f"- and {len(of_kind) - SHOWN} more; `make nightly` lists them")
        if self.see:
            lines += ["", f"See {self.see}"]
        return "\n".join(lines)


_HEADINGS: dict[Kind, str] = {
    "withheld": "Release withheld",
    "late": "Feeds late",
    "set_aside": "Files set aside",
    "report": "Market report failed",
}


def compose(problems: Sequence[Problem], see: str | None = None) -> Message:
    """One message of all that is new to a channel."""
    counts = {kind: sum(problem.kind == kind for problem in problems) for kind in KINDS}
    said = [
        f"{_HEADINGS[kind].lower()}" + (f" ({count})" if kind in ("late", "set_aside") else "")
        for kind, count in counts.items()
        if count
    ]
    return Message(f"Closing Bell: {', '.join(said)}", problems, see)
