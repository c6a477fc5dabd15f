"""The heartbeat: a service is called after each run that ends well, and alerts when none comes."""

from pathlib import Path

import pytest

from dagster_project.alerts.sending import beat, send_test
from tests.unit.alerts.examples import LOG, configured, critical
from tests.unit.alerts.servers import Webhooks


def test_the_service_is_called(
    tmp_path: Path, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAT", webhooks.beat)
    home = configured(tmp_path, "heartbeat: {url_from: BEAT}")
    beat(home, LOG)
    assert webhooks.beats == 1
    assert send_test(home) == {"heartbeat": None}
    assert webhooks.beats == 2
    assert webhooks.posts == []


def test_without_a_heartbeat_nothing_is_called(tmp_path: Path, webhooks: Webhooks) -> None:
    beat(configured(tmp_path, f"webhook: {{url: '{webhooks.url}'}}"), LOG)
    assert (webhooks.beats, webhooks.posts) == (0, [])


def test_a_service_that_refuses_costs_no_release(
    tmp_path: Path, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    webhooks.status = 404
    home = configured(tmp_path, f"heartbeat: {{url: '{webhooks.beat}'}}")
    beat(home, LOG)
    (said,) = critical(caplog)
    assert "The heartbeat (alerts.yaml) does not arrive" in said
    assert "answered 404" in said
