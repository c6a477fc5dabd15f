"""From landing to raw: deliveries, corrections, files that turn bad, outages and crashes."""

import csv
import errno
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.ingest import feed_ingestion
from dagster_project.ingest.changes import detect_changes
from dagster_project.ingest.feed_ingestion import FeedResult, ingest_feed, retire_feed
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.market.seeds import known_indices
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from tests.support import (
    NOW,
    TODAY,
    ingest,
    new_warehouse,
    place_real_files,
    raw_rows,
    real_files,
    specs,
)

SPECS = specs()
HSI = "Date, Open, High, Low, Close\n"
DAYS = {"12": "09/12/25", "15": "09/15/25", "16": "09/16/25", "17": "09/17/25"}
LATER = NOW + timedelta(days=1)


def hsi(**closes: int | str) -> str:
    """A file of wsj_index: day of September 2025 (d12 …) -> close."""
    lines = [
        f"{DAYS[day[1:]]}, {close}, {close}, {close}, {close}" for day, close in closes.items()
    ]
    return HSI + "\n".join(lines) + "\n"


def tushare(**closes: int | str) -> str:
    """A file of tushare_index_daily with rows of 000001.SH: day of September 2025 -> close."""
    header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount\n"
    return header + "".join(
        f"000001.SH,202509{day[1:]},{close},{close},{close},{close},{close},0,0,2,3\n"
        for day, close in closes.items()
    )


