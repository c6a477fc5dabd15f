"""The problems of a run that are worth an alert.

Belongs here: what is wrong, where, and what to do about it. Does not belong here: how a message
looks (`message.py`), how it is sent (`channels.py`, `sending.py`), checks (`audit/`).

Five kinds of problem:
- `withheld`: there is no release.
- `finding`: a check says that something new in the release is certainly or likely wrong, and is no
  reason to withhold it.
- `late`: a feed was due for the warehouse's clock date and delivered nothing, or only a part.
- `set_aside`: a file was quarantined.
- `report`: there is a release, but its market report could not be written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Literal, get_args

import duckdb

from dagster_project.audit.anomalies import at_hand_from
from dagster_project.audit.policy import load_policies
from dagster_project.audit.results import ReleaseCheck, check_results
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.market.printable import printable
from dagster_project.warehouse import state
from dagster_project.warehouse.connection import connect

Kind = Literal["withheld", "finding", "late", "set_aside", "report"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Characters of a reason that are kept; a dbt error can be much longer.
LONGEST_REASON = 2000
# Rows of a check that are named; how many others there are is said.
SHOWN_ROWS = 5
# The file that a feed should deliver for a day, below landing/; None if its name has no date.
FileDue = Callable[[str, date], str | None]


@dataclass(frozen=True)
class Problem:
    """What is wrong and where, and what to do about it.

    `key` says where, and is the same in every run in which the problem exists. `state` says what is
    wrong there, without what differs from run to run: a problem is sent again when it changes.
    `check` is the check that found it, of kind `finding`.
    """

    kind: Kind
    key: str
    state: str
    what: str
    to_do: str
    check: str | None = None

    def __str__(self) -> str:
        return _on_one_line(f"{self.what}. To do: {self.to_do}")


Found = Mapping[Kind, Sequence[Problem]]
"""Kind -> the problems of that kind; a kind that is not a key was not looked for."""


def after_release(
    home: Home,
    file_due: FileDue,
    now: datetime | None = None,
    why_absent: FileDue = lambda _feed, _day: None,
) -> Found:
    """What the published release is wrong about, in all likelihood, and what it lacks.

    Args:
        now: a feed that is due after this moment is not late yet; with its time zone. Default: the
            current time.
        why_absent: why files of a feed's day could not be fetched, where that is known.
    """
    now = (now or calendar.now_in_hong_kong()).astimezone(calendar.HONG_KONG)
    with connect(home.published, read_only=True) as con:
        return {
            "withheld": [],
            "finding": _found_at_hand(con),
            "late": _late(con, file_due, why_absent, now),
            "set_aside": _quarantined(con),
        }


def after_failure(home: Home, reason: str | None) -> Found:
    """Why there is no release, and the files that were quarantined.

    Args:
        reason: the error of the step that failed; None if blocking checks failed, which are then
            read from the warehouse.
    """
    clock = None
    blocking: list[ReleaseCheck] = []
    found: dict[Kind, list[Problem]] = {}
    try:
        with connect(home.warehouse, read_only=True) as con:
            clock = state.clock(con)
            found["set_aside"] = _quarantined(con)
            if reason is None:
                blocking = [
                    check
                    for check in check_results(con)
                    if not check.passed and check.severity == "block"
                ]
    except duckdb.Error as error:
        # There is no warehouse yet, or it is broken, which may be why the run failed.
        reason = reason or f"the warehouse cannot be read: {error}"
    said = "\n".join(f"{c.check_name} on {c.asset}: {c.explanation}" for c in blocking)
    reason = _cut(reason or said or "a blocking check failed")
    dates = f" for {clock}" if clock else ""
    stays = f"{home.published} stays as it was" if home.published.exists() else "there is none yet"
    found["withheld"] = [
        Problem(
            "withheld",
            f"{clock or 'first release'}",
            "; ".join(map(_what_blocks, blocking)) or _without_numbers(reason),
            f"No release{dates}; {stays}. {reason}",
            "remove the cause, then run the same dates again",
        )
    ]
    return found


def _what_blocks(check: ReleaseCheck) -> str:
    """A check, and the subjects of the rows for which it withholds the release."""
    rows = [row for row in check.offending_rows if row.severity == "block" and not row.waiver]
    return " ".join([check.check_name, *sorted({row.symbol or row.file or "" for row in rows})])


def after_report(home: Home, reason: str | None) -> Found:
    """Why the market report failed; no problem if `reason` is None, which means it was written."""
    if reason is None:
        return {"report": []}
    with connect(home.published, read_only=True) as con:
        clock = state.clock(con)
    reason = _cut(reason)
    what = f"Released, but the market report failed: {reason}"
    to_do = "remove the cause, then `make report DATE=…`"
    return {"report": [Problem("report", f"{clock}", _without_numbers(reason), what, to_do)]}


def _cut(reason: str) -> str:
    """A reason on one line, shortened if too long, without its final full stop."""
    reason = " ".join(reason.split()).rstrip(".")
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"


def _without_numbers(reason: str) -> str:
    """A reason without line numbers, processes, sizes: they change while the cause stays."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", reason)


