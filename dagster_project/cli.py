"""The command `closing-bell`.

Belongs here: arguments, help, and how results are shown. Does not belong here: running a job and
its exit status (`defs/run_in_process.py`), what a command reads or changes (`release/`, `report/`,
`alerts/`).

The commands import what they need themselves, so that `--help` and wrong use are instant.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from dagster_project.home import Home

if TYPE_CHECKING:
    from dagster_project.defs.run_in_process import Outcome
    from dagster_project.release.compare import RowDiff, TableDiff

# Labels at the start of a line of a run's messages -> their style on a terminal.
LABEL_STYLES = {
    "blocked": "bold red",
    "new": "yellow",
    "standing": "yellow",
    "late": "yellow",
    "rollback": "bold yellow",
    "release": "bold green",
    "file": "bold",
    "report": "bold",
}
# How many values of an example row `diff` shows; a table may have thirty columns.
SHOWN_VALUES = 5


class WrongUse(click.ClickException):
    """A command that cannot be carried out as requested; its message says what to do instead."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"closing-bell: {self.message}", file=file or sys.stderr)


class Commands(click.Group):
    """Commands in the order in which they are defined, whose errors exit with status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, SystemExit):
            raise
        # Python evaluates this expression only after an error, so the imports cost nothing else.
        except _errors_with_remedy() as error:
            raise WrongUse(str(error)) from error


def _errors_with_remedy() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do, so that it is shown without a traceback."""
    from dagster_project.alerts.settings import AlertsError
    from dagster_project.fetch.source_spec import SourceError
    from dagster_project.ingest.feed_spec import FeedSpecError
    from dagster_project.pipeline import DatesRejected
    from dagster_project.release.read import ReleaseError
    from dagster_project.settings import SettingsError

    return DatesRejected, ReleaseError, AlertsError, FeedSpecError, SettingsError, SourceError


def trade_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write it as 2025-09-17") from None


pass_home = click.make_pass_decorator(Home)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="closing-bell", prog_name="closing-bell")
@click.pass_context
def main(ctx: click.Context) -> None:
    """End-of-day market warehouse: the files of a day become one audited release.

    Everything is read from and written to the folder $CLOSING_BELL_HOME (default: data/ in the
    checkout). `closing-bell COMMAND --help` shows an example of each command.

    \b
    Exit status:
      0  released, or nothing new
      1  the release was withheld: the published file stays as it was
      2  wrong use: dates, names, settings
      3  released, but the market report failed
    """
    ctx.obj = Home.from_environment()


@main.command(epilog="Example: closing-bell nightly 2025-09-17")
@click.argument("date", type=trade_date, required=False)
@pass_home
def nightly(home: Home, date: date | None) -> None:
    """Release everything up to one trade date, from the last covered one on.

    Without a date it is the last session that has closed and whose files are due.
    """
    from dagster_project.defs.run_in_process import night_due

    night = date or night_due(home)
    _run(home, "nightly", night, night)


@main.command(epilog="Example: closing-bell backfill 2021-01-01 2025-09-16")
@click.argument("first", type=trade_date)
@click.argument("last", type=trade_date)
@pass_home
def backfill(home: Home, first: date, last: date) -> None:
    """Release a range of trade dates in one run."""
    _run(home, "history", first, last)


@main.command(epilog="Example: closing-bell close 2025-09-17")
@click.argument("date", type=trade_date, required=False)
@pass_home
def close(home: Home, date: date | None) -> None:
    """Show the close of a day: indices, turnover, sectors.

    Without a date it shows the last day in the published file.
    """
    from dagster_project.release.close_of_day import close_of_day

    shown = close_of_day(home, date)
    _show(f"Close of {shown.day}\n")
    _show_table(
        [
            Column("index"),
            *(Column("close", ",.2f"), Column("change", "+,.2f"), Column("%", "+.2f")),
            Column("closing high since"),
        ],
        [
            (r["symbol"], r["close"], r["change"], r["change_pct"], r["closing_high_since"])
            for r in shown.indices
        ],
    )
    _show("")
    _show_table(
        [Column("turnover"), Column("trillion yuan", ".2f"), Column("session before", ".2f")],
        [(r["scope"], r["trillion_yuan"], r["previous_trillion_yuan"]) for r in shown.turnover],
    )
    _show("")
    _show_table(
        [Column("region"), Column("side"), Column("sectors")],
        [(r["region"], r["side"], r["sectors"]) for r in shown.sectors],
    )


@main.command(epilog="Example: closing-bell report 2025-09-17")
@click.argument("date", type=trade_date)
@pass_home
def report(home: Home, date: date) -> None:
    """Write the market report of a day again, and check its figures.

    The exit status is 1 if a figure does not follow from the release.
    """
    from dagster_project.defs.run_in_process import write_and_check_report

    with _progress("report"):
        outcome = write_and_check_report(home, date)
    _finish(outcome)


