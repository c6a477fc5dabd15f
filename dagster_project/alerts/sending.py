"""Sending alerts: every run logs all problems, and each channel gets each problem once per state.

Belongs here: the record of what was sent. Does not belong here: which problems there are
(`findings.py`), how a channel sends (`channels.py`), when alerts are sent (`defs/automation.py`).

`$CLOSING_BELL_HOME/alerts_sent.json` records the problems that each channel was sent, with their
states. A problem whose state changed is sent again. One that no longer exists is removed from the
record, so if it returns, it is sent again. What was not delivered is not recorded, so the next run
tries again.
"""

import json
import logging
from collections.abc import Callable
from datetime import date
from typing import Protocol

from dagster_project.alerts.channels import Channel, NotDelivered
from dagster_project.alerts.findings import Found, Kind
from dagster_project.alerts.message import Message, compose
from dagster_project.alerts.settings import AlertsError, AlertSettings, load_settings
from dagster_project.home import Home

# What `alerts_sent.json` calls the mails of market reports.
_REPORT_MAIL = "market report by mail"

# Kinds whose end is sent too. The others only give way to a later session: a feed delivers again, a
# report is written, while what lacked or failed before may still do.
WITH_END: tuple[Kind, ...] = ("withheld", "set_aside")


class Mail(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...


def notify(home: Home, found: Found, log: logging.Logger, see: str | None = None) -> None:
    """Log all problems, and send each channel those that it was not sent yet.

    A channel that fails raises nothing: it is logged as critical, with what to do.

    Args:
        found: the problems of this run. The record of a kind that is not among its keys is kept.
        see: the address of a page with more, e.g. the run in the UI.
    """
    settings = AlertSettings()
    try:
        settings = load_settings(home)
    except AlertsError as error:
        log.critical(f"Alerts go to the log only: {error}")
    for kind, problems in found.items():
        if kind in settings.log.kinds:
            for problem in problems:
                (log.error if kind in ("withheld", "report") else log.warning)(str(problem))
    sent = _SentRecord(home, log)
    for name, channel in settings.channels.items():
        wanted = {
            kind: [problem for problem in problems if channel.wants(problem)]
            for kind, problems in found.items()
            if kind in channel.kinds
        }
        new = [
            problem
            for problems in wanted.values()
            for problem in problems
            if sent.of(name, problem.kind).get(problem.key) != problem.state
        ]
        over = [
            kind
            for kind, problems in wanted.items()
            if kind in WITH_END and not problems and sent.of(name, kind)
        ]
        if _deliver(name, channel, compose(new, see, over) if new or over else None, log):
            for kind, problems in wanted.items():
                sent.keep(name, kind, {problem.key: problem.state for problem in problems})
        # After each channel: a failure of the next one must not make this one send again.
        sent.write()


def _deliver(name: str, channel: Channel, message: Message | None, log: logging.Logger) -> bool:
    """Send a message, and return whether it arrived.

    Without a message only the secrets are checked, so that a missing one is noticed before the
    first alert.
    """
    try:
        problem = channel.send(message) if message else None
        channel.secrets()
    except NotDelivered as error:
        log.critical(f"Alerts by {name} (alerts.yaml) do not arrive: {error}")
        return False
    except Exception as error:  # no channel may stop a release
        log.critical(
            f"Alerts by {name} (alerts.yaml) do not arrive: {type(error).__name__}; correct the "
            "channel, then run `closing-bell alerts`",
        )
        return False
    if problem:
        log.critical(f"Alerts by {name} (alerts.yaml) do not reach everybody: {problem}")
    return True


def mail_report(home: Home, day: date, mail: Callable[[], Mail], log: logging.Logger) -> None:
    """Send the market report of a day, once, to the `report_recipients` of `alerts.yaml`.

    One that cannot be sent raises nothing: it is logged as critical, and the next run tries again.

    Args:
        mail: makes the mail, if there is somebody to send it to.
    """
    try:
        email = load_settings(home).email
    except AlertsError:
        return  # whoever sends alerts says so
    if email is None or not email.report_recipients:
        return
    sent = _SentRecord(home, log)
    last = sent.of(_REPORT_MAIL, "report").get("last", "")
    # A report of an earlier day that is written again is no news.
    if str(day) <= last:
        return
    try:
        content = mail()
        problem = email.send_report(content.subject, content.text, content.html)
    except NotDelivered as error:
        log.critical(f"The market report by mail (alerts.yaml) does not arrive: {error}")
        return
    except Exception as error:  # a mail may not make a release look failed
        log.critical(
            f"The market report by mail (alerts.yaml) does not arrive: {type(error).__name__}; "
            "correct the channel, then write the report again"
        )
        return
    if problem:
        log.critical(f"The market report by mail (alerts.yaml) does not reach everybody: {problem}")
    sent.keep(_REPORT_MAIL, "report", {"last": str(day)})
    sent.write()


def beat(home: Home, log: logging.Logger) -> None:
    """Call the heartbeat of `alerts.yaml`, if there is one: a run has ended well.

    One that cannot be called raises nothing: it is logged as critical, with what to do.
    """
    try:
        if heartbeat := load_settings(home).heartbeat:
            heartbeat.beat()
    except AlertsError:
        pass  # whoever sends alerts says so
    except NotDelivered as error:
        log.critical(f"The heartbeat (alerts.yaml) does not arrive: {error}")


def send_test(home: Home) -> dict[str, str | None]:
    """Send a test message to every channel: name -> what went wrong, or None.

    Raises:
        AlertsError: `alerts.yaml` cannot be used.
    """
    results: dict[str, str | None] = {}
    message = Message("Closing Bell: a test of this channel; nothing is wrong", ())
    settings = load_settings(home)
    for name, channel in settings.channels.items():
        try:
            results[name] = channel.send(message)
        except NotDelivered as error:
            results[name] = str(error)
    if settings.heartbeat:
        try:
            settings.heartbeat.beat()
            results["heartbeat"] = None
        except NotDelivered as error:
            results["heartbeat"] = str(error)
    return results


class _SentRecord:
    """`alerts_sent.json`: channel -> kind -> key -> state of the problems that were sent."""

    def __init__(self, home: Home, log: logging.Logger) -> None:
        self._path, self._log = home.root / "alerts_sent.json", log
        self._states: dict[str, dict[str, dict[str, str]]] = {}
        try:
            self._text = self._path.read_text(encoding="utf-8")
            self._states = {
                str(channel): {
                    str(kind): {str(key): str(state) for key, state in states.items()}
                    for kind, states in kinds.items()
                }
                for channel, kinds in json.loads(self._text).items()
            }
        except FileNotFoundError:
            self._text = "{}"
        except (OSError, ValueError, AttributeError, TypeError) as error:
            self._text = ""
            log.critical(f"{self._path} cannot be read ({error}): alerts are sent a second time")

    def of(self, channel: str, kind: Kind) -> dict[str, str]:
        return self._states.get(channel, {}).get(kind, {})

    def keep(self, channel: str, kind: Kind, states: dict[str, str]) -> None:
        self._states.setdefault(channel, {})[kind] = states
        self._states = {
            channel: {kind: states for kind, states in kinds.items() if states}
            for channel, kinds in self._states.items()
        }

    def write(self) -> None:
        text = json.dumps(self._states, indent=1)
        if text == self._text:
            return
        unfinished = self._path.with_name(f"{self._path.name}.tmp")
        try:
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(self._path)
            self._text = text
        except OSError as error:
            self._log.critical(
                f"{self._path} cannot be written ({error}): the next run will send these alerts "
                "again; make it writable, and free some room on its disk"
            )
