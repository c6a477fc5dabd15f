"""Writes synthetic landing files in the vendors' own formats, to try the pipeline without vendors.

**The data is synthetic.** Only the figures under `published` in `anchors.toml` equal what was
published. All other prices, volumes and rates are random, between figures chosen by hand.

Belongs here: how the random series are made, and how each vendor writes them. Does not belong here:
figures and names (`anchors.toml`), reading the files (the feed specs).

The files are the same, byte for byte, on every machine and in every run. So numbers are made only
with what is exactly defined everywhere: `random.Random` with a named seed, the four operations, and
`decimal` for exp and ln. `math.exp`, and `sum` of floats between versions of Python, are not.

    python seeds/sample/generate.py data/landing
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import struct
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import exchange_calendars
import openpyxl
from openpyxl.xml.functions import tostring

ANCHORS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("anchors.toml").read_text(encoding="utf-8")
)
FIRST: date = ANCHORS["first_session"]
LAST: date = ANCHORS["last_session"]
HEADLINE: date = ANCHORS["headline"]
LATER_FIRST: date = ANCHORS["later_first_session"]
LATER_HONG_KONG_SHARES: list[list[Any]] = ANCHORS["security"]["later_hong_kong_shares"]
HONG_KONG_SHARES: list[list[Any]] = [
    *ANCHORS["security"]["hong_kong_shares"],
    *LATER_HONG_KONG_SHARES,
]
EASTMONEY_SHARES: list[list[Any]] = [
    row for row in ANCHORS["security"]["a_shares"] if not row[0].endswith(".BJ")
]
LATER_A_SHARES: list[list[Any]] = ANCHORS["security"]["later_a_shares"]
A_SHARES: list[list[Any]] = [*ANCHORS["security"]["a_shares"], *LATER_A_SHARES]
BEGINS_LATER = {row[0] for row in [*LATER_HONG_KONG_SHARES, *LATER_A_SHARES]}
SESSIONS_WITHOUT_LIMIT = 5  # after a listing on the mainland

EXACT = Context(prec=18)
ROWS_PER_PAGE = 10  # the index provider's list is a printed table with a header on every page

Closes = dict[date, float]
File = tuple[str, bytes]  # path relative to the landing folder, content


@dataclass(frozen=True, slots=True)
class Bar:
    """One session of one series: prices and turnover in its currency, volume in shares.

    `previous` is the previous close as a reference price: lowered on an ex-date, and on the first
    session equal to the close.
    """

    day: date
    previous: float
    open: float
    high: float
    low: float
    close: float
    volume: int = 0
    turnover: float = 0.0


# -- Sessions ------------------------------------------------------------------------------------


@cache
def sessions(calendar: str) -> list[date]:
    """The sessions of an exchange from FIRST to LAST.

    Args:
        calendar: the name of its calendar in `exchange_calendars`.
    """
    days = exchange_calendars.get_calendar(calendar, start=FIRST, end=LAST).sessions
    closed = ANCHORS["hong_kong_sessions"]["closed"] if calendar == "XHKG" else []
    return [day.date() for day in days if day.date() not in closed]


@cache
def planned_half_days() -> set[date]:
    """Hong Kong sessions that end at noon, on the eve of a holiday."""
    early = exchange_calendars.get_calendar("XHKG", start=FIRST, end=LAST).early_closes
    return {day.date() for day in early}


def hong_kong_half_days() -> set[date]:
    """Hong Kong sessions that were half-days or shortened by weather."""
    return planned_half_days() | set(ANCHORS["hong_kong_sessions"]["shortened"])


# -- The walk ------------------------------------------------------------------------------------


def ln(value: float) -> float:
    return float(EXACT.ln(Decimal(value)))


def exp(value: float) -> float:
    return float(EXACT.exp(Decimal(value)))


def noise(rng: random.Random) -> float:
    """A random number with mean 0 and standard deviation 1, never beyond 3.5 (so limits hold)."""
    return (rng.random() + rng.random() + rng.random() + rng.random() - 2.0) * 1.7320508


def anchors_of(entry: Mapping[str, Any]) -> Closes:
    """The anchors of an entry of anchors.toml: its published figures, and those that shape it."""
    dated = {**entry.get("shape", {}), **entry.get("published", {})}
    return {date.fromisoformat(day): float(value) for day, value in dated.items()}


def walk(
    name: str,
    days: Sequence[date],
    anchors: Closes,
    daily_move: float,
    *,
    market: Mapping[date, float] | None = None,
    step_limit: float = 1.0,
    between: Sequence[float] = (0.0, math.inf),
    high_since: date | None = None,
) -> Closes:
    """Closes of each day from the first anchor on: a random walk in logarithms through the anchors.

    Args:
        name: the seed of the random numbers.
        daily_move: the usual move of a day, in percent.
        market: day -> a move that the series follows, as a ratio.
        step_limit: the longest random step, in logarithms, before it is corrected to meet the next
            anchor.
        between: two levels at which the walk is reflected.
        high_since: from this day to HEADLINE the walk is also reflected at HEADLINE's close.

    Raises:
        ValueError: an anchor is not one of `days`.
    """
    strays = sorted(set(anchors) - set(days))
    if strays:
        raise ValueError(f"{name}: anchors.toml has {strays[0]}, which is not a session")
    rng = random.Random(name)
    stops = sorted(anchors)
    days = [day for day in days if day >= stops[0]]
    steps = {}
    for day in days[1:]:
        step = (market or {}).get(day, 0.0) + daily_move / 100 * noise(rng)
        steps[day] = max(-step_limit, min(step_limit, step))

    level = ln(anchors[days[0]])
    levels = {days[0]: level}
    for start, stop in pairwise([*stops, LAST]):
        stretch = [day for day in days if start < day <= stop]
        pull = 0.0  # after the last anchor the walk is not corrected
        if stop in anchors and stretch:
            drawn = math.fsum(steps[day] for day in stretch)
            pull = (ln(anchors[stop]) - level - drawn) / len(stretch)
        for day in stretch:
            level += steps[day] + pull
            levels[day] = level

    def reflected(day: date, level: float) -> float:
        bottom, top = reach
        if high_since and high_since < day < HEADLINE:
            top = min(top, headline)
        return min(max(level, 2 * bottom - level), 2 * top - level)

    reach = [ln(level) for level in between]
    # A little below the close itself, so that no other close equals it after rounding to a tick.
    headline = ln(anchors[HEADLINE]) - 0.001 if high_since else math.inf
    return {
        day: anchors[day] if day in anchors else exp(reflected(day, level))
        for day, level in levels.items()
    }


def moves(closes: Closes) -> dict[date, float]:
    """The move of each day except the first, as a ratio."""
    return {day: closes[day] / closes[before] - 1 for before, day in pairwise(closes)}


def bars(
    name: str,
    closes: Closes,
    daily_move: float,
    rounded: Callable[[float], float],
    *,
    limit: Callable[[date], float | None] = lambda _day: None,
    issue_price: float | None = None,
    dividends: Mapping[date, float] | None = None,
    trade: Callable[[random.Random, Bar], tuple[int, float]] = lambda _rng, _bar: (0, 0.0),
) -> list[Bar]:
    """Make a session for each close, with low <= open, close <= high.

    rounded brings a price to the series' tick; limit is a day's, as a ratio (0.1 = 10 %);
    issue_price is the first reference close; dividends lower the reference close of their day;
    trade says volume and turnover of a bar.
    """
    rng = random.Random(f"{name} bars")
    result: list[Bar] = []
    for day, level in closes.items():
        close = rounded(level)
        previous = result[-1].close if result else issue_price or close
        previous = round(previous - (dividends or {}).get(day, 0.0), 4)
        reach = close * daily_move / 100
        opened = rounded(
            previous + (close - previous) * rng.random() * 0.7 + reach * 0.3 * noise(rng)
        )
        high = rounded(max(opened, close) + reach * rng.random())
        low = rounded(min(opened, close) - reach * rng.random())
        if low == high:  # a single price would contradict turnover ÷ volume, rounded to lots
            low = round(low - 0.01, 2)
        limit_of_day = limit(day)
        if limit_of_day is not None:
            top = round(previous * (1 + limit_of_day), 2)
            bottom = round(previous * (1 - limit_of_day), 2)
            opened = max(bottom, min(top, opened))
            high = max(opened, close, min(top, high))
            low = min(opened, close, max(bottom, low))
        bar = Bar(day, previous, opened, high, low, close)
        volume, turnover = trade(rng, bar)
        result.append(Bar(day, previous, opened, high, low, close, volume, turnover))
    return result


# -- The series ----------------------------------------------------------------------------------


def region_calendar(symbol: str) -> str:
    return "XHKG" if symbol.startswith("HS") or symbol.endswith(".HK") else "XSHG"


@cache
def index_closes(symbol: str) -> Closes:
    entry = ANCHORS["index"][symbol]
    market = None
    if "follows" in entry:
        follows = moves(index_closes(entry["follows"]))
        market = {day: entry["beta"] * move for day, move in follows.items()}
    return walk(
        symbol,
        sessions(region_calendar(symbol)),
        anchors_of(entry),
        entry["daily_move"],
        market=market,
        between=entry.get("between", (0.0, math.inf)),
        high_since=entry.get("high_since"),
    )


@cache
def market_turnover(market: str) -> dict[date, int]:
    """Turnover of each session, in whole units of the currency.

    It is a slow random walk, times a random factor for each day; a half-day has half of it.
    """
    entry = ANCHORS["turnover"][market]
    hong_kong = market.startswith("hong_kong")
    days = sessions("XHKG" if hong_kong else "XSHG")
    halves = hong_kong_half_days() if hong_kong else set()
    anchors = anchors_of(entry)
    rng = random.Random(f"turnover {market} by day")
    result = {}
    for day, value in walk(f"turnover {market}", days, anchors, entry["daily_move"]).items():
        if day not in anchors:
            value *= 1 + entry["excitement"] / 100 * noise(rng)
        result[day] = round(value / 2 if day in halves else value)
    return result


@cache
def mainland_turnover_tenths() -> dict[str, dict[date, int]]:
    """Turnover of each mainland market, named by its composite index, in tenths of a yuan.

    The tenths are whole numbers, so that the two markets add up to the total without an error.
    """
    rng = random.Random("Shanghai's share")
    total = {day: 10 * value for day, value in market_turnover("mainland").items()}
    shanghai = {day: int(value * (0.4 + 0.05 * rng.random())) for day, value in total.items()}
    return {
        "000001.SH": shanghai,
        "399001.SZ": {day: value - shanghai[day] for day, value in total.items()},
    }


@cache
def index_bars(symbol: str, decimals: int) -> list[Bar]:
    entry = ANCHORS["index"][symbol]

    def trade(rng: random.Random, bar: Bar) -> tuple[int, float]:
        if "per_share" not in entry:
            return 0, 0.0
        if symbol in mainland_turnover_tenths():
            turnover = mainland_turnover_tenths()[symbol][bar.day] / 10
        else:
            market = "hong_kong_main" if region_calendar(symbol) == "XHKG" else "mainland"
            turnover = market_turnover(market)[bar.day] * entry["turnover_share"]
            turnover *= 0.95 + 0.1 * rng.random()
        return int(turnover / entry["per_share"] * (0.97 + 0.06 * rng.random())), turnover

    return bars(
        symbol,
        index_closes(symbol),
        entry["daily_move"],
        lambda price: round(price, decimals),
        trade=trade,
    )


def first_session(symbol: str) -> date:
    """The first session of a security's history: its listing, or where its file begins."""
    begins: date = ANCHORS["listed"].get(symbol, LATER_FIRST if symbol in BEGINS_LATER else FIRST)
    return begins


