"""The peer of `load.py`: the same files read by a plain pandas script, file by file.

    python benchmarks/pandas_load.py <landing> <target.duckdb>

It does what such scripts do: reads each file with the right dialect, renames and scales columns,
concatenates, keeps one row a key, and writes one DuckDB table a record kind. It keeps no line
numbers, refuses no row, builds no marts, checks nothing and publishes nothing.
"""

import json
import sys
from pathlib import Path

import duckdb
import pandas as pd

PRICES = ["open", "high", "low", "close"]
EASTMONEY = {
    "日期": "trade_date",
    "股票代码": "code",
    "开盘": "open",
    "收盘": "close",
    "最高": "high",
    "最低": "low",
    "成交量": "volume",
    "成交额": "turnover",
}


def main(landing: Path, target: Path) -> None:
    """Load every file of a landing folder into a new DuckDB file."""
    indices: list[pd.DataFrame] = []
    securities: list[pd.DataFrame] = []
    for path in sorted((landing / "wsj_index").glob("*.csv")):
        frame = pd.read_csv(path, skipinitialspace=True).rename(columns=str.lower)
        frame["trade_date"] = pd.to_datetime(frame.pop("date"), format="%m/%d/%y")
        indices.append(frame.assign(symbol=path.stem, feed="wsj_index"))
    for folder in ("baostock_index", "sina_index", "yahoo_index"):
        for path in sorted((landing / folder).glob("*.csv")):
            frame = pd.read_csv(path).rename(columns=str.lower)
            frame["trade_date"] = pd.to_datetime(frame.pop("date"))
            frame = frame.rename(columns={"amount": "turnover"})
            kept = [c for c in ["trade_date", *PRICES, "volume", "turnover"] if c in frame]
            indices.append(frame[kept].assign(symbol=path.stem, feed=folder))
    for path in sorted((landing / "tushare_index_daily").glob("*.csv")):
        frame = pd.read_csv(path, dtype={"trade_date": str})
        frame["trade_date"] = pd.to_datetime(frame["trade_date"], format="%Y%m%d")
        frame["volume"], frame["turnover"] = frame.pop("vol") * 100, frame.pop("amount") * 1000
        indices.append(frame.rename(columns={"ts_code": "symbol"}).assign(feed="tushare"))
    for path in sorted((landing / "csindex").glob("*.json")):
        frame = pd.DataFrame(json.loads(path.read_text())["data"])
        frame["trade_date"] = pd.to_datetime(frame["tradeDate"], format="%Y%m%d")
        indices.append(frame[["trade_date", *PRICES]].assign(symbol=path.stem, feed="csindex"))
    for path in sorted((landing / "yahoo_hk").glob("*.csv")):
        frame = pd.read_csv(
            path, skiprows=3, names=["trade_date", "close", "high", "low", "open", "volume"]
        )
        frame["trade_date"] = pd.to_datetime(frame["trade_date"])
        securities.append(frame.assign(symbol=path.stem, feed="yahoo_hk"))
    for path in sorted((landing / "eastmoney_a_share").glob("*.csv")):
        frame = pd.read_csv(path, dtype={"股票代码": str}).rename(columns=EASTMONEY)
        frame["trade_date"] = pd.to_datetime(frame["trade_date"])
        frame["volume"] = frame["volume"] * 100
        suffix = ".SH" if path.stem.startswith("6") else ".SZ"
        frame["symbol"] = frame.pop("code") + suffix
        securities.append(
            frame[["symbol", "trade_date", *PRICES, "volume", "turnover"]].assign(feed="eastmoney")
        )
    for path in sorted((landing / "tushare_daily").glob("*.csv")):
        frame = pd.read_csv(path, dtype={"trade_date": str})
        frame["trade_date"] = pd.to_datetime(frame["trade_date"], format="%Y%m%d")
        frame["volume"], frame["turnover"] = frame.pop("vol") * 100, frame.pop("amount") * 1000
        securities.append(frame.rename(columns={"ts_code": "symbol"}).assign(feed="tushare"))
    references = [
        pd.read_csv(path, dtype=str) for path in (landing / "tushare_stock_list").glob("*.csv")
    ]
    references += [
        pd.read_excel(path, dtype=str) for path in (landing / "hsi_composite_list").glob("*.xlsx")
    ]
    key = ["symbol", "trade_date", "feed"]
    with duckdb.connect(str(target)) as con:
        for name, frames in (
            ("index_close", indices),
            ("security_close", securities),
            ("security_reference", references),
        ):
            loaded = pd.concat(frames, ignore_index=True)
            if name != "security_reference":
                loaded = loaded.drop_duplicates(key, keep="last").sort_values(key)
            con.register("loaded", loaded)
            con.execute(f"create table {name} as select * from loaded")
            con.unregister("loaded")
            print(f"{name}: {len(loaded):,} rows")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
