"""The steps of a run, without Dagster: ingest, transform, audit, publish.

Belongs here: what each step does to the warehouse, their order, and whether there is anything to
do. Does not belong here: Dagster, whose assets in `defs/` call these steps and report on them; how
a step does its work (`ingest/`, `warehouse/dbt_run.py`, `audit/`, `release/`).

Whoever calls a step holds `Home.writer_lock` and has no connection to the warehouse open.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from dagster_project import fingerprint
from dagster_project.audit import anomalies, results
from dagster_project.audit.results import (
    ReleaseCheck,
    check_results,
    keep_check_results,
    result_of_dbt_test,
)
from dagster_project.audit.run import fingerprint as audit_fingerprint
from dagster_project.audit.run import run_checks
from dagster_project.audit.waivers import load_waivers
from dagster_project.home import Home
from dagster_project.ingest.changes import detect_changes
from dagster_project.ingest.feed_catalog import FeedCatalog
from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed, retire_feed
from dagster_project.ingest.landing import holds_files, unclaimed_folders
from dagster_project.market.calendar import FIRST_SESSION, LONGEST_CLOSURE
from dagster_project.market.seeds import known_indices
from dagster_project.release.publish import publish as publish_release
from dagster_project.release.publish import roll_back as roll_back_release
from dagster_project.release.read import (
    Release,
    ReleaseError,
    ReleaseWithheld,
    latest_release,
    past_releases,
    published_release,
    withdrawn_release,
)
from dagster_project.release.record import record_release
from dagster_project.settings import load_settings
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.as_of import create_macros
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import build
from dagster_project.warehouse.query_helpers import create_query_helpers
from dagster_project.warehouse.sessions import (
    closing_times,
    forget_new_closing_times,
    sessions_fingerprint,
    update_sessions,
)


class DatesRejected(ValueError):
    """The requested dates make no sense; the message says which would."""


def check_dates(first: date, last: date, today: date) -> None:
    """Reject a reversed range, dates after the real today and dates before the first session.

    Raises:
        DatesRejected: says what to request instead.
    """
    if first > last:
        raise DatesRejected(f"requested {first} to {last}: the first date is the later one")
    if last > today:
        raise DatesRejected(f"requested {last}, which is after today ({today} in Hong Kong)")
    if first < FIRST_SESSION:
        raise DatesRejected(f"requested {first}: sessions are known from {FIRST_SESSION} on")


def last_closed_session(home: Home, catalog: FeedCatalog, now: datetime) -> date:
    """The night that is due: the latest date whose markets have closed and whose feeds are due.

    Args:
        now: the time in Hong Kong.
    """
    due_by = [
        spec.due_by
        for spec in catalog.feeds.values()
        if spec.due_by
        and spec.due_every == "session"
        and holds_files(home.landing, spec.landing_folder)
    ]
    today, time = now.date(), f"{now:%H:%M}"
    return max(
        day
        for day, closes_at in closing_times(today - LONGEST_CLOSURE, today, home.config).items()
        if day < today or time >= max([closes_at, *due_by])
    )


def nothing_new(
    home: Home, catalog: FeedCatalog, requested: tuple[date, date] | None, today: date
) -> bool:
    """Whether the latest release already holds everything that landing holds.

    It may have been withdrawn; then it stays so. Opens the warehouse read-only, so that a run with
    nothing to do writes nothing.
    """
    if not home.warehouse.exists() or not home.published.exists():
        return False
    with connect(home.warehouse, read_only=True) as con:
        if (
            con.execute(
                "select 1 from information_schema.tables "
                "where table_schema = 'raw' and table_name = 'state'"
            ).fetchone()
            is None
        ):
            return False
        covered = con.execute("select from_date, to_date from raw.asked_dates").fetchall()
        if state.first_uncovered(covered, requested) is not None:
            return False
        clock = max(to_date for _, to_date in covered) if covered else today
        if state.get_state(con, "sessions") != sessions_fingerprint(con, clock, home.config):
            return False
        if state.pending_from(con) is not None:  # something was ingested and never released
            return False
        made_of = state_fingerprint(con, home)
        if not any(
            release and release.fingerprint == made_of
            for release in (published_release(home), latest_release(home))
        ):
            return False
        known = {feed for (feed,) in con.execute("select feed from raw.feed").fetchall()}
        if known - set(catalog.feeds) - set(catalog.problems):
            return False
        return not any(
            detect_changes(con, home.landing, spec, today) for spec in catalog.feeds.values()
        )


def state_fingerprint(con: duckdb.DuckDBPyConnection, home: Home) -> str:
    """The fingerprint of all that a release is made from and audited by."""
    return fingerprint.of_values(
        fingerprint.of_models(), audit_fingerprint(home.config), *_delivered_and_requested(con)
    )


def _delivered_and_requested(con: duckdb.DuckDBPyConnection) -> list[object]:
    return [
        *(
            con.execute(statement).fetchall()
            for statement in (
                "select feed, path, status, sha256, reason from raw.file order by all",
                "select feed, fingerprint from raw.feed order by all",
                "select * from raw.asked_dates order by all",
            )
        ),
        state.get_state(con, "sessions"),
    ]


# --- One state: any step can be run by itself, so that a table may be older than another ----------


def _why_not_built(con: duckdb.DuckDBPyConnection) -> str | None:
    """Why the tables are not all built from what raw holds now, and what to do; None if they are.

    Args:
        con: connection to a warehouse with the tables of schema `raw`.
    """
    if state.get_state(con, "built_of") == _raw_and_models(con):
        return None
    return (
        "the tables are not all built from what ingest read last "
        f"({state.what_changed(con)}); run the job nightly, or materialize all models with their "
        "checks"
    )


def _why_not_audited(con: duckdb.DuckDBPyConnection, home: Home) -> str | None:
    if state.get_state(con, "audited_of") == _raw_models_and_checks(con, home):
        return None
    return "the audit has not looked at these tables; run the job nightly, or all of its checks"


def _raw_and_models(con: duckdb.DuckDBPyConnection) -> str:
    # Files alone do not tell: whether a row counts may depend on when its file was delivered.
    return fingerprint.of_values(
        fingerprint.of_models(), *_delivered_and_requested(con), state.raw_version(con)
    )


def _raw_models_and_checks(con: duckdb.DuckDBPyConnection, home: Home) -> str:
    return fingerprint.of_values(_raw_and_models(con), audit_fingerprint(home.config))


@dataclass(frozen=True)
class TransformResult:
    """What dbt built: its result events (as in its JSON log), its tests' results, and errors."""

    events: list[dict[str, Any]]
    checks: list[ReleaseCheck]
    errors: list[str]

    @property
    def failure(self) -> str | None:
        """Why nothing may be released: what could not be built, and the blocking tests."""
        failed = [check for check in self.checks if not check.passed and check.severity == "block"]
        reasons = [*self.errors, *(f"{check.check_name}: {check.explanation}" for check in failed)]
        return "; ".join(reasons) or None


