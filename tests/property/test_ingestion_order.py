"""Raw is a function of the files in landing: whatever the order of deliveries, it says the same.

Histories of nights are drawn at random: files new, corrected, split, touched, gone bad, removed,
over a feed of one file a symbol and two whose files overlap. What the nights leave behind is
compared with one ingest of the files that are there in the end.

`CLOSING_BELL_HISTORIES` sets how many histories are drawn (default 20).
"""

import json
import os
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dagster_project.ingest import feed_ingestion
from tests.support import ingest, new_warehouse, raw_rows, specs

SPECS = specs("wsj_index", "tushare_index_daily", "hkex_turnover")
PATHS = {
    "wsj_index": ["HSI.csv"],
    "tushare_index_daily": ["a.csv", "b.csv", "c.csv"],
    "hkex_turnover": ["main_1.json", "main_2.json"],
}
HISTORIES = int(os.environ.get("CLOSING_BELL_HISTORIES", "20"))

SYMBOLS = ("000001.SH", "399001.SZ")

# A row: which symbol (where a file has several), day of September 2025 (0: noise), value.
Row = tuple[int, int, int]
NOISE = (0, 0, 0)
ROW = st.tuples(st.integers(0, 1), st.sampled_from([1, 2, 3, 1, 2, 3, 0]), st.integers(1, 2))
ROWS = st.lists(ROW, min_size=1, max_size=6).map(tuple)


@dataclass(frozen=True)
class Put:
    """A delivery: rows, or bytes that no feed can read."""

    feed: str
    path: str
    rows: tuple[Row, ...] | None
    order: int

    @property
    def key(self) -> tuple[str, str]:
        return self.feed, self.path

    @property
    def reported(self) -> dict[tuple[int, int], set[int]]:
        """Record -> the values that the rows report for it."""
        found: dict[tuple[int, int], set[int]] = {}
        for symbol, day, value in self.rows or ():
            if day:
                of_file = symbol if self.feed == "tushare_index_daily" else 0
                found.setdefault((of_file, day), set()).add(value)
        return found

    @property
    def is_usable(self) -> bool:
        """Whether any record is reported without contradiction."""
        return any(len(values) == 1 for values in self.reported.values())

    @property
    def content(self) -> bytes:
        if self.rows is None:
            return b"\xff"
        if self.feed == "wsj_index":
            lines = ["Date, Open, High, Low, Close"] + [
                f"09/{day:02}/25, {value}, {value}, {value}, {value}" if day else ""
                for _, day, value in self.rows
            ]
        elif self.feed == "tushare_index_daily":
            header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount"
            lines = [header] + [
                f"{SYMBOLS[symbol]},202509{day:02}," + f"{value}," * 5 + f"0,0,2,{value}"
                if day
                else "junk,line"
                for symbol, day, value in self.rows
            ]
        else:
            body = [
                {"row": row, "col": column, "text": text}
                for row, (_, day, value) in enumerate(self.rows)
                for column, text in enumerate(
                    (f"2025/09/{day:02}", "", str(value), "1", "1") if day else ("x", "", "y")
                )
            ]
            return json.dumps({"tables": [{"body": body}]}).encode()
        return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True)
class Touch:
    key: tuple[str, str]
    order: int


@dataclass(frozen=True)
class Remove:
    key: tuple[str, str]


def actions(key: tuple[str, str]) -> st.SearchStrategy[Put | Touch | Remove | None]:
    """What may happen to a file in a night; most often it is delivered."""
    place, orders = (st.just(key[0]), st.just(key[1])), st.integers(1, 5)
    kinds: dict[str, st.SearchStrategy[Put | Touch | Remove | None]] = {
        "deliver": st.builds(Put, *place, ROWS, orders),
        "spoil": st.builds(Put, *place, st.none(), orders),
        "touch": st.builds(Touch, st.just(key), orders),
        "remove": st.just(Remove(key)),
        "leave": st.none(),
    }
    weights = ["deliver"] * 6 + ["touch"] * 2 + ["spoil", "remove", "leave"]
    return st.sampled_from(weights).flatmap(kinds.__getitem__)


KEYS = [(feed, path) for feed, paths in PATHS.items() for path in paths]
NIGHTS = st.lists(
    st.tuples(st.tuples(*map(actions, KEYS)), st.permutations(list(SPECS))),
    min_size=1,
    max_size=4,
)


