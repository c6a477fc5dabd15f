"""Plays the exchanges' sites on this machine, and fetches the sample's files of a few evenings.

    python -m seeds.sample.exchanges HOME 2025-09-16 2025-09-17

**The files are synthetic**, as all of the sample: its own securities and turnover, written as the
exchanges write them. What else is traded is one line, so that a board adds up to its turnover.

Belongs here: which of the sample's figures an exchange publishes. Does not belong here: how it lays
them out (`publishers.py`), how it answers (`exchange_server.py`), the figures (`generate.py`).
"""

import argparse
import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

from dagster_project.fetch.fetching import fetch_day
from dagster_project.fetch.outcomes import FAILURES
from dagster_project.fetch.source_spec import Source, Sources, load_sources
from dagster_project.home import Home
from dagster_project.market.calendar import HONG_KONG
from seeds.sample import generate as sample
from seeds.sample import publishers
from seeds.sample.exchange_server import ExchangeServer, Play, exchange_server
from seeds.sample.publishers import Channel, IndexLine, Quote

EVENING = 19  # o'clock, when everything is published
# The exchanges' own totals are a little above the amounts of the indices, which the press adds up.
ABOVE_INDEX_AMOUNT = 1.002
SALES_LINES = 3_000  # enough for a page to be as long as a real one must be
INDICES = {
    "HSI": "HANG SENG INDEX",
    "HSTECH": "HANG SENG TECH INDEX",
    "HSCEI": "HANG SENG CHINA ENTERPRISES INDEX",
}
BULLETIN = {
    "HSI": "Hang Seng Index",
    "HSTECH": "Hang Seng TECH Index",
    "HSCEI": "Hang Seng China Enterprises Index",
}
GEM_SHARE = Quote(
    "8279", "AGTECH HOLDINGS", "0.200", None, "0.200", "0.200", "0.200", 1_000_000, 200_000
)
CHANNELS = {"SSE": 110_000.0, "SZSE": 130_000.0}  # turnover of a usual day, in millions


def files_of(day: date) -> Iterator[tuple[str, bytes]]:
    """The exchanges' files of a session of all three markets: source, content."""
    yield "hkex_main_board", _quotations(day, "main")
    yield "hkex_gem", _quotations(day, "gem")
    yield "hkex_stock_connect", publishers.stock_connect(day, _channels(day))
    yield "hsi_bulletin", publishers.hsi_bulletin(day, _bulletin(day))
    shanghai, shenzhen = _mainland(day, ".SH"), _mainland(day, ".SZ")
    yield "sse_closing_snapshot", publishers.sse_closing_snapshot(day, shanghai)
    yield "szse_closing_snapshot", publishers.szse_closing_snapshot(day, shenzhen)
    totals = {
        symbol: turnover[day] / 10 * ABOVE_INDEX_AMOUNT / 1e8
        for symbol, turnover in sample.mainland_turnover_tenths().items()
    }
    star = sum(quote.turnover for quote in shanghai if quote.code.startswith("688")) / 1e8
    total = round(totals["000001.SH"], 2)
    parts = {"17": total, "01": round(total - star, 2), "03": round(star, 2)}
    yield (
        "sse_overview",
        publishers.sse_overview(
            day,
            {code: (f"{turnover:.2f}", f"{turnover / 15:.2f}") for code, turnover in parts.items()},
        ),
    )
    chinext = sum(quote.turnover for quote in shenzhen if quote.code.startswith("300")) / 1e8
    total = round(totals["399001.SZ"], 2)
    parts = {"股票": total, "主板A股": total - chinext, "创业板A股": chinext}
    yield (
        "szse_overview",
        publishers.szse_overview_json(
            day, {name: f"{turnover:,.2f}" for name, turnover in parts.items()}
        ),
    )
    (history,) = sample.csindex(day)
    yield "csindex_931743", history[1]


def _bar(bars: list[sample.Bar], day: date) -> sample.Bar | None:
    return next((bar for bar in bars if bar.day == day), None)


def _quotations(day: date, board: str) -> bytes:
    turnover, shares, deals = sample.hong_kong_trades(board)[day]
    quotes = list(_hong_kong(day)) if board == "main" else [GEM_SHARE]
    other_shares = shares - sum(quote.volume for quote in quotes)
    other_turnover = turnover - sum(quote.turnover for quote in quotes)
    quotes.append(
        Quote(
            "10001", "ALL OTHERS", "0.500", None, "0.500", "0.500", "0.500", other_shares,
            other_turnover,
        )
    )  # fmt: skip
    lines = list(_index_lines(day)) if board == "main" else []
    return publishers.daily_quotations(
        day, board, quotes, lines, (turnover, shares, deals),
        sales=SALES_LINES if board == "main" else 0,
    )  # fmt: skip


