"""The audit's checks as Dagster asset checks; tests of the models become checks in `transform`."""

from collections.abc import Iterator

import dagster as dg

from dagster_project import pipeline
from dagster_project.audit.policy import load_policies
from dagster_project.defs.metadata import offending_rows
from dagster_project.defs.resources import Warehouse


@dg.multi_asset_check(
    name="audit",
    specs=[
        dg.AssetCheckSpec(
            name,
            asset=dg.AssetKey(policy.asset.split("/")),
            description=f"{policy.holds}\n\nWhere not: {policy.to_do}",
            blocking=policy.may_block,
        )
        for name, policy in load_policies().items()
    ],
)
def audit(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> Iterator[dg.AssetCheckResult]:
    """Check the sessions that changed since the last release."""
    for name, result in zip(load_policies(), pipeline.audit(warehouse.home), strict=True):
        metadata: dict[str, dg.MetadataValue | int] = {
            "rows found": result.rows_found,
            "rows new": result.rows_new,
            "rows waived": result.rows_waived,
        }
        if result.offending_rows:
            metadata["offending rows"] = offending_rows(result.offending_rows)
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(["main", result.asset]),
            check_name=name,
            passed=result.passed,
            severity=(
                dg.AssetCheckSeverity.ERROR
                if result.severity == "block"
                else dg.AssetCheckSeverity.WARN
            ),
            description=result.explanation,
            metadata=metadata,
        )
