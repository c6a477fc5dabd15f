"""The audit: checks of what files say, between ingest and release; dbt tests hold the models.

Belongs here: `checks.yaml` (what each check is about, its thresholds, and whether it blocks or
warns, by feed or record kind), one SQL file a check, `waivers.csv` (anomalies that are real), and
what makes of them results. Does not belong here: Dagster (`defs/checks.py`), what one line or one
file shows by itself (`reader.py` refuses it), identities of the models (`dbt_project/tests/`).

A check is a query of the rows it objects to, worst first: column `what` says what is wrong, and
record_kind, symbol, trade_date, feed, file, line_number say where, as far as the check knows. In
it `$changed_from` is the date from which the marts were rebuilt, so that a night's audit costs a
night, and `$name` a setting of its policy. What several checks look at is a view of `views/`, or
the table `released_otherwise`: what the last release said of records and is no longer said.
"""

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from dagster_project.config_files import read_yaml
from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.release import KEPT_ROWS, Finding, ReleaseCheck, Severity
from dagster_project.warehouse.connection import dicts
from dagster_project.warehouse.raw_tables import released_otherwise

FOLDER = Path(__file__).parent
POLICY = FOLDER / "checks.yaml"
WAIVERS = FOLDER / "waivers.csv"
SHOWN_ROWS = 5


class PolicyError(ValueError):
    """`checks.yaml` or `waivers.csv` cannot be used; the message names file and line."""


class Policy(BaseModel):
    """What `checks.yaml` says of a check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: str = Field(pattern=r"^main/\w+$", description="the table that it is about")
    holds: str = Field(description="what is true where the check passes")
    to_do: str = Field(description="what a person does about a row that it finds")
    severity: Severity
    feeds: dict[str, Literal["block", "warn", "off"]] = Field(default_factory=dict)
    record_kinds: dict[str, Literal["block", "warn", "off"]] = Field(default_factory=dict)
    settings: dict[str, float] = Field(default_factory=dict)

    @field_validator("record_kinds")
    @classmethod
    def _are_known(cls, kinds: dict[str, Any]) -> dict[str, Any]:
        if unknown := kinds.keys() - RECORD_KINDS.keys():
            raise ValueError(f"no record kind is named {', '.join(sorted(unknown))}")
        return kinds

    def severity_of(self, found: dict[str, Any]) -> Literal["block", "warn", "off"]:
        """The rule that fits a row best: its feed's, else its record kind's, else the check's."""
        by_feed = self.feeds.get(found.get("feed") or "")
        return by_feed or self.record_kinds.get(found.get("record_kind") or "") or self.severity

    @property
    def may_block(self) -> bool:
        return "block" in {self.severity, *self.feeds.values(), *self.record_kinds.values()}


class _Policies(RootModel[dict[str, Policy]]):
    pass


