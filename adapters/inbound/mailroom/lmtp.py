"""A small LMTP listener (RFC 2033): the mail server hands over, we say for each recipient what is.

250 is said only when the message is in the database. While that is away, or anything else is wrong
that may pass, the answer is 451: the mail server keeps the message and comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, AnyStr

import structlog
from aiosmtpd.controller import BaseThreadedController, Controller, UnixSocketController
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.inbound.mail import MAX_MESSAGE_BYTES, UnreadableMessage
from adapters.inbound.mailroom.letterbox import Letterbox
from adapters.settings import SettingsWrong

LONGEST_LINE = 1_000_000
"""Mail servers cut lines at a thousand characters; whatever is longer was never by one."""
IDLE_SECONDS = 120.0
SOCKET_MODE = 0o660

_TAKEN = "250 2.0.0 taken"
_UNKNOWN = "550 5.1.1 no such mailbox here"
_LATER = "451 4.3.0 not now: keep it and try again"
_UNREADABLE = "554 5.6.0 this message cannot be read"

log = structlog.get_logger()


@contextmanager
def listening(letterbox: Letterbox, address: str) -> Iterator[str]:
    """Listen on `host:port` or on the path of a UNIX socket; gives where that is."""
    controller = _controller(_Handler(letterbox), address)
    try:
        controller.start()
    except OSError as error:
        raise SettingsWrong(
            f"TRETTIO_LMTP cannot be listened on ({error.strerror}): it expects a free host:port,"
            " or the path of a socket in a directory of ours"
        ) from None
    if isinstance(controller, UnixSocketController):
        Path(address).chmod(SOCKET_MODE)
    log.info("lmtp_listens", address=address)
    try:
        yield address
    finally:
        controller.stop()


def _controller(handler: _Handler, address: str) -> BaseThreadedController:
    if "/" in address:
        Path(address).unlink(missing_ok=True)  # left behind by a process that was killed
        return _OnSocket(handler, unix_socket=address)
    host, _, port = address.rpartition(":")
    return _OnPort(handler, hostname=host.strip("[]"), port=int(port))


class _Handler:
    def __init__(self, letterbox: Letterbox) -> None:
        self._letterbox = letterbox

    async def handle_RCPT(  # noqa: N802 (the server calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        try:
            owner = await asyncio.to_thread(self._letterbox.mailboxes.owner, address)
        except Exception as error:
            return _not_now(error)
        if owner is None:
            return _UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 known"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return await asyncio.to_thread(
            self._deliver, envelope.mail_from or "", envelope.rcpt_tos, envelope.content or b""
        )

    async def handle_exception(self, error: Exception) -> str:
        return _not_now(error)

    def _deliver(self, sender: str, recipients: Sequence[str], content: str | bytes) -> str:
        """One reply per recipient, in their order; a controller gets the message once."""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        # Whoever delivers last writes down the sender (RFC 5321, 4.4): nobody, if it is a report.
        raw = f"Return-Path: <{sender.strip('<>')}>\r\n".encode("utf-8", "surrogateescape") + raw
        said: dict[str | None, str] = {}
        replies = []
        for recipient in recipients:
            try:
                owner = self._letterbox.mailboxes.owner(recipient)
                if owner not in said:
                    said[owner] = self._taken(raw, owner)
                replies.append(said[owner])
            except Exception as error:
                replies.append(_not_now(error))
        return "\r\n".join(replies)

    def _taken(self, raw: bytes, owner: str | None) -> str:
        if owner is None:
            return _UNKNOWN
        try:
            self._letterbox.take(raw, owner)
        except UnreadableMessage:
            return _UNREADABLE
        return _TAKEN


def _not_now(error: Exception) -> str:
    log.warning("mail_not_taken", error=type(error).__name__)
    return _LATER


class _Lmtp(LMTP):
    line_length_limit = LONGEST_LINE

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._in_data = not arg
        try:
            await super().smtp_DATA(arg)
        finally:
            self._in_data = False

    async def push(self, status: AnyStr) -> None:
        """After the data each recipient has a reply, also where the library knows only one."""
        if getattr(self, "_in_data", False) and isinstance(status, str):
            count = len(self.envelope.rcpt_tos) if self.envelope else 0
            if status.startswith(("4", "5")) and "\r\n" not in status and count > 1:
                await super().push("\r\n".join([status] * count))
                return
        await super().push(status)


def _made(handler: Any) -> _Lmtp:
    return _Lmtp(
        handler,
        data_size_limit=MAX_MESSAGE_BYTES,
        enable_SMTPUTF8=True,
        hostname="trettio",
        ident="LMTP",
        timeout=IDLE_SECONDS,
    )


class _OnPort(Controller):
    def factory(self) -> SMTP:
        return _made(self.handler)


class _OnSocket(UnixSocketController):
    def factory(self) -> SMTP:
        return _made(self.handler)
