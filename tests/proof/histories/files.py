"""The files of the small market: what each may say, and how each feed writes it.

Belongs here: contents, writers per feed, and the paths under which files come. Does not belong
here: what happens to a file (`events.py`, `house.py`).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.proof.histories.market import DAYS, HALF_DAY, PHANTOM, Span, trades

BASE = {
    "HSI": 25000, "000001.SH": 3800, "399001.SZ": 13000,
    "600519.SH": 1400, "000858.SZ": 120, "300750.SZ": 260, "0700.HK": 500, "0981.HK": 60,
    "main": 240_000_000_000, "gem": 90_000_000,
}  # fmt: skip
A_SHARES = ["600519.SH", "000858.SZ", "300750.SZ"]
# Above the base, in percent for shares, which reach a price limit by them, and in tenths of it for
# all else, which moves less: few, so that figures repeat, and none that a check would block.
LEVELS = (0, 1, 2, 3, 10)


@dataclass(frozen=True)
class Content:
    """What a file states: the days of a span at levels that recur, of all its symbols or fewer.

    Where it is wrong, volume is given in shares for lots, or some exchange rates are doubled.
    """

    span: Span
    levels: tuple[int, ...]
    is_short: bool = False
    is_wrong: bool = False

    def days(self, symbol: str) -> list[date]:
        """The days of which the file has a row, newest last."""
        first, last = self.span
        return [day for day in DAYS if first <= day <= last and trades(symbol, day)]

    def level(self, symbol: str, day: date) -> float:
        level = self.levels[(DAYS.index(day) + len(symbol)) % len(self.levels)]
        is_share = symbol.endswith(".HK") or symbol in A_SHARES
        return round(BASE[symbol] * (1 + level / (100 if is_share else 1000)), 2)

    @property
    def shares_a_lot(self) -> int:
        return 1 if self.is_wrong else 100

    def bar(self, symbol: str, day: date) -> dict[str, Any]:
        """A symbol's session, turnover in currency units and volume in shares."""
        close = self.level(symbol, day)
        before = self.level(symbol, DAYS[max(0, DAYS.index(day) - 1)])
        shares = 100 * (1000 + self.levels[DAYS.index(day) % len(self.levels)])
        return {
            "open": before, "close": close, "high": max(before, close), "low": min(before, close),
            "before": before, "change": round(close - before, 2),
            "pct": round(100 * (close - before) / before, 4),
            "shares": shares, "turnover": round(shares * close, 2),
        }  # fmt: skip


def _table(header: str, rows: Iterable[Iterable[object]]) -> bytes:
    return "".join(
        f"{line}\n" for line in [header, *(",".join(map(str, r)) for r in rows)]
    ).encode()


def _newest_first(content: Content, symbol: str) -> list[date]:
    return content.days(symbol)[::-1]


def _wsj(content: Content, symbols: list[str]) -> bytes:
    lines = ["Date, Open, High, Low, Close"]
    days = set(content.days("HSI"))
    days |= {PHANTOM} & set(DAYS[DAYS.index(content.span[0]) :]) if len(days) > 5 else set()
    for day in sorted(days, reverse=True):
        bar = content.bar("HSI", day)
        prices = ", ".join(str(bar[name]) for name in ("open", "high", "low", "close"))
        lines.append(f"{day:%m/%d/%y}, {prices}")
    return "\n".join(lines).encode()


def _yahoo_index(content: Content, symbols: list[str]) -> bytes:
    names = ("open", "high", "low", "close")
    return _table(
        "Date,Open,High,Low,Close,Volume",
        (
            (day, *(content.bar("HSI", day)[name] for name in names), 1)
            for day in content.days("HSI")
        ),
    )


def _baostock(content: Content, symbols: list[str]) -> bytes:
    names = ("open", "close", "high", "low", "shares", "turnover")
    return _table(
        "date,open,close,high,low,volume,amount,turn,pctChg",
        (
            (day, *(bar[name] for name in names), 0, bar["pct"])
            for day in content.days(symbols[0])
            for bar in [content.bar(symbols[0], day)]
        ),
    )


def _tushare(names: tuple[str, ...], header: str) -> Callable[[Content, list[str]], bytes]:
    def write(content: Content, symbols: list[str]) -> bytes:
        return _table(
            header,
            (
                (
                    symbol, f"{day:%Y%m%d}", *(bar[name] for name in names),
                    bar["shares"] // content.shares_a_lot, round(bar["turnover"] / 1000, 5),
                )
                for symbol in symbols
                for day in _newest_first(content, symbol)
                for bar in [content.bar(symbol, day)]
            ),
        )  # fmt: skip

    return write


def _eastmoney(content: Content, symbols: list[str]) -> bytes:
    symbol = symbols[0]
    return _table(
        "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
        (
            (
                day, symbol[:6], bar["open"], bar["close"], bar["high"], bar["low"],
                bar["shares"] // content.shares_a_lot, bar["turnover"], 0, bar["pct"],
                bar["change"], 0,
            )
            for day in content.days(symbol)
            for bar in [content.bar(symbol, day)]
        ),
    )  # fmt: skip


def _yahoo_hk(content: Content, symbols: list[str]) -> bytes:
    (symbol,) = symbols
    rows = [
        (day, *(content.bar(symbol, day)[name] for name in ("close", "high", "low", "open")), 500)
        for day in content.days(symbol)
    ]
    header = f"Price,Close,High,Low,Open,Volume\nTicker{f',{symbol}' * 5}\nDate,,,,,"
    return _table(header, rows)


