"""Letters leave by SMTP; what the server says becomes one of two errors (RFC 5321, RFC 3463).

A reason holds status codes and nothing else, because servers like to quote the address.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import EmailPolicy
from enum import Enum
from threading import Lock

import structlog

from adapters.outbound.mail_tokens import MailTokens
from adapters.outbound.message import message
from services.ports import Clock, OutgoingMail, Refused, Unavailable

TIMEOUT_SECONDS = 30.0
REMEMBERED = 10_000
_PERMANENT = 500
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})\b")

log = structlog.get_logger()


class Security(Enum):
    """How the connection is protected. Opportunistic protection is none, so it is not offered."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpMailer:
    """Sends each mail over a connection of its own.

    `name` is what we call ourselves in EHLO. After a lost connection nobody knows whether the
    mail was taken; the repeated send carries the same Message-ID. What a relay took from this
    process it gets from it no more, however long nobody can record that it left.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        clock: Clock,
        security: Security = Security.STARTTLS,
        username: str | None = None,
        password: str | None = None,
        tokens: MailTokens | None = None,
        tls: ssl.SSLContext | None = None,
        name: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        if username and security is Security.NONE:
            raise ValueError("a password needs a protected connection: choose starttls or tls")
        self._host, self._port, self._name, self._timeout = host, port, name, timeout
        self._username, self._password, self._tokens = username, password, tokens
        self._security, self._clock = security, clock
        self._tls = tls or ssl.create_default_context()
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def send(self, mail: OutgoingMail) -> None:
        with self._lock:
            if mail.key in self._taken:
                return
        built = message(mail, self._clock())
        with _errors_named(), self._connected() as server:
            self._deliver(server, built)
            self._remember(mail.key)
        log.info("mail_sent", letter=mail.kind.value)

    def _remember(self, key: str) -> None:
        with self._lock:
            self._taken[key] = None
            if len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            if self._security is Security.STARTTLS:
                server.starttls(context=self._tls)
            server.ehlo_or_helo_if_needed()
            self._log_in(server)
            yield server
            # The mail is taken. Whatever goes wrong with the farewell changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        if not self._username:
            return
        if self._tokens is None:
            server.login(self._username, self._password or "")
            return
        # A refused token is explained in a challenge, which an empty answer ends.
        answers = iter([f"user={self._username}\x01auth=Bearer {self._tokens.token()}\x01\x01"])
        try:
            server.auth("XOAUTH2", lambda _challenge=None: next(answers, ""))
        except smtplib.SMTPResponseException as error:
            # No letter is to blame: all of them wait until whoever runs this has seen to it.
            self._tokens.forget()
            raise Unavailable(
                f"{_answered(error.smtp_code, error.smtp_error).reason}: the mail"
                " server did not take the access token"
            ) from None

    def _connect(self) -> smtplib.SMTP:
        if self._security is Security.TLS:
            return smtplib.SMTP_SSL(
                self._host, self._port, self._name, timeout=self._timeout, context=self._tls
            )
        return smtplib.SMTP(self._host, self._port, self._name, timeout=self._timeout)

    def _deliver(self, server: smtplib.SMTP, built: EmailMessage) -> None:
        sender = built["From"].addresses[0].addr_spec
        recipient = built["To"].addresses[0].addr_spec
        options: list[str] = []
        policy = built.policy
        if not (sender + recipient).isascii():
            if not server.has_extn("smtputf8"):
                raise Refused("smtputf8 is not offered and the address needs it")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
            if isinstance(policy, EmailPolicy):
                policy = policy.clone(utf8=True)
        server.sendmail(sender, [recipient], built.as_bytes(policy=policy), mail_options=options)


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _answered(*next(iter(error.recipients.values()))) from None
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError:
        raise Refused("smtp server lacks what the settings ask for") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"smtp connection failed ({type(error).__name__})") from None


def _answered(code: int, words: bytes | str) -> Unavailable | Refused:
    raw = words if isinstance(words, bytes) else words.encode(errors="replace")
    enhanced = _ENHANCED.match(raw)
    reason = f"smtp {code}" + (f" {enhanced.group(1).decode()}" if enhanced else "")
    return Refused(reason) if code >= _PERMANENT else Unavailable(reason)