def _hong_kong(day: date) -> Iterator[Quote]:
    for symbol, name, *_ in sorted(sample.HONG_KONG_SHARES):
        bar = _bar(sample.hong_kong_bars(symbol), day)
        if bar:
            average = (bar.high + bar.low + 2 * bar.close) / 4
            yield Quote(
                symbol[:4].lstrip("0"), name[:15], f"{bar.previous:.2f}", None, f"{bar.high:.2f}",
                f"{bar.low:.2f}", f"{bar.close:.2f}", bar.volume, round(bar.volume * average),
            )  # fmt: skip


def _mainland(day: date, suffix: str) -> list[Quote]:
    quotes = []
    for symbol, name, *_ in sorted(sample.A_SHARES):
        bar = _bar(sample.a_share_bars(symbol), day) if symbol.endswith(suffix) else None
        if bar:
            quotes.append(
                Quote(
                    symbol[:6], name, f"{bar.previous:.2f}", f"{bar.open:.2f}", f"{bar.high:.2f}",
                    f"{bar.low:.2f}", f"{bar.close:.2f}", bar.volume, round(bar.turnover), "CNY",
                )
            )  # fmt: skip
    return quotes


def _index_lines(day: date) -> Iterator[IndexLine]:
    for symbol, name in INDICES.items():
        bar = _bar(sample.index_bars(symbol, 2), day)
        if bar:
            change = bar.close - bar.previous
            yield IndexLine(
                name, f"{bar.open:.2f}", f"{bar.close:.2f}", f"{bar.previous:.2f}",
                f"{change:+.2f}", f"{100 * change / bar.previous:+.2f}",
            )  # fmt: skip


def _bulletin(day: date) -> Iterator[tuple[str, str, str, str, str, str]]:
    for symbol, name in BULLETIN.items():
        bar = _bar(sample.index_bars(symbol, 2), day)
        if bar:
            change = bar.close - bar.previous
            figures = (bar.close, bar.high, bar.low, change, 100 * change / bar.previous)
            close, high, low, points, percent = (f"{figure:.2f}" for figure in figures)
            yield name, close, high, low, points, percent


def _channels(day: date) -> Iterator[Channel]:
    rng = random.Random(f"stock connect {day}")
    for market, usual in CHANNELS.items():
        north = usual * (0.8 + 0.4 * rng.random())
        yield Channel(f"{market} Northbound", True, {"Total Turnover": f"{north:,.2f}"})
        buy, sell = (round(usual / 5 * (0.8 + 0.4 * rng.random()), 2) for _ in range(2))
        figures = {"Total Turnover": buy + sell, "Buy Turnover": buy, "Sell Turnover": sell}
        yield Channel(
            f"{market} Southbound", True, {label: f"{v:,.2f}" for label, v in figures.items()}
        )


def played(server: ExchangeServer, offered: Source, day: date, answer: Play) -> Source:
    """Let the server answer a source's question about a day; the source that asks it."""
    url = server.play(f"/{offered.path(day)}", answer)
    if offered.link:
        series = offered.path(day).split("/")[1].split("_")[0]
        listed = publishers.hsi_bulletin_list({series: {day: url}})
        url = server.play(f"/{offered.source}.json", Play(listed))
    return offered.model_copy(update={"url": url, "pace_seconds": 0})


def fetch_evening(
    home: Home, server: ExchangeServer, day: date, files: Mapping[str, bytes]
) -> Iterator[str]:
    """Fetch the files of a day as on its evening; a line on each.

    Args:
        files: source -> what the server answers.

    Raises:
        RuntimeError: a file did not come.
    """
    offered = load_sources(home.config).offered
    on = {
        name: played(server, offered[name], day, Play(content)) for name, content in files.items()
    }
    evening = datetime(day.year, day.month, day.day, EVENING, tzinfo=HONG_KONG)
    for fetched in fetch_day(home, Sources(on, offered, None), day, evening):
        line = f"{day}  {fetched.outcome.replace('_', ' '):10} {fetched.file}: {fetched.message}"
        if fetched.outcome in (*FAILURES, "not_yet"):
            raise RuntimeError(line)
        yield line


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetch the sample's last evenings, played here.")
    parser.add_argument("home", type=Path, help="$CLOSING_BELL_HOME")
    parser.add_argument("days", type=date.fromisoformat, nargs="+", metavar="YYYY-MM-DD")
    given = parser.parse_args()
    with exchange_server() as server:
        for day in given.days:
            for line in fetch_evening(Home(given.home), server, day, dict(files_of(day))):
                print(line)


if __name__ == "__main__":
    main()
