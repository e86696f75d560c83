"""Reads a raw mail (RFC 5322, MIME) from anybody into an `IncomingMessage`.

Nothing in a mail is trusted: every part is bounded, whatever cannot be understood is left out or
kept as a file, and only a Received header that a trusted host wrote on top says when it arrived.

The older `compat32` policy of the standard library is used on purpose: the newer one raises on
malformed headers, recurses on nested comments and takes ten times as long.
"""

import codecs
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime
from typing import TypeVar

from adapters.inbound.html_text import text_from_html
from domain.errors import DomainError
from domain.vocabulary import LetterKind, ReceiptSource
from services.messages import IncomingMessage, Nature
from services.ports import Attachment

MAX_MESSAGE_BYTES = 50_000_000
MAX_HEADER_CHARS = 8_000
MAX_TEXT_CHARS = 200_000
MAX_ATTACHMENT_BYTES = 30_000_000
MAX_ATTACHMENTS = 50
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_CONTAINERS = 100
MAX_COMPARISONS = 20_000_000
MAX_BOUNDARY_LINES = 20_000
MAX_SUBJECT_CHARS = 500
MAX_NAME_CHARS = 200
MAX_FILE_NAME_CHARS = 120
MAX_ADDRESS_CHARS = 254
MAX_ID_CHARS = 500
MAX_RECIPIENTS = 50

CLOCK_SKEW = timedelta(minutes=10)
OLDEST_RECEIPT = timedelta(days=3653)
OLDEST_SENDER_DATE = timedelta(days=366)

T = TypeVar("T")


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
    headers = _Headers(message)
    text = _clean_text("\n\n".join(one for one in content.texts if one.strip()))
    received_at, source = _moment(headers, trusted_hosts, now)
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
        nature=_nature(headers, content, text),
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


def _read(raw: bytes) -> tuple[Message, "_Content"]:
    if _is_affordable(raw):
        with suppress(RecursionError):
            message = message_from_bytes(raw, policy=_BOUNDED)
            content = _Content()
            content.take(message, depth=0)
            if content.texts or content.attachments or not content.truncated:
                return message, content
    # More parts or deeper than any mail program makes them: a person reads it from the file.
    message = BytesHeaderParser(policy=_BOUNDED).parsebytes(raw)
    return message, _unopened(message, raw)


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


# Characters


# Controls, bidirectional marks and overrides, invisible separators, tag characters, surrogates.
_UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
_UNSEEN_CHARACTERS = re.compile(f"[{_UNSEEN}]")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")


def _clean_text(text: str) -> str:
    return _UNSEEN_CHARACTERS.sub("", _LINE_BREAK.sub("\n", text)).strip()


def _clean_line(text: str, limit: int) -> str:
    line = _UNSEEN_CHARACTERS.sub("", _SPACES.sub(" ", _LINE_BREAK.sub(" ", text)))
    return _SPACES.sub(" ", line).strip()[:limit].strip()


# Some codecs Python knows are no character sets, or take time that grows with the square.
_CHARACTER_SET = re.compile(
    r"us-ascii|ascii|utf-?(?:8|16|16le|16be|32)|iso-?8859-?\d+|latin-?\d+|windows-?\d+|cp\d+|"
    r"mac(?:intosh|-?roman)|koi8-?[ru]|big5|gb2312|gbk|gb18030|shift-?jis|euc-?(?:jp|kr)|"
    r"iso-?2022-?jp"
)
_WESTERN = re.compile(r"(?:us-)?ascii|iso-?8859-?1|latin-?1|(?:windows-?|cp)1252")


def _decode(content: bytes, charset: str) -> str:
    """Decode as declared, and where that is evidently wrong as UTF-8, then as Windows-1252."""
    name = charset.strip().lower().replace("_", "-")
    # What calls itself Latin-1 or ASCII but is valid UTF-8 beyond ASCII is UTF-8.
    is_guess = _WESTERN.fullmatch(name) or not _CHARACTER_SET.fullmatch(name)
    tries = ["utf-8"] if is_guess else [name, "utf-8"]
    for one in tries:
        try:
            return codecs.decode(content, one)
        except (LookupError, ValueError):
            continue
    return content.decode("windows-1252", "replace")


def _or(default: T, attempt: Callable[[], T]) -> T:
    """The attempt's result, or the default: the library raises many things at broken headers."""
    try:
        return attempt()
    except Exception:
        return default


def _decode_words(value: str) -> str:
    """Decode encoded words (RFC 2047); raw eight-bit characters are guessed."""
    text = _decode(value.encode("utf-8", "surrogateescape"), "")
    if "=?" not in text:
        return text
    # What stands between encoded words comes back in the library's own escaping.
    return "".join(
        piece
        if isinstance(piece, str)
        else _decode(piece, charset)
        if charset
        else piece.decode("raw-unicode-escape", "replace")
        for piece, charset in _or([(text, None)], lambda: decode_header(text))
    )


