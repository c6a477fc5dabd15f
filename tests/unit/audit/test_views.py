"""The audit's views in the dbt project: their record kinds, and what a change of them changes."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from dagster_project import fingerprint as fingerprints
from dagster_project.audit.run import fingerprint
from dagster_project.home import PROJECT_ROOT
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse import dbt_run


def returned(macro: str) -> Any:
    """What a macro of the audit returns, where it calls nothing of dbt."""
    values: list[Any] = []
    environment = jinja2.Environment()
    environment.globals["return"] = values.append
    text = (dbt_run.DBT_PROJECT / f"macros/audit/{macro}.sql").read_text(encoding="utf-8")
    getattr(environment.from_string(text).module, macro)()
    return values[0]


def test_restated_records_are_of_every_record_kind() -> None:
    kinds = returned("record_kinds")
    assert list(kinds) == list(RECORD_KINDS)
    for name, kind in RECORD_KINDS.items():
        assert kinds[name]["key"] == list(kind.key), name
        assert kinds[name]["values"] == list(kind.values), name
        assert set(kinds[name]["about"]) <= set(kind.key), name


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
