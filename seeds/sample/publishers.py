"""Writes the exchanges' own files of a night, in the publishers' formats, from given figures.

Belongs here: how each publisher lays out a day. Does not belong here: where the figures come from
(`generate.py`, the tests, the benchmarks), reading the files (`dagster_project/ingest/`).

What is known of the formats is in `docs/feeds.md`: some follow genuine files, others descriptions.
"""

from __future__ import annotations

import html
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import openpyxl

_PAGE_BREAK = "</font></pre><pre><font size='1'>"
_LINES_OF_A_PAGE = 60
_RULE = "-" * 79
_CONTENTS = {
    "market_highlights": "MARKET HIGHLIGHTS",
    "quotations": "QUOTATIONS",
    "sales_all": "SALES RECORDS FOR ALL STOCKS",
    "short_selling": "SHORT SELLING TURNOVER - DAILY REPORT",
    "adj_short": "PREVIOUS DAY'S ADJUSTED SHORT SELLING TURNOVER",
}


@dataclass(frozen=True, slots=True)
class Quote:
    """A security's line of the night. Prices as the exchange prints them, null for none.

    `name` has at most 15 letters in Hong Kong. `status` is `traded`, `no_trade`, or `suspended`,
    of which Hong Kong prints no price; `code` has no leading zeros there, six digits elsewhere.
    """

    code: str
    name: str
    previous: str | None
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    volume: int
    turnover: int
    currency: str = "HKD"
    status: str = "traded"


