"""The parts of a mail: its text, once, and its files, each bounded (RFC 2045, 2046, 2183)."""

import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

from adapters.inbound.html_text import text_from_html
from adapters.inbound.mail_characters import clean_line, decode, decode_words, tried
from services.ports import Attachment

MAX_TEXT_CHARS = 200_000
MAX_ATTACHMENT_BYTES = 30_000_000
MAX_ATTACHMENTS = 50
MAX_PARTS = 200
MAX_DEPTH = 20
MAX_FILE_NAME_CHARS = 120

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
class Content:
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
        media_type = tried("application/octet-stream", part.get_content_type)
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
        chosen = Content(parts=self.parts)
        for child in children:
            is_text = tried("", child.get_content_type) == "text/plain"
            if is_text and not chosen.texts and not self.is_file(child):
                text = chosen.text_of(child, "text/plain")
                if text.strip():
                    chosen.texts.append(text)
        for child in children:
            media_type = tried("", child.get_content_type)
            if media_type == "text/plain" and not self.is_file(child):
                continue
            other = Content(parts=chosen.parts)
            other.take(child, depth=depth)
            if chosen.texts:
                other.texts = []
            chosen.merge(other)
        self.merge(chosen)

    def merge(self, other: "Content") -> None:
        self.parts = max(self.parts, other.parts)
        self.texts += other.texts
        room = MAX_ATTACHMENTS - len(self.attachments)
        self.truncated |= other.truncated or len(other.attachments) > room
        self.attachments += other.attachments[:room]
        self.calendar_reply |= other.calendar_reply

    def text_of(self, part: Message, media_type: str) -> str:
        content = _bytes_of(part)
        charset = str(tried(None, part.get_content_charset) or "")
        limit = 4 * MAX_TEXT_CHARS
        if len(content) > limit:
            self.truncated = True
        text = _decode_start(content, charset, limit)
        return text_from_html(text) if media_type == "text/html" else text

    def is_file(self, part: Message) -> bool:
        return tried(None, part.get_content_disposition) == "attachment"

    def attach(self, part: Message, media_type: str) -> None:
        if len(self.attachments) >= MAX_ATTACHMENTS:
            self.truncated = True
            return
        content = _bytes_of(part)
        if media_type == "text/calendar":
            method = str(tried(None, lambda: part.get_param("method")) or "").upper()
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
    text = decode(content[:limit], charset)
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
        encoding = str(tried(None, lambda: part.get("content-transfer-encoding")) or "").lower()
        if encoding in {"base64", "quoted-printable"} and not inner.keys():
            inner["Content-Transfer-Encoding"] = encoding
            return tried(b"", lambda: bytes(inner.get_payload(decode=True)))
        return b"\n".join(tried(b"", one.as_bytes) for one in children)
    decoded = tried(None, lambda: part.get_payload(decode=True))
    if isinstance(decoded, bytes):
        return decoded
    payload = tried("", lambda: str(part.get_payload() or ""))
    return payload.encode("utf-8", "surrogateescape")


def _file_name(part: Message, media_type: str, number: int) -> str:
    def declared() -> str:
        for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
            if value := part.get_param(parameter, header=header):
                return collapse_rfc2231_value(value)
        return ""

    name = clean_line(decode_words(tried("", declared)), 1_000)
    name = name.replace("\\", "/").rpartition("/")[2].lstrip(". ")
    if not name:
        return f"attachment-{number}{_EXTENSIONS.get(media_type, '')}"
    if len(name) > MAX_FILE_NAME_CHARS:
        stem, dot, extension = name.rpartition(".")
        extension = dot + extension if dot and len(extension) <= 10 else ""
        name = (stem if extension else name)[: MAX_FILE_NAME_CHARS - len(extension)] + extension
    return name


def unopened(message: Message, raw: bytes) -> Content:
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1][:MAX_TEXT_CHARS]
    return Content(
        texts=[decode(body, str(tried(None, message.get_content_charset) or ""))],
        attachments=[Attachment("message.eml", "message/rfc822", raw[:MAX_ATTACHMENT_BYTES])],
        truncated=True,
    )
