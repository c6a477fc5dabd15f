"""Writes nights of the exchanges' own files at real size, with random figures.

    python benchmarks/publishers_nights.py LANDING --from 2025-09-01 --to 2025-09-17

17,400 lines of Hong Kong's quotations of which 2,700 are of shares, funds and RMB counters, 5,400
shares of the mainland, the turnover of each market, Stock Connect and the bulletin of indices: all
that a night needs, so that it can be loaded from publishers' files alone. `--small` writes a
hundredth of the securities.

Belongs here: a market of random walks that agrees with itself, as the control totals ask. Does not
belong here: the formats (`seeds/sample/publishers.py`).
"""

import argparse
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import exchange_calendars

from seeds.sample import publishers
from seeds.sample.publishers import Channel, IndexLine, Quote

SALES_LINES = 400_000
INDUSTRIES = (
    "Energy", "Materials", "Industrials", "Consumer Discretionary", "Consumer Staples",
    "Healthcare", "Telecommunications", "Utilities", "Financials", "Properties & Construction",
    "Information Technology", "Conglomerates",
)  # fmt: skip


@dataclass
class Walk:
    """A security or an index: where it stands, in hundredths, and how much of it is dealt."""

    code: str
    name: str
    cents: int
    shares: int
    currency: str = "HKD"

    def step(self, rng: random.Random) -> tuple[int, int]:
        """Move on by a session; the previous and the new close in hundredths."""
        before = self.cents
        self.cents = max(100, round(before * (1 + rng.gauss(0.0004, 0.012))))
        return before, self.cents

    def quote(self, rng: random.Random) -> Quote:
        before, now = self.step(rng)
        shares = max(100, 100 * round(self.shares * rng.lognormvariate(0, 0.4) / 100))
        low, high = min(before, now), max(before, now)
        first, highest, lowest, last = (f"{c / 100:.2f}" for c in (before, high, low, now))
        return Quote(
            self.code, self.name, first, first, highest, lowest, last, shares,
            shares * (low + high) // 200, self.currency,
        )  # fmt: skip