@dataclass(frozen=True)
class RunResult:
    """What a run did: one result per feed, every check, and the release or why there is none."""

    feeds: list[FeedResult] = field(default_factory=list)
    checks: list[ReleaseCheck] = field(default_factory=list)
    release: Release | None = None
    withheld: str | None = None


def run(
    home: Home,
    catalog: FeedCatalog,
    requested: tuple[date, date] | None,
    today: date,
    now: datetime | None = None,
) -> RunResult:
    """All steps in their order; what Dagster's jobs do, without Dagster.

    Args:
        requested: the first and last trade date; None requests corrections only.
        today: the real date in Hong Kong.
        now: when the files are read, in UTC; the real time by default.
    """
    with home.writer_lock():
        feeds = ingest(home, catalog, requested, today, now)
        published, withheld = None, transform(home).failure
        if not withheld:
            audit(home)
            try:
                published = publish(home)
            except ReleaseWithheld as error:
                withheld = str(error)
        with connect(home.warehouse, read_only=True) as con:
            return RunResult(feeds, check_results(con), published, withheld)


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of schema `raw` where they are missing."""
    raw_tables.create_tables(con)
    results.create_table(con)
    anomalies.create_table(con)


def ingest(
    home: Home,
    catalog: FeedCatalog,
    requested: tuple[date, date] | None,
    today: date,
    now: datetime | None = None,
    feeds: Collection[str] | None = None,
) -> list[FeedResult]:
    """Bring raw in line with landing, and the warehouse's clock and sessions with the request.

    Args:
        feeds: only these; by default all of the catalog.

    Returns:
        One result per feed examined. A feed whose spec was deleted is retired and has no result.
    """
    now = now or _now()
    if requested:
        check_dates(*requested, today)
    with connect(home.warehouse) as con:
        create_tables(con)
        con.begin()
        state.cover(con, requested, now)
        clock = state.clock(con)
        update_sessions(con, clock or today, now, home.config)
        _mark_changed_audit(con, home, clock or today, now)
        con.commit()
        indices = known_indices()
        results = [
            ingest_feed(con, home.landing, spec, today, now, indices, home.published)
            for name, spec in catalog.feeds.items()
            if feeds is None or name in feeds
        ]
        con.begin()
        if feeds is None or set(catalog.feeds) <= set(feeds):
            forget_new_closing_times(con)
        # Again, because the files can say that a guessed session was none.
        update_sessions(con, clock or today, now, home.config)
        con.commit()
        problems = dict(catalog.problems)
        for folder in unclaimed_folders(home.landing, catalog.folders):
            elsewhere = catalog.feeds.get(folder)
            if elsewhere is None:
                problems[folder] = (
                    f"{home.landing / folder} belongs to no feed; correct its name, or add "
                    f"{home.config}/feeds/{folder}.yaml"
                )
            elif holds_files(home.landing, folder):
                problems[folder] = (
                    f"feed {folder} reads {home.landing / elsewhere.landing_folder}; move there "
                    f"what lies in {home.landing / folder}"
                )
        in_use = raw_tables.feeds_in_use(con)
        problems |= {
            result.feed: result.missing_folder
            for result in results
            if result.missing_folder
            # A feed that is only offered needs no folder; whatever lies there in place of one does.
            and (
                result.feed in in_use
                or os.path.lexists(home.landing / catalog.feeds[result.feed].landing_folder)
            )
        }
        if not in_use:
            problems["landing"] = f"{home.landing} holds no file of any feed"
        state.keep_feed_problems(con, problems)
        for (name,) in con.execute("select feed from raw.feed").fetchall():
            if name not in catalog.feeds and name not in catalog.problems:
                retire_feed(con, name, now)
        _mark_changed_basis(con, now)
    return results


def _mark_changed_basis(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Rebuild all where a market's turnover is of another basis now: see int_market_turnover."""
    rows = con.execute("""
        select distinct market from raw.market_turnover join raw.feed using (feed)
        semi join raw.session using (market, trade_date)
        where is_current and list_contains(record_kinds, 'index_close')
        and trade_date <= (select max(to_date) from raw.asked_dates) order by market""")
    markets = ", ".join(market for (market,) in rows.fetchall())
    before = state.get_state(con, "index_amounts_of")
    if before != markets:
        if before is not None:
            state.mark_pending(con, state.EVERYTHING, "the basis of a market's turnover", now)
        state.set_state(con, "index_amounts_of", markets)


