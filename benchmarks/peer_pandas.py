"""A peer of `scale.py`: the tables of `peer_sql.py`, by a pandas script.

    python benchmarks/peer_pandas.py LANDING TARGET.duckdb FIRST LAST

It does what such scripts do: reads each file, concatenates, groups by symbol, and writes tables.
"Since" is found by a stack of the closes that nothing has exceeded yet, in one pass per series.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.peer_sql import reference

EASTMONEY = {
    "日期": "trade_date",
    "收盘": "close",
    "涨跌额": "change",
    "成交量": "volume",
    "成交额": "turnover",
}
YAHOO = ["trade_date", "close", "high", "low", "open", "volume"]
BAOSTOCK = {"date": "trade_date", "preclose": "reference_close", "amount": "turnover"}
TUSHARE = {"ts_code": "symbol", "pre_close": "reference_close", "vol": "volume"}
INDEX_SYMBOLS = {
    "sh000001": "000001.SH", "sh000300": "000300.SH", "sz399001": "399001.SZ",
    "hstech": "HSTECH", "sz399006": "399006.SZ",
}  # fmt: skip


def delivered(landing: Path, first: str, last: str) -> pd.DataFrame:
    """One row per security and session: of two feeds the better one counts."""
    frames = []
    for path in sorted(landing.glob("tushare_daily/*.csv")):
        frame = pd.read_csv(path, dtype={"trade_date": str}).rename(columns=TUSHARE)
        frame["trade_date"] = pd.to_datetime(frame["trade_date"], format="%Y%m%d")
        frame["volume"], frame["turnover"] = frame["volume"] * 100, frame["amount"] * 1000
        frames.append(frame)
    for path in sorted(landing.glob("baostock_a_share/*.csv")):
        columns = ["date", "close", "preclose", "volume", "amount"]
        frame = pd.read_csv(path, usecols=columns, parse_dates=["date"]).rename(columns=BAOSTOCK)
        frames.append(frame.assign(symbol=f"{path.stem[3:]}.{path.stem[:2].upper()}"))
    for path in sorted(landing.glob("eastmoney_a_share/*.csv")):
        frame = pd.read_csv(path, usecols=list(EASTMONEY), parse_dates=["日期"])
        frame = frame.rename(columns=EASTMONEY)
        frame["reference_close"] = frame["close"] - frame["change"]
        frame["volume"] = frame["volume"] * 100
        suffix = ".SH" if path.stem[0] in "69" else ".SZ"
        frames.append(frame.assign(symbol=path.stem + suffix))
    for path in sorted(landing.glob("yahoo_hk/*.csv")):
        frame = pd.read_csv(path, skiprows=3, names=YAHOO, parse_dates=["trade_date"])
        frames.append(frame.dropna(subset="close").assign(symbol=path.stem))
    columns = ["symbol", "trade_date", "close", "reference_close", "volume", "turnover"]
    frame = pd.concat([frame.reindex(columns=columns) for frame in frames], ignore_index=True)
    frame["symbol"] = frame["symbol"].astype("category")
    frame = frame[frame["trade_date"].between(first, last)]
    frame = frame[frame["symbol"].str[-3:].isin([".SH", ".SZ", ".HK"])]
    # The better feeds were read first.
    frame = frame.drop_duplicates(["symbol", "trade_date"])
    return frame.sort_values(["symbol", "trade_date"], ignore_index=True)


def latest_at_or_above(values: Iterable[float]) -> list[int]:
    """For each value of a series the position of the latest earlier one at or above it, or -1."""
    positions: list[int] = []
    waiting: list[int] = []
    heights: list[float] = []
    for position, value in enumerate(values):
        while heights and heights[-1] < value:
            heights.pop()
            waiting.pop()
        positions.append(waiting[-1] if waiting else -1)
        heights.append(value)
        waiting.append(position)
    return positions


def since(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The columns closing_high_since and closing_low_since of rows ordered by symbol and date."""
    starts = np.flatnonzero(frame["symbol"].ne(frame["symbol"].shift()))
    dates = frame["trade_date"].to_numpy()
    columns = {}
    for name, values in (
        ("closing_high_since", frame[value].to_numpy()),
        ("closing_low_since", -frame[value].to_numpy()),
    ):
        found = np.full(len(frame), np.datetime64("NaT"), dates.dtype)
        for start, end in zip(starts, [*starts[1:], len(frame)], strict=True):
            positions = np.array(latest_at_or_above(values[start:end].tolist()))
            has_one = positions >= 0
            found[start:end][has_one] = dates[start:end][positions[has_one]]
        columns[name] = found
    return frame.assign(**columns)