class House:
    """A landing folder, its warehouse, and what of it the model knows."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.landing = Path(self.folder.name)
        for feed in SPECS:
            (self.landing / feed).mkdir()
        self.con = new_warehouse()
        self.there: dict[tuple[str, str], Put] = {}
        # What raw last saw of a path, and the last content of it that could be loaded.
        self.seen: dict[tuple[str, str], Put] = {}
        self.loaded: dict[tuple[str, str], Put] = {}

    def deliver(self, put: Put) -> None:
        seen = self.seen.get(put.key)
        if seen and seen.content != put.content and seen.order == put.order:
            # A correction comes at another time than what it corrects.
            put = Put(put.feed, put.path, put.rows, put.order + 5)
        file = self.landing / put.feed / put.path
        file.write_bytes(put.content)
        os.utime(file, ns=(put.order, put.order))
        self.there[put.key] = put

    def act(self, action: Put | Touch | Remove) -> None:
        held = self.there.get(action.key)
        if isinstance(action, Put):
            self.deliver(action)
        elif held and isinstance(action, Touch):
            self.deliver(Put(held.feed, held.path, held.rows, action.order))
        elif held:
            (self.landing / held.feed / held.path).unlink()
            del self.there[held.key]

    def run(self, feeds: list[str]) -> dict[str, date | None]:
        results = ingest(self.con, self.landing, [SPECS[feed] for feed in feeds])
        self.seen = dict(self.there)
        usable = {key: put for key, put in self.there.items() if put.is_usable}
        kept = {key: put for key, put in self.loaded.items() if key in self.there}
        self.loaded = kept | usable
        return {feed: result.changed_from for feed, result in results.items()}

    def current(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """Feed -> the records that count, with their dates first."""
        rows = self.con.execute("""
            select feed, trade_date, symbol, close, volume from raw.index_close where is_current
            union all
            select feed, trade_date, market || segment, turnover, volume from raw.market_turnover
            where is_current""").fetchall()
        return {feed: Counter(row[1:] for row in rows if row[0] == feed) for feed in SPECS}

    def close(self) -> None:
        self.con.close()
        self.folder.cleanup()


def clean_rebuild(house: House) -> House:
    """One ingest of the files that are there; of those gone bad, first of what they last said."""
    clean = House()
    for put in house.loaded.values():
        clean.deliver(put)
    clean.run(list(SPECS))
    for key in clean.there.keys() - house.there.keys():
        clean.act(Remove(key))
    for put in house.there.values():
        clean.deliver(put)
    clean.run(list(SPECS))
    for put in house.there.values():
        clean.act(Touch(put.key, put.order))
    clean.run(list(SPECS))
    return clean


def check_lines(con: duckdb.DuckDBPyConnection) -> None:
    """Every line of every file is accounted for, and rejected lines are kept."""
    for path, *counts in con.execute("""
        select path, lines_read, rows_accepted, rows_duplicate, rows_refused, lines_framing,
            status, count(rejected_row.reason)
        from raw.file left join raw.rejected_row using (file_id) group by all""").fetchall():
        lines, accepted, duplicate, rejected, framing, status, kept = counts
        assert lines == accepted + duplicate + rejected + framing, path
        assert status == "set_aside" or kept == rejected, path


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nights=NIGHTS, batch=st.sampled_from([1, 300, feed_ingestion.BATCH_BYTES]))
def test_any_history_says_what_one_clean_ingest_says(
    nights: list[tuple[tuple[Put | Touch | Remove | None, ...], list[str]]], batch: int
) -> None:
    house = House()
    usual, feed_ingestion.BATCH_BYTES = feed_ingestion.BATCH_BYTES, batch
    try:
        for night, feeds in nights:
            before = house.current()
            for action in night:
                if action:
                    house.act(action)
            changed_from = house.run(feeds)
            check_lines(house.con)
            after = house.current()
            for feed in SPECS:
                differing = (before[feed] - after[feed]) + (after[feed] - before[feed])
                if differing:
                    first = min(row[0] for row in differing)
                    reported = changed_from[feed]
                    assert reported is not None
                    assert reported <= first
                    if SPECS[feed].has_own_keys_per_file:
                        assert reported == first
        assert not any(house.run(list(SPECS)).values())
        clean = clean_rebuild(house)
        found, expected = raw_rows(house.con), raw_rows(clean.con)
        clean.close()
        for table in expected:
            assert found[table] == expected[table], table
        records = sum(
            len([key for key, values in put.reported.items() if len(values) == 1])
            for put in house.loaded.values()
            if put.feed != "hkex_turnover"
        )
        assert len(found["index_close"]) == records
        event(f"quarantined beside loaded: {len(found['file']) > len(house.there)}")
        event(f"records not current: {any(not row[-1] for row in found['index_close'])}")
    finally:
        feed_ingestion.BATCH_BYTES = usual
        house.close()


def test_an_ingest_twice_from_the_start_is_the_same_bit_for_bit() -> None:
    put = Put("tushare_index_daily", "a.csv", ((0, 1, 2), (0, 1, 2), (1, 1, 3), NOISE), 1)
    says = []
    for _ in range(2):
        house = House()
        house.deliver(put)
        house.run(list(SPECS))
        says.append(raw_rows(house.con))
        house.close()
    assert says[0] == says[1]
    assert len(says[0]["index_close"]) == 2
