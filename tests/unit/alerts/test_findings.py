"""What a release lacks, and why there is none."""

from datetime import datetime
from pathlib import Path

import pytest

from dagster_project.alerts import findings
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.market.calendar import HONG_KONG
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.raw_tables import create_tables


@pytest.fixture
def published(tmp_path: Path) -> Home:
    """A release in which a daily and a historical feed lack rows, and two files are quarantined."""
    home = Home(tmp_path)
    home.published.parent.mkdir()
    with connect(home.published) as con:
        create_tables(con)
        con.execute("""
            insert into raw.asked_dates values ('2025-09-01', '2025-09-17');
            insert into raw.feed by name
            select unnest(['tushare_daily', 'wsj_index']) as feed, '18:00' as due_by;
            create table main.session_coverage as from (values
                ('2025-09-16'::date, 'XHKG', 'wsj_index', 0, 1, 'HSI', true),
                ('2025-09-17'::date, 'XHKG', 'wsj_index', 0, 1, 'HSI', true),
                ('2025-09-17'::date, 'XSHE', 'tushare_daily', 2, 3, '000001.SZ', true),
                ('2025-09-17'::date, 'XSHG', 'tushare_daily', 9, 1, '600519.SH', false)
            ) as coverage (trade_date, market, feed, received_symbols, missing_symbols,
                first_missing_symbol, is_late);
            insert into raw.file by name
            select 1 as file_id, 'wsj_index/HSI.csv' as path, 'loaded' as status, null as reason
            union all select 2, 'csindex/a.json', 'loaded', null
            union all select 3, 'csindex/a.json', 'set_aside', 'line 1: is a web page'
            union all select 4, 'csindex/b.json', 'set_aside', 'is empty';
            insert into raw.index_close by name
            select 'wsj_index' as feed, 'HSI' as symbol, '2025-09-15'::date as trade_date,
                1 as file_id""")
    return home


def test_late_feeds_and_quarantined_files_are_named_with_file_and_remedy(published: Home) -> None:
    found = findings.after_release(
        published, load_feeds().file_due, datetime(2025, 9, 17, 18, 30, tzinfo=HONG_KONG)
    )
    assert [str(problem) for problem in (*found["late"], *found["set_aside"])] == [
        "2025-09-17 XHKG wsj_index: nothing that counts, due by 18:00; expected in "
        "landing/wsj_index/HSI.csv. To do: fetch the file (main.rejected_row lists its rejected "
        "rows), then `make nightly DATE=2025-09-17`",
        "2025-09-17 XSHE tushare_daily: only a part came; 000001.SZ and 2 more are missing from "
        "landing/tushare_daily/20250917.csv. To do: fetch the file again, it may be cut short, "
        "then `make nightly DATE=2025-09-17`",
        "landing/csindex/a.json: line 1: is a web page; its earlier rows stay. To do: put a "
        "corrected file there under the same name; the next run reads it",
        "landing/csindex/b.json: is empty. To do: put a corrected file there under the same name; "
        "the next run reads it",
    ]
    assert found["withheld"] == []


def test_a_feed_is_not_late_before_it_is_due(published: Home) -> None:
    for moment, late in (
        (datetime(2025, 9, 17, 17, 59, tzinfo=HONG_KONG), 0),
        (datetime(2025, 9, 17, 18, 0, tzinfo=HONG_KONG), 2),
        (datetime(2025, 9, 18, 9, 0, tzinfo=HONG_KONG), 2),
    ):
        assert len(findings.after_release(published, load_feeds().file_due, moment)["late"]) == late


def test_a_warehouse_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (problem,) = findings.after_failure(home, "ingest: the disk is full.")["withheld"]
    assert problem.what == "No release; there is none yet. ingest: the disk is full"
    home.warehouse.write_bytes(b"no database")
    (problem,) = findings.after_failure(home, None)["withheld"]
    assert "the warehouse cannot be read" in problem.what
