"""A server on this machine that plays the exchanges' sites, well and badly behaved.

Belongs here: what it answers, and what it was asked. Does not belong here: the files themselves
(`publishers.py`).
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Play:
    """One answer: `sent` is how much of the content goes out before the connection breaks."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    delay: float = 0


@dataclass
class ExchangeServer:
    """What each path answers, one after the other; the last answer stays."""

    url: str = ""
    plays: dict[str, list[Play]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def play(self, path: str, *answers: Play) -> str:
        self.plays[path] = list(answers)
        return self.url + path

    def next(self, path: str) -> Play:
        answers = self.plays.get(path.split("?")[0], [Play(b"<html>Not Found</html>", 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def exchange_server(certificate: Path | None = None) -> Iterator[ExchangeServer]:
    """Serve until the end of the block.

    Args:
        certificate: a PEM file with key and certificate, to serve over TLS.
    """
    server = ExchangeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers)))
            play = server.next(self.path)
            threading.Event().wait(play.delay)
            content, status, headers = play.content, play.status, dict(play.headers)
            etag = headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                content, status = b"", 304
            begin = self.headers.get("Range")
            if begin and etag and self.headers.get("If-Range") == etag:
                content, status = content[int(begin[6:-1]) :], 206
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: play.sent])
            if play.sent is not None:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            http.socket = context.wrap_socket(http.socket, server_side=True)
        scheme = "https" if certificate else "http"
        server.url = f"{scheme}://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
