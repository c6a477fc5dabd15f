"""What the nights left behind against what a clean rebuild holds.

Belongs here: reading published tables, their differences, and what a history must hold to be a
test. Does not belong here: playing histories (`house.py`).
"""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dagster_project.warehouse.connection import connect
from tests.proof.histories.house import House

# A release that is withheld has no anomalies.
NOT_COMPARED = {"release", "release_check", "anomaly"}


@dataclass(frozen=True)
class Table:
    """A published table: its columns, and its rows in full precision, each as often as it is."""

    columns: list[str]
    rows: Counter[str]


def published_tables(house: House) -> dict[str, Table]:
    """What analysts would see; of a release that is withheld, what it would have shown."""
    return tables_of(house.home.warehouse if house.withheld else house.home.published)


def tables_of(file: Path) -> dict[str, Table]:
    """The published tables in a DuckDB file."""
    found = {}
    with closing(connect(file, read_only=True)) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
        ).fetchall()
        for name in sorted({name for (name,) in names} - NOT_COMPARED):
            result = con.execute(
                f"select columns(lambda name: name <> 'loaded_at') from main.{name}"
            )
            columns = [column[0] for column in result.description]
            found[name] = Table(columns, Counter(map(repr, result.fetchall())))
    return found


def differences(found: dict[str, Table], expected: dict[str, Table]) -> list[str]:
    """Every row that only one of two sets of tables has, in words; empty where all are equal."""
    lines = []
    for name in sorted(found.keys() | expected.keys()):
        table, rebuilt = found.get(name), expected.get(name)
        if table is None or rebuilt is None:
            lines.append(f"{name} is only there {'in the rebuild' if rebuilt else 'otherwise'}")
        elif table.columns != rebuilt.columns:
            lines.append(f"{name}: columns {table.columns}, in the rebuild {rebuilt.columns}")
        elif table.rows != rebuilt.rows:
            lines.append(f"{name} ({', '.join(table.columns)})")
            lines += [f"  after the nights: {row}" for row in sorted(table.rows - rebuilt.rows)]
            lines += [f"  in the rebuild:   {row}" for row in sorted(rebuilt.rows - table.rows)]
    return lines


# What a release must hold to have put these to the test.
PRESENT = {
    "one market's session": """select 1 from index_performance join dim_index using (symbol)
        where trade_date in (select trade_date from dim_session group by 1 having count(*) in (1, 2)
        )""",
    "half-day": "select 1 from market_turnover where is_half_day",
    "overlapping feeds": """select 1 from figure_origin
        group by record_kind, symbol, trade_date having count(distinct feed) > 1""",
    "overlapping files": """select 1 from figure_origin
        group by feed, record_kind, symbol, segment, trade_date having count(*) > 1""",
    "feeds disagree": "select 1 from source_disagreement where feed <> other_feed",
    "rows refused": "select 1 from rejected_row where reason_code <> 'file_set_aside'",
    "file gone bad": "select 1 from file_load group by file having count(*) > 1",
}
