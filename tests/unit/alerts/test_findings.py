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
                ('2025-09-17'::date, 'XSHG', 'tushare_daily', 0, 2, '600519.SH', true),
                ('2025-09-17'::date, 'XSHG', 'csindex', 9, 1, '600519.SH', false)
            ) as coverage (trade_date, market, feed, received_symbols, missing_symbols,
                first_missing_symbol, is_late);
            insert into raw.file by name
            select 1 as file_id, 'wsj_index' as feed, 'wsj_index/HSI.csv' as path,
                'loaded' as status, null as reason
            union all select 2, 'csindex', 'csindex/a.json', 'loaded', null
            union all select 3, 'csindex', 'csindex/a.json', 'set_aside', 'line 1: is a web page'
            union all select 4, 'csindex', 'csindex/b.json', 'set_aside', 'is empty';
            insert into raw.index_close by name
            select 'wsj_index' as feed, 'HSI' as symbol, '2025-09-15'::date as trade_date,
                1 as file_id;
            create table main.release as
            select unnest(['R1', 'R2']) as release_id,
                unnest(['2025-09-16'::date, '2025-09-17']) as clock;
            create table main.dim_session as
            select unnest(['2025-09-16'::date, '2025-09-17']) as trade_date, true as is_asked;
            create table main.anomaly as from (values
                ('feeds_disagree', 'certain', 'HSI', '2025-09-17'::date, '2 and 3', 'R2', null),
                ('feeds_disagree', 'certain', 'HSCEI', '2025-09-17'::date, '4 and 5', 'R2', null),
                ('feeds_disagree', 'certain', 'HSTECH', '2025-09-16'::date, '6 and 7', 'R2', null),
                ('parts_exceed_total', 'likely', 'XHKG', '2025-09-17'::date, 'x', 'R2', 'real'),
                ('moves_unusual', 'possible', 'HSI', '2025-09-17'::date, '12 %', 'R2', null),
                ('feeds_usable', 'certain', null, null, 'old', 'R1', null),
                ('feeds_usable', 'certain', null, null, 'no folder', 'R2', null)
            ) as anomaly (check_name, confidence, symbol, trade_date, what, first_seen, waiver);
            alter table main.anomaly add column file varchar;
            alter table main.anomaly add column feed varchar;
            insert into main.anomaly by name
            select 'deliveries_missing' as check_name, 'certain' as confidence, feed,
                feed || ' lacks 3' as what, '2025-09-17'::date as trade_date, 'R2' as first_seen
            from (select unnest(['csindex', 'wsj_index']) as feed)""")
    return home


def test_late_feeds_and_quarantined_files_are_named_with_file_and_remedy(published: Home) -> None:
    found = findings.after_release(
        published, load_feeds().file_due, datetime(2025, 9, 17, 18, 30, tzinfo=HONG_KONG)
    )
    assert [str(problem) for problem in (*found["late"], *found["set_aside"])] == [
        "2025-09-17 XSHE, XSHG tushare_daily: only a part came; 000001.SZ and 4 more are missing "
        "from landing/tushare_daily/20250917.csv. To do: fetch the file again, it may be cut "
        "short, then `make nightly DATE=2025-09-17`",
        "2025-09-17 XHKG wsj_index: nothing that counts since 2025-09-16, due by 18:00; expected "
        "in landing/wsj_index/HSI.csv. To do: fetch the file (main.rejected_row lists its rejected "
        "rows), then `make nightly DATE=2025-09-17`",
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


def looked_for(home: Home) -> findings.Found:
    moment = datetime(2025, 9, 17, 18, 30, tzinfo=HONG_KONG)
    return findings.after_release(home, load_feeds().file_due, moment)


def test_what_is_likely_wrong_at_hand_is_named_by_check(published: Home) -> None:
    """Not the session before, not what somebody found real, not what is only possibly wrong."""
    missing, disagree, unusable = looked_for(published)["finding"]
    assert missing.what == "deliveries_missing: 2025-09-17 csindex lacks 3"  # some, and is not late
    assert disagree.what == "feeds_disagree: 2025-09-17 HSCEI: 4 and 5; 2025-09-17 HSI: 2 and 3"
    assert disagree.to_do.startswith("check which of the two is right")
    assert unusable.what == "feeds_usable: no folder"


def states(found: findings.Found) -> dict[str, str]:
    return {p.key: p.state for problems in found.values() for p in problems}


def test_the_state_of_a_problem_changes_with_what_is_wrong(published: Home) -> None:
    before = states(looked_for(published))
    assert before == {
        "2025-09-17 deliveries_missing": "R2",
        "2025-09-17 feeds_disagree": "R2",
        "2025-09-17 feeds_usable": "R2",
        "tushare_daily": "XSHE part since 2025-09-17, XSHG all since 2025-09-17",
        "wsj_index": "XHKG all since 2025-09-16",
        "csindex/a.json": "line #: is a web page",
        "csindex/b.json": "is empty",
    }
    with connect(published.published) as con:  # fewer are missing, other lines are wrong
        con.execute("""
            update main.session_coverage set missing_symbols = 1 where market = 'XSHE';
            update raw.file set reason = 'line 7: is a web page' where file_id = 3;
            update main.anomaly set what = 'otherwise'""")
    assert states(looked_for(published)) == before
    with connect(published.published) as con:  # a part came, another symbol disagrees
        con.execute("""
            update main.session_coverage set received_symbols = 1 where received_symbols = 0;
            update raw.file set reason = 'column close is missing' where file_id = 3;
            insert into main.anomaly
            select * replace ('HSI2' as symbol, 'R3' as first_seen)
            from main.anomaly where symbol = 'HSI' and confidence = 'certain'""")
    after = states(looked_for(published))
    same = {key for key in before if after[key] == before[key]}
    assert same == {"2025-09-17 deliveries_missing", "2025-09-17 feeds_usable", "csindex/b.json"}


def test_a_feed_that_stays_late_is_one_problem_until_it_delivers(published: Home) -> None:
    before = states(looked_for(published))["wsj_index"]
    with connect(published.published) as con:
        con.execute("""
            update raw.asked_dates set to_date = '2025-09-18';
            insert into main.session_coverage
            values ('2025-09-18', 'XHKG', 'wsj_index', 0, 1, 'HSI', true)""")
    assert states(looked_for(published))["wsj_index"] == before
    with connect(published.published) as con:
        con.execute(
            "update main.session_coverage set is_late = false "
            "where feed = 'wsj_index' and trade_date = '2025-09-17'"
        )
    assert states(looked_for(published))["wsj_index"] == "XHKG all since 2025-09-18"


def test_a_release_is_withheld_for_one_reason_whatever_its_numbers(tmp_path: Path) -> None:
    (first,) = findings.after_failure(Home(tmp_path), "process 17 holds the lock")["withheld"]
    (second,) = findings.after_failure(Home(tmp_path), "process 4 holds the lock")["withheld"]
    (other,) = findings.after_failure(Home(tmp_path), "the disk is full")["withheld"]
    assert (first.key, first.state) == (second.key, second.state)
    assert other.key == first.key
    assert other.state != first.state