def _found_at_hand(con: duckdb.DuckDBPyConnection) -> list[Problem]:
    """What checks object to that is new with the sessions at hand, one problem per check.

    Not what is possibly wrong only, and not what other kinds say. The state is the release that
    first had the newest of the rows: a row that joins others is a change, rows that stand are none.
    """
    clock = state.clock(con)
    ((released_to, released_last),) = con.execute(
        "select max(clock), coalesce(max(release_id), '') from main.release where clock < ?",
        [clock],
    ).fetchall()
    rows = con.execute(
        f"""
        select check_name, count(*), max(first_seen),
            list(
                concat_ws(' ', trade_date, coalesce(symbol, file) || ':', what)
                order by first_seen desc, trade_date desc, symbol, file
            )[:{SHOWN_ROWS}]
        from main.anomaly
        where first_seen > $released_last and coalesce(trade_date >= $at_hand_from, true)
        and waiver is null and confidence <> 'possible'
        and check_name <> 'files_set_aside'
        and (
            check_name <> 'deliveries_missing' or feed not in (
                select feed from main.session_coverage where is_late and trade_date = $clock)
        )
        group by check_name order by check_name""",
        {
            "clock": clock,
            "released_last": released_last,
            "at_hand_from": at_hand_from(con, released_to),
        },
    ).fetchall()
    problems = []
    for check, count, newest, shown in rows:
        policy = load_policies().get(check)
        more = f"; and {count - len(shown)} more" if count > len(shown) else ""
        problems.append(
            Problem(
                "finding",
                f"{clock} {check}",
                newest,
                f"{check}: {'; '.join(shown)}{more}",
                policy.to_do if policy else f"see `closing-bell anomalies {check}`",
                check,
            )
        )
    return problems


def _late(
    con: duckdb.DuckDBPyConnection, file_due: FileDue, why_absent: FileDue, now: datetime
) -> list[Problem]:
    """Feeds that were due for the clock date before `now` and delivered nothing, or only a part.

    One problem per feed, whose file can lack rows of several markets. It stays the same one until
    the feed has delivered a session.
    """
    rows = con.execute(
        """
        with delivered as (
            select feed, market, max(trade_date) as last_day
            from main.session_coverage where not is_late and trade_date < $clock
            group by feed, market
        ),
        late as (
            select coverage.feed, coverage.market, min(coverage.trade_date) as since
            from main.session_coverage as coverage
            left join delivered using (feed, market)
            where coverage.trade_date > coalesce(delivered.last_day, '-infinity')
            group by coverage.feed, coverage.market
        )
        select coverage.feed, coverage.market, coverage.trade_date, late.since,
            coverage.received_symbols > 0, coverage.missing_symbols, coverage.first_missing_symbol,
            feed.due_by, feed.is_monthly
        from main.session_coverage as coverage
        join late using (feed, market)
        join raw.feed as feed using (feed)
        where coverage.is_late and coverage.trade_date = $clock
        order by coverage.feed, coverage.market""",
        {"clock": state.clock(con)},
    ).fetchall()
    problems = []
    for feed, of_feed in groupby(rows, key=itemgetter(0)):
        _, markets, days, since, came, missing, first_missing, due_by, is_monthly = zip(
            *of_feed, strict=True
        )
        day = days[0]
        if day == now.date() and due_by[0] and f"{now:%H:%M}" < due_by[0]:
            continue
        file = file_due(feed, day) or _last_seen_in(con, feed, markets[0], first_missing[0])
        where, about = f"landing/{file or feed}", f"{day} {', '.join(markets)} {feed}"
        before = f" since {min(since)}" if min(since) < day else ""
        then = f"then `make nightly DATE={day}`"
        if any(came):
            more = f" and {sum(missing) - 1} more are" if sum(missing) > 1 else " is"
            what = f"only a part came{before}; {first_missing[0]}{more} missing from {where}"
            to_do = f"fetch the file again, it may be cut short, {then}"
        else:
            due = f"{due_by[0]} for the month before" if is_monthly[0] else due_by[0]
            what = f"nothing that counts{before}, due by {due}; expected in {where}"
            to_do = f"fetch the file (main.rejected_row lists its rejected rows), {then}"
        if why := why_absent(feed, day):
            what += f"; fetching: {why}"
        lacks = (
            f"{market} {'part' if is_part else 'all'} since {first}"
            for market, is_part, first in zip(markets, came, since, strict=True)
        )
        problems.append(Problem("late", feed, ", ".join(lacks), f"{about}: {what}", to_do))
    return problems


def _last_seen_in(
    con: duckdb.DuckDBPyConnection, feed: str, market: str, symbol: str | None
) -> str | None:
    """The file, relative to landing/, that last held records of a symbol.

    The symbol of a turnover record is `turnover <segment>`, as in `main.session_coverage`.
    """
    row = con.execute(
        """select file.path from (
            select file_id, trade_date from raw.index_close
            where feed = $feed and symbol = $symbol
            union all
            select file_id, trade_date from raw.security_close
            where feed = $feed and symbol = $symbol
            union all
            select file_id, trade_date from raw.market_turnover
            where feed = $feed and market = $market and 'turnover ' || segment = $symbol
        ) join raw.file as file using (file_id)
        order by trade_date desc, file.mtime_ns desc limit 1""",
        {"feed": feed, "market": market, "symbol": symbol},
    ).fetchone()
    return row[0] if row else None


def _quarantined(con: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Files that could not be read."""
    rows = con.execute("""
        select path, reason, exists (
            select 1 from raw.file as good
            where good.feed = bad.feed and good.path = bad.path and good.status = 'loaded')
        from raw.file as bad where status = 'set_aside' order by path""").fetchall()
    return [
        Problem(
            "set_aside",
            path,
            _without_numbers(reason),
            f"landing/{path}: {reason}" + ("; its earlier rows stay" if has_earlier else ""),
            "put a corrected file there under the same name; the next run reads it",
        )
        for path, reason, has_earlier in rows
    ]


def _on_one_line(text: str) -> str:
    """Text on one line, in which line breaks and control characters of a file name are escaped."""
    return printable(" ".join(text.split()))
