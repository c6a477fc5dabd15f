"""The anomalies: all rows that checks object to, of the sessions that changed and of all others.

Belongs here: the table `raw.anomaly`, which of its rows are new, and which withhold a release. Does
not belong here: the checks' queries (`dbt_project/models/audit/`), results in words (`results.py`).

A night looks only at what changed. What was found elsewhere stands: it is counted, and not told
again. A finding stands as long as a check says the same of the same place.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from dagster_project.audit.policy import Policy, Scope
from dagster_project.audit.waivers import Waiver
from dagster_project.warehouse.sql import literal
from dagster_project.warehouse.state import Rebuild

# If more sessions than this are new at once, a history is loaded and not some nights.
NIGHTS_AT_ONCE = 10

COLUMNS = """
    check_name VARCHAR, what VARCHAR, severity VARCHAR, record_kind VARCHAR, symbol VARCHAR,
    trade_date DATE, feed VARCHAR, file VARCHAR, line_number BIGINT, place BIGINT,
    first_seen VARCHAR, waiver VARCHAR"""

# Two findings are the same one if all these are equal. The line may move within its file.
_IDENTITY = ("check_name", "record_kind", "symbol", "trade_date", "feed", "file", "what")


def create_table(con: duckdb.DuckDBPyConnection) -> None:
    """Create `raw.anomaly` where it is missing."""
    con.execute("create schema if not exists raw")
    con.execute(f"create table if not exists raw.anomaly ({COLUMNS})")


def find_anomalies(
    con: duckdb.DuckDBPyConnection,
    policies: Mapping[str, Policy],
    waivers: Sequence[Waiver],
    changed: Rebuild,
    released_to: date | None,
) -> None:
    """Read the views of all checks, and renew `raw.anomaly` by what they find.

    Afterwards the temp table `finding` has all that the checks object to: the anomalies, and what
    the checks of scope `changes` found, which never stands.

    Args:
        con: connection to the warehouse.
        changed: what changed since the last release, and was rebuilt.
        released_to: the clock of the last release; None before the first.
    """
    con.execute("set variable changed_from = ?::DATE", [changed.first])
    con.execute("set variable all_changed_from = ?::DATE", [changed.all_from or date.max])
    con.execute("set variable changed_series = ?::VARCHAR[]", [changed.series])
    con.execute(f"create or replace temp table found ({COLUMNS})")
    for name, policy in policies.items():
        con.execute(f"""
            insert into found by name
            select * replace (coalesce(what, 'is odd; a figure of it is null') as what),
                {literal(name)} as check_name, {literal(policy.severity)} as severity,
                row_number() over () as place
            from audit.{name}""")
        for kind, severity in policy.record_kinds.items():
            con.execute(
                "update found set severity = ? where check_name = ? and record_kind = ?",
                [severity, name, kind],
            )
        if policy.adjusted:
            con.execute(
                """update found set severity = ? where check_name = ? and feed in (
                    select feed from raw.feed where price_basis <> 'traded')""",
                [policy.adjusted, name],
            )
    _compare_with_standing(con, policies)
    _waive(con, waivers)
    _block_on_evidence_only(con, released_to)
    con.execute("delete from raw.anomaly")
    con.execute(
        f"insert into raw.anomaly select * from finding where not {_of_scope(policies, 'changes')}"
    )


def at_hand_from(con: duckdb.DuckDBPyConnection, released_to: date | None) -> date:
    """The first session at hand: one that was not released before.

    A history is as it was: of its first load only the last session is at hand.

    Args:
        released_to: the clock of the release before; None where there is none.
    """
    new_sessions = con.execute(
        """select distinct trade_date from main.dim_session
        where is_asked and ($released_to is null or trade_date > $released_to)
        order by trade_date""",
        {"released_to": released_to},
    ).fetchall()
    if released_to is None or len(new_sessions) > NIGHTS_AT_ONCE:
        new_sessions = new_sessions[-1:]
    return new_sessions[0][0] if new_sessions else date.max


def mark_released(con: duckdb.DuckDBPyConnection, release_id: str) -> None:
    """Remember the release that first published what was new."""
    con.execute("update raw.anomaly set first_seen = ? where first_seen is null", [release_id])


def _compare_with_standing(con: duckdb.DuckDBPyConnection, policies: Mapping[str, Policy]) -> None:
    """Make `finding` of what was found now, and of what stands where no check looked now."""
    of_sessions = _of_scope(policies, "sessions", "securities")
    is_same = " and ".join(f"found.{name} is not distinct from known.{name}" for name in _IDENTITY)
    # As in the macros changed_from and is_changed, to which the checks keep.
    is_looked_at = f"""(
        coalesce(trade_date >= getvariable('changed_from'), true)
        and not coalesce(
            {_of_scope(policies, "securities")}
            and record_kind = 'security_close'
            and trade_date < getvariable('all_changed_from')
            and not list_contains(getvariable('changed_series'), symbol), false))"""
    con.execute(f"""
        create or replace temp table finding as
        with known as (
            select {", ".join(_IDENTITY)}, min(first_seen) as first_seen
            from raw.anomaly where first_seen is not null group by all
        )
        select found.* replace (known.first_seen as first_seen)
        from (from found where not {of_sessions} or {is_looked_at}) as found
        left join known on {is_same}
        union all
        select * from raw.anomaly where {of_sessions} and not {is_looked_at}""")


def _of_scope(policies: Mapping[str, Policy], *scopes: Scope) -> str:
    """SQL: whether a row's check has one of the scopes."""
    names = [literal(name) for name, policy in policies.items() if policy.scope in scopes]
    return f"check_name in ({', '.join(names)})"


def _waive(con: duckdb.DuckDBPyConnection, waivers: Sequence[Waiver]) -> None:
    con.execute("update finding set waiver = null where waiver is not null")
    for waiver in waivers:
        con.execute(
            "update finding set waiver = ? where check_name = ? and symbol = ? and trade_date = ?",
            [
                f"{waiver.reason} ({waiver.who})",
                waiver.check_name,
                waiver.symbol,
                waiver.trade_date,
            ],
        )


def _block_on_evidence_only(con: duckdb.DuckDBPyConnection, released_to: date | None) -> None:
    """Have only what shows that something new is wrong withhold the release.

    That is a row that was not released before, of a session at hand, of one with corrected records,
    or of one for which its feed delivers late.
    """
    from_date = at_hand_from(con, released_to)
    con.execute("update finding set severity = 'warn' where first_seen is not null")
    of_history = "severity = 'block' and trade_date < ?"
    ((unclear,),) = con.execute(
        f"select count(*) from finding where {of_history}", [from_date]
    ).fetchall()
    if unclear:
        con.execute(
            f"""with late as ({_LATE_SESSIONS})
            update finding set severity = 'warn' where {of_history}
            and trade_date not in (
                select trade_date from audit.restated_record where trade_date is not null)
            and not exists (
                select 1 from late where ?
                and late.feed = finding.feed and late.trade_date = finding.trade_date)""",
            [from_date, released_to is not None],
        )


# Sessions that a feed delivers late. Where its rows are new at more sessions than some nights have,
# a history is loaded.
_NEW_ROWS = " union ".join(
    f"""select feed, trade_date from raw.{kind}
    where is_current and loaded_at >= (select min(noticed_at) from raw.pending_rebuild)"""
    for kind in ("index_close", "security_close", "market_turnover")
)
_LATE_SESSIONS = f"""
    select feed, trade_date from ({_NEW_ROWS})
    qualify count(*) over (partition by feed) <= {NIGHTS_AT_ONCE}"""
