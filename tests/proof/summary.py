"""The figures of the last full proofs, as Markdown pages in `docs/proof_results/`.

Belongs here: how a proof's JSON file reads as Markdown. Does not belong here: any figure (the
proofs alone know them), what a reader should conclude (`docs/trust.md`).

    python -m tests.proof.summary FOLDER docs/proof_results

Each JSON file in the folder becomes one page of the same name. Pages of other proofs stay.
"""

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What has tables of its own, or is not for a reader.
_ELSEWHERE = {
    "proof",
    "command",
    "every_case",
    "every_night",
    "every_kill",
    "unseeable",
    "findings",
    "counts",
    "examples",
}
SHOWN_FINDINGS = 3


@dataclass(frozen=True)
class Heading:
    """What stands above a page's figures: its title, and what was run."""

    title: str
    what: str


HEADINGS = {
    "corruption": Heading(
        "Corrupted files",
        "One corruption of a named kind at a seeded place of a clean night, through the whole "
        "pipeline.",
    ),
    "corruption_again": Heading(
        "Corrupted files: stale series again",
        "The same seeds of one kind, played again after the check was extended.",
    ),
    "corruption_others": Heading(
        "Corrupted files: the other kinds",
        "The kinds that are not in corruption.md, each at six places.",
    ),
    "corruption_dagster": Heading(
        "Corrupted files, through the Dagster job",
        "One seed per kind through the Dagster job; the outcome must be the same.",
    ),
    "clean_nights": Heading(
        "Clean nights", "The sample, night by night: no release may be withheld."
    ),
    "clean_nights_real": Heading(
        "Clean nights of the real vendor files",
        "Sessions of the real vendor files, night by night: no release may be withheld.",
    ),
    "corruption_real": Heading(
        "Corrupted files of real vendors",
        "The kinds that depend most on their place, on the night of 17 September 2025 as real "
        "vendors delivered it. A case ends where the reader says something of the file.",
    ),
    "damage": Heading(
        "Damaged files",
        "Small files of every feed, damaged at random: each must be read or quarantined in a short "
        "time, and every line accounted for.",
    ),
    "fetched_nights": Heading(
        "Fetched nights",
        "Evenings, second looks and mornings through a server that plays the exchanges and "
        "misbehaves by lot: each ends in the right release and the right message, and all of them "
        "in the tables of a clean rebuild.",
    ),
    "any_order": Heading(
        "Deliveries in any order",
        "Random histories of deliveries, every published table compared with one clean rebuild.",
    ),
    "any_selection": Heading(
        "Parts of the house in any order",
        "Random sequences of materializations through Dagster: each release is built again from "
        "its own raw tables, and a night at the end is compared with one clean rebuild.",
    ),
    "crash": Heading(
        "Killed runs",
        "Runs killed with SIGKILL at random instants, then run again and compared with an "
        "undisturbed run.",
    ),
    "upgrade": Heading(
        "An upgrade",
        "A home whose last release was made by an earlier version, and a night of this version on "
        "top: every published table is compared with a clean build.",
    ),
    "readers": Heading(
        "Readers during publications",
        "Latency of reads undisturbed, beside a process that writes as much and publishes nothing, "
        "and during publications.",
    ),
    "market": Heading(
        "What a figure means",
        "Years of the real vendor files: every published figure of securities and groups "
        "recomputed, and statements that an analyst would hold them to.",
    ),
    "nights": Heading(
        "Unattended nights",
        "Two months through Dagster's own daemon with its clock moved, without a person: what the "
        "release must be is said before each stretch of time, and compared.",
    ),
    "real": Heading(
        "The real vendor files",
        "One run over 1 January 2021 to 17 September 2025, and what each check found.",
    ),
}


def main(folder: Path, pages: Path) -> int:
    """Write the page of every proof that left its file."""
    pages.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.json")):
        text = page(path.stem, json.loads(path.read_text("utf-8")))
        (pages / f"{path.stem}.md").write_text(text, encoding="utf-8")
    return 0


def page(name: str, of: dict[str, Any]) -> str:
    """The Markdown page of a proof, from its JSON file."""
    parts = [_table(["figure", "value"], _figures(of))]
    if "every_case" in of:
        parts.append(_kinds(of["every_case"]))
    if "every_night" in of:
        parts.append(_nights(of["every_night"]))
    if "findings" in of:
        parts.append(_findings(of["findings"]))
    if name == "corruption":
        unseeable = [[kind, _cell(why)] for kind, why in of["unseeable"].items()]
        parts += ["## Kinds that cannot be seen", _table(["kind", "why"], unseeable)]
    return with_heading(name, "\n\n".join(parts))


def with_heading(name: str, figures: str) -> str:
    """A page from its figures."""
    heading = HEADINGS.get(name) or Heading(name.replace("_", " ").capitalize(), "")
    generated = "Generated by tests/proof/summary.py; do not edit."
    return f"<!-- {generated} -->\n\n# {heading.title}\n\n{heading.what}\n\n{figures}\n"


def _figures(of: dict[str, Any]) -> list[list[str]]:
    return [
        [name.replace("_", " "), _cell(value)]
        for name, value in of.items()
        if name not in _ELSEWHERE
    ]


def _kinds(cases: list[dict[str, Any]]) -> str:
    """Cases of each kind, by their outcome, and how many of them named the file."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        counted = counts.setdefault(case["kind"], Counter())
        counted.update([case["outcome"], *(["file named"] if case["named"] else [])])
    outcomes = sorted({case["outcome"] for case in cases})
    columns = [*outcomes, "file named"]
    rows = [
        [kind, *(f"{counted[column]:,}" if counted[column] else "" for column in columns)]
        for kind, counted in [*counts.items(), ("all", sum(counts.values(), Counter()))]
    ]
    return _table(["kind", *columns], rows)


def _nights(nights: list[dict[str, Any]]) -> str:
    """Each night: what was special about it, and how it ended."""
    rows = [
        [
            night["day"],
            _cell(night["what"]),
            night["clock"],
            _cell(", ".join(night["late"])),
            _cell(night["runs"]),
            _cell(night["wrong"]) if night["wrong"] else "right",
        ]
        for night in nights
    ]
    return _table(["evening", "what happens", "release up to", "late", "runs", "release"], rows)


def _findings(findings: dict[str, list[str]]) -> str:
    """The first rows that each check found, and how many."""
    rows = [
        [check, f"{len(found):,}", _cell(found[:SHOWN_FINDINGS])]
        for check, found in sorted(findings.items(), key=lambda item: len(item[1]))
        if found
    ]
    return _table(["check", "rows", "the first"], rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(of)}" for name, of in value.items()) or "none"
    if isinstance(value, list):
        return "<br>".join(map(_cell, value)) or "none"
    if isinstance(value, int):
        return f"{value:,}"
    text = re.sub(r"/\S*/landing/", "landing/", str(value))
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
