"""One run, step by step: take in what landed, transform, audit, release.

Belongs here: what each step does to the warehouse, and the four in their order. Does not belong
here: Dagster, whose assets in `defs/` call these steps and tell of them; how a step does its work
(`ingestion.py`, `dbt_run.py`, `audit/`, `release.py`).

Whoever calls a step holds `Home.writer_lock` and has no connection to the warehouse open.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import duckdb

from dagster_project import audit
from dagster_project.home import Home
from dagster_project.ingest.feed_ingestion import (
    FeedResult,
    ingest_feed,
    known_indices,
    retire_feed,
)
from dagster_project.ingest.feed_spec import FeedCatalog
from dagster_project.ingest.landing import unclaimed_folders
from dagster_project.preparation import check_dates, ensure_sessions, state_fingerprint
from dagster_project.release import (
    Release,
    ReleaseCheck,
    ReleaseError,
    ReleaseWithheld,
    publish,
    record_release,
)
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.as_of import create_macros
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import DbtResult, build, project_fingerprint


@dataclass(frozen=True)
class NightResult:
    """What a run did: a result a feed, every check, and the release or why there is none."""

    feeds: list[FeedResult] = field(default_factory=list)
    checks: list[ReleaseCheck] = field(default_factory=list)
    release: Release | None = None
    withheld: str | None = None


def run_night(
    home: Home,
    catalog: FeedCatalog,
    asked: tuple[date, date] | None,
    today: date,
    now: datetime | None = None,
) -> NightResult:
    """All steps in their order; what Dagster's jobs do, without Dagster.

    Args:
        asked: the first and last trade date asked for; None asks for corrections only.
        today: the real date in Hong Kong.
        now: UTC, the moment from which what is read is known; the real one where not given.
    """
    with home.writer_lock():
        feeds = take_in(home, catalog, asked, today, now)
        published, withheld = None, transform(home).failure
        if not withheld:
            run_audit(home)
            try:
                published = release(home)
            except ReleaseWithheld as error:
                withheld = str(error)
        with connect(home.warehouse, read_only=True) as con:
            return NightResult(feeds, raw_tables.check_results(con), published, withheld)


def take_in(
    home: Home,
    catalog: FeedCatalog,
    asked: tuple[date, date] | None,
    today: date,
    now: datetime | None = None,
    feeds: Collection[str] | None = None,
) -> list[FeedResult]:
    """Bring raw in line with landing, and the warehouse's clock and sessions with what is asked.

    Args:
        feeds: only these; all of the catalog where not given.

    Returns:
        A result a feed that was looked at; a feed whose spec is gone is withdrawn, and has none.
    """
    now = now or _now()
    if asked:
        check_dates(*asked, today)
    with connect(home.warehouse) as con:
        raw_tables.create_tables(con)
        con.begin()
        if asked:
            raw_tables.ask_for_dates(con, *asked, now)
        clock = raw_tables.clock(con)
        ensure_sessions(con, clock or today, now)
        _notice_other_judgement(con, clock or today, now)
        con.commit()
        indices = known_indices()
        results = [
            ingest_feed(con, home.landing, spec, today, now, indices)
            for name, spec in catalog.feeds.items()
            if feeds is None or name in feeds
        ]
        problems = dict(catalog.problems)
        for folder in unclaimed_folders(home.landing, {*catalog.feeds, *catalog.problems}):
            problems[folder] = (
                f"{home.landing / folder} belongs to no feed; correct its name, or add "
                f"dagster_project/feeds/{folder}.yaml"
            )
        problems |= {r.feed: r.missing_folder for r in results if r.missing_folder}
        raw_tables.keep_feed_problems(con, problems)
        for (name,) in con.execute("select feed from raw.feed").fetchall():
            if name not in catalog.feeds and name not in catalog.problems:
                retire_feed(con, name, now)
    return results


def _notice_other_judgement(con: duckdb.DuckDBPyConnection, clock: date, now: datetime) -> None:
    """A waiver or another threshold changes no figure; the last session is judged anew."""
    judged_by = raw_tables.get_state(con, "judged_by")
    if judged_by != audit.fingerprint():
        if judged_by is not None:
            raw_tables.mark_pending(con, clock, "checks or waivers changed", now)
        raw_tables.set_state(con, "judged_by", audit.fingerprint())


def transform(home: Home, selection: Sequence[str] = ()) -> DbtResult:
    """`dbt build` from the earliest changed session on; everything, where the models changed.

    Args:
        selection: dbt's selection arguments, to build a part; the whole project where empty.

    Returns:
        What dbt did. Where its `failure` is not None, nothing may be released.
    """
    with connect(home.warehouse) as con:
        raw_tables.create_tables(con)
        built_by = raw_tables.get_state(con, "built_by")
        rebuild_from = raw_tables.pending_from(con) or raw_tables.EVERYTHING
    models_changed = built_by != project_fingerprint()
    full_refresh = models_changed or rebuild_from == raw_tables.EVERYTHING
    is_whole = not selection
    if is_whole and not models_changed:
        selection = ["--selector", "night"]
    result = build(
        home, selection, raw_tables.EVERYTHING if full_refresh else rebuild_from, full_refresh
    )
    with connect(home.warehouse) as con:
        con.begin()
        raw_tables.keep_check_results(
            con, "dbt", result.checks, replace_all=models_changed and is_whole
        )
        if not result.errors and is_whole:
            raw_tables.set_state(con, "built_by", project_fingerprint())
            if models_changed and built_by is not None:
                raw_tables.mark_pending(con, raw_tables.EVERYTHING, "the models changed", _now())
        con.commit()
    return result


def run_audit(home: Home) -> list[ReleaseCheck]:
    """Run the checks of `audit/` on the sessions that changed since the last release."""
    with connect(home.warehouse) as con:
        results = audit.run_checks(con, raw_tables.pending_from(con) or raw_tables.EVERYTHING)
        con.begin()
        raw_tables.keep_check_results(con, "audit", results, replace_all=True)
        con.commit()
    return results


def release(home: Home) -> Release:
    """Record and publish what has been audited.

    Raises:
        ReleaseWithheld: a blocking check failed.
        ReleaseError: no dates were asked for yet, or it cannot be published.
    """
    with connect(home.warehouse) as con:
        clock = raw_tables.clock(con)
        if clock is None:
            raise ReleaseError("no dates were asked for yet: run the job nightly or history first")
        create_macros(con)
        record_release(
            con,
            home,
            clock=clock,
            checks=raw_tables.check_results(con),
            what_changed=raw_tables.what_changed(con),
            fingerprint=state_fingerprint(con),
            rebuilt_from=raw_tables.pending_from(con),
        )
    published = publish(home)
    # Only now: after a crash before this, the next release still says what it was rebuilt for.
    with connect(home.warehouse) as con:
        con.execute("delete from raw.pending_rebuild")
    return published


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
