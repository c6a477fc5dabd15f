"""A home whose files are publishers' own, of a hundredth of the market.

Belongs here: which days, and laying out the files. Does not belong here: what they hold
(`benchmarks/publishers_nights.py`).
"""

from datetime import date

from benchmarks.publishers_nights import lay, nights
from dagster_project.home import Home
from tests.cli_process import run_cli

FIRST, EVE, NIGHT, NEXT = (
    date(2025, 8, 14), date(2025, 9, 16), date(2025, 9, 17), date(2025, 9, 18),
)  # fmt: skip


def files_of_days() -> dict[date, dict[str, bytes]]:
    """Path below landing/ -> content, for each day up to NEXT."""
    return dict(nights(FIRST, NEXT, scale=100))


def build(home: Home) -> None:
    """Release up to the eve, then the night on top."""
    for day, files in files_of_days().items():
        if day <= NIGHT:
            lay(home.landing, files)
    for command in (["backfill", f"{FIRST}", f"{EVE}"], ["nightly", f"{NIGHT}"]):
        run = run_cli(home, *command)
        assert run.returncode == 0, run.stdout + run.stderr
