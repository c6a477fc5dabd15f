"""The two servers, for as long as a test runs."""

from collections.abc import Iterator

import pytest

from tests.unit.alerts.servers import Mails, Webhooks, serving


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    with serving(Webhooks()) as server:
        yield server


@pytest.fixture
def mails() -> Iterator[Mails]:
    with serving(Mails()) as server:
        yield server