@dataclass(frozen=True, slots=True)
class IndexLine:
    """An index of the market highlights; `afternoon` is null on a half-day."""

    name: str
    morning: str
    afternoon: str | None
    previous: str
    change: str
    change_pct: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A block of Stock Connect: `market` is such as `SSE Southbound`, amounts are in millions."""

    market: str
    is_open: bool
    figures: Mapping[str, str]
    top: Sequence[tuple[str, str, str]] = ()


# --- Hong Kong ------------------------------------------------------------------------------------


def daily_quotations(
    day: date,
    board: str,
    quotes: Iterable[Quote],
    indices: Iterable[IndexLine] = (),
    turnover: tuple[int, int, int] = (0, 0, 0),
    short: Iterable[tuple[Quote, int, int]] = (),
    sales: int = 0,
    has_currency: bool = True,
) -> bytes:
    """The Daily Quotations of a board.

    Args:
        board: `main` or `gem`.
        turnover: in HKD, shares and deals.
        short: securities sold short, with shares and their value.
        sales: the number of lines of sales records, which make most of a real file.
        has_currency: whether securities have a currency; in 2010 they had none.
    """
    title = "MAIN BOARD AND TRADING ONLY STOCKS" if board == "main" else "GROWTH ENTERPRISE MARKET"
    stated = f"DATE: {day:%d %b %Y} ({day:%A})"
    records = (f"{n:7} {'':15} < {n:,}-70.50 {n + 400:,}-70.45 >" for n in range(sales))
    lines = [
        "<html>", "<head><title>Hong Kong Exchanges and Clearing Limited</title></head>",
        "<body class='hkex-popup'>", "<pre><font size='1'>",
        f"{'':69}163/{day:%y%m%d}", "", f"{'':23}THE STOCK EXCHANGE OF HONG KONG LIMITED",
        f"EXCHANGE SQUARE, HONG KONG      TEL: 25221122        {stated.upper()}",
        "", f"{'':24}{title}", f"{'':32}DAILY QUOTATIONS", "", f"{'':32}TABLE OF CONTENT",
        *(f'<a href="#{name}">{text}</a>' for name, text in _CONTENTS.items()), _RULE,
        *_highlights(indices, turnover), _RULE, *_quotations(quotes, has_currency),
        f"{_PAGE_BREAK}{_RULE}", " * 20 Most Active($) Stock",
        " # Stock with Trading Suspend/Halt taking effect from Today", _RULE,
        _anchor("sales_all"),
        *records, _RULE, *_short_selling(short), _anchor("adj_short"),
        "</font></pre>", "</body>", "</html>", "",
    ]  # fmt: skip
    return "\n".join(lines).encode("iso-8859-1")


def _anchor(name: str) -> str:
    return f'{"":28}<a name = "{name}">{_CONTENTS[name]}</a>'


def _highlights(indices: Iterable[IndexLine], turnover: tuple[int, int, int]) -> Iterator[str]:
    yield _anchor("market_highlights")
    yield f"{'':36} Morning Afternoon  Previous"
    for index in indices:
        afternoon = index.afternoon or "-"
        yield (
            f" {index.name:35}{index.morning:>8}{afternoon:>9}{index.previous:>10}"
            f"{index.change:>9}{index.change_pct:>8}"
        )
    value, shares, deals = turnover
    yield from (
        " Today's Turnover:", f" (HK$):    {value:,}", f" (Shares): {shares:,}",
        f" (Deals):  {deals:,}",
    )  # fmt: skip


def _quotations(quotes: Iterable[Quote], has_currency: bool) -> Iterator[str]:
    yield _anchor("quotations")
    yield ""
    cur = "CUR" if has_currency else "   "
    yield f" CODE  NAME OF STOCK    {cur} PRV.CLO./    ASK/    HIGH/      SHARES TRADED/"
    yield f"{'':28}CLOSING      BID     LOW        TURNOVER ($)"
    number = 0
    for quote in quotes:
        for line in _quoted(quote, has_currency):
            number += 1
            yield line if number % _LINES_OF_A_PAGE else _PAGE_BREAK + line


def _quoted(quote: Quote, has_currency: bool) -> Iterator[str]:
    # A name is padded before its letters become entities.
    name = html.escape(f"{quote.name:17}", quote=False)
    about = f"{'':1}{quote.code:>5} {name}{quote.currency if has_currency else '':3}"
    if quote.status == "suspended":
        yield f"{about} TRADING SUSPENDED"
        return
    ask, bid = quote.close or "-", quote.close or "-"
    volume = f"{quote.volume:,}" if quote.status == "traded" else "-"
    turnover = f"{quote.turnover:,}" if quote.status == "traded" else "-"
    yield (
        f"{about}{quote.previous or 'N/A':>10}{ask:>9}{quote.high or '-':>9}{volume:>19}"
    )  # fmt: skip
    yield f"{'':27}{quote.close or 'N/A':>10}{bid:>9}{quote.low or '-':>9}{turnover:>19}"


def _short_selling(short: Iterable[tuple[Quote, int, int]]) -> Iterator[str]:
    yield _anchor("short_selling")
    yield ""
    yield f"{'':29}Total Short Selling Turnover             Total Turnover"
    yield f"  CODE  NAME OF STOCK{'(SH)':>16}{'($)':>16}{'(SH)':>17}{'($)':>19}"
    yield ""
    shares_sold = shares_dealt = 0
    for quote, shares, value in short:
        mark = "%" if quote.currency != "HKD" else " "
        # A name is padded before its letters become entities.
        name = html.escape(f"{quote.name:16}", quote=False)
        shares_sold += shares
        shares_dealt += quote.volume
        yield (
            f" {mark}{quote.code:>5} {name}{shares:>15,}{value:>20,}{quote.volume:>16,}"
            f"{quote.turnover:>20,}"
        )
    yield ""
    yield f"   Total Shares (SH):{shares_sold:>18,}{shares_dealt:>36,}"


def stock_connect(day: date, channels: Iterable[Channel]) -> bytes:
    """The night's file of Stock Connect."""
    blocks = []
    for number, channel in enumerate(channels):
        summary = {
            "classname": "tradingTable", "schema": [list(channel.figures)],
            "tr": [{"td": [[value]]} for value in channel.figures.values()],
        }  # fmt: skip
        top = {
            "classname": "top10Table",
            "schema": [["Rank", "Stock Code", "Stock Name", "Total Turnover"]],
            "tr": [{"td": [[str(rank), *row]]} for rank, row in enumerate(channel.top, 1)],
        }
        content = [{"style": 1, "table": summary}, {"style": 2, "table": top}]
        blocks.append({
            "id": number, "date": f"{day}", "market": channel.market,
            "tradingDay": int(channel.is_open), "content": content if channel.is_open else [],
        })  # fmt: skip
    return b"\xef\xbb\xbf" + f"tabData = {json.dumps(blocks, indent=1)};\n".encode()


def hsi_bulletin(day: date, rows: Iterable[tuple[str, str, str, str, str, str]]) -> bytes:
    """The daily bulletin of Hang Seng Indexes: name, close, high, low, change, in percent."""
    header = ["Trade Date", "Index", "Index Currency", "Index Close", "Daily High", "Daily Low",
              "Point Change", "% Change"]  # fmt: skip
    lines = ["Hang Seng Indexes Company Limited - Daily Bulletin", "\t".join(header)]
    lines += ["\t".join([f"{day:%Y%m%d}", name, "HKD", *figures]) for name, *figures in rows]
    return "\r\n".join([*lines, ""]).encode("utf-16")


