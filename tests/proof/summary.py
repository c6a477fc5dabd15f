"""The figures of the last full proofs, written into `docs/trust.md`.

Belongs here: how `docs/proofs/*.json` reads as Markdown. Does not belong here: any figure, which
the proofs alone know.

    python -m tests.proof.summary docs/proofs docs/trust.md

A proof's file holds its figures by name. What is a number or a text is a row of its table; what
holds several is told in one; `kinds_table` and `findings` are tables of their own.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

TITLES = {
    "corruption": "Corrupted files",
    "any_order": "Deliveries in any order",
    "crash": "Runs killed",
    "readers": "Readers during publications",
}
_ELSEWHERE = {"proof", "kinds_table", "findings", "unseeable"}


def main(folder: Path, document: Path) -> int:
    """Put the figures of all proofs between the marks of a document."""
    figures = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in TITLES
    }
    text = document.read_text(encoding="utf-8")
    for mark, written in blocks(figures).items():
        text = between(text, mark, written)
    document.write_text(text, encoding="utf-8")
    return 0


def blocks(figures: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Mark -> the Markdown that stands there."""
    corruption = figures["corruption"]
    outcomes = sorted({name for counts in corruption["kinds_table"].values() for name in counts})
    kinds = [
        [kind, *(str(counts.get(name, "")) for name in outcomes)]
        for kind, counts in corruption["kinds_table"].items()
    ]
    proofs = [f"### {TITLES[name]}\n\n{_figures(of)}" for name, of in figures.items()]
    proofs.insert(1, f"Cases of each kind, by outcome:\n\n{_table(['kind', *outcomes], kinds)}")
    findings = [
        [str(row["check"]), str(row["severity"]), _cell(row["what"])]
        for row in corruption["findings"]
    ]
    return {
        "proofs": "\n\n".join(proofs),
        "unseeable": _table(
            ["kind", "why"], [[kind, _cell(why)] for kind, why in corruption["unseeable"].items()]
        ),
        "real": _table(["check", "does", "found"], findings),
    }


def between(text: str, mark: str, written: str) -> str:
    """A text with what stands between a mark and its end replaced."""
    pattern = re.compile(rf"(<!-- {mark}[^>]*-->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    found = pattern.search(text)
    if not found:
        raise ValueError(f"no mark <!-- {mark} --> … <!-- /{mark} -->")
    return f"{text[: found.start()]}{found[1]}{written}\n{found[2]}{text[found.end() :]}"


def _figures(of: dict[str, Any]) -> str:
    rows = [[name.replace("_", " "), _cell(value)] for name, value in of.items()]
    return _table(["", ""], [row for row in rows if row[0].replace(" ", "_") not in _ELSEWHERE])


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(of)}" for name, of in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(_cell, value)) or "none"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
