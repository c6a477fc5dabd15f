"""Fingerprints: whatever decides a result is part of its name."""

import shutil
from pathlib import Path

import pytest

from dagster_project import fingerprint
from dagster_project.home import PROJECT_ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of all that fingerprints look at."""
    ignored = shutil.ignore_patterns("target", "logs", "__pycache__", "sample")
    for folder in ("dagster_project", "dbt_project", "seeds"):
        shutil.copytree(PROJECT_ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def test_a_copy_elsewhere_has_the_same_fingerprints(project: Path) -> None:
    assert fingerprint.of_models(project) == fingerprint.of_models()
    assert fingerprint.of_reading(project) == fingerprint.of_reading()


def test_a_model_moved_to_another_folder_is_noticed(project: Path) -> None:
    models = project / "dbt_project" / "models"
    before = fingerprint.of_models(project)
    moved = sorted((models / "staging").glob("*.sql"))[0]
    moved.rename(models / "intermediate" / moved.name)
    assert fingerprint.of_models(project) != before


@pytest.mark.parametrize(
    "path",
    ["dbt_project/selectors.yml", "dbt_project/profiles.yml", "seeds/market.csv"],
)
def test_what_dbt_reads_besides_models_counts(project: Path, path: str) -> None:
    before = fingerprint.of_models(project)
    with (project / path).open("a") as file:
        file.write("\n# changed\n")
    assert fingerprint.of_models(project) != before


@pytest.mark.parametrize(
    "path",
    [
        "ingest/landing.py",
        "ingest/feed_ingestion.py",
        "ingest/read_json.py",
        "ingest/file_rules.py",
        "market/record_kinds.py",
        "market/symbols.py",
        "warehouse/raw_tables.py",
        "config_files.py",
    ],
)
def test_the_code_that_decides_what_bytes_become_counts(project: Path, path: str) -> None:
    before = fingerprint.of_reading(project)
    with (project / "dagster_project" / path).open("a") as file:
        file.write("\n# changed\n")
    fingerprint.of_reading.cache_clear()
    assert fingerprint.of_reading(project) != before


def test_names_and_contents_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("bc")
    first = fingerprint.of_files([tmp_path / "a"], tmp_path)
    (tmp_path / "ab").write_text("c")
    assert fingerprint.of_files([tmp_path / "ab"], tmp_path) != first
