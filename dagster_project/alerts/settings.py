"""`config/alerts.yaml` of the home: which channels there are, and which kinds each gets.

Belongs here: reading and validating that file. Does not belong here: the settings of one channel
(`channels.py`).
"""

from dagster_project.alerts.channels import Channel, Email, Heartbeat, StrictModel, Webhook
from dagster_project.alerts.findings import KINDS, Kind
from dagster_project.config_files import read_yaml
from dagster_project.home import Home

EXAMPLE = """\
webhook:
  url_from: CLOSING_BELL_WEBHOOK     # an environment variable; or url: https://…
  kinds: [withheld, late]            # default: withheld, finding, late, set_aside, report
email:
  host: smtp.example.org
  user: closing-bell
  password_from: CLOSING_BELL_SMTP_PASSWORD
  sender: closing-bell@example.org
  recipients: [desk@example.org]
  report_recipients: [analysts@example.org]   # the market report of each evening
heartbeat:                           # called after each run that ends well, by GET
  url_from: CLOSING_BELL_HEARTBEAT   # the service alerts you when it is not called for a day
"""


class AlertsError(ValueError):
    """An `alerts.yaml` that cannot be used; the message names file, line and remedy."""


class _Log(StrictModel):
    kinds: tuple[Kind, ...] = KINDS


class AlertSettings(StrictModel):
    """The content of `alerts.yaml`; by default all kinds go to the log, and nothing is sent."""

    log: _Log = _Log()
    webhook: Webhook | None = None
    email: Email | None = None
    heartbeat: Heartbeat | None = None

    @property
    def channels(self) -> dict[str, Channel]:
        named = {"webhook": self.webhook, "email": self.email}
        return {name: channel for name, channel in named.items() if channel}


def load_settings(home: Home) -> AlertSettings:
    """Read `alerts.yaml`; the defaults if there is no such file.

    Raises:
        AlertsError: it is not YAML, or not as `AlertSettings` describes it; one line per mistake.
    """
    # Versions before this one had it beside the folder.
    places = home.config / "alerts.yaml", home.root / "alerts.yaml"
    path = next((path for path in places if path.exists()), None)
    if path is None:
        return AlertSettings()
    return read_yaml(
        path,
        AlertSettings,
        AlertsError,
        otherwise=f"names no channel; it looks like this:\n{EXAMPLE}",
        unknown_key="is not a key of alerts.yaml; a typo? Secrets stay in the environment",
    )