def suspended_on(symbol: str) -> list[date]:
    """The sessions on which a security did not trade."""
    pause = ANCHORS["suspended"].get(symbol)
    days = sessions(region_calendar(symbol)) if pause else []
    return [day for day in days if pause[0] <= day <= pause[1]]


def security_closes(symbol: str, row: Sequence[Any], index: str, step_limit: float) -> Closes:
    """Closes of one security.

    Args:
        row: its line in anchors.toml.
        index: the index that it follows.
    """
    first, before, after = row[4:7]
    days = sessions(region_calendar(symbol))
    pause = suspended_on(symbol)
    days = [day for day in days if day not in pause]
    course = {
        first_session(symbol): first,
        days[days.index(HEADLINE) - 1]: before,
        HEADLINE: after,
    }
    course |= anchors_of({"shape": ANCHORS["course"].get(symbol, {})})
    return walk(
        symbol,
        days,
        course,
        row[-1],
        market=moves(index_closes(index)),
        step_limit=step_limit,
        high_since=ANCHORS["high_since"].get(symbol),
    )


def hong_kong_tick(price: float) -> float:
    """A price rounded by the spread table of the Hong Kong exchange."""
    for below, steps in ((20, 100), (50, 50), (100, 20), (200, 10), (500, 5)):
        if price < below:
            return round(price * steps) / steps
    return round(price * 2) / 2