def _mark_changed_audit(
    con: duckdb.DuckDBPyConnection, home: Home, clock: date, now: datetime
) -> None:
    """Have the last session audited again after checks, thresholds or waivers changed."""
    judged_by = state.get_state(con, "judged_by")
    if judged_by != audit_fingerprint(home.config):
        if judged_by is not None:
            state.mark_pending(con, clock, "checks or waivers changed", now)
        state.set_state(con, "judged_by", audit_fingerprint(home.config))


def transform(
    home: Home,
    selection: Sequence[str] = (),
    on_progress: Callable[[str], None] = lambda said: None,
) -> TransformResult:
    """Run `dbt build` from the earliest changed session on, or of everything if models changed.

    Changed views of the audit are created again; they change no table.

    Args:
        selection: dbt's selection arguments, to build a part; the whole project if empty.
        on_progress: called now and then with how far it is, in another thread.

    Returns:
        What dbt did. If its `failure` is not None, nothing may be released.
    """
    with connect(home.warehouse) as con:
        create_tables(con)
        # A part that is built now is of another state than the rest.
        if _why_not_built(con):
            state.forget_state(con, "built_of")
        built_by = state.get_state(con, "built_by")
        audit_built_by = state.get_state(con, "audit_built_by")
        pending = state.pending_rebuild(con)
    models_changed = built_by != fingerprint.of_models()
    rebuild = state.REBUILD_ALL if models_changed or not pending else pending
    is_whole = not selection
    if is_whole and not models_changed:
        audit_changed = audit_built_by != fingerprint.of_audit_views()
        selection = ["--selector", "night_and_audit" if audit_changed else "night"]
    result = build(home, selection, rebuild, on_progress)
    checks = [result_of_dbt_test(test) for test in result.tests]
    with connect(home.warehouse) as con:
        con.begin()
        keep_check_results(con, "dbt", checks, replace_all=models_changed and is_whole)
        if result.errors:
            state.forget_state(con, "built_of")
        elif is_whole:
            state.set_state(con, "built_by", fingerprint.of_models())
            state.set_state(con, "audit_built_by", fingerprint.of_audit_views())
            if models_changed and built_by is not None:
                state.mark_pending(con, state.EVERYTHING, "the models changed", _now())
            state.set_state(con, "built_of", _raw_and_models(con))
        con.commit()
    return TransformResult(result.events, checks, result.errors)


