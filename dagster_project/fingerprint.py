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
def of_reading(root: Path = PROJECT_ROOT) -> str:
    """Of the code that decides what a file's bytes become; another one reads all files again."""
    code = root / "dagster_project"
    files = [
        *(code / "market").glob("*.py"),
        *(code / "ingest").glob("*.py"),
        *(code / "warehouse").glob("*.py"),
        code / "config_files.py",
    ]
    return of_values(of_files(files, root), version("duckdb"), version("openpyxl"))


def model_files(root: Path = PROJECT_ROOT) -> list[Path]:
    """The files that decide what dbt builds: models, macros, tests, configuration and seeds."""
    dbt, seeds = root / "dbt_project", root / "seeds"
    found = [path for path in dbt.glob("*.yml") if path.name != ".user.yml"]
    for folder in ("models", "macros", "tests"):
        found += [path for path in (dbt / folder).rglob("*") if path.is_file()]
    return sorted([*found, *seeds.glob("*.csv"), *seeds.glob("*.yml")])


def of_models(root: Path = PROJECT_ROOT) -> str:
    """Of the dbt project; another one makes other marts of the same raw tables."""
    return of_files(model_files(root), root)
