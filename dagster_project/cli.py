"""What `make nightly`, `make backfill` and their like run: jobs from a shell, without the UI.

Belongs here: arguments, exit status, and what a person reads afterwards. Does not belong here:
what a run does (`defs/`), which this only starts; market logic.

Exit status: 0 published or nothing new; 1 the release was withheld or a step failed; 2 wrong use.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

from dagster_project.feed import load_feeds
from dagster_project.preparation import DatesRefused, check_dates, nothing_new
from dagster_project.release import ReleaseError, list_releases, mart_diff, roll_back
from dagster_project.sessions import today_in_hong_kong
from dagster_project.warehouse import Home, connect

DAGSTER_YAML = """\
# Written by Closing Bell; edit as you like.
nux:
  enabled: false
telemetry:
  enabled: false
concurrency:
  pools:
    # One writer of the warehouse at a time.
    default_limit: 1
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; see `--help`."""
    parser = argparse.ArgumentParser(prog="closing-bell", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    nightly = commands.add_parser("nightly", help="one trade date becomes a release")
    nightly.add_argument("date", type=_date)
    backfill = commands.add_parser("backfill", help="a range of trade dates becomes a release")
    backfill.add_argument("first", type=_date)
    backfill.add_argument("last", type=_date)
    close = commands.add_parser("close", help="the close of a day, from the published file")
    close.add_argument("date", type=_date, nargs="?")
    written = commands.add_parser("report", help="write the market report of a day again")
    written.add_argument("date", type=_date)
    commands.add_parser("releases", help="the releases that are kept")
    back = commands.add_parser("rollback", help="make an earlier release the published file")
    back.add_argument("release")
    diff = commands.add_parser("diff", help="what differs between two releases")
    diff.add_argument("releases", nargs=2)
    commands.add_parser("prepare", help="create the folders and the Dagster instance")
    options = parser.parse_args(arguments)
    home = Home.from_environment()
    try:
        if options.command == "nightly":
            return run_job(home, "nightly", options.date, options.date)
        if options.command == "backfill":
            return run_job(home, "history", options.first, options.last)
        if options.command == "close":
            print(close_of_day(home, options.date))
        elif options.command == "report":
            return write_and_check(home, options.date)
        elif options.command == "releases":
            for release in list_releases(home):
                print(f"{release.release_id}  clock {release.clock}  {release.what_changed}")
        elif options.command == "rollback":
            print(f"published again: {roll_back(home, options.release).release_id}")
        elif options.command == "diff":
            for table in mart_diff(home, *options.releases):
                print(table)
        elif options.command == "prepare":
            prepare(home)
            print(f"warehouse home: {home.root}")
    except (DatesRefused, ReleaseError) as error:
        print(f"closing-bell: {error}", file=sys.stderr)
        return 2
    return 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2025-09-17") from None


def prepare(home: Home) -> None:
    """Create the landing folder and a Dagster instance, where they are missing."""
    home.landing.mkdir(parents=True, exist_ok=True)
    home.dagster.mkdir(parents=True, exist_ok=True)
    configuration = home.dagster / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["CLOSING_BELL_HOME"] = str(home.root)


def run_job(home: Home, job_name: str, first: date, last: date) -> int:
    """Run a job in this process, tell its result, and return the exit status."""
    check_dates(first, last, today_in_hong_kong())
    if nothing_new(home, load_feeds(), (first, last), today_in_hong_kong()):
        print("Nothing new: no file changed, nothing was written and nothing published.")
        print(report(home))
        return 0
    prepare(home)
    # Dagster and dbt make millions of objects that live as long as the run: looking through them
    # for garbage again and again costs a twentieth of a night.
    gc.set_threshold(200_000, 50, 100)
    # Importing Dagster and the definitions costs seconds: only whoever runs a job pays.
    import dagster as dg

    from dagster_project.definitions import defs

    job = defs().resolve_job_def(job_name)
    with dg.DagsterInstance.get() as instance:
        tags = {
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
        }
        result = job.execute_in_process(
            instance=instance,
            tags=tags,
            raise_on_error=False,
            # The UI shows every event; a shell wants the result.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        if not result.success:
            for event in result.all_events:
                if event.is_step_failure and event.step_key != "audit":
                    print(f"{event.step_key}: {_reason(event.step_failure_data)}", file=sys.stderr)
            for check, asset, explanation in _blocking(home):
                print(f"blocked  {asset}: {check}: {explanation}", file=sys.stderr)
            print(f"The release was withheld; {home.published} stays as it was.", file=sys.stderr)
            return 1
    print(report(home))
    return 0


def _blocking(home: Home) -> list[tuple[str, str, str]]:
    """The checks that hold the release back: name, asset, what was found."""
    if not home.warehouse.exists():
        return []
    with connect(home.warehouse, read_only=True) as con:
        return con.execute("""
            select check_name, asset, explanation from raw.check_result
            where not passed and severity = 'block' order by check_name""").fetchall()


def _reason(failure: Any) -> str:
    """What went wrong in a step: our own words where we have them, else the whole error."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error.cause:
        error = error.cause
    return str(error.to_string())