def audit(home: Home) -> list[ReleaseCheck]:
    """Run the audit's checks on what changed since the last release.

    If the checks themselves have changed, they look at all sessions.

    Raises:
        ReleaseError: the tables are not all of one state, so that findings would mean nothing.
    """
    release = published_release(home)
    with connect(home.warehouse) as con:
        create_tables(con)
        if why := _why_not_built(con):
            raise ReleaseError(f"cannot audit: {why}")
        views = fingerprint.of_audit_views()
        changed = state.pending_rebuild(con)
        if changed is None or state.get_state(con, "audited_by") != views:
            changed = state.REBUILD_ALL
        con.begin()
        found = run_checks(
            con,
            changed,
            release.clock if release else None,
            load_waivers(config=home.config),
        )
        keep_check_results(con, "audit", found, replace_all=True)
        state.set_state(con, "audited_by", views)
        state.set_state(con, "audited_of", _raw_models_and_checks(con, home))
        con.commit()
    return found


def publish(home: Home) -> Release:
    """Record and publish what has been audited.

    Returns:
        The published release. It is not a new one where nothing has changed since the latest, which
        a rollback may have withdrawn.

    Raises:
        ReleaseWithheld: a blocking check failed.
        ReleaseError: no dates were requested yet; raw, tables and audit are not of one state; or it
            cannot be published.
    """
    with connect(home.warehouse) as con:
        create_tables(con)
        clock = state.clock(con)
        if clock is None:
            raise ReleaseError("no dates were requested yet: run the job nightly or history first")
        latest = latest_release(home)
        made_of = _raw_models_and_checks(con, home)
        if latest and state.get_state(con, "released") == f"{latest.release_id} of {made_of}":
            _forget_changes(con, latest)  # unless a crash came before that
            return published_release(home) or latest
        if why := _why_not_built(con) or _why_not_audited(con, home):
            raise ReleaseError(f"cannot release: {why}")
        create_macros(con)
        create_query_helpers(con)
        withdrawn = withdrawn_release(home)
        what_changed, rebuilt_from = state.what_changed(con), state.pending_from(con)
        if withdrawn:
            what_changed += f"; withdrawn with {withdrawn.release_id}: {withdrawn.what_changed}"
            known = [day for day in (rebuilt_from, withdrawn.rebuilt_from) if day]
            rebuilt_from = min(known, default=None)
        recorded = record_release(
            con,
            home,
            clock=clock,
            checks=check_results(con),
            what_changed=what_changed,
            fingerprint=state_fingerprint(con, home),
            rebuilt_from=rebuilt_from,
        )
        state.set_state(con, "released", f"{recorded.release_id} of {made_of}")
    published = publish_release(home, load_settings(home).keep_releases)
    # Last, so that after a crash the next release still says what it was rebuilt for.
    with connect(home.warehouse) as con:
        _forget_changes(con, published)
    return published


def _forget_changes(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    con.begin()
    con.execute("delete from raw.pending_rebuild")
    anomalies.mark_released(con, release.release_id)
    con.commit()


def roll_back(home: Home, release_id: str) -> tuple[Release, list[str]]:
    """Make an earlier release the published file, and its reports the reports.

    The later one is withdrawn: it is published again when somebody rolls back to it, and what it
    held comes with the next release, when something has changed.

    Returns:
        The release, and what became of each report, in words.

    Raises:
        ReleaseError: the release is not kept, or the published folder cannot be written.
    """
    # Importing the library that draws the charts takes half a second.
    from dagster_project.report.files import follow_rollback

    release = roll_back_release(home, release_id)
    later = [past.release_id for past in past_releases(home) if past.release_id > release_id]
    return release, follow_rollback(home, later, day_to_report(home, release.clock))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def day_to_report(home: Home, last: date) -> date | None:
    """The last requested date; on a weekend the last session that the release holds, if any."""
    if last.isoweekday() <= 5:
        return last
    with connect(home.published, read_only=True) as con:
        row = con.execute(
            "select max(trade_date) from main.dim_session where is_asked and trade_date <= ?",
            [last],
        ).fetchone()
    return row[0] if row else None
