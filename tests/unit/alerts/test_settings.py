"""`alerts.yaml`: every mistake is named with its line and its remedy."""

from pathlib import Path

import pytest

from dagster_project.alerts import settings
from dagster_project.alerts.sending import notify
from dagster_project.alerts.settings import AlertsError, load_settings
from tests.unit.alerts.examples import LATE, LOG, configured, critical


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("webhook:\n  url: https://x.org/\n  knds: [late]\n", ":3: webhook.knds: is not a key"),
        ("webhook:\n  kinds: [late]\n", ":1: webhook: give either `url: https://…`"),
        ("webhook:\n  kinds: [late, soon]\n  url: https://x.org/\n", ":2: webhook.kinds.1: "),
        ("webhook:\n  url: https://x.org/\n  checks: [moves]\n", ":3: webhook.checks: no check is"),
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
        ("webhook: {url: https://x.org/}\nwebhook: {}\n", ":2: webhook: is here a second time"),
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
        load_settings(home)
    assert f"{tmp_path / 'alerts.yaml'}{said}" in str(error.value)
    # A run goes on, and says so.
    notify(home, {"late": [LATE]}, LOG)
    assert said in critical(caplog)[0]
    assert caplog.records[-1].message == str(LATE)


def test_the_example_is_right(tmp_path: Path) -> None:
    assert set(load_settings(configured(tmp_path, settings.EXAMPLE)).channels) == {
        "webhook",
        "email",
    }