@cache
def hong_kong_bars(symbol: str) -> list[Bar]:
    """Sessions as Yahoo has them: a half-day has one price and no volume."""
    row = next(row for row in HONG_KONG_SHARES if row[0] == symbol)

    def trade(rng: random.Random, bar: Bar) -> tuple[int, float]:
        activity = 0.6 + 0.8 * rng.random() + 12 * abs(bar.close / bar.previous - 1)
        return int(row[7] * 1_000_000 * activity), 0.0

    closes = security_closes(symbol, row, "HSI", 0.25)
    result = bars(symbol, closes, row[-1], hong_kong_tick, trade=trade)
    return [
        replace(bar, open=bar.close, high=bar.close, low=bar.close, volume=0)
        if bar.day in planned_half_days()
        else bar
        for bar in result
    ]


def price_limit(symbol: str) -> float:
    """The price limit of a mainland security, as a ratio."""
    if symbol.endswith(".BJ"):
        return 0.3
    return 0.2 if symbol.startswith(("300", "688")) else 0.1


def is_special_treatment(symbol: str, day: date) -> bool:
    """Whether a mainland share was under special treatment on a day."""
    first, last = ANCHORS["special_treatment"].get(symbol, (date.max, date.min))
    return bool(first <= day <= last)


@cache
def a_share_bars(symbol: str) -> list[Bar]:
    row = next(row for row in A_SHARES if row[0] == symbol)
    board_limit = price_limit(symbol)
    tightest = 0.05 if symbol in ANCHORS["special_treatment"] else board_limit
    listed = ANCHORS["listed"].get(symbol)
    dividend = ANCHORS["ex_dividend"].get(symbol)

    def trade(rng: random.Random, bar: Bar) -> tuple[int, float]:
        activity = 0.6 + 0.5 * rng.random() + 10 * min(0.3, abs(bar.close / bar.previous - 1))
        average = (bar.open + bar.high + bar.low + bar.close) / 4
        shares = int(row[7] * 1e9 * activity / average)
        # The vendor has turnover in Shenzhen in fen, and in Shanghai in whole yuan.
        return shares, round(shares * average, 2 if symbol.endswith(".SZ") else 0)

    closes = security_closes(symbol, row, "000300.SH", 0.9 * tightest)
    # Beijing's own rule is not followed: its shares are in no history.
    free = list(closes)[:SESSIONS_WITHOUT_LIMIT] if listed and symbol.endswith(".SH") else []

    def limit(day: date) -> float | None:
        if day in free:
            return None
        return 0.05 if is_special_treatment(symbol, day) else board_limit

    return bars(
        symbol,
        closes,
        row[-1],
        lambda price: round(price, 2),
        limit=limit,
        issue_price=ANCHORS["issue_price"].get(symbol),
        dividends={dividend["session"]: dividend["per_share"]} if dividend else None,
        trade=trade,
    )


