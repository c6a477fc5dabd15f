"""An export of the sample's release: what other tools read equals what is published."""

import csv
import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.release.export import OLD_FILE, PACKAGE, export
from dagster_project.release.read import ReleaseError
from dagster_project.warehouse.connection import connect


@pytest.fixture(scope="module")
def folder(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    export(sample_home, folder)
    return folder


def published(home: Home, sql: str) -> list[tuple[object, ...]]:
    with connect(home.published, read_only=True) as con:
        return con.execute(sql).fetchall()


def test_the_package_describes_each_file_and_column(sample_home: Home, folder: Path) -> None:
    package = json.loads((folder / PACKAGE).read_text("utf-8"))
    assert published(sample_home, "select max(release_id) from release") == [(package["version"],)]
    resources = {resource["path"]: resource for resource in package["resources"]}
    files = {path.name for path in folder.iterdir()}
    assert resources.keys() == files - {PACKAGE, OLD_FILE}
    for name, resource in resources.items():
        content = (folder / name).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["description"]
    fields = {f["name"]: f for f in resources["index_performance.parquet"]["schema"]["fields"]}
    assert fields["trade_date"] == {"name": "trade_date", "type": "date", "description": "Session."}
    assert fields["close"]["type"] == "number"
    assert fields["is_record_high"]["type"] == "boolean"
    assert fields["streak"]["type"] == "integer"


def test_every_table_is_there_row_for_row(sample_home: Home, folder: Path) -> None:
    tables = published(
        sample_home,
        "select table_name from duckdb_tables() where schema_name = 'main' "
        "union all select 'figure_origin'",
    )
    assert len(tables) > 20
    with duckdb.connect() as con:
        con.execute(f"attach '{folder / OLD_FILE}' as old (read_only)")
        for (table,) in tables:
            (exported,) = con.execute(f"""
                select count(*) from ((from old.main.{table} except all
                    from '{folder / f"{table}.parquet"}') union all
                (from '{folder / f"{table}.parquet"}' except all from old.main.{table}))"""
            ).fetchall()  # fmt: skip
            assert exported == (0,), table
            rows = con.execute(f"select count(*), sum(hash(t)) from old.main.{table} as t")
            assert rows.fetchall() == published(
                sample_home, f"select count(*), sum(hash(t)) from main.{table} as t"
            ), table


def test_older_clients_have_views_and_macros(sample_home: Home, folder: Path) -> None:
    query = "select symbol, total_return(symbol, '2024-12-31', trade_date) from {} order by all"
    with duckdb.connect(str(folder / OLD_FILE), read_only=True) as con:
        (tags,) = con.execute("select tags from duckdb_databases() where not internal").fetchone()  # type: ignore[misc]
        assert tags["storage_version"].startswith("v1.0.0")
        assert con.execute(query.format("latest_index_performance")).fetchall() == published(
            sample_home, query.format("latest_index_performance")
        )


def test_a_spreadsheet_has_the_close_of_the_day(sample_home: Home, folder: Path) -> None:
    ((clock,),) = published(sample_home, "select max(clock) from release")
    with (folder / f"close_{clock}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    count = "select (select count(*) from {}) + (select count(*) from {})"
    assert [(len(rows),)] == published(
        sample_home, count.format("latest_index_performance", "latest_security_performance")
    )
    assert {row["symbol"]: row["close"] for row in rows}["HSI"] == "26908.390000"


def test_an_earlier_export_is_replaced_and_nothing_else(
    sample_home: Home, folder: Path, tmp_path: Path
) -> None:
    (folder / "left_over.parquet").write_bytes(b"of a table that is gone")
    assert folder / "left_over.parquet" not in export(sample_home, folder)
    assert [path.name for path in folder.parent.glob(f".{folder.name}-*")] == []
    (tmp_path / "thesis.doc").write_bytes(b"mine")
    with pytest.raises(ReleaseError, match="no export"):
        export(sample_home, tmp_path)
    assert (tmp_path / "thesis.doc").read_bytes() == b"mine"


def test_without_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="make nightly"):
        export(Home(tmp_path / "home"), tmp_path / "export")
