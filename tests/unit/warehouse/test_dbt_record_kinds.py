"""dbt knows the record kinds that `market/record_kinds.py` says, and their raw tables."""

from collections.abc import Iterator

import yaml

from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse.dbt_record_kinds import MACRO, macro_text
from dagster_project.warehouse.dbt_run import DBT_PROJECT


def declared_tables() -> Iterator[str]:
    for path in (DBT_PROJECT / "models").rglob("*.yml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8")).get("sources", []):
            yield from (table["name"] for table in source["tables"])


def test_the_macro_says_what_the_module_says() -> None:
    assert MACRO.read_text(encoding="utf-8") == macro_text(), "run `make record-kinds`"


def test_every_kind_has_its_raw_tables_declared_once() -> None:
    declared = sorted(declared_tables())
    for kind in RECORD_KINDS:
        for table in (kind, f"{kind}_superseded"):
            assert declared.count(table) == 1, f"declare raw.{table} beside stg_{kind}"


def test_every_kind_has_a_staging_model() -> None:
    staging = "".join(
        path.read_text(encoding="utf-8")
        for path in (DBT_PROJECT / "models" / "staging").glob("stg_*.sql")
    )
    for kind in RECORD_KINDS:
        assert f"source('raw', '{kind}')" in staging, f"add models/staging/stg_{kind}.sql"
