"""What of the log is public, and how Kafka's messages say it.

No names, addresses or numbers, no staff, no case references that a person knows: instructions carry
ids and tokens that only their own system can match (design, section 7).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Notification

from adapters.contract.messages import (
    Envelope,
    InstructionData,
    InstructionMessage,
    KindToTreat,
    RequestData,
    RequestMessage,
    Sent,
    ToTreat,
)
from adapters.outbound.database import Database
from adapters.outbound.kafka.message import Message
from adapters.outbound.log_source import Decoder
from domain.deadlines import Deadlines
from domain.instruction import Contract, InstructedRecord, TreatedKind
from domain.many import FEW
from projections.projection import Recorded, Unreadable

LARGEST = 900_000
"""Bytes of a message; brokers take a million, envelope and all, unless told otherwise."""

_AS_RECORDED = (*("controller", "system", "verb", "purpose", "right", "ends_at", "erased_before"),)
GIVEN, REPEATED = "instruction.given", "instruction.repeated"
FACTS: Mapping[str, str] = {
    "request.received": "received",
    "request.identity-verified": "identity-verified",
    "request.verification-not-needed": "identity-verified",
    "fulfilment.planned": "planned",
    "request.deadline-extended": "extended",
    "request.data-collected": "data-collected",
    "request.fulfilled": "fulfilled",
    "request.refused": "refused",
    "request.withdrawn": "withdrawn",
    "request.closed": "closed",
    "request.reopened": "reopened",
}
"""Which events of the log are life cycle facts, and what they are called there."""
PUBLIC = frozenset({*FACTS, GIVEN, REPEATED})
_DATED = (
    *("request.received", "request.reclassified", "request.receipt-corrected"),
    *("request.deadline-extended", "request.deadline-recomputed"),
)
_WHOSE = frozenset({"request.received", "request.reclassified"})
_ARRIVED = frozenset({"request.received", "request.receipt-corrected"})
"""What tells by when a request is due; whose it is and of what right; when it arrived."""

Maker = Callable[[Recorded], Message | None]


class Telling:
    """Messages about events in order, until there are no more, or one that cannot be told."""

    def __init__(self, events: Sequence[Recorded], makers: Mapping[str, Maker]) -> None:
        self._events, self._makers = events, makers
        self.count = 0
        self.poison: int | None = None
        self.reason = ""
        """The position of an event that cannot be told, and why: what comes after it waits."""

    def __iter__(self) -> Iterator[Message]:
        for event in self._events:
            make = self._makers.get(event.topic)
            if make is None:
                continue
            try:
                message = make(event)
            except Exception as error:  # whatever is wrong with it, nothing may pass it by
                self._stop_at(event, type(error).__name__)
                return
            if message is None:
                continue
            if len(message.value) > LARGEST:
                self._stop_at(event, "too large")
                return
            self.count += 1
            yield message

    def _stop_at(self, event: Recorded, reason: str) -> None:
        self.poison, self.reason = event.position, reason


class Facts:
    """Makes messages of recorded events, always the same of the same event."""

    def __init__(self, database: Database, incarnation: UUID, decoder: Decoder) -> None:
        self._database, self._decoder = database, decoder
        self._incarnation = incarnation

    def of(self, events: Sequence[Recorded]) -> Telling:
        """The messages about these events, made one by one while others are under way."""
        return Telling(events, self._makers(events))

    def _makers(self, events: Sequence[Recorded]) -> Mapping[str, Maker]:
        """How each public event is told, with all at hand that these need."""
        by_topic: defaultdict[str, list[Recorded]] = defaultdict(list)
        for event in events:
            if event.topic in PUBLIC:
                by_topic[event.topic].append(event)
        make: dict[str, Maker] = {}
        told = [event for topic in FACTS for event in by_topic[topic]]
        if told:
            history = self._earlier(set(_requests_of(told)), _DATED)
            make |= {topic: partial(self._fact, history=history) for topic in FACTS}
        instructed = {e.originator_id for topic in (GIVEN, REPEATED) for e in by_topic[topic]}
        if instructed:
            repeated = {event.originator_id for event in by_topic[REPEATED]}
            given = self._earlier(repeated, (GIVEN,))
            given |= {event.originator_id: [event] for event in by_topic[GIVEN]}
            tell = partial(self._instruction, given=given, tokens=self._tokens(instructed))
            make |= {GIVEN: tell, REPEATED: tell}
        return make

    # Life cycle

    def _fact(self, event: Recorded, *, history: Mapping[UUID, Sequence[Recorded]]) -> Message:
        request = _request_of(event)
        known: dict[str, Any] = {}
        for earlier in history[request]:
            if earlier.position > event.position:
                break
            known["dates"] = earlier.body.dates
            if earlier.topic in _WHOSE:
                known["controller"], known["right"] = earlier.body.controller, earlier.body.right
            if earlier.topic in _ARRIVED:
                known["received_on"] = earlier.body.received_on
        dates: Deadlines = known["dates"]
        data = RequestData.model_validate(
            {
                "request": request,
                "controller": known["controller"],
                "right": known["right"],
                "fact": FACTS[event.topic],
                "received_on": known["received_on"],
                "statutory_due": dates.extended_due or dates.statutory_due,
                "promise_due": dates.promise_due,
                "target_due": dates.extended_target_due or dates.target_due,
            }
        )
        return self._message(event, RequestMessage, data, subject=request)

    # Instructions

    def _instruction(
        self,
        event: Recorded,
        *,
        given: Mapping[UUID, Sequence[Recorded]],
        tokens: Mapping[UUID, Sequence[tuple[str, int, bytes]]],
    ) -> Message | None:
        body = given[event.originator_id][0].body
        # As they were recorded, which is near enough to how they travel.
        told = body.as_json
        if _plain(told["delivery"]) != Contract.KAFKA.value:
            return None
        instruction = event.originator_id
        records = body.records if told["records"] else ()
        data = InstructionData.model_validate(
            {
                **{name: _plain(told[name]) for name in _AS_RECORDED},
                "instruction": instruction,
                "request": _plain(told["request_id"]),
                "due": _plain(told["due_on"]),
                "tokens": [
                    {"kind": kind, "version": version, "token": token.hex()}
                    for kind, version, token in tokens.get(instruction, ())
                ],
                "records": tuple(map(_record, records)) if len(records) <= FEW else (),
                "kinds": tuple(map(_kind, body.kinds)) if told.get("kinds") else (),
                "claim": f"/v1/instructions/{instruction}/claim",
            }
        )
        return self._message(event, InstructionMessage, data, subject=data.request or instruction)

    # What both need

    def _message(
        self, event: Recorded, kind: type[Envelope], data: Sent, *, subject: UUID
    ) -> Message:
        told: Envelope = kind.about(
            data,
            subject=subject,
            incarnation=self._incarnation,
            position=event.position,
            time=datetime.fromisoformat(_plain(event.body.as_json["timestamp"])),
        )
        return Message(kind.TOPIC, told.key, str(told.id), event.position, told.to_json())

    def _earlier(
        self, aggregates: Collection[UUID], topics: Sequence[str]
    ) -> dict[UUID, list[Recorded]]:
        """Events of these aggregates, each one's in order; at least those that are followed now."""
        found: defaultdict[UUID, list[Recorded]] = defaultdict(list)
        if aggregates:
            for row in self._database.connection.execute(
                "SELECT originator_id, originator_version, topic, state, notification_id"
                " FROM trettio.log WHERE originator_id = ANY(%s) AND topic = ANY(%s)"
                " ORDER BY notification_id",
                [list(aggregates), list(topics)],
            ):
                found[row[0]].append(self._decoder.recorded(Notification(*row)))
        return found

    def _tokens(
        self, instructions: Collection[UUID]
    ) -> Mapping[UUID, list[tuple[str, int, bytes]]]:
        found: defaultdict[UUID, list[tuple[str, int, bytes]]] = defaultdict(list)
        for instruction, *token in self._database.connection.execute(
            "SELECT instruction_id, kind, version, token FROM trettio.instruction_tokens"
            " WHERE instruction_id = ANY(%s) ORDER BY instruction_id, kind, version, token",
            [list(instructions)],
        ):
            kind, version, value = token
            found[instruction].append((kind, version, bytes(value)))
        return found


def _requests_of(events: Sequence[Recorded]) -> Iterator[UUID]:
    for event in events:
        with suppress(Unreadable):  # the event says so itself, when its turn comes
            yield _request_of(event)


def _request_of(event: Recorded) -> UUID:
    if event.topic.startswith("request."):
        return event.originator_id
    request: UUID = event.body.request_id
    return request


def _plain(said: Any) -> Any:
    """What JSON says of a single value, without the name of its kind."""
    return said["_data_"] if type(said) is dict else said


def _record(one: InstructedRecord) -> ToTreat:
    return ToTreat(
        record=one.record_id, kind=one.kind, decision=one.decision, keep_fields=one.keep_fields
    )


def _kind(one: TreatedKind) -> KindToTreat:
    return KindToTreat(kind=one.kind, decision=one.decision, keep_fields=one.keep_fields)
