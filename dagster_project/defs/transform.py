"""Transform: the dbt project as assets, built inside the run's own process."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dbt_manifest import validate_manifest

from dagster_project import pipeline
from dagster_project.defs.metadata import code_reference, keep_results, offending_rows
from dagster_project.defs.resources import Warehouse
from dagster_project.home import Home
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import DBT_PROJECT, manifest_path
from dagster_project.warehouse.sql import literal

manifest = validate_manifest(manifest_path(Home.from_environment()))

GROUPS = ("staging", "intermediate", "marts", "audit")


class Translator(DagsterDbtTranslator):
    """Groups by layer; sources are the raw tables that ingest fills."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        folders: list[str] = dbt_resource_props["fqn"]
        return next((folder for folder in folders if folder in GROUPS), None)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:analysts"]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        file = DBT_PROJECT / dbt_resource_props["original_file_path"]
        return {**super().get_metadata(dbt_resource_props), **code_reference(file)}


translator = Translator(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


@dbt_assets(manifest=manifest, dagster_dbt_translator=translator, name="transform")
def transform(context: dg.AssetExecutionContext, warehouse: Warehouse) -> Iterator[Any]:
    """`dbt build` from the earliest changed session on."""
    home = warehouse.home
    selection, _ = get_subset_selection_for_context(
        context, manifest, None, None, None, translator, None
    )
    result = pipeline.transform(home, selection, on_progress=context.log.info)
    found = {check.check_name: check.offending_rows for check in result.checks}
    waiting = set(context.selected_asset_check_keys)
    rows_of = _row_counts(home, result.events)
    for raw_event in result.events:
        message = DbtCoreCliEventMessage(raw_event=raw_event, event_history_metadata={})
        for event in message.to_default_asset_events(manifest, translator, context):
            if isinstance(event, dg.AssetCheckResult) and event.asset_key and event.check_name:
                waiting.discard(dg.AssetCheckKey(event.asset_key, event.check_name))
                if found.get(event.check_name):
                    rows = offending_rows(found[event.check_name])
                    event = event._replace(metadata={**event.metadata, "which rows": rows})
            elif isinstance(event, dg.Output) and _relation(raw_event) in rows_of:
                counted = {"dagster/row_count": rows_of[_relation(raw_event)]}
                event = event.with_metadata({**event.metadata, **counted})
            yield event
    if result.failure:
        raise dg.Failure(
            description=f"Nothing is released; the last good release stays. {result.failure}",
            allow_retries=False,
        )
    # A night does not test seeds and views again, for they change only with the project.
    keep_results(context, waiting)


def _row_counts(home: Home, events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The rows of each table that was built: name as dbt quotes it -> number."""
    tables = [
        _relation(event)
        for event in events
        if event["data"]["node_info"]["materialized"] in {"table", "incremental", "seed"}
        and event["data"]["node_info"]["node_status"] == "success"
    ]
    if not tables:
        return {}
    counts = " union all ".join(f"select {literal(name)}, count(*) from {name}" for name in tables)
    with connect(home.warehouse, read_only=True) as con:
        return dict(con.execute(counts).fetchall())


def _relation(event: Mapping[str, Any]) -> str:
    name: str = event["data"]["node_info"]["node_relation"]["relation_name"]
    return name