# -- How the vendors write -----------------------------------------------------------------------


def until(series: Sequence[Bar], through: date) -> list[Bar]:
    return [bar for bar in series if bar.day <= through]


def table(header: str, rows: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in (header, *rows)).encode()


def short(value: float, decimals: int = 2) -> str:
    """A number with at most `decimals` decimals and at least one: 12.3, 0.0 (and never -0.0)."""
    return repr(round(value, decimals) + 0.0)


def single(value: float) -> str:
    """A number rounded to 32 bits, as Yahoo does: 113.2 becomes 113.19999694824219."""
    return repr(struct.unpack("<f", struct.pack("<f", value))[0])


def wsj_index(through: date) -> Iterator[File]:
    rows = [
        f"{bar.day:%m/%d/%y}, {bar.open:.2f}, {bar.high:.2f}, {bar.low:.2f}, {bar.close:.2f}"
        for bar in reversed(until(index_bars("HSI", 2), through))
    ]
    yield "wsj_index/HSI.csv", "\n".join(["Date, Open, High, Low, Close", *rows]).encode()


def yahoo_line(bar: Bar) -> str:
    prices = ",".join(map(single, (bar.close, bar.high, bar.low, bar.open)))
    return f"{bar.day},{prices},{bar.volume}"


def times(bar: Bar, factor: int) -> Bar:
    """The bar with its prices in another unit."""
    opened, high, low, close = (
        round(price * factor, 3) for price in (bar.open, bar.high, bar.low, bar.close)
    )
    return replace(bar, open=opened, high=high, low=low, close=close)


