"""Transform: the dbt project as assets, built inside the run's own process."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dbt_manifest import validate_manifest

from dagster_project import raw
from dagster_project.dbt_run import build, manifest_path, project_fingerprint
from dagster_project.defs.resources import WRITER_POOL, Warehouse
from dagster_project.warehouse import Home, connect

manifest = validate_manifest(manifest_path(Home.from_environment()))

GROUPS = {"staging": "staging", "intermediate": "intermediate", "marts": "marts", "seed": "seeds"}


class Translator(DagsterDbtTranslator):
    """Groups by layer; sources are the raw tables that ingest fills."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        folders: list[str] = dbt_resource_props["fqn"]
        return next((GROUPS[folder] for folder in folders if folder in GROUPS), None)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:analysts"]


translator = Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


@dbt_assets(
    manifest=manifest, dagster_dbt_translator=translator, name="transform", pool=WRITER_POOL
)
def transform(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """`dbt build` from the earliest changed session on."""
    home = warehouse.home
    with connect(home.warehouse) as con:
        raw.create_tables(con)
        # Models that were themselves changed are built whole.
        built_by = raw.get_state(con, "built_by")
        rebuild_from = raw.pending_from(con) or raw.EVERYTHING
    models_changed = built_by != project_fingerprint()
    full_refresh = models_changed or rebuild_from == raw.EVERYTHING
    selection, _ = get_subset_selection_for_context(
        context, manifest, None, None, None, translator, None
    )
    context.log.info(
        "Building everything" if full_refresh else f"Building sessions from {rebuild_from} on"
    )
    is_whole = not selection
    if is_whole and not models_changed:
        selection = ["--selector", "night"]
    result = build(home, selection, raw.EVERYTHING if full_refresh else rebuild_from, full_refresh)
    for event in result.events:
        yield from DbtCoreCliEventMessage(
            raw_event=event, event_history_metadata={}
        ).to_default_asset_events(manifest, translator, context)
    with connect(home.warehouse) as con:
        con.begin()
        raw.keep_check_results(con, "dbt", result.checks, replace_all=models_changed and is_whole)
        if not result.errors and is_whole:
            raw.set_state(con, "built_by", project_fingerprint())
            if models_changed and built_by is not None:
                now = datetime.now(UTC).replace(tzinfo=None)
                raw.mark_pending(con, raw.EVERYTHING, "the models changed", now)
        con.commit()
    failed = [check for check in result.checks if not check.passed and check.severity == "block"]
    if result.errors or failed:
        raise dg.Failure(
            description="Nothing is released; the last good release stays. "
            + "; ".join(
                [*result.errors, *(f"{check.check_name}: {check.explanation}" for check in failed)]
            ),
            allow_retries=False,
        )
