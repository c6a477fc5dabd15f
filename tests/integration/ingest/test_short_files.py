"""A file comes again with much less in it than was released of it.

Belongs here: which contents are too short, and what counts then. Does not belong here: whole runs
(`tests/integration/test_short_history.py`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.ingest import feed_ingestion, reader
from tests.integration.ingest.support import HSI, LATER, House

FIRST = date(2025, 1, 1)
INDEX = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount\n"
DAILY = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount\n"
PATH = "wsj_index/HSI.csv"


def hsi(days: Sequence[int], close: int = 1) -> str:
    """A file of HSI with rows of these days, counted from the first of the year."""
    return HSI + "".join(
        f"{FIRST + timedelta(day):%m/%d/%y}, {close}, {close}, {close}, {close}\n" for day in days
    )


def indices(days: Sequence[int], *symbols: str) -> str:
    return INDEX + "".join(
        f"{symbol},{FIRST + timedelta(day):%Y%m%d},1,1,1,1,1,0,0,2,3\n"
        for symbol in symbols or ("000001.SH",)
        for day in days
    )


def shares(numbers: Sequence[int]) -> str:
    return DAILY + "".join(f"{n:06}.SZ,20250916,10,10,10,10,10,0,0,1000,1000\n" for n in numbers)


def listed(numbers: Sequence[int]) -> str:
    return "ts_code,name,industry\n" + "".join(f"{n:06}.SZ,Name,liquor\n" for n in numbers)


def releasing(house: House) -> None:
    """Make what raw holds now the published file, as far as ingest looks at it."""
    house.published = house.landing.parent / "published.duckdb"
    house.published.unlink(missing_ok=True)
    house.con.execute(f"attach '{house.published}' as copy")
    house.con.execute("copy from database memory to copy")
    house.con.execute("detach copy")


def days_of(house: House, feed: str = "wsj_index") -> int:
    ((count,),) = house.rows(
        "select count(*) from raw.index_close where feed = ? and is_current", feed
    )
    return int(count)


def test_a_file_of_five_sessions_does_not_take_the_place_of_the_history(house: House) -> None:
    house.put(PATH, hsi(range(100)))
    house.run()
    releasing(house)
    house.put(PATH, hsi(range(96, 101), close=2))
    result = house.run(now=LATER)
    assert result.changed_from is None
    assert result.quarantined == {
        PATH: "lacks 96 of 100 released rows of HSI (2025-01-01 to 2025-04-06); the former content "
        "counts on. If it is meant, remove the file, run a night, and deliver it again"
    }
    assert days_of(house) == 100
    assert house.files() == [("HSI.csv", "loaded", 101, 100, 0), ("HSI.csv", "set_aside", 6, 0, 6)]
    assert house.run(now=LATER).files_read == 0

    house.put(PATH, hsi(range(101), close=3))
    assert house.run(now=LATER).quarantined == {}
    assert days_of(house) == 101
    assert house.files() == [("HSI.csv", "loaded", 102, 101, 0)]


def test_a_short_file_that_is_meant_is_removed_and_delivered_again(house: House) -> None:
    house.put(PATH, hsi(range(100)))
    house.run()
    releasing(house)
    house.put(PATH, hsi(range(5)))
    assert house.run().quarantined
    (house.landing / PATH).unlink()
    house.run()
    releasing(house)
    house.put(PATH, hsi(range(5)))
    assert house.run().quarantined == {}
    assert days_of(house) == 5


@pytest.mark.parametrize(("kept", "is_short"), [(80, False), (79, True)])
def test_a_fifth_of_the_rows_may_go(house: House, kept: int, is_short: bool) -> None:
    house.put(PATH, hsi(range(100)))
    house.run()
    releasing(house)
    house.put(PATH, hsi(range(kept)))
    assert bool(house.run().quarantined) == is_short
    assert days_of(house) == (100 if is_short else kept)


def test_a_vendors_last_250_sessions_roll_on(house: House) -> None:
    for night in range(3):
        house.put(PATH, hsi(range(night, 250 + night)))
        assert house.run().quarantined == {}
        releasing(house)
    assert days_of(house) == 250


def test_rows_that_were_never_released_may_go(house: House) -> None:
    """Of a first load that was withheld, of dates that are not covered, of a new file."""
    house.put(PATH, hsi(range(100)))
    house.run()
    house.put(PATH, hsi(range(90)))
    assert house.run().quarantined == {}
    house.con.execute("update raw.asked_dates set from_date = '2025-03-01'")
    releasing(house)
    house.put(PATH, hsi(range(59, 90)))
    assert house.run().quarantined == {}
    house.put("wsj_index/HSCEI.csv", hsi(range(100)))
    house.run()
    house.put("wsj_index/HSCEI.csv", hsi(range(5)))
    assert house.run().quarantined == {}


def test_a_few_rows_may_go(house: House) -> None:
    house.put(PATH, hsi(range(9)))
    house.run()
    releasing(house)
    house.put(PATH, hsi(range(1)))
    assert house.run().quarantined == {}
    assert days_of(house) == 1


def test_rows_that_cannot_be_used_any_more_are_lacking_too(house: House) -> None:
    house.put(PATH, hsi(range(100)))
    house.run()
    releasing(house)
    junk = "".join(f"{FIRST + timedelta(day):%m/%d/%y}, 1, 1, 1, none\n" for day in range(50, 100))
    house.put(PATH, hsi(range(50)) + junk)
    assert "lacks 50 of 100 released rows of HSI" in house.run().quarantined[PATH]
    assert days_of(house) == 100


def test_every_symbol_of_a_file_keeps_its_rows(house: House) -> None:
    path = "tushare_index_daily/a.csv"
    house.put(path, indices(range(50), "000001.SH", "399001.SZ"))
    house.run("tushare_index_daily")
    releasing(house)
    house.put(path, indices(range(52), "000001.SH"))
    reason = house.run("tushare_index_daily").quarantined[path]
    assert reason.startswith("lacks 50 of 50 released rows of 399001.SZ (2025-01-01 to 2025-02-19)")


@pytest.mark.parametrize("batch", [1, feed_ingestion.BATCH_BYTES])
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_rows_that_move_to_another_file_are_not_lost(
    house: House, monkeypatch: pytest.MonkeyPatch, names: str, batch: int
) -> None:
    monkeypatch.setattr(feed_ingestion, "BATCH_BYTES", batch)
    old, new = (f"tushare_index_daily/{name}.csv" for name in names)
    house.put(old, indices(range(100)))
    house.run("tushare_index_daily")
    releasing(house)
    house.put(old, indices(range(50, 100)))
    house.put(new, indices(range(50)))
    assert house.run("tushare_index_daily").quarantined == {}
    assert days_of(house, "tushare_index_daily") == 100
    assert not house.run("tushare_index_daily").files_read


@pytest.mark.parametrize("batch", [1, feed_ingestion.BATCH_BYTES])
def test_rows_that_move_to_a_file_which_is_removed_are_lost(
    house: House, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(feed_ingestion, "BATCH_BYTES", batch)
    feed, a, b = (f"tushare_index_daily{name}" for name in ("", "/a.csv", "/b.csv"))
    house.put(a, indices(range(100)))
    house.put(b, indices(range(50)), mtime=1)
    house.run(feed)
    releasing(house)
    house.put(a, indices(range(50, 100)))
    (house.landing / b).unlink()
    assert list(house.run(feed).quarantined) == [a]
    assert days_of(house, feed) == 100


@pytest.mark.parametrize("batch", [1, feed_ingestion.BATCH_BYTES])
def test_a_file_that_is_too_short_itself_gives_no_other_its_rows(
    house: House, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(feed_ingestion, "BATCH_BYTES", batch)
    feed, a, b = (f"tushare_index_daily{name}" for name in ("", "/a.csv", "/b.csv"))
    house.put(a, indices(range(40)))
    house.put(b, indices(range(100, 200)))
    house.run(feed)
    releasing(house)
    house.put(a, indices(range(200, 205)))
    house.put(b, indices(range(40)))
    assert set(house.run(feed).quarantined) == {a, b}
    assert days_of(house, feed) == 140


def test_a_day_that_loses_its_shares_is_quarantined(house: House) -> None:
    path = "tushare_daily/20250916.csv"
    house.put(path, shares(range(1, 101)))
    house.run("tushare_daily")
    releasing(house)
    house.put(path, shares(range(1, 96)))
    assert house.run("tushare_daily").quarantined == {}
    house.put(path, shares(range(1, 21)))
    reason = house.run("tushare_daily").quarantined[path]
    assert reason.startswith("lacks 80 of 100 released rows (2025-09-16 to 2025-09-16); the former")
    assert house.rows("select count(*) from raw.security_close") == [(95,)]


def test_a_list_may_lose_securities_but_not_most_of_them(house: House) -> None:
    path = "tushare_stock_list/a.csv"
    house.put(path, listed(range(1, 101)))
    house.run("tushare_stock_list")
    releasing(house)
    house.put(path, listed(range(5, 101)))
    assert house.run("tushare_stock_list").quarantined == {}
    house.put(path, listed(range(5, 41)))
    reason = house.run("tushare_stock_list").quarantined[path]
    assert reason.startswith("lacks 64 of 100 released rows; the former content counts on")


def test_adjusted_prices_may_all_change(house: House) -> None:
    def history(factor: float, days: Sequence[int]) -> str:
        head = "Price,Close,High,Low,Open,Volume\nTicker" + ",0700.HK" * 5 + "\nDate,,,,,\n"
        price = f"{5 * factor:.6f}"
        return head + "".join(
            f"{FIRST + timedelta(day)},{','.join([price] * 4)},100\n" for day in days
        )

    path = "yahoo_hk/0700.HK.csv"
    house.put(path, history(1, range(100)))
    house.run("yahoo_hk")
    releasing(house)
    house.put(path, history(0.98, range(101)))
    assert house.run("yahoo_hk").quarantined == {}
    house.put(path, history(0.98, range(96, 101)))
    assert list(house.run("yahoo_hk").quarantined) == [path]


def test_a_changed_spec_judges_no_content(house: House) -> None:
    """What the same bytes become is said by the spec, which somebody changed on purpose."""
    house.put(PATH, hsi(range(100)))
    house.run()
    releasing(house)
    house.con.execute("update raw.feed set fingerprint = 'another'")
    assert house.run().quarantined == {}


def test_a_run_that_is_killed_between_two_batches_ends_as_if_it_had_not_been(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_ingestion, "BATCH_BYTES", 1)
    feed = "tushare_index_daily"
    house.put(f"{feed}/a.csv", indices(range(100)))
    house.run(feed)
    releasing(house)
    house.put(f"{feed}/a.csv", indices(range(50, 100)))
    house.put(f"{feed}/b.csv", indices(range(50)))
    house.put(f"{feed}/c.csv", indices(range(50), "399001.SZ"))
    read_files, calls = reader.read_files, []

    def killed(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return read_files(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(feed_ingestion, "read_files", killed)
    with pytest.raises(KeyboardInterrupt):
        house.run(feed)
    monkeypatch.setattr(feed_ingestion, "read_files", read_files)
    assert house.run(feed).quarantined == {}
    assert days_of(house, feed) == 150


def test_nothing_is_compared_without_a_published_file(house: House, tmp_path: Path) -> None:
    house.put(PATH, hsi(range(100)))
    house.run()
    house.published = tmp_path / "none.duckdb"
    house.put(PATH, hsi(range(5)))
    assert house.run().quarantined == {}