def yahoo_index(through: date) -> Iterator[File]:
    rows = map(yahoo_line, until(index_bars("HSCEI", 2), through))
    yield "yahoo_index/HSCEI.csv", table("Date,Close,High,Low,Open,Volume", rows)


def yahoo_hk(through: date) -> Iterator[File]:
    for symbol, *_ in HONG_KONG_SHARES:
        header = f"Price,Close,High,Low,Open,Volume\nTicker{5 * f',{symbol}'}\nDate,,,,,"
        rows = (
            yahoo_line(times(bar, 100) if ANCHORS["wrong_unit"].get(symbol) == bar.day else bar)
            for bar in until(hong_kong_bars(symbol), through)
        )
        yield f"yahoo_hk/{symbol}.csv", table(header, rows)


def sina_index(through: date) -> Iterator[File]:
    fetched = f"{through}T18:30:00"
    header = "date,open,high,low,close,symbol,name,source,fetch_time"
    rows = [
        f"{bar.day},{short(bar.open)},{short(bar.high)},{short(bar.low)},{short(bar.close)},"
        f"HSTECH,恒生科技,SYNTHETIC_SAMPLE,{fetched}+08:00"
        for bar in until(index_bars("HSTECH", 2), through)
    ]
    yield "sina_index/hstech.csv", table(header, rows)

    header = "date,open,close,high,low,volume,symbol,source,fetch_time"
    rows = [
        f"{bar.day},{short(bar.open, 3)},{short(bar.close, 3)},{short(bar.high, 3)},"
        f"{short(bar.low, 3)},{bar.volume}.0,sz399006,SYNTHETIC_SAMPLE,{fetched}"
        for bar in until(index_bars("399006.SZ", 3), through)
    ]
    yield "sina_index/sz399006.csv", table(header, rows)


def baostock_index(through: date) -> Iterator[File]:
    header = "date,open,close,high,low,volume,amount,turn,pctChg"
    for symbol in ("000001.SH", "399001.SZ", "000300.SH"):
        code, market = symbol.lower().split(".")
        listed_shares = ANCHORS["index"][symbol]["listed_shares"]
        rows = [
            f"{bar.day},{bar.open:.4f},{bar.close:.4f},{bar.high:.4f},{bar.low:.4f},"
            f"{bar.volume},{bar.turnover:.1f}000,{bar.volume / listed_shares * 100:.6f},"
            f"{(bar.close / bar.previous - 1) * 100:.6f}"
            for bar in until(index_bars(symbol, 4), through)
        ]
        yield f"baostock_index/{market}{code}.csv", table(header, rows)


def csindex(through: date) -> Iterator[File]:
    records = [
        {
            "tradeDate": f"{bar.day:%Y%m%d}",
            "indexCode": "931743",
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "tradingVol": bar.volume,
            "tradingValue": round(bar.turnover / 1e8, 2),  # in 亿元
        }
        for bar in until(index_bars("931743.CSI", 2), through)
    ]
    lines = ",\n".join(f" {json.dumps(record, separators=(',', ':'))}" for record in records)
    yield "csindex/931743.json", f'{{"code":"200","data":[\n{lines}\n]}}\n'.encode()


@cache
def hong_kong_trades(board: str) -> dict[date, tuple[int, int, int]]:
    """Turnover, shares and deals of a board, `main` or `gem`, on each session."""
    entry = ANCHORS["turnover"][f"hong_kong_{board}"]
    rng = random.Random(f"{board} volume")
    result = {}
    for day, turnover in market_turnover(f"hong_kong_{board}").items():
        volume = int(turnover * entry["shares_per_dollar"] * (0.85 + 0.3 * rng.random()))
        deals = int(turnover / entry["dollars_per_deal"] * (0.9 + 0.2 * rng.random()))
        result[day] = (turnover, volume, deals)
    return result


def hkex_turnover(through: date) -> Iterator[File]:
    """As in the exchange's archive, empty cells are left out: column 1 is only on half-days."""
    halves = hong_kong_half_days()
    for board, encoding in (("main", "utf-8-sig"), ("gem", "utf-8")):  # with and without a BOM
        lines = []
        for row, (day, figures) in enumerate(hong_kong_trades(board).items()):
            texts = [f"{day:%Y/%m/%d}", "*" if day in halves else None]
            texts += [f"{figure:,}" for figure in figures]
            cells = [
                json.dumps({"row": row, "col": col, "text": text}, separators=(",", ":"))
                for col, text in enumerate(texts)
                if text is not None
            ]
            if day <= through:
                lines.append(",".join(cells))
        content = '{"tables":[{"body":[\n' + ",\n".join(lines) + "\n]}]}\n"
        yield f"hkex_turnover/{board}_2021_2025.json", content.encode(encoding)


