"""What was known at an earlier moment: the macros `<kind>_as_known_at`, against what raw said then.

The property test draws histories of a few files at random and after each night takes down what raw
says; a macro must say the same of that moment ever after.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.market.record_kinds import RECORD_KINDS
from dagster_project.warehouse.as_of import create_macros
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.raw_tables import create_tables
from tests.support import NOW, ingest, new_warehouse, specs

SPECS = specs("wsj_index", "tushare_index_daily")
HSI, A, B = "wsj_index/HSI.csv", "tushare_index_daily/a.csv", "tushare_index_daily/b.csv"
COLUMNS = ", ".join(RECORD_KINDS["index_close"].columns)
INSTANT = timedelta(microseconds=1)
# Deliveries are identified by their minute after this.
DELIVERED = datetime(2025, 12, 1)


def content(path: str, closes: dict[int, int]) -> str:
    """A file of HSI, the latest day first, or of 000001.SH: day of September 2025 -> close."""
    if path == HSI:
        return "Date, Open, High, Low, Close\n" + "".join(
            f"09/{day}/25, {close}, {close}, {close}, {close}\n"
            for day, close in sorted(closes.items(), reverse=True)
        )
    return "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount\n" + "".join(
        f"000001.SH,202509{day},{close},{close},{close},{close},10,{close - 10},"
        f"{(close - 10) * 10},2,3\n"
        for day, close in closes.items()
    )


class Nights:
    """A landing folder, nights an hour apart, and what raw said after each of them."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        for feed in SPECS:
            (landing / feed).mkdir(parents=True)
        self.con = new_warehouse()
        create_macros(self.con)
        self.deliveries: Counter[str] = Counter()
        self.said: dict[datetime, list[tuple[Any, ...]]] = {}
        self.origins: dict[datetime, set[tuple[Any, ...]]] = {}

    def put(self, path: str, minute: int, closes: dict[int, int] | None) -> None:
        """Deliver a file; None: bytes that cannot be read."""
        text = b"\xff" if closes is None else content(path, closes).encode()
        (self.landing / path).write_bytes(text)
        self.touch(path, minute)

    def touch(self, path: str, minute: int) -> None:
        """Deliver the same bytes again."""
        if (self.landing / path).exists():
            # A nanosecond for each delivery: a correction never has the time of what it corrects.
            self.deliveries[path] += 1
            moment = DELIVERED + timedelta(minutes=minute)
            time = int(moment.timestamp()) * 1_000_000_000 + self.deliveries[path]
            os.utime(self.landing / path, ns=(time, time))

    def remove(self, path: str) -> None:
        (self.landing / path).unlink(missing_ok=True)

    def night(self) -> datetime:
        """Take in what there is; returns the moment."""
        moment = NOW + timedelta(hours=len(self.said))
        ingest(self.con, self.landing, SPECS.values(), now=moment)
        raw_says = "from raw.index_close as record join raw.file as file using (file_id)"
        self.said[moment] = self.rows(f"""
            select record.feed, {COLUMNS}, path, record.loaded_at {raw_says}
            where is_current order by all""")
        self.origins[moment] = set(
            self.rows(f"select record.feed, {COLUMNS}, path, sha256, line_number {raw_says}")
        )
        return moment

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def known(self, moment: datetime) -> list[tuple[Any, ...]]:
        return self.rows(f"""
            select feed, {COLUMNS}, file, loaded_at
            from index_close_as_known_at('{moment}') order by all""")

    def closes(self, moment: datetime) -> dict[int, float]:
        """Day of September -> the close of 000001.SH known at a moment."""
        rows = self.rows(f"""
            select day(trade_date), close from index_close_as_known_at('{moment}')
            where symbol = '000001.SH'""")
        assert len(dict(rows)) == len(rows)
        return dict(rows)

    def check(self) -> None:
        """Every night is known as it was, from its moment to the instant before the next."""
        assert self.known(NOW - INSTANT) == []
        for moment, following in pairwise([*self.said, NOW + timedelta(days=365)]):
            assert self.known(moment) == self.said[moment]
            assert self.known(following - INSTANT) == self.said[moment]
            # Where a value was found is where raw found it, then or in a later night.
            found = self.rows(f"""
                select feed, {COLUMNS}, file, file_sha256, line_number
                from index_close_as_known_at('{moment}')""")
            since = [origins for night, origins in self.origins.items() if night >= moment]
            assert set(found) <= set().union(*since)


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    made = Nights(tmp_path / "landing")
    yield made
    made.con.close()


