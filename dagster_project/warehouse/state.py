"""What the warehouse remembers about itself: covered dates, pending rebuilds, fingerprints.

Belongs here: reading and changing the tables `raw.asked_dates`, `raw.pending_rebuild`,
`raw.feed_problem` and `raw.state`. Does not belong here: creating them, and what the files report
(`raw_tables.py`); sessions (`sessions.py`).
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta

import duckdb

from dagster_project.market.calendar import EARLIEST_DATE
from dagster_project.warehouse.temp_table import create_temp_table

# Pending from this date on means: rebuild everything.
EVERYTHING = EARLIEST_DATE
# As long as not more series than this changed, other securities are not rebuilt.
FEW_SERIES = 50


@dataclass(frozen=True)
class Change:
    """What a run changed: records of one series, or of any (None), of the dates `first` to `last`.

    What follows from these records may be later than `last`.
    """

    first: date
    last: date
    series: str | None = None


@dataclass(frozen=True)
class Rebuild:
    """What must be rebuilt: every table from `first` on.

    Where `series` names some, tables with a row per security are rebuilt from `first` on for these
    only, and for all others from `all_from` on, or not at all where it is None.
    """

    first: date
    all_from: date | None
    series: tuple[str, ...] = ()


REBUILD_ALL = Rebuild(EVERYTHING, EVERYTHING)


def get_state(con: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """A remembered fact, such as the fingerprint of the models that built the tables."""
    # fetchone would leave the result open, and the connection busy.
    rows = con.execute("select value from raw.state where key = ?", [key]).fetchall()
    return rows[0][0] if rows else None


def set_state(con: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Remember a fact about the warehouse."""
    forget_state(con, key)
    con.execute("insert into raw.state values (?, ?)", [key, value])


def forget_state(con: duckdb.DuckDBPyConnection, key: str) -> None:
    """Forget a remembered fact that no longer holds."""
    con.execute("delete from raw.state where key = ?", [key])


def clock(con: duckdb.DuckDBPyConnection) -> date | None:
    """The clock: the last covered date; None before the first run."""
    ((last,),) = con.execute("select max(to_date) from raw.asked_dates").fetchall()
    return last


def first_covered(con: duckdb.DuckDBPyConnection) -> date | None:
    """The first covered date; None before the first request."""
    ((first,),) = con.execute("select min(from_date) from raw.asked_dates").fetchall()
    return first


def cover(
    con: duckdb.DuckDBPyConnection, requested: tuple[date, date] | None, now: datetime
) -> None:
    """Cover the requested dates and every date between them and those covered before.

    Without a request it fills only the gaps that an earlier version left. New dates are marked for
    rebuilding.
    """
    covered = con.execute("select from_date, to_date from raw.asked_dates").fetchall()
    new_from = first_uncovered(covered, requested)
    if new_from is None:
        return
    first, last = _whole_span(covered, requested)
    con.execute("delete from raw.asked_dates")
    con.execute("insert into raw.asked_dates values (?, ?)", [first, last])
    reason = f"requested dates: {requested[0]} to {requested[1]}" if requested else "skipped dates"
    mark_pending(con, new_from, reason, now)


def first_uncovered(
    covered: list[tuple[date, date]], requested: tuple[date, date] | None
) -> date | None:
    """The first date that `cover` would add; None if there is none."""
    if not covered and not requested:
        return None
    day, last = _whole_span(covered, requested)
    for from_date, to_date in sorted(covered):
        if from_date <= day <= to_date:
            day = to_date + timedelta(days=1)
    return day if day <= last else None


def _whole_span(
    covered: list[tuple[date, date]], requested: tuple[date, date] | None
) -> tuple[date, date]:
    spans = [*covered, *([requested] if requested else [])]
    return min(first for first, _ in spans), max(last for _, last in spans)


def keep_feed_problems(con: duckdb.DuckDBPyConnection, problems: dict[str, str]) -> None:
    """Remember why this run could not read some feeds: a wrong spec, a missing folder."""
    con.execute("delete from raw.feed_problem")
    for feed, problem in sorted(problems.items()):
        con.execute("insert into raw.feed_problem values (?, ?)", [feed, problem])


def mark_pending(con: duckdb.DuckDBPyConnection, day: date, reason: str, now: datetime) -> None:
    """Remember that all tables must be rebuilt from this date on; a release clears this."""
    mark_changes(con, [Change(day, day)], reason, now)


def mark_changes(
    con: duckdb.DuckDBPyConnection, changes: Iterable[Change], reason: str, now: datetime
) -> None:
    """Remember what must be rebuilt because of these changes; a release clears this.

    It also gives raw another version: a mark that is there already says no more of when.
    """
    rows = [astuple(change) for change in changes]
    if not rows:
        return
    create_temp_table(
        con,
        "change",
        {"trade_date": "DATE", "last_changed_date": "DATE", "series": "VARCHAR"},
        rows,
    )
    con.execute(
        """insert into raw.pending_rebuild by name
        select *, $reason as reason, $now as noticed_at from change where not exists (
            select 1 from raw.pending_rebuild as known
            where known.trade_date <= change.trade_date and known.reason = $reason
            and (known.series is null or (
                known.series = change.series
                and known.last_changed_date >= change.last_changed_date)))""",
        {"reason": reason, "now": now},
    )
    set_state(con, "raw_version", str(raw_version(con) + 1))


def raw_version(con: duckdb.DuckDBPyConnection) -> int:
    """How often changes of records were noticed; another number where raw may hold others."""
    return int(get_state(con, "raw_version") or 0)


def pending_from(con: duckdb.DuckDBPyConnection) -> date | None:
    """The rebuild date: the earliest date whose figures may have changed; None if none has."""
    row = con.execute("select min(trade_date) from raw.pending_rebuild").fetchone()
    return row[0] if row else None


def pending_of_all_from(con: duckdb.DuckDBPyConnection) -> date | None:
    """The earliest date from which all securities must be rebuilt; None if there is none."""
    row = con.execute(
        "select min(trade_date) from raw.pending_rebuild where series is null"
    ).fetchone()
    return row[0] if row else None


def pending_rebuild(con: duckdb.DuckDBPyConnection) -> Rebuild | None:
    """What must be rebuilt; None if nothing."""
    first, of_all_from = pending_from(con), pending_of_all_from(con)
    if first is None:
        return None
    rows = con.execute(
        """select distinct series from raw.pending_rebuild
        where series is not null and ($from is null or trade_date < $from) order by series""",
        {"from": of_all_from},
    ).fetchall()
    series = tuple(name for (name,) in rows)
    if not series or len(series) > FEW_SERIES:
        return Rebuild(first, first)
    return Rebuild(first, of_all_from, series)


def what_changed(con: duckdb.DuckDBPyConnection) -> str:
    """Why the marts were rebuilt since the last release, in a few words."""
    rows = con.execute("""
        select reason, min(trade_date) from raw.pending_rebuild group by reason order by 2, 1
        """).fetchall()
    return (
        "; ".join(f"{reason} from {day} on" if day > EVERYTHING else reason for reason, day in rows)
        or "nothing"
    )
