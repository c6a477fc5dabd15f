"""The waivers of the audit: anomalies that someone has looked at and found to be real.

Belongs here: reading `waivers.csv`. Does not belong here: what a waiver does to a finding
(`run.py`).
"""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.audit.policy import POLICY, PolicyError, load_policies

WAIVERS = Path(__file__).parent / "waivers.csv"


class Waiver(BaseModel):
    """A row of `waivers.csv`: someone looked at an anomaly and found that it is real."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check_name: str
    symbol: str
    trade_date: date
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)


def load_waivers(path: Path | None = None, config: Path | None = None) -> list[Waiver]:
    """The anomalies that someone has found to be real.

    Args:
        path: the shipped waivers where not given.
        config: the operator's folder; a row of its `waivers.csv` counts over one of the same check,
            symbol and date.

    Raises:
        PolicyError: a line that waives nothing: an unknown check, no reason, nobody's name.
    """
    waivers = {
        (waiver.check_name, waiver.symbol, waiver.trade_date): waiver
        for file in waiver_files(path, config)
        for waiver in _read(file)
    }
    return list(waivers.values())


def waiver_files(path: Path | None = None, config: Path | None = None) -> list[Path]:
    """The shipped waivers and an operator's own, as far as there are any."""
    own = config and config / "waivers.csv"
    return [path or WAIVERS, *([own] if own and own.exists() else [])]


def _read(path: Path) -> Iterator[Waiver]:
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                waiver = Waiver.model_validate(row)
            except ValidationError as error:
                reasons = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
                raise PolicyError(f"{path}:{number}: {reasons}") from error
            if waiver.check_name not in load_policies():
                raise PolicyError(
                    f"{path}:{number}: no check is named {waiver.check_name!r}; see {POLICY.name}"
                )
            yield waiver
