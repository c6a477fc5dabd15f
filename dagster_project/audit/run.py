"""Running the audit: every check becomes a result.

Belongs here: counting what the checks object to, and the rows that a result shows. Does not belong
here: which checks there are (`policy.py`), their queries (`dbt_project/models/audit/`), what is new
and what withholds a release (`anomalies.py`), how a result is kept (`results.py`).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from dagster_project import fingerprint as fingerprints
from dagster_project.audit import anomalies
from dagster_project.audit import waivers as waivers_file
from dagster_project.audit.policy import load_policies
from dagster_project.audit.results import KEPT_ROWS, Counts, Finding, ReleaseCheck, result_of
from dagster_project.audit.waivers import Waiver, load_waivers
from dagster_project.warehouse.connection import dicts
from dagster_project.warehouse.state import Rebuild


def fingerprint(config: Path | None = None) -> str:
    """Changes whenever the same tables could give other findings.

    Args:
        config: the operator's folder, which may have waivers of its own.
    """
    waivers = [path.read_bytes() for path in waivers_file.waiver_files(config=config)]
    return fingerprints.of_values(fingerprints.of_audit_views(), *waivers)


def run_checks(
    con: duckdb.DuckDBPyConnection,
    changed: Rebuild,
    released_to: date | None = None,
    waivers: Sequence[Waiver] | None = None,
) -> list[ReleaseCheck]:
    """Every check, on what changed, with what stands in all the rest.

    Args:
        con: connection to a warehouse whose views of schema `audit` dbt has built.
        released_to: the clock of the last release; None before the first.
        waivers: those of `waivers.csv` where not given.
    """
    policies = load_policies()
    waivers = load_waivers() if waivers is None else waivers
    anomalies.find_anomalies(con, policies, waivers, changed, released_to)
    counts = {
        name: Counts(found, new, waived)
        for name, found, new, waived in con.execute("""
            select check_name, count(*) filter (where waiver is null),
                count(*) filter (where waiver is null and first_seen is null), count(waiver)
            from finding group by check_name""").fetchall()
    }
    rows: dict[str, list[Finding]] = defaultdict(list)
    for row in dicts(con, _WORST_ROWS, [KEPT_ROWS]):
        rows[row.pop("check_name")].append(Finding(**row))
    return [
        result_of(
            name,
            policy.asset.removeprefix("main/"),
            policy.severity,
            policy.holds,
            policy.to_do,
            rows[name],
            counts.get(name, Counts()),
        )
        for name, policy in policies.items()
    ]


# What blocks comes first, then what is new.
_WORST_ROWS = """
    with ordered as (
        select *, row_number() over (
            partition by check_name
            order by waiver is not null, severity, first_seen is not null, place, trade_date desc
        ) as number
        from finding
    )
    select check_name, what, severity, record_kind, symbol, trade_date, feed, file, line_number,
        first_seen, waiver
    from ordered where number <= ? order by check_name, number"""
