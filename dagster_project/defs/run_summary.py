"""What a run says when it ends, on one screen: the close, what is new, what stands, what is late.

Belongs here: lines about a release or about the checks that withheld it. Does not belong here: exit
status and errors (`run_in_process.py`), colours (`cli.py`).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from dagster_project.alerts import findings
from dagster_project.alerts.findings import Problem
from dagster_project.audit.policy import load_policies
from dagster_project.audit.results import Finding, ReleaseCheck, check_results, describe
from dagster_project.fetch.outcomes import why_absent
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import FeedCatalog
from dagster_project.release.close_of_day import close_of_day
from dagster_project.release.read import withdrawn_release
from dagster_project.warehouse.connection import connect

# All lines of a release fit on a screen of 40; `closing-bell anomalies` shows the rest.
SHOWN_CHECKS = 4
SHOWN_ROWS = 4
SHOWN_LATE = 7
SHOWN_CHARACTERS = 300
# Of a release that is withheld, more is needed to mend it.
SHOWN_BLOCKING_ROWS = 10


def found_after_release(home: Home, catalog: FeedCatalog) -> findings.Found:
    """What the release lacks or is wrong about, and why files could not be fetched."""

    def why_not_fetched(feed: str, day: date) -> str | None:
        spec = catalog.feeds.get(feed)
        return why_absent(home, spec.landing_folder, day) if spec else None

    return findings.after_release(home, catalog.file_due, why_absent=why_not_fetched)


def release_summary(home: Home, late: Sequence[Problem]) -> list[str]:
    """The published release in at most 40 lines.

    Args:
        late: the feeds that are late, as `findings.after_release` tells them.
    """
    with connect(home.published, read_only=True) as con:
        (release_id, clock, what_changed) = con.execute(
            "select release_id, clock, what_changed from main.release order by release_id desc"
        ).fetchone() or ("", None, "")
        failed = [check for check in check_results(con) if not check.passed]
        late_feeds = con.execute(
            "select distinct feed from main.session_coverage where is_late and trade_date = ?",
            [clock],
        ).fetchall()
    lines = [
        *_close_lines(home),
        *_new_lines([_except_late(check, {feed for (feed,) in late_feeds}) for check in failed]),
        *_standing_line(failed),
        *_late_lines(late),
        *_rollback_line(home),
        _labelled("release", f"{release_id}, up to {clock}: {_shortened(what_changed)}"),
        _labelled("file", str(home.published)),
    ]
    # Before a weekend the report is that of the last session.
    pages = sorted(home.reports.glob("*/market_report.html"))
    if pages := [page for page in pages if page.parent.name <= str(clock)]:
        lines.append(_labelled("report", str(pages[-1])))
    return lines


def blocked_lines(check: ReleaseCheck) -> list[str]:
    """A check that withheld the release: how many rows it found, what to do, and the first rows."""
    rows = [row for row in check.offending_rows if not row.waiver and row.severity == "block"]
    if not rows:
        return [_labelled("blocked", f"{check.asset}: {check.check_name}: {check.explanation}")]
    count = f"{check.rows_found} found"
    return _check_lines("blocked", check, count, rows, check.rows_found, SHOWN_BLOCKING_ROWS)


def _close_lines(home: Home) -> list[str]:
    """The indices by region, and the turnover, of the last day with a close."""
    shown = close_of_day(home)
    indices: dict[str, list[str]] = {}
    for row in shown.indices:
        change = "" if row["change_pct"] is None else f" {row['change_pct']:+.2f} %"
        indices.setdefault(row["region"], []).append(f"{row['symbol']} {row['close']:,.2f}{change}")
    parts = [", ".join(closes) for closes in indices.values()]
    totals = [
        f"{row['scope']} {row['trillion_yuan']:.2f} tn yuan"
        for row in shown.turnover
        if row["trillion_yuan"] is not None
    ]
    if totals:
        parts.append(f"turnover: {', '.join(totals)}")
    return [
        _labelled("" if number else "close", part if number else f"{shown.day}: {part}")
        for number, part in enumerate(parts)
    ]


def _except_late(check: ReleaseCheck, feeds: Collection[str]) -> ReleaseCheck:
    """A check without new rows that only say that one of these feeds is late: it has a line."""
    if check.check_name != "deliveries_missing":
        return check
    rows = [row for row in check.offending_rows if row.first_seen or row.feed not in feeds]
    new = sum(not (row.first_seen or row.waiver) for row in rows)
    return replace(check, offending_rows=tuple(rows), rows_new=new)


def _new_lines(failed: Sequence[ReleaseCheck]) -> list[str]:
    checks = [check for check in failed if check.rows_new]
    lines = []
    for check in checks[:SHOWN_CHECKS]:
        rows = [row for row in check.offending_rows if not row.waiver and row.first_seen is None]
        count = f"{check.rows_new} new"
        lines += _check_lines("new", check, count, rows, check.rows_new, SHOWN_ROWS)
    if others := checks[SHOWN_CHECKS:]:
        counts = ", ".join(f"{check.check_name} ({check.rows_new})" for check in others)
        lines.append(_labelled("", f"and new findings of {counts}"))
    return lines


def _standing_line(failed: Sequence[ReleaseCheck]) -> list[str]:
    standing = [check.rows_standing for check in failed]
    if not any(standing):
        return []
    checks = sum(count > 0 for count in standing)
    return [
        _labelled(
            "standing",
            f"{sum(standing)} findings of {checks} checks stand since earlier releases; "
            "`closing-bell anomalies` lists them",
        )
    ]


def _late_lines(late: Sequence[Problem]) -> list[str]:
    """One line per feed that is late, and what to do, which is the same for most."""
    lines = [_labelled("late", _shortened(problem.what)) for problem in late[:SHOWN_LATE]]
    if len(late) > SHOWN_LATE:
        lines.append(_labelled("", f"and {len(late) - SHOWN_LATE} more feeds are late"))
    to_do = dict.fromkeys(problem.to_do for problem in late)
    return lines + [_labelled("", f"to do: {text}") for text in to_do]


def _rollback_line(home: Home) -> list[str]:
    withdrawn = withdrawn_release(home)
    if not withdrawn:
        return []
    return [
        _labelled(
            "rollback",
            f"{withdrawn.release_id}, up to {withdrawn.clock}, is withdrawn; to publish it again: "
            f"`closing-bell rollback {withdrawn.release_id}`",
        )
    ]


def _check_lines(
    label: str,
    check: ReleaseCheck,
    count: str,
    rows: Sequence[Finding],
    rows_of_all: int,
    most: int,
) -> list[str]:
    """A check: how many rows it found, what to do, and the first rows, one per line."""
    policy = load_policies().get(check.check_name)
    head = f"{check.asset}: {check.check_name}: {count}"
    lines = [_labelled(label, head + (f"; to do: {policy.to_do}" if policy else ""))]
    lines += [_labelled("", _shortened(describe(row))) for row in rows[:most]]
    if rows_of_all > most:
        lines[-1] += f"; and {rows_of_all - most} more"
    return lines


def _labelled(label: str, text: str) -> str:
    return f"{label:<9}{text}"


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