class House:
    """A landing folder and the warehouse that reads it."""

    def __init__(self, root: Path) -> None:
        self.landing = root / "landing"
        self.con = new_warehouse()
        self.clock = 1_000_000_000

    def put(self, path: str, content: str | bytes, mtime: int | None = None) -> Path:
        """Deliver a file; without a given time, later than all before."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.clock += 1
        self.touch(path, mtime or self.clock)
        return file

    def touch(self, path: str, mtime: int) -> None:
        os.utime(self.landing / path, ns=(mtime, mtime))

    def run(
        self, feed: str | FeedSpec = "wsj_index", today: date = TODAY, now: datetime = NOW
    ) -> FeedResult:
        spec = SPECS[feed] if isinstance(feed, str) else feed
        return ingest_feed(self.con, self.landing, spec, today, now)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.con.execute(query, parameters).fetchall()

    def closes(self, feed: str = "wsj_index") -> dict[int, int]:
        """Day of September 2025 -> current close."""
        return dict(
            self.rows(
                "select day(trade_date), close::INTEGER from raw.index_close "
                "where feed = ? and is_current order by 1",
                feed,
            )
        )

    def files(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select parse_filename(path), status, lines_read, rows_accepted, rows_refused "
            "from raw.file order by path, status"
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    with house.con:
        yield house


# --- One feed, one file --------------------------------------------------------------------------


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


def test_rows_outside_the_dates_asked_for_are_held_and_change_nothing(house: House) -> None:
    house.put("wsj_index/HSI.csv", HSI + "12/31/99,1,1,1,1\n")
    result = house.run()
    assert (result.rows_accepted, result.changed_from) == (1, None)
    assert house.rows("from raw.pending_rebuild") == []
    house.put("wsj_index/HSI.csv", HSI + "12/31/99,2,2,2,2\n01/03/00,1,1,1,1\n")
    assert house.run().changed_from == date(2000, 1, 3)
    assert state.pending_from(house.con) == date(2000, 1, 3)


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


def test_a_file_that_turns_bad_is_set_aside_and_its_rows_stay(house: House) -> None:
    good, bad = hsi(d15=2, d16=1) + "junk\n", HSI + "<error>\n"
    house.put("wsj_index/HSI.csv", good)
    house.run()
    rows = raw_rows(house.con)
    for content, reason in ((b"\xff", "is not utf-8"), (bad, "line 2: none of its 1 rows")):
        house.put("wsj_index/HSI.csv", content)
        result = house.run(now=LATER)
        assert reason in result.set_aside["wsj_index/HSI.csv"]
        assert result.changed_from is None
        assert house.closes() == {15: 2, 16: 1}
        # The junk of the content that counts is still there, beside the new trouble.
        codes = house.rows(
            "select reason_code from raw.rejected_row join raw.file using (file_id) "
            "order by status, reason_code"
        )
        assert codes == [("field_count",)] * (1 + (content == bad)) + [("file_set_aside",)]
        assert [row[1] for row in house.files()] == ["loaded", "set_aside"]
        assert house.run().set_aside == {}
    ((loaded, _), (aside, _)) = house.rows("select file_id, status from raw.file order by status")
    assert loaded != aside
    house.put("wsj_index/HSI.csv", good, mtime=rows["file"][0][4])
    assert house.run(now=LATER).changed_from is None
    assert raw_rows(house.con) == rows
    house.put("wsj_index/HSI.csv", bad)
    house.run()
    (house.landing / "wsj_index/HSI.csv").unlink()
    house.run()
    assert (house.closes(), house.files()) == ({}, [])
    assert house.rows("from raw.rejected_row") == []


def test_a_bad_file_that_is_repaired_is_loaded(house: House) -> None:
    house.put("wsj_index/HSI.csv", b"")
    house.put("wsj_index/HSCEI.csv", hsi(d15=3))
    result = house.run()
    assert list(result.set_aside) == ["wsj_index/HSI.csv"]
    assert house.closes() == {15: 3}
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    assert house.run(now=LATER).files_read == 1
    assert house.closes() == {15: 3, 16: 1}
    assert house.rows("from raw.rejected_row") == []
    assert house.rows("select status, reason like 'is empty%' from raw.file_superseded") == [
        ("set_aside", True)
    ]


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "gone"), OSError(errno.EIO, "Input/output error")]
)
def test_a_file_that_cannot_be_read_keeps_no_other_back(
    house: House, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    house.put("wsj_index/HSCEI.csv", hsi(d15=3))
    open_file = os.open

    def fail(path: Any, *arguments: Any, **options: Any) -> int:
        if path == "HSI.csv":
            raise error
        return open_file(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", fail)
        result = house.run()
        assert result.set_aside == {
            "wsj_index/HSI.csv": f"cannot be read: {error.strerror}; deliver it again"
        }
        assert house.closes() == {15: 3}
    # Nothing about the file changed; that it can be read now is reason enough.
    assert house.run().files_read == 1
    assert house.closes() == {15: 3, 16: 1}
    assert [row[1] for row in house.files()] == ["loaded", "loaded"]


def test_a_file_whose_permissions_are_corrected_is_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda path, mode: False)
        assert "correct its permissions" in house.run().set_aside["wsj_index/HSI.csv"]
        assert not detect_changes(house.con, house.landing, SPECS["wsj_index"], TODAY)
    assert house.run().rows_accepted == 1


def test_a_missing_folder_is_an_outage_not_a_removal(house: House, tmp_path: Path) -> None:
    house.put("wsj_index/HSI.csv", hsi(d16=1))
    house.run()
    (house.landing / "wsj_index").rename(tmp_path / "elsewhere")
    result = house.run()
    assert result.missing_folder is not None
    assert f"{house.landing}/wsj_index is no folder; put the files" in result.missing_folder
    assert house.closes() == {16: 1}
    (tmp_path / "elsewhere").rename(house.landing / "wsj_index")
    assert house.run().changed_from is None


def test_rows_of_a_coming_day_wait_for_it(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1, d16=2, d17=3))
    house.put("wsj_index/HSCEI.csv", hsi(d17=4))
    first = house.run(today=date(2025, 9, 15))
    assert house.closes() == {15: 1}
    assert first.refused_examples[0].startswith("wsj_index/HSI.csv:3: 2025-09-16 lies in the fut")
    assert "2025-09-17 lies in the future" in first.set_aside["wsj_index/HSCEI.csv"]
    assert house.run(today=date(2025, 9, 15)).files_read == 0
    second = house.run(today=date(2025, 9, 16))
    assert (second.files_read, second.changed_from) == (1, date(2025, 9, 16))
    third = house.run(today=date(2025, 9, 17))
    assert (third.files_read, third.changed_from) == (2, date(2025, 9, 17))
    assert house.rows("select count(*), sum(close)::INTEGER from raw.index_close") == [(4, 10)]
    assert house.rows("from raw.rejected_row") == []
    assert house.run(today=date(2025, 9, 18)).files_read == 0


# --- Several files of one feed -------------------------------------------------------------------


def test_of_two_files_the_one_delivered_last_counts(house: House) -> None:
    feed = "tushare_index_daily"
    house.put(f"{feed}/b.csv", tushare(d15=1, d16=1), mtime=200)
    house.put(f"{feed}/a.csv", tushare(d16=2, d17=2), mtime=100)
    house.run(feed)
    assert house.closes(feed) == {15: 1, 16: 1, 17: 2}
    house.touch(f"{feed}/a.csv", 300)
    assert house.run(feed).changed_from == date(2025, 9, 16)
    assert house.closes(feed) == {15: 1, 16: 2, 17: 2}
    house.touch(f"{feed}/b.csv", 300)
    house.run(feed)
    assert house.closes(feed) == {15: 1, 16: 1, 17: 2}, "of two at once, the last by name"
    (house.landing / feed / "b.csv").unlink()
    assert house.run(feed).changed_from == date(2025, 9, 15)
    assert house.closes(feed) == {16: 2, 17: 2}
    house.put(f"{feed}/c.csv", tushare(d16=3), mtime=50)
    house.run(feed)
    assert house.closes(feed) == {16: 2, 17: 2}
    house.put(f"{feed}/a.csv", tushare(d17=5), mtime=400)
    assert house.run(feed).changed_from == date(2025, 9, 16)
    assert house.closes(feed) == {16: 3, 17: 5}
    assert house.rows(
        "select market, count(*), max(turnover) from raw.market_turnover "
        "where is_current group by 1"
    ) == [("XSHG", 2, 3000)]


def test_two_segments_are_two_records(house: House) -> None:
    for segment, turnover in (("main", "1,000"), ("gem", "20")):
        cells = ", ".join(
            f'{{"row": 0, "col": {column}, "text": "{text}"}}'
            for column, text in enumerate(("2025/09/16", "", turnover, "1", "1"))
        )
        house.put(f"hkex_turnover/{segment}_2025.json", f'{{"tables": [{{"body": [{cells}]}}]}}')
    house.run("hkex_turnover")
    assert house.rows(
        "select market, segment, turnover, is_half_day, currency, is_current "
        "from raw.market_turnover order by 2"
    ) == [("XHKG", "gem", 20, False, "HKD", True), ("XHKG", "main", 1000, False, "HKD", True)]


def test_exchange_rates_are_one_record_a_currency(house: House) -> None:
    house.put("ecb_exchange_rates/x.csv", "Date,USD,CNY,HKD\n2025-09-16,1.1774,N/A,9.1601\n")
    house.run("ecb_exchange_rates")
    assert house.rows(
        "select base_currency, currency, rate, line_number from raw.exchange_rate order by 2"
    ) == [("EUR", "HKD", Decimal("9.1601"), 2), ("EUR", "USD", Decimal("1.1774"), 2)]


def test_undated_records_are_reported_as_a_change_of_everything(house: House) -> None:
    house.put("tushare_stock_list/a.csv", "ts_code,name,industry\n600519.SH,Moutai,liquor\n")
    assert house.run("tushare_stock_list").changed_from == state.EVERYTHING
    house.put("tushare_stock_list/b.csv", "ts_code,name,industry\n600519.SH,Moutai,liquor\n")
    house.run("tushare_stock_list")
    assert house.rows(
        "select parse_filename(path), is_current from raw.security_reference "
        "join raw.file using (file_id) order by 1"
    ) == [("a.csv", False), ("b.csv", True)]


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
    assert (first.rows_accepted, first.rows_refused, house.closes()) == (1, 1, {15: 1})
    assert "delivered on 2025-09-16 at 11:45 Hong Kong time" in first.refused_examples[0]
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


def test_a_snapshot_of_a_day_alone_is_set_aside_until_it_is_delivered_again(house: House) -> None:
    header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
    row = "000001.SZ,20250916,10,10,10,10,10,0,0,1000,1000\n"
    path = "tushare_daily/20250916.csv"
    house.put(path, header + row, mtime=at("2025-09-16 14:59"))
    assert "before the close of 2025-09-16" in house.run("tushare_daily").set_aside[path]
    assert house.run("tushare_daily").files_read == 0
    house.touch(path, at("2025-09-16 15:30"))
    assert house.run("tushare_daily").rows_accepted == 1


# --- Units ---------------------------------------------------------------------------------------


def test_a_file_in_another_unit_is_set_aside_and_its_earlier_rows_stay(house: House) -> None:
    def day(lots: int) -> str:
        header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
        return header + "".join(
            f"{number:06}.SZ,20250916,10,10,10,10,10,0,0,{lots},{number + 1000}\n"
            for number in range(1, 4)
        )

    path = "tushare_daily/20250916.csv"
    house.put(path, day(1000))
    assert house.run("tushare_daily").rows_accepted == 3
    house.put(path, day(100_000))
    result = house.run("tushare_daily", now=LATER)
    assert result.changed_from is None
    assert result.set_aside[path].endswith("or the price is wrong (so in 3 of 3 rows)")
    assert house.rows("select sum(volume)::BIGINT, count(*) from raw.security_close") == [
        (300_000, 3)
    ]
    assert house.rows("select line_number, reason_code from raw.rejected_row") == [
        (2, "file_set_aside")
    ]


def test_columns_that_nobody_knows_are_remembered(house: House) -> None:
    house.put("tushare_stock_list/a.csv", "ts_code,name,industry,x\n600519.SH,Moutai,liquor,1\n")
    assert house.run("tushare_stock_list").rows_accepted == 1
    ((status, remark),) = house.rows("select status, remark from raw.file")
    assert status == "loaded"
    assert "does not know 'x'" in remark


# --- The meaning of a feed changes ---------------------------------------------------------------


def test_a_changed_spec_reads_all_its_files_again(house: House) -> None:
    feed = "tushare_index_daily"
    house.put(f"{feed}/a.csv", tushare(d15=1, d16=2))
    house.run(feed)
    spec = SPECS[feed]
    volume = spec.columns["volume"].model_copy(update={"unit": "shares"})
    changed = spec.model_copy(
        update={"columns": spec.columns | {"volume": volume}, "records": ("index_close",)}
    )
    changed.__dict__.pop("fingerprint", None)
    volume.__dict__.pop("parsed_unit", None)
    result = house.run(changed, now=LATER)
    assert result.files_read == 1
    assert house.rows("select volume from raw.index_close") == [(2,), (2,)]
    assert house.rows("select volume from raw.index_close_superseded") == [(200,), (200,)]
    assert house.rows("from raw.market_turnover") == []
    assert state.pending_from(house.con) == state.EVERYTHING
    assert house.run(changed).files_read == 0


def test_a_spec_that_no_longer_fits_takes_nothing_away(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1))
    house.run("wsj_index")
    spec = SPECS["wsj_index"]
    renamed = spec.columns["close"].model_copy(update={"column": "Schluss"})
    changed = spec.model_copy(update={"columns": spec.columns | {"close": renamed}})
    changed.__dict__.pop("fingerprint", None)
    result = house.run(changed, now=LATER)
    assert "'Schluss' is missing" in result.set_aside["wsj_index/HSI.csv"]
    assert house.rows("select status from raw.file order by all") == [
        ("loaded",),
        ("set_aside",),
    ]
    assert house.rows("select count(*) from raw.index_close") == [(1,)]
    assert house.run("wsj_index", now=LATER).rows_accepted == 1
    assert house.rows("select status from raw.file") == [("loaded",)]


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
    assert "before the close" in house.run("wsj_index", now=LATER).set_aside[path]
    assert house.rows("select status from raw.file") == [("set_aside",)]
    assert house.rows("from raw.index_close") == []


def test_an_index_made_known_is_read_without_a_new_delivery(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1))
    spec = SPECS["wsj_index"]
    without = known_indices() - {"HSI"}
    result = ingest_feed(house.con, house.landing, spec, TODAY, NOW, without)
    assert "add it to seeds/index_definition.csv" in result.set_aside["wsj_index/HSI.csv"]
    assert house.run().rows_accepted == 1


def test_a_feed_without_a_spec_is_withdrawn(house: House) -> None:
    house.put("wsj_index/HSI.csv", hsi(d15=1) + "junk\n")
    house.put("tushare_index_daily/a.csv", tushare(d15=1))
    house.run()
    house.run("tushare_index_daily")
    retire_feed(house.con, "wsj_index", LATER)
    assert house.closes() == {}
    assert house.closes("tushare_index_daily") == {15: 1}
    assert house.rows("select feed from raw.file union all select feed from raw.feed") == [
        ("tushare_index_daily",), ("tushare_index_daily",),
    ]  # fmt: skip
    assert house.rows("from raw.rejected_row") == []


# --- Whatever happens ----------------------------------------------------------------------------


def test_a_crash_costs_at_most_what_the_next_run_reads_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for symbol in ("HSCEI", "HSI", "HSTECH"):
        house.put(f"wsj_index/{symbol}.csv", hsi(d15=1, d16=2) + "junk\n")
    clean = House(house.landing.parent)
    clean.run()
    apply_records, calls = raw_tables.apply_records, Counter[str]()

    def crash(*arguments: Any) -> date | None:
        calls["apply"] += 1
        if calls["apply"] == 2:
            raise KeyboardInterrupt
        return apply_records(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(feed_ingestion, "BATCH_BYTES", 1)
        patched.setattr(raw_tables, "apply_records", crash)
        with pytest.raises(KeyboardInterrupt):
            house.run()
    assert house.rows("select path from raw.file") == [("wsj_index/HSCEI.csv",)]
    assert house.rows("select symbol, count(*) from raw.index_close group by 1") == [("HSCEI", 2)]
    assert state.pending_from(house.con) == date(2025, 9, 15)
    house.run()
    assert raw_rows(house.con) == raw_rows(clean.con)
    assert house.rows("from raw.index_close_superseded") == []
    clean.con.close()


def test_neither_names_nor_cells_are_run(house: House) -> None:
    evil = "'; drop table raw.file; --"
    header = "ts_code,name,industry\n"
    house.put(f"tushare_stock_list/{evil}.csv", f"{header}600519.SH,{evil},{evil}\n{evil},a,b\n")
    house.put(f"wsj_index/{evil}.csv", hsi(d15=1))
    house.put("wsj_index/$1 ? {x} %s.csv", hsi(d15=1))
    result = house.run("tushare_stock_list")
    assert result.rows_accepted == 1
    assert house.rows("select name, industry from raw.security_reference") == [(evil, evil)]
    assert house.rows("select raw_text from raw.rejected_row") == [(f"{evil},a,b",)]
    assert set(house.run().set_aside) == {f"wsj_index/{evil}.csv", "wsj_index/$1 ? {x} %s.csv"}
    (house.landing / "tushare_stock_list" / f"{evil}.csv").unlink()
    assert house.run("tushare_stock_list").files_removed == 1


def test_numbers_of_files_are_never_given_twice(house: House) -> None:
    given: list[int] = []
    known: set[tuple[int, str]] = set()
    for night in range(6):
        house.put("wsj_index/HSI.csv", hsi(d15=night + 1) if night % 2 else b"\xff")
        house.put("wsj_index/HSCEI.csv", hsi(d15=night + 1) if night % 3 else b"\xff")
        house.put(f"wsj_index/other{night}.csv", b"")
        if night == 4:
            (house.landing / "wsj_index/HSI.csv").unlink()
        house.run()
        now = set(house.rows("select file_id, sha256 from raw.file"))
        files = house.rows("select file_id, path, status from raw.file")
        assert len({file_id for file_id, *_ in files}) == len(files)
        given += [file_id for file_id, _ in now - known]
        known |= now
    for file_id in set(given):
        paths = house.rows(
            "select distinct path from (select file_id, path from raw.file "
            "union all select file_id, path from raw.file_superseded) where file_id = ?",
            file_id,
        )
        assert len(paths) == 1


class Counting:
    """A connection that counts the statements it is asked for."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con, self.statements = con, 0

    def execute(self, *arguments: Any) -> duckdb.DuckDBPyConnection:
        self.statements += 1
        return self.con.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)


