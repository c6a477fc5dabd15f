"""Problems and settings that the tests of alerts share."""

import logging
from pathlib import Path

import pytest

from dagster_project.alerts.findings import Problem
from dagster_project.home import Home

LOG = logging.getLogger("test_alerts")


LATE = Problem(
    "late", "2025-09-17 XHKG", "nothing", "2025-09-17 XHKG wsj_index: nothing came", "fetch it"
)


SET_ASIDE = Problem(
    "set_aside", "f/a.csv", "is a web page", "landing/f/a.csv: line 1: is a web page", "replace it"
)


WITHHELD = Problem(
    "withheld", "2025-09-17", "units HSI", "No release for 2025-09-17: units", "mend it"
)


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
