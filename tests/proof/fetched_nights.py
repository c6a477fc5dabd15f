"""Nights fetched from sites that misbehave: the right release, and the right message.

Belongs here: how a site can misbehave, what the fetch must say of it, and what is released in the
evening, after a second look and the next morning. Does not belong here: each answer by itself
(`tests/unit/fetch/`), how files are damaged (`damage.py`).

    python -m tests.proof.fetched_nights --nights 30 --seed 1 --out FILE

Each evening every source answers right or, one in three, wrong. The release of the evening holds
what came, and every feed whose file did not come is late, no other. After the second look, when the
sites behave, and after the next morning's, which brings those that had refused, nothing lacks. At
the end the published tables equal a clean rebuild from landing. Exit status 1 if anything differs.
"""

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from unittest.mock import patch

import duckdb

from benchmarks.publishers_nights import lay, nights
from dagster_project import pipeline
from dagster_project.fetch import download
from dagster_project.fetch.fetching import fetch_day
from dagster_project.fetch.outcomes import Fetched, Outcome
from dagster_project.fetch.source_spec import Source, Sources, load_sources
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import FeedCatalog, load_feeds
from seeds.sample.exchange_server import ExchangeServer, Play, exchange_server
from tests.proof.histories.comparison import differences, tables_of
from tests.proof.journal import Journal

FIRST, BASE = date(2025, 7, 21), date(2025, 8, 1)
HONG_KONG = timezone(timedelta(hours=8))

Mischief = Callable[[bytes, bytes], list[Play]]