def securities(frame: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """The closes with change, return index, since, market, name and sector."""
    last_close = frame.groupby("symbol", observed=True)["close"].shift()
    previous = frame["reference_close"].fillna(last_close)
    is_adjusted = (last_close > 0) & (previous > 0)
    ratio = (last_close / previous).where(is_adjusted, 1.0)
    chained = pd.Series(np.log(ratio), frame.index).groupby(frame["symbol"], observed=True).cumsum()
    frame = frame.assign(
        previous_close=previous,
        change=(frame["close"] - previous).round(6),
        change_pct=((frame["close"] / previous - 1) * 100).round(6).where(previous > 0),
        return_index=(frame["close"] * np.exp(chained)).round(6),
    ).drop(columns="reference_close")
    frame = since(frame, "return_index")
    # What is known of a symbol is looked up once per symbol, and spread over its rows.
    symbols = pd.Series(frame["symbol"].cat.categories)
    known = listed.set_index("symbol").reindex(symbols)
    described = {
        "market": symbols.str[-2:].map({"SH": "XSHG", "SZ": "XSHE", "HK": "XHKG"}),
        "region": symbols.str[-2:].map({"SH": "mainland", "SZ": "mainland", "HK": "hong_kong"}),
        "name": known["name"],
        "sector": known["sector"],
    }
    codes = frame["symbol"].cat.codes.to_numpy()
    for column, values in described.items():
        frame[column] = pd.Categorical(values)[codes]
    return frame


def sectors(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sectors per session, and of each region the five that rose and fell most."""
    keys = ["trade_date", "region", "sector"]
    frame = frame[frame["sector"].notna()].assign(
        is_up=lambda rows: rows["change_pct"] > 0, is_down=lambda rows: rows["change_pct"] < 0
    )
    groups = frame.groupby(keys, observed=True)
    measured = groups.agg(
        members=("symbol", "size"),
        advancers=("is_up", "sum"),
        decliners=("is_down", "sum"),
        change_pct=("change_pct", "mean"),
        turnover=("turnover", "sum"),
    )
    changes = frame[frame["change_pct"].notna()].sort_values("change_pct", kind="stable")
    ends = changes.groupby(keys, observed=True)[["symbol", "change_pct"]]
    for side, rows in (("top", ends.last()), ("bottom", ends.first())):
        measured[f"{side}_symbol"] = rows["symbol"].astype(str)
        measured[f"{side}_change_pct"] = rows["change_pct"]
    measured = measured.reset_index()
    ranked = measured.groupby(["trade_date", "region"], observed=True)["change_pct"]
    measured["rank_best"] = ranked.rank(method="first", ascending=False)
    measured["rank_worst"] = ranked.rank(method="first")
    sides = []
    for side, end, rank in (("leader", "top", "rank_best"), ("laggard", "bottom", "rank_worst")):
        chosen = measured[measured[rank] <= 5]
        chosen = chosen[[*keys, "change_pct", f"{end}_symbol", f"{end}_change_pct", rank]]
        chosen.columns = pd.Index([*keys, "change_pct", "top_symbol", "top_change_pct", "rank"])
        sides.append(chosen.assign(side=side))
    return measured, pd.concat(sides, ignore_index=True)


def indices(landing: Path, last: str) -> pd.DataFrame:
    """The closes of indices, with change and since."""
    frames = []
    for folder in ("baostock_index", "sina_index", "wsj_index", "yahoo_index"):
        for path in sorted(landing.glob(f"{folder}/*.csv")):
            frame = pd.read_csv(path, skipinitialspace=True).rename(columns=str.lower)
            style = "%m/%d/%y" if folder == "wsj_index" else "%Y-%m-%d"
            frame["trade_date"] = pd.to_datetime(frame["date"], format=style)
            frame = frame.reindex(columns=["trade_date", "close", "amount"])
            frames.append(frame.assign(symbol=INDEX_SYMBOLS.get(path.stem, path.stem)))
    frame = pd.concat(frames).rename(columns={"amount": "turnover"})
    frame = frame[(frame["trade_date"] <= last) & frame["close"].notna()]
    frame = frame.drop_duplicates(["symbol", "trade_date"])
    frame = frame.sort_values(["symbol", "trade_date"], ignore_index=True)
    frame["previous_close"] = frame.groupby("symbol")["close"].shift()
    frame["change"] = frame["close"] - frame["previous_close"]
    frame["change_pct"] = frame["change"] / frame["previous_close"] * 100
    return since(frame, "close")


def turnovers(closes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turnover of each mainland market, and of both together."""
    markets = {"000001.SH": "XSHG", "399001.SZ": "XSHE"}
    frame = closes[closes["symbol"].isin(markets)]
    frame = frame.assign(market=frame["symbol"].map(markets))[["trade_date", "market", "turnover"]]
    by_market = frame.groupby("market")["turnover"]
    frame["previous_turnover"] = by_market.shift()
    frame["average_20d"] = by_market.transform(
        lambda turnover: turnover.shift().rolling(20, min_periods=1).mean()
    )
    both = frame.groupby("trade_date")["turnover"].agg(["sum", "size"])
    both = both[both["size"] == 2].reset_index().rename(columns={"sum": "turnover_cny"})
    both["previous_turnover_cny"] = both["turnover_cny"].shift()
    return frame, both.drop(columns="size")


def main(landing: Path, target: Path, first: str, last: str) -> None:
    """Load every file and build the tables."""
    performance = securities(delivered(landing, first, last), reference(landing))
    sector_performance, leaders = sectors(performance)
    breadth = (
        performance.assign(
            advancers=performance["change_pct"] > 0, decliners=performance["change_pct"] < 0
        )
        .groupby(["trade_date", "market"], observed=True)[["advancers", "decliners", "turnover"]]
        .sum()
        .reset_index()
    )
    closes = indices(landing, last)
    market_turnover, cross_market = turnovers(closes)
    tables = {
        "security_performance": performance,
        "sector_performance": sector_performance,
        "sector_leaders_laggards": leaders,
        "market_breadth": breadth,
        "index_performance": closes[closes["trade_date"] >= first],
        "market_turnover": market_turnover,
        "cross_market_turnover": cross_market,
    }
    with duckdb.connect(str(target)) as con:
        for name, frame in tables.items():
            con.register("frame", frame)
            con.execute(f"create table {name} as from frame")
            con.unregister("frame")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