# Headers


_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@]+@[^\s<>()\[\],;:\\\"@]+")
_IDENTIFIER = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")


# What mail servers write down of the envelope comes before what the sender wrote.
_TO = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")


class _Headers:
    """The headers of the message itself, raw, without the parser's interpretation of them."""

    def __init__(self, message: Message) -> None:
        self.content_type = _or("text/plain", message.get_content_type)
        self.report_type = str(_or(None, lambda: message.get_param("report-type")) or "").lower()
        self.values: dict[str, list[str]] = {}
        self.truncated = False
        for name, value in message.raw_items():
            self.values.setdefault(name.lower(), []).append(str(value))
            self.truncated |= len(str(value)) > MAX_HEADER_CHARS

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def first(self, name: str) -> str:
        """The topmost value, unfolded, or nothing."""
        return _LINE_BREAK.sub(" ", self.values.get(name, [""])[0].replace("\n", " ")).strip()

    def token(self, name: str) -> str:
        """The value's first word in lower case, without parameters and comments."""
        words = _without_comments(self.first(name)).replace(";", " ").lower().split()
        return words[0] if words else ""

    def line(self, name: str, limit: int) -> str:
        return _clean_line(_decode_words(self.first(name)), limit)

    def identifier(self, name: str) -> str | None:
        found = _IDENTIFIER.search(self.first(name))
        return found.group()[:MAX_ID_CHARS] if found else None

    def sender(self) -> tuple[str, str]:
        for name in ("from", "sender", "reply-to", "return-path"):
            for shown, address in self.mailboxes(name):
                return shown, address
        return self.line("from", MAX_NAME_CHARS), ""

    def recipients(self) -> tuple[str, ...]:
        found = (address for name in _TO for _, address in self.mailboxes(name))
        return tuple(dict.fromkeys(found))[:MAX_RECIPIENTS]

    def mailboxes(self, name: str) -> Iterator[tuple[str, str]]:
        # Addresses are read before encoded words are decoded, so that no name can hide one.
        raw = self.first(name)
        pairs: list[tuple[str, str]] = _or([], lambda: getaddresses([raw]))
        usable = [(shown, address) for shown, address in pairs if _ADDRESS.fullmatch(address)]
        if not usable:
            usable = [(raw.partition("<")[0], one) for one in _ADDRESS.findall(raw)[:1]]
        for shown, address in usable:
            clean = _clean_line(_decode(address.encode("utf-8", "surrogateescape"), ""), 1_000)
            if len(clean) <= MAX_ADDRESS_CHARS:
                name_shown = _clean_line(_decode_words(shown.strip().strip('"')), MAX_NAME_CHARS)
                yield name_shown, clean


def _without_comments(value: str) -> str:
    """The value without its parenthesised comments, which may be nested (RFC 5322, 3.2.2)."""
    depth = 0
    kept: list[str] = []
    for character in value:
        if character == "(":
            depth += 1
            kept.append(" ")
        elif character == ")":
            depth = max(0, depth - 1)
        elif not depth:
            kept.append(character)
    return "".join(kept)


# The moment of arrival


def _moment(
    headers: _Headers, trusted_hosts: Sequence[str], now: datetime
) -> tuple[datetime, ReceiptSource]:
    # Each host writes its Received line above the others', so only the topmost is beyond the
    # sender's reach. Below a host that is not trusted anything may be forged: nothing is skipped.
    topmost = headers.first("received")
    if topmost and _is_trusted(_by_host(topmost), trusted_hosts):
        stamped = _instant(topmost.rpartition(";")[2])
        if stamped and now - OLDEST_RECEIPT <= stamped <= now + CLOCK_SKEW:
            return min(stamped, now.astimezone(UTC)), ReceiptSource.RECEIVED_HEADER
    sent = _instant(headers.first("date"))
    if sent and now - OLDEST_SENDER_DATE <= sent <= now:
        return sent, ReceiptSource.SENDER_DATE
    return now.astimezone(UTC), ReceiptSource.ARRIVAL


def _by_host(received: str) -> str | None:
    words = _without_comments(received).partition(";")[0].split()
    # "from" is followed by what the sender called itself, which may be the word "by".
    start = 2 if words[:1] and words[0].lower() == "from" else 0
    found = [i for i, word in enumerate(words) if i >= start and word.lower() == "by"]
    if len(found) != 1 or found[0] + 1 >= len(words):
        return None
    return words[found[0] + 1].strip("[].,").lower()


