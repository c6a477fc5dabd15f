"""The anomalies of the published release, counted and listed.

Belongs here: the queries that read them from the published file. Does not belong here: what an
anomaly is (`audit/`), how it is shown (`cli.py`).
"""

from typing import Any

from dagster_project.home import Home
from dagster_project.release.read import ReleaseError, connect_published
from dagster_project.warehouse.connection import dicts

_COUNTS = """
    select check_name, confidence,
        count(*) filter (where is_new and waiver is null) as new,
        count(*) filter (where not is_new and waiver is null) as standing,
        count(waiver) as waived,
        min(trade_date) as first_date, max(trade_date) as last_date
    from main.anomaly
    group by check_name, confidence
    order by new desc, standing desc, check_name"""

_OF_CHECK = """
    select trade_date, symbol, what, coalesce(file, feed) as file, line_number, is_new, waiver
    from main.anomaly
    where check_name = ?
    order by trade_date desc, symbol, file, line_number"""


def anomaly_counts(home: Home) -> list[dict[str, Any]]:
    """By check: how many anomalies the release has, and of which sessions.

    Raises:
        ReleaseError: nothing is published yet.
    """
    return _read(home, _COUNTS)


def anomalies_of(home: Home, check_name: str) -> list[dict[str, Any]]:
    """The anomalies of one check, latest first.

    Raises:
        ReleaseError: nothing is published yet, or the release has no anomaly of this check.
    """
    found = _read(home, _OF_CHECK, [check_name])
    if not found:
        raise ReleaseError(
            f"the release has no anomaly of {check_name!r}; "
            "`closing-bell anomalies` shows which checks have some"
        )
    return found


def _read(home: Home, query: str, parameters: object = None) -> list[dict[str, Any]]:
    with connect_published(home) as con:
        return dicts(con, query, parameters)