def rewritten(bar: Bar, symbol: str, through: date) -> Bar:
    """The bar as Eastmoney has it: from an ex-date on, all earlier prices less the dividend."""
    dividend = ANCHORS["ex_dividend"].get(symbol, {})
    if not dividend.get("rewritten") or not bar.day < dividend["session"] <= through:
        return bar
    previous, opened, high, low, close = (
        round(price - dividend["per_share"], 4)
        for price in (bar.previous, bar.open, bar.high, bar.low, bar.close)
    )
    return replace(bar, previous=previous, open=opened, high=high, low=low, close=close)


def eastmoney_a_share(through: date) -> Iterator[File]:
    for symbol, *_, listed_shares, _move in EASTMONEY_SHARES:
        code = symbol[:6]
        rows = [
            f"{bar.day},{code},{short(bar.open)},{short(bar.close)},{short(bar.high)},"
            f"{short(bar.low)},{round(bar.volume / 100)},{short(bar.turnover)},"
            f"{short((bar.high - bar.low) / bar.previous * 100)},"
            f"{short((bar.close / bar.previous - 1) * 100)},{short(bar.close - bar.previous)},"
            f"{short(bar.volume / (listed_shares * 1e9) * 100)}"
            for bar in (
                rewritten(bar, symbol, through) for bar in until(a_share_bars(symbol), through)
            )
        ]
        header = "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率"
        yield f"eastmoney_a_share/{code}.csv", table(header, rows)


def with_suspended_days(symbol: str) -> list[Bar]:
    """The bars of an A share since LATER_FIRST, and its last price on each suspended session."""
    traded = {bar.day: bar for bar in a_share_bars(symbol)}
    result: list[Bar] = []
    for day in sorted([*traded, *suspended_on(symbol)]):
        if day not in traded:
            close = result[-1].close
            result.append(Bar(day, close, close, close, close, close))
        elif day >= LATER_FIRST:
            result.append(traded[day])
    return result


def baostock_a_share(through: date) -> Iterator[File]:
    """A suspended session has a row, with the last price, without volume, turnover and change."""
    header = (
        "volume,code,psTTM,high,adjustflag,tradestatus,pbMRQ,preclose,pctChg,open,close,peTTM,isST,"
        "turn,pcfNcfTTM,low,date,amount,time"
    )
    too = [row for row in EASTMONEY_SHARES if row[0] in ANCHORS["security"]["baostock_too"]]
    for symbol, *_, listed_shares, _move in [*LATER_A_SHARES, *too]:
        code = f"{symbol[-2:].lower()}.{symbol[:6]}"
        rows = []
        for bar in until(with_suspended_days(symbol), through):
            volume = change = turn = amount = ""
            if bar.volume:
                volume, amount = str(bar.volume), f"{bar.turnover:.4f}"
                change = f"{(bar.close / bar.previous - 1) * 100:.6f}"
                turn = f"{bar.volume / (listed_shares * 1e9) * 100:.6f}"
            is_special = int(is_special_treatment(symbol, bar.day))
            rows.append(
                f"{volume},{code},{bar.close / 9:.6f},{bar.high:.4f},3,{int(bool(bar.volume))},"
                f"{bar.close / 12:.6f},{bar.previous:.4f},{change},{bar.open:.4f},{bar.close:.4f},"
                f"{bar.close / 2:.6f},{is_special},{turn},{bar.close / 3:.6f},{bar.low:.4f},"
                f"{bar.day},{amount},{bar.day}"
            )
        yield f"baostock_a_share/{code}.csv", table(header, rows)


def tushare_daily(through: date) -> Iterator[File]:
    days = sessions("XSHG")[-ANCHORS["daily_files"] :]
    symbols = sorted(row[0] for row in A_SHARES)
    for day in (day for day in days if day <= through):
        rows = [
            f"{symbol},{day:%Y%m%d},{short(bar.open)},{short(bar.high)},{short(bar.low)},"
            f"{short(bar.close)},{short(bar.previous)},{short(bar.close - bar.previous)},"
            f"{short((bar.close / bar.previous - 1) * 100, 4)},{short(bar.volume / 100)},"
            f"{short(bar.turnover / 1000, 3)}"
            for symbol in symbols
            for bar in a_share_bars(symbol)
            if bar.day == day
        ]
        header = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"
        yield f"tushare_daily/{day:%Y%m%d}.csv", table(header, rows)


