"""`$CLOSING_BELL_HOME/alerts.yaml`: which channels there are, and the kinds each of them gets.

Belongs here: reading and validating that file. Does not belong here: what a channel needs
(`channels.py`).
"""

from dagster_project.alerts.channels import Channel, Email, StrictModel, Webhook
from dagster_project.alerts.findings import KINDS, Kind
from dagster_project.config_files import read_yaml
from dagster_project.home import Home

EXAMPLE = """\
webhook:
  url_from: CLOSING_BELL_WEBHOOK     # an environment variable; or url: https://…
  kinds: [withheld, late]            # all of them where left out: withheld, late, set_aside, report
email:
  host: smtp.example.org
  user: closing-bell
  password_from: CLOSING_BELL_SMTP_PASSWORD
  sender: closing-bell@example.org
  recipients: [desk@example.org]
"""


class AlertsError(ValueError):
    """An `alerts.yaml` that cannot be used; the message names file, line and remedy."""


class _Log(StrictModel):
    kinds: tuple[Kind, ...] = KINDS


class Alerts(StrictModel):
    """What `alerts.yaml` says; without it, all kinds go to the log."""

    log: _Log = _Log()
    webhook: Webhook | None = None
    email: Email | None = None

    @property
    def channels(self) -> dict[str, Channel]:
        named = {"webhook": self.webhook, "email": self.email}
        return {name: channel for name, channel in named.items() if channel}


def load_alerts(home: Home) -> Alerts:
    """Read `alerts.yaml`; everything to the log where there is none.

    Raises:
        AlertsError: not YAML, or not as `Alerts` describes it; one line a mistake.
    """
    path = home.root / "alerts.yaml"
    if not path.exists():
        return Alerts()
    return read_yaml(
        path,
        Alerts,
        AlertsError,
        otherwise=f"names no channel; it looks like this:\n{EXAMPLE}",
        unknown_key="is not a key of alerts.yaml; a typo? Secrets stay in the environment",
    )
