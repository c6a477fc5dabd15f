"""Fingerprints: short names of all that a result was made from.

Equal fingerprints, equal results; so what is unchanged need not be made again. Belongs here: which
files decide what, and how files and values are hashed: a file by its path below the project and
its contents, so that a moved file is noticed too. Does not belong here: what is done when one
differs (`pipeline.py`, `ingest/changes.py`).
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dagster_project.home import PROJECT_ROOT


def of_values(*values: object) -> str:
    """Of values that have a stable `repr`: 16 hexadecimal digits."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def of_files(paths: Iterable[Path], root: Path) -> str:
    """Of files, by their paths below `root` and their contents, in whatever order they come."""
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    return of_values(
        *sorted((name, hashlib.sha256(content).digest()) for name, content in found.items())
    )


@cache
def of_reading(root: Path | None = None) -> str:
    """Of the code that decides what a file's bytes become; another one reads all files again."""
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

    Those of the audit are not among them: its views look at the tables, and no table is built from
    one.
    """
    root = root or PROJECT_ROOT
    dbt, seeds = root / "dbt_project", root / "seeds"
    found = [path for path in dbt.glob("*.yml") if path.name != ".user.yml"]
    for folder in ("models", "macros", "tests"):
        found += [path for path in (dbt / folder).rglob("*") if path.is_file()]
    found += [*seeds.glob("*.csv"), *seeds.glob("*.yml")]
    return sorted(set(found) - set(audit_files(root)))


def audit_files(root: Path | None = None) -> list[Path]:
    """The files that decide what the audit's views find, and what is done about it."""
    dbt = (root or PROJECT_ROOT) / "dbt_project"
    folders = (dbt / kind / "audit" for kind in ("models", "macros"))
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def of_models(root: Path | None = None) -> str:
    """Of the dbt project without the audit; another one makes other tables of the same raw rows."""
    return of_files(model_files(root), root or PROJECT_ROOT)


def of_audit_views(root: Path | None = None) -> str:
    """Of the audit's views and their policy; others may find something else in the same tables."""
    return of_files(audit_files(root), root or PROJECT_ROOT)
