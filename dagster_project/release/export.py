"""A release for other tools: Parquet files with a data package, a CSV of the day, an older DuckDB.

Belongs here: which files an export has, and their description. Does not belong here: the tables
themselves, reports (`report/`).

`datapackage.json` follows the Data Package standard (https://datapackage.org): each table with its
columns, their types and descriptions, its size and hash.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.home import Home
from dagster_project.release.read import Release, ReleaseError, published_release, release_file
from dagster_project.warehouse.query_helpers import create_query_helpers
from dagster_project.warehouse.sql import identifier, literal

PACKAGE = "datapackage.json"
# Read by every DuckDB since 1.0, by duckdb-wasm and by the tools built on them.
OLD_STORAGE = "v1.0.0"
OLD_FILE = "closing_bell_v1.duckdb"
# DuckDB's types -> those of a data package; any other is text.
_TYPES = {
    "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "datetime", "DOUBLE": "number",
    "DECIMAL": "number", "INTEGER": "integer", "BIGINT": "integer", "UBIGINT": "integer",
}  # fmt: skip
_CLOSE_OF_DAY = """
    select 'index' as kind, symbol, name, region, currency, close, previous_close, change,
        change_pct, volume, turnover, feed
    from main.index_performance where trade_date = ?
    union all by name
    select kind, symbol, name, region, currency, close, previous_close, change,
        change_pct, volume, turnover, feed
    from main.security_performance where trade_date = ?
    order by kind = 'index' desc, region, symbol"""


def export(home: Home, folder: Path) -> list[Path]:
    """Write the published release into a folder, in place of an earlier export there.

    Returns:
        The files: `datapackage.json`, one `.parquet` per table of schema `main`, `close_<date>.csv`
        and `closing_bell_v1.duckdb`, which has the same tables, views and macros.

    Raises:
        ReleaseError: nothing is published, or the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PACKAGE).exists():
        raise ReleaseError(f"{folder} holds files that are no export; name an empty folder")
    release = published_release(home)
    if release is None:
        raise ReleaseError(f"{home.published} does not exist yet; run `make nightly DATE=…` first")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Whoever looks meanwhile sees the earlier export, whole.
    with (
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside,
        closing(duckdb.connect()) as con,
    ):
        made = Path(aside) / "made"
        made.mkdir()
        file = release_file(home, release.release_id)
        con.execute(f"attach {literal(str(file))} as published (read_only)")
        con.execute("use published")
        tables = [*_published_tables(con)]
        resources = [
            *(_parquet(con, made, table) for table in tables), _close_of_day(con, made, release)
        ]  # fmt: skip
        _write_old_file(con, made / OLD_FILE, tables)
        text = json.dumps(_package(release, resources), ensure_ascii=False, indent=1)
        (made / PACKAGE).write_text(f"{text}\n", encoding="utf-8")
        if folder.exists():
            folder.rename(Path(aside) / "before")
        made.rename(folder)
    return sorted(folder.iterdir())


@dataclass(frozen=True)
class PublishedTable:
    """A table of schema `main`, or its view of all origins; `columns`: name, type, description."""

    name: str
    description: str
    columns: list[tuple[str, str, str | None]]


def _published_tables(con: duckdb.DuckDBPyConnection) -> Iterator[PublishedTable]:
    tables = con.execute("""
        select table_name, comment from duckdb_tables()
        where database_name = 'published' and schema_name = 'main'
        union all
        select view_name, comment from duckdb_views()
        where database_name = 'published' and schema_name = 'main' and not internal
            and not starts_with(view_name, 'latest_')
        order by all""").fetchall()
    for name, description in tables:
        columns = con.execute(
            "select column_name, data_type, comment from duckdb_columns() where database_name = "
            "'published' and schema_name = 'main' and table_name = ? order by column_index",
            [name],
        ).fetchall()
        yield PublishedTable(name, description, columns)


def _parquet(con: duckdb.DuckDBPyConnection, folder: Path, table: PublishedTable) -> dict[str, Any]:
    file = folder / f"{table.name}.parquet"
    con.execute(
        f"copy (from main.{identifier(table.name)}) to {literal(str(file))} "
        "(format parquet, compression zstd)"
    )
    return {
        **_resource(file, table.name, table.description),
        "mediatype": "application/vnd.apache.parquet",
        "schema": {"fields": [_field(*column) for column in table.columns]},
    }


def _close_of_day(con: duckdb.DuckDBPyConnection, folder: Path, release: Release) -> dict[str, Any]:
    """What a spreadsheet opens: a line per index and security, of the last trade date."""
    file = folder / f"close_{release.clock}.csv"
    day = literal(f"{release.clock}")
    query = _CLOSE_OF_DAY.replace("?", day)
    con.execute(f"copy ({query}) to {literal(str(file))} (format csv, header)")
    described = con.execute(f"describe {query}").fetchall()
    return {
        **_resource(
            file, "close_of_day", f"Indices and securities at the close of {release.clock}."
        ),
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [_field(name, of, None) for name, of, *_ in described]},
    }


def _resource(file: Path, name: str, description: str | None) -> dict[str, Any]:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "name": name.replace("_", "-"),
        "path": file.name,
        "format": file.suffix.removeprefix("."),
        "description": description or "",
        "bytes": file.stat().st_size,
        "hash": f"sha256:{digest}",
    }


def _field(name: str, of: str, comment: str | None) -> dict[str, str]:
    kind = "array" if of.endswith("[]") else _TYPES.get(re.split(r"\W", of)[0], "string")
    return {"name": name, "type": kind, **({"description": comment} if comment else {})}


def _package(release: Release, resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "closing-bell",
        "title": "End-of-day market warehouse: Hong Kong, Shanghai and Shenzhen",
        "version": release.release_id,
        "created": f"{release.published_at:%Y-%m-%dT%H:%M:%SZ}",
        "resources": resources,
    }


def _write_old_file(
    con: duckdb.DuckDBPyConnection, file: Path, tables: Sequence[PublishedTable]
) -> None:
    """The tables of schema `main` in a DuckDB file that older clients can read."""
    attached = f"attach {literal(str(file))} as old (storage_version {literal(OLD_STORAGE)})"
    con.execute(attached)
    for table in tables:
        name = f"old.main.{identifier(table.name)}"
        con.execute(f"create table {name} as from published.main.{identifier(table.name)}")
        con.execute(f"comment on table {name} is {literal(table.description)}")
        for column, _, comment in table.columns:
            if comment:
                con.execute(f"comment on column {name}.{identifier(column)} is {literal(comment)}")
    con.execute("detach old")
    with closing(duckdb.connect()) as old:
        old.execute(attached)
        old.execute("use old")
        create_query_helpers(old)
