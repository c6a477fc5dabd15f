"""The rows that differ between two published files.

    python benchmarks/compare_published.py BEFORE AFTER [--ignore COLUMN]... [--rows 3]

For a change that must change no figure: load the same landing folder before and after it, then
compare the two files. Every table and view of schema `main` is compared, except those that describe
the releases themselves; columns that hold a time of loading are ignored. Prints one line per table
that differs and some of its rows; exits with 1 where anything differs.
"""

from pathlib import Path

import click
import duckdb

IGNORED_TABLES = frozenset({"release", "release_check"})
IGNORED_COLUMNS = ("loaded_at", "published_at", "first_seen", "is_new")

File = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help=__doc__.split("\n")[0])
@click.argument("before", type=File)
@click.argument("after", type=File)
@click.option("--ignore", multiple=True, help="A further column to ignore; may be repeated.")
@click.option("--rows", default=3, show_default=True, help="Rows shown per table and side.")
def main(before: Path, after: Path, ignore: tuple[str, ...], rows: int) -> None:
    """Print what differs."""
    ignored = {*IGNORED_COLUMNS, *ignore}
    found = False
    with duckdb.connect() as con:
        for side, path in (("before", before), ("after", after)):
            con.execute(f"attach '{path.as_posix()}' as {side} (read_only)")
        columns = {side: _columns(con, side, ignored) for side in ("before", "after")}
        tables = sorted(columns["before"].keys() | columns["after"].keys())
        for table in tables:
            sides = columns["before"].get(table), columns["after"].get(table)
            found |= _report(con, table, *sides, rows=rows)
    click.echo(f"{len(tables)} tables compared: " + ("they differ" if found else "no row differs"))
    raise SystemExit(int(found))


def _columns(
    con: duckdb.DuckDBPyConnection, side: str, ignored: set[str]
) -> dict[str, dict[str, str]]:
    """Table of schema `main` -> its columns -> their types."""
    rows = con.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = 'main' and not internal "
        "order by table_name, column_index",
        [side],
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        if table not in IGNORED_TABLES and column not in ignored:
            tables.setdefault(table, {})[column] = type_
    return tables


def _report(
    con: duckdb.DuckDBPyConnection,
    table: str,
    before: dict[str, str] | None,
    after: dict[str, str] | None,
    *,
    rows: int,
) -> bool:
    """Print how a table differs; whether it does."""
    if before is None or after is None:
        click.echo(f"{table}: only in the {'later' if before is None else 'earlier'} file")
        return True
    if before != after:
        click.echo(f"{table}: columns differ: {before} before, {after} after")
        return True
    selected = ", ".join(f'"{column}"' for column in before)
    sides = [f'select {selected} from {side}.main."{table}"' for side in ("before", "after")]
    differs = False
    for side, query in (
        ("before", f"{sides[0]} except all {sides[1]}"),
        ("after", f"{sides[1]} except all {sides[0]}"),
    ):
        con.execute(f"create or replace temp table only_here as {query}")
        [(count,)] = con.execute("select count(*) from only_here").fetchall()
        if count:
            differs = True
            click.echo(f"{table}: {count} rows only {side}")
            for row in con.execute(f"select * from only_here limit {rows}").fetchall():
                click.echo(f"    {dict(zip(before, row, strict=True))}")
    return differs


if __name__ == "__main__":
    main()
