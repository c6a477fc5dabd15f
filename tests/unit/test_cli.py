"""The command `closing-bell`: help, wrong use, and what is shown on a terminal and in a pipe."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.defs import run_in_process
from dagster_project.defs.run_in_process import Outcome
from dagster_project.home import PROJECT_ROOT
from dagster_project.release.close_of_day import CloseOfDay
from dagster_project.release.compare import RowDiff, TableDiff

VERBS = (
    *(
        "nightly",
        "backfill",
        "close",
        "report",
        "anomalies",
        "status",
        "releases",
        "rollback",
        "diff",
        "export",
        "alerts",
        "feed",
        "fetch",
    ),
    "prepare",
)
SHOWN_BY_TERMINALS_ONLY = re.compile("[\x1b─━│┃]")

DIFF = TableDiff(
    table="index_performance",
    added=1,
    removed=0,
    changed=1200,
    columns_added=("note VARCHAR",),
    columns_removed=(),
    examples=(
        RowDiff(
            "changed",
            {"trade_date": date(2025, 9, 17), "symbol": "HSI"},
            {"close": Decimal("26908.39"), "name": None},
            {"close": Decimal("26908.40"), "name": "Hang\x1b[2J [red]Seng"},
        ),
        RowDiff("added", {"symbol": "HSTECH"}, {}, {"symbol": "HSTECH", "close": Decimal("6334")}),
    ),
)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run a command as from a pipe, in a home of its own."""

    def run(*arguments: str) -> Result:
        runner = CliRunner(env={"CLOSING_BELL_HOME": str(tmp_path)})
        return runner.invoke(cli.main, arguments, prog_name="closing-bell")

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 200 columns: `CliRunner` replaces stdout, so its class is changed."""
    monkeypatch.setattr(
        "click.testing._NamedTextIOWrapper.isatty", lambda self: self.name == "<stdout>"
    )
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_help_lists_every_command_and_exit_status(run: Callable[..., Result]) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb} +\S", result.stdout, re.M)
    assert set(cli.main.commands) == set(VERBS)
    for status in ("0  released", "1  the release was withheld", "2  wrong use", "3  released"):
        assert status in result.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_command_has_an_example(run: Callable[..., Result], verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: closing-bell {verb}" in result.stdout


def test_version(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", {"closing-bell": "1.2.3"}.get)
    assert run("--version").stdout == "closing-bell, version 1.2.3\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nightly", "17.09.2025"), "'17.09.2025' is no date; write it as 2025-09-17"),
        (("backfill", "2025-09-17"), "Missing argument 'LAST'"),
        (("backfill", "2025-09-17", "2025-09-16"), "the first date is the later one"),
        (("nightly", "2999-01-01"), "after today"),
        (("nigtly", "2025-09-17"), "No such command 'nigtly'"),
        (("diff", "yesterday", "today"), "no release 'yesterday'"),
        (("feed", "try", "nope", __file__), "no feed is named 'nope'; known: baostock_a_share, "),
        (("feed", "try", "wsj_index", "no/file"), "File 'no/file' does not exist"),
        (("close",), "does not exist yet; run `make nightly DATE=…` first"),
        ((), "Usage: closing-bell"),
    ],
)
def test_wrong_use_is_status_2_and_says_what_is_wrong(
    run: Callable[..., Result], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_spec_is_tried_on_a_file_without_a_home(
    run: Callable[..., Result], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("downloads") / "HSI.csv"
    lines = ["Date, Open, High, Low, Close", "09/16/25,1,2,1,2", "09/15/25,1,2,1,x"]
    file.write_text("\n".join(lines), encoding="utf-8")
    result = run("feed", "try", "wsj_index", str(file))
    assert result.exit_code == 1
    header, loaded, *rest = result.stdout.splitlines()
    assert header.split() == ["line", "symbol", "trade_date", "open", "high", "low", "close"]
    assert loaded.split()[:3] == ["2", "HSI", "2025-09-16"]
    assert "   3  column 'Close' has 'x', which is not what feeds/wsj_index" in "\n".join(rest)
    assert "lines    3 read = 1 loaded + 0 repeated + 1 rejected + 1 of headers" in result.stdout
    file.write_text("\n".join(lines[:2]), encoding="utf-8")
    assert run("feed", "try", "wsj_index", str(file)).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_run_ends_with_its_status_and_its_messages(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    requested = []

    def run_job(home: object, job: str, first: date, last: date, **told: object) -> Outcome:
        requested.append((job, first, last))
        return Outcome(3, ["release  1, up to 2025-09-17"], ["market_report: no font"])

    monkeypatch.setattr(run_in_process, "run_job", run_job)
    result = run("nightly", "2025-09-17")
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "release  1, up to 2025-09-17\n",
        "market_report: no font\n",
    )
    assert run("backfill", "2025-09-16", "2025-09-17").exit_code == 3
    assert requested == [
        ("nightly", date(2025, 9, 17), date(2025, 9, 17)),
        ("history", date(2025, 9, 16), date(2025, 9, 17)),
    ]


def test_diff_in_a_pipe_is_plain_aligned_text(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.release.compare.mart_diff", lambda *_: [DIFF])
    assert run("diff", "a", "b").stdout.splitlines() == [
        "table              added  removed  changed  columns added  columns removed",
        "index_performance      1        0    1,200  note VARCHAR",
        "",
        "Examples",
        "",
        "table              row      key             before -> after",
        "index_performance  changed  2025-09-17 HSI  close: 26908.39 -> 26908.40, "
        "name: null -> Hang\\x1b[2J [red]Seng",
        "index_performance  added    HSTECH          close: 6334",
    ]


def test_diff_shows_a_few_values_of_a_wide_row(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = RowDiff("removed", {}, {f"column_{number}": number for number in range(30)}, {})
    monkeypatch.setattr(
        "dagster_project.release.compare.mart_diff", lambda *_: [replace(DIFF, examples=(row,))]
    )
    shown = run("diff", "a", "b").stdout
    assert "column_4: 4, and 25 more" in shown
    assert "column_5" not in shown


def test_diff_says_so_when_nothing_differs(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.release.compare.mart_diff", lambda *_: [])
    result = run("diff", "a", "b")
    assert (result.exit_code, result.stdout) == (0, "No table differs.\n")


@pytest.mark.usefixtures("terminal")
def test_diff_on_a_terminal_is_a_table(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.release.compare.mart_diff", lambda *_: [DIFF])
    shown = run("diff", "a", "b").stdout
    assert SHOWN_BY_TERMINALS_ONLY.search(shown)
    # What looks like markup or a terminal's command is shown, not obeyed.
    assert "name: null -> Hang\\x1b[2J [red]Seng" in shown


def test_close_in_a_pipe_has_no_colour_box_or_wrapping(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = {
        **{"symbol": "HSI", "close": 26908.39, "change": 469.88, "change_pct": None},
        "closing_high_since": date(2021, 7, 2),
    }
    turnover = {"scope": "all", "trillion_yuan": 2.377, "previous_trillion_yuan": None}
    sectors = {"region": "mainland", "side": "leader", "sectors": "chemicals 5.18 %, " * 10}
    close = CloseOfDay(date(2025, 9, 17), [index], [turnover], [sectors])
    monkeypatch.setattr(
        "dagster_project.release.close_of_day.close_of_day", lambda home, day: close
    )
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    shown = run("close").stdout
    assert not SHOWN_BY_TERMINALS_ONLY.search(shown)
    assert shown.splitlines()[:6] == [
        "Close of 2025-09-17",
        "",
        "index      close   change  %  closing high since",
        "HSI    26,908.39  +469.88  -  2021-07-02",
        "",
        "turnover  trillion yuan  session before",
    ]
    assert "chemicals 5.18 %, " * 9 in shown.splitlines()[-1]


@pytest.mark.usefixtures("terminal")
def test_labels_of_messages_are_coloured_on_a_terminal_only(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["new      index_performance: units: 1 new", f"{'':<9}new signs", "file     a"]
    monkeypatch.setattr(run_in_process, "run_job", lambda *_, **__: Outcome(0, lines))
    shown = run("nightly", "2025-09-17").stdout
    assert "\x1b[33mnew\x1b[0m" in shown
    assert f"{'':<9}new signs" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == "\n".join(lines) + "\n"


def test_help_imports_nothing_slow() -> None:
    """`closing-bell --help` answers at once: Dagster, dbt, DuckDB and rich come with a command."""
    code = (
        "import sys, dagster_project.cli; "
        "print(*{'dagster', 'dbt', 'duckdb', 'pandas', 'pydantic', 'rich'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
