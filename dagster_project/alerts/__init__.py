"""Alerts: what somebody must hear of without looking, and how they hear of it.

Belongs here: which problems of a run are told, the channels of `alerts.yaml`, and what was sent
already. Does not belong here: Dagster (`defs/automation.py`, which calls this), what a shell shows
(`cli.py`), checks (`audit/`).

Four kinds: `withheld` (there is no release), `late` (a feed was due for the warehouse's clock date
and gave nothing, or a part), `set_aside` (a file could not be used), `report` (released, but the
market report could not be written). Every run logs all of them. A channel of
`$CLOSING_BELL_HOME/alerts.yaml` gets each once: `alerts_sent.json` beside it remembers what every
channel was sent and forgets a problem when it is gone, so one that returns is sent again. What a
channel did not take is not remembered, so the next run tries again.
"""

import http.client
import json
import logging
import os
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

import duckdb
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from dagster_project.config_files import read_yaml
from dagster_project.home import Home
from dagster_project.ingest.feed_catalog import load_feeds
from dagster_project.market.calendar import HONG_KONG
from dagster_project.warehouse import state
from dagster_project.warehouse.connection import connect

Kind = Literal["withheld", "late", "set_aside", "report"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Problems of a kind that a message spells out; it counts the others.
SHOWN = 20
LONGEST_REASON = 2000

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


class NotDelivered(RuntimeError):
    """A channel did not take a message; says why and what to do, and holds no secret."""


# Problems


@dataclass(frozen=True)
class Problem:
    """Something to tell: what is wrong and where, and what to do about it.

    `key` is the same for the same problem, run after run.
    """

    kind: Kind
    key: str
    what: str
    to_do: str

    def __str__(self) -> str:
        return _plain(f"{self.what}. To do: {self.to_do}")


Found = Mapping[Kind, Sequence[Problem]]
"""The problems there are now, of the kinds that were looked for."""


def after_release(home: Home, now: datetime | None = None) -> Found:
    """What the published release lacks; nothing is withheld.

    Args:
        now: the moment until which feeds may still be due, with its zone; now where not given.
    """
    now = (now or datetime.now(HONG_KONG)).astimezone(HONG_KONG)
    with connect(home.published, read_only=True) as con:
        return {
            "withheld": [],
            "late": _late(con, now),
            "set_aside": _set_aside(con),
        }


def after_failure(home: Home, reason: str | None) -> Found:
    """Why there is no release, and the files that were set aside on the way.

    Args:
        reason: what the step says that failed; None where that is what the checks found.
    """
    dates = ""
    found: dict[Kind, list[Problem]] = {}
    try:
        with connect(home.warehouse, read_only=True) as con:
            clock = state.clock(con)
            dates = f" for {clock}" if clock else ""
            found["set_aside"] = _set_aside(con)
            if reason is None:
                reason = "\n".join(
                    f"{check} on {asset}: {explanation}"
                    for check, asset, explanation in con.execute("""
                        select check_name, asset, explanation from raw.check_result
                        where not passed and severity = 'block' order by check_name""").fetchall()
                )
    except duckdb.Error as error:
        # No warehouse yet, or a broken one, which may be the very reason.
        reason = reason or f"the warehouse cannot be read: {error}"
    reason = _cut(reason or "a blocking check failed")
    stays = f"{home.published} stays as it was" if home.published.exists() else "there is none yet"
    found["withheld"] = [
        Problem(
            "withheld",
            f"{dates} {reason}",
            f"No release{dates}; {stays}. {reason}",
            "remove the cause, then run the same dates again",
        )
    ]
    return found


def after_report(reason: str | None) -> Found:
    """Whether the market report failed, and why; None: it was written."""
    if reason is None:
        return {"report": []}
    reason = _cut(reason)
    what = f"Released, but the market report failed: {reason}"
    to_do = "remove the cause, then `make report DATE=…`"
    return {"report": [Problem("report", reason, what, to_do)]}


def _cut(reason: str) -> str:
    """Words for a message: on one line, not too long, and without the full stop."""
    reason = " ".join(reason.split()).rstrip(".")
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"


def _late(con: duckdb.DuckDBPyConnection, now: datetime) -> list[Problem]:
    """Feeds that were due for the clock date by now and gave nothing, or only a part."""
    rows = con.execute(
        """
        select coverage.trade_date, coverage.market, coverage.feed, coverage.received_symbols,
            coverage.missing_symbols, coverage.first_missing_symbol, feed.due_by
        from main.session_coverage as coverage
        join raw.feed as feed using (feed)
        where coverage.status <> 'complete'
        and coverage.trade_date = $clock
        order by coverage.market, coverage.feed""",
        {"clock": state.clock(con)},
    ).fetchall()
    problems, feeds = [], load_feeds().feeds if rows else {}
    for day, market, feed, received, missing, first_missing, due_by in rows:
        if day == now.date() and due_by and f"{now:%H:%M}" < due_by:
            continue
        spec, file = feeds.get(feed), _last_seen_in(con, feed, market, first_missing)
        if spec and spec.file_date_format:
            name = spec.files.replace("{date}", day.strftime(spec.file_date_format))
            file = f"{feed}/{name}"
        where, about = f"landing/{file or feed}", f"{day} {market} {feed}"
        then = f"then `make nightly DATE={day}`"
        if received:
            more = f" and {missing - 1} more are" if missing > 1 else " is"
            what = f"{about}: only a part came; {first_missing}{more} missing from {where}"
            to_do = f"fetch the file again, it may be cut short, {then}"
        else:
            what = f"{about}: nothing that counts, due by {due_by}; expected in {where}"
            to_do = f"fetch the file (main.rejected_row has what was refused of it), {then}"
        problems.append(Problem("late", f"{day} {market} {feed}", what, to_do))
    return problems


def _last_seen_in(
    con: duckdb.DuckDBPyConnection, feed: str, market: str, symbol: str | None
) -> str | None:
    """The file that held a feed's records of a symbol last, below landing/.

    A symbol of turnover is `turnover <segment>`, as in `main.session_coverage`.
    """
    row = con.execute(
        """select file.path from (
            select file_id, trade_date from raw.index_close
            where feed = $feed and symbol = $symbol
            union all
            select file_id, trade_date from raw.security_close
            where feed = $feed and symbol = $symbol
            union all
            select file_id, trade_date from raw.market_turnover
            where feed = $feed and market = $market and 'turnover ' || segment = $symbol
        ) join raw.file as file using (file_id)
        order by trade_date desc, file.mtime_ns desc limit 1""",
        {"feed": feed, "market": market, "symbol": symbol},
    ).fetchone()
    return row[0] if row else None


def _set_aside(con: duckdb.DuckDBPyConnection) -> list[Problem]:
    rows = con.execute("""
        select path, reason, coalesce(sha256, mtime_ns::VARCHAR), exists (
            select 1 from raw.file as good where good.path = bad.path and good.status = 'loaded')
        from raw.file as bad where status = 'set_aside' order by path""").fetchall()
    return [
        Problem(
            "set_aside",
            f"{path} {content} {reason}",
            f"landing/{path}: {reason}" + ("; its earlier rows stay" if has_earlier else ""),
            "put a corrected file there under the same name; the next run reads it",
        )
        for path, reason, content, has_earlier in rows
    ]


def _plain(text: str) -> str:
    """One line of text that no file name can make into several, or into a terminal's commands."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in " ".join(text.split())
    )


# Messages


@dataclass(frozen=True)
class Message:
    """What a channel sends."""

    subject: str
    problems: Sequence[Problem]
    see: str | None = None

    @property
    def text(self) -> str:
        lines = [self.subject]
        for kind in KINDS:
            of_kind = [problem for problem in self.problems if problem.kind == kind]
            if of_kind:
                lines += ["", _HEADINGS[kind], *(f"- {problem}" for problem in of_kind[:SHOWN])]
            if len(of_kind) > SHOWN:
                lines.append(f"- and {len(of_kind) - SHOWN} more; `make nightly` lists them")
        if self.see:
            lines += ["", f"See {self.see}"]
        return "\n".join(lines)


_HEADINGS: dict[Kind, str] = {
    "withheld": "Release withheld",
    "late": "Feeds late",
    "set_aside": "Files set aside",
    "report": "Market report failed",
}


def compose(problems: Sequence[Problem], see: str | None = None) -> Message:
    """One message of all that is new to a channel."""
    counts = {kind: sum(problem.kind == kind for problem in problems) for kind in KINDS}
    said = [
        f"{_HEADINGS[kind].lower()}" + (f" ({count})" if kind in ("late", "set_aside") else "")
        for kind, count in counts.items()
        if count
    ]
    return Message(f"Closing Bell: {', '.join(said)}", problems, see)


# Channels


Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Channel(_Strict):
    kinds: tuple[Kind, ...] = KINDS
    timeout_seconds: float = Field(10, ge=0.1, le=60)

    @abstractmethod
    def send(self, message: Message) -> str | None:
        """Send a message.

        Returns:
            What is wrong although the message was taken; None where nothing is.

        Raises:
            NotDelivered: nobody got it.
        """

    @abstractmethod
    def secrets(self) -> dict[str, str]:
        """The values of the environment variables that the channel names.

        Raises:
            NotDelivered: one is not set.
        """


class Webhook(_Channel):
    """An HTTP POST of JSON: subject, text, problems (kind, what, to_do), see."""

    url: str | None = None
    url_from: Variable | None = None
    token_from: Variable | None = Field(None, description="sent as Authorization: Bearer …")

    @field_validator("url")
    @classmethod
    def _url_is_one(cls, url: str | None) -> str | None:
        if url is not None:
            _check_url(url)
        return url

    @model_validator(mode="after")
    def _url_given(self) -> "Webhook":
        if (self.url is None) == (self.url_from is None):
            raise ValueError(
                "give either `url: https://…`, or, where it is secret, `url_from: ` and the name "
                "of the environment variable that holds it"
            )
        return self

    def secrets(self) -> dict[str, str]:
        return _from_environment([self.url_from, self.token_from])

    def send(self, message: Message) -> None:
        secrets = self.secrets()
        url = self.url or secrets[self.url_from or ""]
        try:
            _check_url(url)
        except ValueError as error:
            raise NotDelivered(f"{self.url_from} {error}; correct the variable") from None
        headers = {"Content-Type": "application/json", "User-Agent": "closing-bell"}
        if self.token_from:
            headers["Authorization"] = f"Bearer {secrets[self.token_from]}"
        body = {
            "subject": message.subject,
            "text": message.text,
            "problems": [asdict(problem) for problem in message.problems],
            "see": message.see,
        }
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        stands_in = f"the URL in {self.url_from}" if self.url_from else url
        try:
            with _opener.open(request, timeout=self.timeout_seconds):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise NotDelivered(
                f"{stands_in} answered {error.code} {error.reason}; correct the URL"
                + (f" or the token in {self.token_from}" if self.token_from else "")
                + " (redirections are not followed)"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            # An invalid URL is quoted by http.client, secret or not.
            reason = error if isinstance(error, OSError) else type(error).__name__
            raise NotDelivered(
                f"{stands_in} cannot be reached: {reason}; is it right, and is the network up?"
            ) from None


class Email(_Channel):
    """A plain text mail by SMTP."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_from: Variable | None = None
    sender: Address
    recipients: tuple[Address, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _login_is_whole(self) -> "Email":
        if bool(self.user) != bool(self.password_from):
            raise ValueError(
                "`user` and `password_from` (the environment variable that holds the password) "
                "go together"
            )
        if self.user and self.encryption == "none":
            raise ValueError("a password goes only over encryption: `starttls`, or `tls`")
        return self

    def secrets(self) -> dict[str, str]:
        return _from_environment([self.password_from])

    def send(self, message: Message) -> str | None:
        secrets = self.secrets()
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail["Subject"], mail["Date"] = message.subject, formatdate(localtime=True)
        # Both would ask the network for this computer's name, without a timeout.
        name = socket.gethostname() or "localhost"
        mail["Message-ID"] = make_msgid(domain=parseaddr(self.sender)[1].split("@")[1])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        server = f"{self.host}:{self.port}"
        try:
            with self._connection(name) as smtp:
                if self.user and self.password_from:
                    smtp.login(self.user, secrets[self.password_from])
                refused = smtp.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise NotDelivered(
                f"{server} refuses the login of {self.user} ({error.smtp_code}); correct `user`, "
                f"or the password in {self.password_from}"
            ) from None
        except smtplib.SMTPException as error:
            raise NotDelivered(f"{server} did not take the mail: {error}; see its log") from None
        except OSError as error:
            raise NotDelivered(
                f"{server} cannot be reached ({self.encryption}): {error}; are host, port and "
                "encryption right, and is the network up?"
            ) from None
        if refused:
            return f"{server} refuses {', '.join(sorted(refused))}; correct `recipients`"
        return None

    def _connection(self, name: str) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.encryption == "tls":
            return smtplib.SMTP_SSL(
                self.host, self.port, name, timeout=self.timeout_seconds, context=context
            )
        smtp = smtplib.SMTP(self.host, self.port, name, timeout=self.timeout_seconds)
        if self.encryption == "starttls":
            try:
                smtp.starttls(context=context)
            except BaseException:
                smtp.close()
                raise
        return smtp


class _Log(_Strict):
    kinds: tuple[Kind, ...] = KINDS


class Alerts(_Strict):
    """What `alerts.yaml` says; without it, all kinds go to the log."""

    log: _Log = _Log()
    webhook: Webhook | None = None
    email: Email | None = None

    @property
    def channels(self) -> dict[str, _Channel]:
        named = {"webhook": self.webhook, "email": self.email}
        return {name: channel for name, channel in named.items() if channel}


def _check_url(url: str) -> None:
    """Raises ValueError, without the URL, for what is none or holds a password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no URL; write https://… in full")
    if parts.username or parts.password:
        raise ValueError("holds a user or password; use token_from, or url_from for the whole URL")


def _from_environment(names: Iterable[str | None]) -> dict[str, str]:
    wanted = [name for name in names if name]
    unset = [name for name in wanted if not os.environ.get(name)]
    if unset:
        raise NotDelivered(f"{', '.join(unset)} is not set; export it where runs are started")
    return {name: os.environ[name] for name in wanted}


class _NoRedirections(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would arrive elsewhere as a GET without a body, and look sent."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirections)


# Configuration


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


# Telling


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


def _deliver(name: str, channel: _Channel, message: Message | None, log: logging.Logger) -> bool:
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
