"""The figures of the last full proofs, written into `docs/trust.md`.

Belongs here: how a proof's JSON reads as Markdown. Does not belong here: any figure, which the
proofs alone know.

    python -m tests.proof.summary FOLDER docs/trust.md

Each proof that left its file in the folder writes what stands between its own marks in the
document; what stands between those of the others stays.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

# What has tables of its own, or is not for a reader.
_ELSEWHERE = {"proof", "command", "every_case", "unseeable", "findings", "counts", "examples"}
SHOWN_FINDINGS = 3


def main(folder: Path, document: Path) -> int:
    """Write the figures of every proof that left its file."""
    text = document.read_text(encoding="utf-8")
    for path in sorted(folder.glob("*.json")):
        for mark, written in blocks(path.stem, json.loads(path.read_text("utf-8"))).items():
            text = between(text, mark, written)
    document.write_text(text, encoding="utf-8")
    return 0


def blocks(name: str, of: dict[str, Any]) -> dict[str, str]:
    """Mark -> the Markdown that a proof puts there."""
    figures = _table(["figure", "value"], _figures(of))
    if "every_case" in of:
        figures += f"\n\n{_kinds(of['every_case'])}"
    if "findings" in of:
        figures += f"\n\n{_findings(of['findings'])}"
    written = {name: figures}
    if name == "corruption":
        unseeable = [[kind, _cell(why)] for kind, why in of["unseeable"].items()]
        written["unseeable"] = _table(["kind", "why"], unseeable)
    return written


def between(text: str, mark: str, written: str) -> str:
    """A text with what stands between a mark and its end replaced.

    Raises:
        ValueError: the text has no such mark.
    """
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    found = pattern.search(text)
    if not found:
        raise ValueError(f"no mark <!-- {mark} --> … <!-- /{mark} -->")
    return f"{text[: found.start()]}{found[1]}{written}\n{found[2]}{text[found.end() :]}"


def _figures(of: dict[str, Any]) -> list[list[str]]:
    return [
        [name.replace("_", " "), _cell(value)]
        for name, value in of.items()
        if name not in _ELSEWHERE
    ]


def _kinds(cases: list[dict[str, Any]]) -> str:
    """Cases of each kind, by what was said of them, and of how many the file was named."""
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
