"""The published file as a report reads it: rows with their keys, and the value behind a reference.

Belongs here: reading rows and single values of the release, and the key of each table. Does not
belong here: which rows a report shows (`sections/`), how a value is written (`figures.py`).
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import duckdb

from dagster_project.report.figures import Figure, Reference, Row, RowKey, UnknownFigure
from dagster_project.warehouse.connection import dicts

# The key of each table, as the contract has it.
KEYS: dict[str, tuple[str, ...]] = {
    "connect_turnover": ("channel", "direction", "trade_date"),
    "cross_market_turnover": ("scope", "trade_date"),
    "dim_index": ("symbol",),
    "dim_market": ("market",),
    "dim_sector": ("sector",),
    "dim_security": ("symbol",),
    "dim_session": ("market", "trade_date"),
    "event_reaction": ("event_id", "event_date", "basket"),
    "file_load": ("file", "status"),
    "index_performance": ("symbol", "trade_date"),
    "market_breadth": ("market", "trade_date"),
    "market_turnover": ("market", "trade_date"),
    "published_figure_check": ("claim_id",),
    "release": ("release_id",),
    "release_check": ("release_id", "asset", "check_name"),
    "sector_leaders_laggards": ("region", "level", "side", "rank", "trade_date"),
    "sector_performance": ("region", "level", "sector", "trade_date"),
    "security_performance": ("symbol", "trade_date"),
    "security_short_selling": ("symbol", "trade_date"),
    "session_coverage": ("feed", "market", "trade_date"),
    "target_price": ("symbol", "broker", "target_date"),
    "seed.basket": ("basket",),
}

_MEASURE = re.compile(r"([a-z_0-9]+)|(?:sum|min|max)\(([a-z_0-9]+)\)|count\(\*\)")


class Published:
    """A published file, open for reading, for the report of one trade date."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, trade_date: date, colours: str = "hong_kong"
    ) -> None:
        self.con = con
        self.trade_date = trade_date
        self._report = {"trade_date": trade_date, "colours": colours}
        self._types: dict[str, dict[str, str]] = {}
        for schema, table, column, data_type in con.execute(
            """select schema_name, table_name, column_name, data_type from duckdb_columns()
            where schema_name in ('main', 'seed')"""
        ).fetchall():
            name = table if schema == "main" else f"{schema}.{table}"
            self._types.setdefault(name, {})[column] = data_type
        self._found: dict[tuple[RowKey, str], Any] = {}

    @property
    def report(self) -> Row:
        """The settings that the report is written with, as a row: trade_date, colours."""
        return Row(RowKey.of("report", trade_date=self.trade_date), self._report)

    def rows(
        self,
        table: str,
        tail: str,
        parameters: Sequence[Any] = (),
        key_columns: Sequence[str] | None = None,
    ) -> list[Row]:
        """Rows of a table, by the SQL that follows `from <table>`.

        `key_columns` is the key of a table that is not in `KEYS`, such as a new mart.
        """
        key_columns = key_columns or KEYS[table]
        rows = []
        for values in dicts(self.con, f"select * from {self._sql_name(table)} {tail}", parameters):
            key = RowKey.of(table, **{column: values[column] for column in key_columns})
            self._found.update({(key, column): value for column, value in values.items()})
            rows.append(Row(key, values))
        return rows

    def total(self, table: str, measure: str, **key: Any) -> Row:
        """A count, sum, minimum or maximum over the rows that have a key, as a row."""
        row_key = RowKey.of(table, **key)
        return Row(row_key, {measure: self.value(row_key, measure)})

    def counts(
        self, table: str, column: str, measures: Sequence[str] = (), **key: Any
    ) -> dict[str, Row]:
        """Value of a column -> the rows that have it, as one with `count(*)` and other measures."""
        condition = " and ".join(f"{name} = ?" for name in key) or "true"
        found = self.con.execute(
            f"select distinct {column} from {self._sql_name(table)} where {condition} order by 1",
            list(key.values()),
        ).fetchall()
        counts = {}
        for (value,) in found:
            total = self.total(table, "count(*)", **key, **{column: value})
            values = {measure: self.value(total.row_key, measure) for measure in measures}
            counts[value] = Row(total.row_key, {**total.values, **values})
        return counts

    def value(self, row_key: RowKey, measure: str) -> Any:
        """The value that a measure of a row has in this release.

        Raises:
            UnknownFigure: there is no such table, column or row, or more than one row.
        """
        if (row_key, measure) not in self._found:
            self._read(row_key, measure)
        return self._found[row_key, measure]

    def figure(self, reference: Reference) -> Figure:
        """The figure that a reference leads to; raises `UnknownFigure` like `value`."""
        return Figure(reference, self.value(reference.row, reference.measure))

    def _read(self, row_key: RowKey, measure: str) -> None:
        match = _MEASURE.fullmatch(measure)
        columns = [column for column, _ in row_key.key]
        if row_key.table == "report":
            if row_key != self.report.row_key or measure not in self._report:
                raise UnknownFigure(f"the report is of {self.trade_date}, not {row_key}")
            self._found[row_key, measure] = self._report[measure]
            return
        types = self._types.get(row_key.table)
        if match is None or types is None:
            raise UnknownFigure(f"the release has no {row_key.table}.{measure}")
        unknown = [c for c in [*columns, match[1] or match[2]] if c and c not in types]
        if unknown:
            raise UnknownFigure(f"{row_key.table} has no column {', '.join(unknown)}")
        condition = " and ".join(f"{c} = cast(? as {types[c]})" for c in columns) or "true"
        # All cells of a row at once, as a report shows several of them.
        wanted = list(types) if match[1] else [measure]
        try:
            found = self.con.execute(
                f"select {', '.join(wanted)} from {self._sql_name(row_key.table)} "
                f"where {condition} limit 2",
                [value for _, value in row_key.key],
            ).fetchall()
        except duckdb.ConversionException as error:
            raise UnknownFigure(f"{row_key}: {error}") from None
        if len(found) != 1:
            many = "several rows" if found else "no row"
            raise UnknownFigure(f"the release has {many} for {row_key.in_words()}")
        for name, value in zip(wanted, found[0], strict=True):
            self._found[row_key, name] = value

    def _sql_name(self, table: str) -> str:
        return table if "." in table else f"main.{table}"
