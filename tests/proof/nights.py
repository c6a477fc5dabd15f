"""Unattended nights: two months through Dagster's own daemon, with its clock moved.

Belongs here: what is delivered and what happens to the machine on each evening, what the release
must then be, and the figures of that. Does not belong here: the vendors' files (`vendors.py`), how
the daemon is started at another time (`daemon.py`).

    python -m tests.proof.nights --out FILE [--nights N]

One home, one daemon with the schedule and the sensors switched on, and nobody: from 1 December 2026
on files are written to landing as vendors would, the daemon runs, and after each stretch of time
the published file must be what was said before. With `--out` every night played is kept beside it,
and the same command goes on later. Exit status 1 if a night ended otherwise.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dagster_project.home import Home
from dagster_project.release.read import published_release
from dagster_project.warehouse.connection import connect
from tests.proof.crash import differing_tables
from tests.proof.daemon import DaemonFailed, Machine, Run, Runs
from tests.proof.journal import Journal
from tests.proof.vendors import Vendors, put

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
# Somebody set the machine up on this evening, with the two months before; then nobody came.
HISTORY, COVERED_FROM, SET_UP = date(2026, 6, 1), date(2026, 10, 5), date(2026, 11, 30)
FIRST, LAST = date(2026, 12, 1), date(2027, 1, 22)
# The day on which the mainland was closed, and the calendar, which ends before, did not say so.
UNFORESEEN = date(2027, 1, 4)
ENDED_FEED, ENDS = "sina_index", date(2026, 12, 3)
ENDED_AFTER = 20  # sessions without a delivery
SUSPENDED = {"600030.SH": (date(2026, 12, 9), date(2026, 12, 18))}
INDICES = {"HSI": "XHKG", "000001.SH": "XSHG"}
SCHEDULE, SENSOR, OVERDUE = "after_the_close", "landing_files", "overdue_nights"
MAINLAND_FEEDS = {
    "baostock_a_share", "baostock_index", "csindex", "eastmoney_a_share", "tushare_daily",
    "tushare_daily_basic",
}  # fmt: skip

Disturbance = Literal["", "machine stops", "daemon is restarted"]


@dataclass(frozen=True)
class Delivery:
    """Files as of the evening of `through`, written at `at`; of these feeds, or without those."""

    at: datetime
    through: date
    feeds: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    midday: bool = False


@dataclass(frozen=True)
class Stretch:
    """A stretch of time with the daemon on, and what must be so at its end.

    `requests` are the schedule and sensors that must ask for runs (the sensor on landing also does
    wherever files came), `may_request` those that may; `clock` is the release's last date.
    """

    starts: datetime
    clock: date
    deliveries: tuple[Delivery, ...] = ()
    requests: tuple[str, ...] = (SCHEDULE,)
    may_request: tuple[str, ...] = ()
    late: frozenset[str] = frozenset()
    quarantined: tuple[str, ...] = ()
    disturbance: Disturbance = ""
    delivered_while_on: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Night:
    """An evening: what is special about it, and its stretches of time."""

    day: date
    what: str
    stretches: tuple[Stretch, ...]


@dataclass
class Outcome:
    """How a night ended; `wrong` is empty where all was as said before."""

    day: str
    what: str
    release: str = ""
    clock: str = ""
    late: list[str] = field(default_factory=list)
    runs: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def moment(day: date, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=HONG_KONG)


class Script:
    """All evenings, and what each must bring, from the sessions on which the vendors' files say
    that markets traded."""

    def __init__(self, vendors: Vendors) -> None:
        self.vendors = vendors
        self.special = {
            date(2026, 12, 2): self._late_file,
            date(2026, 12, 3): self._file_at_midnight,
            date(2026, 12, 11): self._after_three_nights_off,
            date(2026, 12, 14): self._machine_stops,
            date(2026, 12, 15): self._daemon_is_restarted,
            date(2026, 12, 16): self._midday_file,
            date(2027, 1, 18): self._after_a_week_off,
            date(2027, 1, 19): self._off_in_the_evening,
        }
        self.said = {
            date(2026, 12, 4): f"{ENDED_FEED} delivers no more",
            date(2026, 12, 24): "half-day in Hong Kong",
            date(2026, 12, 25): "Hong Kong closed, mainland open",
            date(2026, 12, 31): "half-day in Hong Kong",
            date(2027, 1, 1): "all markets closed",
            UNFORESEEN: "the calendar has ended; mainland closed, and nothing says so yet",
            date(2027, 1, 5): "the files say that the mainland was closed the day before",
        }
        self.off = {date(2026, 12, day) for day in (8, 9, 10)}
        self.off |= {date(2027, 1, day) for day in range(11, 16)}

    def nights(self) -> Iterator[Night]:
        """Each weekday on whose evening the machine is on."""
        for ordinal in range(FIRST.toordinal(), LAST.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if day.isoweekday() <= 5 and day not in self.off:
                if play := self.special.get(day):
                    yield play(day)
                else:
                    yield Night(day, self.said.get(day, ""), (self.evening(day),))

    def evening(self, day: date, **changes: Any) -> Stretch:
        """The files come at 17:20, and the schedule's time is 18:30."""
        usual: dict[str, Any] = {
            "starts": moment(day, "18:29:50"),
            "clock": self.last_session(day),
            "deliveries": (Delivery(moment(day, "17:20:00"), day),),
            "late": self.late(self.last_session(day)),
        }
        return Stretch(**usual | changes)

    def last_session(self, day: date) -> date:
        """The last date on which a market traded, or was thought to."""
        days = {*self.sessions("XHKG", day), *self.sessions("XSHG", day)}
        return max(found for found in days if found <= day)

    def sessions(self, market: str, clock: date) -> list[date]:
        """The covered sessions of a market, as known on the evening of the clock."""
        days = {found for found in self.vendors.sessions(market) if COVERED_FROM <= found <= clock}
        if clock == UNFORESEEN and market != "XHKG":
            days.add(UNFORESEEN)
        return sorted(days)

    def late(self, clock: date) -> frozenset[str]:
        """The feeds that are late on an evening on which everything came."""
        since = [
            sum(ENDS < day <= clock for day in self.sessions(market, clock))
            for market in ("XHKG", "XSHE")
            if clock in self.sessions(market, clock)
        ]
        late = {ENDED_FEED} if any(0 < count <= ENDED_AFTER for count in since) else set()
        return frozenset(late | (MAINLAND_FEEDS if clock == UNFORESEEN else set()))

    def _late_file(self, day: date) -> Night:
        came = Delivery(moment(day, "17:20:00"), day, without=("wsj_index",))
        comes = Delivery(moment(day, "20:15:00"), day, feeds=("wsj_index",))
        return Night(day, "HSI comes at 20:15", (
            self.evening(day, deliveries=(came,), late=frozenset({"wsj_index"})),
            self.evening(day, starts=moment(day, "20:15:30"), deliveries=(comes,), requests=()),
        ))  # fmt: skip

    def _file_at_midnight(self, day: date) -> Night:
        came = Delivery(moment(day, "17:20:00"), day, without=("yahoo_hk",))
        midnight = moment(day + timedelta(days=1), "00:00:00")
        comes = Delivery(midnight, day, feeds=("yahoo_hk",))
        return Night(day, "the Hong Kong shares come at midnight, while the daemon runs", (
            self.evening(day, deliveries=(came,), late=frozenset({"yahoo_hk"})),
            self.evening(
                day, starts=midnight - timedelta(seconds=40), deliveries=(),
                delivered_while_on=(comes,), requests=(),
            ),
        ))  # fmt: skip

    def _after_three_nights_off(self, day: date) -> Night:
        return Night(day, "the machine was off for three nights", (
            self._catches_up(day, day - timedelta(days=1), "08:55:00"),
            self.evening(day),
        ))  # fmt: skip

    def _after_a_week_off(self, day: date) -> Night:
        return Night(day, "the machine was off for a week", (
            self._catches_up(day, day - timedelta(days=3), "08:55:00"),
            self.evening(day),
        ))  # fmt: skip

    def _off_in_the_evening(self, day: date) -> Night:
        return Night(day, "the machine is off from noon to 23:30", (
            self.evening(
                day, starts=moment(day, "23:30:00"),
                deliveries=(Delivery(moment(day, "23:29:00"), day),),
                may_request=(OVERDUE,),
            ),
        ))  # fmt: skip

    def _catches_up(self, day: date, through: date, clock: str) -> Stretch:
        """On after days: the files of the last evening are there, and that evening is caught up.

        The sensor may see that the night is overdue before the schedule has requested it.
        """
        at = moment(day, clock)
        return self.evening(
            through,
            starts=at + timedelta(minutes=5),
            deliveries=(Delivery(at, through),),
            may_request=(OVERDUE,),
        )

    def _machine_stops(self, day: date) -> Night:
        """Dagster repeats the run that was lost."""
        return Night(day, "the machine stops in the middle of the run", (
            self.evening(day, disturbance="machine stops"),
            self.evening(day, starts=moment(day, "19:10:00"), deliveries=(), requests=(SCHEDULE,)),
        ))  # fmt: skip

    def _daemon_is_restarted(self, day: date) -> Night:
        """A run that is told to end ends first; where it needs too long for that it is lost."""
        return Night(day, "the daemon is restarted in the middle of the run", (
            self.evening(day, disturbance="daemon is restarted"),
            self.evening(
                day, starts=moment(day, "19:10:00"), deliveries=(), requests=(),
                may_request=(SCHEDULE, OVERDUE),
            ),
        ))  # fmt: skip

    def _midday_file(self, day: date) -> Night:
        before = self.last_session(day - timedelta(days=1))
        early = Delivery(moment(day, "12:05:00"), day, feeds=("wsj_index",), midday=True)
        midday = self.evening(
            day, starts=moment(day, "12:06:00"), clock=before, deliveries=(early,),
            requests=(), late=self.late(before),
        )  # fmt: skip
        return Night(day, "a midday price under today's date", (midday, self.evening(day)))


