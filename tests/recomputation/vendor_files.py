"""The vendors' files of securities, as rows of one shape.

Belongs here: columns and units of each vendor, and what goes with them: the calendar, rejected
lines, lists of securities. Does not belong here: which row counts, what follows from it.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tests.recomputation.figures import MICRO, exact_column

_MARKET = {"HK": "XHKG", "SH": "XSHG", "SZ": "XSHE"}


@dataclass(frozen=True)
class Vendor:
    """What is known of a vendor's files.

    Args:
        priority: of two feeds with the same security and session the lower number counts.
        basis: what its prices are: as dealt, or adjusted.
        columns: the vendor's column -> ours; `stated` is its reference previous close.
        shares: shares in one unit of volume.
        yuan: currency units in one unit of turnover.
        headers: lines before the first record.
    """

    priority: int
    basis: str
    columns: dict[str, str]
    shares: int = 1
    yuan: int = 1
    headers: int = 1


VENDORS = {
    "tushare_daily": Vendor(
        10, "traded",
        {"trade_date": "trade_date", "ts_code": "code", "open": "open", "high": "high",
         "low": "low", "close": "close", "pre_close": "stated", "vol": "volume",
         "amount": "turnover"},
        shares=100, yuan=1000,
    ),
    "baostock_a_share": Vendor(
        15, "traded",
        {"date": "trade_date", "code": "code", "open": "open", "high": "high", "low": "low",
         "close": "close", "preclose": "stated", "volume": "volume", "amount": "turnover",
         "turn": "rate", "tradestatus": "is_trading", "isST": "is_st", "pctChg": "pct_chg"},
    ),
    "eastmoney_a_share": Vendor(
        20, "adjusted_difference",
        {"日期": "trade_date", "股票代码": "code", "开盘": "open", "收盘": "close", "最高": "high",
         "最低": "low", "成交量": "volume", "成交额": "turnover", "涨跌额": "stated_change",
         "换手率": "rate"},
        shares=100,
    ),
    "yahoo_hk": Vendor(
        30, "adjusted_ratio",
        {"Price": "trade_date", "Open": "open", "High": "high", "Low": "low", "Close": "close",
         "Volume": "volume"},
        headers=3,
    ),
}  # fmt: skip
_PRICES = ["open", "high", "low", "close", "stated", "stated_change"]
_OTHERS = ["volume", "turnover", "rate", "is_trading", "is_st", "pct_chg"]


def symbol_of(code: str) -> str:
    """`sh.600000`, `600000`, `600000.SH` and `0005.HK` as a symbol."""
    head, _, tail = code.partition(".")
    if head in ("sh", "sz"):
        return f"{tail}.{head.upper()}"
    if tail:
        return code
    return f"{code}.{'SH' if code[0] in '69' else 'SZ'}"


def _read(path: Path, vendor: Vendor) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, skip_blank_lines=False)
    frame = frame.iloc[vendor.headers - 1 :].rename(columns=vendor.columns)
    code = frame["code"] if "code" in frame else pd.Series(path.stem, frame.index)
    frame = frame.reindex(columns=["trade_date", *_PRICES, *_OTHERS])
    frame["line_number"] = frame.index + 2
    # A line without a close is no record.
    is_record = frame["close"].notna() & code.notna()
    return frame[is_record].assign(symbol=code[is_record].map(symbol_of))


def calendar(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every session there was, and whether it is covered."""
    return con.execute(
        "select market, region, trade_date, session_number, is_asked from main.dim_session"
    ).fetchdf()


