"""The dates that a run requests: from a shell, from the UI, and by a schedule."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs import partitions
from dagster_project.defs.partitions import (
    EARLIEST,
    first_covered_date,
    request_tags,
    requested_dates,
    trade_dates,
)
from dagster_project.home import Home
from dagster_project.warehouse import raw_tables
from dagster_project.warehouse.connection import connect

FRIDAY, SATURDAY = date(2025, 9, 19), date(2025, 9, 20)


@pytest.mark.parametrize("last", [FRIDAY, SATURDAY])
def test_a_range_is_read_as_it_was_requested(last: date) -> None:
    first = date(2021, 1, 2)
    assert requested_dates(request_tags(first, last)) == (first, last)


def test_a_request_that_ends_on_a_weekend_is_in_the_partition_of_its_friday() -> None:
    partition = request_tags(FRIDAY, SATURDAY)["dagster/partition"]
    assert trade_dates.time_window_for_partition_key(partition).start.date() == FRIDAY


def test_a_backfill_of_the_ui_requests_its_range() -> None:
    tags = {
        "dagster/asset_partition_range_start": "2021-01-04",
        "dagster/asset_partition_range_end": "2025-09-19",
    }
    assert requested_dates(tags) == (date(2021, 1, 4), FRIDAY)


def test_a_run_of_one_partition_requests_its_day() -> None:
    assert requested_dates({"dagster/partition": "2025-09-19"}) == (FRIDAY, FRIDAY)


def test_a_run_without_dates_requests_corrections_only() -> None:
    assert requested_dates({}) is None


def test_partitions_begin_with_what_is_released(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert first_covered_date(home) == EARLIEST
    home.published.parent.mkdir()
    with connect(home.published) as con:
        raw_tables.create_tables(con)
        con.execute("insert into raw.asked_dates values ('2021-01-01', '2021-12-31')")
        con.execute("insert into raw.asked_dates values ('2020-06-01', '2020-06-30')")
    assert first_covered_date(home) == date(2020, 6, 1)
    home.published.write_bytes(b"no database")
    assert first_covered_date(home) == EARLIEST


def test_a_request_of_before_the_release_is_run_in_the_first_partition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = dg.DailyPartitionsDefinition(start_date="2021-01-01")
    monkeypatch.setattr(partitions, "trade_dates", later)
    tags = request_tags(date(2010, 1, 4), date(2015, 12, 31))
    assert tags["dagster/partition"] == "2021-01-01"
    assert requested_dates(tags) == (date(2010, 1, 4), date(2015, 12, 31))
