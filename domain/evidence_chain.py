"""The evidence chain: every event of the log, in order, folded into one digest (GDPR Art. 5(2)).

Each event becomes a link: a digest of where it stands, what it is and what it says. A run of
positions that nothing can fill any more becomes a link too, so that an event which appears there
later is found. Whoever knows a link learns nothing about the event behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from uuid import UUID

GENESIS = sha256(b"trettio evidence chain 1").digest()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_EVENT = Struct(">cq16sqqH")
_GAP = Struct(">cqq")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it is stored."""

    position: int
    aggregate_id: UUID
    version: int
    topic: str
    recorded_at: datetime
    state: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain: an event, or a gap that reaches up to a position."""

    position: int
    digest: bytes


def event_link(entry: Entry) -> Link:
    topic = entry.topic.encode()
    fixed = _EVENT.pack(
        b"E",
        entry.position,
        entry.aggregate_id.bytes,
        entry.version,
        (entry.recorded_at - EPOCH) // timedelta(microseconds=1),
        len(topic),
    )
    return Link(entry.position, sha256(fixed + topic + sha256(entry.state).digest()).digest())


def gap_link(first: int, last: int) -> Link:
    return Link(last, sha256(_GAP.pack(b"G", first, last)).digest())


def links_of(after: int, entries: Iterable[Entry]) -> Iterator[Link]:
    """The links of everything that follows a position, its gaps among them."""
    for entry in entries:
        if entry.position > after + 1:
            yield gap_link(after + 1, entry.position - 1)
        yield event_link(entry)
        after = entry.position


def folded(head: bytes, links: Iterable[Link]) -> bytes:
    """The head of the chain once these links have followed."""
    for link in links:
        head = sha256(b"L" + head + link.digest).digest()
    return head
