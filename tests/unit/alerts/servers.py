"""An HTTP server and an SMTP server on this computer, which keep what they are sent."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Webhooks(ThreadingHTTPServer):
    """Keeps what is posted, and how often `beat` was called; answers with `status`, or not at all
    while `is_silent`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.posts: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.beats = 0
        self.beat = f"http://127.0.0.1:{self.server_port}/beat"
        self.status = 200
        self.is_silent = threading.Event()
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class _Post(BaseHTTPRequestHandler):
    server: Webhooks

    def do_POST(self) -> None:
        if self.server.is_silent.is_set():
            self.server.closing.wait(30)
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()

    def do_GET(self) -> None:
        assert self.path == "/beat", "a POST became a GET"
        self.server.beats += 1
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Mails(socketserver.ThreadingTCPServer):
    """An SMTP server: keeps what is sent, rejects addresses of `rejected`; STARTTLS with a key."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[str] = []
        self.rejected: set[str] = set()
        self.port = self.server_address[1]
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)


class _Session(socketserver.StreamRequestHandler):
    server: Mails

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()

    def handle(self) -> None:
        is_safe, recipients = False, list[str]()
        self.say("220 local ESMTP")
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            match command.upper():
                case "EHLO":
                    offered = "AUTH PLAIN" if is_safe else "STARTTLS" if self.server.context else ""
                    self.say(*(["250-local", f"250 {offered}"] if offered else ["250 local"]))
                case "STARTTLS" if self.server.context:
                    self.say("220 go on")
                    try:
                        self.request = self.server.context.wrap_socket(
                            self.request, server_side=True
                        )
                    except ssl.SSLError:
                        return  # the client does not trust the certificate
                    self.setup()
                    is_safe = True
                case "AUTH":
                    self.server.logins.append(rest)
                    self.say("235 welcome" if "AG9wcwBzZXNhbWU=" in rest else "535 wrong password")
                case "MAIL":
                    recipients = []
                    self.say("250 ok")
                case "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    if address in self.server.rejected:
                        self.say("550 nobody here")
                    else:
                        recipients.append(address)
                        self.say("250 ok")
                case "DATA":
                    self.say("354 go on")
                    content = b""
                    while (text := self.rfile.readline()) != b".\r\n":
                        content += text.removeprefix(b".") if text.startswith(b"..") else text
                    mail = message_from_bytes(content, policy=policy.default)
                    self.server.mails.append((recipients, mail))
                    self.say("250 ok")
                case "QUIT":
                    self.say("221 bye")
                    return
                case "RSET":
                    self.say("250 ok")
                case _:
                    self.say("502 unknown")


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        if isinstance(server, Webhooks):
            server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
