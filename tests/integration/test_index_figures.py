"""Figures of indices, and turnover, recomputed from the vendors' real files in plain pandas.

The coverage begins long after the files, so that sessions before it matter. What takes part in the
recomputation, and what does not, is said in `tests.recomputation`.
"""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagster_project import pipeline
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from dagster_project.warehouse.connection import connect
from tests.conftest import BuiltOnce, copy_home
from tests.recomputation.figures import (
    MICRO,
    assert_equal,
    compare,
    exact_column,
    latest,
    pct,
)
from tests.support import TODAY, real_files

COVERED = (date(2024, 1, 2), date(2025, 9, 17))


# The real files


def _laid_out(landing: Path) -> None:
    """Place the files of all indices, of the Hang Seng Index the longest there is."""
    real = real_files()
    folders = {
        "wsj_index": ("index_wsj", "index_wsj_to_2025_10"),
        "baostock_index": ("index_baostock",),
        "sina_index": ("index_sina",),
        "yahoo_index": ("index_yahoo",),
        "csindex": ("csindex",),
    }
    for feed, sources in folders.items():
        (landing / feed).mkdir(parents=True)
        for folder in sources:
            for path in sorted((real / folder).glob("*")):
                shutil.copy2(path, landing / feed / path.name)
    (landing / "tushare_index_daily").mkdir()
    for path in sorted((real / "tushare").glob("index_daily_*.csv")):
        shutil.copy2(path, landing / "tushare_index_daily" / path.name)


def _catalog(landing: Path) -> FeedCatalog:
    """The feeds that have files."""
    catalog = load_feeds()
    there = {folder.name for folder in landing.iterdir()}
    return FeedCatalog({n: spec for n, spec in catalog.feeds.items() if n in there}, {})


def _run(home: Home, first: date, last: date) -> None:
    result = pipeline.run(home, _catalog(home.landing), (first, last), TODAY)
    assert result.withheld is None


@pytest.fixture(scope="module")
def home(built_once: BuiltOnce) -> Home:
    """One backfill of the covered dates."""

    def build(home: Home) -> None:
        _laid_out(home.landing)
        _run(home, *COVERED)

    return built_once("index_figures", build)


def _published(home: Home, table: str) -> pd.DataFrame:
    """The rows of a table on the covered dates, sorted by its key."""
    with connect(home.published, read_only=True) as con:
        frame = con.execute(
            f"select * from main.{table} where trade_date between ? and ?", list(COVERED)
        ).fetchdf()
    key = [name for name in ("symbol", "market", "scope", "trade_date") if name in frame]
    return frame.sort_values(key).reset_index(drop=True)


# Recomputation

# Feed -> symbol of a file's name, and its format.
_CODES = {
    "sh000001": "000001.SH", "sh000300": "000300.SH", "sz399001": "399001.SZ",
    "sz399006": "399006.SZ", "hstech": "HSTECH", "931743": "931743.CSI",
}  # fmt: skip
_PRIORITY = {
    "baostock_index": 10, "csindex": 10, "wsj_index": 20, "sina_index": 20,
    "tushare_index_daily": 20, "yahoo_index": 30,
}  # fmt: skip
_DAY_FORMAT = {"wsj_index": "%m/%d/%y", "tushare_index_daily": "%Y%m%d", "csindex": "%Y%m%d"}
_NAMES = {
    "date": "trade_date", "tradedate": "trade_date", "trade_date": "trade_date", "close": "close",
    "pre_close": "stated_previous", "change": "stated_change", "ts_code": "symbol",
}  # fmt: skip


def _read(path: Path) -> pd.DataFrame:
    """The records of one file: symbol, trade_date, close and what it says of the one before."""
    if path.suffix == ".json":
        lines = json.loads(path.read_text(encoding="utf-8"), parse_float=str, parse_int=str)
        frame = pd.DataFrame(lines["data"], dtype=str)
    else:
        frame = pd.read_csv(path, dtype=str, skipinitialspace=True)
    frame.columns = [_NAMES.get(name.strip().lower(), "") for name in frame.columns]
    frame = frame.loc[:, frame.columns != ""].reindex(
        columns=["symbol", "trade_date", "close", "stated_previous", "stated_change"]
    )
    feed = path.parent.name
    frame["symbol"] = frame["symbol"].astype(object).fillna(_CODES.get(path.stem, path.stem))
    days = pd.to_datetime(frame["trade_date"], format=_DAY_FORMAT.get(feed, "%Y-%m-%d"))
    # Line of a file with one header, element of a list in JSON.
    line_number = np.arange(1, len(frame) + 1) + (path.suffix != ".json")
    return frame.assign(
        trade_date=days, feed=feed, file=f"{feed}/{path.name}", line_number=line_number
    )


