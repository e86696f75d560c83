"""What a whole log must be by its chain, and the chain by its signed statements (Art. 5(2)).

Like `trettio_verify.py` it shares no code with what writes them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adapters.evidence.trettio_verify import Event, Fault, event_link, in_force, next_head

GENESIS = hashlib.sha256(b"trettio evidence chain 1").digest()


def gap_link(first: int, last: int) -> bytes:
    return hashlib.sha256(struct.pack(">cqq", b"G", first, last)).digest()


def check_log(
    events: Iterable[Event],
    links: Iterable[tuple[int, bytes]],
    statements: Sequence[dict[str, Any]],
) -> Iterator[Fault]:
    """A whole log against the links that were kept of it, and these against the statements."""
    rest, head, last = iter(events), GENESIS, 0
    event = next(rest, None)
    signed = [one for one in reversed(in_force(statements)) if one["position"] > 0]
    for position, link in links:
        while event is not None and event.position < position:
            yield Fault(f"position {event.position}", "an event stands where none was recorded")
            event = next(rest, None)
        if event is None or event.position > position:
            if link != gap_link(last + 1, position):
                yield Fault(f"position {position}", "the event that was recorded here is missing")
        else:
            if link == gap_link(last + 1, position):
                yield Fault(f"position {position}", "an event stands where none was recorded")
            elif link != event_link(event):
                yield Fault(f"position {position}", "the event is not what was recorded here")
            event = next(rest, None)
        head, last = next_head(head, link), position
        while signed and signed[-1]["position"] <= position:
            one = signed.pop()
            if one["position"] < position or one["head"] != head.hex():
                what = f"the links up to here are not those that statement {one['number']} signs"
                yield Fault(f"position {one['position']}", what)
                head = bytes.fromhex(one["head"])
    for one in reversed(signed):
        what = f"the chain ends at {last}, and statement {one['number']} signs it up to here"
        yield Fault(f"position {one['position']}", what)
    while event is not None:
        yield Fault(f"position {event.position}", "the event is not in the chain")
        event = next(rest, None)
