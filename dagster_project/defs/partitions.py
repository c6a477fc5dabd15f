"""Partitions: the days a daily feed may deliver for. Marts are unpartitioned."""

from datetime import date

import dagster as dg

FIRST_DAY = "1990-01-01"

# Today's partition is there from midnight in Hong Kong on, so that tonight's run can ask for it.
trade_dates = dg.TimeWindowPartitionsDefinition(
    cron_schedule="0 0 * * 1-5",
    start=FIRST_DAY,
    fmt="%Y-%m-%d",
    timezone="Asia/Hong_Kong",
    end_offset=1,
)


def last_weekday(day: date) -> date:
    """The day itself, or the Friday before a weekend; partitions are weekdays."""
    return date.fromordinal(day.toordinal() - max(0, day.isoweekday() - 5))
