"""A night of the exchanges' own files at real size: fetched, released, reported.

    python benchmarks/publishers_night.py --page benchmarks/publishers_night_results.md

Makes twenty sessions and a night (`publishers_nights.py`), loads the sessions, then measures whole
processes: wall time, CPU, largest memory. Nothing is asserted.

    fetch            the night's files, from a server on this machine that plays the exchanges
    night            from these files to an audited release and its report
    quotations       reading the Main Board's file by itself
    peer: fetch      the same files by plain httpx, whole, into a folder
    peer: lines      a plain pass over the lines of the Main Board's file, in Python

Belongs here: what is measured. Does not belong here: the files (`publishers_nights.py`).
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, date, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks.publishers_nights import lay, nights
from benchmarks.scale import CLI, Measured, commit, measure, table

FIRST, NIGHT = date(2025, 8, 20), date(2025, 9, 17)
MAIN_BOARD = f"hkex_daily_quotations/d{NIGHT:%y%m%d}e.htm"


def files_by_source(folder: Path) -> dict[str, bytes]:
    """The night's files as sources ask for them, without those that came before."""
    from dagster_project.fetch.source_spec import load_sources

    paths = {name: source.path(NIGHT) for name, source in load_sources(folder).offered.items()}
    files = {name: folder / path.removesuffix(".gz") for name, path in paths.items()}
    return {name: file.read_bytes() for name, file in files.items() if file.exists()}


def fetch(home: Path, published: Path) -> None:
    from dagster_project.home import Home
    from seeds.sample.exchange_server import exchange_server
    from seeds.sample.exchanges import fetch_evening

    with exchange_server() as server:
        for line in fetch_evening(Home(home), server, NIGHT, files_by_source(published)):
            print(line)


def fetch_plainly(target: Path, published: Path) -> None:
    import httpx

    from seeds.sample.exchange_server import Play, exchange_server

    with exchange_server() as server, httpx.Client() as client:
        for name, content in files_by_source(published).items():
            url = server.play(f"/{name}", Play(content))
            target.joinpath(name).write_bytes(client.get(url).content)


def read_quotations(file: Path) -> float:
    """Seconds to read the file, without the start of Python."""
    from dagster_project.ingest.feed_catalog import load_feeds
    from dagster_project.ingest.trial import try_feed

    spec = load_feeds().feeds["hkex_daily_quotations"]
    started = time.perf_counter()
    try_feed(spec, file, NIGHT)
    return time.perf_counter() - started


def read_lines(file: Path) -> float:
    """Seconds of a plain pass over the lines of a file."""
    started = time.perf_counter()
    with file.open(encoding="iso-8859-1") as lines:
        sum(len(line.rstrip().split()) for line in lines)
    return time.perf_counter() - started


PARTS = {"fetch": fetch, "fetch_plainly": fetch_plainly}


@contextmanager
def _work(folder: Path | None) -> Iterator[Path]:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="publishers-night-") as temporary:
            yield Path(temporary)


def measured(work: Path) -> Iterator[tuple[str, Measured]]:
    """Make the files, load the sessions before the night, and measure the night."""
    home, published, target = work / "home", work / "published", work / "plain"
    for folder in (home, published, target):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for day, files in nights(FIRST, NIGHT):
        lay(published if day == NIGHT else home / "landing", files)
    at_home = {"CLOSING_BELL_HOME": str(home)}
    me = str(Path(__file__))
    yield "load", measure([*CLI, "backfill", f"{FIRST}", "2025-09-16"], **at_home)
    yield "peer: fetch", measure([me, "--part", "fetch_plainly", str(target), str(published)])
    yield "fetch", measure([me, "--part", "fetch", str(home), str(published)])
    yield "night", measure([*CLI, "nightly", f"{NIGHT}"], **at_home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, help="keep files and home here")
    parser.add_argument("--page", type=Path, help="also write the results to this page")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("paths", type=Path, nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        PARTS[given.part](*given.paths)
        return
    rows = []
    with _work(given.work) as work:
        for name, of in measured(work):
            seconds, cpu, mebibytes = astuple(of)
            rows.append([name, f"{seconds:.1f} s", f"{cpu:.1f} s", f"{mebibytes:,.0f}"])
            print("  ".join(rows[-1]), flush=True)
        for name, read in (("peer: lines", read_lines), ("quotations", read_quotations)):
            taken = min(read(work / "published" / MAIN_BOARD) for _ in range(3))
            rows.append([name, f"{taken:.1f} s", "", ""])
        size = sum(f.stat().st_size for f in (work / "published").rglob("*") if f.is_file())
    text = "\n".join(
        [
            "<!-- Generated by benchmarks/publishers_night.py; do not edit. -->", "",
            "# A night of the exchanges' own files", "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, version {commit()}, {platform.platform()}, "
            f"{os.cpu_count()} cores: {size / 1e6:.0f} MB of files, 17,400 lines of Hong Kong's "
            "quotations, 5,200 mainland shares, on top of twenty sessions. Each is a whole "
            "process, with the start of Python; the last two are the best of three in one.", "",
            table(["", "wall", "CPU", "memory, MiB"], rows), "",
        ]
    )  # fmt: skip
    print(text)
    if given.page:
        given.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