def write_and_check(home: Home, day: date) -> int:
    """Write the report of a day; 1 where a figure in it does not follow from the release."""
    # Importing the charts' library costs half a second: only whoever draws pays.
    from dagster_project.report import ReportError, check_report, write_report

    try:
        paths = write_report(home, day)
    except ReportError as error:
        raise ReleaseError(str(error)) from error
    problems = check_report(home, day)
    print("\n".join([*map(str, paths), *problems]))
    return 1 if problems else 0


def report(home: Home) -> str:
    """What a release holds and lacks, in a few lines."""
    with connect(home.published, read_only=True) as con:
        lines = []
        (release_id, clock, what_changed) = con.execute(
            "select release_id, clock, what_changed from main.release order by release_id desc"
        ).fetchone() or ("", None, "")
        for check, asset, explanation in con.execute("""
            select check_name, asset, explanation from main.release_check
            where not passed order by check_name""").fetchall():
            lines.append(f"warning  {asset}: {check}: {explanation}")
    lines.append(f"release  {release_id}, up to {clock}: {what_changed}")
    lines.append(f"file     {home.published}")
    page = home.reports / str(clock) / "market_report.html"
    if page.exists():
        lines.append(f"report   {page}")
    return "\n".join(lines)


def close_of_day(home: Home, day: date | None) -> str:
    """The close of a day as a small table; of the last day where none is named."""
    if not home.published.exists():
        raise ReleaseError(f"{home.published} is not there yet; run `make nightly DATE=…` first")
    with connect(home.published, read_only=True) as con:
        if day is None:
            (day,) = con.execute(
                "select max(trade_date) from main.index_performance"
            ).fetchone() or (None,)
        indices = con.execute(
            """select symbol, name, round(close, 2), round(change, 2), round(change_pct, 2),
                closing_high_since
            from main.index_performance where trade_date = ? order by region, symbol""",
            [day],
        ).fetchall()
        turnover = con.execute(
            """select scope, turnover_cny / 1e12, previous_turnover_cny / 1e12
            from main.cross_market_turnover where trade_date = ? order by scope""",
            [day],
        ).fetchall()
        sectors = con.execute(
            """select region, side, string_agg(sector || ' ' || round(change_pct, 2) || ' %', ', '
                order by rank)
            from main.sector_leaders_laggards
            where trade_date = ? and level = 'sector' and rank <= 3
            group by all order by all""",
            [day],
        ).fetchall()
    lines = [f"Close of {day}", ""]
    lines.append(f"{'index':<12}{'close':>11}{'change':>10}{'%':>8}  closing high since")
    for symbol, _, close, change, change_pct, since in indices:
        lines.append(
            f"{symbol:<12}{close:>11,.2f}{_shown(change, '+,.2f'):>10}"
            f"{_shown(change_pct, '+.2f'):>8}  {since or ''}"
        )
    lines.append("")
    for scope, value, previous in turnover:
        lines.append(
            f"turnover {scope:<10} {_shown(value, '.2f')} trillion yuan "
            f"after {_shown(previous, '.2f')}"
        )
    lines += [f"{region:<10} {side:<8} {members}" for region, side, members in sectors]
    return "\n".join(lines)


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


if __name__ == "__main__":
    sys.exit(main())