class Stage:
    """The machine on which the nights are played, and what was played of them."""

    def __init__(self, folder: Path, vendors: Vendors) -> None:
        self.folder, self.vendors, self.script = folder, vendors, Script(vendors)
        self.machine = Machine(Home(folder / "home"), folder / "daemon.log")
        self.home = self.machine.home
        self.vendor_closes = {index: vendors.closes(index) for index in INDICES}

    def set_up(self) -> None:
        """What a person does once: history, and the switches of the schedule and the sensors."""
        evening = moment(SET_UP, "19:00:00")
        self.vendors.deliver(self.home.landing, SET_UP, moment(SET_UP, "17:20:00"))
        dates = f"{COVERED_FROM}", f"{SET_UP}"
        self.machine.command(evening, "dagster_project.cli", "backfill", *dates)
        self.machine.switch_on(evening)

    def play(self, night: Night) -> Outcome:
        """Play a night; says what was not as it had to be."""
        begun, outcome = time.monotonic(), Outcome(f"{night.day}", night.what)
        for number, stretch in enumerate(night.stretches):
            try:
                found = list(self.live(stretch, outcome))
            except DaemonFailed as error:
                found = [str(error)]
            outcome.wrong += [f"stretch {number + 1}: {problem}" for problem in found]
        outcome.seconds = round(time.monotonic() - begun, 1)
        return outcome

    def live(self, stretch: Stretch, outcome: Outcome) -> Iterator[str]:
        written = sum(self.deliver(delivery) for delivery in stretch.deliveries)
        runs = Runs(self.home)
        known = {run.run_id for run in runs.all()}
        requests = {*stretch.requests, *([SENSOR] if written else [])}

        def new() -> list[Run]:
            return [run for run in runs.all() if run.run_id not in known]

        with self.machine.on(stretch.starts):
            if stretch.delivered_while_on:
                # At the time that they have, by the clock of the daemon.
                time.sleep((stretch.delivered_while_on[0].at - stretch.starts).total_seconds())
                for delivery in stretch.delivered_while_on:
                    self.deliver(delivery)
                requests.add(SENSOR)
            if stretch.disturbance:
                self.machine.wait_until(lambda: _in_transform(runs, new()), "a run in transform")
                crash = stretch.disturbance == "machine stops"
                self.machine.stop(signal.SIGKILL if crash else signal.SIGTERM)
            else:
                self.machine.wait_until(
                    lambda: (
                        requests <= {run.requested_by for run in new()}
                        and all(run.is_finished for run in new())
                        and self.clock() == stretch.clock
                    ),
                    f"runs by {', '.join(sorted(requests))}, and a release up to {stretch.clock}",
                )
            # Before the daemon is stopped, and a run that it begins meanwhile with it.
            done = new()
        outcome.runs += len(done)
        if stretch.disturbance:
            return
        if failed := [run for run in done if run.status != "SUCCESS"]:
            yield f"runs that did not succeed: {failed}"
        by = {run.requested_by for run in done}
        if not requests <= by <= requests | {*stretch.may_request}:
            yield f"runs were requested by {sorted(by)}, not by {sorted(requests)}"
        yield from self.judge(stretch, outcome)

    def clock(self) -> date | None:
        """The last date of the published release."""
        release = published_release(self.home)
        return release.clock if release else None

    def deliver(self, delivery: Delivery) -> int:
        """Write the files of a delivery; the number of files that changed."""
        if not delivery.midday:
            written = self.vendors.deliver(
                self.home.landing, delivery.through, delivery.at, delivery.feeds, delivery.without
            )
            return len(written)
        for path, content in self.vendors.files(delivery.through, delivery.feeds):
            header, today, *rest = content.decode().split("\n")
            day, opened, high, low, _close = today.split(", ")
            today = ", ".join([day, opened, high, low, opened])
            put(self.home.landing / path, "\n".join([header, today, *rest]).encode(), delivery.at)
        return 1

    def judge(self, stretch: Stretch, outcome: Outcome) -> Iterator[str]:
        """What the published file does not say as it must."""
        expected, found = self.must_say(stretch), self.says()
        outcome.release, outcome.clock = found.pop("release"), found["covered"][1]
        outcome.late = found["late"]
        for name, value in expected.items():
            if found[name] != value:
                yield f"{name}: {_difference(found[name], value)}"
        if not outcome.release.startswith(f"{stretch.starts.astimezone(ZoneInfo('UTC')):%Y%m%d}"):
            yield f"release {outcome.release} was not made at {stretch.starts}"
        if not (self.home.reports / f"{stretch.clock}" / "market_report.html").exists():
            yield f"no market report of {stretch.clock}"

    def must_say(self, stretch: Stretch) -> dict[str, Any]:
        closes = {
            f"{index} {day}": tuple(round(value, 4) for value in self.vendor_closes[index][day])
            for index, market in INDICES.items()
            for day in self.vendors.sessions(market)
            if COVERED_FROM <= day <= stretch.clock
            and not (index == "HSI" and day == stretch.clock and "wsj_index" in stretch.late)
        }
        return {
            "covered": [f"{COVERED_FROM}", f"{stretch.clock}"],
            "sessions": {
                market: [f"{day}" for day in self.script.sessions(market, stretch.clock)]
                for market in ("XHKG", "XSHE", "XSHG")
            },
            "closes": closes,
            "late": sorted(stretch.late),
            "quarantined": list(stretch.quarantined),
            "without_change": [],
        }

    def says(self) -> dict[str, Any]:
        with connect(self.home.published, read_only=True) as con:

            def rows(query: str) -> list[Any]:
                return con.execute(query).fetchall()

            return {
                "release": rows("select max(release_id) from main.release")[0][0],
                "covered": [
                    value
                    for row in rows("select from_date::VARCHAR, to_date::VARCHAR "
                                    "from raw.asked_dates")
                    for value in row
                ],
                "sessions": {
                    market: [day for _, day in days]
                    for market, days in itertools.groupby(
                        rows("select market, trade_date::VARCHAR from main.dim_session "
                             "where is_asked order by all"),
                        key=lambda row: row[0],
                    )
                },
                "closes": {
                    f"{symbol} {day}": (round(float(close), 4), round(float(previous), 4))
                    for symbol, day, close, previous in rows(
                        "select symbol, trade_date, close, previous_close "
                        f"from main.index_performance where symbol in {tuple(INDICES)}")
                },
                "late": [feed for (feed,) in rows(
                    "select distinct feed from main.session_coverage where is_late "
                    "and trade_date = (select max(to_date) from raw.asked_dates) order by all")],
                "quarantined": [file for (file,) in rows(
                    "select file from main.file_load where status = 'set_aside' order by all")],
                "without_change": rows(
                    "select symbol, trade_date::VARCHAR from main.index_performance "
                    "where change_pct is null"),
            }  # fmt: skip

    def differs_from_a_rebuild(self) -> list[str]:
        """The published tables that one clean build from the last files makes otherwise."""
        clean = Machine(Home(self.folder / "rebuild"), self.folder / "rebuild.log")
        shutil.rmtree(clean.home.root, ignore_errors=True)
        shutil.copytree(self.home.landing, clean.home.landing)
        dates = f"{COVERED_FROM}", self.says()["covered"][1]
        clean.command(moment(LAST, "23:00:00"), "dagster_project.cli", "backfill", *dates)
        return differing_tables(self.home.published, clean.home.published)

    def keep(self) -> None:
        """Keep the home as it is between two nights, so that a night cut short is played again."""
        new = self.folder / "kept_new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self.home.root, new, symlinks=True)
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        new.rename(self.folder / "kept")

    def restore(self) -> None:
        shutil.rmtree(self.home.root, ignore_errors=True)
        shutil.copytree(self.folder / "kept", self.home.root, symlinks=True)


