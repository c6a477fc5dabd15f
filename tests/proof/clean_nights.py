"""Proof that clean files are released, night by night; and what checks find in real history.

Belongs here: releasing the last sessions of the sample or of the real vendor files one by one, each
with the files of its evening, and the command. Does not belong here: corrupted files
(`corruption.py`), cutting files at a day (`clean_files.py`).

    python -m tests.proof.clean_nights --nights 250 --out clean_nights.json
    python -m tests.proof.clean_nights --nights 250 --real --to 2025-09-30
    python -m tests.proof.clean_nights --history --out real.json   all in one run, and what is found

Every night is kept beside `--out`, with the home in which it was played. The same command goes on
where an earlier one ended, as long as the project's version is the same.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagster_project import pipeline
from dagster_project.audit import results as audit_results
from dagster_project.audit.results import describe
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.market.calendar import today_in_hong_kong
from tests.proof.clean_files import CleanFiles, moment, stamp, usual_time
from tests.proof.journal import Journal
from tests.support import place_real_files

# Released in one run before the first night, since averages need some.
SESSIONS_BEFORE = 30
# Of each check in real history; the JSON has all.
SHOWN_FINDINGS = 10


@dataclass(frozen=True)
class Night:
    """One clean night: why it was withheld, if it was, and the new rows that checks found."""

    day: str
    withheld: str | None
    found: dict[str, str]
    seconds: float


def play_nights(
    folder: Path, count: int, is_real: bool, last: date | None, played: Sequence[Night]
) -> Iterator[Night]:
    """Release the last `count` sessions up to `last` one by one.

    Args:
        folder: where the home is, and stays.
        played: nights that this home has already.
    """
    catalog = load_feeds()
    files = CleanFiles(catalog, is_real)
    days = [day for day in files.sessions if last is None or day <= last]
    assert len(days) > count + SESSIONS_BEFORE, f"there are {len(days)} sessions"
    home = Home(folder / "home")

    def run(asked: tuple[date, date]) -> pipeline.RunResult:
        day = asked[1]
        for path, content in files.on(day).items():
            target = home.landing / path
            if not target.exists() or target.read_bytes() != content:
                target.write_bytes(content)
                stamp(target, usual_time(path, day, changed=True))
        now = moment(day, 22, 30).astimezone(UTC).replace(tzinfo=None)
        return pipeline.run(home, catalog, asked, day, now)

    if not played:
        shutil.rmtree(folder, ignore_errors=True)
        for feed in catalog.feeds:
            (home.landing / feed).mkdir(parents=True)
        first = run((days[-count - SESSIONS_BEFORE], days[-count - 1]))
        assert first.release, f"the sessions before are withheld: {first.withheld}"
    for day in days[-count + len(played) :]:
        started = time.perf_counter()
        result = run((day, day))
        found = {
            check.check_name: check.explanation[:400]
            for check in result.checks
            if not check.passed and check.rows_new
        }
        yield Night(str(day), result.withheld, found, round(time.perf_counter() - started, 2))


def findings_of_history(folder: Path) -> tuple[str | None, dict[str, list[str]]]:
    """Why the real vendor files are withheld, if they are, and all that each check finds in them.

    Returns:
        Check -> its findings in words, each with file and line where it has them.
    """
    home = Home(folder / "home")
    place_real_files(home.landing)
    asked = (date(2021, 1, 1), date(2025, 9, 17))
    with patch.object(audit_results, "KEPT_ROWS", sys.maxsize):  # a release keeps the worst only
        result = pipeline.run(home, load_feeds(), asked, today_in_hong_kong())
    found = {}
    for check in result.checks:
        if not check.passed:
            told = [describe(row) for row in check.offending_rows]
            found[check.check_name] = told or [check.explanation]
    return result.withheld, found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nights", type=int, default=250, help="how many (default 250)")
    parser.add_argument("--real", action="store_true", help="of the real vendor files")
    parser.add_argument("--to", type=date.fromisoformat, help="the last night; all where not given")
    parser.add_argument("--history", action="store_true", help="the real vendor files in one run")
    parser.add_argument("--out", type=Path, help="write everything as JSON")
    options = parser.parse_args(arguments)
    started, journal = time.perf_counter(), Journal.beside(options.out)
    with tempfile.TemporaryDirectory(prefix="clean-nights-") as temporary:
        if options.history:
            failures, figures = _list_history(Path(temporary))
        else:
            folder = options.out.with_suffix("") if options.out else Path(temporary) / "nights"
            played = [Night(**night) for night in journal.read()]
            for night in play_nights(folder, options.nights, options.real, options.to, played):
                journal.keep(asdict(night))
                played.append(night)
                if len(played) % 10 == 0:
                    print(f"{len(played)} of {options.nights} nights", file=sys.stderr, flush=True)
            failures, figures = _count(played)
    command = " ".join(["python -m tests.proof.clean_nights", *(arguments or sys.argv[1:])])
    journal.finish(options.out, command, failures, time.perf_counter() - started, figures)
    return 1 if failures else 0


def _count(nights: Sequence[Night]) -> tuple[list[str], dict[str, Any]]:
    found = Counter(check for night in nights for check in night.found)
    examples: dict[str, str] = {}
    for night in nights:
        for check, explanation in night.found.items():
            examples.setdefault(check, f"{night.day}: {explanation}")
    withheld = {night.day: night.withheld for night in nights if night.withheld}
    print(f"{len(nights)} clean nights, {len(withheld)} withheld; nights with new findings:")
    for check, number in found.most_common():
        print(f"{number:>6}  {check}: {examples[check]}")
    return [f"withheld {day}: {why}" for day, why in withheld.items()], {
        "nights": len(nights),
        "from": nights[0].day,
        "to": nights[-1].day,
        "withheld": withheld,
        "nights_with_new_findings": dict(found.most_common()),
        "examples": examples,
        "seconds_of_all_nights": round(sum(night.seconds for night in nights)),
    }


def _list_history(folder: Path) -> tuple[list[str], dict[str, Any]]:
    withheld, by_check = findings_of_history(folder)
    for check, told in sorted(by_check.items(), key=lambda item: len(item[1])):
        print(f"{check}: {len(told)}")
        print("\n".join(f"    {line}" for line in told[:SHOWN_FINDINGS]))
    found = [f"withheld: {withheld}"] if withheld else []
    return found, {"counts": {name: len(told) for name, told in by_check.items()},
                   "findings": by_check}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
