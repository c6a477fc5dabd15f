"""Each proof's JSON file becomes one Markdown page."""

import json
from pathlib import Path

from dagster_project.home import PROJECT_ROOT
from tests.proof.summary import HEADINGS, main

CASES = [
    {"kind": "empty", "outcome": "set_aside", "named": True},
    {"kind": "empty", "outcome": "SILENT", "named": False},
]


def test_a_proof_writes_its_own_page_and_no_other(tmp_path: Path) -> None:
    figures, pages = tmp_path / "proofs", tmp_path / "pages"
    figures.mkdir()
    (figures / "crash.json").write_text(json.dumps({"kills": 200, "leftovers": []}))
    pages.mkdir()
    (pages / "readers.md").write_text("as it was")
    main(figures, pages)
    text = (pages / "crash.md").read_text()
    assert f"# {HEADINGS['crash'].title}\n" in text
    assert "| kills | 200 |\n| leftovers | none |" in text
    assert (pages / "readers.md").read_text() == "as it was"


def test_corruptions_are_counted_by_kind_and_outcome(tmp_path: Path) -> None:
    proof = {"cases": 2, "every_case": CASES, "unseeable": {"rate_wrong": "rates move | so much"}}
    (tmp_path / "corruption.json").write_text(json.dumps(proof))
    main(tmp_path, tmp_path)
    text = (tmp_path / "corruption.md").read_text()
    assert "| kind | SILENT | set_aside | file named |" in text
    assert "| empty | 1 | 1 | 1 |\n| all | 1 | 1 | 1 |" in text
    assert "| rate_wrong | rates move \\| so much |" in text


def test_every_page_that_is_kept_has_a_heading() -> None:
    pages = (PROJECT_ROOT / "docs" / "proof_results").glob("*.md")
    assert {page.stem for page in pages} == {*HEADINGS, "README"}
