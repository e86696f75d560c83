"""An IMAP mailbox that is looked into now and then (RFC 3501, 6851), by password or XOAUTH2.

Whatever lies in the inbox is taken in, then moved to `Trettio received`, or to `Trettio refused`
when it cannot be read; read and unread makes no difference, for people look into mailboxes too.
Killed in between, the same message is taken again, which changes nothing.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from adapters.inbound.mail import MAX_MESSAGE_BYTES, UnreadableMessage
from adapters.inbound.mailroom.letterbox import Letterbox, NotForUs
from adapters.outbound.smtp import Security
from services.ports import Unavailable

RECEIVED = "Trettio received"
REFUSED = "Trettio refused"
TIMEOUT_SECONDS = 60.0
MOST_AT_ONCE = 500

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")

log = structlog.get_logger()


class AccessTokens(Protocol):
    """Where a mail server wants a token in place of a password."""

    def token(self) -> str: ...

    def forget(self) -> None:
        """The token was not taken: the next one is to be a new one."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    host: str
    port: int
    username: str
    password: str | None = None
    security: Security = Security.TLS
    tls: ssl.SSLContext | None = None


class Mailbox:
    """One mailbox; each look is a connection of its own."""

    def __init__(
        self, letterbox: Letterbox, account: Account, tokens: AccessTokens | None = None
    ) -> None:
        self._letterbox, self._account, self._tokens = letterbox, account, tokens

    def look(self) -> int:
        """Take in what the inbox holds; answers how many. `Unavailable` says what to look at."""
        with _errors_named(), self._open() as server:
            return self._empty(server)

    def _empty(self, server: imaplib.IMAP4) -> int:
        _agreed(server.select("INBOX"), "select")
        (found,) = _agreed(server.uid("SEARCH", "UNDELETED"), "search")
        uids = bytes(found or b"").split()[:MOST_AT_ONCE]
        own = self._letterbox.mailboxes.owner(self._account.username)
        for uid in uids:
            target = RECEIVED if self._take(server, uid.decode(), own) else REFUSED
            self._move(server, uid.decode(), target)
        return len(uids)

    def _take(self, server: imaplib.IMAP4, uid: str, own: str | None) -> bool:
        (said, *_) = _agreed(server.uid("FETCH", uid, "(RFC822.SIZE)"), "fetch")
        size = _SIZE.search(said if isinstance(said, bytes) else b"")
        if size is not None and int(size[1]) > MAX_MESSAGE_BYTES:
            log.warning("mail_refused", reason="too large")
            return False
        fetched = _agreed(server.uid("FETCH", uid, "(BODY.PEEK[])"), "fetch")
        raw = next((part[1] for part in fetched if isinstance(part, tuple)), None)
        if raw is None:
            raise Unavailable("imap fetch gave no message")
        try:
            self._letterbox.take(raw, own)
        except (UnreadableMessage, NotForUs) as error:
            log.warning("mail_refused", reason=type(error).__name__)
            return False
        return True

    def _move(self, server: imaplib.IMAP4, uid: str, folder: str) -> None:
        name = f'"{folder}"'
        if "MOVE" in server.capabilities:
            if server.uid("MOVE", uid, name)[0] != "OK":
                server.create(name)
                _agreed(server.uid("MOVE", uid, name), "move")
            return
        if server.uid("COPY", uid, name)[0] != "OK":
            server.create(name)
            _agreed(server.uid("COPY", uid, name), "copy")
        _agreed(server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"), "store")
        if "UIDPLUS" in server.capabilities:  # a plain EXPUNGE would take others' messages along
            _agreed(server.uid("EXPUNGE", uid), "expunge")

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        account = self._account
        tls = account.tls or ssl.create_default_context()
        server: imaplib.IMAP4 = (
            imaplib.IMAP4_SSL(account.host, account.port, ssl_context=tls, timeout=TIMEOUT_SECONDS)
            if account.security is Security.TLS
            else imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT_SECONDS)
        )
        try:
            if account.security is Security.STARTTLS:
                server.starttls(tls)
            self._log_in(server)
            yield server
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()

    def _log_in(self, server: imaplib.IMAP4) -> None:
        account = self._account
        try:
            if account.password is not None:
                server.login(account.username, account.password)
            elif self._tokens is not None:
                # A refused token is explained in a challenge, which an empty answer ends.
                answers = iter([bearer(account.username, self._tokens.token()).encode()])
                server.authenticate("XOAUTH2", lambda _challenge: next(answers, b""))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            if self._tokens is not None:
                self._tokens.forget()
            raise Unavailable(
                "imap login was refused: check user name and password, or the token's rights"
            ) from None
        # Some servers say what they can do only to who is logged in.
        (said, *_) = _agreed(server.capability(), "capability")
        server.capabilities = tuple(bytes(said or b"").decode("ascii", "replace").upper().split())


def bearer(username: str, token: str) -> str:
    """What XOAUTH2 sends to a mail server, before base64."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def _agreed(answer: tuple[str, list[Any]], command: str) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise Unavailable(f"imap {command} was refused")
    return data


@contextmanager
def _errors_named() -> Iterator[None]:
    """A server's own words may quote anything, so only the kind of error is passed on."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        raise Unavailable(f"imap connection failed ({type(error).__name__})") from None
