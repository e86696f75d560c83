"""Any single change to what is stored is found; what nobody touched verifies (Art. 5(2))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.evidence.log_check import check_log
from adapters.evidence.trettio_verify import (
    Event,
    Fault,
    check_statements,
    read_statements,
)
from adapters.outbound.checkpoints import Kind, signed
from domain.evidence_chain import GENESIS, Entry, folded, links_of
from tests.support.chained import KEY, NEXT, ring

INCARNATION = UUID(int=7)
AT = datetime(2027, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """All that a database holds of a log and its chain."""

    events: tuple[Event, ...]
    links: tuple[tuple[int, bytes], ...]
    lines: tuple[str, ...]

    def faults(self) -> Sequence[Fault]:
        statements, faults = read_statements(self.lines)
        trusted = {ring(KEY).current.fingerprint}
        faults += check_statements(statements, trusted, whole=True)[1]
        return [*faults, *check_log(self.events, self.links, statements)]


@st.composite
def logs(draw: st.DrawFn) -> Stored:
    """Events and gaps, statements now and then, perhaps a change of keys; the end is signed."""
    steps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=12))
    entries, position = [], 0
    for version, step in enumerate(steps, start=1):
        position += step
        aggregate = UUID(int=draw(st.integers(1, 3)))
        state = draw(st.binary(max_size=6))
        entries.append(Entry(position, aggregate, version, "a.b", AT, state))
    links = list(links_of(0, entries))
    keys, last, head = ring(KEY), None, GENESIS
    made = [signed(keys.current, kind=Kind.KEY, after=None, **_facts(0, head))]
    for place, link in enumerate(links):
        last, head = made[-1], folded(head, [link])
        is_signed = draw(st.booleans())
        if is_signed or place == len(links) - 1:
            facts = _facts(link.position, head)
            is_checkpoint = draw(st.booleans())
            if keys.older or is_checkpoint:
                made.append(signed(keys.current, kind=Kind.CHECKPOINT, after=last, **facts))
            else:
                old, keys = keys.current, ring(NEXT, KEY)
                made.append(signed(keys.current, kind=Kind.KEY, after=last, vouching=old, **facts))
    return Stored(
        tuple(
            Event(e.position, e.aggregate_id, e.version, e.topic, e.recorded_at, e.state)
            for e in entries
        ),
        tuple((one.position, one.digest) for one in links),
        tuple(one.line for one in made),
    )


def _facts(position: int, head: bytes) -> dict[str, Any]:
    return {"incarnation": INCARNATION, "position": position, "head": head, "at": AT}


@given(logs())
@settings(max_examples=60, deadline=None)
def test_what_nobody_touched_verifies(stored: Stored) -> None:
    assert stored.faults() == []


@given(logs(), st.data())
@settings(max_examples=150, deadline=None)
def test_any_single_change_is_found(stored: Stored, data: st.DataObject) -> None:
    change = data.draw(st.sampled_from((_an_event, _a_link, _a_statement, _out, _swapped)))

    spoiled = change(stored, data)
    assert spoiled == stored or spoiled.faults() != []


def _an_event(stored: Stored, data: st.DataObject) -> Stored:
    place = data.draw(st.integers(0, len(stored.events) - 1))
    event = stored.events[place]
    changed = data.draw(
        st.sampled_from(
            (
                event._replace(state=_flipped(event.state, data)),
                event._replace(topic="a.c"),
                event._replace(version=event.version + 1),
                event._replace(recorded_at=event.recorded_at + timedelta(microseconds=1)),
                event._replace(aggregate=UUID(int=event.aggregate.int ^ 4)),
                event._replace(position=event.position + 100),
            )
        )
    )
    events = [*stored.events[:place], changed, *stored.events[place + 1 :]]
    return replace(stored, events=tuple(sorted(events, key=lambda one: one.position)))


def _a_link(stored: Stored, data: st.DataObject) -> Stored:
    place = data.draw(st.integers(0, len(stored.links) - 1))
    position, link = stored.links[place]
    links = (*stored.links[:place], (position, _flipped(link, data)), *stored.links[place + 1 :])
    return replace(stored, links=links)


def _a_statement(stored: Stored, data: st.DataObject) -> Stored:
    place = data.draw(st.integers(0, len(stored.lines) - 1))
    line = _flipped(stored.lines[place].encode(), data).decode("latin-1")
    return replace(stored, lines=(*stored.lines[:place], line, *stored.lines[place + 1 :]))


def _out(stored: Stored, data: st.DataObject) -> Stored:
    place = data.draw(st.integers(0, len(stored.events) - 1))
    return replace(stored, events=stored.events[:place] + stored.events[place + 1 :])


def _swapped(stored: Stored, data: st.DataObject) -> Stored:
    one, other = (data.draw(st.integers(0, len(stored.events) - 1)) for _ in range(2))
    events = list(stored.events)
    events[one] = stored.events[one]._replace(state=stored.events[other].state)
    events[other] = stored.events[other]._replace(state=stored.events[one].state)
    return replace(stored, events=tuple(events))


def _flipped(content: bytes, data: st.DataObject) -> bytes:
    """One bit of it, or one byte more where there is none."""
    if not content:
        return b"\0"
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    place, mask = divmod(bit, 8)
    return content[:place] + bytes([content[place] ^ (1 << mask)]) + content[place + 1 :]