def _in_transform(runs: Runs, new: list[Run]) -> bool:
    """Whether the run of the night, not the sensor's before it, builds its tables."""
    return any(run.requested_by == SCHEDULE and "transform" in runs.steps_begun(run) for run in new)


def _difference(found: Any, expected: Any) -> str:
    if isinstance(found, Mapping):
        keys = sorted({*found, *expected})
        parts = [f"{k}: {_difference(found.get(k), expected.get(k))}"
                 for k in keys if found.get(k) != expected.get(k)]  # fmt: skip
        return "; ".join(parts[:5])
    if isinstance(found, list) and isinstance(expected, list):
        more = [item for item in found if item not in expected]
        lacks = [item for item in expected if item not in found]
        return f"has {more[:5]}, lacks {lacks[:5]}"
    return f"{found}, expected {expected}"


def two_months() -> Vendors:
    """The vendors of the proof: one of them ends, and a share is suspended."""
    return Vendors(
        HISTORY, LAST, closed=(date(2027, 1, 1), UNFORESEEN), suspended=SUSPENDED,
        ends={ENDED_FEED: ENDS},
    )  # fmt: skip


def prove(folder: Path, count: int | None, out: Path | None) -> dict[str, Any]:
    """Play the nights, or the first of them; the figures, ready to be written as JSON."""
    begun, journal = time.monotonic(), Journal.beside(out)
    stage, played = Stage(folder, two_months()), [Outcome(**part) for part in journal.read()]
    nights = list(stage.script.nights())[:count]
    if played:
        stage.restore()
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stage.set_up()
        stage.keep()
    for night in nights[len(played) :]:
        outcome = stage.play(night)
        played.append(outcome)
        stage.keep()
        journal.keep(asdict(outcome))
        ended = "; ".join(outcome.wrong) or "right"
        print(f"{outcome.day} {ended}; {outcome.seconds:.0f} s; {outcome.what}", flush=True)
    differing = stage.differs_from_a_rebuild()
    return {
        "proof": "nights",
        "date": f"{date.today()}",
        "version": journal.version,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "nights": len(played),
        "nights_that_ended_in_the_right_release": sum(not outcome.wrong for outcome in played),
        "evenings_with_the_machine_off": sum(f"{day}" < played[-1].day for day in stage.script.off),
        "runs": sum(outcome.runs for outcome in played),
        "wrong": [f"{outcome.day} {wrong}" for outcome in played for wrong in outcome.wrong],
        "tables_unlike_a_rebuild": differing,
        "seconds_of_all_nights": round(sum(outcome.seconds for outcome in played)),
        "seconds": round(time.monotonic() - begun),
        "every_night": [asdict(outcome) for outcome in played],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nights", type=int, help="only the first so many")
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    # Whoever stops the proof also stops the daemon.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scratch = Path(tempfile.mkdtemp(prefix="closing_bell_nights_"))
    folder = options.out.with_suffix("") if options.out else scratch
    figures = prove(folder, options.nights, options.out)
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    if figures["wrong"] or figures["tables_unlike_a_rebuild"]:
        print(f"The home is kept in {folder}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
