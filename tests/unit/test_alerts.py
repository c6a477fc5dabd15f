"""Alerts, sent to a real HTTP server and a real SMTP server on this computer."""

import json
import logging
import shutil
import smtplib
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dagster_project import alerts
from dagster_project.alerts import AlertsError, Found, Problem, load_alerts, send_test, tell
from dagster_project.home import Home
from dagster_project.market.calendar import HONG_KONG
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.raw_tables import create_tables

LOG = logging.getLogger("test_alerts")

LATE = Problem("late", "2025-09-17 XHKG", "2025-09-17 XHKG wsj_index: nothing came", "fetch it")
SET_ASIDE = Problem("set_aside", "a.csv 1", "landing/f/a.csv: line 1: is a web page", "replace it")
WITHHELD = Problem("withheld", "2025-09-17 units", "No release for 2025-09-17: units", "mend it")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


class Webhooks(ThreadingHTTPServer):
    """Keeps what is posted; answers with `status`, or not at all while `is_silent`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.posts: list[tuple[str, dict[str, str], dict[str, Any]]] = []
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
        raise AssertionError("a POST became a GET")

    def log_message(self, *_: Any) -> None:
        pass


class Mails(socketserver.ThreadingTCPServer):
    """An SMTP server: keeps what is sent, refuses addresses of `refused`; STARTTLS with a key."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.logins: list[str] = []
        self.refused: set[str] = set()
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
                    if address in self.server.refused:
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


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    with serving(Webhooks()) as server:
        yield server


@pytest.fixture
def mails() -> Iterator[Mails]:
    with serving(Mails()) as server:
        yield server


def configured(folder: Path, text: str) -> Home:
    (folder / "alerts.yaml").write_text(text, encoding="utf-8")
    return Home(folder)


def mail_yaml(port: int, more: str = "encryption: none") -> str:
    return (
        f"email: {{host: localhost, port: {port}, sender: bell@example.org, "
        f"recipients: [desk@example.org, ops@example.org], {more}}}\n"
    )


def critical(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.CRITICAL]