def test_a_value_corrected_twice(nights: Nights) -> None:
    moments = []
    for minute, close in enumerate((17, 18, 19)):
        nights.put(A, minute, {15: close, 16: 11})
        moments.append(nights.night())
    first, second, third = moments
    assert [nights.closes(moment)[15] for moment in moments] == [17, 18, 19]
    nights.check()
    assert nights.rows(f"""
        select close, loaded_at, superseded_at, line_number, file_sha256 = (
            select sha256 from raw.file_superseded where superseded_at = '{third}')
        from index_close_as_known_at('{third - INSTANT}') where day(trade_date) = 15""") == [
        (18, second, third, 2, True)
    ]
    # A value that stood all the time is found where it stands now.
    assert nights.rows(f"""
        select loaded_at, superseded_at, file_sha256 = (select sha256 from raw.file)
        from index_close_as_known_at('{first}') where day(trade_date) = 16""") == [
        (first, None, True)
    ]


def test_a_file_removed_and_delivered_again(nights: Nights) -> None:
    nights.put(A, 1, {15: 17})
    there = nights.night()
    nights.remove(A)
    gone = nights.night()
    nights.put(A, 2, {15: 17})
    back = nights.night()
    assert [nights.closes(moment) for moment in (there, gone, back)] == [{15: 17}, {}, {15: 17}]
    nights.check()


def test_a_row_vanished_from_a_later_delivery(nights: Nights) -> None:
    nights.put(A, 1, {15: 17, 16: 18})
    whole = nights.night()
    nights.put(A, 2, {16: 18})
    less = nights.night()
    assert [nights.closes(moment) for moment in (whole, less)] == [{15: 17, 16: 18}, {16: 18}]
    nights.check()


def test_of_two_files_the_one_delivered_last_counted(nights: Nights) -> None:
    nights.put(A, 2, {15: 17, 16: 11})
    nights.put(B, 1, {15: 18, 17: 12})
    both = nights.night()
    nights.put(B, 3, {15: 19, 17: 12})
    corrected = nights.night()
    nights.remove(B)
    alone = nights.night()
    assert nights.closes(both) == {15: 17, 16: 11, 17: 12}
    assert nights.closes(corrected) == {15: 19, 16: 11, 17: 12}
    assert nights.closes(alone) == {15: 17, 16: 11}
    nights.check()


def test_the_same_bytes_delivered_again_come_last_from_then_on(nights: Nights) -> None:
    nights.put(A, 1, {15: 17})
    nights.put(B, 2, {15: 18})
    before = nights.night()
    nights.touch(A, 3)
    after = nights.night()
    nights.touch(B, 4)
    again = nights.night()
    assert [nights.closes(moment)[15] for moment in (before, after, again)] == [18, 17, 18]
    nights.check()


def test_a_file_gone_bad_leaves_what_it_said(nights: Nights) -> None:
    moments = []
    for minute, closes in enumerate(({15: 17}, None, {15: 18})):
        nights.put(A, minute, closes)
        moments.append(nights.night())
    assert [nights.closes(moment)[15] for moment in moments] == [17, 17, 18]
    nights.check()


CLOSES = st.dictionaries(st.integers(15, 17), st.integers(11, 12), min_size=1)
ACTION = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 4), CLOSES),
    st.tuples(st.just("put"), st.integers(1, 4), st.none() | CLOSES),
    st.tuples(st.just("touch"), st.integers(1, 4)),
    st.tuples(st.just("remove")),
)
NIGHTS = st.lists(st.dictionaries(st.sampled_from([HSI, A, B]), ACTION), min_size=1, max_size=5)