@main.command(epilog="Example: closing-bell anomalies moves_unusual")
@click.argument("check", required=False)
@pass_home
def anomalies(home: Home, check: str | None) -> None:
    """List what the checks object to in the release; without CHECK, count it.

    A row with `*` is new in this release.
    """
    from dagster_project.release.anomalies import anomalies_of, anomaly_counts

    if check is None:
        _show_table(
            [
                Column("check", fixed=True),
                Column("confidence"),
                *(Column(name, ",") for name in ("new", "standing", "waived")),
                *(Column("first session"), Column("last session")),
            ],
            [tuple(row.values()) for row in anomaly_counts(home)],
        )
        return
    _show_table(
        [
            Column(""),
            Column("session", fixed=True),
            *map(Column, ("symbol", "what", "file", "line", "waiver")),
        ],
        [
            (
                "*" if row["is_new"] else "",
                *(row[name] for name in ("trade_date", "symbol", "what", "file", "line_number")),
                row["waiver"],
            )
            for row in anomalies_of(home, check)
        ],
    )


def duration(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in ("h", "d"):
        raise click.BadParameter(f"{text!r} is no duration; write hours as 26h or days as 3d")
    return timedelta(hours=int(number)) if unit == "h" else timedelta(days=int(number))


@main.command(epilog="Example: closing-bell status --max-age 26h")
@click.option("--max-age", type=duration, help="such as 26h or 3d; older: exit status 1")
@pass_home
def status(home: Home, max_age: timedelta | None) -> None:
    """Show what is published, how old it is, and what its checks found.

    Its age is the time since the close of the oldest session that should be released and is not.
    Days without a session make nothing older. Without --max-age the exit status is 0.
    """
    from dagster_project.market.calendar import now_in_hong_kong
    from dagster_project.release.age import oldest_unreleased
    from dagster_project.release.anomalies import anomaly_counts
    from dagster_project.release.read import published_release, withdrawn_release

    release, withdrawn = published_release(home), withdrawn_release(home)
    now = now_in_hong_kong()
    missing = oldest_unreleased(home, now)
    if release:
        found = anomaly_counts(home)
        new, standing = (sum(check[name] for check in found) for name in ("new", "standing"))
        _show(f"release  {release.release_id}, published {release.published_at:%Y-%m-%d %H:%M} UTC")
        _show(f"clock    {release.clock}")
        _show(f"findings {new} new, {standing} standing; `closing-bell anomalies` lists them")
    else:
        _show("release  none yet")
    if withdrawn:
        _show(f"rollback {withdrawn.release_id}, up to {withdrawn.clock}, is withdrawn")
    age = now - missing[1] if missing else timedelta()
    days, hours = age.days, age.seconds // 3600
    _show(
        f"age      {days} d {hours} h: the session of {missing[0]} is not released"
        if missing
        else "age      0: every session that has closed is released"
    )
    sys.exit(1 if max_age is not None and age > max_age else 0)


@main.command(epilog="Example: closing-bell releases")
@pass_home
def releases(home: Home) -> None:
    """List the releases that are kept, with what changed in each."""
    from dagster_project.release.read import list_releases

    _show_table(
        [Column("release", fixed=True), Column("clock", fixed=True), Column("what changed")],
        [(r.release_id, r.clock, r.what_changed) for r in list_releases(home)],
    )


@main.command(epilog="Example: closing-bell rollback 20250917T103000Z-0002")
@click.argument("release")
@pass_home
def rollback(home: Home, release: str) -> None:
    """Make an earlier release, and its reports, the published ones again.

    The later releases are withdrawn until something changes, or until you roll back to one of them.
    """
    from dagster_project.pipeline import roll_back

    published, reports = roll_back(home, release)
    _show("\n".join([f"published again: {published.release_id}", *reports]))


@main.command(epilog="Example: closing-bell diff 20250916T103000Z-0001 20250917T103000Z-0002")
@click.argument("a")
@click.argument("b")
@pass_home
def diff(home: Home, a: str, b: str) -> None:
    """Show what differs between two releases, A the earlier one.

    Per table it shows the numbers of rows added, removed and changed, the columns added and
    removed, and a few example rows.
    """
    from dagster_project.release.compare import mart_diff

    with _progress("diff"):
        differing = mart_diff(home, a, b)
    if not differing:
        _show("No table differs.")
        return
    _show_table(
        [
            Column("table", fixed=True),
            *(Column(name, ",") for name in ("added", "removed", "changed")),
            *(Column("columns added"), Column("columns removed")),
        ],
        [
            (
                t.table,
                t.added,
                t.removed,
                t.changed,
                *map(", ".join, (t.columns_added, t.columns_removed)),
            )
            for t in differing
        ],
    )
    examples = [_example(table, row) for table in differing for row in table.examples]
    if examples:
        _show("\nExamples\n")
        _show_table([Column(name) for name in ("table", "row", "key", "before -> after")], examples)


@main.command(epilog="Example: closing-bell export /srv/closing-bell")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_home
def export(home: Home, folder: Path) -> None:
    """Write the published release into FOLDER, for other tools.

    One Parquet file per table, described by datapackage.json; the last close as CSV; and a DuckDB
    file that clients since DuckDB 1.0 can read. An earlier export there is replaced.
    """
    from dagster_project.release.export import export as export_to

    with _progress("export"):
        files = export_to(home, folder)
    _show_table(
        [Column("file", fixed=True), Column("bytes", ",")],
        [(file.name, file.stat().st_size) for file in files],
    )


@main.command(epilog="Example: closing-bell alerts")
@pass_home
def alerts(home: Home) -> None:
    """Send a test message to every channel of alerts.yaml.

    The exit status is 1 if a channel fails.
    """
    from dagster_project.alerts import sending, settings

    results = sending.send_test(home)
    for channel, problem in results.items():
        _show(f"{channel:<9}{problem or 'delivered'}")
    if not results:
        _show(
            f"Alerts go to the log only. To send them, write {home.config / 'alerts.yaml'}, "
            f"for example:\n\n{settings.EXAMPLE}"
        )
    sys.exit(1 if any(results.values()) else 0)


@main.group(epilog="Example: closing-bell feed try yahoo_hk ~/Downloads/0700.HK.csv")
def feed() -> None:
    """Draft the spec of a feed, and try it."""


@feed.command("new", epilog="Example: closing-bell feed new ~/Downloads/0700.HK.csv > my_feed.yaml")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="my_feed", show_default=True, help="the name of the feed")
def new(file: Path, name: str) -> None:
    """Draft a spec for files like FILE, which is named as the vendor names it.

    What the file does not prove is marked `# ?`: answer it, or delete the mark. Then try the draft
    with `closing-bell feed try`, and put it into config/feeds/ of the home.
    """
    from dagster_project.ingest.document import FileReadError
    from dagster_project.ingest.draft import draft_spec

    try:
        _show(draft_spec(file, name).rstrip("\n"))
    except FileReadError as error:
        raise WrongUse(f"{file.name} {error}") from error


