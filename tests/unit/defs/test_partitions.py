"""The dates that a run requests: from a shell, from the UI, and by a schedule."""

from datetime import date

import pytest

from dagster_project.defs.partitions import request_tags, requested_dates, trade_dates

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
