"""The page of the history: each value on it and each line it names are those of the release."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

import pytest

from dagster_project.home import Home
from dagster_project.report.explore import PAGE, write_explore
from dagster_project.warehouse.connection import connect
from tests.integration.test_report import HOSTILE, changed, home_beside

EPOCH = date(1970, 1, 1)


def page_of(home: Home) -> str:
    with connect(home.published, read_only=True) as con:
        write_explore(home, con, "hong_kong")
    return (home.reports / PAGE).read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data: dict[str, Any] = json.loads(text)
    return data


def days_of(series: dict[str, Any]) -> list[date]:
    return [EPOCH + timedelta(number) for number in accumulate(series["days"])]


def places_of(series: dict[str, Any], files: Sequence[str]) -> Iterator[tuple[str, int]]:
    for count, file, line, step in series["places"]:
        for position in range(count):
            yield files[file], line + position * step


@pytest.fixture(scope="module")
def home(sample_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home_beside(sample_home.published, tmp_path_factory.mktemp("explore") / "home")


@pytest.fixture(scope="module")
def data(home: Home) -> dict[str, Any]:
    return data_of(page_of(home))


@pytest.mark.parametrize(
    ("what", "table", "value", "kind", "scale"),
    [
        ("indices", "index_performance", "close", "index_close", 100),
        (
            "securities",
            "security_performance",
            "coalesce(close_adjusted, close)",
            "security_close",
            1000,
        ),
    ],
)
def test_each_close_and_its_line_are_those_of_the_release(
    home: Home, data: dict[str, Any], what: str, table: str, value: str, kind: str, scale: int
) -> None:
    with connect(home.published, read_only=True) as con:
        closes = {
            (symbol, day): close
            for symbol, day, close in con.execute(
                f"select symbol, trade_date, cast({value} as double) from main.{table}"
            ).fetchall()
        }
        lines = {
            (symbol, day): (file, line)
            for symbol, day, file, line in con.execute(
                """select symbol, trade_date, file, line_number from main.figure_origin
                where is_chosen and record_kind = ?""",
                [kind],
            ).fetchall()
        }
    assert len(data[what]) > 5
    for series in data[what]:
        days = days_of(series)
        values = accumulate(series["closes"])
        for day, shown, place in zip(days, values, places_of(series, data["files"]), strict=True):
            assert shown == round(closes[series["symbol"], day] * scale)
            assert place == lines.get((series["symbol"], day), ("", 0))
        if what == "indices":
            assert len(days) == sum(symbol == series["symbol"] for symbol, _ in closes)


def test_turnover_sectors_and_the_last_session_are_those_of_the_release(
    home: Home, data: dict[str, Any]
) -> None:
    with connect(home.published, read_only=True) as con:
        turnovers = {
            (scope, day): turnover
            for scope, day, turnover in con.execute(
                """select scope, trade_date, cast(turnover_cny as double)
                from main.cross_market_turnover"""
            ).fetchall()
        }
        changes = {
            (region, name, day): change
            for region, name, day, change in con.execute(
                """select region, name, trade_date, change_pct from main.sector_performance
                join main.dim_sector using (sector) where rank_best is not null"""
            ).fetchall()
        }
    assert {series["name"] for series in data["turnover"]} == {"hong_kong", "mainland"}
    for series in data["turnover"]:
        for day, value in zip(days_of(series), series["values"], strict=True):
            whole = turnovers[series["name"], day]
            assert value == (None if whole is None else round(whole / 1e7))
    for region in data["sectors"]:
        days = days_of(region)
        assert region["rows"]
        for row in region["rows"]:
            for day, shown in zip(days, row["changes"], strict=True):
                change = changes.get((region["region"], row["name"], day))
                assert shown == (None if change is None else round(change * 100))
    assert all(region["rows"] and region["day"] == "2025-09-17" for region in data["map"])


def test_it_is_small_and_written_once_a_release(home: Home) -> None:
    page_of(home)
    file = home.reports / PAGE
    assert file.stat().st_size < 2_000_000
    before = file.stat().st_mtime_ns
    page_of(home)
    assert file.stat().st_mtime_ns == before
    with connect(home.published, read_only=True) as con:
        write_explore(home, con, "western")
    assert file.stat().st_mtime_ns != before


def test_a_hostile_name_stays_data(sample_home: Home, tmp_path: Any) -> None:
    home = home_beside(sample_home.published, tmp_path / "home")
    with changed(home) as con:
        for table in ("index_performance", "security_performance", "dim_security", "dim_sector"):
            con.execute(f"update main.{table} set name = ?", [HOSTILE])
    page = page_of(home)
    assert page.count("<script") == 3
    assert data_of(page)["indices"][0]["name"] == HOSTILE


def test_a_release_without_rows_has_a_page(sample_home: Home, tmp_path: Any) -> None:
    home = home_beside(sample_home.published, tmp_path / "home")
    with changed(home) as con:
        for table in (
            *("index_performance", "security_performance", "sector_performance"),
            *("cross_market_turnover", "market_breadth", "connect_turnover"),
        ):
            con.execute(f"delete from main.{table}")
    data = data_of(page_of(home))
    assert data["indices"] == data["securities"] == []
