"""Proof of law 2: history is what the files say, in whatever order they came.

A history is a few nights of a small market. Before each, files are delivered early, on time or
late, repeated, copied, split, restated, removed, spoiled or given with wrong figures; each night
asks for some dates, the later ones first or not, or for none. What the nights leave behind is
compared, every published table and every row of it, with a clean rebuild: a new warehouse that is
given the files that are there in the end and is asked for the same dates at once.

What is not compared: the tables `release` and `release_check`, and the columns `loaded_at`, which
tell how and when the tables came about. One thing a clean rebuild from the last files cannot know:
a file that went bad keeps the rows of its last good content. So the rebuild is given that first.

    python -m tests.proof.any_order --histories 200 --seed 1 --processes 2 --out any_order.json

The histories are kept beside `--out` in parts; the same command goes on where it ended.

Belongs here: the market, its files, histories, the comparison. The sample of it that `make test`
draws is `tests/property/test_any_order.py`.
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from dagster_project import pipeline
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from dagster_project.warehouse import raw_tables, state
from dagster_project.warehouse.connection import connect
from tests.proof.journal import Journal

# The market

HK_CLOSED = {date(2025, 1, day) for day in (29, 30, 31)} | {date(2025, 10, 1), date(2025, 10, 7)}
MAINLAND_CLOSED = (
    {date(2025, 1, day) for day in (28, 29, 30, 31)}
    | {date(2025, 2, 3), date(2025, 2, 4)}
    | {date(2025, 10, day) for day in range(1, 9)}
)
HALF_DAY = date(2025, 1, 28)
# A day without trading of which a file has a row all the same.
PHANTOM = date(2025, 10, 7)

Span = tuple[date, date]


def _weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


# Two stretches with half a year between them; in each are days on which one market trades alone.
WINTER, AUTUMN = (date(2025, 1, 20), date(2025, 2, 12)), (date(2025, 9, 8), date(2025, 10, 14))
DAYS = [*_weekdays(*WINTER), *_weekdays(*AUTUMN)]
SPANS: list[Span] = [
    *[(DAYS[0], DAYS[-1])] * 3,
    WINTER,
    AUTUMN,
    (date(2025, 1, 27), date(2025, 2, 4)),
    (date(2025, 9, 22), date(2025, 10, 3)),
    (date(2025, 9, 30), date(2025, 10, 10)),
    (date(2025, 10, 8), date(2025, 10, 8)),
]
ASKED: list[Span] = [
    (date(2025, 9, 30), date(2025, 10, 10)),
    (date(2025, 1, 24), date(2025, 2, 5)),
    (date(2025, 9, 15), date(2025, 10, 2)),
    (date(2025, 10, 6), date(2025, 10, 9)),
    (date(2025, 9, 8), date(2025, 9, 19)),
    (date(2025, 10, 10), date(2025, 10, 10)),
    *[(DAYS[0], DAYS[-1])] * 2,
]
# The real date of a night: on the early one, later rows lie in the future and wait.
EARLY, TODAY = date(2025, 10, 2), date(2026, 1, 5)


def trades(symbol: str, day: date) -> bool:
    """Whether a symbol has a figure of a day."""
    in_hong_kong = symbol.startswith("HS") or symbol.endswith(".HK") or symbol in ("main", "gem")
    return day not in (HK_CLOSED if in_hong_kong else MAINLAND_CLOSED)


# The files

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


# Histories

CONTENT = st.builds(
    Content,
    st.sampled_from(SPANS),
    st.lists(st.sampled_from(LEVELS), min_size=2, max_size=4).map(tuple),
    st.booleans(),
)
# When files are made. The first two are at noon of a session, which is not over then.
MADE = [
    datetime(2025, 10, 9, 4, tzinfo=UTC),
    datetime(2025, 10, 10, 4, tzinfo=UTC),
    *(datetime(2025, 11, day, 12, tzinfo=UTC) for day in (1, 2, 3, 4)),
]
# What may happen to a file, the usual more often. Repeated: the same bytes at another time.
EVENTS = [
    *["delivered"] * 3,
    *["restated"] * 3,
    *["repeated"] * 2,
    *["wrong"] * 2,
    *("copied", "split", "removed", "spoiled"),
]


@dataclass(frozen=True)
class Event:
    """Something that happens to a file: a delivery to one that is wanted, else to one that is good.

    `pick` chooses the file, `time` when it was made; where two state the same, the later counts.
    """

    what: str
    pick: int
    content: Content
    time: int


@dataclass(frozen=True)
class Night:
    """What happens to the files before a run, and the dates the run is asked for."""

    events: tuple[Event, ...]
    asked: Span | None
    is_early: bool


@st.composite
def histories(draw: st.DrawFn) -> tuple[Night, ...]:
    """Two to four nights: most files are delivered for the first, anything happens later."""
    times, picks = st.integers(0, len(MADE) - 1), st.integers(0, len(PATHS) - 1)
    delivered = draw(st.lists(picks, unique=True, min_size=len(PATHS) // 2, max_size=len(PATHS)))
    first = Night(
        tuple(Event("delivered", pick, draw(CONTENT), draw(times)) for pick in delivered),
        draw(st.sampled_from(ASKED)),
        draw(st.booleans()),
    )
    event = st.builds(Event, st.sampled_from(EVENTS), picks, CONTENT, times)
    later = st.builds(
        Night,
        st.lists(event, min_size=2, max_size=6).map(tuple),
        st.sampled_from([*ASKED, None]),
        st.booleans(),
    )
    return (first, *(draw(later) for _ in range(draw(st.integers(1, 3)))))


@dataclass(frozen=True)
class File:
    """A file as it lies in landing; `content` is None where no feed can read it."""

    data: bytes
    mtime_ns: int
    content: Content | None


@dataclass
class House:
    """A home, what lies in its landing folder, and what happened there."""

    home: Home
    catalog: FeedCatalog
    there: dict[str, File] = field(default_factory=dict)
    # The last contents that could be read, with the real date of the night that read them.
    good: dict[str, tuple[File, date]] = field(default_factory=dict)
    asked: list[Span] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    deliveries: Counter[str] = field(default_factory=Counter)
    withheld: str | None = None
    nights: int = 0

    @classmethod
    def new(cls, root: Path, catalog: FeedCatalog) -> "House":
        """An empty home, but for what dbt has parsed: that costs more than a night."""
        house = cls(Home(root), catalog)
        root.mkdir(exist_ok=True)
        for entry in root.iterdir():
            if entry.is_dir() and entry.name != "dbt":
                shutil.rmtree(entry)
            elif entry.is_file():
                entry.unlink()
        for feed in catalog.feeds:
            (house.home.landing / feed).mkdir(parents=True)
        return house

    # Files

    def put(self, path: str, file: File) -> None:
        target = self.home.landing / path
        target.write_bytes(file.data)
        os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
        self.there[path] = file

    def deliver(self, path: str, made: int, content: Content | None, data: bytes = b"") -> None:
        """Put a file that says `content`, or holds `data` that no feed can read."""
        self.deliveries[path] += 1
        # No path bears a time twice: a correction of the same size is noticed by its time.
        mtime_ns = int(MADE[made].timestamp()) * 1_000_000_000 + self.deliveries[path]
        if content:
            symbols = PATHS[path]
            if content.is_short and len(symbols) > 1:
                symbols = symbols[:-1]
            data = WRITERS[path.split("/")[0]](content, symbols)
        self.put(path, File(data, mtime_ns, content))

    def remove(self, path: str) -> None:
        (self.home.landing / path).unlink()
        del self.there[path]

    # Nights

    def happen(self, event: Event) -> None:
        """Let something happen to the files."""
        what, path, content = event.what, list(PATHS)[event.pick], event.content
        good = sorted(path for path, file in self.there.items() if file.content)
        if what == "delivered":
            wanted = [path for path in PATHS if path not in good]
            if path in good and wanted:
                path = wanted[event.pick % len(wanted)]
            if path.startswith("tushare_daily/"):
                day = datetime.strptime(path[-12:-4], "%Y%m%d").date()
                content = replace(content, span=(day, day))
            file = self.there.get(path)
            if file:
                what = "restated" if file.content else "repaired"
            elif any(a <= content.span[1] and content.span[0] <= b for a, b in self.asked):
                what = "late"
            self.deliver(path, event.time, content)
        else:
            if what in ("copied", "split"):
                good = [path for path in good if twin(path)]
            elif what == "wrong":
                good = [path for path in good if path.startswith(MAY_BE_WRONG)]
            if not good:
                return
            path = good[event.pick % len(good)]
            self.change(what, path, event)
        said = self.there[path].content if path in self.there else None
        self.tell(what, f"{path} {said or ''} made on {MADE[event.time]:%m-%d}")

    def change(self, what: str, path: str, event: Event) -> None:
        """Let something happen to a file that can be read."""
        content, other = self.there[path].content, twin(path)
        assert content
        if what == "restated":
            self.deliver(path, event.time, replace(content, levels=event.content.levels))
        elif what == "repeated":
            self.deliver(path, event.time, content)
        elif what == "copied":
            assert other
            self.deliver(other, event.time, content)
        elif what == "split":
            assert other
            first, last = content.span
            middle = DAYS[(DAYS.index(first) + DAYS.index(last)) // 2]
            self.deliver(other, event.time, replace(content, span=(first, middle)))
            self.deliver(path, event.time, replace(content, span=(middle, last)))
        elif what == "removed":
            self.remove(path)
        elif what == "spoiled":
            self.deliver(path, event.time, None, BAD[event.time % len(BAD)])
        else:
            assert what == "wrong"
            self.deliver(path, len(MADE) - 1, replace(content, is_wrong=True))

    def tell(self, what: str, words: str) -> None:
        self.seen[what] += 1
        self.log.append(f"    {what}: {words}")

    def run(self, asked: Span | None, today: date) -> None:
        result = pipeline.run(self.home, self.catalog, asked, today)
        self.nights += 1
        self.log.append(f"    run on {today}, asked for {asked}")
        self.withheld = result.withheld
        if self.withheld:
            self.tell("withheld", self.withheld)
        if asked:
            self.asked.append(asked)
        with closing(connect(self.home.warehouse, read_only=True)) as con:
            loaded = {
                path: (sha256, mtime_ns)
                for path, sha256, mtime_ns in con.execute(
                    "select path, sha256, mtime_ns from raw.file where status = 'loaded'"
                ).fetchall()
            }
        self.good = {path: kept for path, kept in self.good.items() if path in loaded}
        for path, file in self.there.items():
            if loaded.get(path) == (hashlib.sha256(file.data).hexdigest(), file.mtime_ns):
                self.good[path] = file, today

    def live(self, history: tuple[Night, ...]) -> date:
        """All nights of a history; returns the real date of the last."""
        today = EARLY
        for number, night in enumerate(history):
            self.log.append(f"night {number + 1}")
            if not night.is_early or (night.asked and night.asked[1] > EARLY):
                today = TODAY
            for event in night.events:
                self.happen(event)
            if night.asked and any(night.asked[1] < first for first, _ in self.asked):
                self.tell("later dates first", f"{night.asked[0]} to {night.asked[1]}")
            self.run(night.asked, today)
        # What is wrong may withhold a release; the tables to compare are those of one.
        wrong = [
            path for path, file in self.there.items() if file.content and file.content.is_wrong
        ]
        for path in wrong:
            content = self.there[path].content
            assert content
            self.deliver(path, len(MADE) - 1, replace(content, is_wrong=False))
            self.tell("put right", path)
        if wrong:
            self.run(None, today)
        return today


def clean_rebuild(house: House, today: date) -> House:
    """In the same place a new home with the same files, asked for the same dates, and one run."""
    clean = House.new(house.home.root, house.catalog)
    spoiled = {
        path: house.good[path]
        for path, file in house.there.items()
        if path in house.good and house.good[path][0] != file
    }
    # Each as it was read when it was last good; beside it what it holds now.
    for read_on in sorted({day for _, day in spoiled.values()}):
        of_day = [path for path, (_, day) in spoiled.items() if day == read_on]
        for path in of_day:
            clean.put(path, spoiled[path][0])
        pipeline.ingest(clean.home, clean.catalog, house.asked[0], read_on)
        for path in of_day:
            clean.put(path, house.there[path])
    for path, file in house.there.items():
        clean.put(path, file)
    with closing(connect(clean.home.warehouse)) as con:
        raw_tables.create_tables(con)
        for asked in sorted(house.asked):
            state.request_dates(con, *asked, datetime.now(UTC).replace(tzinfo=None))
    clean.run(max(house.asked, key=lambda asked: asked[1]), today)
    return clean


# Comparison

NOT_COMPARED = {"release", "release_check"}


@dataclass(frozen=True)
class Table:
    """A published table: its columns, and its rows in full precision, each as often as it is."""

    columns: list[str]
    rows: Counter[str]


def published_tables(house: House) -> dict[str, Table]:
    """What analysts would see; of a release that is withheld, what it would have shown."""
    file = house.home.warehouse if house.withheld else house.home.published
    found = {}
    with closing(connect(file, read_only=True)) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
        ).fetchall()
        for name in sorted({name for (name,) in names} - NOT_COMPARED):
            result = con.execute(
                f"select columns(lambda name: name <> 'loaded_at') from main.{name}"
            )
            columns = [column[0] for column in result.description]
            found[name] = Table(columns, Counter(map(repr, result.fetchall())))
    return found


def differences(found: dict[str, Table], expected: dict[str, Table]) -> list[str]:
    """Every row that only one of two sets of tables has, in words; empty where all are equal."""
    lines = []
    for name in sorted(found.keys() | expected.keys()):
        table, rebuilt = found.get(name), expected.get(name)
        if table is None or rebuilt is None:
            lines.append(f"{name} is only there {'in the rebuild' if rebuilt else 'otherwise'}")
        elif table.columns != rebuilt.columns:
            lines.append(f"{name}: columns {table.columns}, in the rebuild {rebuilt.columns}")
        elif table.rows != rebuilt.rows:
            lines.append(f"{name} ({', '.join(table.columns)})")
            lines += [f"  after the nights: {row}" for row in sorted(table.rows - rebuilt.rows)]
            lines += [f"  in the rebuild:   {row}" for row in sorted(rebuilt.rows - table.rows)]
    return lines


# What a release must hold to have put these to the test.
PRESENT = {
    "one market's session": """select 1 from index_performance join dim_index using (symbol)
        where trade_date in (select trade_date from dim_session group by 1 having count(*) in (1, 2)
        )""",
    "half-day": "select 1 from market_turnover where is_half_day",
    "overlapping feeds": """select 1 from figure_origin
        group by record_kind, symbol, trade_date having count(distinct feed) > 1""",
    "overlapping files": """select 1 from figure_origin
        group by feed, record_kind, symbol, segment, trade_date having count(*) > 1""",
    "feeds disagree": "select 1 from source_disagreement where feed <> other_feed",
    "rows refused": "select 1 from rejected_row where reason_code <> 'file_set_aside'",
    "file gone bad": "select 1 from file_load group by file having count(*) > 1",
    "gap in the dates asked": """select 1 from dim_session where market = 'XHKG' and is_asked
        and trade_date > '2025-09-01' having count(*) > 0 and exists (
        select 1 from dim_session where is_asked and trade_date < '2025-03-01') and not exists (
        select 1 from dim_session where is_asked and month(trade_date) = 5)""",
}


@dataclass
class Tally:
    """Figures of a run of the proof."""

    histories: int = 0
    unequal: int = 0
    nights: int = 0
    deliveries: int = 0
    tables: int = 0
    rows: int = 0
    seconds: float = 0.0
    histories_with: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name in ("histories", "unequal", "nights", "deliveries", "rows", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.tables = max(self.tables, other.tables)
        self.histories_with.update(other.histories_with)
        self.failures += other.failures


class Proof:
    """Checks histories one after another, in a folder that is gone afterwards."""

    def __init__(self) -> None:
        self.catalog = load_feeds()
        assert not self.catalog.problems, self.catalog.problems
        self.folder = tempfile.TemporaryDirectory(prefix="any-order-")
        self.tally = Tally()

    def check(self, history: tuple[Night, ...]) -> str | None:
        """Live a history and rebuild it; says what differs, with all that happened."""
        tally, root = self.tally, Path(self.folder.name) / "home"
        house = House.new(root, self.catalog)
        today = house.live(history)
        found = published_tables(house)
        clean = clean_rebuild(house, today)
        expected = published_tables(clean)
        differing = differences(found, expected)
        if (house.withheld is None) != (clean.withheld is None):
            differing.append(f"withheld: {house.withheld}; in the rebuild: {clean.withheld}")
        tally.histories += 1
        tally.nights += house.nights
        tally.deliveries += sum(house.deliveries.values())
        tally.tables = max(tally.tables, len(expected))
        tally.rows += sum(table.rows.total() for table in expected.values())
        tally.histories_with.update(house.seen.keys())
        if clean.withheld:
            tally.histories_with["withheld in the end"] += 1
        with closing(connect(clean.home.warehouse, read_only=True)) as con:
            for name, query in PRESENT.items():
                tally.histories_with[name] += con.execute(query).fetchone() is not None
        if not differing:
            return None
        tally.unequal += 1
        return "\n".join([*house.log, *differing, f"history = {history!r}"])

    def close(self) -> None:
        self.folder.cleanup()


# The full run

# So many are kept at once. Hypothesis begins every part with the simplest history.
HISTORIES_A_PART = 25


def _prove(histories_asked: int, seed_: int) -> Tally:
    """Draw histories and check each; a difference does not end the run, it is counted."""
    logging.disable(logging.WARNING)
    proof = Proof()

    @seed(seed_)
    @settings(
        max_examples=histories_asked,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(history=histories())
    def check(history: tuple[Night, ...]) -> None:
        found = proof.check(history)
        if found:
            proof.tally.failures.append(f"seed {seed_}, {found}")
            print(proof.tally.failures[-1], file=sys.stderr, flush=True)

    started = time.monotonic()
    try:
        check()
    finally:
        proof.close()
    proof.tally.seconds = time.monotonic() - started
    return proof.tally


def prove(count: int, seed_: int, processes: int, out: Path | None) -> dict[str, Any]:
    """The full run, in parts, over processes that start before any of them opens a database.

    Args:
        seed_: the first part's; each next part has the next.

    Returns:
        Its figures: counts, how many histories had what, seconds, machine and date.
    """
    started, journal = time.monotonic(), Journal.beside(out)
    tally, parts = Tally(), {}
    for number, done in enumerate(range(0, count, HISTORIES_A_PART)):
        parts[seed_ + number] = min(HISTORIES_A_PART, count - done)
    for kept in journal.read():
        if parts.get(kept["seed"]) == kept["tally"]["histories"]:
            del parts[kept["seed"]]
            tally.add(Tally(**kept["tally"]))
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        played = {pool.submit(_prove, share, seed_): seed_ for seed_, share in parts.items()}
        for future in as_completed(played):
            part = future.result()
            tally.add(part)
            journal.keep({"seed": played[future], "tally": vars(part)})
            print(f"{tally.histories} of {count} histories", file=sys.stderr, flush=True)
    return {
        "proof": "any_order",
        "version": journal.version,
        "histories": tally.histories,
        "unequal": tally.unequal,
        "nights": tally.nights,
        "deliveries": tally.deliveries,
        "tables": tally.tables,
        "rows_compared": tally.rows,
        "histories_with": dict(sorted(tally.histories_with.items())),
        "seed": seed_,
        "processes": processes,
        "seconds": round(time.monotonic() - started, 1),
        "seconds_of_all_parts": round(tally.seconds, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, DuckDB {duckdb.__version__}",
        "date": datetime.now(UTC).date().isoformat(),
        "failures": tally.failures,
    }


def main() -> int:
    """Run the proof; exit status 1 where any history differs."""
    parser = argparse.ArgumentParser(description="Prove that the order of deliveries is no matter.")
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    arguments = parser.parse_args()
    figures = prove(arguments.histories, arguments.seed, arguments.processes, arguments.out)
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    for name, value in figures.items():
        if name == "histories_with":
            print("histories with:")
            for what, number in value.items():
                print(f"  {what:<28} {number:>5}")
        elif name != "failures":
            print(f"{name:<30} {value}")
    return 1 if figures["unequal"] else 0


if __name__ == "__main__":
    sys.exit(main())
