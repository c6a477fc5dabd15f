"""A server whose processes are killed: each night is released all the same, and rightly.

Belongs here: nights on a server with PostgreSQL, a code server, a webserver and a daemon, the kill
of one of them at a random instant of each night, and what must be published then. Does not belong
here: how the server is set up and its processes are started (`server.py`).

    python -m tests.proof.deployment --out FILE [--kills 20] [--seed 1]

The processes are those of `deploy/compose.yaml`. What is killed is started again at once, as
compose does; where that lost the run, the clock goes on to 19:35, when the night is overdue. Exit
status 1 if a night ended otherwise.
"""

import argparse
import contextlib
import json
import random
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from dagster_project.defs.partitions import first_covered_date
from dagster_project.home import PROJECT_ROOT, Home
from dagster_project.release.read import published_release
from dagster_project.warehouse.connection import connect
from tests.proof.crash import differing_tables
from tests.proof.journal import Journal
from tests.proof.nights import moment
from tests.proof.server import CHECKOUT, HOME_FOLDER, Server
from tests.proof.vendors import Vendors

HISTORY, FIRST = date(2026, 12, 1), date(2027, 1, 5)
FEEDS = ["wsj_index", "baostock_index"]
INDICES = {"HSI", "000001.SH"}
PROCESSES = ("webserver", "daemon", "code")
OPERATING = PROJECT_ROOT / "docs" / "operating.md"
PASSWORD = "drill"  # of a database that lives for minutes
# By then a run whose process is gone is known as lost, and a night without a run is requested.
OVERDUE = "19:35:00"


@dataclass
class Outcome:
    """A night: what was killed, how long after the run began, and what came of it."""

    night: str
    killed: str = ""
    after_seconds: float = 0.0
    lost_run: bool = False
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Drill:
    """A server, and the vendors that deliver to it."""

    server: Server
    vendors: Vendors

    @classmethod
    @contextlib.contextmanager
    def new(cls, folder: Path, nights: int) -> Iterator["Drill"]:
        """A server set up as `docs/operating.md` says, with its services not yet started."""
        last = FIRST + timedelta(days=2 * nights + 10)
        vendors = Vendors(HISTORY, last, closed=[date(2027, 1, 1)], feeds=FEEDS)
        with Server.new(folder) as server:
            yield cls(server, vendors)

    def set_up(self) -> None:
        """Type the commands of the page on operating, one after the other."""
        for command in commands_of("## A server"):
            self.type(command)

    def type(self, command: str) -> None:
        """Carry out one line; what Docker would do is done with processes."""
        inside = re.fullmatch(r"docker compose exec (\w+) (.+)", command)
        if inside:
            self.server.execute(inside[1], shlex.split(inside[2]))
        elif command.startswith("docker compose up"):
            settings = self.server.deploy / ".env"
            written = settings.read_text()
            settings.write_text(written.replace("PASSWORD=\n", f"PASSWORD={PASSWORD}\n"))
            self.server.add_postgres(PASSWORD)
            self.server.take_services_of_compose()
            self.server.start(*PROCESSES[::-1])
        elif command.startswith(("git clone", "cd ")):
            pass  # the server has its checkout, and commands are typed there
        else:
            self.server.run(["bash", "-ec", f"cd {CHECKOUT}/deploy; {command}"])

    def sessions(self) -> list[date]:
        return [day for day in self.vendors.sessions("XHKG") if day >= FIRST]

    def deliver(self, night: date) -> None:
        self.vendors.deliver(self.server.home.landing, night, moment(night, "17:20:00"))

    def start(self, at: datetime) -> None:
        """Start all services at another time, as after a reboot."""
        self.server.stop(*PROCESSES)
        self.server.set_clock(at)
        self.server.start("code", "webserver", "daemon")

    def play(self, night: date, kills: dict[str, float]) -> Outcome:
        """One night; `kills` says what is killed, and how long after its run began.

        Returns:
            what came of it, with `wrong` empty where all is as it should be.
        """
        outcome = Outcome(night.isoformat(), ", ".join(kills))
        begun = time.monotonic()
        self.deliver(night)
        self.start(moment(night, "18:29:30"))
        runs = self.runs_begun()
        self.server.wait_until(lambda: self.runs_begun() > runs, "a run")
        since = time.monotonic()
        for name, instant in kills.items():
            time.sleep(max(0.0, instant - (time.monotonic() - since)))
            outcome.after_seconds = round(time.monotonic() - since, 1)
            outcome.lost_run |= name == "code" and self.clock() != night
            self.server.kill(name)
            self.server.start(name)
        if outcome.lost_run:
            self.start(moment(night, OVERDUE))
        self.server.wait_until(lambda: self.clock() == night, f"a release up to {night}")
        self.server.wait_until(
            lambda: (self.server.home.reports / night.isoformat()).exists(), "its report"
        )
        outcome.wrong = [*self.judge(night)]
        outcome.seconds = round(time.monotonic() - begun, 1)
        return outcome

    def runs_begun(self) -> int:
        return self.server.times_said("code", 'STEP_START - Started execution of step "ingest')

    def runs(self) -> list[str]:
        """How each run ended, the oldest first."""
        script = (
            "import dagster, json; instance = dagster.DagsterInstance.get(); "
            "print(json.dumps([run.status.value for run in reversed(instance.get_runs())]))"
        )
        runs: list[str] = json.loads(self.server.execute("code", ["python", "-c", script]))
        return runs

    def clock(self) -> date | None:
        release = published_release(self.server.home)
        return release.clock if release else None

    def judge(self, night: date) -> Iterator[str]:
        """What is not as the vendors' files say, and services that do not answer."""
        with connect(self.server.home.published, read_only=True) as con:
            released = con.execute(
                "select symbol, close::double, previous_close::double from main.index_performance "
                "where trade_date = ?",
                [night],
            ).fetchall()
        closes = {symbol: values for symbol, *values in released}
        for index in INDICES:
            if closes.get(index) != [*self.vendors.closes(index)[night]]:
                yield f"{index}: {closes.get(index)}"
        if not self.server.answers("http://webserver:3000/server_info"):
            yield "the webserver does not answer"

    def differences(self, last: date) -> Iterator[str]:
        """Tables that differ from those of a clean home with the same files."""
        self.server.run(
            ["bash", "-ec", f"mkdir /var/clean && cp -a {HOME_FOLDER}/landing /var/clean/"]
        )
        # The server's first night may have been the one before, which it had missed.
        first = first_covered_date(self.server.home)
        self.server.run(
            ["closing-bell", "backfill", first.isoformat(), last.isoformat()],
            {"CLOSING_BELL_HOME": "/var/clean"},
        )
        clean = Home(self.server.folder / "var" / "clean")
        for table in differing_tables(self.server.home.published, clean.published):
            yield f"{table} differs from that of a clean home"


