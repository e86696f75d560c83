"""A letter as an Internet message that no automatic reply answers (RFC 5322, RFC 3834)."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from hashlib import sha256

from domain.vocabulary import LetterKind
from services.ports import OutgoingMail, Refused

LOOP_HEADER = "X-Trettio"
"""Carried by everything we send, so that we know our own mail when it comes back."""

_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+>", re.ASCII)
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_MESSAGE_ID = 900


def _policy() -> EmailPolicy[EmailMessage]:
    """As the library has it, but ids we answer stay whole; it would fold and encode long ones."""
    registry = HeaderRegistry()
    for name in ("in-reply-to", "references"):
        # Header classes are mixed with BaseHeader when used; typeshed wants it mixed before.
        registry.map_to_type(name, MessageIDHeader)  # type: ignore[arg-type]
    return SMTP.clone(header_factory=registry)


_POLICY = _policy()


def message(mail: OutgoingMail, at: datetime) -> EmailMessage:
    """The mail as text and HTML from the same letter; the same key gives the same Message-ID."""
    sender, recipient = _sender(mail.sender), _recipient(mail.recipient)
    built = EmailMessage(policy=_POLICY)
    try:
        built["From"] = sender
        built["To"] = recipient
        built["Subject"] = _one_line(mail.subject)
        built["Date"] = at
        built["Message-ID"] = f"<{key_hash(mail.key)}@{sender.domain}>"
        if answered := _message_id(mail.in_reply_to):
            built["In-Reply-To"] = answered
            built["References"] = answered
        built["Auto-Submitted"] = _auto_submitted(mail)
        # Not "All": that would silence the bounces, and an undelivered answer must be seen.
        built["X-Auto-Response-Suppress"] = "OOF, AutoReply"
        built[LOOP_HEADER] = mail.kind.value
        built.set_content(mail.text, cte="quoted-printable")
        built.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        for attachment in mail.attachments:
            maintype, _, subtype = attachment.media_type.partition("/")
            built.add_attachment(
                attachment.content,
                maintype=maintype,
                subtype=subtype or "octet-stream",
                filename=_one_line(attachment.name),
            )
    except (MessageError, ValueError) as error:
        # The library's own words may quote the address.
        raise Refused(f"mail cannot be written ({type(error).__name__})") from None
    return built


def key_hash(key: str) -> str:
    """What a mail's key looks like outside: the key may name a case, the hash does not."""
    return sha256(key.encode()).hexdigest()[:40]


def _auto_submitted(mail: OutgoingMail) -> str:
    answers_at_once = mail.kind in {LetterKind.ACKNOWLEDGEMENT, LetterKind.IDENTITY_CODE}
    return "auto-replied" if answers_at_once and mail.in_reply_to else "auto-generated"


def _sender(text: str) -> Address:
    name, bracket, rest = text.rpartition("<")
    if not bracket:
        return _address(text.strip(), "sender")
    if not rest.endswith(">") or "<" in name:
        raise Refused("sender is not a mail address")
    return _address(rest[:-1], "sender", name.strip().strip('"'))


def _recipient(text: str) -> Address:
    return _address(text.strip(), "recipient")


def _address(spec: str, whose: str, name: str = "") -> Address:
    if not _ADDRESS.fullmatch(spec) or _CONTROLS.search(spec + name):
        raise Refused(f"{whose} is not a mail address")
    local, _, domain = spec.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        return Address(name, username=local, domain=ascii_domain)
    except (UnicodeError, ValueError, IndexError, MessageError):
        raise Refused(f"{whose} is not a mail address") from None


def _message_id(text: str | None) -> str | None:
    """The id we answer, when it is one; a malformed one is not worth refusing the letter for."""
    if text is None or len(text) > _LONGEST_MESSAGE_ID:
        return None
    found = _MESSAGE_ID.fullmatch(text.strip())
    return found.group() if found else None


def _one_line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()
