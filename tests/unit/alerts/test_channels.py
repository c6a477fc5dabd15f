"""The webhook and the mail, sent to real servers on this computer."""

import shutil
import socketserver
import subprocess
from pathlib import Path

import pytest

from dagster_project.alerts.findings import Problem
from dagster_project.alerts.sending import notify
from tests.unit.alerts.examples import (
    LATE,
    LOG,
    SET_ASIDE,
    WITHHELD,
    configured,
    critical,
    mail_yaml,
)
from tests.unit.alerts.servers import Mails, Webhooks, serving


def test_a_webhook_gets_json_with_what_where_and_what_to_do(
    tmp_path: Path, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", webhooks.url)
    monkeypatch.setenv("TOKEN", "sesame")
    home = configured(tmp_path, "webhook: {url_from: HOOK, token_from: TOKEN}")
    notify(home, {"late": [LATE], "set_aside": [SET_ASIDE]}, LOG, "http://localhost:3000/runs/1")
    ((path, headers, body),) = webhooks.posts
    assert path == "/hook"
    assert headers["Authorization"] == "Bearer sesame"
    assert body["subject"] == "Closing Bell: feeds late (1), files quarantined (1)"
    assert body["problems"][1] == {
        "kind": "set_aside",
        "key": "f/a.csv",
        "state": "is a web page",
        "check": None,
        "what": "landing/f/a.csv: line 1: is a web page",
        "to_do": "replace it",
    }
    assert body["see"] == "http://localhost:3000/runs/1"
    for said in (str(LATE), str(SET_ASIDE), "See http://localhost:3000/runs/1"):
        assert said in body["text"]


def test_a_mail_reaches_every_recipient(tmp_path: Path, mails: Mails) -> None:
    notify(configured(tmp_path, mail_yaml(mails.port)), {"withheld": [WITHHELD]}, LOG)
    ((recipients, mail),) = mails.mails
    assert recipients == ["desk@example.org", "ops@example.org"]
    assert mail["From"] == "bell@example.org"
    assert mail["Subject"] == "Closing Bell: release withheld"
    assert str(WITHHELD) in mail.get_content()


def test_a_server_that_does_not_answer_times_out(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks.is_silent.set()
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}', timeout_seconds: 0.2}}")
    notify(home, {"late": [LATE]}, LOG)
    assert "timed out" in critical(caplog)[0]


def test_a_redirection_is_not_taken_for_a_delivery(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks.status = 302
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    notify(home, {"late": [LATE]}, LOG)
    assert "answered 302" in critical(caplog)[0]
    assert len(webhooks.posts) == 1


def test_an_address_where_nothing_listens_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as closed:
        port = closed.server_address[1]
    home = configured(tmp_path, f"webhook: {{url: 'http://127.0.0.1:{port}/'}}\n" + mail_yaml(port))
    notify(home, {"late": [LATE]}, LOG)
    assert [("cannot be reached" in said) for said in critical(caplog)] == [True, True]


def test_a_rejected_recipient_is_named_and_the_others_have_the_mail(
    tmp_path: Path, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, mail_yaml(mails.port))
    mails.rejected = {"ops@example.org"}
    notify(home, {"late": [LATE]}, LOG)
    assert [recipients for recipients, _ in mails.mails] == [["desk@example.org"]]
    assert "rejects ops@example.org" in critical(caplog)[0]
    mails.rejected = {"ops@example.org", "desk@example.org"}
    caplog.clear()
    notify(home, {"late": [LATE, SET_ASIDE]}, LOG)
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
        notify(home, {"late": [LATE]}, LOG)
        assert "CERTIFICATE_VERIFY_FAILED" in critical(caplog)[0]
        assert server.logins == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        notify(home, {"late": [LATE]}, LOG)
        assert len(server.mails) == 1

        monkeypatch.setenv("PASSWORD", "guess-me")
        caplog.clear()
        notify(home, {"late": [SET_ASIDE]}, LOG)
        assert "rejects the login of ops" in critical(caplog)[0]
        assert "PASSWORD" in critical(caplog)[0]
        assert "guess-me" not in caplog.text


def test_without_starttls_no_mail_is_sent_in_the_clear(
    tmp_path: Path, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, mail_yaml(mails.port, "encryption: starttls"))
    notify(home, {"late": [LATE]}, LOG)
    assert mails.mails == []
    assert "STARTTLS" in critical(caplog)[0]


def test_a_secret_url_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, "webhook: {url_from: HOOK, timeout_seconds: 0.5}")
    for url in ("hooks.example.org/s3cret", "http://127.0.0.1:1/s3cret", "http://h/ s3cret\n"):
        monkeypatch.setenv("HOOK", url)
        caplog.clear()
        notify(home, {"late": [LATE]}, LOG)
        assert len(critical(caplog)) == 1
        assert "HOOK" in caplog.text
        assert "s3cret" not in caplog.text


def test_hostile_names_stay_text_on_one_line(tmp_path: Path, mails: Mails) -> None:
    name = "a\nBcc: all@example.org\r\n\x1b[2J\udcff\u202e.csv"
    problem = Problem("set_aside", name, "is empty", f"landing/f/{name}: is empty", "replace it")
    notify(configured(tmp_path, mail_yaml(mails.port)), {"set_aside": [problem]}, LOG)
    ((recipients, mail),) = mails.mails
    assert recipients == ["desk@example.org", "ops@example.org"]
    assert mail["Bcc"] is None
    (line,) = [line for line in mail.get_content().splitlines() if "a Bcc:" in line]
    assert line.isprintable()