def test_no_statement_is_spent_on_a_file(house: House) -> None:
    text = "Price,Close,High,Low,Open,Volume\nTicker,{0},{0}\nDate,,,,,\n2025-09-16,{1},2,1,1,1\n"
    spent = []
    for night, count in enumerate((1, 40)):
        for number in range(count):
            symbol = f"{number:04}.HK"
            for name, content in (
                (f"{symbol}.csv", text.format(symbol, night % 2 + 1)),
                (f"1{symbol}.csv", b"\xff%d" % night),
                (f"2{symbol}.csv", text.format(f"2{symbol}", 9)),
                (f"wrong name {number}", str(night)),
                (f"3{symbol}.csv", text.format(f"3{symbol}", 1)),
            ):
                house.put(f"yahoo_hk/{name}", content)
        for remove in house.landing.glob("yahoo_hk/3*") if night else ():
            remove.unlink()
        con: Any = Counting(house.con)
        ingest_feed(con, house.landing, SPECS["yahoo_hk"], TODAY, NOW)
        spent.append(con.statements)
    assert len(house.files()) == 4 * 40
    assert spent[1] <= spent[0] + 10


# --- Real files ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    real_files()
    house = House(tmp_path_factory.mktemp("real"))
    place_real_files(house.landing)
    with house.con:
        ingest(house.con, house.landing, SPECS.values())
        yield house


