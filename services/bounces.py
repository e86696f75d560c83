"""What a mail server says became of a letter (RFC 3464): failed, only delayed, or arrived.

A letter that is late is not lost: only what failed for good puts a case back to work.
"""

from __future__ import annotations

import re
from enum import Enum

from services.messages import IncomingMessage

_FIELD = re.compile(r"^(action|status)[ \t]*:[ \t]*([^\s(;]+)", re.IGNORECASE | re.MULTILINE)
_PERSON = re.compile(r"^(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_DELAYED = re.compile(
    r"\b(?:delayed|delay|warning|forsinke[lt]|forseinka|försena[dt]|försening)\b", re.IGNORECASE
)


class Fate(Enum):
    FAILED = "failed"
    UNDECIDED = "undecided"


def fate(message: IncomingMessage) -> Fate:
    """Whether a report says that the letter failed for good; words alone are read with care."""
    reports = [
        one.content.decode("utf-8", "replace")
        for one in message.attachments
        if one.media_type in {"message/delivery-status", "message/global-delivery-status"}
    ]
    blocks = [
        block
        for report in reports
        for block in re.split(r"\n[ \t]*\n", report.replace("\r\n", "\n"))
        if _PERSON.search(block)
    ]
    if blocks:
        return Fate.FAILED if any(map(_failed, blocks)) else Fate.UNDECIDED
    return Fate.UNDECIDED if _DELAYED.search(message.subject) else Fate.FAILED


def _failed(block: str) -> bool:
    """What the action says; where it says nothing, a permanent status (RFC 3463)."""
    fields: dict[str, str] = {
        name.lower(): value.lower() for name, value in reversed(_FIELD.findall(block))
    }
    if "action" in fields:
        return fields["action"] == "failed"
    return fields.get("status", "5").startswith("5")