def tushare_daily_basic(through: date) -> Iterator[File]:
    """Capitalisation, in units of 10,000 yuan; half as many shares again cannot be traded."""
    days = sessions("XSHG")[-ANCHORS["daily_files"] :]
    for day in (day for day in days if day <= through):
        rows = []
        for symbol, *_, listed_shares, _move in sorted(A_SHARES):
            bar = next((bar for bar in a_share_bars(symbol) if bar.day == day), None)
            if bar is None or symbol.endswith(".BJ"):
                continue
            float_shares = listed_shares * 1e5  # in units of 10,000
            rows.append(
                f"{symbol},{day:%Y%m%d},{short(bar.close)},"
                f"{short(bar.volume / float_shares / 100, 4)},"
                f"{short(1.5 * float_shares, 4)},{short(float_shares, 4)},"
                f"{short(1.5 * float_shares * bar.close, 4)},{short(float_shares * bar.close, 4)}"
            )
        header = "ts_code,trade_date,close,turnover_rate,total_share,float_share,total_mv,circ_mv"
        yield f"tushare_daily_basic/{day:%Y%m%d}.csv", table(header, rows)


def tushare_name_change(through: date) -> Iterator[File]:
    """Newest first, as the vendor has it; a name ends on the day before the next begins."""
    header = "ts_code,name,start_date,end_date,ann_date,change_reason"
    rows = []
    for symbol, name, *_ in sorted(A_SHARES):
        if symbol.endswith(".BJ"):
            continue
        names = ANCHORS["names"].get(symbol, [[name, first_session(symbol)]])
        names = [[known, begins] for known, begins in names if begins <= through]
        ends = [f"{begins - timedelta(days=1):%Y%m%d}" for _name, begins in names[1:]]
        for (known, begins), end in reversed(list(zip(names, [*ends, ""], strict=True))):
            rows.append(f"{symbol},{known},{begins:%Y%m%d},{end},,其他")
    yield "tushare_name_change/names.csv", table(header, rows)


def tushare_stock_list(_through: date) -> Iterator[File]:
    rows = [
        # The vendor's `symbol` has lost its leading zeros.
        f"{symbol},{int(symbol[:6])},{name},{area},{industry}"
        for symbol, name, area, industry, *_ in sorted(A_SHARES)
    ]
    header = "ts_code,symbol,name,area,industry"
    yield "tushare_stock_list/stock_list.csv", table(header, rows)


def ecb_exchange_rates(through: date) -> Iterator[File]:
    """Newest day first. The central bank sets rates on the days on which Paris trades."""
    days = sessions("XPAR")

    def dollar_rate(currency: str) -> Closes:
        entry = ANCHORS["dollar_rate"][currency]
        between = entry.get("between", (0.0, math.inf))
        name = f"rate {currency}"
        return walk(name, days, anchors_of(entry), entry["daily_move"], between=between)

    euro = dollar_rate("EUR")
    rates: dict[str, tuple[int, Closes]] = {"USD": (4, euro)}
    for currency in ("CNY", "HKD"):
        a_dollar = dollar_rate(currency)
        rates[currency] = (4, {day: euro[day] * a_dollar[day] for day in days})
    for currency, (decimals, first, last, *ends) in ANCHORS["euro_rate"].items():
        stop = ends[0] if ends else LAST
        alive = [day for day in days if day <= stop]
        daily_move = 0.0 if first == last else 0.01 if currency == "DKK" else 0.4
        course = {FIRST: first, stop: last}
        rates[currency] = (decimals, walk(f"rate {currency}", alive, course, daily_move))

    header = (
        "Date,USD,JPY,BGN,CYP,CZK,DKK,EEK,GBP,HUF,LTL,LVL,MTL,PLN,ROL,RON,SEK,SIT,SKK,CHF,ISK,NOK,"
        "HRK,RUB,TRL,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR,"
    )

    def cell(currency: str, day: date) -> str:
        decimals, series = rates.get(currency, (0, {}))
        return f"{series[day]:.{decimals}f}".rstrip("0").rstrip(".") if day in series else "N/A"

    currencies = header.split(",")[1:-1]
    rows = [
        f"{day},{''.join(f'{cell(currency, day)},' for currency in currencies)}"
        for day in reversed(days)
        if day <= through
    ]
    yield "ecb_exchange_rates/eurofxref-hist.csv", table(header, rows)