@feed.command("try", epilog="Example: closing-bell feed try yahoo_hk ~/Downloads/0700.HK.csv")
@click.argument("spec")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rows", default=10, show_default=True, help="how many rows of each kind to show")
@pass_home
def try_(home: Home, spec: str, file: Path, rows: int) -> None:
    """Show what a feed would load of a file, and what it would reject.

    SPEC is the name of a feed, or the path of its YAML file; FILE may have any name. Nothing is
    written. The exit status is 1 if anything would be rejected.
    """
    from dagster_project.ingest.feed_catalog import find_feed
    from dagster_project.ingest.trial import try_feed
    from dagster_project.market.calendar import today_in_hong_kong

    trial = try_feed(find_feed(spec, home.config), file, today_in_hong_kong(), rows)
    report = trial.report
    for remark in [*trial.remarks, *filter(None, [report.remark])]:
        _show(f"note     {remark}")
    if trial.loaded:
        _show_table([Column("line", "d"), *map(Column, trial.columns)], trial.loaded)
    if trial.rejected:
        _show("")
        _show_table(
            [Column("line", "d"), Column("rejected because"), Column("text")], trial.rejected
        )
    if trial.loaded or trial.rejected:
        _show("")
    _show(
        f"lines    {report.lines_read:,} read = {report.rows_accepted:,} loaded"
        f" + {report.rows_duplicate:,} repeated + {report.rows_rejected:,} rejected"
        f" + {report.lines_framing:,} of headers and blanks"
    )
    if report.first_trade_date:
        _show(f"dates    {report.first_trade_date} to {report.last_trade_date}")
    if report.reason:
        _show(f"blocked  the file would be set aside: {report.reason}")
    sys.exit(1 if report.reason or report.rows_rejected else 0)