def _is_trusted(host: str | None, trusted_hosts: Sequence[str]) -> bool:
    if not host:
        return False
    return any(
        host.endswith(trusted.lower()) if trusted.startswith(".") else host == trusted.lower()
        for trusted in trusted_hosts
        if trusted.strip(".")
    )


def _instant(value: str) -> datetime | None:
    """An RFC 5322 date in UTC; one without a zone is meant in UTC."""
    moment = _or(None, lambda: parsedate_to_datetime(_without_comments(value).strip()))
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _or(None, lambda: aware.astimezone(UTC))


# Nature


_OUT_OF_OFFICE = re.compile(
    r"\s*(?:automatiskt? svar|autosvar|fraværsmelding|fråværsmelding|ikk(?:j)?e på kontoret|"
    r"på ferie|frånvaromeddelande|frånvarande|ej på plats|automatic reply|auto[- ]?reply|auto:|"
    r"out of (?:the )?office|on (?:holiday|leave))",
    re.IGNORECASE,
)
_UNDELIVERABLE = re.compile(
    r"\s*(?:undeliver(?:able|ed)|delivery status notification|mail delivery (?:failed|failure)|"
    r"returned mail|failure notice|kan ikke leveres|kunne ikke leveres|ulever(?:bar|t)|"
    r"kan inte levereras|kunde inte levereras|oleverer(?:bart|at))",
    re.IGNORECASE,
)


_PASSED_ON = frozenset(
    {LetterKind.OTHER_CONTROLLER.value, LetterKind.DOCUMENT_ACCESS_PASSED_ON.value}
)


def _nature(headers: _Headers, content: "_Content", text: str) -> Nature:
    if "x-trettio" in headers:
        # What another organisation's Trettio passes on is a person's message, with their words.
        passed_on = headers.token("x-trettio") in _PASSED_ON
        return Nature.PERSONAL if passed_on else Nature.LOOP
    local_part = headers.sender()[1].partition("@")[0].lower()
    subject = headers.line("subject", MAX_SUBJECT_CHARS)
    no_return = headers.first("return-path").replace(" ", "") == "<>"
    if headers.content_type == "multipart/report":
        is_receipt = headers.report_type == "disposition-notification"
        return Nature.AUTOMATIC_REPLY if is_receipt else Nature.BOUNCE
    if (
        local_part == "mailer-daemon"
        or "x-failed-recipients" in headers
        or ((local_part == "postmaster" or no_return) and _UNDELIVERABLE.match(subject))
    ):
        return Nature.BOUNCE
    if _answers_by_itself(headers, subject, no_return=no_return):
        return Nature.AUTOMATIC_REPLY
    if content.calendar_reply and len(text) <= LONGEST_CALENDAR_NOTE:
        return Nature.AUTOMATIC_REPLY
    if no_return:
        return Nature.BOUNCE
    if {"list-id", "list-unsubscribe", "list-post"} & headers.values.keys() or headers.token(
        "precedence"
    ) in {"list", "bulk"}:
        return Nature.LIST
    return Nature.PERSONAL


LONGEST_CALENDAR_NOTE = 200


def _answers_by_itself(headers: _Headers, subject: str, *, no_return: bool) -> bool:
    if headers.token("auto-submitted") not in {"", "no"}:
        return True
    precedence = headers.token("precedence")
    if precedence in {"junk", "auto_reply"}:
        return True
    if {"x-autoreply", "x-autorespond", "x-autoresponder"} & headers.values.keys():
        return True
    # Neither of these is enough alone: people write "on holiday" too, and some mail systems
    # suppress automatic replies to everything they send.
    suppressed = headers.token("x-auto-response-suppress") not in {"", "none"}
    return _OUT_OF_OFFICE.match(subject) is not None and (
        suppressed or no_return or precedence == "bulk"
    )


# Parts


_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/plain": ".txt",
    "text/html": ".html",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "application/pdf": ".pdf",
}