class Waiver(BaseModel):
    """A row of `waivers.csv`: someone looked at an anomaly and found that it is real."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check_name: str
    symbol: str
    trade_date: date
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)


@cache
def load_policies(path: Path = POLICY) -> dict[str, Policy]:
    """Every check by name, in the order of `checks.yaml`.

    Raises:
        PolicyError: a policy that cannot be used, a check without a policy or a query, or a setting
            that its query does not know.
    """
    policies = read_yaml(
        path,
        _Policies,
        PolicyError,
        otherwise="names no check",
        unknown_key="is not a key of a policy; a typo?",
    ).root
    queries = {query.stem for query in path.parent.glob("*.sql")}
    if odd := queries ^ policies.keys():
        raise PolicyError(
            f"{path}: every check has a policy here and a query in <check>.sql: {odd}"
        )
    for name, policy in policies.items():
        used = _parameters(_query(name, path.parent)) - {"changed_from"}
        if odd := used ^ policy.settings.keys():
            raise PolicyError(
                f"{path}: {name}: every setting here is a $name in {name}.sql, and every $name a "
                f"setting: {', '.join(sorted(odd))}"
            )
    return policies


def load_waivers(path: Path | None = None) -> list[Waiver]:
    """The anomalies that someone has found to be real.

    Raises:
        PolicyError: a line that waives nothing: an unknown check, no reason, nobody's name.
    """
    path = path or WAIVERS
    waivers = []
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
            waivers.append(waiver)
    return waivers


def fingerprint() -> str:
    """Changes whenever the same tables could be judged otherwise."""
    digest = hashlib.sha256(released_otherwise().encode())
    for path in sorted([POLICY, WAIVERS, *FOLDER.rglob("*.sql")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def run_checks(
    con: duckdb.DuckDBPyConnection, changed_from: date, waivers: Sequence[Waiver] | None = None
) -> list[ReleaseCheck]:
    """Every check, on sessions from `changed_from` on.

    Args:
        waivers: those of `waivers.csv` where not given.
    """
    waivers = load_waivers() if waivers is None else waivers
    for view in FOLDER.glob("views/*.sql"):
        con.execute(f"create or replace temp view {view.stem} as {view.read_text('utf-8')}")
    con.execute(f"create or replace temp table released_otherwise as {released_otherwise()}")
    return [
        _run(con, name, policy, changed_from, waivers) for name, policy in load_policies().items()
    ]


def _run(
    con: duckdb.DuckDBPyConnection,
    name: str,
    policy: Policy,
    changed_from: date,
    waivers: Sequence[Waiver],
) -> ReleaseCheck:
    waived_by = {
        (waiver.symbol, waiver.trade_date): f"{waiver.reason} ({waiver.who})"
        for waiver in waivers
        if waiver.check_name == name
    }
    open_, waived = [], []
    for found in _rows(con, name, {"changed_from": changed_from, **policy.settings}):
        severity = policy.severity_of(found)
        if severity == "off":
            continue
        finding = Finding(**found, severity=severity)
        waiver = waived_by.get((finding.symbol or "", finding.trade_date or date.min))
        if waiver:
            waived.append(replace(finding, waiver=waiver))
        else:
            open_.append(finding)
    open_.sort(key=lambda finding: finding.severity)  # what blocks comes first
    return result_of(name, policy.asset.removeprefix("main/"), policy.severity, policy.holds,
                     policy.to_do, open_, waived)  # fmt: skip


def result_of(
    name: str,
    asset: str,
    severity: Severity,
    holds: str,
    to_do: str,
    found: Sequence[Finding],
    waived: Sequence[Finding] = (),
) -> ReleaseCheck:
    """The result of a check from the rows that it objects to."""
    told = [told_of(finding) for finding in found[:SHOWN_ROWS]]
    if len(found) > SHOWN_ROWS:
        told.append(f"and {len(found) - SHOWN_ROWS} more")
    explanation = "; ".join([*told, f"to do: {to_do}"] if found else [holds])
    if waived:
        explanation += f" ({len(waived)} waived: {'; '.join(map(told_of, waived[:SHOWN_ROWS]))})"
    return ReleaseCheck(
        check_name=name,
        asset=asset,
        severity=found[0].severity if found else severity,
        passed=not found,
        rows_found=len(found),
        explanation=explanation,
        rows_waived=len(waived),
        offending_rows=tuple([*found, *waived][:KEPT_ROWS]),
    )


def told_of(finding: Finding) -> str:
    """A finding in a line: where, then what."""
    place = ":".join(str(part) for part in (finding.file, finding.line_number) if part is not None)
    words = [str(part) for part in (finding.trade_date, finding.symbol) if part]
    where = " ".join([place, *words]).strip()
    waiver = f" [{finding.waiver}]" if finding.waiver else ""
    return f"{where}: {finding.what}{waiver}" if where else f"{finding.what}{waiver}"


def _rows(
    con: duckdb.DuckDBPyConnection, name: str, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    query = _query(name)
    used = _parameters(query)
    return dicts(con, query, {key: value for key, value in settings.items() if key in used})


def _query(name: str, folder: Path = FOLDER) -> str:
    return (folder / f"{name}.sql").read_text(encoding="utf-8")


def _parameters(query: str) -> set[str]:
    return set(re.findall(r"\$(\w+)", query))