def _records(home: Home) -> pd.DataFrame:
    """One row per feed, index and session, of all files."""
    files = [path for feed in home.landing.iterdir() for path in feed.iterdir()]
    frame = pd.concat([_read(path) for path in sorted(files)], ignore_index=True)
    with connect(home.published, read_only=True) as con:
        rejected = con.execute("select file, line_number from main.rejected_row").fetchdf()
        session = con.execute(
            "select market, trade_date, session_number from main.dim_session"
        ).fetchdf()
        market = con.execute("select symbol, market from main.dim_index").fetchdf()
    frame = frame.merge(rejected, "left", ["file", "line_number"], indicator="kept")
    frame = frame[frame["kept"] == "left_only"].merge(market, on="symbol")
    frame = frame.merge(session, on=["market", "trade_date"])
    for name in ("close", "stated_previous", "stated_change"):
        frame[name] = exact_column(frame[name])
    # A line without a close is no record.
    frame = frame[frame["close"].notna()]
    assert not frame.duplicated(["feed", "symbol", "trade_date"]).any()
    return frame


def _with_previous_close(frame: pd.DataFrame) -> pd.DataFrame:
    """Each record with the close before it, as the feed says it or at its own session before."""
    before = frame[["feed", "symbol", "session_number", "close"]].copy()
    before["session_number"] += 1
    before = before.rename(columns={"close": "own_previous"})
    frame = frame.merge(before, "left", ["feed", "symbol", "session_number"])
    previous = frame["stated_previous"]
    previous = previous.fillna(frame["close"] - frame["stated_change"])
    return frame.assign(previous_close=previous.fillna(frame["own_previous"]))


