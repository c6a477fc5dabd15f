"""The exposures name every mart that a reader's page is made from, and no other."""

import re
from pathlib import Path

import pytest
import yaml

from dagster_project.home import PROJECT_ROOT

MARTS = PROJECT_ROOT / "dbt_project/models/marts"
REPORT = PROJECT_ROOT / "dagster_project/report"
NAMES = {path.stem for path in MARTS.rglob("*.sql")}
EXPOSURES = {
    exposure["name"]: set(re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"])))
    for exposure in yaml.safe_load((MARTS / "exposures.yml").read_text())["exposures"]
}
READERS: dict[str, list[Path]] = {
    "market_report": [REPORT / "day.py", REPORT / "origins.py", *REPORT.glob("sections/*.py")],
    "history_page": [REPORT / "explore.py"],
    "readme_queries": [PROJECT_ROOT / "README.md"],
}


def read_by(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        text = "\n".join(re.findall(r"```sql\n(.*?)```", text, re.DOTALL))
    found = re.findall(r'"(\w+)"|(?:from|join) (?:main\.)?(\w+)', text)
    return NAMES & {name for names in found for name in names}


@pytest.mark.parametrize("name", sorted(READERS))
def test_an_exposure_depends_on_what_its_reader_reads(name: str) -> None:
    assert EXPOSURES[name] == set[str]().union(*map(read_by, READERS[name]))


def test_every_exposure_is_known() -> None:
    assert EXPOSURES.keys() == READERS.keys()