def test_without_a_file_everything_goes_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell(Home(tmp_path), {"withheld": [WITHHELD], "late": [LATE]}, LOG)
    tell(Home(tmp_path), {"withheld": [WITHHELD], "late": [LATE]}, LOG)
    # A log is read run by run: each says all there is.
    assert [(record.levelname, record.message) for record in caplog.records] == 2 * [
        ("ERROR", "No release for 2025-09-17: units. To do: mend it"),
        ("WARNING", "2025-09-17 XHKG wsj_index: nothing came. To do: fetch it"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_webhook_gets_json_with_what_where_and_what_to_do(
    tmp_path: Path, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", webhooks.url)
    monkeypatch.setenv("TOKEN", "sesame")
    home = configured(tmp_path, "webhook: {url_from: HOOK, token_from: TOKEN}")
    tell(home, {"late": [LATE], "set_aside": [SET_ASIDE]}, LOG, "http://localhost:3000/runs/1")
    ((path, headers, body),) = webhooks.posts
    assert path == "/hook"
    assert headers["Authorization"] == "Bearer sesame"
    assert body["subject"] == "Closing Bell: feeds late (1), files set aside (1)"
    assert body["problems"][1] == {
        "kind": "set_aside",
        "key": "a.csv 1",
        "what": "landing/f/a.csv: line 1: is a web page",
        "to_do": "replace it",
    }
    assert body["see"] == "http://localhost:3000/runs/1"
    for said in (str(LATE), str(SET_ASIDE), "See http://localhost:3000/runs/1"):
        assert said in body["text"]


def test_a_mail_reaches_every_recipient(tmp_path: Path, mails: Mails) -> None:
    tell(configured(tmp_path, mail_yaml(mails.port)), {"withheld": [WITHHELD]}, LOG)
    ((recipients, mail),) = mails.mails
    assert recipients == ["desk@example.org", "ops@example.org"]
    assert mail["From"] == "bell@example.org"
    assert mail["Subject"] == "Closing Bell: release withheld"
    assert str(WITHHELD) in mail.get_content()


def test_a_problem_is_sent_once_and_again_when_it_returns(
    tmp_path: Path, webhooks: Webhooks
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    other = Problem("late", "2025-09-17 XSHG", "2025-09-17 XSHG csindex: nothing came", "fetch it")
    runs: list[tuple[Found, list[str]]] = [
        ({"late": [LATE]}, [LATE.key]),
        ({"late": [LATE]}, []),
        ({"late": [LATE, other]}, [other.key]),
        ({"withheld": [WITHHELD]}, [WITHHELD.key]),  # says nothing of what is late
        ({"withheld": [], "late": [other]}, []),
        ({"withheld": [], "late": [LATE, other]}, [LATE.key]),
        ({"withheld": [WITHHELD]}, [WITHHELD.key]),
    ]
    for found, new in runs:
        webhooks.posts.clear()
        tell(home, found, LOG)
        sent = [problem["key"] for _, _, body in webhooks.posts for problem in body["problems"]]
        assert sent == new, found


def test_each_channel_gets_the_kinds_it_asks_for(
    tmp_path: Path, webhooks: Webhooks, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(
        tmp_path,
        f"log: {{kinds: [set_aside]}}\nwebhook: {{url: '{webhooks.url}', kinds: [late]}}\n"
        + mail_yaml(mails.port, "encryption: none, kinds: [withheld]"),
    )
    tell(home, {"withheld": [WITHHELD], "late": [LATE], "set_aside": [SET_ASIDE]}, LOG)
    assert [body["subject"] for _, _, body in webhooks.posts] == ["Closing Bell: feeds late (1)"]
    assert [mail["Subject"] for _, mail in mails.mails] == ["Closing Bell: release withheld"]
    assert [record.message for record in caplog.records] == [str(SET_ASIDE)]


def test_a_channel_that_fails_is_told_and_tried_again_and_the_other_is_not(
    tmp_path: Path, webhooks: Webhooks, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}\n" + mail_yaml(mails.port))
    webhooks.status = 503
    tell(home, {"late": [LATE]}, LOG)
    assert len(mails.mails) == 1
    (said,) = critical(caplog)
    assert "webhook (alerts.yaml)" in said
    assert "answered 503" in said
    assert "correct the URL" in said
    webhooks.status = 200
    webhooks.posts.clear()
    caplog.clear()
    tell(home, {"late": [LATE]}, LOG)
    assert (len(webhooks.posts), len(mails.mails)) == (1, 1)
    assert critical(caplog) == []


def test_a_server_that_does_not_answer_is_given_up(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks.is_silent.set()
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}', timeout_seconds: 0.2}}")
    tell(home, {"late": [LATE]}, LOG)
    assert "timed out" in critical(caplog)[0]


def test_a_redirection_is_not_taken_for_a_delivery(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks.status = 302
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    tell(home, {"late": [LATE]}, LOG)
    assert "answered 302" in critical(caplog)[0]
    assert len(webhooks.posts) == 1


def test_nobody_listens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as closed:
        port = closed.server_address[1]
    home = configured(tmp_path, f"webhook: {{url: 'http://127.0.0.1:{port}/'}}\n" + mail_yaml(port))
    tell(home, {"late": [LATE]}, LOG)
    assert [("cannot be reached" in said) for said in critical(caplog)] == [True, True]


def test_a_refused_recipient_is_named_and_the_others_have_the_mail(
    tmp_path: Path, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, mail_yaml(mails.port))
    mails.refused = {"ops@example.org"}
    tell(home, {"late": [LATE]}, LOG)
    assert [recipients for recipients, _ in mails.mails] == [["desk@example.org"]]
    assert "refuses ops@example.org" in critical(caplog)[0]
    mails.refused = {"ops@example.org", "desk@example.org"}
    caplog.clear()
    tell(home, {"late": [LATE, SET_ASIDE]}, LOG)
    assert "did not take the mail" in critical(caplog)[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, and a certificate for localhost that it has signed itself."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return both


def test_a_login_goes_over_starttls_only_to_a_server_that_is_trusted(
    tmp_path: Path,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PASSWORD", "sesame")
    with serving(Mails(certificate)) as server:
        home = configured(tmp_path, mail_yaml(server.port, "user: ops, password_from: PASSWORD"))
        tell(home, {"late": [LATE]}, LOG)
        assert "CERTIFICATE_VERIFY_FAILED" in critical(caplog)[0]
        assert server.logins == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        tell(home, {"late": [LATE]}, LOG)
        assert len(server.mails) == 1

        monkeypatch.setenv("PASSWORD", "guess-me")
        caplog.clear()
        tell(home, {"late": [SET_ASIDE]}, LOG)
        assert "refuses the login of ops" in critical(caplog)[0]
        assert "PASSWORD" in critical(caplog)[0]
        assert "guess-me" not in caplog.text


def test_without_starttls_no_mail_is_sent_in_the_clear(
    tmp_path: Path, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, mail_yaml(mails.port, "encryption: starttls"))
    tell(home, {"late": [LATE]}, LOG)
    assert mails.mails == []
    assert "STARTTLS" in critical(caplog)[0]


def test_a_variable_that_is_not_set_is_told_before_the_bad_night(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell(configured(tmp_path, "webhook: {url_from: NOT_SET_ANYWHERE}"), {"late": []}, LOG)
    assert "NOT_SET_ANYWHERE is not set; export it" in critical(caplog)[0]


def test_a_secret_url_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, "webhook: {url_from: HOOK, timeout_seconds: 0.5}")
    for url in ("hooks.example.org/s3cret", "http://127.0.0.1:1/s3cret", "http://h/ s3cret\n"):
        monkeypatch.setenv("HOOK", url)
        caplog.clear()
        tell(home, {"late": [LATE]}, LOG)
        assert len(critical(caplog)) == 1
        assert "HOOK" in caplog.text
        assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("webhook:\n  url: https://x.org/\n  knds: [late]\n", ":3: webhook.knds: is not a key"),
        ("webhook:\n  kinds: [late]\n", ":1: webhook: give either `url: https://…`"),
        ("webhook:\n  kinds: [late, soon]\n  url: https://x.org/\n", ":2: webhook.kinds.1: "),
        ("webhook:\n  url: x.org/hook\n", ":2: webhook.url: is no URL; write https://…"),
        ("webhook:\n  url: https://me:pw@x.org/\n", ":2: webhook.url: holds a user or password"),
        ("email:\n  host: h\n  sender: bell\n  recipients: [a@b.c]\n", ":3: email.sender: "),
        (
            "email:\n  host: h\n  sender: a@b.c\n  recipients: [a@b.c]\n  password: x\n",
            ":5: email.password: is not a key of alerts.yaml; a typo? Secrets stay in the",
        ),
        (
            "email:\n  host: h\n  sender: a@b.c\n  recipients: [a@b.c]\n  user: me\n",
            ":1: email: `user` and `password_from`",
        ),
        (
            "email: {host: h, sender: a@b.c, recipients: [a@b.c], user: me, password_from: X, "
            "encryption: none}",
            ":1: email: a password goes only over encryption",
        ),
        ("webhook: {url: https://x.org/}\nwebhook: {}\n", ":2: webhook: stands here a second time"),
        ("webhook: [\n", ":2: is not YAML"),
        ("- late\n", ":1: names no channel; it looks like this"),
        ("", ":1: names no channel; it looks like this"),
    ],
)
def test_mistakes_are_named_with_file_line_and_remedy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    home = configured(tmp_path, text)
    with pytest.raises(AlertsError) as error:
        load_alerts(home)
    assert f"{tmp_path / 'alerts.yaml'}{said}" in str(error.value)
    # A run goes on, and says so.
    tell(home, {"late": [LATE]}, LOG)
    assert said in critical(caplog)[0]
    assert caplog.records[-1].message == str(LATE)


def test_the_example_is_right(tmp_path: Path) -> None:
    assert set(load_alerts(configured(tmp_path, alerts.EXAMPLE)).channels) == {"webhook", "email"}


def test_what_was_sent_and_cannot_be_read_is_told(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    for text in ("{", "[]", '{"webhook": 3}'):
        (tmp_path / "alerts_sent.json").write_text(text)
        caplog.clear()
        tell(home, {"late": [LATE]}, LOG)
        assert "alerts_sent.json cannot be read" in critical(caplog)[0]
    assert len(webhooks.posts) == 3
    tell(home, {"late": [LATE]}, LOG)
    assert len(webhooks.posts) == 3


def test_what_was_sent_and_cannot_be_written_is_told(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    (tmp_path / "alerts_sent.json.tmp").mkdir()
    tell(home, {"late": [LATE]}, LOG)
    assert len(webhooks.posts) == 1
    assert "alerts_sent.json cannot be written" in critical(caplog)[0]


def test_hostile_names_stay_text_on_one_line(tmp_path: Path, mails: Mails) -> None:
    name = "a\nBcc: all@example.org\r\n\x1b[2J\udcff\u202e.csv"
    problem = Problem("set_aside", name, f"landing/f/{name}: is empty", "replace it")
    tell(configured(tmp_path, mail_yaml(mails.port)), {"set_aside": [problem]}, LOG)
    ((recipients, mail),) = mails.mails
    assert recipients == ["desk@example.org", "ops@example.org"]
    assert mail["Bcc"] is None
    (line,) = [line for line in mail.get_content().splitlines() if "a Bcc:" in line]
    assert line.isprintable()


def test_many_problems_are_counted_and_remembered(tmp_path: Path, webhooks: Webhooks) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    many = [Problem("set_aside", str(n), f"landing/f/{n}.csv: empty", "x") for n in range(500)]
    tell(home, {"set_aside": many}, LOG)
    tell(home, {"set_aside": many}, LOG)
    ((_, _, body),) = webhooks.posts
    assert body["subject"] == "Closing Bell: files set aside (500)"
    assert "and 480 more" in body["text"]
    assert len(body["problems"]) == 500


def test_a_test_message_says_which_channel_works(
    tmp_path: Path, webhooks: Webhooks, mails: Mails
) -> None:
    webhooks.status = 404
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}\n" + mail_yaml(mails.port))
    results = send_test(home)
    assert "answered 404" in str(results["webhook"])
    assert results["email"] is None
    assert mails.mails[0][1]["Subject"] == "Closing Bell: a test of this channel; nothing is wrong"
    assert not (tmp_path / "alerts_sent.json").exists()


def test_an_unforeseen_error_of_a_channel_stops_nothing(
    tmp_path: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(smtplib.SMTP, "send_message", broken)
    tell(configured(tmp_path, mail_yaml(mails.port)), {"late": [LATE]}, LOG)
    assert "do not arrive: RuntimeError" in critical(caplog)[0]
    assert "s3cret" not in caplog.text


@pytest.fixture
def published(tmp_path: Path) -> Home:
    """A release of which a daily and a historical feed lack something, and a file is set aside."""
    home = Home(tmp_path)
    home.published.parent.mkdir()
    with connect(home.published) as con:
        create_tables(con)
        con.execute("""
            insert into raw.asked_dates values ('2025-09-01', '2025-09-17');
            insert into raw.feed by name
            select unnest(['tushare_daily', 'wsj_index']) as feed, '18:00' as due_by;
            create table main.session_coverage as from (values
                ('2025-09-16'::date, 'XHKG', 'wsj_index', 0, 1, 'HSI', 'missing'),
                ('2025-09-17'::date, 'XHKG', 'wsj_index', 0, 1, 'HSI', 'missing'),
                ('2025-09-17'::date, 'XSHE', 'tushare_daily', 7, 3, '000001.SZ', 'partial'),
                ('2025-09-17'::date, 'XSHG', 'tushare_daily', 9, 0, null, 'complete')
            ) as coverage (trade_date, market, feed, received_symbols, missing_symbols,
                first_missing_symbol, status);
            insert into raw.file by name
            select 1 as file_id, 'wsj_index/HSI.csv' as path, 'loaded' as status, null as reason
            union all select 2, 'csindex/a.json', 'loaded', null
            union all select 3, 'csindex/a.json', 'set_aside', 'line 1: is a web page'
            union all select 4, 'csindex/b.json', 'set_aside', 'is empty';
            insert into raw.index_close by name
            select 'wsj_index' as feed, 'HSI' as symbol, '2025-09-15'::date as trade_date,
                1 as file_id""")
    return home


def test_late_feeds_and_files_set_aside_are_named_with_file_and_remedy(published: Home) -> None:
    found = alerts.after_release(published, datetime(2025, 9, 17, 18, 30, tzinfo=HONG_KONG))
    assert [str(problem) for problem in (*found["late"], *found["set_aside"])] == [
        "2025-09-17 XHKG wsj_index: nothing that counts, due by 18:00; expected in "
        "landing/wsj_index/HSI.csv. To do: fetch the file (main.rejected_row has what was refused "
        "of it), then `make nightly DATE=2025-09-17`",
        "2025-09-17 XSHE tushare_daily: only a part came; 000001.SZ and 2 more are missing from "
        "landing/tushare_daily/20250917.csv. To do: fetch the file again, it may be cut short, "
        "then `make nightly DATE=2025-09-17`",
        "landing/csindex/a.json: line 1: is a web page; its earlier rows stay. To do: put a "
        "corrected file there under the same name; the next run reads it",
        "landing/csindex/b.json: is empty. To do: put a corrected file there under the same name; "
        "the next run reads it",
    ]
    assert found["withheld"] == []


def test_a_feed_is_not_late_before_it_is_due(published: Home) -> None:
    for moment, late in (
        (datetime(2025, 9, 17, 17, 59, tzinfo=HONG_KONG), 0),
        (datetime(2025, 9, 17, 18, 0, tzinfo=HONG_KONG), 2),
        (datetime(2025, 9, 18, 9, 0, tzinfo=HONG_KONG), 2),
    ):
        assert len(alerts.after_release(published, moment)["late"]) == late


def test_a_warehouse_that_cannot_be_read_is_no_reason_for_silence(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (problem,) = alerts.after_failure(home, "ingest: the disk is full.")["withheld"]
    assert problem.what == "No release; there is none yet. ingest: the disk is full"
    home.warehouse.write_bytes(b"no database")
    (problem,) = alerts.after_failure(home, None)["withheld"]
    assert "the warehouse cannot be read" in problem.what