@settings(
    max_examples=int(os.environ.get("CLOSING_BELL_HISTORIES", "10")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(drawn=NIGHTS)
def test_any_history_is_known_as_raw_said_it_then(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, tuple[Any, ...]]]
) -> None:
    nights = Nights(tmp_path_factory.mktemp("landing"))
    for actions in drawn:
        for path, (action, *details) in actions.items():
            getattr(nights, action)(path, *details)
        nights.night()
    nights.check()
    nights.con.close()


def test_every_record_kind_can_be_queried_and_says_what_it_is() -> None:
    with duckdb.connect() as con:
        create_tables(con)
        create_macros(con)
        create_macros(con)
        for kind in RECORD_KINDS.values():
            found = con.execute(f"from {kind.name}_as_known_at('2025-09-17')")
            assert [column[0] for column in found.description or ()] == [
                "feed", *kind.columns, "file", "file_sha256", "line_number", "loaded_at",
                "superseded_at",
            ]  # fmt: skip
        macros = con.execute("""
            select function_name, parameters, comment from duckdb_functions()
            where not internal order by 1""").fetchall()
        assert [name for name, *_ in macros] == sorted(
            f"{kind}_as_known_at" for kind in RECORD_KINDS
        )
        for name, parameters, comment in macros:
            kind = RECORD_KINDS[name.removesuffix("_as_known_at")]
            assert parameters == ["moment"]
            assert ", ".join(kind.key) in comment


@pytest.mark.parametrize(
    "moment",
    [
        "'2025-09-17 10:00'",
        "'2025-09-17 18:00+08'",
        "timestamptz '2025-09-17 10:00+00'",
        "timestamp '2025-09-17 10:00'",
        "date '2025-09-18'",
        "?",
    ],
)
def test_a_moment_is_utc_wherever_the_reader_is(nights: Nights, moment: str) -> None:
    nights.put(A, 1, {15: 17})
    nights.night()
    nights.con.execute("set timezone = 'Asia/Hong_Kong'")
    nights.con.execute("update raw.index_close set loaded_at = '2025-09-17 10:00'")
    parameters = [datetime(2025, 9, 17, 10)] if moment == "?" else []
    ask = f"select count(*) from index_close_as_known_at({moment})"
    assert nights.con.execute(ask, parameters).fetchall() == [(1,)]
    nights.con.execute("update raw.index_close set loaded_at = '2025-09-18 00:00:01'")
    assert nights.con.execute(ask, parameters).fetchall() == [(0,)]


@pytest.fixture
def file(nights: Nights, tmp_path: Path) -> Path:
    """A warehouse file as it is published: one value corrected once."""
    for minute, close in enumerate((17, 18)):
        nights.put(A, minute, {15: close})
        nights.night()
    path = tmp_path / "closing_bell.duckdb"
    with connect(path) as con:
        create_tables(con)
        create_macros(con)
    nights.con.execute(f"attach '{path}' as published")
    for table in ("file", "file_superseded", "index_close", "index_close_superseded"):
        nights.con.execute(f"insert into published.raw.{table} from raw.{table}")
    nights.con.execute("detach published")
    return path


ASK = f"select close::INTEGER from index_close_as_known_at('{NOW}')"


def test_the_file_answers_read_only_and_attached_under_another_name(file: Path) -> None:
    with connect(file, read_only=True) as con:
        assert con.execute(ASK).fetchall() == [(17,)]
    with duckdb.connect() as con:
        con.execute(f"attach '{file}' as cb (read_only)")
        con.execute("use cb")
        assert con.execute(ASK).fetchall() == [(17,)]


def test_an_older_client_can_ask(file: Path) -> None:
    client = Path(sys.executable).with_name("duckdb")
    if not client.exists():
        pytest.skip("no duckdb-cli beside Python; pip install duckdb-cli")
    done = subprocess.run(
        [client, "-readonly", "-noheader", "-csv", file, "-c", ASK],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("17", "")
