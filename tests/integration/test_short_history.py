"""A night on which a vendor's files hold five sessions in place of the history.

It happens when somebody downloads with `period="5d"` over the same files. The history stays as it
was released, the release goes out, and it names the files and how to mean it.
"""

import shutil
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.warehouse.connection import connect
from tests.cli_process import run_cli
from tests.conftest import BuiltOnce, copy_home

NIGHT = "2025-09-17"
SESSIONS = 5
# File -> number of lines above its rows.
INDEX_FILES = {"wsj_index/HSI.csv": 1, "baostock_index/sh000001.csv": 1}
HEADER_OF_SHARES = 3
# What the history is told by: symbol, number of sessions, first session, record.
HISTORY = {
    "index_performance": "symbol, count(*), min(trade_date), max(closing_high_since), "
    "round(sum(drawdown_pct), 6), count(return_ytd_pct)",
    "security_performance": "symbol, count(*), min(trade_date), sum(close), "
    "round(sum(return_index), 6)",
    "market_turnover": "market, count(*), min(trade_date), sum(turnover), count(average_20d)",
}


def history(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with connect(file, read_only=True) as con:
        return {
            table: con.execute(
                f"select {columns} from main.{table} group by 1 order by 1"
            ).fetchall()
            for table, columns in HISTORY.items()
        }


def keep_last_sessions(file: Path, header: int) -> None:
    """Write a file again with its header and the rows of the last sessions up to the night."""
    date_format = "%m/%d/%y" if file.parent.name == "wsj_index" else "%Y-%m-%d"
    lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
    rows = {datetime.strptime(line.split(",")[0], date_format): line for line in lines[header:]}
    last = sorted(day for day in rows if f"{day:%Y-%m-%d}" <= NIGHT)[-SESSIONS:]
    text = "\n".join([*lines[:header], *(rows[day] for day in last)])
    file.write_text(f"{text}\n", encoding="utf-8")


@pytest.fixture(scope="module")
def short_night(sample_home: Home, built_once: BuiltOnce) -> tuple[Home, str]:
    def build(home: Home) -> None:
        copy_home(sample_home, home.root)
        files = {home.landing / path: header for path, header in INDEX_FILES.items()}
        files |= dict.fromkeys((home.landing / "yahoo_hk").glob("*.csv"), HEADER_OF_SHARES)
        assert len(files) > len(INDEX_FILES) + 20
        for file, header in files.items():
            keep_last_sessions(file, header)
        done = run_cli(home, "nightly", NIGHT)
        assert done.returncode == 0, done.stderr
        (home.root / "said").write_text(done.stdout, encoding="utf-8")

    home = built_once("short_history", build)
    return home, (home.root / "said").read_text(encoding="utf-8")


def test_the_history_stays_as_it_was_released(
    sample_home: Home, short_night: tuple[Home, str]
) -> None:
    home, _ = short_night
    assert history(home.published) == history(sample_home.published)


def test_the_release_names_the_files_and_how_to_mean_it(short_night: tuple[Home, str]) -> None:
    home, printed = short_night
    shares = len(list((home.landing / "yahoo_hk").glob("*.csv")))
    assert "files_set_aside" in printed
    with connect(home.published, read_only=True) as con:
        rows = con.execute(
            "select file, reason, lines_read, rows_refused from main.file_load "
            "where status = 'set_aside' order by file"
        ).fetchall()
    reasons = {file: reason for file, reason, *_ in rows}
    assert len(reasons) == len(INDEX_FILES) + shares
    assert set(INDEX_FILES) <= set(reasons)
    assert (
        " released rows of HSI (2021-01-04 to 2025-09-10); the former content counts on. If "
        in (reasons["wsj_index/HSI.csv"])
    )
    assert "remove the file, run a night, and deliver it again" in reasons["wsj_index/HSI.csv"]
    assert all(lines == refused for *_, lines, refused in rows)


def test_a_second_night_without_news_changes_nothing(short_night: tuple[Home, str]) -> None:
    home, _ = short_night
    assert run_cli(home, "nightly", NIGHT).stdout.startswith("Nothing new")


def test_a_short_content_that_is_meant_comes_after_its_file_was_removed(
    short_night: tuple[Home, str], tmp_path: Path
) -> None:
    home = copy_home(short_night[0], tmp_path / "home")
    file = home.landing / "wsj_index/HSI.csv"
    shutil.move(file, tmp_path / "HSI.csv")
    assert run_cli(home, "nightly", NIGHT).returncode == 0
    shutil.copy2(tmp_path / "HSI.csv", file)
    done = run_cli(home, "nightly", NIGHT)
    assert done.returncode == 0, done.stderr
    with connect(home.published, read_only=True) as con:
        assert _feeds_of(con) == [("wsj_index", SESSIONS)]


def _feeds_of(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute(
        "select feed, count(*) from raw.index_close "
        "where symbol = 'HSI' and feed = 'wsj_index' and is_current group by feed"
    ).fetchall()
