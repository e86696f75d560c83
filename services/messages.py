"""What a channel hands over: one incoming message, already read, bounded and harmless.

The moment of arrival is what starts the clock (Art. 12(3)), so a message says where it got it from.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.vocabulary import ReceiptSource
from services.ports import Attachment


class Nature(Enum):
    """Who wrote it (RFC 3834): only what a person wrote opens a case and gets an answer."""

    PERSONAL = "personal"
    AUTOMATIC_REPLY = "automatic-reply"
    BOUNCE = "bounce"
    LIST = "list"
    LOOP = "loop"


@dataclass(frozen=True)
class IncomingMessage:
    """One message, its names and subject on one line each, without control characters.

    `truncated` says that something in it was too large, too many or too deep to be taken over, so
    that a person opens the original; `raw_sha256` says which original that is.
    """

    sender_name: str
    sender_address: str
    to: tuple[str, ...]
    subject: str
    text: str
    attachments: tuple[Attachment, ...]
    message_id: str | None
    in_reply_to: str | None
    received_at: datetime
    received_at_source: ReceiptSource
    nature: Nature
    raw_sha256: str
    truncated: bool

    @property
    def own_words(self) -> str:
        """The text without quoted history and signature: what triage should read."""
        return own_words(self.text, forwarded=is_forwarded(self.subject))


FORWARDED = re.compile(
    r"\s*(?:fwd?|vs|vb|videresendt|vidaresendt|vidarebefordrat)\s*:", re.IGNORECASE
)
LONGEST_MARKER = 300

# "On 3 Nov 2026 at 10:22, N. N. wrote:", in the four languages. A date or an address must be there,
# because "you wrote:" is something people say themselves; so is "on 3 November I wrote:".
_WROTE = re.compile(r"(?<!\bi )\b(?:wrote|skrev|skreiv)\b(?! (?:jeg|eg|jag|vi)\b)", re.IGNORECASE)
_DATED = re.compile(r"\d{4}|\d{1,2}[.:]\d{2}|@")
_OPENING = re.compile(r"(?:on|den|på)\b.*\d", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"\s*-{2,}\s*(?:original message|opprinnelig melding|opphavleg melding|"
    r"ursprungligt meddelande|oprindelig meddelelse)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FROM_LINE = re.compile(r"\s*\*?(?:from|fra|frå|från)\s*:\*?\s*\S.*", re.IGNORECASE)
_HEADER_LINE = re.compile(
    r"\s*\*?(?:sent|sendt|skickat|date|dato|datum|to|til|till|subject|emne|ämne|cc|kopi)\s*:\*?.*",
    re.IGNORECASE,
)
_DEVICE_LINE = re.compile(
    r"\s*(?:sendt fr[aå] (?:min|outlook|mobil)|skickat från (?:min|outlook|mobil)|"
    r"sent from (?:my|outlook|mail)|hent outlook|hämta outlook|get outlook)\b.*",
    re.IGNORECASE,
)


def is_forwarded(subject: str) -> bool:
    return FORWARDED.match(subject) is not None


def own_words(text: str, *, forwarded: bool = False) -> str:
    """What the sender wrote, or the whole text where that leaves nothing.

    In a forwarded message the quoted part is the message, so it stays.
    """
    lines = text.split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _DEVICE_LINE.fullmatch(line[:LONGEST_MARKER]):
            continue
        if not forwarded:
            if line.lstrip().startswith(">"):
                continue
            if line.rstrip() == "--" and any(one.strip() for one in kept):
                break
            if _history_starts(lines, number):
                break
        kept.append(line)
    return "\n".join(kept).strip() or text.strip()


def _history_starts(lines: list[str], number: int) -> bool:
    line = lines[number][:LONGEST_MARKER].strip()
    if not line:
        return False
    if _SEPARATOR.fullmatch(line):
        return True
    if _FROM_LINE.fullmatch(line):
        below = lines[number + 1 : number + 5]
        return sum(_HEADER_LINE.fullmatch(one[:LONGEST_MARKER]) is not None for one in below) > 1
    introduction = line
    for continued in [*lines[number + 1 : number + 3], ""]:
        if introduction.endswith(":"):
            return bool(_WROTE.search(introduction) and _DATED.search(introduction))
        # Mail programs break the introduction where it gets too long; people end a line above it.
        if not continued.strip() or not _OPENING.match(line):
            return False
        introduction = f"{introduction} {continued.strip()}"[:LONGEST_MARKER]
    return False