def hsi_bulletin_list(addresses: Mapping[str, Mapping[date, str]]) -> bytes:
    """The list of bulletins: series -> day -> address; beside each stands another report."""
    series = [
        {
            "seriesCode": code,
            "reportList": [
                {
                    "reportType": kind,
                    "reportDate": [
                        {"date": f"{day}", "url": address.replace("idx", kind)}
                        for day, address in days.items()
                    ],
                }
                for kind in ("con", "idx")
            ],
        }
        for code, days in addresses.items()
    ]
    return json.dumps({"indexSeriesList": series}).replace("/", "\\/").encode()


def csindex(code: str, rows: Iterable[tuple[date, Sequence[str], int, str]]) -> bytes:
    """The history of an index: day; open, high, low and close; shares; hundred million yuan."""
    data = [
        {
            "tradeDate": f"{day:%Y%m%d}", "indexCode": code, "open": float(first),
            "high": float(high), "low": float(low), "close": float(last), "tradingVol": shares,
            "tradingValue": float(turnover),
        }
        for day, (first, high, low, last), shares, turnover in rows
    ]  # fmt: skip
    return json.dumps({"code": "200", "data": data}, indent=1).encode()


# --- Shanghai -------------------------------------------------------------------------------------


def sse_overview(day: date, boards: Mapping[str, tuple[str, str]], callback: str = "") -> bytes:
    """Turnover and volume by product code, in hundred million yuan and shares."""
    rows = [
        {"TRADE_VOL": volume, "TRADE_DATE": f"{day:%Y%m%d}", "TRADE_AMT": turnover,
         "PRODUCT_CODE": code, "TOTAL_TO_RATE": "1.2415"}
        for code, (turnover, volume) in boards.items()
    ]  # fmt: skip
    text = json.dumps({"result": rows})
    return (f"{callback}({text})" if callback else text).encode()


def sse_closing_snapshot(day: date, quotes: Sequence[Quote], time: int = 161502) -> bytes:
    """All shares of a session as they were at a time, HHMMSS."""
    rows = [
        [q.code, q.name, *(float(p or 0) for p in (q.open, q.high, q.low, q.close, q.previous)),
         q.volume, q.turnover]
        for q in quotes
    ]  # fmt: skip
    document = {
        "date": int(f"{day:%Y%m%d}"), "time": time, "total": len(rows), "begin": 0,
        "end": len(rows), "list": rows,
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False).encode("gb18030")


# --- Shenzhen -------------------------------------------------------------------------------------


def szse_overview_json(day: date, boards: Mapping[str, str]) -> bytes:
    """Turnover by category, in hundred million yuan; 股票 is the total."""
    rows = [
        {"lbmc": name if name == "股票" else f"&nbsp;{name}", "cjje": turnover}
        for name, turnover in boards.items()
    ]
    metadata = {"catalogid": "1803_sczm", "tabkey": "tab1", "subname": f"{day}"}
    return json.dumps([{"metadata": metadata, "error": None, "data": rows}]).encode()


def szse_overview_workbook(boards: Mapping[str, str]) -> bytes:
    """The same in yuan, as a workbook of text without a date."""
    rows = [
        [name if name == "股票" else f"\u00a0{name}", "100", turnover, "-", "-"]
        for name, turnover in boards.items()
    ]
    return _workbook(["证券类别", "数量(只)", "成交金额(元)", "总市值(元)", "流通市值(元)"], rows)


def szse_closing_snapshot(day: date, quotes: Iterable[Quote]) -> bytes:
    """All shares of a session, in ten thousand shares and yuan, as a workbook of text."""
    header = ["交易日期", "证券代码", "证券简称", "前收", "开盘", "最高", "最低", "今收",
              "涨跌幅（%）",
              "成交量(万股)", "成交金额(万元)", "市盈率"]  # fmt: skip
    rows = []
    for q in quotes:
        change = (float(q.close or 0) / float(q.previous or q.close or 1) - 1) * 100
        prices = [
            q.previous or "-",
            q.open or "0.00",
            q.high or "0.00",
            q.low or "0.00",
            q.close or "-",
        ]
        rows.append([
            f"{day}", q.code, q.name, *prices, f"{change:.2f}", f"{q.volume / 10_000:,.2f}",
            f"{q.turnover / 10_000:,.2f}", "-",
        ])  # fmt: skip
    return _workbook(header, rows)


def _workbook(header: list[str], rows: Iterable[Sequence[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("sheet1")
    sheet.append(header)
    for row in rows:
        sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
