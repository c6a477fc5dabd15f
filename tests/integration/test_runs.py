"""Runs as a data engineer and the nightly schedule start them: what is written, said, withheld."""

import multiprocessing
import os
import re
import shutil
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.dbt_run import build
from dagster_project.warehouse.state import REBUILD_ALL
from tests.cli_process import run_cli, start_cli
from tests.conftest import BuiltOnce, copy_home

# What a rebuild may not repeat: when rows came in, and the releases themselves.
NOT_COMPARED = {"release", "release_check"}
MOMENTS = {"loaded_at", "first_seen", "is_new"}


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The published tables and views but those that tell of releases."""
    rows = con.execute(
        "select table_name from information_schema.tables where table_schema = 'main'"
    ).fetchall()
    return sorted({name for (name,) in rows} - NOT_COMPARED)


def differences(a: Path, b: Path) -> dict[str, int]:
    """Rows that only one of two warehouses has, by published table."""
    with duckdb.connect() as con:
        con.execute(f"attach '{a}' as a (read_only)")
        con.execute(f"attach '{b}' as b (read_only)")
        con.execute("use a.main")
        found = {}
        for table in tables(con):
            columns = ", ".join(
                f'"{name}"'
                for (name,) in con.execute(
                    "select column_name from information_schema.columns "
                    "where table_catalog = 'a' and table_schema = 'main' and table_name = ?",
                    [table],
                ).fetchall()
                if name not in MOMENTS
            )
            (rows,) = con.execute(f"""
                select count(*) from (
                    (select {columns} from a.main.{table}
                     except all select {columns} from b.main.{table})
                    union all
                    (select {columns} from b.main.{table}
                     except all select {columns} from a.main.{table}))""").fetchone() or (0,)
            if rows:
                found[table] = rows
        return found


def snapshot(home: Home) -> dict[str, tuple[int, int]]:
    """Inode and modification time of what a run may write for analysts and for itself."""
    files = [home.warehouse, home.published, *home.releases.iterdir()]
    return {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def test_nothing_new_writes_nothing_and_says_so(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    before = snapshot(home)
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    assert "Nothing new" in done.stdout
    assert snapshot(home) == before


def test_nights_on_top_of_history_equal_one_rebuild(sample_home: Home, tmp_path: Path) -> None:
    """Law 2: history first and then two nights, or all at once: the same tables."""
    nights = Home(tmp_path / "nights")
    shutil.copytree(sample_home.landing, nights.landing)
    assert run_cli(nights, "backfill", "2021-01-01", "2025-09-15").returncode == 0
    for night in ("2025-09-16", "2025-09-17"):
        done = run_cli(nights, "nightly", night)
        assert done.returncode == 0, done.stderr
    assert differences(nights.published, sample_home.published) == {}


def test_full_refresh_equals_incremental_on_real_files(real_home: Home, tmp_path: Path) -> None:
    home = copy_home(real_home, tmp_path / "home")
    result = build(home, [], REBUILD_ALL)
    assert result.errors == []
    assert differences(home.warehouse, real_home.published) == {}


@pytest.mark.parametrize(
    "correction",
    [
        pytest.param("another close", marks=pytest.mark.long),
        pytest.param("row gone", marks=pytest.mark.long),
        "whole session",
    ],
)
def test_a_correction_of_old_sessions_equals_a_full_refresh_on_real_files(
    real_home: Home, tmp_path: Path, correction: str
) -> None:
    """Few securities are rebuilt alone, and all of them where a whole session changed."""
    home = copy_home(real_home, tmp_path / "home")
    files = sorted((home.landing / "yahoo_hk").glob("*.csv"))
    for path in files if correction == "whole session" else files[:1]:
        lines = path.read_text().splitlines(keepends=True)
        found = [n for n, line in enumerate(lines) if line.startswith("2023-03-15")]
        if not found:  # listed later
            continue
        (number,) = found
        day, close, high, low, open_, volume = lines[number].split(",")
        if correction == "another close":
            lines[number] = ",".join([day, high, high, low, open_, volume])
        elif correction == "row gone":
            del lines[number]
        else:
            lines[number] = ",".join([day, close, high, low, open_, "0\n"])
        path.unlink()
        path.write_text("".join(lines))
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    corrected = tmp_path / "corrected.duckdb"
    shutil.copy(home.published, corrected)
    assert differences(corrected, real_home.published)
    assert build(home, [], REBUILD_ALL).errors == []
    assert differences(home.warehouse, corrected) == {}


def test_a_row_that_made_a_session_of_its_feed_is_felt_by_all_securities(
    sample_home: Home, tmp_path: Path
) -> None:
    """Only one security changes, and with it whether its feed delivered that session."""
    home = copy_home(sample_home, tmp_path / "home")

    def remove_row(path: Path) -> None:
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith("2025-03-12")]
        assert len(kept) == len(lines) - 1, path
        path.unlink()
        path.write_text("".join(kept))

    last, *others = sorted((home.landing / "yahoo_hk").glob("*.csv"))
    for path in others:
        remove_row(path)
    assert run_cli(home, "nightly", "2025-09-17").returncode == 0
    remove_row(last)
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    with connect(home.published, read_only=True) as con:
        said = con.execute("select what_changed from main.release order by release_id").fetchall()
    assert "sessions judged anew from 2025-03-12 on" in said[-1][0]
    corrected = tmp_path / "corrected.duckdb"
    shutil.copy(home.published, corrected)
    assert build(home, [], REBUILD_ALL).errors == []
    assert differences(home.warehouse, corrected) == {}


@pytest.fixture(scope="module")
def corrected_home(sample_home: Home, built_once: BuiltOnce) -> Home:
    """The sample, and a second release after one close of the Hang Seng Index was corrected."""

    def build(home: Home) -> None:
        copy_home(sample_home, home.root)
        file = home.landing / "wsj_index" / "HSI.csv"
        text = file.read_text()
        assert text.count(" 26908.39") == 1
        file.write_text(text.replace(" 26908.39", " 26908.40"))
        done = run_cli(home, "nightly", "2025-09-17")
        assert done.returncode == 0, done.stderr

    return built_once("corrected", build)


def test_a_correction_reaches_the_release_and_the_old_value_stays(corrected_home: Home) -> None:
    with connect(corrected_home.published, read_only=True) as con:
        assert con.execute(
            "select close::DOUBLE from main.index_performance "
            "where symbol = 'HSI' and trade_date = '2025-09-17'"
        ).fetchall() == [(26908.4,)]
        assert con.execute(
            "select close::DOUBLE, trade_date::VARCHAR from raw.index_close_superseded"
        ).fetchall() == [(26908.39, "2025-09-17")]


def test_diff_shows_a_correction_before_and_after(corrected_home: Home) -> None:
    listed = run_cli(corrected_home, "releases").stdout.splitlines()[1:]
    first, second = (line.split()[0] for line in listed)
    done = run_cli(corrected_home, "diff", first, second)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^index_performance +0 +0 +1$", done.stdout, re.M), done.stdout
    assert re.search(
        r"^index_performance +changed +2025-09-17 HSI +close: 26908.39\d* -> 26908.40",
        done.stdout,
        re.M,
    ), done.stdout
    same = run_cli(corrected_home, "diff", second, second)
    assert same.stdout == "No table differs.\n"


def test_diff_of_a_release_that_is_not_kept_is_wrong_use(corrected_home: Home) -> None:
    done = run_cli(corrected_home, "diff", "yesterday", "today")
    assert done.returncode == 2
    assert "closing-bell: no release 'yesterday'" in done.stderr


def multiply_the_index(landing: Path) -> None:
    """Make the Hang Seng of 2025-09-17 a hundred times as high."""
    file = landing / "wsj_index" / "HSI.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    (night,) = (at for at, line in enumerate(lines) if line.startswith("09/17/25"))
    day, *prices = lines[night].split(", ")
    lines[night] = ", ".join([day, *(str(float(price) * 100) for price in prices)])
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_feed_that_lies_about_its_units_is_refused(sample_home: Home, tmp_path: Path) -> None:
    """Volume in shares where the spec says lots, on one night: another feed is taken."""
    home = copy_home(sample_home, tmp_path / "home")
    for file in (home.landing / "eastmoney_a_share").iterdir():
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        position = header.split(",").index("成交量")
        rows = [line.split(",") for line in lines]
        for row in rows:
            row[position] += "00" if row[0] == "2025-09-17" else ""
        file.write_text("\n".join([header, *map(",".join, rows)]) + "\n", encoding="utf-8")
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 0, done.stderr
    assert "rows_refused: 41 new; to do: correct the line" in done.stdout
    assert "eastmoney_a_share/000001.csv:1144: " in done.stdout
    assert "another unit than feeds/eastmoney_a_share.yaml declares" in done.stdout
    assert "late     2025-09-17 XSHE, XSHG eastmoney_a_share: nothing that counts" in done.stdout


def test_an_implausible_index_is_withheld(sample_home: Home, tmp_path: Path) -> None:
    """The last good release stays, and it says why, row by row."""
    home = copy_home(sample_home, tmp_path / "home")
    multiply_the_index(home.landing)
    before = snapshot(home)[str(home.published)]
    done = run_cli(home, "nightly", "2025-09-17")
    assert done.returncode == 1
    assert "blocked  security_performance: moves_implausible: " in done.stderr
    assert "to do: check both closes for a price in another unit" in done.stderr
    assert re.search(r"^ {9}wsj_index/HSI\.csv:\d+ 2025-09-17 HSI: \d+", done.stderr, re.M)
    assert f"The release was withheld; {home.published} stays as it was." in done.stderr
    assert snapshot(home)[str(home.published)] == before


def test_bad_files_are_named_and_the_good_ones_are_loaded(
    sample_home: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(sample_home.landing, home.landing)
    shutil.rmtree(home.landing / "ecb_exchange_rates")
    hstech = home.landing / "sina_index" / "hstech.csv"
    hstech.write_text(hstech.read_text(encoding="utf-8").replace("close", "last", 1), "utf-8")
    (home.landing / "wsj_index" / "NIKKEI.csv").write_text("Date, Open, High, Low, Close\n")
    (home.landing / "yahoo_hk" / "0700.HK.csv").write_bytes(b"\xff\xfe not a table")
    (home.landing / "csindex" / "931743.json").write_text("<html>Access denied</html>")
    (home.landing / "wsj_indices").mkdir()
    done = run_cli(home, "backfill", "2025-01-01", "2025-09-17")
    assert done.returncode == 0, done.stderr
    for said in (
        "sina_index/hstech.csv:1: is set aside: column 'close' is missing",
        "wsj_index/NIKKEI.csv: is set aside: symbol 'NIKKEI' is not a known index",
        "yahoo_hk/0700.HK.csv:1: is set aside: is not utf-8",
        "csindex/931743.json:1: is set aside: is a web page, not data",
        "landing/wsj_indices belongs to no feed",
    ):
        assert said in done.stdout, done.stdout
    assert "ecb_exchange_rates" not in done.stdout  # a feed that is only offered
    shutil.rmtree(home.landing / "sina_index")
    (home.landing / "wsj_index" / "FTSE.csv").write_text("Date, Open, High, Low, Close\n")
    done = run_cli(home, "nightly", "2025-09-17")
    assert f"{home.landing}/sina_index is not a folder" in done.stdout
    with connect(home.published, read_only=True) as con:
        symbols = {
            symbol
            for (symbol,) in con.execute(
                "select symbol from main.index_performance where trade_date = '2025-09-17'"
            ).fetchall()
        }
    assert {"HSI", "HSCEI", "000001.SH", "399001.SZ"} <= symbols
    assert not {"HSTECH", "931743.CSI"} & symbols


def test_a_weekend_reports_the_last_session_that_the_release_holds(
    sample_home: Home, tmp_path: Path
) -> None:
    """The Friday before, which the night takes in with Thursday."""
    home = copy_home(sample_home, tmp_path / "home")
    shutil.rmtree(home.reports)
    done = run_cli(home, "nightly", "2025-09-20")
    assert done.returncode == 0, done.stderr
    assert [day.name for day in home.reports.iterdir() if day.is_dir()] == ["2025-09-19"]
    assert f"report   {home.reports}/2025-09-19/market_report.html" in done.stdout


def test_a_weekend_before_any_session_has_no_report(sample_home: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(sample_home.landing / "wsj_index", home.landing / "wsj_index")
    done = run_cli(home, "nightly", "2025-09-20")
    assert done.returncode == 0, done.stderr
    assert not home.reports.exists()


def test_a_run_that_fails_before_its_first_step_says_why(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    home.warehouse.with_name("warehouse.lock").unlink(missing_ok=True)
    home.warehouse.with_name("warehouse.lock").mkdir()
    done = run_cli(home, "nightly", "2025-09-18")
    assert done.returncode == 1
    assert "warehouse.lock" in done.stderr
    assert "The release was withheld" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nightly", "2999-01-01"), "after today"),
        (("backfill", "2025-09-17", "2025-09-16"), "the first date is the later one"),
        (("nightly", "17.09.2025"), "is no date"),
    ],
)
def test_impossible_dates_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run_cli(Home(tmp_path), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def read_in_a_loop(published: str, stop: Event, results: "multiprocessing.Queue[object]") -> None:
    """An analyst: opens, asks two questions that must agree, closes; again and again."""
    reads, seen = 0, set()
    try:
        while not stop.is_set():
            with connect(Path(published), read_only=True) as con:
                (clock,) = con.execute(
                    "select clock from main.release order by release_id desc limit 1"
                ).fetchone() or (None,)
                (last,) = con.execute(
                    "select max(trade_date) from main.index_performance"
                ).fetchone() or (None,)
                assert clock == last, f"mixed: release of {clock}, figures of {last}"
                seen.add(str(clock))
            reads += 1
            time.sleep(0.01)
        results.put((reads, seen))
    except BaseException as error:
        results.put(error)
        raise


def test_analysts_read_through_a_run(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    readers = [
        context.Process(target=read_in_a_loop, args=(str(home.published), stop, results))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    done = run_cli(home, "nightly", "2025-09-18")
    time.sleep(1)
    stop.set()
    found = [results.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    assert done.returncode == 0, done.stderr
    for result in found:
        assert isinstance(result, tuple), result
        reads, seen = result
        assert reads > 10
        assert seen == {"2025-09-17", "2025-09-18"}


def test_two_writers_do_not_meet(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    os.environ.pop("CLOSING_BELL_HOME", None)
    with (
        home.writer_lock(),
        pytest.raises(RuntimeError, match=f"process {os.getpid()}"),
        home.writer_lock(timeout_seconds=0.1),
    ):
        pass


def test_a_run_that_waits_for_another_says_so(sample_home: Home, tmp_path: Path) -> None:
    home = copy_home(sample_home, tmp_path / "home")
    with home.writer_lock():
        waiting = start_cli(home, "nightly", "2025-09-17")
        assert waiting.stderr
        assert waiting.stderr.readline() == (
            f"This run waits: {home.warehouse} is being written by process {os.getpid()}\n"
        )
    said, _ = waiting.communicate(timeout=120)
    assert "Nothing new" in said
    assert waiting.returncode == 0