def records(landing: Path, con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row per feed, security and covered session: prices in millionths, volume in shares.

    Turnover is in currency units. Lines that were rejected are left out, and the quarantined files.
    """
    rejected = con.execute("select file, line_number from main.rejected_row").fetchdf()
    set_aside = con.execute("select file from main.file_load where status <> 'loaded'").fetchdf()
    sessions = calendar(con)
    sessions = sessions[sessions["is_asked"]].drop(columns="is_asked")
    first, last = (f"{day:%Y%m%d}" for day in (sessions["trade_date"].min(),
                                               sessions["trade_date"].max()))  # fmt: skip
    frames = []
    for feed, vendor in VENDORS.items():
        for path in sorted((landing / feed).glob("*.csv")):
            file = f"{feed}/{path.name}"
            if (set_aside["file"] == file).any():
                continue
            frame = _read(path, vendor)
            day = frame["trade_date"].str.replace("-", "")
            frame = frame[(day >= first) & (day <= last)]
            frames.append(_in_units(frame, vendor).assign(feed=feed, file=file))
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.merge(rejected, "left", ["file", "line_number"], indicator="kept")
    frame = frame[frame["kept"] == "left_only"].drop(columns="kept")
    frame["market"] = frame["symbol"].str[-2:].map(_MARKET)
    # A date that is no session is no record either: its line was rejected.
    frame = frame.merge(sessions, on=["market", "trade_date"])
    assert not frame.duplicated(["feed", "symbol", "trade_date"]).any()
    return frame


def _in_units(frame: pd.DataFrame, vendor: Vendor) -> pd.DataFrame:
    return frame.assign(
        trade_date=pd.to_datetime(frame["trade_date"].str.replace("-", ""), format="%Y%m%d"),
        priority=vendor.priority,
        basis=vendor.basis,
        **{name: exact_column(frame[name]) for name in _PRICES},
        volume=exact_column(frame["volume"], vendor.shares),
        turnover=exact_column(frame["turnover"], 100 * vendor.yuan) / 100,
        rate=frame["rate"].astype(float),
        pct_chg=frame["pct_chg"].astype(float),
    )


def securities_listed(landing: Path) -> pd.DataFrame:
    """One row per security of the lists: name, industry, listed; of the file delivered last."""
    frames = [pd.DataFrame(columns=["symbol", "name", "industry", "listed"])]
    paths = list((landing / "tushare_stock_list").glob("*.csv"))
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
        frame = pd.read_csv(path, dtype=str).rename(columns={"list_date": "listed"})
        frame = frame.drop(columns="symbol").rename(columns={"ts_code": "symbol"})
        frames.append(frame.assign(scheme="tushare_stock_list"))
    for path in (landing / "hsi_composite_list").glob("*.xlsx"):
        frame = pd.read_excel(path, dtype=str).rename(
            columns={"Stock Code": "symbol", "Stock Name": "name", "Industry": "industry"}
        )
        frame = frame[frame["symbol"].str.isdecimal()]
        frame["symbol"] = frame["symbol"].str.zfill(4) + ".HK"
        frame["industry"] = frame["industry"].str.replace(r"([a-z])-([a-z])", r"\1\2", regex=True)
        frames.append(frame.assign(scheme="hsi_composite_list"))
    frame = pd.concat(frames, ignore_index=True).drop_duplicates("symbol", keep="last")
    listed = pd.to_datetime(frame["listed"], format="%Y%m%d")
    frame["listed"] = listed.astype("datetime64[us]")
    return frame[["symbol", "name", "industry", "listed", "scheme"]].reset_index(drop=True)


def index_amounts(landing: Path) -> pd.DataFrame:
    """Turnover of Shanghai and Shenzhen: the amounts of their composite indices."""
    frames = []
    for market, name in (("XSHG", "sh000001"), ("XSHE", "sz399001")):
        frame = pd.read_csv(landing / f"baostock_index/{name}.csv", dtype=str)
        days = pd.to_datetime(frame["date"])
        amount = exact_column(frame["amount"], 100) / 100
        frames.append(pd.DataFrame({"market": market, "trade_date": days, "amount": amount}))
    return pd.concat(frames, ignore_index=True)


def in_currency(micro: pd.Series) -> pd.Series:
    """Prices in millionths as prices."""
    return micro / np.float64(MICRO)