@dataclass
class _Content:
    """What has been taken out of the parts so far."""

    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    truncated: bool = False
    calendar_reply: bool = False
    parts: int = 0

    def take(self, part: Message, *, depth: int) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS or depth > MAX_DEPTH:
            self.truncated = True
            return
        media_type = _or("application/octet-stream", part.get_content_type)
        children = _children(part)
        if media_type.startswith("multipart/") and children:
            if media_type == "multipart/alternative":
                self.take_one_of(children, depth=depth + 1)
            else:
                for child in children:
                    self.take(child, depth=depth + 1)
        elif media_type in {"text/plain", "text/html"} and not self.is_file(part):
            self.texts.append(self.text_of(part, media_type))
        elif media_type.startswith("multipart/"):
            self.texts.append(self.text_of(part, "text/plain"))
        else:
            self.attach(part, media_type)

    def take_one_of(self, children: list[Message], *, depth: int) -> None:
        """Plain text where there is any, otherwise the other form; never both."""
        chosen = _Content(parts=self.parts)
        for child in children:
            is_text = _or("", child.get_content_type) == "text/plain"
            if is_text and not chosen.texts and not self.is_file(child):
                text = chosen.text_of(child, "text/plain")
                if text.strip():
                    chosen.texts.append(text)
        for child in children:
            media_type = _or("", child.get_content_type)
            if media_type == "text/plain" and not self.is_file(child):
                continue
            other = _Content(parts=chosen.parts)
            other.take(child, depth=depth)
            if chosen.texts:
                other.texts = []
            chosen.merge(other)
        self.merge(chosen)

    def merge(self, other: "_Content") -> None:
        self.parts = max(self.parts, other.parts)
        self.texts += other.texts
        room = MAX_ATTACHMENTS - len(self.attachments)
        self.truncated |= other.truncated or len(other.attachments) > room
        self.attachments += other.attachments[:room]
        self.calendar_reply |= other.calendar_reply

    def text_of(self, part: Message, media_type: str) -> str:
        content = _bytes_of(part)
        charset = str(_or(None, part.get_content_charset) or "")
        limit = 4 * MAX_TEXT_CHARS
        if len(content) > limit:
            self.truncated = True
        text = _decode_start(content, charset, limit)
        return text_from_html(text) if media_type == "text/html" else text

    def is_file(self, part: Message) -> bool:
        return _or(None, part.get_content_disposition) == "attachment"

    def attach(self, part: Message, media_type: str) -> None:
        if len(self.attachments) >= MAX_ATTACHMENTS:
            self.truncated = True
            return
        content = _bytes_of(part)
        if media_type == "text/calendar":
            method = str(_or(None, lambda: part.get_param("method")) or "").upper()
            self.calendar_reply |= method == "REPLY"
        if not _MEDIA_TYPE.fullmatch(media_type):
            media_type = "application/octet-stream"
        self.truncated |= len(content) > MAX_ATTACHMENT_BYTES
        self.attachments.append(
            Attachment(
                name=_file_name(part, media_type, len(self.attachments) + 1),
                media_type=media_type,
                content=content[:MAX_ATTACHMENT_BYTES],
            )
        )


def _decode_start(content: bytes, charset: str, limit: int) -> str:
    text = _decode(content[:limit], charset)
    # A cut through the middle of a character must not turn the rest into another character set.
    if len(content) > limit and "\ufffd" not in text:
        for shorter in range(limit - 1, limit - 4, -1):
            try:
                return content[:shorter].decode("utf-8")
            except UnicodeDecodeError:
                continue
    return text


def _children(part: Message) -> list[Message]:
    # Only of a multipart: asking for a text this way decodes it, and that may raise.
    payload = part.get_payload() if part.is_multipart() else []
    return [one for one in payload if isinstance(one, Message)]


def _bytes_of(part: Message) -> bytes:
    if children := _children(part):
        # An attached mail, or the header blocks of a delivery report. A forbidden but common
        # transfer encoding of an attached mail leaves its text where its body should be.
        inner = children[0]
        encoding = str(_or(None, lambda: part.get("content-transfer-encoding")) or "").lower()
        if encoding in {"base64", "quoted-printable"} and not inner.keys():
            inner["Content-Transfer-Encoding"] = encoding
            return _or(b"", lambda: bytes(inner.get_payload(decode=True)))
        return b"\n".join(_or(b"", one.as_bytes) for one in children)
    decoded = _or(None, lambda: part.get_payload(decode=True))
    if isinstance(decoded, bytes):
        return decoded
    payload = _or("", lambda: str(part.get_payload() or ""))
    return payload.encode("utf-8", "surrogateescape")


def _file_name(part: Message, media_type: str, number: int) -> str:
    def declared() -> str:
        for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
            if value := part.get_param(parameter, header=header):
                return collapse_rfc2231_value(value)
        return ""

    name = _clean_line(_decode_words(_or("", declared)), 1_000)
    name = name.replace("\\", "/").rpartition("/")[2].lstrip(". ")
    if not name:
        return f"attachment-{number}{_EXTENSIONS.get(media_type, '')}"
    if len(name) > MAX_FILE_NAME_CHARS:
        stem, dot, extension = name.rpartition(".")
        extension = dot + extension if dot and len(extension) <= 10 else ""
        name = (stem if extension else name)[: MAX_FILE_NAME_CHARS - len(extension)] + extension
    return name


def _unopened(message: Message, raw: bytes) -> _Content:
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1][:MAX_TEXT_CHARS]
    return _Content(
        texts=[_decode(body, str(_or(None, message.get_content_charset) or ""))],
        attachments=[Attachment("message.eml", "message/rfc822", raw[:MAX_ATTACHMENT_BYTES])],
        truncated=True,
    )
