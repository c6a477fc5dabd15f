"""Fingerprints: hashes of all that a result was made from. Equal fingerprints mean equal results.

Belongs here: which files decide which results, and how files and values are hashed. A file is
hashed with its path in the project, so that a moved file is noticed too. Does not belong here: what
is done when a fingerprint differs (`pipeline.py`, `ingest/changes.py`).
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dagster_project.home import PROJECT_ROOT


def of_values(*values: object) -> str:
    """Hash values that have a stable `repr`, as 16 hexadecimal digits."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def of_files(paths: Iterable[Path], root: Path) -> str:
    """Hash files by their paths relative to `root` and their contents, in any order."""
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    return of_values(
        *sorted((name, hashlib.sha256(content).digest()) for name, content in found.items())
    )


@cache
def of_reading(root: Path | None = None) -> str:
    """Hash the code that decides what a file's bytes become; if it changes, all are read again."""
    root = root or PROJECT_ROOT
    code = root / "dagster_project"
    files = [
        *(code / "market").glob("*.py"),
        *(code / "ingest").glob("*.py"),
        *(code / "warehouse").glob("*.py"),
        code / "config_files.py",
    ]
    return of_values(of_files(files, root), version("duckdb"), version("openpyxl"))


def model_files(root: Path | None = None) -> list[Path]:
    """The files that decide what the tables hold: models, macros, tests, configuration and seeds.

    The audit's files are excluded, because no table is built from its views.
    """
    root = root or PROJECT_ROOT
    dbt, seeds = root / "dbt_project", root / "seeds"
    found = [path for path in dbt.glob("*.yml") if path.name != ".user.yml"]
    for folder in ("models", "macros", "tests"):
        found += [path for path in (dbt / folder).rglob("*") if path.is_file()]
    found += [*seeds.glob("*.csv"), *seeds.glob("*.yml")]
    return sorted(set(found) - set(audit_files(root)))


def audit_files(root: Path | None = None) -> list[Path]:
    """The audit's views and policies: the files that decide what the checks find and do."""
    dbt = (root or PROJECT_ROOT) / "dbt_project"
    folders = (dbt / kind / "audit" for kind in ("models", "macros"))
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def of_models(root: Path | None = None) -> str:
    """Hash the dbt project without the audit; if it changes, all tables are rebuilt."""
    return of_files(model_files(root), root or PROJECT_ROOT)


def of_audit_views(root: Path | None = None) -> str:
    """Hash the audit's views and policies; if they change, the checks run again."""
    return of_files(audit_files(root), root or PROJECT_ROOT)