@main.command(epilog="Example: closing-bell fetch 2025-09-17")
@click.argument("date", type=trade_date, required=False)
@click.option(
    "--again", is_flag=True, help="ask for files that are there too; they may be corrected"
)
@pass_home
def fetch(home: Home, date: date | None, again: bool) -> None:
    """Fetch the files of DATE (default: today in Hong Kong) from where they are published.

    Only sources that config/sources.yaml switches on are asked. The exit status is 1 if a file that
    should be there could not be had.
    """
    from dagster_project.fetch.fetching import fetch_day
    from dagster_project.fetch.outcomes import FAILURES
    from dagster_project.fetch.source_spec import load_sources
    from dagster_project.market import calendar

    sources = load_sources(home.config)
    if not sources.on:
        raise WrongUse(
            f"no source is switched on. There are {', '.join(sources.offered)}. Read the terms of "
            f"those that you want, then name them in {home.config}/sources.yaml:\n"
            "  contact: you@example.com\n  sources:\n    sse_overview: true"
        )
    now = calendar.now_in_hong_kong()
    failed = False
    for fetched in fetch_day(home, sources, date or now.date(), now, again):
        failed |= fetched.outcome in FAILURES
        _show(f"{fetched.outcome.replace('_', ' '):12} {fetched.source}: {fetched.message}")
    sys.exit(1 if failed else 0)


@main.command(epilog="Example: closing-bell prepare")
@pass_home
def prepare(home: Home) -> None:
    """Create the folders and the instance that Dagster needs."""
    from dagster_project.defs import run_in_process

    run_in_process.prepare(home)
    _show(f"warehouse home: {home.root}")


def _run(home: Home, job_name: str, first: date, last: date) -> None:
    from dagster_project.defs.run_in_process import run_job

    with _progress(job_name) as show_step:
        outcome = run_job(
            home,
            job_name,
            first,
            last,
            on_step=show_step,
            on_wait=lambda why: _show(why, sys.stderr),
        )
    _finish(outcome)


def _finish(outcome: "Outcome") -> None:
    """Show how a run ended, and exit with its status."""
    for lines, file in ((outcome.messages, sys.stdout), (outcome.errors, sys.stderr)):
        if lines:
            _show("\n".join(lines), file)
    sys.exit(outcome.status)


# Showing results: with colours and tables on a terminal, elsewhere as plain aligned text


@dataclass(frozen=True)
class Column:
    """A column of a table. One with a number format is aligned to the right.

    A terminal that is too narrow wraps the cells of columns that are not `fixed`.
    """

    name: str
    number_format: str = ""
    fixed: bool = False

    def cell(self, value: Any) -> str:
        if value is None:
            return "-" if self.number_format else ""
        return format(value, self.number_format) if self.number_format else str(value)


def _show(text: str, file: IO[str] | None = None) -> None:
    """Print lines; on a terminal with the label at their start in colour."""
    file = file or sys.stdout
    if not file.isatty():
        click.echo(text, file=file)
        return
    from rich.console import Console
    from rich.text import Text

    styled = Text(text)
    for label, style in LABEL_STYLES.items():
        styled.highlight_regex(rf"(?m)^{label}(?= )", style)
    Console(file=file).print(styled, soft_wrap=True)


def _show_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
    cells = [
        [column.cell(value) for column, value in zip(columns, row, strict=True)] for row in rows
    ]
    if not sys.stdout.isatty():
        click.echo(_plain_table(columns, cells))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.name,
            justify="right" if column.number_format else "left",
            no_wrap=column.fixed or bool(column.number_format),
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(Text, row))  # as Text, so that [ ] in a cell is not read as markup
    Console().print(table)


def _plain_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A header and one line per row, with two spaces between columns."""
    lines = [[column.name for column in columns], *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column.number_format else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ).rstrip()
        for line in lines
    )


@contextmanager
def _progress(name: str) -> Iterator[Callable[[str], None]]:
    """On a terminal a spinner, the step and the time; yields a function that sets the step."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    # A stream of its own, since Dagster redirects file descriptor 2 while a step runs.
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8") as terminal,
        Progress(
            *columns, console=Console(file=terminal), transient=True, redirect_stdout=False
        ) as progress,
    ):
        task = progress.add_task(name, total=None)
        yield lambda step: progress.update(task, description=f"{name}: {step}")


def _example(table: "TableDiff", row: "RowDiff") -> tuple[str, str, str, str]:
    """A row of the examples of `diff`: table, kind of difference, key, values."""
    if row.kind == "changed":
        values = [f"{n}: {_value(row.before[n])} -> {_value(row.after[n])}" for n in row.after]
    else:
        given = row.after or row.before
        values = [f"{n}: {_value(value)}" for n, value in given.items() if n not in row.key]
    if len(values) > SHOWN_VALUES:
        values = [*values[:SHOWN_VALUES], f"and {len(values) - SHOWN_VALUES} more"]
    key = " ".join(_value(value) for value in row.key.values())
    return table.table, row.kind, key, ", ".join(values)


def _value(value: Any) -> str:
    """A value on one line; text in it comes from files, so unprintable characters are escaped."""
    from dagster_project.market.printable import printable

    return "null" if value is None else printable(str(value))


if __name__ == "__main__":
    main(prog_name="closing-bell")