def _hkex_turnover(content: Content, symbols: list[str]) -> bytes:
    (segment,) = symbols
    body = [
        {"row": row, "col": column, "text": text}
        for row, day in enumerate(content.days(segment))
        for column, text in enumerate(
            (
                f"{day:%Y/%m/%d}", "*" if day == HALF_DAY else "",
                f"{int(content.level(segment, day)):,}", "1,000,000", "2,000",
            )
        )
    ]  # fmt: skip
    return json.dumps({"tables": [{"body": body}]}).encode()


def _ecb(content: Content, symbols: list[str]) -> bytes:
    days = [day for day in DAYS if content.span[0] <= day <= content.span[1]]
    levels = [content.levels[DAYS.index(day) % len(content.levels)] for day in days]
    slips = [2 if content.is_wrong and number % 3 == 1 else 1 for number in range(len(days))]
    return _table(
        "Date,USD,CNY,HKD",
        (
            (day, 1 + level / 1000, slip * (8 + level / 1000), "N/A" if level == 3 else 9.1234)
            for day, level, slip in zip(days, levels, slips, strict=True)
        ),
    )


def _stock_list(content: Content, symbols: list[str]) -> bytes:
    industries = ("白酒", "银行", "电气设备", "no such industry")
    return _table(
        "ts_code,symbol,name,area,industry",
        (
            (
                symbol, int(symbol[:6]), f"Name {content.levels[0]}", "here",
                industries[(number + content.levels[-1]) % 4],
            )
            for number, symbol in enumerate(symbols)
        ),
    )  # fmt: skip


def _adj_factor(content: Content, symbols: list[str]) -> bytes:
    return _table(
        "ts_code,trade_date,adj_factor",
        (
            (symbol, f"{day:%Y%m%d}", 1 + content.levels[0] / 10)
            for symbol in symbols
            for day in content.days(symbol)
        ),
    )


def _target_price(content: Content, symbols: list[str]) -> bytes:
    return _table(
        "symbol,broker,date,target,currency",
        (
            (symbol, broker, day, content.level(symbol, day) + 1, currency)
            for symbol, currency in zip(symbols, ("HKD", "CNY"), strict=False)
            for broker, day in (("Broker A", content.span[0]), ("Broker B", content.span[1]))
        ),
    )


def _market_event(content: Content, symbols: list[str]) -> bytes:
    return _table(
        "event,date,basket,what",
        [("talks", content.span[0], "tech_majors", f"Round {content.levels[0]}")],
    )


_INDEX_HEADER = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount"
_INDEX_NAMES = ("close", "open", "high", "low", "before", "change", "pct")
_DAILY_HEADER = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"
_DAILY_NAMES = ("open", "high", "low", "close", "before", "change", "pct")

WRITERS: dict[str, Callable[[Content, list[str]], bytes]] = {
    "wsj_index": _wsj,
    "yahoo_index": _yahoo_index,
    "baostock_index": _baostock,
    "tushare_index_daily": _tushare(_INDEX_NAMES, _INDEX_HEADER),
    "hkex_turnover": _hkex_turnover,
    "tushare_daily": _tushare(_DAILY_NAMES, _DAILY_HEADER),
    "tushare_adj_factor": _adj_factor,
    "eastmoney_a_share": _eastmoney,
    "yahoo_hk": _yahoo_hk,
    "ecb_exchange_rates": _ecb,
    "tushare_stock_list": _stock_list,
    "broker_target_price": _target_price,
    "market_event": _market_event,
}

# Every path a file may come under, and the symbols it is about.
PATHS: dict[str, list[str]] = {
    "wsj_index/HSI.csv": ["HSI"],
    "yahoo_index/HSI.csv": ["HSI"],
    "baostock_index/sh000001.csv": ["000001.SH"],
    "baostock_index/sz399001.csv": ["399001.SZ"],
    "tushare_index_daily/a.csv": ["000001.SH", "399001.SZ"],
    "tushare_index_daily/b.csv": ["000001.SH", "399001.SZ"],
    "hkex_turnover/main_1.json": ["main"],
    "hkex_turnover/main_2.json": ["main"],
    "hkex_turnover/gem_1.json": ["gem"],
    "hkex_turnover/gem_2.json": ["gem"],
    "tushare_daily/20250127.csv": A_SHARES,
    "tushare_daily/20250930.csv": A_SHARES,
    "tushare_daily/20251009.csv": A_SHARES,
    "tushare_daily/20251010.csv": A_SHARES,
    "tushare_adj_factor/20250930.csv": A_SHARES,
    "tushare_adj_factor/20251009.csv": A_SHARES,
    "tushare_adj_factor/20251010.csv": A_SHARES,
    "eastmoney_a_share/600519.csv": ["600519.SH"],
    "eastmoney_a_share/000858.csv": ["000858.SZ"],
    "yahoo_hk/0700.HK.csv": ["0700.HK"],
    "yahoo_hk/0981.HK.csv": ["0981.HK"],
    "ecb_exchange_rates/a.csv": [],
    "ecb_exchange_rates/b.csv": [],
    "tushare_stock_list/a.csv": A_SHARES,
    "tushare_stock_list/b.csv": A_SHARES,
    "broker_target_price/a.csv": ["0700.HK", "600519.SH"],
    "market_event/a.csv": [],
}
# These files can be wrong in a way that is noticed: the first is set aside, the others withhold the
# release.
MAY_BE_WRONG = ("tushare_daily/20251010.csv", "ecb_exchange_rates/")
BAD = (b"\xff", b"<html><body>503</body></html>", b"")


def twin(path: str) -> str | None:
    """The other path under which the same records may come, where a feed's names allow one."""
    stem, dot, kind = path.rpartition(".")
    other = stem[:-1] + stem[-1].translate(str.maketrans("ab12", "ba21")) + dot + kind
    return other if other in PATHS and other != path else None
