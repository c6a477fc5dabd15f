"""Every problem is logged by every run, and sent once to each channel."""

import smtplib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.alerts.findings import Found, Problem
from dagster_project.alerts.sending import mail_report, notify, send_test
from dagster_project.home import Home
from tests.unit.alerts.examples import (
    LATE,
    LOG,
    SET_ASIDE,
    WITHHELD,
    configured,
    critical,
    mail_yaml,
)
from tests.unit.alerts.servers import Mails, Webhooks


def test_without_a_file_everything_goes_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify(Home(tmp_path), {"withheld": [WITHHELD], "late": [LATE]}, LOG)
    notify(Home(tmp_path), {"withheld": [WITHHELD], "late": [LATE]}, LOG)
    # A log is read run by run, so each run logs all problems.
    assert [(record.levelname, record.message) for record in caplog.records] == 2 * [
        ("ERROR", "No release for 2025-09-17: units. To do: mend it"),
        ("WARNING", "2025-09-17 XHKG wsj_index: nothing came. To do: fetch it"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_problem_is_sent_once_and_again_when_it_returns(
    tmp_path: Path, webhooks: Webhooks
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    other = Problem("late", "2025-09-17 csindex", "nothing", "csindex: nothing came", "fetch it")
    runs: list[tuple[Found, list[str]]] = [
        ({"late": [LATE]}, [LATE.key]),
        ({"late": [LATE]}, []),
        ({"late": [LATE, other]}, [other.key]),
        ({"withheld": [WITHHELD]}, [WITHHELD.key]),  # did not look for late feeds
        ({"late": [other]}, []),
        ({"withheld": [], "late": [LATE, other]}, [LATE.key]),
        ({"withheld": [WITHHELD]}, [WITHHELD.key]),
    ]
    for found, new in runs:
        webhooks.posts.clear()
        notify(home, found, LOG)
        sent = [problem["key"] for _, _, body in webhooks.posts for problem in body["problems"]]
        assert sent == new, found


def test_a_problem_is_sent_again_when_it_changes_but_not_for_other_words(
    tmp_path: Path, webhooks: Webhooks
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    part = replace(LATE, state="part", what="2025-09-17 XHKG wsj_index: only a part came")
    for problem in (LATE, part, replace(part, what="said otherwise"), LATE):
        notify(home, {"late": [problem]}, LOG)
    sent = [problem["what"] for _, _, body in webhooks.posts for problem in body["problems"]]
    assert sent == [LATE.what, part.what, LATE.what]


def test_that_a_release_is_withheld_no_more_is_sent_once(
    tmp_path: Path, webhooks: Webhooks
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    next_night = replace(WITHHELD, key="2025-09-18")
    for withheld in ([WITHHELD], [next_night], [], []):
        notify(home, {"withheld": withheld, "late": [LATE]}, LOG)
    assert [(body["subject"], body["over"]) for _, _, body in webhooks.posts] == [
        ("Closing Bell: release withheld, feeds late (1)", []),
        ("Closing Bell: release withheld", []),
        ("Closing Bell: over: release withheld", ["withheld"]),
    ]
    assert "Release withheld: no more" in webhooks.posts[-1][2]["text"]
    webhooks.posts.clear()
    notify(home, {"late": []}, LOG)  # the session gave way to the next; its feed is late still
    assert webhooks.posts == []


def test_a_channel_gets_the_findings_of_its_checks(tmp_path: Path, webhooks: Webhooks) -> None:
    home = configured(
        tmp_path, f"webhook: {{url: '{webhooks.url}', checks: [sessions_quarantined]}}"
    )
    problems = [
        Problem("finding", f"2025-09-17 {check}", "R1", f"{check}: XSHG", "look", check)
        for check in ("feeds_disagree", "sessions_quarantined")
    ]
    notify(home, {"finding": problems, "late": [LATE]}, LOG)
    ((_, _, body),) = webhooks.posts
    assert [problem["check"] for problem in body["problems"]] == ["sessions_quarantined", None]
    assert body["subject"] == "Closing Bell: checks with findings (1), feeds late (1)"


def test_each_channel_gets_the_kinds_that_it_is_configured_for(
    tmp_path: Path, webhooks: Webhooks, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(
        tmp_path,
        f"log: {{kinds: [set_aside]}}\nwebhook: {{url: '{webhooks.url}', kinds: [late]}}\n"
        + mail_yaml(mails.port, "encryption: none, kinds: [withheld]"),
    )
    notify(home, {"withheld": [WITHHELD], "late": [LATE], "set_aside": [SET_ASIDE]}, LOG)
    assert [body["subject"] for _, _, body in webhooks.posts] == ["Closing Bell: feeds late (1)"]
    assert [mail["Subject"] for _, mail in mails.mails] == ["Closing Bell: release withheld"]
    assert [record.message for record in caplog.records] == [str(SET_ASIDE)]


def test_a_channel_that_fails_is_logged_and_tried_again_but_not_the_other(
    tmp_path: Path, webhooks: Webhooks, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}\n" + mail_yaml(mails.port))
    webhooks.status = 503
    notify(home, {"late": [LATE]}, LOG)
    assert len(mails.mails) == 1
    (said,) = critical(caplog)
    assert "webhook (alerts.yaml)" in said
    assert "answered 503" in said
    assert "correct the URL" in said
    webhooks.status = 200
    webhooks.posts.clear()
    caplog.clear()
    notify(home, {"late": [LATE]}, LOG)
    assert (len(webhooks.posts), len(mails.mails)) == (1, 1)
    assert critical(caplog) == []


def test_a_variable_that_is_not_set_is_reported_before_the_first_alert(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify(configured(tmp_path, "webhook: {url_from: NOT_SET_ANYWHERE}"), {"late": []}, LOG)
    assert "NOT_SET_ANYWHERE is not set; export it" in critical(caplog)[0]


def test_a_record_of_sent_alerts_that_cannot_be_read_is_reported(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    for text in ("{", "[]", '{"webhook": 3}'):
        (tmp_path / "alerts_sent.json").write_text(text)
        caplog.clear()
        notify(home, {"late": [LATE]}, LOG)
        assert "alerts_sent.json cannot be read" in critical(caplog)[0]
    assert len(webhooks.posts) == 3
    notify(home, {"late": [LATE]}, LOG)
    assert len(webhooks.posts) == 3


def test_a_record_of_sent_alerts_that_cannot_be_written_is_reported(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    (tmp_path / "alerts_sent.json.tmp").mkdir()
    notify(home, {"late": [LATE]}, LOG)
    assert len(webhooks.posts) == 1
    assert "alerts_sent.json cannot be written" in critical(caplog)[0]


def test_many_problems_are_counted_and_recorded(tmp_path: Path, webhooks: Webhooks) -> None:
    home = configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}")
    many = [
        Problem("set_aside", str(n), "empty", f"landing/f/{n}.csv: empty", "x") for n in range(500)
    ]
    notify(home, {"set_aside": many}, LOG)
    notify(home, {"set_aside": many}, LOG)
    ((_, _, body),) = webhooks.posts
    assert body["subject"] == "Closing Bell: files quarantined (500)"
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


@dataclass(frozen=True)
class Report:
    subject: str = "Hang Seng climbs"
    text: str = "It climbed.\n"
    html: str = "<p>It <b>climbed</b>.</p>\n"


REPORT_TO = "encryption: none, report_recipients: [analyst@example.org]"


def test_the_report_of_an_evening_is_mailed_once(tmp_path: Path, mails: Mails) -> None:
    home = configured(tmp_path, mail_yaml(mails.port, REPORT_TO))
    for day in (17, 17, 16, 18):  # the 16th was only written again
        mail_report(home, date(2025, 9, day), Report, LOG)
    assert [recipients for recipients, _ in mails.mails] == [["analyst@example.org"]] * 2
    _, mail = mails.mails[0]
    assert mail["Subject"] == Report().subject
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for part, content in zip(mail.iter_parts(), (Report().text, Report().html), strict=True):
        assert part.get_content().replace("\r\n", "\n") == content


def test_a_report_that_did_not_arrive_is_mailed_by_the_next_run(
    tmp_path: Path, mails: Mails, caplog: pytest.LogCaptureFixture
) -> None:
    home = configured(tmp_path, mail_yaml(1, REPORT_TO))
    mail_report(home, date(2025, 9, 17), Report, LOG)
    assert "does not arrive: localhost:1 cannot be reached" in critical(caplog)[0]
    configured(tmp_path, mail_yaml(mails.port, REPORT_TO))
    mail_report(home, date(2025, 9, 17), Report, LOG)
    assert len(mails.mails) == 1


def test_without_recipients_no_report_is_made(tmp_path: Path, mails: Mails) -> None:
    def never() -> Report:
        raise AssertionError

    for text in (mail_yaml(mails.port), "log: {kinds: [late]}"):
        mail_report(configured(tmp_path, text), date(2025, 9, 17), never, LOG)
    assert mails.mails == []


def test_an_unexpected_error_of_a_channel_does_not_stop_the_run(
    tmp_path: Path, mails: Mails, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(smtplib.SMTP, "send_message", broken)
    notify(configured(tmp_path, mail_yaml(mails.port)), {"late": [LATE]}, LOG)
    assert "do not arrive: RuntimeError" in critical(caplog)[0]
    assert "s3cret" not in caplog.text
