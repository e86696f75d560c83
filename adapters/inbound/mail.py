"""Reads a raw mail (RFC 5322, MIME) from anybody into an `IncomingMessage`.

Nothing in a mail is trusted: every part is bounded, whatever cannot be understood is left out or
kept as a file, and only a Received header that a trusted host wrote on top says when it arrived.

The older `compat32` policy of the standard library is used on purpose: the newer one raises on
malformed headers, recurses on nested comments and takes ten times as long.
"""

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32

from adapters.inbound.mail_characters import clean_text
from adapters.inbound.mail_headers import MAX_HEADER_CHARS, MAX_ID_CHARS, Headers, moment_of
from adapters.inbound.mail_nature import MAX_SUBJECT_CHARS, nature_of
from adapters.inbound.mail_parts import MAX_TEXT_CHARS, Content, unopened
from domain.errors import DomainError
from services.messages import IncomingMessage

MAX_MESSAGE_BYTES = 50_000_000
MAX_CONTAINERS = 100
MAX_COMPARISONS = 20_000_000
MAX_BOUNDARY_LINES = 20_000


class UnreadableMessage(DomainError):
    """The input is no mail that can be read; the message says what to do with it."""


def parse(raw: bytes, *, trusted_hosts: Sequence[str], now: datetime) -> IncomingMessage:
    """Read one raw mail that is handed over at `now`.

    A trusted host is a host name as the Received header's `by` writes it; with a leading dot it
    stands for every host below that domain.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    _require_mail(raw)
    message, content = _read(raw)
    headers = Headers(message)
    text = clean_text("\n\n".join(one for one in content.texts if one.strip()))
    received_at, source = moment_of(headers, trusted_hosts, now)
    sender_name, sender_address = headers.sender()
    return IncomingMessage(
        sender_name=sender_name,
        sender_address=sender_address,
        to=headers.recipients(),
        subject=headers.line("subject", MAX_SUBJECT_CHARS),
        text=text[:MAX_TEXT_CHARS],
        attachments=tuple(content.attachments),
        message_id=headers.identifier("message-id"),
        in_reply_to=headers.identifier("in-reply-to"),
        received_at=received_at,
        received_at_source=source,
        nature=nature_of(headers, content, text),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        truncated=content.truncated or headers.truncated or len(text) > MAX_TEXT_CHARS,
    )


_OTHER_FILES = {
    b"\xd0\xcf\x11\xe0": "an Outlook .msg file: open it in Outlook and save it as .eml",
    b"%PDF-": "a PDF: register it as a letter and attach the file there",
    b"PK\x03\x04": "a ZIP or office file: unpack it and hand over the .eml files one by one",
}


def _require_mail(raw: bytes) -> None:
    if not raw.strip(b"\r\n\t \0"):
        raise UnreadableMessage("the message is empty: fetch it again from the mailbox")
    if len(raw) > MAX_MESSAGE_BYTES:
        raise UnreadableMessage(
            f"the message is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB: open it in a mail "
            "program, register the request by hand and attach the files you need"
        )
    for magic, advice in _OTHER_FILES.items():
        if raw.startswith(magic):
            raise UnreadableMessage(f"this is not a raw mail but {advice}")


def _read(raw: bytes) -> tuple[Message, "Content"]:
    if _is_affordable(raw):
        with suppress(RecursionError):
            message = message_from_bytes(raw, policy=_BOUNDED)
            content = Content()
            content.take(message, depth=0)
            if content.texts or content.attachments or not content.truncated:
                return message, content
    # More parts or deeper than any mail program makes them: a person reads it from the file.
    message = BytesHeaderParser(policy=_BOUNDED).parsebytes(raw)
    return message, unopened(message, raw)


_CONTAINER = re.compile(rb"^content-type:\s*(?:multipart/|message/rfc822)", re.IGNORECASE | re.M)


def _is_affordable(raw: bytes) -> bool:
    """Whether the library's parser is quick: it compares every line with every open container."""
    containers = len(_CONTAINER.findall(raw))
    return (
        containers <= MAX_CONTAINERS
        and containers * raw.count(b"\n") <= MAX_COMPARISONS
        and raw.count(b"\n--") <= MAX_BOUNDARY_LINES
    )


class _BoundedPolicy(Compat32):
    """Cuts every header while parsing: parameters take time that grows with the square."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name[:MAX_ID_CHARS], value[: MAX_HEADER_CHARS + 1]


_BOUNDED = _BoundedPolicy()
