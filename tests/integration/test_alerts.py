"""Alerts of real runs, by the job itself, to a real HTTP and a real SMTP server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.home import PROJECT_ROOT, Home
from tests.cli_process import run_cli
from tests.conftest import copy_home
from tests.integration.test_runs import multiply_the_index
from tests.unit.alerts.examples import mail_yaml
from tests.unit.alerts.servers import Mails, Webhooks, serving

NIGHT = "2025-09-17"


def test_an_incomplete_night_and_a_withheld_one(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("CLOSING_BELL_UI_URL", "http://localhost:3000")
    home = copy_home(sample_home, tmp_path / "home")
    landing = home.landing
    with serving(Webhooks()) as webhooks, serving(Mails()) as mails:
        monkeypatch.setenv("HOOK", webhooks.url)
        (home.root / "alerts.yaml").write_text(
            "webhook: {url_from: HOOK}\n"
            + mail_yaml(
                mails.port,
                "encryption: none, kinds: [withheld], report_recipients: [analyst@example.org]",
            )
        )
        # One index is missing, one share as if suspended, and one file cannot be read.
        for path in ("wsj_index/HSI.csv", "eastmoney_a_share/600519.csv"):
            lines = (landing / path).read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if not line.startswith((NIGHT, "09/17/25"))]
            assert len(kept) == len(lines) - 1
            (landing / path).write_text("\n".join(kept) + "\n", encoding="utf-8")
        (landing / "wsj_index" / "NIKKEI.csv").write_text("Date, Open, High, Low, Close\n")
        done = run_cli(home, "nightly", NIGHT)
        assert done.returncode == 0, done.stderr
        said = (
            (
                "late",
                "2025-09-17 XHKG wsj_index: nothing that counts, due by 18:00; expected in "
                "landing/wsj_index/HSI.csv",
                "fetch the file (main.rejected_row lists its rejected rows), "
                "then `make nightly DATE=2025-09-17`",
            ),
            (
                "set_aside",
                "landing/wsj_index/NIKKEI.csv: symbol 'NIKKEI' is not a known index",
                "put a corrected file there under the same name; the next run reads it",
            ),
        )
        ((_, _, body),) = webhooks.posts
        for kind, what, to_do in said:
            assert any(
                problem["kind"] == kind
                and problem["what"].startswith(what)
                and problem["to_do"] == to_do
                for problem in body["problems"]
            ), body["problems"]
        assert body["see"].startswith("http://localhost:3000/runs/")
        # Of these, the market report alone is mailed.
        ((recipients, report),) = mails.mails
        assert recipients == ["analyst@example.org"]
        assert report["Subject"].endswith("(17 September 2025)")
        for part in ("plain", "html"):
            assert "+1.16 %" in report.get_body((part,)).get_content()
        mails.mails.clear()
        # The shell names the same two.
        for what in (said[0][1], "wsj_index/NIKKEI.csv"):
            assert what in done.stdout
        assert not any("600519" in problem["what"] for problem in body["problems"])

        again = run_cli(home, "nightly", NIGHT)
        assert "Nothing new" in again.stdout
        assert len(webhooks.posts) == 1

        # Withheld; the webhook is down meanwhile.
        webhooks.status = 500
        webhooks.posts.clear()
        shutil.copy(sample_home.landing / "wsj_index/HSI.csv", landing / "wsj_index/HSI.csv")
        multiply_the_index(landing)
        done = run_cli(home, "nightly", NIGHT)
        assert done.returncode == 1
        assert "answered 500" in done.stderr
        ((_, mail),) = mails.mails
        assert mail["Subject"] == "Closing Bell: release withheld"
        text = " ".join(mail.get_content().split())
        blocked = f"No release for {NIGHT}; {home.published} stays as it was. moves_implausible"
        assert blocked in text
        assert "http://localhost:3000/runs/" in text

        # The same night again: the mail is not repeated, and the webhook gets what it missed.
        webhooks.status = 200
        done = run_cli(home, "nightly", NIGHT)
        assert done.returncode == 1
        assert len(mails.mails) == 1
        assert [body["subject"] for _, _, body in webhooks.posts][-1:] == [
            "Closing Bell: release withheld"
        ]


def test_a_release_whose_report_fails_is_not_called_withheld(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    home = copy_home(sample_home, tmp_path / "home")
    in_the_way = home.reports / "2025-09-18"
    in_the_way.write_text("no folder")
    with serving(Webhooks()) as webhooks:
        (home.root / "alerts.yaml").write_text(f"webhook: {{url: '{webhooks.url}'}}")
        # As people run it: `make` has one exit status for all errors, but passes on what was said.
        done = subprocess.run(
            ["make", "-o", "install", "nightly", "DATE=2025-09-18", f"BIN={sys.prefix}/bin"],
            cwd=PROJECT_ROOT,
            env=os.environ | {"CLOSING_BELL_HOME": str(home.root)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr.rstrip().endswith("nightly] Error 3")
    assert f"cannot write into {in_the_way}" in done.stderr
    assert "Released, but the market report failed" in done.stderr
    assert "`make report DATE=2025-09-18`" in done.stderr
    assert "withheld" not in done.stderr
    assert "up to 2025-09-18" in done.stdout
    bodies = [body for _, _, body in webhooks.posts]
    (problem,) = (p for body in bodies for p in body["problems"] if p["kind"] == "report")
    assert problem["what"].startswith(
        f"Released, but the market report failed: ReportError: cannot write into {in_the_way}"
    )
    assert "withheld" not in {p["kind"] for body in bodies for p in body["problems"]}
    again = run_cli(home, "nightly", "2025-09-18")
    assert again.returncode == 3
    assert again.stdout.startswith("Nothing new")
    assert "Released, but the market report failed" in again.stderr


def test_the_daemon_sends_alerts_of_a_run_that_failed_before_its_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("CLOSING_BELL_HOME", str(tmp_path))
    monkeypatch.setenv("CLOSING_BELL_UI_URL", "http://localhost:3000")
    (tmp_path / "warehouse.lock").mkdir()
    from dagster_project.definitions import defs

    definitions = defs()
    with serving(Webhooks()) as webhooks, dg.DagsterInstance.ephemeral() as instance:
        (tmp_path / "alerts.yaml").write_text(f"webhook: {{url: '{webhooks.url}'}}")
        result = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance, partition_key=NIGHT, raise_on_error=False
        )
        assert not result.success
        assert webhooks.posts == []
        (event,) = (event for event in result.all_events if event.is_job_failure)
        with dg.build_run_status_sensor_context(
            "runs_that_never_began", event, instance, result.dagster_run
        ) as context:
            definitions.resolve_sensor_def("runs_that_never_began")(context.for_run_failure())
        ((_, _, body),) = webhooks.posts
    assert "No release; there is none yet. IsADirectoryError" in body["problems"][0]["what"]
    assert body["see"] == f"http://localhost:3000/runs/{result.run_id}"
