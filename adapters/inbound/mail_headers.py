"""The headers of a mail as they stand, and the moment of arrival that a trusted host wrote."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from adapters.inbound.mail_characters import LINE_BREAK, clean_line, decode, decode_words, tried
from domain.vocabulary import ReceiptSource

MAX_HEADER_CHARS = 8_000
MAX_NAME_CHARS = 200
MAX_ADDRESS_CHARS = 254
MAX_ID_CHARS = 500
MAX_RECIPIENTS = 50

CLOCK_SKEW = timedelta(minutes=10)
OLDEST_RECEIPT = timedelta(days=3653)
OLDEST_SENDER_DATE = timedelta(days=366)

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@]+@[^\s<>()\[\],;:\\\"@]+")
_IDENTIFIER = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")


# What mail servers write down of the envelope comes before what the sender wrote.
_TO = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")


class Headers:
    """The headers of the message itself, raw, without the parser's interpretation of them."""

    def __init__(self, message: Message) -> None:
        self.content_type = tried("text/plain", message.get_content_type)
        self.report_type = str(tried(None, lambda: message.get_param("report-type")) or "").lower()
        self.values: dict[str, list[str]] = {}
        self.truncated = False
        for name, value in message.raw_items():
            self.values.setdefault(name.lower(), []).append(str(value))
            self.truncated |= len(str(value)) > MAX_HEADER_CHARS

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def first(self, name: str) -> str:
        """The topmost value, unfolded, or nothing."""
        return LINE_BREAK.sub(" ", self.values.get(name, [""])[0].replace("\n", " ")).strip()

    def token(self, name: str) -> str:
        """The value's first word in lower case, without parameters and comments."""
        words = without_comments(self.first(name)).replace(";", " ").lower().split()
        return words[0] if words else ""

    def line(self, name: str, limit: int) -> str:
        return clean_line(decode_words(self.first(name)), limit)

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
        pairs: list[tuple[str, str]] = tried([], lambda: getaddresses([raw]))
        usable = [(shown, address) for shown, address in pairs if _ADDRESS.fullmatch(address)]
        if not usable:
            usable = [(raw.partition("<")[0], one) for one in _ADDRESS.findall(raw)[:1]]
        for shown, address in usable:
            clean = clean_line(decode(address.encode("utf-8", "surrogateescape"), ""), 1_000)
            if len(clean) <= MAX_ADDRESS_CHARS:
                name_shown = clean_line(decode_words(shown.strip().strip('"')), MAX_NAME_CHARS)
                yield name_shown, clean


def without_comments(value: str) -> str:
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


def moment_of(
    headers: Headers, trusted_hosts: Sequence[str], now: datetime
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
    words = without_comments(received).partition(";")[0].split()
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
    moment = tried(None, lambda: parsedate_to_datetime(without_comments(value).strip()))
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return tried(None, lambda: aware.astimezone(UTC))
