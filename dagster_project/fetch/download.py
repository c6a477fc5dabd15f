"""Asking a host for a file: slowly, again where it makes sense, and never where it was refused.

Belongs here: requests, their pace and repetition, the lock of a host. Does not belong here: whether
the answer is the file (`judge.py`), where it is written (`fetching.py`).
"""

import importlib.metadata
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import tenacity
from filelock import FileLock

ATTEMPTS = 4
# A host that asks for more patience than this is asked again on the next visit.
LONGEST_WAIT = 60.0
TIMEOUT = httpx.Timeout(30, connect=10)
_FOR_A_WHILE = frozenset({408, 425, 429, 500, 502, 503, 504})
REFUSALS = frozenset({401, 403, 407, 429, 451})
_MOST_REDIRECTS = 3


class Refused(RuntimeError):
    """The host does not want to answer: it is not asked again on this visit."""


class Unreachable(RuntimeError):
    """No answer came, or none that was whole; the message says what was tried."""


class _Later(RuntimeError):
    """The host answers, but not now; it may say when."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__(message)
        self.status, self.wait = status, wait


@dataclass(frozen=True)
class Reply:
    """An answer: 200 with its content, 304 or 404 without."""

    status: int
    url: str
    content: bytes = b""
    etag: str | None = None
    last_modified: str | None = None


def user_agent(contact: str | None) -> str:
    """Who asks, said honestly."""
    version = importlib.metadata.version("closing-bell")
    return f"Closing-Bell/{version}" + (f" ({contact})" if contact else "")


@contextmanager
def host_turn(folder: Path, url: str, pace_seconds: float) -> Iterator[None]:
    """Wait for the turn to ask a host: one process at a time, not more often than its pace."""
    host = urlsplit(url).netloc.replace(":", "_")
    folder.mkdir(parents=True, exist_ok=True)
    last = folder / f"{host}.last"
    with FileLock(folder / f"{host}.lock"):
        since = time.time() - last.stat().st_mtime if last.exists() else pace_seconds
        time.sleep(min(max(0.0, pace_seconds - since), pace_seconds))
        try:
            yield
        finally:
            last.touch()


def ask(
    client: httpx.Client,
    url: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    most_bytes: int,
    turn: Callable[[], AbstractContextManager[None]],
) -> Reply:
    """Ask for a file, and again where that may help: no answer, a busy host, a broken transfer.

    What arrived of a broken transfer is kept where the host can send the rest.

    Args:
        turn: gives the turn to ask the host once.

    Raises:
        Refused: the host refuses, sends elsewhere, or sends too much.
        Unreachable: no whole answer came.
    """
    received = _Received()

    def once() -> Reply:
        with turn():
            return _ask_once(client, url, parameters, headers, most_bytes, received)

    backoff = tenacity.wait_exponential_jitter(initial=1, max=LONGEST_WAIT, jitter=1)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome and state.outcome.exception()
        asked_for = error.wait if isinstance(error, _Later) else None
        return backoff(state) if asked_for is None else asked_for

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=wait,
        retry=tenacity.retry_if_exception(_may_pass),
        sleep=time.sleep,
        reraise=True,
    )
    try:
        return retrying(once)
    except _Later as error:
        kind = Refused if error.status in REFUSALS else Unreachable
        raise kind(str(error)) from error
    except httpx.TransportError as error:
        raise Unreachable(_said(error)) from error


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, _Later):
        return error.wait is None or error.wait <= LONGEST_WAIT
    # A wrong certificate stays wrong, and is never passed over.
    return isinstance(error, httpx.TransportError) and "CERTIFICATE" not in str(error).upper()


def _said(error: httpx.TransportError) -> str:
    if "CERTIFICATE" in str(error).upper():
        return (
            f"its certificate is not trusted ({error}); check the address and this machine's clock"
        )
    return f"no whole answer after {ATTEMPTS} attempts ({error or type(error).__name__})"


class _Received:
    """What arrived so far of one file, and what says that the rest belongs to it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.etag: str | None = None


def _ask_once(
    client: httpx.Client,
    url: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    most_bytes: int,
    received: _Received,
) -> Reply:
    sent = dict(headers)
    if received.content and received.etag:
        sent |= {"Range": f"bytes={len(received.content)}-", "If-Range": received.etag}
    with client.stream("GET", url, params=dict(parameters) or None, headers=sent) as response:
        status = response.status_code
        if status in _FOR_A_WHILE:
            raise _Later(f"it answers {status}", status, _retry_after(response))
        if status in REFUSALS:
            raise Refused(f"it refuses with {status}")
        if response.history and urlsplit(str(response.url)).hostname != urlsplit(url).hostname:
            raise Refused(f"it sends elsewhere, to {response.url.host}; correct the address")
        if status in (304, 404, 410):
            return Reply(status, str(response.url))
        if status not in (200, 206):
            raise Unreachable(f"it answers {status}")
        if status == 200:
            received.content.clear()
        etag = response.headers.get("ETag")
        received.etag = etag if etag and not etag.startswith("W/") else None
        for piece in response.iter_bytes():
            received.content += piece
            if len(received.content) > most_bytes:
                raise Refused(f"it sends more than {most_bytes / 1e6:.0f} MB")
        return Reply(
            200, str(response.url), bytes(received.content), etag,
            response.headers.get("Last-Modified"),
        )  # fmt: skip


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds that a host asks to wait; None if it does not say."""
    said = response.headers.get("Retry-After", "")
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def new_client(contact: str | None) -> httpx.Client:
    """A client that says who it is, checks certificates and follows a few redirects."""
    return httpx.Client(
        headers={"User-Agent": user_agent(contact)},
        timeout=TIMEOUT,
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
    )
