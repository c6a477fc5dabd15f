"""A home of an earlier version goes on with this one: the next night equals a clean build.

Belongs here: a release made by the code of an earlier commit, a night on top of it by the code of
this checkout, and the comparison. Does not belong here: what a version changed (`CHANGELOG.md`).

    python -m tests.proof.upgrade --out FILE [COMMIT ...]

By default from 3311b28, the first version that others tried, and from the commit before this one.
The packages are those installed. Exit status 1 if a published table differs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dagster_project.home import PROJECT_ROOT, Home
from tests.proof.crash import differing_tables
from tests.proof.journal import Journal

FIRST, BEFORE, NIGHT = "2025-06-01", "2025-09-16", "2025-09-17"


def closing_bell(checkout: Path, home: Home, *arguments: str) -> None:
    """Run the command of a checkout.

    Raises:
        CalledProcessError: it failed.
    """
    subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        cwd=checkout,
        env=os.environ | {"CLOSING_BELL_HOME": str(home.root), "PYTHONPATH": str(checkout)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def extract(commit: str, folder: Path) -> Path:
    """The files of a commit, in a folder of their own."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=PROJECT_ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive, check=True)
    return folder


def upgrade(commit: str, folder: Path) -> list[str]:
    """What differs between a home that was upgraded and a clean one, with the same files."""
    earlier, home, clean = (
        extract(commit, folder / "earlier"),
        Home(folder / "home"),
        folder / "clean",
    )
    subprocess.run(
        [sys.executable, "seeds/sample/generate.py", str(home.landing)],
        cwd=PROJECT_ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    closing_bell(earlier, home, "backfill", FIRST, BEFORE)
    closing_bell(PROJECT_ROOT, home, "nightly", NIGHT)
    shutil.copytree(home.landing, clean / "landing")
    closing_bell(PROJECT_ROOT, Home(clean), "backfill", FIRST, NIGHT)
    differing = differing_tables(home.published, Home(clean).published)
    return [f"{commit}: {table} differs" for table in differing if table.startswith("main.")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commits", nargs="*", default=["3311b28", "HEAD~1"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    began, wrong = time.monotonic(), []
    for commit in options.commits:
        with tempfile.TemporaryDirectory(prefix="upgrade-") as folder:
            wrong += upgrade(commit, Path(folder))
    Journal.beside(options.out).finish(
        options.out,
        f"python -m tests.proof.upgrade {' '.join(options.commits)}",
        wrong,
        time.monotonic() - began,
        {"upgraded from": options.commits},
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
