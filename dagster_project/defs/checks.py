"""Checks in Python, as Dagster asset checks; tests of the models become checks in `transform`."""

from collections.abc import Iterator

import dagster as dg

from dagster_project import raw
from dagster_project.audit import CHECKS, run_checks
from dagster_project.defs.resources import WRITER_POOL, Warehouse
from dagster_project.warehouse import connect


@dg.multi_asset_check(
    name="audit",
    specs=[
        dg.AssetCheckSpec(
            check.name,
            asset=dg.AssetKey(check.asset),
            description=check.description,
            blocking=check.severity == "block",
        )
        for check in CHECKS
    ],
    pool=WRITER_POOL,
)
def audit(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> Iterator[dg.AssetCheckResult]:
    """Look at the sessions that changed since the last release."""
    with connect(warehouse.home.warehouse) as con:
        changed_from = raw.pending_from(con) or raw.EVERYTHING
        results = run_checks(con, changed_from)
        con.begin()
        raw.keep_check_results(con, "audit", results, replace_all=True)
        con.commit()
    for check, result in zip(CHECKS, results, strict=True):
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(check.asset),
            check_name=check.name,
            passed=result.passed,
            severity=(
                dg.AssetCheckSeverity.ERROR
                if check.severity == "block"
                else dg.AssetCheckSeverity.WARN
            ),
            description=result.explanation,
            metadata={"rows found": result.rows_found, "changed from": str(changed_from)},
        )
