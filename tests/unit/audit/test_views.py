"""The audit's views in the dbt project: their record kinds, and what a change of them changes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project import fingerprint as fingerprints
from dagster_project.audit.run import fingerprint
from dagster_project.home import PROJECT_ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project that may be changed."""
    for folder in ("dbt_project", "seeds"):
        shutil.copytree(PROJECT_ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(fingerprints, "PROJECT_ROOT", tmp_path)
    return tmp_path / "dbt_project"


def append(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda project: append(project / "models/audit/moves_unusual.sql"),
        lambda project: append(project / "models/audit/checks.yaml"),
        lambda project: append(project / "models/audit/shared/session_move.sql"),
        lambda project: append(project / "macros/audit/changed_from.sql"),
        lambda project: (project / "models/audit/moves_unusual.sql").rename(
            project / "models/audit/shared/moves_unusual.sql"
        ),
    ],
)
def test_a_change_of_the_audit_changes_its_findings_and_no_table(
    project: Path, change: Callable[[Path], object]
) -> None:
    tables, findings = fingerprints.of_models(), fingerprint()
    change(project)
    assert fingerprints.of_models() == tables
    assert fingerprint() != findings