def commands_of(heading: str) -> list[str]:
    """The lines of the first block of commands below a heading of the page on operating."""
    text = OPERATING.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    (block, *_) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    random_instants = random.Random(options.seed)
    journal = Journal.beside(options.out)
    folder = Path(tempfile.mkdtemp(prefix="deployment-"))
    folder.chmod(0o755)
    began, outcomes, wrong = time.monotonic(), [], []
    with Drill.new(folder, options.kills) as drill:
        drill.set_up()
        first, second, *nights = drill.sessions()[: options.kills + 2]
        outcomes.append(drill.play(first, {}))
        outcomes.append(drill.play(second, {}))
        longest = outcomes[-1].seconds
        for number, night in enumerate(nights):
            name = PROCESSES[number % len(PROCESSES)]
            outcomes.append(drill.play(night, {name: random_instants.uniform(0, longest / 2)}))
            print(json.dumps(asdict(outcomes[-1])), flush=True)
        wrong = [f"{outcome.night}: {what}" for outcome in outcomes for what in outcome.wrong]
        wrong += drill.differences(nights[-1])
    figures = {
        "nights": len(outcomes),
        "killed": {name: sum(o.killed == name for o in outcomes) for name in PROCESSES},
        "runs_lost": sum(outcome.lost_run for outcome in outcomes),
        "every_kill": [asdict(outcome) for outcome in outcomes],
    }
    journal.finish(
        options.out,
        f"python -m tests.proof.deployment --kills {options.kills} --seed {options.seed}",
        wrong, time.monotonic() - began, figures,
    )  # fmt: skip
    if not wrong:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
