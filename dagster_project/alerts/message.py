"""The message that a channel sends: its subject and its text.

Belongs here: the wording around problems. Does not belong here: which problems there are
(`findings.py`), how a message is sent (`channels.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.alerts.findings import KINDS, Kind, Problem

# How many problems of a kind the text lists; it gives the number of the others.
SHOWN = 20


@dataclass(frozen=True)
class Message:
    """A message about problems; `see` is the address of a page with more.

    `over` are the kinds of which no problem is left.
    """

    subject: str
    problems: Sequence[Problem]
    see: str | None = None
    over: Sequence[Kind] = ()

    @property
    def text(self) -> str:
        lines = [self.subject]
        for kind in KINDS:
            of_kind = [problem for problem in self.problems if problem.kind == kind]
            if of_kind:
                lines += ["", _HEADINGS[kind], *(f"- {problem}" for problem in of_kind[:SHOWN])]
            if len(of_kind) > SHOWN:
                lines.append(f"- and {len(of_kind) - SHOWN} more; `make nightly` lists them")
        if self.over:
            lines += ["", "Over", *(f"- {_HEADINGS[kind]}: no more" for kind in self.over)]
        if self.see:
            lines += ["", f"See {self.see}"]
        return "\n".join(lines)


_HEADINGS: dict[Kind, str] = {
    "withheld": "Release withheld",
    "finding": "Checks with findings",
    "late": "Feeds late",
    "set_aside": "Files quarantined",
    "report": "Market report failed",
}


def compose(
    problems: Sequence[Problem], see: str | None = None, over: Sequence[Kind] = ()
) -> Message:
    """One message about all of these problems; its subject counts them by kind."""
    counts = {kind: sum(problem.kind == kind for problem in problems) for kind in KINDS}
    parts = [
        _HEADINGS[kind].lower() + (f" ({count})" if kind not in ("withheld", "report") else "")
        for kind, count in counts.items()
        if count
    ]
    parts += [f"over: {_HEADINGS[kind].lower()}" for kind in over]
    return Message(f"Closing Bell: {', '.join(parts)}", problems, see, over)