def etag(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"'}


@dataclass(frozen=True)
class Way:
    """A way in which a site answers: its plays, given today's file and yesterday's."""

    plays: Mischief
    outcome: Outcome
    # The sources that can answer so; all where it is empty.
    only: tuple[str, ...] = ()


RIGHT = Way(lambda file, _: [Play(file, headers=etag(file))], "new")
WAYS = {
    "slow": Way(lambda file, _: [Play(file, delay=0.3)], "new"),
    "breaks off, then goes on": Way(
        lambda file, _: [
            Play(file, headers=etag(file), sent=len(file) // 2), Play(file, headers=etag(file)),
        ],
        "new",
    ),
    "busy, then there": Way(
        lambda file, _: [Play(status=429, headers={"Retry-After": "1"}), Play(file)], "new"
    ),
    "unavailable, then there": Way(lambda file, _: [Play(status=503), Play(file)], "new"),
    "cut": Way(lambda file, _: [Play(file[: len(file) // 2])], "damaged"),
    "error page": Way(lambda *_: [Play(b"<html>Please try again later</html>")], "damaged"),
    "not there": Way(lambda *_: [Play(status=404)], "not_yet"),
    "yesterday's": Way(lambda _, before: [Play(before)], "not_yet"),
    "refuses": Way(lambda *_: [Play(status=403)], "refused"),
    "stays busy": Way(lambda *_: [Play(status=429)], "refused"),
    "no data": Way(lambda *_: [Play(b'{"result": []}')], "not_yet", ("sse_overview",)),
    "refused question": Way(
        lambda *_: [Play(b'[{"error": "too many days", "data": []}]')], "refused",
        ("szse_overview",),
    ),
}  # fmt: skip


@dataclass
class Desk:
    """A home, the sites that it fetches from, and what went wrong."""

    home: Home
    server: ExchangeServer
    sources: Sources
    catalog: FeedCatalog
    wrong: list[str]
    seen: Counter[str]

    def look(self, day: date, now: datetime, again: bool = False) -> dict[str, Fetched]:
        found = fetch_day(self.home, self.sources, day, now, again)
        return {one.source: one for one in found}

    def release(self, day: date, said: str) -> None:
        result = pipeline.run(self.home, self.catalog, (day, day), day)
        if result.withheld:
            self.wrong.append(f"{day} {said}: withheld: {result.withheld}")

    def late(self, day: date) -> set[str]:
        with duckdb.connect(str(self.home.published), read_only=True) as con:
            rows = con.execute(
                "select distinct feed from session_coverage where is_late and trade_date = ?", [day]
            ).fetchall()
        return {feed for (feed,) in rows}

    def feeds_of(self, sources: set[str]) -> set[str]:
        """The feeds that lack something where these sources' files did not come."""
        files = [self.sources.on[name].file for name in sources]
        folders = {file.split("/")[0] for file in files}
        feeds = {n for n, spec in self.catalog.feeds.items() if spec.landing_folder in folders}
        # GEM has no index, and a tenth of the securities.
        if "hkex_gem" in sources and "hkex_main_board" not in sources:
            feeds -= {"hkex_quoted_index", "hkex_daily_quotations"}
        # Any number of securities may be sold short, and none: this list is never late.
        return feeds - {"hkex_short_selling"}


def playing(server: ExchangeServer, source: Source, day: date, plays: list[Play]) -> None:
    server.plays["/" + source.path(day)] = plays


def night(
    desk: Desk, rng: random.Random, day: date, files: dict[str, bytes], before: list[bytes | None]
) -> None:
    """An evening, its second look, and the morning after.

    Args:
        before: each source's file of the session before, where it had one.
    """
    evening = datetime(day.year, day.month, day.day, 19, tzinfo=HONG_KONG)
    expected: dict[str, tuple[str, Outcome]] = {}
    for (name, source), yesterdays in zip(desk.sources.on.items(), before, strict=True):
        path = source.path(day).removesuffix(".gz")
        if path not in files:
            expected[name] = ("closed", "no_session")
            continue
        way, how = "right", RIGHT
        if rng.random() < 1 / 3:
            ways = [w for w, how in WAYS.items() if not how.only or name in how.only]
            # Nothing in a table of lines says where it ends.
            way = rng.choice([w for w in ways if w != "cut" or "bulletin" not in name])
            how = WAYS[way]
        if way == "yesterday's" and not yesterdays:
            way, how = "right", RIGHT
        playing(desk.server, source, day, how.plays(files[path], yesterdays or b""))
        expected[name] = (way, how.outcome)
        desk.seen[way] += 1
    found = desk.look(day, evening)
    for name, (way, outcome) in expected.items():
        one = found[name]
        if one.outcome != outcome:
            desk.wrong.append(f"{day} {name} {way}: {one.outcome}, not {outcome}: {one.message}")
    desk.release(day, "evening")
    lacking = {n for n, (_, outcome) in expected.items() if outcome not in ("new", "no_session")}
    if desk.late(day) != desk.feeds_of(lacking):
        desk.wrong.append(
            f"{day} evening: late {sorted(desk.late(day))}, lacking {sorted(lacking)}"
        )
    for source in desk.sources.on.values():
        path = source.path(day).removesuffix(".gz")
        if path in files:
            playing(desk.server, source, day, [Play(files[path], headers=etag(files[path]))])
    refused = {name for name, (_, outcome) in expected.items() if outcome == "refused"}
    for at, still in (
        (evening + timedelta(hours=2), refused),
        (evening + timedelta(hours=13), set[str]()),
    ):
        found = desk.look(day, at, again=not still)
        if (
            not_in := {
                n for n, one in found.items() if one.outcome in ("refused", "damaged", "not_yet")
            }
            - still
        ):
            desk.wrong.append(f"{day} at {at:%H:%M}: {sorted(not_in)} did not come")
    desk.release(day, "morning")
    if late := desk.late(day):
        desk.wrong.append(f"{day} morning: late {sorted(late)}")


def play(count: int, seed: int, root: Path) -> tuple[list[str], Counter[str]]:
    """Play nights from the first session after the base on."""
    days = nights(FIRST, BASE + timedelta(days=2 * count), 100)
    home, catalog = Home(root / "home"), load_feeds()
    before: list[bytes | None] = []
    rng = random.Random(seed)
    with exchange_server() as server, patch("time.sleep", lambda _: None):
        on = {
            name: source.model_copy(
                update={
                    "url": f"{server.url}/{source.file}" + ".gz" * source.is_packed,
                    "link": None,
                    "pace_seconds": 0,
                    "answer": source.answer.model_copy(update={"least_bytes": 1}),
                }
            )
            for name, source in load_sources(Path("/nowhere")).offered.items()
            if not source.akshare
        }
        desk = Desk(home, server, Sources(on, on, None), catalog, [], Counter())
        played = 0
        for day, files in days:
            if day <= BASE:
                lay(home.landing, files)
            elif played == 0:
                result = pipeline.run(home, catalog, (FIRST, BASE), BASE)
                assert not result.withheld, result.withheld
            if day > BASE and played < count:
                night(desk, rng, day, files, before)
                played += 1
                print(day, f"{len(desk.wrong)} wrong", dict(desk.seen), flush=True)
            before = [files.get(source.path(day).removesuffix(".gz")) for source in on.values()]
        last = max(day for (day,) in asked(home))
        clean = Home(root / "clean")
        shutil.copytree(home.landing, clean.landing)
        result = pipeline.run(clean, catalog, (FIRST, last), last)
        desk.wrong += [result.withheld] if result.withheld else []
        desk.wrong += differences(tables_of(home.published), tables_of(clean.published))
    return desk.wrong, desk.seen


def asked(home: Home) -> list[tuple[date]]:
    with duckdb.connect(str(home.published), read_only=True) as con:
        return con.execute("select max(to_date) from raw.asked_dates").fetchall()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fetched-nights-") as folder:
        wrong, seen = play(options.nights, options.seed, Path(folder))
    Journal.beside(options.out).finish(
        options.out,
        f"python -m tests.proof.fetched_nights --nights {options.nights} --seed {options.seed}",
        wrong,
        time.monotonic() - began,
        {"nights": options.nights, "attempts of a request": download.ATTEMPTS, **seen},
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
