"""A small home at a desk whose clock and whose deliveries a test moves.

Belongs here: deliveries as vendors write them, and running a night. Does not belong here: what a
test expects of it.
"""

import math
import os
from collections.abc import Iterator
from datetime import date, datetime, time

from click.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.market.seeds import markets_and_overrides
from dagster_project.warehouse.connection import connect

EVENING = time(18, 45)
SHARES = {"0005.HK": 100, "0700.HK": 640, "9988.HK": 155}


class Desk:
    """A home whose clock and whose deliveries a test moves."""

    def __init__(self, home: Home, first: date) -> None:
        self.home, self.first = home, first
        self.now = datetime.combine(first, EVENING, calendar.HONG_KONG)

    def at(self, day: str, clock: time = EVENING) -> "Desk":
        self.now = datetime.combine(date.fromisoformat(day), clock, calendar.HONG_KONG)
        return self

    def deliver(self, closed: tuple[str, ...] = ()) -> "Desk":
        """Histories up to today, as vendors write them after the close."""
        last = self.now.date()
        known = calendar.sessions(*markets_and_overrides(), self.first, last).to_pylist()
        days: dict[str, list[date]] = {}
        for session in known:
            if session["trade_date"].isoformat() not in closed or session["market"] == "XHKG":
                days.setdefault(session["market"], []).append(session["trade_date"])
        self.put("wsj_index/HSI.csv", "Date, Open, High, Low, Close\n", [
            f"{day:%m/%d/%y},{p - 9:.2f},{p + 9:.2f},{p - 9:.2f},{p:.2f}"
            for day, p in prices(days["XHKG"], 26000)
        ])  # fmt: skip
        for symbol, base in SHARES.items():
            header = f"Price,Close,High,Low,Open,Volume\nTicker{f',{symbol}' * 5}\nDate,,,,,\n"
            self.put(f"yahoo_hk/{symbol}.csv", header, [
                f"{day},{p:.2f},{p + 1:.2f},{p - 1:.2f},{p - 1:.2f},{int(p * 90000) + day.day}"
                for day, p in prices(days["XHKG"], base)
            ])  # fmt: skip
        for code, market, base in (("sh000001", "XSHG", 3800), ("sz399001", "XSHE", 13000)):
            lines, before = [], None
            for day, p in prices(days[market], base):
                pct = 100 * p / before - 100 if before else 0
                dealt = f"{int(p * 1e7) + day.day},{p * 2.5e8:.4f},0"
                lines.append(f"{day},{p - 9:.4f},{p:.4f},{p + 9:.4f},{p - 9:.4f},{dealt},{pct:.6f}")
                before = round(p, 4)
            header = "date,open,close,high,low,volume,amount,turn,pctChg\n"
            self.put(f"baostock_index/{code}.csv", header, lines)
        return self

    def put(self, path: str, header: str, lines: list[str]) -> None:
        file = self.home.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(header + "\n".join(lines) + "\n")
        os.utime(file, (self.now.timestamp(), self.now.timestamp()))

    def closing_bell(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli.main, arguments, prog_name="closing-bell")

    def nightly(self, *arguments: str) -> str:
        done = self.closing_bell("nightly", *arguments)
        assert done.exit_code == 0, done.output
        return done.output

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with connect(self.home.published, read_only=True) as con:
            return con.execute(query).fetchall()

    def covered(self) -> list[tuple[object, ...]]:
        return self.ask("select from_date::VARCHAR, to_date::VARCHAR from raw.asked_dates")


def prices(days: list[date], base: float) -> Iterator[tuple[date, float]]:
    """A close of each day: up and down by at most two percent, no two alike."""
    for day in days:
        wave = math.sin(day.toordinal() * 1.3) + math.sin(day.toordinal() * 0.7)
        yield day, round(base * (1 + wave / 100), 2)