def _best(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per index and session, of the feed with the best priority."""
    ranked = frame.assign(priority=frame["feed"].map(_PRIORITY))
    ranked = ranked.sort_values(["symbol", "trade_date", "priority", "feed"])
    return ranked.drop_duplicates(["symbol", "trade_date"]).reset_index(drop=True)


def _streak(change: np.ndarray, session: np.ndarray, at: int) -> float:
    if np.isnan(change[at]):
        return np.nan
    direction, count = np.sign(change[at]), 1
    while (
        at > 0 and session[at - 1] == session[at] - 1 and np.sign(change[at - 1]) == direction != 0
    ):
        count, at = count + 1, at - 1
    return direction * count


def _starts(day: pd.Timestamp) -> dict[str, pd.Timestamp]:
    """Column -> the last day from which its return may be counted."""
    one = pd.Timedelta(days=1)
    return {
        "return_wtd_pct": day - pd.Timedelta(days=day.weekday()) - one,
        "return_mtd_pct": day.replace(day=1) - one,
        "return_qtd_pct": day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1) - one,
        "return_ytd_pct": day.replace(month=1, day=1) - one,
        "return_1y_pct": day - pd.DateOffset(years=1),
    }


def _figures(series: pd.DataFrame, sessions: pd.DatetimeIndex) -> list[dict[str, Any]]:
    """The figures of one index on the covered dates; `sessions` are those of its market."""
    days, close = series["trade_date"].to_numpy(), series["close"].to_numpy()
    previous_close = series["previous_close"].to_numpy()
    change, change_pct = close - previous_close, pct(close, previous_close)
    number = series["session_number"].to_numpy()
    close_on, close_at = dict(zip(days, close, strict=True)), dict(zip(number, close, strict=True))
    rows = []
    for at, day in enumerate(series["trade_date"]):
        if not COVERED[0] <= day.date() <= COVERED[1]:
            continue
        row = {
            "symbol": series["symbol"].iat[at],
            "trade_date": day,
            "close": close[at] / MICRO,
            "previous_close": previous_close[at] / MICRO,
            "change": change[at] / MICRO,
            "change_pct": change_pct[at],
            "closing_high_since": latest(days[:at], close[:at] >= close[at]),
            "closing_low_since": latest(days[:at], close[:at] <= close[at]),
            "is_record_high": not (close[:at] >= close[at]).any(),
            "record_begins": days[0],
            "change_high_since": latest(days[:at], change_pct[:at] >= change_pct[at]),
            "change_low_since": latest(days[:at], change_pct[:at] <= change_pct[at]),
            "streak": _streak(change, number, at),
            "drawdown_pct": pct(close[at], close[: at + 1].max()),
            "feed": series["feed"].iat[at],
        }
        for back in (5, 20):
            base = close_at.get(number[at] - back, np.nan)
            row[f"return_{back}d_pct"] = pct(close[at], base)
        for name, last in _starts(day).items():
            before = sessions[sessions <= last]
            base = close_on.get(before[-1].to_datetime64(), np.nan) if len(before) else np.nan
            row[name] = pct(close[at], base)
        begins = day - pd.Timedelta(weeks=52)
        year = close[: at + 1][days[: at + 1] >= begins.to_datetime64()]
        is_long = days[0] <= begins.to_datetime64()
        row["high_52w"] = year.max() / MICRO if is_long else np.nan
        row["low_52w"] = year.min() / MICRO if is_long else np.nan
        rows.append(row)
    return rows


def _recomputed(home: Home) -> pd.DataFrame:
    frame = _best(_with_previous_close(_records(home)))
    with connect(home.published, read_only=True) as con:
        session = con.execute("select market, trade_date from main.dim_session").fetchdf()
    rows = []
    for _, series in frame.groupby("symbol"):
        of_market = session["market"] == series["market"].iat[0]
        sessions = pd.DatetimeIndex(session[of_market]["trade_date"]).sort_values()
        rows += _figures(series.reset_index(drop=True), sessions)
    return pd.DataFrame(rows).sort_values(["symbol", "trade_date"]).reset_index(drop=True)


# Tests


def test_every_figure_of_every_index_is_recomputed(home: Home) -> None:
    expected, actual = _recomputed(home), _published(home, "index_performance")
    # The file of the eighth index ends before the covered dates.
    indices = {"HSI", "HSTECH", "HSCEI", "000001.SH", "399001.SZ", "399006.SZ", "000300.SH"}
    assert set(expected["symbol"]) == indices
    assert_equal(compare(expected, actual, ["symbol", "trade_date"]))


@pytest.mark.parametrize(("market", "file"), [("XSHG", "sh000001"), ("XSHE", "sz399001")])
def test_turnover_is_the_amount_of_the_index(home: Home, market: str, file: str) -> None:
    frame = pd.read_csv(home.landing / f"baostock_index/{file}.csv", dtype=str)
    fen = exact_column(frame["amount"], 100)
    with connect(home.published, read_only=True) as con:
        session = con.execute(
            "select trade_date from main.dim_session where market = ? order by 1", [market]
        ).fetchdf()
    # Sessions without a row are empty.
    amount = fen.set_axis(pd.to_datetime(frame["date"])).reindex(session["trade_date"])
    previous, average = amount.shift(1), amount.shift(1).rolling(20).mean()
    days, values = amount.index.to_numpy(), amount.to_numpy()
    since = [latest(days[:at], values[:at] >= value) for at, value in enumerate(values)]
    expected = pd.DataFrame(
        {
            "turnover": amount / 100,
            "previous_turnover": previous / 100,
            "change_pct": 100 * (amount - previous) / previous,
            "average_20d": average / 100,
            "ratio_to_average_20d": amount / average,
            "turnover_high_since": pd.Series(since, amount.index).astype("datetime64[us]"),
        }
    )
    expected = expected[expected.index.isin(pd.date_range(*COVERED))]
    rows = _published(home, "market_turnover")
    actual = rows[rows["market"] == market].set_index("trade_date")
    assert (actual["basis"] == "index_amount").all()
    assert actual["exchange_turnover"].isna().all()
    pd.testing.assert_frame_equal(
        expected, actual[list(expected)], check_dtype=False, check_names=False, rtol=0, atol=0.006
    )


def test_sessions_before_the_coverage_are_known_and_not_published(home: Home) -> None:
    rows = _published(home, "index_performance")
    first = rows[rows["trade_date"] == pd.Timestamp(COVERED[0])]
    assert len(first) >= 6
    assert first["change_pct"].notna().all()
    hsi = rows[rows["symbol"] == "HSI"].set_index("trade_date")
    assert hsi["closing_high_since"].min() < pd.Timestamp(COVERED[0])
    assert hsi.loc["2025-09-17", "closing_high_since"] == pd.Timestamp(2021, 7, 23)
    with connect(home.published, read_only=True) as con:
        begin = con.execute("select min(trade_date) from main.index_performance").fetchall()
    assert begin == [(COVERED[0],)]


@pytest.mark.parametrize("table", ["index_performance", "market_turnover", "cross_market_turnover"])
def test_a_later_backfill_of_earlier_dates_changes_no_figure(
    home: Home, extended: Home, table: str
) -> None:
    pd.testing.assert_frame_equal(_published(home, table), _published(extended, table))


@pytest.fixture(scope="module")
def extended(home: Home, built_once: BuiltOnce) -> Home:
    """The same home after a backfill of the two years before."""

    def build(copy: Home) -> None:
        copy_home(home, copy.root)
        _run(copy, date(2022, 1, 4), date(2023, 12, 29))

    return built_once("index_figures_extended", build)


@pytest.fixture
def changed(home: Home, tmp_path: Path) -> Callable[[str, str, str], pd.DataFrame]:
    """The index figures of the next run after a text was replaced in a file."""

    def change(file: str, old: str, new: str) -> pd.DataFrame:
        copy = copy_home(home, tmp_path / "home")
        path = copy.landing / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        _run(copy, COVERED[1], COVERED[1])
        return _published(copy, "index_performance")

    return change


def test_a_correction_from_before_the_coverage_reaches_what_looks_back(
    changed: Callable[[str, str, str], pd.DataFrame],
) -> None:
    rows = changed(
        "wsj_index/HSI.csv",
        "07/29/21, 26221.36, 26335.36, 25857.42, 26315.32",
        "07/29/21, 26221.36, 27000.00, 25857.42, 27000.00",
    )
    hsi = rows[rows["symbol"] == "HSI"].set_index("trade_date")
    assert hsi.loc["2025-09-17", "closing_high_since"] == pd.Timestamp(2021, 7, 29)
