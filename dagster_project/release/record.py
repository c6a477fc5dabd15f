"""Recording a release in the warehouse: the tables `release`, `release_check` and `anomaly`.

Belongs here: those tables, and withholding a release. Does not belong here: what the checks are
(`audit/`), making the release visible (`publish.py`).
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from dagster_project.audit import anomalies
from dagster_project.audit.policy import load_policies
from dagster_project.audit.results import OFFENDING_ROWS, ReleaseCheck
from dagster_project.home import Home
from dagster_project.release.read import Release, ReleaseWithheld, past_releases, published_release
from dagster_project.warehouse.sql import literal


@dataclass(frozen=True)
class Table:
    """The definition of a table of schema `main`; `columns` is name -> (type, description)."""

    name: str
    description: str
    columns: dict[str, tuple[str, str]]


RELEASE = Table(
    "release",
    "One row per release, a published and audited version of the whole warehouse. The latest is "
    "this file.",
    {
        "release_id": (
            "VARCHAR NOT NULL",
            "Time of the release (UTC) and its number, counted from the first; sorts by time",
        ),
        "clock": ("DATE NOT NULL", "Last trade date that had been requested"),
        "published_at": (
            "TIMESTAMP NOT NULL",
            "When the audit ended and the release was made, UTC",
        ),
        "previous_release_id": (
            "VARCHAR",
            "The release that analysts saw before this one; null for the first",
        ),
        "rebuilt_from": (
            "DATE",
            "Earliest session that was rebuilt for this release; null if none was",
        ),
        "checks_passed": ("INTEGER NOT NULL", "Number of checks that passed"),
        "checks_warned": ("INTEGER NOT NULL", "Number of checks that failed, with a warning only"),
        "what_changed": (
            "VARCHAR NOT NULL",
            "What is new since the previous release, in a few words",
        ),
        "fingerprint": (
            "VARCHAR NOT NULL",
            "Hash of all that the release was made from; equal fingerprints mean equal tables",
        ),
    },
)

RELEASE_CHECK = Table(
    "release_check",
    "One row per check of the latest release: what the audit looked for, and what it found.",
    {
        "check_name": ("VARCHAR NOT NULL", "Name of the check"),
        "asset": ("VARCHAR NOT NULL", "The table or other asset that was checked"),
        "severity": (
            "VARCHAR NOT NULL",
            "What a failure does: block (the release is withheld) or warn (it is published)",
        ),
        "passed": ("BOOLEAN NOT NULL", "Whether the check passed"),
        "rows_found": (
            "BIGINT NOT NULL",
            "Number of rows that the check objects to and that are not waived",
        ),
        "rows_new": ("BIGINT NOT NULL", "Number of these rows that no earlier release had"),
        "explanation": ("VARCHAR NOT NULL", "What was found, in words, and what to do"),
        "rows_waived": (
            "BIGINT NOT NULL",
            "Number of rows that somebody looked at and found real (audit/waivers.csv); they block "
            "nothing",
        ),
        "offending_rows": (
            OFFENDING_ROWS,
            "The rows, new ones first and at most 200 (anomaly has all), each with its feed, file "
            "and line if it has them; first_seen: the release that had it first, null for a new "
            "one; waiver: who found that it is real, and why",
        ),
        "release_id": ("VARCHAR NOT NULL", "The release that was checked"),
    },
)

ANOMALY = Table(
    "anomaly",
    "One row per row that a check objects to and with which the release was published, of all "
    "sessions. What changed since the last release (checks history_restated, history_rewritten) is "
    "in release_check alone.",
    {
        "check_name": ("VARCHAR NOT NULL", "Name of the check"),
        "asset": ("VARCHAR NOT NULL", "The table that the check is about"),
        "confidence": (
            "VARCHAR NOT NULL",
            "How sure it is that the row is wrong: certain, likely or possible",
        ),
        "record_kind": ("VARCHAR", "Record kind of the row; null where the check knows none"),
        "symbol": ("VARCHAR", "Symbol, market or currencies that it is about"),
        "trade_date": ("DATE", "Session; null where it is about a file or a list"),
        "what": ("VARCHAR NOT NULL", "What is wrong with the row, in words"),
        "feed": ("VARCHAR", "Feed of the row"),
        "file": ("VARCHAR", "Its file, relative to landing"),
        "line_number": ("BIGINT", "Its line in the file, counted from 1"),
        "first_seen": ("VARCHAR NOT NULL", "The release that had it first"),
        "is_new": ("BOOLEAN NOT NULL", "Whether that is this release"),
        "waiver": ("VARCHAR", "Who found that it is real, and why; null if nobody did"),
    },
)


def record_release(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    *,
    clock: date,
    checks: Sequence[ReleaseCheck],
    what_changed: str,
    fingerprint: str,
    rebuilt_from: date | None = None,
) -> Release:
    """Write a new release and its checks into the warehouse, in one transaction.

    `main.release` becomes all releases that were ever published plus the new one. So a release that
    was recorded but never published, because of a crash or a blocking check, leaves no trace.

    Args:
        con: connection to the warehouse, not in a transaction.
        clock: the last covered date.
        checks: every check of the audit, passed or not.
        what_changed: what is new, in a few words.
        fingerprint: hash of all that the tables are made from.
        rebuilt_from: the earliest session that was rebuilt; None if none was.

    Raises:
        ReleaseWithheld: a check with severity `block` failed.
        ReleaseError: a published file cannot be read.
    """
    past = past_releases(home)
    failed = [check for check in checks if not check.passed]
    blocking = [check for check in failed if check.severity == "block"]
    if blocking:
        _write(con, past, ())
        reasons = "\n".join(
            f"  {check.check_name} on {check.asset}: {check.explanation} (rows: {check.rows_found})"
            for check in blocking
        )
        raise ReleaseWithheld(
            f"the release for {clock} is withheld, and the published file stays as it is. "
            f"Failed:\n{reasons}\nCorrect the files that these name, then run again."
        )
    published = published_release(home)
    # The computer's clock may have been set back; releases must still sort in their order.
    now = datetime.now(UTC).replace(tzinfo=None)
    published_at = max([now, *(release.published_at for release in past)])
    number = int(past[-1].release_id.rsplit("-", 1)[1]) + 1 if past else 1
    release = Release(
        release_id=f"{published_at:%Y%m%dT%H%M%SZ}-{number:04}",
        clock=clock,
        published_at=published_at,
        previous_release_id=published.release_id if published else None,
        rebuilt_from=rebuilt_from,
        checks_passed=len(checks) - len(failed),
        checks_warned=len(failed),
        what_changed=what_changed,
        fingerprint=fingerprint,
    )
    _write(con, [*past, release], [(*check.as_row, release.release_id) for check in checks])
    return release


def _write(
    con: duckdb.DuckDBPyConnection,
    releases: Sequence[Release],
    checks: Sequence[tuple[Any, ...]],
) -> None:
    con.begin()
    try:
        _create(con, RELEASE, [astuple(release) for release in releases])
        _create(con, RELEASE_CHECK, checks)
        _create(con, ANOMALY, ())
        if checks:
            _fill_anomaly(con, releases[-1])
        con.commit()
    except BaseException:
        con.rollback()
        raise


def _fill_anomaly(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    anomalies.create_table(con)
    policies = load_policies().items()
    con.execute(
        """insert into main.anomaly by name
        select found.* exclude (severity, place, first_seen),
            policy.asset, policy.confidence,
            coalesce(found.first_seen, $release) as first_seen,
            found.first_seen is null as is_new
        from raw.anomaly as found
        inner join (
            select unnest($names) as check_name, unnest($assets) as asset,
                unnest($confidences) as confidence
        ) as policy on found.check_name = policy.check_name
        order by found.check_name, found.trade_date, found.symbol, found.file, found.place""",
        {
            "release": release.release_id,
            "names": [name for name, _ in policies],
            "assets": [policy.asset.removeprefix("main/") for _, policy in policies],
            "confidences": [policy.confidence for _, policy in policies],
        },
    )


def _create(con: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = ", ".join(f"{column} {type_}" for column, (type_, _) in table.columns.items())
    con.execute(f"CREATE OR REPLACE TABLE main.{table.name} ({columns})")
    con.execute(f"COMMENT ON TABLE main.{table.name} IS {literal(table.description)}")
    for column, (_, description) in table.columns.items():
        con.execute(f"COMMENT ON COLUMN main.{table.name}.{column} IS {literal(description)}")
    if rows:
        marks = ", ".join(
            # DuckDB cannot infer the type of a list of structs whose fields are all null.
            f"?::{OFFENDING_ROWS}" if type_ == OFFENDING_ROWS else "?"
            for type_, _ in table.columns.values()
        )
        values = ", ".join(f"({marks})" for _ in rows)
        con.execute(
            f"INSERT INTO main.{table.name} VALUES {values}",
            [value for row in rows for value in row],
        )
