"""The channels that deliver a message: a webhook and e-mail.

Belongs here: the settings of each channel, and how it sends. Does not belong here: which channels
are configured (`settings.py`), which problems each gets (`sending.py`), the log (Python's own).
"""

import http.client
import json
import os
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import asdict
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from dagster_project.alerts.findings import KINDS, Kind, Problem
from dagster_project.alerts.message import Message
from dagster_project.audit.policy import load_policies

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")]


class NotDelivered(RuntimeError):
    """A message was not delivered; the error says why and what to do, and contains no secret."""


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Channel(StrictModel):
    kinds: tuple[Kind, ...] = KINDS
    checks: tuple[str, ...] | None = Field(None, description="of kind finding only these")
    timeout_seconds: float = Field(10, ge=0.1, le=60)

    @field_validator("checks")
    @classmethod
    def _checks_exist(cls, checks: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if unknown := set(checks or ()) - load_policies().keys():
            raise ValueError(
                f"no check is named {', '.join(sorted(unknown))}; see "
                "dbt_project/models/audit/checks.yaml"
            )
        return checks

    def wants(self, problem: Problem) -> bool:
        """Whether it gets a problem of one of its kinds."""
        return problem.check is None or self.checks is None or problem.check in self.checks

    @abstractmethod
    def send(self, message: Message) -> str | None:
        """Send a message.

        Returns:
            A problem with a message that was delivered, e.g. a rejected recipient; else None.

        Raises:
            NotDelivered: nobody received it.
        """

    @abstractmethod
    def secrets(self) -> dict[str, str]:
        """The values of the environment variables that the channel names.

        Raises:
            NotDelivered: one of them is not set.
        """


class HttpTarget(StrictModel):
    """An address that is called by HTTP; a secret one stands in the environment."""

    url: str | None = None
    url_from: Variable | None = None
    timeout_seconds: float = Field(10, ge=0.1, le=60)

    @field_validator("url")
    @classmethod
    def _url_is_valid(cls, url: str | None) -> str | None:
        if url is not None:
            _check_url(url)
        return url

    @model_validator(mode="after")
    def _has_one_url(self) -> Self:
        if (self.url is None) == (self.url_from is None):
            raise ValueError(
                "give either `url: https://…` or, if it is secret, `url_from: ` with the name "
                "of the environment variable that holds it"
            )
        return self

    def call(self, body: bytes | None, headers: dict[str, str], also: str = "") -> None:
        """POST a body, or GET where there is none.

        Args:
            also: what besides the URL may be wrong, if the server refuses.

        Raises:
            NotDelivered: the server did not answer, or refused.
        """
        url = self.url or _from_environment([self.url_from])[self.url_from or ""]
        try:
            _check_url(url)
        except ValueError as error:
            raise NotDelivered(f"{self.url_from} {error}; correct the variable") from None
        headers = {"User-Agent": "closing-bell", **headers}
        request = urllib.request.Request(url, body, headers)
        shown_url = f"the URL in {self.url_from}" if self.url_from else url
        try:
            with _opener.open(request, timeout=self.timeout_seconds):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise NotDelivered(
                f"{shown_url} answered {error.code} {error.reason}; correct the URL{also} "
                "(redirections are not followed)"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            # http.client quotes an invalid URL, which may be secret.
            reason = error if isinstance(error, OSError) else type(error).__name__
            raise NotDelivered(
                f"{shown_url} cannot be reached: {reason}; is it right, and is the network up?"
            ) from None


class Heartbeat(HttpTarget):
    """An HTTP GET after each run that ends well, for a service that alerts when none comes.

    So somebody hears of a machine that is off, which cannot say so itself.
    """

    def beat(self) -> None:
        """Call the address.

        Raises:
            NotDelivered: the server did not answer, or refused.
        """
        self.call(None, {})


class Webhook(Channel, HttpTarget):
    """An HTTP POST of JSON: subject, text, problems (kind, key, what, to_do, …), over, see."""

    token_from: Variable | None = Field(None, description="sent as Authorization: Bearer …")

    def secrets(self) -> dict[str, str]:
        return _from_environment([self.url_from, self.token_from])

    def send(self, message: Message) -> None:
        secrets = self.secrets()
        headers = {"Content-Type": "application/json"}
        if self.token_from:
            headers["Authorization"] = f"Bearer {secrets[self.token_from]}"
        body = {
            "subject": message.subject,
            "text": message.text,
            "problems": [asdict(problem) for problem in message.problems],
            "over": list(message.over),
            "see": message.see,
        }
        also = f" or the token in {self.token_from}" if self.token_from else ""
        self.call(json.dumps(body).encode(), headers, also)


class Email(Channel):
    """A plain text mail by SMTP; the market report also in HTML."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_from: Variable | None = None
    sender: Address
    recipients: tuple[Address, ...] = Field(min_length=1)
    report_recipients: tuple[Address, ...] = Field(
        (), description="who gets the market report of each evening"
    )

    @model_validator(mode="after")
    def _login_is_complete(self) -> "Email":
        if bool(self.user) != bool(self.password_from):
            raise ValueError(
                "`user` and `password_from` (the environment variable that holds the password) "
                "go together"
            )
        if self.user and self.encryption == "none":
            raise ValueError("a password goes only over encryption: `starttls` or `tls`")
        return self

    def secrets(self) -> dict[str, str]:
        return _from_environment([self.password_from])

    def send(self, message: Message) -> str | None:
        mail = self._mail(message.subject, self.recipients)
        mail.set_content(message.text)
        return self._hand_over(mail)

    def send_report(self, subject: str, text: str, html: str) -> str | None:
        """Send the market report to `report_recipients`; returns and raises as `send`."""
        mail = self._mail(subject, self.report_recipients)
        mail.set_content(text)
        mail.add_alternative(html, subtype="html")
        return self._hand_over(mail)

    def _mail(self, subject: str, recipients: Iterable[str]) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(recipients)
        mail["Subject"], mail["Date"] = subject, formatdate(localtime=True)
        mail["Message-ID"] = make_msgid(domain=parseaddr(self.sender)[1].split("@")[1])
        mail["Auto-Submitted"] = "auto-generated"
        return mail

    def _hand_over(self, mail: EmailMessage) -> str | None:
        secrets = self.secrets()
        # By default smtplib and make_msgid ask the network for this name, without a timeout.
        name = socket.gethostname() or "localhost"
        server = f"{self.host}:{self.port}"
        try:
            with self._connection(name) as smtp:
                if self.user and self.password_from:
                    smtp.login(self.user, secrets[self.password_from])
                rejected = smtp.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise NotDelivered(
                f"{server} rejects the login of {self.user} ({error.smtp_code}); correct `user`, "
                f"or the password in {self.password_from}"
            ) from None
        except smtplib.SMTPException as error:
            raise NotDelivered(f"{server} did not take the mail: {error}; see its log") from None
        except OSError as error:
            raise NotDelivered(
                f"{server} cannot be reached ({self.encryption}): {error}; are host, port and "
                "encryption right, and is the network up?"
            ) from None
        if rejected:
            return f"{server} rejects {', '.join(sorted(rejected))}; correct the addresses"
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


def _check_url(url: str) -> None:
    """Raise ValueError, without the URL in it, if this is no URL or contains a password."""
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
    """Treat a redirection as an error: urllib would follow it by a GET without a body."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirections)
