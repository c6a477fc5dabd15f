"""Running the audit: every check becomes a result.

Belongs here: running the checks' queries, and sorting what they find by policy and waivers. Does
not belong here: which checks there are (`policy.py`), how a result is kept (`results.py`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb

from dagster_project.audit import waivers as waivers_file
from dagster_project.audit.policy import FOLDER, POLICY, Policy, load_policies, parameters, query
from dagster_project.audit.results import Finding, ReleaseCheck, result_of
from dagster_project.audit.waivers import Waiver, load_waivers
from dagster_project.warehouse.connection import dicts
from dagster_project.warehouse.raw_tables import released_otherwise


def fingerprint() -> str:
    """Changes whenever the same tables could be judged otherwise."""
    digest = hashlib.sha256(released_otherwise().encode())
    for path in sorted([POLICY, waivers_file.WAIVERS, *FOLDER.rglob("*.sql")]):
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


def _rows(
    con: duckdb.DuckDBPyConnection, name: str, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    text = query(name)
    used = parameters(text)
    return dicts(con, text, {key: value for key, value in settings.items() if key in used})
