"""The audit: its policy and waivers, and what it finds in a warehouse built by the real steps.

Belongs here: rules (who blocks, who warns, what a waiver does), and that a finding names its file
and line. That every kind of corruption is noticed at all is proven in `tests/proof/corruption.py`.
"""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from dagster_project import pipeline
from dagster_project.audit import waivers as waivers_file
from dagster_project.audit.policy import POLICY, Policy, PolicyError, load_policies
from dagster_project.audit.results import Finding, ReleaseCheck, describe, result_of
from dagster_project.audit.waivers import load_waivers
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.warehouse.connection import connect
from tests.conftest import copy_home
from tests.support import TODAY

NIGHT = date(2025, 9, 17)


def policy(**said: object) -> Policy:
    usual = {"asset": "main/t", "holds": "all is well", "to_do": "look", "severity": "warn"}
    return Policy.model_validate(usual | said)


def write_waivers(folder: Path, *lines: str) -> Path:
    path = folder / "waivers.csv"
    path.write_text("\n".join(["check_name,symbol,trade_date,reason,who", *lines]) + "\n")
    return path


# Policy


def test_the_rule_that_fits_best_decides() -> None:
    said = policy(severity="block", feeds={"a": "off"}, record_kinds={"index_close": "warn"})
    assert said.severity_of({"feed": "a", "record_kind": "index_close"}) == "off"
    assert said.severity_of({"feed": "b", "record_kind": "index_close"}) == "warn"
    assert said.severity_of({"feed": "b", "record_kind": "security_close"}) == "block"
    assert said.severity_of({}) == "block"


def test_a_check_may_block_where_any_rule_of_it_says_so() -> None:
    assert policy(record_kinds={"index_close": "block"}).may_block
    assert not policy(feeds={"a": "off"}).may_block


def test_every_check_says_what_holds_and_what_to_do() -> None:
    tables = {path.stem for path in (POLICY.parents[2] / "dbt_project/models/marts").rglob("*.sql")}
    for name, said in load_policies().items():
        assert said.holds.endswith("."), name
        assert said.to_do[0].islower(), name
        assert said.asset.removeprefix("main/") in tables, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(lonely=content["feeds_usable"]), "lonely"),
        (lambda content: content.pop("feeds_usable"), "feeds_usable"),
        (
            lambda content: content["feeds_usable"].update(severity="maybe"),
            r":5: feeds_usable.severity: ",
        ),
        (
            lambda content: content["feeds_usable"].update(record_kinds={"dream": "off"}),
            r":\d+: feeds_usable.record_kinds: no record kind is named dream",
        ),
        (lambda content: content["feeds_usable"].update(sevirity="warn"), "a typo"),
        (lambda content: content["moves_unusual"]["settings"].update(index_pt=10), "index_pt"),
        (lambda content: content["moves_unusual"]["settings"].clear(), "index_pct"),
    ],
)
def test_a_policy_that_cannot_be_used_is_told(
    change: Callable[[dict[str, dict[str, object]]], object], message: str, tmp_path: Path
) -> None:
    for query in POLICY.parent.glob("*.sql"):
        shutil.copy(query, tmp_path)
    content = yaml.safe_load(POLICY.read_text())
    change(content)
    path = tmp_path / "checks.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(PolicyError, match=message) as told:
        load_policies(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no_such_check,HSI,2025-09-17,real,me", "no check is named 'no_such_check'"),
        ("moves_implausible,HSI,17/9/2025,real,me", "trade_date"),
        ("moves_implausible,HSI,2025-09-17,,me", "reason"),
        ("moves_implausible,HSI,2025-09-17,real,", "who"),
    ],
)
def test_a_waiver_that_waives_nothing_is_told_with_its_line(
    line: str, message: str, tmp_path: Path
) -> None:
    path = write_waivers(tmp_path, "moves_implausible,HSI,2025-09-16,real,me", line)
    with pytest.raises(PolicyError, match=message) as told:
        load_waivers(path)
    assert f"{path}:3" in str(told.value)


def test_a_result_tells_where_what_and_what_to_do() -> None:
    found = Finding("is odd", "warn", None, "HSI", NIGHT, "wsj_index", "wsj_index/HSI.csv", 7)
    assert describe(found) == "wsj_index/HSI.csv:7 2025-09-17 HSI: is odd"
    result = result_of("c", "t", "warn", "all is well", "look at it", [found] * 7)
    assert (result.passed, result.rows_found, len(result.offending_rows)) == (False, 7, 7)
    assert result.explanation.endswith("and 2 more; to do: look at it")
    assert result_of("c", "t", "warn", "all is well", "look", []).explanation == "all is well"


# In a warehouse


def run(home: Home, *, first: date = NIGHT) -> pipeline.RunResult:
    return pipeline.run(home, load_feeds(), (first, NIGHT), TODAY)


def check(result: pipeline.RunResult, name: str) -> ReleaseCheck:
    return next(check for check in result.checks if check.check_name == name)


@pytest.fixture(scope="module")
def small_home(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample's last weeks up to the evening before."""
    home = Home(tmp_path_factory.mktemp("audit") / "home")
    shutil.copytree(sample_home.landing, home.landing)
    (home.landing / "tushare_index_daily").mkdir(exist_ok=True)
    result = pipeline.run(home, load_feeds(), (date(2025, 8, 1), date(2025, 9, 16)), TODAY)
    assert result.release
    return home


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


def test_yesterdays_market_again_is_withheld(home: Home) -> None:
    before, today = (home.landing / f"tushare_daily/202509{day}.csv" for day in (16, 17))
    today.write_text(before.read_text().replace("20250916", "20250917"))
    result = run(home)
    assert result.release is None
    (xshe, xshg) = sorted(
        check(result, "market_repeats_session").offending_rows, key=lambda row: row.symbol or ""
    )
    assert (xshe.symbol, xshg.symbol) == ("XSHE", "XSHG")
    assert xshe.file == "tushare_daily/20250917.csv"


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
