"""Whatever happens during ingest, raw ends as if it had not, and a night costs a night.

Belongs here: a run that is interrupted, names and cells that look like SQL, numbers of files, and
how many statements a run needs. Does not belong here: whole runs that are killed
(`tests/integration/test_crash.py`).
"""

from collections import Counter
from datetime import date
from typing import Any

import duckdb
import pytest

from dagster_project.ingest import feed_ingestion
from dagster_project.ingest.feed_ingestion import ingest_feed
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.state import Change
from tests.integration.ingest.support import SPECS, House, hsi
from tests.support import NOW, TODAY, raw_rows


def test_a_crash_costs_at_most_what_the_next_run_reads_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for symbol in ("HSCEI", "HSI", "HSTECH"):
        house.put(f"wsj_index/{symbol}.csv", hsi(d15=1, d16=2) + "junk\n")
    clean = House(house.landing.parent)
    clean.run()
    apply_records, calls = raw_tables.apply_records, Counter[str]()

    def crash(*arguments: Any) -> list[Change]:
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
    assert set(house.run().quarantined) == {f"wsj_index/{evil}.csv", "wsj_index/$1 ? {x} %s.csv"}
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
    """A connection that counts the statements that it executes."""

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
