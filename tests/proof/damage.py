"""Damaged files of every feed: none stops the reading, takes long, or loses a line.

Belongs here: small whole files of each feed, how they are damaged, and what is counted. Does not
belong here: what a damage means for the figures (`corruption.py`).

    python -m tests.proof.damage --damages 10000 --out FILE

Each file is damaged so often, by seeds 0, 1, 2, …; `--feeds` names some. Exit status 1 if a file
stopped the reading, a line was lost, or a batch took longer than a minute.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.ingest.feed_ingestion import symbol_check
from dagster_project.ingest.feed_spec import FeedSpec
from dagster_project.ingest.landing import LandingFile
from dagster_project.ingest.reader import Delivery, FileReport, read_files
from seeds.sample.generate import generate
from seeds.sample.publishers import szse_closing_snapshot
from tests.proof.journal import Journal
from tests.unit.ingest.support import DELIVERED, INDICES, SPECS, TODAY
from tests.unit.ingest.test_publisher_feeds import WHOLE, quote
from tests.unit.ingest.test_vendor_feeds import FILES
from tests.unit.ingest.test_vendor_shapes import record

BATCH = 50
LONGEST_SECONDS = 60
# Of a long text its beginning is enough.
LINES, BYTES = 40, 60_000
_PIECES = (
    b"\0", b"\r", b"\n", b'"', b",", b"\t", b"-", b"1e999", b"\xff\xfe", b"<html>", b"{", b"]",
    b"[[", b"9" * 40, b"nan", "手".encode(), "手".encode("gb18030"), b"&amp;", b"<a name = ",
    b"PK\3\4", b"\x1f\x8b",
)  # fmt: skip


def whole_files() -> Iterator[tuple[str, str, bytes]]:
    """Feed, name and content of a small file of each feed."""
    for feed, files in FILES.items():
        for name, text, _ in files:
            yield feed, name, text.encode(SPECS[feed].format.encoding)
    others = {
        ("szse_closing_snapshot", "20250917.xlsx"): szse_closing_snapshot(TODAY, [quote("000001")]),
        ("tdx_day", "sh/lday/sh600519.day"): b"".join(record(20250901 + n, 10.5) for n in range(9)),
    }
    for (feed, name), content in (WHOLE | others).items():
        yield feed, name, content
    covered = {*FILES, *(feed for feed, _ in WHOLE | others)}
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder)
        generate(landing)
        for feed in sorted(SPECS.keys() - covered):
            found = sorted((landing / feed).rglob("*.*"))
            if found:
                content = found[0].read_bytes()
                if SPECS[feed].format.type == "csv":
                    content = b"".join(content.splitlines(keepends=True)[:LINES])
                if len(content) <= BYTES or SPECS[feed].format.type != "csv":
                    yield feed, str(found[0].relative_to(landing / feed)), content


def damaged(content: bytes, seed: int) -> bytes:
    """A content with one to four damages."""
    rng = random.Random(seed)
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(found) + 1)
        to = min(len(found), at + rng.choice((0, 1, 1, 4, 40, 400)))
        kind = rng.randrange(6)
        if kind == 0:
            found[at:to] = b""
        elif kind == 1:
            found[at:to] = rng.choice(_PIECES)
        elif kind == 2:
            found[at:to] = rng.randbytes(to - at)
        elif kind == 3:
            found[at:at] = found[at:to]
        elif kind == 4:
            del found[at:]
        else:
            lines = bytes(found).split(b"\n")
            rng.shuffle(lines)
            found = bytearray(b"\n".join(lines))
    return bytes(found)


def read(spec: FeedSpec, name: str, contents: list[bytes], day: date = TODAY) -> list[FileReport]:
    """Read contents as files of one name, in one batch."""
    placeholders = spec.match(name)
    assert placeholders is not None, name
    mtime_ns = int(DELIVERED.timestamp()) * 1_000_000_000
    file_date = spec.file_date(placeholders)
    deliveries = [
        Delivery(
            number,
            LandingFile(spec.feed, name, name, len(content), mtime_ns, placeholders, file_date),
            content,
        )
        for number, content in enumerate(contents)
    ]
    with duckdb.connect(config={"threads": 1}) as con:
        return read_files(con, spec, deliveries, day, symbol_check(spec, INDICES))


def wrong_with(report: FileReport) -> str | None:
    """What a report does not account for, if anything."""
    counted = report.rows_accepted + report.rows_duplicate + report.rows_rejected
    if report.lines_read != counted + report.lines_framing:
        return f"{report.lines_read} lines read, {counted} + {report.lines_framing} accounted for"
    return None


def play(feed: str, name: str, content: bytes, damages: int) -> tuple[Counter[str], list[str]]:
    """Damage a file and read it, batch by batch: what became of the files, and what is wrong."""
    spec, became, wrong = SPECS[feed], Counter[str](), []
    for first in range(0, damages, BATCH):
        seeds = range(first, min(first + BATCH, damages))
        began = time.monotonic()
        try:
            reports = read(spec, name, [damaged(content, seed) for seed in seeds])
        except Exception as error:
            wrong.append(f"{feed} {name} seeds {seeds}: {type(error).__name__}: {error}")
            continue
        if time.monotonic() - began > LONGEST_SECONDS:
            wrong.append(f"{feed} {name} seeds {seeds}: took {time.monotonic() - began:.0f} s")
        for report in reports:
            if lost := wrong_with(report):
                wrong.append(f"{feed} {name} seed {first + report.file_id}: {lost}")
            became["quarantined" if report.reason else "read"] += 1
            became["rows rejected"] += report.rows_rejected if not report.reason else 0
    return became, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damages", type=int, default=10_000)
    parser.add_argument("--feeds", nargs="*")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    began, wrong, totals, feeds = time.monotonic(), [], Counter[str](), set()
    for feed, name, content in whole_files():
        if options.feeds and feed not in options.feeds:
            continue
        became, found = play(feed, name, content, options.damages)
        print(feed, name, dict(became), *found[:3], flush=True)
        feeds.add(feed)
        wrong += found
        totals += became
    Journal.beside(options.out).finish(
        options.out,
        f"python -m tests.proof.damage --damages {options.damages}",
        wrong,
        time.monotonic() - began,
        {"feeds": len(feeds), "damages a file": options.damages, **totals},
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