def hong_kong(scale: int) -> tuple[list[Walk], list[Walk]]:
    """The securities of the Main Board, warrants included, and of GEM."""
    rng = random.Random("hong kong")
    main = [
        Walk(str(code), f"SHARE {code}", rng.randrange(200, 50_000), rng.randrange(10**4, 10**7))
        for code in range(1, 2_400 // scale + 1)
    ]
    main += [
        Walk(str(code), f"WARRANT {code}", rng.randrange(100, 300), 10**5)
        for code in range(10_001, 10_001 + 14_700 // scale)
    ]
    main += [
        Walk(str(80_000 + code), f"SHARE {code}-R", 5_000, 10**4, "CNY")
        for code in range(1, 24 // scale + 2)
    ]
    gem = [
        Walk(str(8_000 + code), f"GEM {code}", rng.randrange(100, 900), 10**5)
        for code in range(1, 300 // scale + 2)
    ]
    return main, gem


def mainland(first: int, number: int) -> list[Walk]:
    rng = random.Random(first)
    walks = []
    for code in range(first, first + number):
        cents, shares = rng.randrange(300, 30_000), rng.randrange(10**5, 10**8)
        walks.append(Walk(f"{code:06}", f"股{code:06}", cents, shares, "CNY"))
    return walks


def nights(first: date, last: date, scale: int = 1) -> Iterator[tuple[date, dict[str, bytes]]]:
    """The files of each day on which a market traded: path below landing/ -> content."""
    rng = random.Random("nights")
    boards = hong_kong(scale)
    shanghai = [mainland(600_000, 1_700 // scale), mainland(688_000, 600 // scale)]
    shenzhen = [mainland(1, 1_500 // scale), mainland(300_001, 1_390 // scale)]
    hang_seng = Walk("HSI", "HANG SENG INDEX", 2_600_000, 0)
    industries = [Walk(name, name, 500_000, 0) for name in INDUSTRIES]
    chips, history = Walk("931743", "CSI SEMICONDUCTOR", 700_000, 0), []
    open_days = {
        name: {day.date() for day in exchange_calendars.get_calendar(name).sessions}
        for name in ("XHKG", "XSHG")
    }
    for number in range((last - first).days + 1):
        day = date.fromordinal(first.toordinal() + number)
        files: dict[str, bytes] = {}
        opened = {name: day in days for name, days in open_days.items()}
        if opened["XHKG"]:
            files |= _hong_kong_night(rng, day, boards, hang_seng, industries, SALES_LINES // scale)
        if opened["XSHG"]:
            files |= _mainland_night(rng, day, shanghai, shenzhen)
            before, now = chips.step(rng)
            levels = (before, max(before, now), min(before, now), now)
            history.append((day, [f"{level / 100:.2f}" for level in levels], 10**9, "310.50"))
            files["csindex/931743.json"] = publishers.csindex(chips.code, history)
        if any(opened.values()):
            files[f"hkex_stock_connect/data_tab_daily_{day:%Y%m%d}e.js"] = publishers.stock_connect(
                day, _channels(rng, all(opened.values()))
            )
            yield day, files


def _hong_kong_night(
    rng: random.Random,
    day: date,
    boards: tuple[list[Walk], list[Walk]],
    hang_seng: Walk,
    industries: list[Walk],
    sales: int,
) -> dict[str, bytes]:
    before, now = hang_seng.step(rng)
    line = IndexLine(
        hang_seng.name, f"{before / 100:.2f}", f"{now / 100:.2f}", f"{before / 100:.2f}",
        f"{(now - before) / 100:+.2f}", f"{100 * (now / before - 1):+.2f}",
    )  # fmt: skip
    bulletins = {
        "hsi": [("Hang Seng Index", before, now)],
        "industry": [
            (f"Hang Seng Composite Industry Index - {industry.name}", *industry.step(rng))
            for industry in industries
        ],
    }
    files = {
        f"hsi_daily_bulletin/{series}_{day:%Y%m%d}.csv": publishers.hsi_bulletin(
            day,
            [
                (name, f"{b / 100:.2f}", f"{max(a, b) / 100:.2f}", f"{min(a, b) / 100:.2f}",
                 f"{(b - a) / 100:.2f}", f"{100 * (b / a - 1):.2f}")
                for name, a, b in rows
            ],
        )
        for series, rows in bulletins.items()
    }  # fmt: skip
    for board, securities in zip(("main", "gem"), boards, strict=True):
        quotes = [security.quote(rng) for security in securities]
        total = sum(q.turnover for q in quotes if q.currency == "HKD")
        shares = sum(q.volume for q in quotes)
        # Warrants are not sold short. The last ones have the RMB counters among them.
        sellable = [q for q in quotes if not q.name.startswith("WARRANT")]
        short = [(q, q.volume // 10, q.turnover // 10) for q in sellable[-700:]]
        name = f"d{day:%y%m%d}e.htm" if board == "main" else f"e_G{day:%y%m%d}.htm"
        files[f"hkex_daily_quotations/{name}"] = publishers.daily_quotations(
            day, board, quotes, [line] if board == "main" else [], (total, shares, shares // 5_000),
            short, sales if board == "main" else 0,
        )  # fmt: skip
    return files


def _mainland_night(
    rng: random.Random, day: date, shanghai: list[list[Walk]], shenzhen: list[list[Walk]]
) -> dict[str, bytes]:
    in_shanghai = [[walk.quote(rng) for walk in board] for board in shanghai]
    in_shenzhen = [[walk.quote(rng) for walk in board] for board in shenzhen]
    sums = [
        [sum(q.turnover for q in board) for board in market]
        for market in (in_shanghai, in_shenzhen)
    ]
    volumes = [sum(q.volume for q in board) for board in in_shanghai]
    named = {
        "17": (sum(sums[0]), sum(volumes)),
        "01": (sums[0][0], volumes[0]),
        "03": (sums[0][1], volumes[1]),
    }
    overview = {
        code: (f"{value / 1e8:.2f}", f"{shares / 1e8:.2f}")
        for code, (value, shares) in named.items()
    }
    boards = {
        "股票": sum(sums[1]),
        "主板A股": sums[1][0],
        "创业板A股": sums[1][1],
        "基金": 7 * 10**10,
    }
    return {
        f"sse_overview/{day:%Y%m%d}.json": publishers.sse_overview(day, overview),
        f"szse_overview/{day:%Y%m%d}.json": publishers.szse_overview_json(
            day, {name: f"{value / 1e8:,.2f}" for name, value in boards.items()}
        ),
        f"sse_closing_snapshot/{day:%Y%m%d}.json": publishers.sse_closing_snapshot(
            day, [q for board in in_shanghai for q in board]
        ),
        f"szse_closing_snapshot/{day:%Y%m%d}.xlsx": publishers.szse_closing_snapshot(
            day, [q for board in in_shenzhen for q in board]
        ),
    }  # fmt: skip


def _channels(rng: random.Random, is_open: bool) -> Iterator[Channel]:
    for market in ("SSE", "SZSE"):
        value = rng.uniform(100_000, 200_000)
        yield Channel(f"{market} Northbound", is_open, {"Total Turnover": f"{value:,.2f}"})
        buy, sell = (round(rng.uniform(10_000, 30_000), 2) for _ in range(2))
        figures = {"Total Turnover": buy + sell, "Buy Turnover": buy, "Sell Turnover": sell}
        yield Channel(
            f"{market} Southbound", is_open, {label: f"{v:,.2f}" for label, v in figures.items()},
            [("00700", "TENCENT", "1,000,000,000")],
        )  # fmt: skip


def lay(landing: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a landing folder: path below it -> content."""
    for path, content in files.items():
        file = landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing", type=Path)
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
    parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    parser.add_argument("--small", action="store_true", help="a hundredth of the securities")
    given = parser.parse_args()
    for _, files in nights(given.first, given.last, 100 if given.small else 1):
        lay(given.landing, files)


if __name__ == "__main__":
    main()
