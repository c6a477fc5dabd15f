"""The audit's checks as Dagster asset checks; tests of the models become checks in `transform`.

In Dagster a check passes while it finds nothing new. What stands since earlier releases keeps no
check yellow: real histories have rows that no one will ever correct, and a check that always warns
is not looked at on the night on which it finds something. So the colour speaks of what is new, and
the numbers of what stands: in the description, in `rows standing`, and for all checks together on
the release. `release_check.passed` in the published file is about all rows.
"""

from collections.abc import Iterator

import dagster as dg

from dagster_project import pipeline
from dagster_project.audit.policy import load_policies
from dagster_project.defs.metadata import as_text, keep_results, offending_rows
from dagster_project.defs.partitions import makes_release
from dagster_project.defs.resources import Warehouse
from dagster_project.release.read import ReleaseError


@dg.multi_asset_check(
    name="audit",
    specs=[
        dg.AssetCheckSpec(
            name,
            asset=dg.AssetKey(policy.asset.split("/")),
            description=as_text(f"{policy.holds}\n\nWhere not: {policy.to_do}"),
            blocking=policy.may_block,
        )
        for name, policy in load_policies().items()
    ],
    can_subset=True,
)
def audit(
    context: dg.AssetCheckExecutionContext, warehouse: Warehouse
) -> Iterator[dg.AssetCheckResult]:
    """Check the sessions that changed since the last release, always by all checks.

    A run of some tables shows the results of the checks on these. Where its tables are not of one
    state with all others, findings would mean nothing: then the checks keep their last results.
    """
    selected = context.selected_asset_check_keys
    try:
        results = pipeline.audit(warehouse.home)
    except ReleaseError as error:
        if makes_release(context.run):
            raise dg.Failure(description=str(error), allow_retries=False) from error
        context.log.warning(f"Not checked: {error}")
        keep_results(context, selected)
        return
    for name, result in zip(load_policies(), results, strict=True):
        asset_key = dg.AssetKey(["main", result.asset])
        if dg.AssetCheckKey(asset_key, name) not in selected:
            continue
        metadata: dict[str, dg.MetadataValue | int] = {
            "rows new": result.rows_new,
            "rows standing": result.rows_standing,
            "rows waived": result.rows_waived,
        }
        if result.offending_rows:
            metadata["which rows"] = offending_rows(result.offending_rows)
        yield dg.AssetCheckResult(
            asset_key=asset_key,
            check_name=name,
            passed=result.rows_new == 0,
            severity=(
                dg.AssetCheckSeverity.ERROR
                if result.severity == "block"
                else dg.AssetCheckSeverity.WARN
            ),
            description=as_text(result.explanation),
            metadata=metadata,
        )