def test_real_files_are_all_read_and_every_line_is_accounted_for(real_warehouse: House) -> None:
    files = real_warehouse.rows(
        "select path, status, lines_read, rows_accepted + rows_duplicate + rows_refused + "
        "lines_framing from raw.file"
    )
    assert len(files) == 234
    for path, status, lines_read, counted in files:
        assert (status, counted) == ("loaded", lines_read), path
        if path.endswith(".csv"):
            content = (real_warehouse.landing / path).read_bytes()
            assert lines_read == len(content.removesuffix(b"\n").split(b"\n")), path
    codes = Counter(
        (row[0], row[1])
        for row in real_warehouse.rows("select feed, reason_code from raw.rejected_row")
    )
    assert codes == {
        ("tushare_daily", "market_not_covered"): 265,
        ("tushare_stock_list", "market_not_covered"): 540,
        ("baostock_index", "close_out_of_range"): 22,
        ("baostock_index", "high_below_low"): 1,
        ("baostock_index", "unit_or_price_wrong"): 7,
    }
    assert real_warehouse.rows("select path from raw.file where remark is not null") == []


# Feed -> symbol column (or none: the file's name), and raw column -> delivered column, factor.
_PRICES = {name: (name, 1) for name in ("open", "high", "low", "close")}
_ORACLES: dict[str, tuple[str | None, str, str, dict[str, tuple[str, int]]]] = {
    "wsj_index": (None, "Date", "%m/%d/%y", {k: (k.title(), 1) for k in _PRICES}),
    "baostock_index": (None, "date", "%Y-%m-%d",
                       _PRICES | {"volume": ("volume", 1), "turnover": ("amount", 1)}),
    "tushare_daily": ("ts_code", "trade_date", "%Y%m%d",
                      _PRICES | {"volume": ("vol", 100), "turnover": ("amount", 1000),
                                 "previous_close": ("pre_close", 1), "change": ("change", 1)}),
    "eastmoney_a_share": (None, "日期", "%Y-%m-%d",
                          {"open": ("开盘", 1), "high": ("最高", 1), "low": ("最低", 1),
                           "close": ("收盘", 1), "volume": ("成交量", 100),
                           "turnover": ("成交额", 1), "change": ("涨跌额", 1)}),
    "yahoo_hk": (None, "Price", "%Y-%m-%d",
                 {k: (k.title(), 1) for k in _PRICES} | {"volume": ("Volume", 1)}),
}  # fmt: skip


