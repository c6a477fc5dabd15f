"""What differs between two releases is found row by row.

Belongs here: comparing marts of two releases. Does not belong here: how the command prints it
(`tests/unit/test_cli.py`).
"""

from contextlib import closing
from datetime import date, timedelta

import pytest

from dagster_project.home import Home
from dagster_project.release.compare import mart_diff
from dagster_project.release.publish import publish
from dagster_project.release.read import ReleaseError
from dagster_project.release.record import record_release
from dagster_project.warehouse.connection import connect
from tests.integration.release.support import CLOCK, GOOD, release_nights


def release_marts(home: Home, sql: str) -> str:
    with closing(connect(home.warehouse)) as con:
        con.execute(sql)
        record_release(con, home, clock=CLOCK, checks=[GOOD], what_changed="", fingerprint=sql)
    return publish(home).release_id


def test_mart_diff(home: Home) -> None:
    a = release_marts(
        home,
        """
        CREATE TABLE index_performance AS
        SELECT DATE '2025-09-01' + d::INTEGER AS trade_date, s AS symbol, 100.00 + d AS close,
            CASE WHEN d = 0 THEN NULL ELSE 1.5 END AS change_pct, 'old' AS loaded_at, 1 AS gone
        FROM range(10) t(d), (VALUES ('HSI'), ('HSCEI')) u(s);
        CREATE TABLE same AS SELECT 'HSI' AS symbol, 'old' AS loaded_at;
        CREATE TABLE lines AS SELECT 'x' AS word FROM range(3);
        CREATE TABLE old_mart AS SELECT 'HSI' AS symbol
        """,
    )
    b = release_marts(
        home,
        """
        UPDATE index_performance SET loaded_at = 'new';
        UPDATE index_performance SET close = 26908.39
            WHERE symbol = 'HSI' AND trade_date = '2025-09-10';
        UPDATE index_performance SET change_pct = 1.78 WHERE change_pct IS NULL;
        DELETE FROM index_performance WHERE symbol = 'HSCEI' AND trade_date > '2025-09-08';
        INSERT INTO index_performance VALUES ('2025-09-11', 'HSTECH', 6334.24, 4.22, 'new', 1);
        ALTER TABLE index_performance DROP gone;
        ALTER TABLE index_performance ADD note VARCHAR;
        UPDATE same SET loaded_at = 'new';
        INSERT INTO lines VALUES ('x'), ('y');
        DROP TABLE old_mart;
        CREATE TABLE new_mart AS SELECT 'HSI' AS symbol FROM range(2)
        """,
    )
    diffs = {diff.table: diff for diff in mart_diff(home, a, b)}
    assert list(diffs) == ["index_performance", "lines", "new_mart", "old_mart"]

    index = diffs["index_performance"]
    assert (index.added, index.removed, index.changed) == (1, 2, 3)
    assert index.columns_added == ("note VARCHAR",)
    assert index.columns_removed == ("gone INTEGER",)
    by_key = {(row.key["trade_date"], row.key["symbol"]): row for row in index.examples}
    assert len(by_key) == len(index.examples) == 6
    hsi = by_key[date(2025, 9, 10), "HSI"]
    assert hsi.kind == "changed"
    assert {k: float(v) for k, v in hsi.before.items()} == {"close": 109.0}
    assert {k: float(v) for k, v in hsi.after.items()} == {"close": 26908.39}
    first = by_key[date(2025, 9, 1), "HSCEI"]
    assert (first.kind, first.before["change_pct"]) == ("changed", None)
    assert by_key[date(2025, 9, 11), "HSTECH"].kind == "added"
    assert by_key[date(2025, 9, 11), "HSTECH"].before == {}
    for day in (date(2025, 9, 9), date(2025, 9, 10)):
        assert by_key[day, "HSCEI"].kind == "removed"
        assert by_key[day, "HSCEI"].after == {}

    assert (diffs["lines"].added, diffs["lines"].removed, diffs["lines"].changed) == (2, 0, 0)
    assert (diffs["new_mart"].added, diffs["new_mart"].columns_added) == (2, ("symbol VARCHAR",))
    assert (diffs["old_mart"].removed, diffs["old_mart"].added) == (1, 0)

    back = {diff.table: diff for diff in mart_diff(home, b, a, examples=0)}["index_performance"]
    assert (back.added, back.removed, back.changed, back.examples) == (2, 1, 3, ())
    assert mart_diff(home, b, b) == []


def test_mart_diff_finds_a_row_again_by_as_many_words_as_identify_it(home: Home) -> None:
    days = [CLOCK - timedelta(days=back) for back in range(3)]
    columns = "trade_date DATE, region VARCHAR, level VARCHAR, sector VARCHAR, members INTEGER"
    values = ", ".join(f"('{day}', 'mainland', 'sector', '{s}', 1)" for day in days for s in "xy")
    a = release_marts(
        home,
        f"CREATE TABLE sector_performance ({columns});"
        f"INSERT INTO sector_performance VALUES {values}",
    )
    b = release_marts(
        home, f"UPDATE sector_performance SET members = 2 WHERE trade_date = '{CLOCK}'"
    )
    (diff,) = mart_diff(home, a, b)
    assert (diff.added, diff.removed, diff.changed) == (0, 0, 2)
    assert [row.key for row in diff.examples] == [
        {"trade_date": CLOCK, "region": "mainland", "level": "sector", "sector": sector}
        for sector in "xy"
    ]


def test_mart_diff_of_a_release_that_is_not_kept(home: Home) -> None:
    (release,) = release_nights(home, 1)
    with pytest.raises(ReleaseError, match="no release 'tomorrow'"):
        mart_diff(home, release.release_id, "tomorrow")
