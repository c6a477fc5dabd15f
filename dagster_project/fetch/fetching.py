"""The files of a day, from every source that is switched on, into landing.

Belongs here: what is asked for on which day, what each answer means there and then, writing files.
Does not belong here: requests (`download.py`), what makes an answer a file (`judge.py`).

A file is written aside and renamed, so that nobody reads half of it. Beside it stands, under a name
that begins with a dot, which ingest passes over, where it came from: address, time, ETag, hash of
what was sent.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
from filelock import FileLock

from dagster_project.fetch.akshare_call import ask_akshare
from dagster_project.fetch.download import Refused, Reply, Unreachable, ask, host_turn, new_client
from dagster_project.fetch.judge import judge
from dagster_project.fetch.outcomes import FAILURES, Fetched, remember
from dagster_project.fetch.source_spec import Source, Sources, dated
from dagster_project.home import Home, write_whole
from dagster_project.market import calendar, seeds


@dataclass(frozen=True)
class Origin:
    """Where a file came from, as it is kept beside it."""

    source: str
    url: str
    fetched_at: str
    etag: str | None
    last_modified: str | None
    bytes: int
    sha256: str


def fetch_day(
    home: Home, sources: Sources, day: date, now: datetime, again: bool = False
) -> Iterator[Fetched]:
    """Fetch the files of a day, one source after the other.

    Args:
        now: the time in Hong Kong.
        again: ask for files that are there too, for their publisher may have corrected them.

    Yields:
        What became of each source, as soon as it is known. A source that refuses or fails does not
        affect the others.
    """
    markets = _open_markets(day, home.config)
    with new_client(sources.contact) as client:
        for source in sources.on.values():
            # Of two processes, the second finds what the first has written.
            with source_lock(home, source):
                fetched = _fetch(client, home, source, day, now, again, markets)
                if fetched.outcome == "refused":
                    _refusal(home, source).write_text(f"{now.date()}", encoding="utf-8")
            if source.unverified and fetched.outcome in FAILURES:
                never = f"{fetched.message}; unverified: {source.unverified}"
                fetched = replace(fetched, message=never)
            remember(home, fetched, day)
            yield fetched


def source_lock(home: Home, source: Source) -> FileLock:
    """The lock of a source: one process at a time asks for its files."""
    folder = home.root / "fetch"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{source.source}.lock")


def _refusal(home: Home, source: Source) -> Path:
    """The file that holds the last date on which the publisher refused."""
    return home.root / "fetch" / f"{source.source}.refused"


def _fetch(
    client: httpx.Client,
    home: Home,
    source: Source,
    day: date,
    now: datetime,
    again: bool,
    markets: set[str],
) -> Fetched:
    """Ask for a source's file of a day.

    Args:
        markets: those that have a session on the day.
    """
    path = source.path(day)
    file = home.landing / path
    said = partial(Fetched, source.source, path)
    refusal = _refusal(home, source)
    if refusal.exists() and refusal.read_text(encoding="utf-8") == f"{now.date()}":
        return said("refused", f"refused today, and is not asked again: see {source.terms}")
    if not markets & set(source.markets):
        return said("no_session", f"no session of {', '.join(source.markets)}")
    published = datetime.fromisoformat(f"{day} {source.published_at}")
    if now.replace(tzinfo=None) < published:
        return said("not_yet", f"is published at {source.published_at} Hong Kong time")
    if is_there(home, source, day) and not again:
        return said("unchanged", "is there")
    before = _origin_of(file) if file.exists() else None
    age = (now.date() - day).days
    if source.kept_days and age > source.kept_days and not file.exists():
        return said(
            "expired", f"is kept for {source.kept_days} days; ask the publisher, or a vendor"
        )
    turn = partial(host_turn, home.root / "fetch", source.url, source.pace_seconds)
    try:
        reply = _ask(client, source, day, _unless_changed(before), turn)
    except Refused as error:
        return said("refused", f"{error}; not asked again today: see {source.terms}")
    except (Unreachable, httpx.HTTPError) as error:
        return said("unreachable", f"{error}; the next visit asks again")
    if reply.status == 304:
        # A history that its publisher has not changed may still lack the day.
        etag, modified = (before.etag, before.last_modified) if before else (None, None)
        reply = replace(reply, content=_held(file), etag=etag, last_modified=modified)
    if reply.status in (404, 410):
        # A history from before the day lacks it.
        if is_there(home, source, day):
            return said("unchanged", "is there; its publisher no longer has it")
        if age < 1:
            return said("not_yet", f"is not there yet ({_absence(source, reply)})")
        return said("expired", f"is no longer there, or never was ({_absence(source, reply)})")
    found = judge(source.answer, reply.content, day)
    if found.verdict == "refused":
        return said("refused", f"{found.reason}; not asked again today: see {source.terms}")
    if found.verdict in ("empty", "early", "other_day") and age < 1:
        return said("not_yet", f"is not there yet: {found.reason}")
    if found.verdict == "empty":
        return said("expired", f"is no longer there, or never was: {found.reason}")
    if found.verdict != "file":
        return said("damaged", f"{found.reason}; the next visit asks again")
    was_there = file.exists()
    if was_there and _held(file) == reply.content:
        _note_origin(file, source, reply, now)
        return said("unchanged", "is there, and its publisher has not changed it")
    _write(file, source, reply, now)
    size = f"{len(reply.content) / 1e3:,.0f} kB"
    if was_there and not source.is_history:
        return said("changed", f"was corrected by its publisher ({size}); the next run takes it")
    return said("new", size)


def _ask(
    client: httpx.Client,
    source: Source,
    day: date,
    unless: dict[str, str],
    turn: Callable[[], AbstractContextManager[None]],
) -> Reply:
    """Ask a source for a day: by itself, by way of its list, or through AkShare.

    Raises:
        Refused: the host refuses, or its list leads to another host.
        Unreachable: no whole answer came.
    """
    most = source.largest_megabytes * 1_000_000
    url = dated(source.url, day)
    parameters = {key: dated(value, day) for key, value in source.parameters.items()}
    if source.akshare:
        with turn():
            return Reply(200, url, ask_akshare(source.akshare, parameters))
    if not source.link:
        return ask(client, url, parameters, source.headers | unless, most, turn)
    listed = ask(client, url, parameters, source.headers, most, turn)
    text = listed.content.decode(errors="replace")
    found = re.search(dated(source.link, day), text, re.DOTALL)
    if not found:
        return Reply(404, listed.url)
    address = urljoin(listed.url, found[1].replace("\\/", "/"))
    if urlsplit(address).netloc != urlsplit(listed.url).netloc:
        raise Refused(f"its list leads elsewhere, to {address}; correct the address")
    return ask(client, address, {}, source.headers | unless, most, turn)


def _absence(source: Source, reply: Reply) -> str:
    return f"not in its list, or answer {reply.status}" if source.link else f"answer {reply.status}"


def _open_markets(day: date, config: Path) -> set[str]:
    """The markets that have a session on a day."""
    around = calendar.sessions(
        *seeds.markets_and_overrides(config), day - timedelta(days=1), day
    ).to_pylist()
    return {session["market"] for session in around if session["trade_date"] == day}


def _origin_file(file: Path) -> Path:
    return file.with_name(f".{file.name}.origin.json")


def _origin_of(file: Path) -> Origin | None:
    """Where a file came from; None if somebody else put it there."""
    try:
        return Origin(**json.loads(_origin_file(file).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_there(home: Home, source: Source, day: date) -> bool:
    """Whether a source's file of a day is in landing; a history, since the day was published."""
    file = home.landing / source.path(day)
    if not source.is_history or not file.exists():
        return file.exists()
    origin = _origin_of(file)
    published = datetime.fromisoformat(f"{day} {source.published_at}")
    return origin is not None and (
        datetime.fromisoformat(origin.fetched_at).replace(tzinfo=None) >= published
    )


def _unless_changed(origin: Origin | None) -> dict[str, str]:
    """Headers with which a publisher need not send again what it sent."""
    if origin is None:
        return {}
    headers = {"If-None-Match": origin.etag, "If-Modified-Since": origin.last_modified}
    return {name: value for name, value in headers.items() if value}


def _held(file: Path) -> bytes:
    """The content of a file as its publisher sent it."""
    content = file.read_bytes()
    return gzip.decompress(content) if file.suffix == ".gz" else content


def _write(file: Path, source: Source, reply: Reply, now: datetime) -> None:
    content = gzip.compress(reply.content, mtime=0) if source.is_packed else reply.content
    file.parent.mkdir(parents=True, exist_ok=True)
    # In this order: a crash in between leaves an older origin, and the file is asked for again.
    write_whole(file, content)
    _note_origin(file, source, reply, now)


def _note_origin(file: Path, source: Source, reply: Reply, now: datetime) -> None:
    origin = Origin(
        source.source, reply.url, now.isoformat(timespec="seconds"), reply.etag,
        reply.last_modified, len(reply.content), hashlib.sha256(reply.content).hexdigest(),
    )  # fmt: skip
    write_whole(_origin_file(file), json.dumps(asdict(origin), indent=1).encode())
