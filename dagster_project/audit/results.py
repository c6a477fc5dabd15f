"""What checks found: findings, results, and the table `raw.check_result` that keeps them.

Belongs here: the results of the audit's checks and of dbt's tests, kept until a release records
them. Does not belong here: which checks there are, what becomes of a release.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal

import duckdb

from dagster_project.warehouse.dbt_run import DbtTest

# A release names the worst rows that a check objects to; how many there are it says anyway.
KEPT_ROWS = 200
SHOWN_ROWS = 5

Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Finding:
    """A row that a check objects to, and where it stands; what is not known is None.

    `first_seen` is the release that first had it; None if it is new. `waiver` is the reason for
    which someone said that it is real; then it holds nothing back.
    """

    what: str
    severity: Severity = "block"
    record_kind: str | None = None
    symbol: str | None = None
    trade_date: date | None = None
    feed: str | None = None
    file: str | None = None
    line_number: int | None = None
    first_seen: str | None = None
    waiver: str | None = None


@dataclass(frozen=True)
class Counts:
    """How many rows a check objects to: not waived, new ones of these, and waived."""

    found: int = 0
    new: int = 0
    waived: int = 0


@dataclass(frozen=True)
class ReleaseCheck:
    """What one check found; the fields are the first columns of `main.release_check`.

    `rows_found` are not waived, and `rows_new` of them are in no earlier release. `offending_rows`
    holds the worst of the new ones, then those that stand, then the waived ones.
    """

    check_name: str
    asset: str
    severity: Severity
    passed: bool
    rows_found: int
    rows_new: int
    explanation: str
    rows_waived: int = 0
    offending_rows: tuple[Finding, ...] = ()

    @property
    def rows_standing(self) -> int:
        """How many rows, not waived, stand since earlier releases."""
        return self.rows_found - self.rows_new

    @property
    def as_row(self) -> tuple[Any, ...]:
        """Its fields as DuckDB takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return (*(values | {"offending_rows": [asdict(f) for f in self.offending_rows]}).values(),)


OFFENDING_ROWS = (
    "STRUCT(what VARCHAR, severity VARCHAR, record_kind VARCHAR, symbol VARCHAR, "
    "trade_date DATE, feed VARCHAR, file VARCHAR, line_number BIGINT, first_seen VARCHAR, "
    "waiver VARCHAR)[]"
)


def result_of(
    name: str,
    asset: str,
    severity: Severity,
    holds: str,
    to_do: str,
    rows: Sequence[Finding],
    counts: Counts,
) -> ReleaseCheck:
    """The result of a check.

    Args:
        severity: of a check that found nothing.
        rows: the first of the rows that it objects to, as `offending_rows` holds them.
        counts: how many there are of all.
    """
    new = [row for row in rows if row.first_seen is None and row.waiver is None]
    waived = [row for row in rows if row.waiver]
    said = [describe(row) for row in new[:SHOWN_ROWS]]
    if counts.new > len(said):
        said.append(f"and {counts.new - len(said)} more")
    if standing := counts.found - counts.new:
        said.append(
            f"{f'{standing} more' if said else f'nothing new; {standing}'} stand since earlier "
            f"releases, `closing-bell anomalies {name}` lists them"
        )
    explanation = "; ".join([*said, f"to do: {to_do}"] if said else [holds])
    if counts.waived:
        shown = "; ".join(map(describe, waived[:SHOWN_ROWS]))
        explanation += f" ({counts.waived} waived: {shown})"
    return ReleaseCheck(
        check_name=name,
        asset=asset,
        severity=rows[0].severity if counts.found else severity,
        passed=counts.found == 0,
        rows_found=counts.found,
        rows_new=counts.new,
        explanation=explanation,
        rows_waived=counts.waived,
        offending_rows=tuple(rows),
    )


def result_of_dbt_test(test: DbtTest) -> ReleaseCheck:
    """The result of a test of dbt, whose rows become findings."""
    severity: Severity = "warn" if test.warns_only else "block"
    findings = tuple(_finding(row, severity) for row in test.rows)
    shown = "; ".join(finding.what for finding in findings[:3])
    return ReleaseCheck(
        check_name=test.name,
        asset=test.asset,
        severity=severity,
        passed=test.passed,
        rows_found=test.rows_found,
        rows_new=test.rows_found,
        explanation=f"{shown} (should hold: {test.holds})" if shown else test.message or test.holds,
        offending_rows=findings[:KEPT_ROWS],
    )


def _finding(row: dict[str, Any], severity: Severity) -> Finding:
    """A row of a test's query: where it stands, and the rest in words."""
    day = row.get("trade_date")
    return Finding(
        what=", ".join(f"{name} {value}" for name, value in row.items() if value is not None),
        severity=severity,
        symbol=row.get("symbol"),
        trade_date=day if isinstance(day, date) else None,
        feed=row.get("feed"),
        file=row.get("file"),
    )


def describe(finding: Finding) -> str:
    """A finding in a line: where, then what."""
    place = ":".join(str(part) for part in (finding.file, finding.line_number) if part is not None)
    words = [str(part) for part in (finding.trade_date, finding.symbol) if part]
    where = " ".join([place, *words]).strip()
    waiver = f" [{finding.waiver}]" if finding.waiver else ""
    return f"{where}: {finding.what}{waiver}" if where else f"{finding.what}{waiver}"


def create_table(con: duckdb.DuckDBPyConnection) -> None:
    """Create `raw.check_result` where it is missing."""
    con.execute("create schema if not exists raw")
    columns = f"""
        suite VARCHAR, check_name VARCHAR, asset VARCHAR, severity VARCHAR, passed BOOLEAN,
        rows_found BIGINT, rows_new BIGINT, explanation VARCHAR, rows_waived BIGINT,
        offending_rows {OFFENDING_ROWS}"""
    con.execute(f"create or replace temp table check_result ({columns})")
    described = con.execute("describe check_result").fetchall()
    is_known = con.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = 'check_result'"
    ).fetchall()
    # A warehouse of an earlier version had other columns; the next run fills the table again.
    if not is_known or con.execute("describe raw.check_result").fetchall() != described:
        con.execute(f"create or replace table raw.check_result ({columns})")
    con.execute("drop table check_result")


def keep_check_results(
    con: duckdb.DuckDBPyConnection,
    suite: str,
    results: Sequence[ReleaseCheck],
    replace_all: bool,
) -> None:
    """Remember what a suite of checks found, for the release to record.

    Args:
        replace_all: forget checks of the suite that did not run now; else they stay as they were.
    """
    names = [result.check_name for result in results]
    con.execute(
        "delete from raw.check_result "
        "where suite = ? and (? or check_name in (select unnest(?::VARCHAR[])))",
        [suite, replace_all, names],
    )
    for result in results:
        con.execute(
            f"insert into raw.check_result values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?::{OFFENDING_ROWS})",
            [suite, *result.as_row],
        )


def check_results(con: duckdb.DuckDBPyConnection) -> list[ReleaseCheck]:
    """What all suites of checks found last."""
    rows = con.execute("""
        select offending_rows, check_name, asset, severity, passed, rows_found, rows_new,
            explanation, rows_waived
        from raw.check_result order by suite, asset, check_name""").fetchall()
    return [
        replace(ReleaseCheck(*row), offending_rows=tuple(Finding(**each) for each in offending))
        for offending, *row in rows
    ]
