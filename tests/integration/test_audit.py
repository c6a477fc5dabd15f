"""What the audit finds in a warehouse built by the real steps.

Belongs here: what blocks, what warns, what a waiver or another threshold does, and that a finding
names its file and line. That every kind of corruption is noticed is proven in
`tests/proof/corruption.py`; policy and waivers by themselves are in `tests/unit/audit/`.
"""

import re
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dagster_project import fingerprint, pipeline
from dagster_project.audit import waivers as waivers_file
from dagster_project.audit.results import ReleaseCheck
from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.warehouse import dbt_run
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.state import Rebuild
from tests.conftest import BuiltOnce, copy_home
from tests.support import TODAY

NIGHT = date(2025, 9, 17)


def write_waivers(folder: Path, *lines: str) -> Path:
    path = folder / "waivers.csv"
    path.write_text("\n".join(["check_name,symbol,trade_date,reason,who", *lines]) + "\n")
    return path


def run(home: Home, *, first: date = NIGHT, last: date = NIGHT) -> pipeline.RunResult:
    return pipeline.run(home, load_feeds(), (first, last), TODAY)


def check(result: pipeline.RunResult, name: str) -> ReleaseCheck:
    return next(check for check in result.checks if check.check_name == name)


@pytest.fixture(scope="module")
def small_home(sample_home: Home, built_once: BuiltOnce) -> Home:
    """The sample's last weeks up to the evening before."""

    def build(home: Home) -> None:
        shutil.copytree(sample_home.landing, home.landing)
        (home.landing / "tushare_index_daily").mkdir(exist_ok=True)
        assert run(home, first=date(2025, 8, 1), last=date(2025, 9, 16)).release

    return built_once("audit", build)


@pytest.fixture
def home(small_home: Home, tmp_path: Path) -> Home:
    return copy_home(small_home, tmp_path / "home")


def edit(home: Home, file: str, change: Callable[[list[str]], list[str]]) -> None:
    path = home.landing / file
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join(change(lines)), encoding="utf-8")


def hundredfold(lines: list[str]) -> list[str]:
    """HSI of 17 September a hundred times as high."""
    return [
        ", ".join([day, *(str(float(value) * 100) for value in values)])
        if day == "09/17/25"
        else line
        for line in lines
        for day, *values in [line.split(", ")]
    ]


def repeat_prices_of_the_day_before(lines: list[str]) -> list[str]:
    """The prices of the day before in the row of 17 September of a file of Yahoo."""
    (night,) = (at for at, line in enumerate(lines) if line.startswith("2025-09-17,"))
    _, *prices, _ = lines[night - 1].split(",")
    *_, volume = lines[night].split(",")
    return [*lines[:night], ",".join(["2025-09-17", *prices, volume]), *lines[night + 1 :]]


