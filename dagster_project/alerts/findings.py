"""The problems of a run that are worth an alert.

Belongs here: what is wrong, where, and what to do about it. Does not belong here: how a message
looks (`message.py`), how it is sent (`channels.py`, `sending.py`), checks (`audit/`).

Four kinds of problem:
- `withheld`: there is no release.
- `late`: a feed was due for the warehouse's clock date and delivered nothing, or only a part.
- `set_aside`: a file was quarantined.
- `report`: there is a release, but its market report could not be written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

import duckdb

from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.market.printable import printable
from dagster_project.warehouse import state
from dagster_project.warehouse.connection import connect

Kind = Literal["withheld", "late", "set_aside", "report"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Characters of a reason that are kept; a dbt error can be much longer.
LONGEST_REASON = 2000
# The file that a feed should deliver for a day, below landing/; None if its name has no date.
FileDue = Callable[[str, date], str | None]


@dataclass(frozen=True)
class Problem:
    """What is wrong and where, and what to do about it.

    `key` identifies the problem: it is the same in every run in which the problem exists.
    """

    kind: Kind
    key: str
    what: str
    to_do: str

    def __str__(self) -> str:
        return _on_one_line(f"{self.what}. To do: {self.to_do}")


Found = Mapping[Kind, Sequence[Problem]]
"""Kind -> the problems of that kind; a kind that is not a key was not looked for."""


def after_release(home: Home, file_due: FileDue, now: datetime | None = None) -> Found:
    """Feeds that are late and files that are quarantined in the published release.

    Args:
        now: a feed that is due after this moment is not late yet; with its time zone. Default: the
            current time.
    """
    now = (now or calendar.now_in_hong_kong()).astimezone(calendar.HONG_KONG)
    with connect(home.published, read_only=True) as con:
        return {
            "withheld": [],
            "late": _late(con, file_due, now),
            "set_aside": _quarantined(con),
        }


def after_failure(home: Home, reason: str | None) -> Found:
    """Why there is no release, and the files that were quarantined.

    Args:
        reason: the error of the step that failed; None if blocking checks failed, which are then
            read from the warehouse.
    """
    dates = ""
    found: dict[Kind, list[Problem]] = {}
    try:
        with connect(home.warehouse, read_only=True) as con:
            clock = state.clock(con)
            dates = f" for {clock}" if clock else ""
            found["set_aside"] = _quarantined(con)
            if reason is None:
                reason = "\n".join(
                    f"{check} on {asset}: {explanation}"
                    for check, asset, explanation in con.execute("""
                        select check_name, asset, explanation from raw.check_result
                        where not passed and severity = 'block' order by check_name""").fetchall()
                )
    except duckdb.Error as error:
        # There is no warehouse yet, or it is broken, which may be why the run failed.
        reason = reason or f"the warehouse cannot be read: {error}"
    reason = _cut(reason or "a blocking check failed")
    stays = f"{home.published} stays as it was" if home.published.exists() else "there is none yet"
    found["withheld"] = [
        Problem(
            "withheld",
            f"{dates} {reason}",
            f"No release{dates}; {stays}. {reason}",
            "remove the cause, then run the same dates again",
        )
    ]
    return found


def after_report(reason: str | None) -> Found:
    """Why the market report failed; no problem if `reason` is None, which means it was written."""
    if reason is None:
        return {"report": []}
    reason = _cut(reason)
    what = f"Released, but the market report failed: {reason}"
    to_do = "remove the cause, then `make report DATE=…`"
    return {"report": [Problem("report", reason, what, to_do)]}


def _cut(reason: str) -> str:
    """A reason on one line, shortened if too long, without its final full stop."""
    reason = " ".join(reason.split()).rstrip(".")
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"


def _late(con: duckdb.DuckDBPyConnection, file_due: FileDue, now: datetime) -> list[Problem]:
    """Feeds that were due for the clock date before `now` and delivered nothing, or only a part."""
    rows = con.execute(
        """
        select coverage.trade_date, coverage.market, coverage.feed, coverage.received_symbols,
            coverage.missing_symbols, coverage.first_missing_symbol, feed.due_by
        from main.session_coverage as coverage
        join raw.feed as feed using (feed)
        where coverage.is_late
        and coverage.trade_date = $clock
        order by coverage.market, coverage.feed""",
        {"clock": state.clock(con)},
    ).fetchall()
    problems = []
    for day, market, feed, received, missing, first_missing, due_by in rows:
        if day == now.date() and due_by and f"{now:%H:%M}" < due_by:
            continue
        file = file_due(feed, day) or _last_seen_in(con, feed, market, first_missing)
        where, about = f"landing/{file or feed}", f"{day} {market} {feed}"
        then = f"then `make nightly DATE={day}`"
        if received:
            more = f" and {missing - 1} more are" if missing > 1 else " is"
            what = f"{about}: only a part came; {first_missing}{more} missing from {where}"
            to_do = f"fetch the file again, it may be cut short, {then}"
        else:
            what = f"{about}: nothing that counts, due by {due_by}; expected in {where}"
            to_do = f"fetch the file (main.rejected_row lists its rejected rows), {then}"
        problems.append(Problem("late", f"{day} {market} {feed}", what, to_do))
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
    """Files that could not be read; their key changes with their content."""
    rows = con.execute("""
        select path, reason, coalesce(sha256, mtime_ns::VARCHAR), exists (
            select 1 from raw.file as good where good.path = bad.path and good.status = 'loaded')
        from raw.file as bad where status = 'set_aside' order by path""").fetchall()
    return [
        Problem(
            "set_aside",
            f"{path} {content} {reason}",
            f"landing/{path}: {reason}" + ("; its earlier rows stay" if has_earlier else ""),
            "put a corrected file there under the same name; the next run reads it",
        )
        for path, reason, content, has_earlier in rows
    ]


def _on_one_line(text: str) -> str:
    """Text on one line, in which line breaks and control characters of a file name are escaped."""
    return printable(" ".join(text.split()))