def hsi_composite_list(through: date) -> Iterator[File]:
    """A printed table converted to a workbook: the header is repeated, words are hyphenated."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Table 1"
    header = ["Date\n(dd-mm-yyyy)", "Index", "Stock Code", "Stock Name", "ISIN Code"]
    header += ["Exchange Lis-ted", "Industry", "Trading Currency", "Closing Price"]
    header += ["% Change (Daily)"]
    for number, (symbol, name, isin, industry, *_) in enumerate(HONG_KONG_SHARES):
        if number % ROWS_PER_PAGE == 0:
            sheet.append(header)
        bar = until(hong_kong_bars(symbol), through)[-1]
        day = datetime(bar.day.year, bar.day.month, bar.day.day)
        change = round((bar.close / bar.previous - 1) * 100, 2) + 0.0
        row = [day, "Hang Seng Composite Index", int(symbol[:4]), name, isin]
        sheet.append([*row, "Hong Kong Stock Exchange", industry, "HKD", bar.close, change])
        for column, style in ((1, "dd-mm-yyyy;@"), (3, "0"), (9, "0.00"), (10, "0.00")):
            sheet.cell(sheet.max_row, column).number_format = style
    yield "hsi_composite_list/HSI_Composite_List.xlsx", workbook_bytes(book)


def broker_target_price(through: date) -> Iterator[File]:
    rows = [
        f"{symbol},{broker},{day},{target},{currency}"
        for day, symbol, broker, target, currency in ANCHORS["said"]["targets"]
        if day <= through
    ]
    yield "broker_target_price/targets.csv", table("symbol,broker,date,target,currency", rows)


def market_event(through: date) -> Iterator[File]:
    rows = [
        f"{event},{day},{basket},{what}"
        for day, event, what, *baskets in ANCHORS["said"]["events"]
        for basket in baskets
        if day <= through
    ]
    yield "market_event/events.csv", table("event,date,basket,what", rows)


def workbook_bytes(book: openpyxl.Workbook) -> bytes:
    """The bytes of a workbook, without the time of saving and what depends on the machine.

    Its parts are written as canonical XML, because openpyxl writes other bytes if lxml is
    installed, and without compression, because zlib's output differs between versions.
    """
    saved = io.BytesIO()
    book.save(saved)
    book.properties.created = book.properties.modified = datetime(2025, 9, 30)
    fixed = io.BytesIO()
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "docProps/core.xml":
                part = tostring(book.properties.to_tree())
            member = zipfile.ZipInfo(name)  # dated 1980-01-01
            member.create_system = 0  # otherwise Windows would write another value
            target.writestr(member, ElementTree.canonicalize(part))
    return fixed.getvalue()


FEEDS: tuple[Callable[[date], Iterator[File]], ...] = (
    wsj_index,
    yahoo_index,
    sina_index,
    baostock_index,
    csindex,
    hkex_turnover,
    ecb_exchange_rates,
    yahoo_hk,
    eastmoney_a_share,
    baostock_a_share,
    tushare_daily,
    tushare_daily_basic,
    tushare_name_change,
    tushare_stock_list,
    hsi_composite_list,
    broker_target_price,
    market_event,
)


def generate(landing: Path, through: date = LAST) -> list[Path]:
    """Write the sample as of the evening of `through`, and return the paths of all its files.

    An earlier `through` gives the same rows up to that day. A file that already has the right
    content is not written.

    Raises:
        ValueError: the sample cannot end on that day.
    """
    all_listed = max(ANCHORS["listed"].values())
    if not all_listed <= through <= LAST:
        raise ValueError(f"through is {through}; the sample can end from {all_listed} to {LAST}")
    paths = []
    for feed in FEEDS:
        for name, content in feed(through):
            path = landing / name
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            paths.append(path)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the synthetic sample of landing files.")
    parser.add_argument("landing", type=Path, help="the landing folder, e.g. data/landing")
    parser.add_argument(
        "--through",
        type=date.fromisoformat,
        default=LAST,
        metavar="YYYY-MM-DD",
        help=f"last day in the files (default {LAST})",
    )
    arguments = parser.parse_args()
    try:
        paths = generate(arguments.landing, arguments.through)
    except ValueError as error:
        parser.error(str(error))
    size = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{len(paths)} synthetic files, {size:.1f} MB, in {arguments.landing}")


if __name__ == "__main__":
    main()
