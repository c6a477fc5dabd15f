"""What `make nightly`, `make backfill` and their like run: jobs from a shell, without the UI.

Belongs here: arguments, exit status, and what a person reads afterwards. Does not belong here:
what a run does (`defs/`), which this only starts; market logic.

Exit status: 0 published or nothing new; 1 the release was withheld, or a step before it failed;
2 wrong use; 3 released, but the market report failed.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date

from dagster_project.alerts import sending, settings
from dagster_project.defs.run_in_process import prepare, run_job, write_and_check
from dagster_project.home import Home
from dagster_project.pipeline import DatesRejected
from dagster_project.release import ReleaseError, list_releases, mart_diff, roll_back
from dagster_project.release.close_of_day import close_of_day


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
    commands.add_parser("alerts", help="send a test message to every channel of alerts.yaml")
    commands.add_parser("prepare", help="create the folders and the Dagster instance")
    options = parser.parse_args(arguments)
    home = Home.from_environment()
    try:
        if options.command == "nightly":
            return run_job(home, "nightly", options.date, options.date)
        if options.command == "backfill":
            return run_job(home, "history", options.first, options.last)
        if options.command == "close":
            print(close_text(home, options.date))
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
        elif options.command == "alerts":
            return try_alerts(home)
        elif options.command == "prepare":
            prepare(home)
            print(f"warehouse home: {home.root}")
    except (DatesRejected, ReleaseError, settings.AlertsError) as error:
        print(f"closing-bell: {error}", file=sys.stderr)
        return 2
    return 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as 2025-09-17") from None


def try_alerts(home: Home) -> int:
    """Send a test message to every channel of `alerts.yaml`; 1 where one fails."""
    results = sending.send_test(home)
    for channel, problem in results.items():
        print(f"{channel:<9}{problem or 'delivered'}")
    if not results:
        print(
            f"Alerts go to the log only. To send them, write {home.root / 'alerts.yaml'}, "
            f"for example:\n\n{settings.EXAMPLE}"
        )
    return 1 if any(results.values()) else 0


def close_text(home: Home, day: date | None) -> str:
    """The close of a day as a small table; of the last day where none is named."""
    close = close_of_day(home, day)
    lines = [f"Close of {close.day}", ""]
    lines.append(f"{'index':<12}{'close':>11}{'change':>10}{'%':>8}  closing high since")
    for row in close.indices:
        lines.append(
            f"{row['symbol']:<12}{row['close']:>11,.2f}{_shown(row['change'], '+,.2f'):>10}"
            f"{_shown(row['change_pct'], '+.2f'):>8}  {row['closing_high_since'] or ''}"
        )
    lines.append("")
    for row in close.turnover:
        lines.append(
            f"turnover {row['scope']:<10} {_shown(row['trillion_yuan'], '.2f')} trillion yuan "
            f"after {_shown(row['previous_trillion_yuan'], '.2f')}"
        )
    lines += [f"{row['region']:<10} {row['side']:<8} {row['sectors']}" for row in close.sectors]
    return "\n".join(lines)


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


if __name__ == "__main__":
    sys.exit(main())