@pytest.mark.parametrize("feed", _ORACLES)
def test_real_values_are_those_of_the_files_digit_by_digit(
    real_warehouse: House, feed: str
) -> None:
    _, date_column, date_format, columns = _ORACLES[feed]
    table = SPECS[feed].records[0]
    scales = {"volume": Decimal(1), "turnover": Decimal("0.01")}
    held: dict[str, dict[int, tuple[Any, ...]]] = {}
    for path, line, *values in real_warehouse.rows(
        f"select path, line_number, trade_date, {', '.join(columns)} from raw.{table} as record "
        "join raw.file using (file_id) where record.feed = ?",
        feed,
    ):
        held.setdefault(path, {})[line] = tuple(values)
    assert held
    for path, rows in held.items():
        lines = (real_warehouse.landing / path).read_text(encoding="utf-8").split("\n")
        header = [name.strip() for name in lines[0].split(",")]
        for line, (day, *values) in rows.items():
            cells = dict(zip(header, next(csv.reader([lines[line - 1]])), strict=True))
            assert day == datetime.strptime(cells[date_column], date_format).date()
            for (name, (column, factor)), value in zip(columns.items(), values, strict=True):
                exact = Decimal(cells[column]) * factor
                rounded = exact.quantize(scales.get(name, Decimal("0.000001")), "ROUND_HALF_UP")
                assert value == rounded, (path, line, name)
