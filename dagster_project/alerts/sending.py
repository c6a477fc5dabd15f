"""Sending alerts: every run logs all problems, and each channel gets each problem once.

Belongs here: what was sent already. Does not belong here: which problems there are
(`findings.py`), how a channel sends (`channels.py`), Dagster (`defs/automation.py`).

`alerts_sent.json` beside `alerts.yaml` remembers what every channel was sent and forgets a problem
when it is gone, so one that returns is sent again. What a channel did not take is not remembered,
so the next run tries again.
"""

import json
import logging

from dagster_project.alerts.channels import Channel, NotDelivered
from dagster_project.alerts.findings import Found, Kind
from dagster_project.alerts.message import Message, compose
from dagster_project.alerts.settings import Alerts, AlertsError, load_alerts
from dagster_project.home import Home


def tell(home: Home, found: Found, log: logging.Logger, see: str | None = None) -> None:
    """Log what was found, and send each channel what is new to it. Never raises for a channel.

    Args:
        found: the problems there are now; of kinds it does not hold, nothing is known.
        log: a channel that fails is logged as critical, with what to do.
        see: where to look further, e.g. the run in the UI.
    """
    alerts = Alerts()
    try:
        alerts = load_alerts(home)
    except AlertsError as error:
        log.critical(f"Alerts go to the log only: {error}")
    for kind, problems in found.items():
        if kind in alerts.log.kinds:
            for problem in problems:
                (log.error if kind in ("withheld", "report") else log.warning)(str(problem))
    sent = _Sent(home, log)
    for name, channel in alerts.channels.items():
        wanted = {kind: found[kind] for kind in found if kind in channel.kinds}
        new = [
            problem
            for problems in wanted.values()
            for problem in problems
            if problem.key not in sent.of(name, problem.kind)
        ]
        delivered = _deliver(name, channel, compose(new, see) if new else None, log)
        for kind, problems in wanted.items():
            before = sent.of(name, kind)
            sent.keep(
                name,
                kind,
                [problem.key for problem in problems if delivered or problem.key in before],
            )
        # After each, so that what comes next cannot make this one send again.
        sent.write()


def _deliver(name: str, channel: Channel, message: Message | None, log: logging.Logger) -> bool:
    """Send, or with nothing to send see whether it could be; a bad night is too late for that."""
    try:
        complaint = channel.send(message) if message else None
        channel.secrets()
    except NotDelivered as error:
        log.critical(f"Alerts by {name} (alerts.yaml) do not arrive: {error}")
        return False
    except Exception as error:  # whatever a channel does, the release goes on
        log.critical(
            f"Alerts by {name} (alerts.yaml) do not arrive: {type(error).__name__}; correct the "
            "channel, then `python -m dagster_project.cli alerts`",
        )
        return False
    if complaint:
        log.critical(f"Alerts by {name} (alerts.yaml) do not reach everybody: {complaint}")
    return True


def send_test(home: Home) -> dict[str, str | None]:
    """Send a message to every channel: its name -> what went wrong, or None.

    Raises:
        AlertsError: `alerts.yaml` cannot be used.
    """
    results: dict[str, str | None] = {}
    message = Message("Closing Bell: a test of this channel; nothing is wrong", ())
    for name, channel in load_alerts(home).channels.items():
        try:
            results[name] = channel.send(message)
        except NotDelivered as error:
            results[name] = str(error)
    return results


class _Sent:
    """`alerts_sent.json`: channel -> kind -> keys of the problems that it was sent."""

    def __init__(self, home: Home, log: logging.Logger) -> None:
        self._path, self._log = home.root / "alerts_sent.json", log
        self._keys: dict[str, dict[str, list[str]]] = {}
        try:
            self._written = self._path.read_text(encoding="utf-8")
            self._keys = {
                str(channel): {str(kind): [*map(str, keys)] for kind, keys in kinds.items()}
                for channel, kinds in json.loads(self._written).items()
            }
        except FileNotFoundError:
            self._written = "{}"
        except (OSError, ValueError, AttributeError, TypeError) as error:
            self._written = ""
            log.critical(f"{self._path} cannot be read ({error}): alerts are sent a second time")

    def of(self, channel: str, kind: Kind) -> list[str]:
        return self._keys.get(channel, {}).get(kind, [])

    def keep(self, channel: str, kind: Kind, keys: list[str]) -> None:
        self._keys.setdefault(channel, {})[kind] = keys
        self._keys = {
            channel: {kind: keys for kind, keys in kinds.items() if keys}
            for channel, kinds in self._keys.items()
        }

    def write(self) -> None:
        text = json.dumps(self._keys, indent=1)
        if text == self._written:
            return
        unfinished = self._path.with_name(f"{self._path.name}.tmp")
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(self._path)
            self._written = text
        except OSError as error:
            self._log.critical(
                f"{self._path} cannot be written ({error}): the next run will send these alerts "
                "again; make it writable, and free some room on its disk"
            )