def test_what_blocks_is_named_with_its_line_and_a_waiver_unblocks_exactly_that(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(home, "wsj_index/HSI.csv", hundredfold)
    line = next(
        number
        for number, text in enumerate((home.landing / "wsj_index/HSI.csv").open(), 1)
        if text.startswith("09/17/25")
    )
    withheld = run(home)
    assert withheld.release is None
    (found,) = check(withheld, "moves_implausible").offending_rows
    assert (found.file, found.line_number) == ("wsj_index/HSI.csv", line)
    assert (found.symbol, found.trade_date, found.severity) == ("HSI", NIGHT, "block")
    assert f"wsj_index/HSI.csv:{line}" in (withheld.withheld or "")

    # Somebody else's anomaly waives nothing.
    other = write_waivers(tmp_path, "moves_implausible,HSTECH,2025-09-17,real,A. Reviewer")
    monkeypatch.setattr(waivers_file, "WAIVERS", other)
    assert run(home).release is None

    write_waivers(tmp_path, "moves_implausible,HSI,2025-09-17,the index was rebased,A. Reviewer")
    released = run(home)
    assert released.release
    with connect(home.published, read_only=True) as con:
        (row,) = con.execute("""
            select passed, rows_found, rows_waived, explanation,
                offending_rows[1].waiver, offending_rows[1].line_number
            from main.release_check where check_name = 'moves_implausible'""").fetchall()
    assert row[:3] == (True, 0, 1)
    assert "the index was rebased (A. Reviewer)" in row[3]
    assert row[4:] == ("the index was rebased (A. Reviewer)", line)


def test_a_changed_waiver_is_something_new(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(home).release
    assert first
    from dagster_project.pipeline import nothing_new

    assert nothing_new(home, load_feeds(), (NIGHT, NIGHT), TODAY)
    waivers = write_waivers(tmp_path, "moves_implausible,HSI,2025-09-17,looked at it,A. Reviewer")
    monkeypatch.setattr(waivers_file, "WAIVERS", waivers)
    assert not nothing_new(home, load_feeds(), (NIGHT, NIGHT), TODAY)
    second = run(home).release
    assert second
    assert second.what_changed.startswith("checks or waivers changed")
    assert second.rebuilt_from == NIGHT


def test_another_threshold_rebuilds_the_views_and_no_table(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(home).release
    for folder in ("dagster_project", "dbt_project", "seeds"):
        shutil.copytree(PROJECT_ROOT / folder, tmp_path / folder)
    project = tmp_path / "dbt_project"
    checks = project / "models/audit/checks.yaml"
    text = checks.read_text(encoding="utf-8")
    assert text.count("settings: {index_pct: 10}") == 1
    checks.write_text(text.replace("{index_pct: 10}", "{index_pct: 0.1}"), encoding="utf-8")
    monkeypatch.setattr(fingerprint, "PROJECT_ROOT", tmp_path)
    monkeypatch.setattr(dbt_run, "DBT_PROJECT", project)
    built: list[tuple[list[str], date]] = []

    def build(home: Home, selection: list[str], rebuild: Rebuild, *rest: Any) -> object:
        result = dbt_run.build(home, selection, rebuild, *rest)
        built.append((sorted(result.statuses), rebuild.first))
        return result

    monkeypatch.setattr(pipeline, "build", build)
    result = run(home)
    assert result.release
    assert result.release.what_changed.startswith("checks or waivers changed")
    assert result.release.rebuilt_from == NIGHT
    found = check(result, "moves_unusual")
    assert found.rows_found > 1
    # What the check now finds in sessions that did not change is an anomaly of the release too.
    assert len({row.trade_date for row in found.offending_rows}) > 1
    ((nodes, rebuilt_from),) = built
    assert "moves_unusual" in nodes
    assert "index_performance" in nodes
    assert "stg_index_close" not in nodes  # what no night builds
    assert rebuilt_from == NIGHT


def test_a_plain_night_builds_no_view_of_the_audit(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    selections: list[object] = []

    def build(home: Home, selection: list[str], *rest: Any) -> object:
        selections.append(selection)
        return dbt_run.build(home, selection, *rest)

    monkeypatch.setattr(pipeline, "build", build)
    assert run(home).release
    assert selections == [["--selector", "night"]]


def test_whoever_sets_no_date_sees_what_a_check_finds_in_all_of_history(home: Home) -> None:
    assert run(home).release
    count = "select count(*) from audit.reference_previous_close"
    with connect(home.published, read_only=True) as con:
        everything = con.execute(count).fetchall()
        con.execute("set variable changed_from = '1900-01-01'::DATE")
        assert con.execute(count).fetchall() == everything
        con.execute("set variable changed_from = '2100-01-01'::DATE")
        assert con.execute(count).fetchall() == [(0,)]


def test_a_corrected_old_row_is_told_and_released(home: Home) -> None:
    assert run(home).release

    def correct(lines: list[str]) -> list[str]:
        found = next(number for number, line in enumerate(lines) if line.startswith("08/15/25"))
        day, open_, high, low, close = lines[found].split(", ")
        lines[found] = ", ".join([day, open_, high, low, f"{float(close) - 0.01:.2f}"])
        return lines

    edit(home, "wsj_index/HSI.csv", correct)
    result = run(home)
    assert result.release
    assert result.release.rebuilt_from == date(2025, 8, 15)
    told = check(result, "history_restated")
    assert (told.severity, told.rows_found) == ("warn", 1)
    assert told.offending_rows[0].file == "wsj_index/HSI.csv"
    assert told.offending_rows[0].trade_date == date(2025, 8, 15)


@pytest.mark.parametrize("lost", [5, 300])
def test_old_rows_that_figures_look_back_on_are_told_when_they_vanish(
    home: Home, lost: int
) -> None:
    """They are not covered; `record_begins` and `closing_high_since` rest on them all the same."""
    assert run(home).release
    edit(home, "wsj_index/HSI.csv", lambda lines: [*lines[: -lost - 1], ""])
    result = run(home)
    assert result.release, result.withheld
    told = check(result, "history_restated")
    assert [(row.symbol, row.trade_date) for row in told.offending_rows] == (
        [("HSI", date(2021, 1, 4))] if lost > 20 else []
    )


def test_another_symbols_history_is_withheld_and_may_be_put_right(home: Home) -> None:
    assert run(home).release
    file = home.landing / "baostock_index/sz399001.csv"
    right = file.read_bytes()
    shutil.copyfile(home.landing / "baostock_index/sh000001.csv", file)
    result = run(home)
    assert result.release is None
    named = {c.check_name for c in result.checks if not c.passed and c.severity == "block"}
    assert {"history_rewritten", "series_stated_twice"} <= named

    file.write_bytes(right)
    result = run(home)
    assert result.release, result.withheld
    assert check(result, "history_rewritten").passed
    assert check(result, "history_restated").passed


def test_old_and_new_code_of_one_share_are_released_with_a_warning(home: Home) -> None:
    """A vendor gives the whole history under both codes: one share, two symbols."""

    def add_both(lines: list[str]) -> list[str]:
        figures = "20250917,18.10,18.40,18.02,18.33,18.12,0.21,1.1589,120345.10,219876.540"
        return [lines[0], *(f"{code},{figures}" for code in ("000022.SZ", "001872.SZ")), *lines[1:]]

    edit(home, "tushare_daily/20250917.csv", add_both)
    result = run(home)
    assert result.release, result.withheld
    assert check(result, "series_stated_twice").passed
    told = check(result, "rows_under_former_codes")
    assert (told.severity, told.rows_found) == ("warn", 1)
    assert (told.offending_rows[0].symbol, told.offending_rows[0].line_number) == ("000022.SZ", 2)
    with connect(home.published, read_only=True) as con:
        codes = "select symbol, former_codes, new_symbol from main.dim_security where symbol in "
        assert con.execute(codes + "('000022.SZ', '001872.SZ') order by symbol").fetchall() == [
            ("000022.SZ", None, "001872.SZ"),
            ("001872.SZ", "to 2018-12-25: 000022.SZ", None),
        ]


def test_turnover_that_a_vendor_counts_otherwise_is_told_and_released(home: Home) -> None:
    """Two percent less in every row is another way to count, not another unit."""
    assert run(home).release

    def count_otherwise(lines: list[str]) -> list[str]:
        rows = [line.split(",") for line in lines[1:] if line]
        for row in rows:
            row[6] = f"{float(row[6]) * 0.98:.4f}"
        return [lines[0], *(",".join(row) for row in rows), ""]

    edit(home, "baostock_index/sh000001.csv", count_otherwise)
    result = run(home)
    assert result.release, result.withheld
    assert check(result, "history_rewritten").passed
    restated = check(result, "history_restated").offending_rows
    assert "baostock_index/sh000001.csv" in {row.file for row in restated}


def test_yesterdays_market_again_does_not_count_and_the_rest_is_released(home: Home) -> None:
    before, today = (home.landing / f"tushare_daily/202509{day}.csv" for day in (16, 17))
    today.write_text(before.read_text().replace("20250916", "20250917"))
    result = run(home)
    assert result.release, result.withheld
    (xshe, xshg) = sorted(
        check(result, "sessions_quarantined").offending_rows, key=lambda row: row.symbol or ""
    )
    assert (xshe.symbol, xshg.symbol) == ("XSHE", "XSHG")
    assert xshe.file == "tushare_daily/20250917.csv"
    assert re.match(r"\d+ of \d+ securities have the prices of 2025-09-16; none of", xshe.what)
    with connect(home.published, read_only=True) as con:
        # The other feeds of the mainland count, and are the origin of what is published.
        for feeds in (
            "select distinct feed from main.security_performance where trade_date = ?",
            """select distinct feed from main.figure_origin
            where trade_date = ? and is_chosen and record_kind = 'security_close'""",
        ):
            assert sorted(con.execute(feeds, [NIGHT]).fetchall()) == [
                ("baostock_a_share",),
                ("eastmoney_a_share",),
                ("yahoo_hk",),
            ]
        assert con.execute(
            """select distinct status, is_late from main.session_coverage
            where trade_date = ? and feed = 'tushare_daily'""",
            [NIGHT],
        ).fetchall() == [("quarantined", True)]


def test_a_market_without_another_feed_lacks_the_session_that_does_not_count(home: Home) -> None:
    """Prices of the day before under tonight's date, with other volumes."""
    for file in (home.landing / "yahoo_hk").iterdir():
        edit(home, f"yahoo_hk/{file.name}", repeat_prices_of_the_day_before)
    result = run(home)
    assert result.release, result.withheld
    (found,) = check(result, "sessions_quarantined").offending_rows
    assert (found.feed, found.symbol, found.trade_date) == ("yahoo_hk", "XHKG", NIGHT)
    with connect(home.published, read_only=True) as con:
        for table in ("market_breadth", "security_performance"):
            markets = con.execute(
                f"select distinct market from main.{table} where trade_date = ?", [NIGHT]
            ).fetchall()
            assert sorted(markets) == [("XSHE",), ("XSHG",)]
        assert con.execute(
            "select close from main.index_performance where symbol = 'HSI' and trade_date = ?",
            [NIGHT],
        ).fetchone() == (Decimal("26908.390000"),)


def test_a_missing_market_is_told_and_the_rest_is_released(home: Home) -> None:
    (home.landing / "tushare_daily/20250917.csv").unlink()
    for file in (home.landing / "wsj_index").iterdir():
        edit(
            home, f"wsj_index/{file.name}", lambda lines: [x for x in lines if "09/17/25" not in x]
        )
    result = run(home)
    assert result.release
    missing = {
        (row.feed, row.trade_date): row.what
        for row in check(result, "deliveries_missing").offending_rows
    }
    assert "brought nothing" in missing["tushare_daily", NIGHT]
    assert "brought nothing" in missing["wsj_index", NIGHT]


def anomalies(home: Home, check_name: str) -> list[tuple[str, date, str, bool]]:
    with connect(home.published, read_only=True) as con:
        return con.execute(
            """select symbol, trade_date, first_seen, is_new from main.anomaly
            where check_name = ? order by symbol, trade_date""",
            [check_name],
        ).fetchall()


def tenfold(day: str) -> Callable[[list[str]], list[str]]:
    """Close, high and low of HSI on one day ten times as high."""

    def change(lines: list[str]) -> list[str]:
        rows = [line.split(", ") for line in lines]
        return [
            ", ".join([row[0], *(str(float(value) * 10) for value in row[1:])])
            if row[0] == day
            else line
            for line, row in zip(lines, rows, strict=True)
        ]

    return change


def test_what_is_odd_in_a_first_load_is_an_anomaly_and_withholds_nothing(
    sample_home: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(sample_home.landing, home.landing)
    edit(home, "wsj_index/HSI.csv", tenfold("08/15/25"))
    first = pipeline.run(home, load_feeds(), (date(2025, 8, 1), date(2025, 9, 16)), TODAY).release
    assert first
    places = [("HSI", date(2025, 8, 15)), ("HSI", date(2025, 8, 18))]
    found = [(*place, first.release_id, True) for place in places]
    assert anomalies(home, "moves_implausible") == found

    # A night tells only what is new, and forgets nothing.
    result = run(home)
    assert result.release
    told = check(result, "moves_implausible")
    assert (told.passed, told.severity, told.rows_found, told.rows_new) == (False, "warn", 2, 0)
    assert told.explanation.startswith("nothing new; 2 stand since earlier releases, ")
    stands = [(*place, first.release_id, False) for place in places]
    assert anomalies(home, "moves_implausible") == stands

    # Once the file is corrected, they are gone.
    shutil.copy(sample_home.landing / "wsj_index/HSI.csv", home.landing / "wsj_index/HSI.csv")
    assert run(home).release
    assert anomalies(home, "moves_implausible") == []


def test_a_correction_that_makes_a_released_session_implausible_is_withheld(home: Home) -> None:
    assert run(home).release
    edit(home, "wsj_index/HSI.csv", tenfold("08/15/25"))
    result = run(home)
    assert result.release is None
    found = check(result, "moves_implausible")
    assert (found.severity, found.rows_found) == ("block", 2)
    # Only the corrected session is evidence; the next one follows from it.
    assert [(row.trade_date, row.severity) for row in found.offending_rows] == [
        (date(2025, 8, 15), "block"),
        (date(2025, 8, 18), "warn"),
    ]


def test_shares_that_are_all_listed_on_one_day_are_released(tmp_path: Path) -> None:
    """As on the first day of STAR: no limit applies, and their feed had nothing before."""
    home = Home(tmp_path / "home")
    folder = home.landing / "baostock_a_share"
    folder.mkdir(parents=True)
    days = ("2019-07-22", "2019-07-23", "2019-07-24", "2019-07-25", "2019-07-26", "2019-07-29")
    closes = ("82.92", "64.00", "79.17", "78.63", "79.57", "95.48")
    for share in range(5):
        lines = [
            "date,code,open,high,low,close,preclose,volume,amount,adjustflag,turn,tradestatus,"
            "pctChg,isST"
        ]
        for day, close, before in zip(days, closes, ("27.46", *closes), strict=False):
            price = f"{float(close) + share:.2f}"
            reference = f"{float(before) + share:.2f}"
            amount = f"{float(price) * (100 + share):.2f}"
            lines.append(
                f"{day},sh.68800{share},{price},{price},{price},{price},{reference},{100 + share},"
                f"{amount},3,0.5,1,,0"
            )
        (folder / f"sh.68800{share}.csv").write_text("\n".join(lines) + "\n")
    first, last = date(2019, 7, 22), date(2019, 7, 29)
    result = pipeline.run(home, load_feeds(), (first, last), TODAY)
    assert result.release, result.withheld
    assert check(result, "sessions_quarantined").passed
    assert check(result, "moves_beyond_limit").passed
    with connect(home.published, read_only=True) as con:
        limits = con.execute("""
            select limit_pct, at_limit, sessions_since_listing from main.security_performance
            where symbol = '688000.SH' order by trade_date""").fetchall()
    assert limits == [*((None, None, number) for number in range(1, 6)), (20, "up", 6)]
