"""Partitions: the days a daily feed may deliver for, and the dates that a run requests.

Marts are unpartitioned.
"""

from collections.abc import Mapping
from datetime import date

import dagster as dg
import duckdb

from dagster_project.home import Home
from dagster_project.release.read import connect_published
from dagster_project.warehouse import state

# Before there is a release, any range can be requested.
EARLIEST = date(1990, 1, 1)


def first_covered_date(home: Home) -> date:
    """The first date of the published release.

    Days before it have no partition, so that none is shown as missing that nobody asked for.
    """
    if not home.published.exists():
        return EARLIEST
    try:
        with connect_published(home) as con:
            return max(state.first_covered(con) or EARLIEST, EARLIEST)
    except duckdb.Error:
        return EARLIEST  # the next run says what is wrong with the file


# Today's partition exists from midnight in Hong Kong on, so that tonight's run can request it.
trade_dates = dg.TimeWindowPartitionsDefinition(
    cron_schedule="0 0 * * 1-5",
    start=first_covered_date(Home.from_environment()).isoformat(),
    fmt="%Y-%m-%d",
    timezone="Asia/Hong_Kong",
    end_offset=1,
)

# What analysts open.
RELEASE = dg.AssetKey(["published", "closing_bell"])

PARTITION = "dagster/partition"
FIRST_DATE, LAST_DATE = "closing_bell/first_date", "closing_bell/last_date"
# A backfill that is launched in the UI is one run with these tags.
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def last_weekday(day: date) -> date:
    """The day itself, or the Friday before a weekend; partitions are weekdays."""
    return date.fromordinal(day.toordinal() - max(0, day.isoweekday() - 5))


def request_tags(first: date, last: date) -> dict[str, str]:
    """The tags of a run that requests a range of dates.

    Dagster's own range tags would make it write one event per day and partitioned asset before
    the run starts: seconds for a year, minutes for thirty.
    """
    # A range of before the covered dates is run in the first partition that there is.
    partition = max(last_weekday(last).isoformat(), trade_dates.get_first_partition_key() or "")
    return {
        PARTITION: partition,
        FIRST_DATE: first.isoformat(),
        LAST_DATE: last.isoformat(),
    }


def requested_dates(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """The first and last date that a run requests; None where it requests corrections only."""
    first = tags.get(FIRST_DATE) or tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(LAST_DATE) or tags.get(RANGE_END) or tags.get(PARTITION)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None


def makes_release(run: dg.DagsterRun) -> bool:
    """Whether a run is to end in a release, and not only to materialize a part of the house."""
    return not run.asset_selection or RELEASE in run.asset_selection
