"""Nights on a moved clock: a machine that was off, holidays, a year the calendar does not know."""

import math
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from dagster_project import cli
from dagster_project.home import Home
from dagster_project.market import calendar
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.sessions import _markets_and_overrides

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

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
        known = calendar.sessions(*_markets_and_overrides(), self.first, last).to_pylist()
        days: dict[str, list[date]] = {}
        for session in known:
            if session["trade_date"].isoformat() not in closed or session["market"] == "XHKG":
                days.setdefault(session["market"], []).append(session["trade_date"])
        self._put("wsj_index/HSI.csv", "Date, Open, High, Low, Close\n", [
            f"{day:%m/%d/%y},{p - 9:.2f},{p + 9:.2f},{p - 9:.2f},{p:.2f}"
            for day, p in prices(days["XHKG"], 26000)
        ])  # fmt: skip
        for symbol, base in SHARES.items():
            header = f"Price,Close,High,Low,Open,Volume\nTicker{f',{symbol}' * 5}\nDate,,,,,\n"
            self._put(f"yahoo_hk/{symbol}.csv", header, [
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
            self._put(f"baostock_index/{code}.csv", header, lines)
        return self

    def _put(self, path: str, header: str, lines: list[str]) -> None:
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


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Desk]:
    def open_desk(first: str) -> Desk:
        desk = Desk(Home(tmp_path), date.fromisoformat(first))
        monkeypatch.setenv("CLOSING_BELL_HOME", str(tmp_path))
        monkeypatch.setenv("DAGSTER_HOME", str(desk.home.dagster))
        monkeypatch.setattr(calendar, "now_in_hong_kong", lambda: desk.now)
        return desk

    return open_desk


WITHOUT_CHANGE = """
    select symbol, trade_date::VARCHAR from main.index_performance where change_pct is null
    union all
    select symbol, trade_date::VARCHAR from main.security_performance where change_pct is null"""


def test_a_machine_that_was_off_catches_up(desk: Callable[[str], Desk]) -> None:
    """Off for two nights, then over Golden Week; every change is one over one session."""
    house = desk("2025-09-01").at("2025-09-17").deliver()
    house.nightly()
    assert house.covered() == [("2025-09-17", "2025-09-17")]
    assert house.ask(WITHOUT_CHANGE) == []  # the first covered session has a change too

    house.at("2025-09-22").deliver().nightly()
    assert house.covered() == [("2025-09-17", "2025-09-22")]
    ((close, before, change),) = house.ask("""
        select round(close, 2)::DOUBLE, round(previous_close, 2)::DOUBLE, change_pct
        from main.security_performance where symbol = '9988.HK' and trade_date = '2025-09-22'""")
    closes = dict(prices([date(2025, 9, 19), date(2025, 9, 22)], SHARES["9988.HK"]))
    assert (before, close) == tuple(closes.values())
    assert change == pytest.approx(100 * close / before - 100)  # type: ignore[operator]
    assert house.ask(WITHOUT_CHANGE) == []
    assert "Nothing new" in house.at("2025-09-23", time(17, 59)).nightly()
    assert "Nothing new" in house.nightly("2025-09-19")  # the clock does not move back

    house.at("2025-10-09").deliver().nightly()
    assert house.covered() == [("2025-09-17", "2025-10-09")]
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask("""
        select market, count(*) from main.dim_session where is_asked
        and trade_date between '2025-10-01' and '2025-10-09' group by all order by all
        """) == [("XHKG", 5), ("XSHE", 1), ("XSHG", 1)]

    # Nothing came for the next session: it is late, not false.
    said = house.at("2025-10-10").nightly()
    assert house.covered() == [("2025-09-17", "2025-10-10")]
    assert "late     2025-10-10 XHKG wsj_index: nothing that counts" in said
    refused = house.closing_bell("nightly", "2025-10-13")
    assert (refused.exit_code, house.covered()) == (2, [("2025-09-17", "2025-10-10")])
    assert "after today (2025-10-10 in Hong Kong)" in refused.output


def test_a_year_that_the_calendar_does_not_know(
    desk: Callable[[str], Desk], definitions: dg.Definitions
) -> None:
    """Off over the new year, then by the schedule; the mainland stays closed on 5 January."""
    house = desk("2026-12-01").at("2026-12-30").deliver()
    house.nightly()
    house.at("2027-01-04").deliver()
    house.nightly()
    assert house.covered() == [("2026-12-30", "2027-01-04")]
    assert ("sessions_guessed",) in house.ask(
        "select check_name from main.release_check where not passed"
    )
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask(
        "select trade_date::VARCHAR, closes_at from main.dim_session "
        "where market = 'XHKG' and is_asked order by 1"
    ) == [("2026-12-30", "16:10"), ("2026-12-31", "12:10"), ("2027-01-04", "16:10")]

    house.at("2027-01-06").deliver(closed=("2027-01-05",))
    schedule = definitions.resolve_schedule_def("after_the_close")
    with dg.build_schedule_context(
        scheduled_execution_time=house.now, repository_def=definitions.get_repository_def()
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance, tags=dict(request.tags)
        )
    assert result.success
    assert house.covered() == [("2026-12-30", "2027-01-06")]
    assert house.ask(WITHOUT_CHANGE) == []
    assert house.ask(
        "select trade_date::VARCHAR from main.index_performance "
        "where symbol = '000001.SH' and trade_date >= '2027-01-01' order by 1"
    ) == [("2027-01-04",), ("2027-01-06",)]
