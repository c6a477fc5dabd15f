"""Running the audit: every check becomes a result.

Belongs here: reading the checks' views, and sorting what they find by policy and waivers. Does not
belong here: which checks there are (`policy.py`), their queries (`dbt_project/models/audit/`), how
a result is kept (`results.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import duckdb

from dagster_project import fingerprint as fingerprints
from dagster_project.audit import waivers as waivers_file
from dagster_project.audit.policy import Policy, load_policies
from dagster_project.audit.results import Finding, ReleaseCheck, result_of
from dagster_project.audit.waivers import Waiver, load_waivers
from dagster_project.warehouse.connection import dicts


def fingerprint() -> str:
    """Changes whenever the same tables could give other findings."""
    return fingerprints.of_values(fingerprints.of_audit_views(), waivers_file.WAIVERS.read_bytes())


def run_checks(
    con: duckdb.DuckDBPyConnection, changed_from: date, waivers: Sequence[Waiver] | None = None
) -> list[ReleaseCheck]:
    """Every check, on sessions from `changed_from` on.

    Args:
        con: connection to a warehouse whose views of schema `audit` dbt has built.
        waivers: those of `waivers.csv` where not given.
    """
    waivers = load_waivers() if waivers is None else waivers
    con.execute("set variable changed_from = ?::DATE", [changed_from])
    return [_run(con, name, policy, waivers) for name, policy in load_policies().items()]


def _run(
    con: duckdb.DuckDBPyConnection,
    name: str,
    policy: Policy,
    waivers: Sequence[Waiver],
) -> ReleaseCheck:
    waived_by = {
        (waiver.symbol, waiver.trade_date): f"{waiver.reason} ({waiver.who})"
        for waiver in waivers
        if waiver.check_name == name
    }
    open_, waived = [], []
    for found in dicts(con, f"from audit.{name}"):
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
