"""One file of one feed is delivered, corrected, delivered again, or removed.

Belongs here: which rows of raw a delivery changes, which it keeps, and when it counts. Does not
belong here: files that cannot be used (`test_bad_files.py`), several files with the same record
(`test_several_files.py`).
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path

from dagster_project.ingest.changes import detect_changes
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.sessions import CLOSING_TIMES_CHANGED
from tests.integration.ingest.support import HSI, LATER, SPECS, House, hsi
from tests.support import NOW, TODAY, ingest, raw_rows

# --- What a delivery changes ---------------------------------------------------------------------


def test_a_correction_changes_the_one_row_and_keeps_the_old_value(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1, d15=2))
    assert house.run().changed_from == date(2025, 9, 15)
    house.put("wsj_index/HSI.csv", hsi(d17=9, d16=7, d15=2))
    result = house.run(now=LATER)
    assert (result.files_read, result.changed_from) == (1, date(2025, 9, 16))
    assert house.rows(
        "select day(trade_date), close, line_number, loaded_at from raw.index_close order by 1"
    ) == [(15, 2, 4, NOW), (16, 7, 3, LATER), (17, 9, 2, LATER)]
    assert house.rows(
        "select day(trade_date), close, loaded_at, superseded_at from raw.index_close_superseded"
    ) == [(16, 1, NOW, LATER)]
    ((file_id,),) = house.rows("select file_id from raw.file")
    assert house.rows("select file_id, rows_accepted, superseded_at from raw.file_superseded") == [
        (file_id, 2, LATER)
    ]


def test_moved_lines_change_no_row(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1, d15=2))
    house.run()
    house.put("wsj_index/HSI.csv", hsi(d15=2, d16=1))
    assert house.run(now=LATER).changed_from is None
    assert house.rows("from raw.index_close_superseded") == []
    assert house.rows(
        "select day(trade_date), line_number, loaded_at from raw.index_close order by 1"
    ) == [(15, 2, NOW), (16, 3, NOW)]


def test_the_same_bytes_again_change_but_the_time_of_the_file(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1) + "junk\n")
    house.run()
    before = raw_rows(house.con)
    house.touch("wsj_index/HSI.csv", 5)
    result = house.run(now=LATER)
    assert (result.files_read, result.files_unchanged, result.changed_from) == (0, 1, None)
    after = raw_rows(house.con)
    assert house.rows("select mtime_ns, loaded_at from raw.file") == [(5, NOW)]
    assert {name: before[name] == after[name] for name in before} == dict.fromkeys(before, True) | {
        "file": False
    }
    assert house.rows("select mtime_ns, superseded_at from raw.file_superseded") == [
        (1_000_000_001, LATER)
    ]


def test_a_run_with_nothing_new_writes_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.con.close()
    house.put("wsj_index/HSI.csv", hsi(d16=1) + "junk\n")
    house.put("wsj_index/HSCEI.csv", b"\xff")
    house.put("wsj_index/notes.txt", "x")
    warehouse = tmp_path / "warehouse.duckdb"
    seen = []
    for _ in range(2):
        with connect(warehouse) as con:
            raw_tables.create_tables(con)
            ingest(con, house.landing, SPECS.values())
        seen.append((warehouse.read_bytes(), warehouse.stat().st_mtime_ns))
    with connect(warehouse, read_only=True) as con:
        assert not detect_changes(con, house.landing, SPECS["wsj_index"], TODAY)
    assert seen[0] == seen[1]


def test_rows_after_the_clock_are_held_and_change_nothing(house: House) -> None:
    house.put("wsj_index/HSI.csv", HSI + "01/02/26,1,1,1,1\n")
    result = house.run()
    assert (result.rows_accepted, result.changed_from) == (1, None)
    assert house.rows("from raw.pending_rebuild") == []
    house.put("wsj_index/HSI.csv", HSI + "01/02/26,2,2,2,2\n12/31/25,1,1,1,1\n")
    assert house.run().changed_from == date(2025, 12, 31)
    assert state.pending_from(house.con) == date(2025, 12, 31)


def test_a_corrected_record_is_of_its_series_alone(house: House) -> None:
    for symbol in ("HSCEI", "HSI", "HSTECH"):
        house.put(f"wsj_index/{symbol}.csv", hsi(d15=1, d16=2))
    house.run()
    house.con.execute("delete from raw.pending_rebuild")
    house.put("wsj_index/HSI.csv", hsi(d15=3, d16=2))
    house.put("wsj_index/HSCEI.csv", hsi(d15=1))
    house.run()
    assert sorted(
        house.rows("""
        select trade_date, last_changed_date, series from raw.pending_rebuild""")
    ) == [
        (date(2025, 9, 15), date(2025, 9, 15), "HSI"),
        (date(2025, 9, 16), date(2025, 9, 16), "HSCEI"),
    ]


def test_a_close_of_an_uncovered_date_reaches_the_next_covered_one(house: House) -> None:
    house.con.execute("delete from raw.asked_dates")
    house.con.execute("insert into raw.asked_dates values ('2025-09-15', '2025-09-16')")
    house.put("wsj_index/HSI.csv", hsi(d12=1))
    assert house.run().changed_from == date(2025, 9, 15)
    # Of shares only the session before is looked back on.
    share = "Price,Close,High,Low,Open,Volume\nTicker,0700.HK,0700.HK,0700.HK,0700.HK,0700.HK\n"
    share += "Date,,,,,\n2025-07-02,5,5,5,5,100\n"
    house.put("yahoo_hk/0700.HK.csv", share)
    result = house.run("yahoo_hk")
    assert (result.rows_accepted, result.changed_from) == (1, None)
    house.put("yahoo_hk/0700.HK.csv", share + "2025-09-12,5,5,5,5,100\n")
    assert house.run("yahoo_hk").changed_from == date(2025, 9, 15)


def test_a_file_removed_is_withdrawn(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1) + "junk\n")
    house.put("wsj_index/HSCEI.csv", hsi(d15=3))
    house.run()
    (house.landing / "wsj_index/HSI.csv").unlink()
    result = house.run(now=LATER)
    assert (result.files_removed, result.changed_from) == (1, date(2025, 9, 16))
    assert house.closes() == {15: 3}
    assert house.rows("select path, status, superseded_at from raw.file_superseded") == [
        ("wsj_index/HSI.csv", "loaded", LATER)
    ]
    assert house.rows("select close from raw.index_close_superseded") == [(1,)]
    assert house.rows("from raw.rejected_row") == []
    assert len(house.files()) == 1


def test_rows_of_a_coming_day_wait_for_it(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1, d16=2, d17=3))
    house.put("wsj_index/HSCEI.csv", hsi(d17=4))
    first = house.run(today=date(2025, 9, 15))
    assert house.closes() == {15: 1}
    assert first.rejected_examples[0].startswith("wsj_index/HSI.csv:3: 2025-09-16 is in the futur")
    assert "2025-09-17 is in the future" in first.quarantined["wsj_index/HSCEI.csv"]
    assert house.run(today=date(2025, 9, 15)).files_read == 0
    second = house.run(today=date(2025, 9, 16))
    assert (second.files_read, second.changed_from) == (1, date(2025, 9, 16))
    third = house.run(today=date(2025, 9, 17))
    assert (third.files_read, third.changed_from) == (2, date(2025, 9, 17))
    assert house.rows("select count(*), sum(close)::INTEGER from raw.index_close") == [(4, 10)]
    assert house.rows("from raw.rejected_row") == []
    assert house.run(today=date(2025, 9, 18)).files_read == 0


# --- When a file came ----------------------------------------------------------------------------


def at(text: str) -> int:
    """Hong Kong time as the time of a file."""
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp()) * 1_000_000_000


def test_a_snapshot_of_midday_is_read_again_once_it_is_delivered_after_the_close(
    house: House,
) -> None:
    path, content = "wsj_index/HSI.csv", hsi(d15=1, d16=2)
    house.put(path, content, mtime=at("2025-09-16 11:45"))
    first = house.run()
    assert (first.rows_accepted, first.rows_rejected, house.closes()) == (1, 1, {15: 1})
    assert "delivered on 2025-09-16 at 11:45 Hong Kong time" in first.rejected_examples[0]
    assert house.run(now=LATER).files_read == 0

    house.touch(path, at("2025-09-16 15:59"))
    assert house.run(now=LATER).changed_from is None
    assert house.closes() == {15: 1}
    house.touch(path, at("2025-09-16 18:00"))
    assert house.run(now=LATER).changed_from == date(2025, 9, 16)
    assert house.closes() == {15: 1, 16: 2}
    assert house.rows("from raw.rejected_row") == []
    house.touch(path, at("2025-09-17 09:00"))
    assert house.run(now=LATER).files_read == 0

    house.touch(path, at("2025-09-16 11:45"))
    assert house.run(now=LATER).changed_from == date(2025, 9, 16)
    clean = House(house.landing.parent)
    clean.run(now=LATER)
    assert house.closes() == clean.closes() == {15: 1}
    clean.con.close()


def test_a_snapshot_of_a_day_alone_is_quarantined_until_it_is_delivered_again(house: House) -> None:
    header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
    row = "000001.SZ,20250916,10,10,10,10,10,0,0,1000,1000\n"
    path = "tushare_daily/20250916.csv"
    house.put(path, header + row, mtime=at("2025-09-16 15:10"))
    assert "before the close of 2025-09-16" in house.run("tushare_daily").quarantined[path]
    assert house.run("tushare_daily").files_read == 0
    house.touch(path, at("2025-09-16 15:30"))
    assert house.run("tushare_daily").rows_accepted == 1


def test_a_file_of_a_half_day_is_read_again_once_the_calendar_knows_it(house: House) -> None:
    path = "wsj_index/HSI.csv"
    house.put(path, hsi(d16=1), mtime=at("2025-09-16 12:30"))
    assert "before the close of 2025-09-16 at 16:10" in house.run("wsj_index").quarantined[path]
    house.con.execute("""
        insert into raw.session (market, trade_date, is_half_day, closes_at, is_guessed)
        values ('XHKG', '2025-09-16', true, '12:10', false)""")
    assert house.run("wsj_index").files_read == 0
    state.set_state(house.con, CLOSING_TIMES_CHANGED, '["2025-09-16"]')
    assert house.run("wsj_index").rows_accepted == 1


def test_columns_that_nobody_knows_are_remembered(house: House) -> None:
    house.put("tushare_stock_list/a.csv", "ts_code,name,industry,x\n600519.SH,Moutai,liquor,1\n")
    assert house.run("tushare_stock_list").rows_accepted == 1
    ((status, remark),) = house.rows("select status, remark from raw.file")
    assert status == "loaded"
    assert "does not know 'x'" in remark


def test_the_same_bytes_under_a_time_before_the_close_are_withdrawn(house: House) -> None:
    """So says a clean rebuild, which never saw them under another time."""
    path = "wsj_index/HSI.csv"
    house.put(path, hsi(d15=1))
    file = house.landing / path
    evening = datetime(2025, 9, 15, 12, tzinfo=UTC).timestamp()
    os.utime(file, (evening, evening))
    assert house.run("wsj_index").rows_accepted == 1
    noon = datetime(2025, 9, 15, 4, tzinfo=UTC).timestamp()
    os.utime(file, (noon, noon))
    assert "before the close" in house.run("wsj_index", now=LATER).quarantined[path]
    assert house.rows("select status from raw.file") == [("set_aside",)]
    assert house.rows("from raw.index_close") == []
