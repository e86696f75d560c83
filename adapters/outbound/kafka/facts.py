"""What of the log is public, and how Kafka's messages say it.

No names, addresses or numbers, no staff, no case references that a person knows: instructions carry
ids and tokens that only their own system can match (design, section 7).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from eventsourcing.persistence import Notification

from adapters.contract.messages import (
    Envelope,
    InstructionData,
    InstructionMessage,
    RequestData,
    RequestMessage,
    Sent,
    Token,
    ToTreat,
)
from adapters.outbound.database import Database
from adapters.outbound.kafka.message import Message
from adapters.outbound.log_source import Decoder
from domain.deadlines import Deadlines
from domain.instruction import Contract, InstructedRecord
from domain.many import FEW
from domain.vocabulary import IdentifierKind
from projections.projection import Recorded, Unreadable

LARGEST = 900_000
"""Bytes of a message; brokers take a million, envelope and all, unless told otherwise."""

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

log = structlog.get_logger()


class Facts:
    """Makes messages of recorded events, always the same of the same event."""

    def __init__(self, database: Database, incarnation: UUID, decoder: Decoder) -> None:
        self._database, self._decoder = database, decoder
        self._incarnation = incarnation

    def of(self, events: Sequence[Recorded]) -> tuple[list[Message], int | None]:
        """The messages, and the position of the first event that cannot be told, if there is one.

        What comes after such an event is left for when it can be.
        """
        make = self._makers(events)
        messages: list[Message] = []
        for event in events:
            if event.topic not in make:
                continue
            try:
                message = make[event.topic](event)
            except Exception as error:  # whatever is wrong with it, nothing may pass it by
                log.warning("event_not_public", position=event.position, error=type(error).__name__)
                return messages, event.position
            if message is None:
                continue
            if len(message.value) > LARGEST:
                log.warning("event_too_large", position=event.position)
                return messages, event.position
            messages.append(message)
        return messages, None

    def _makers(
        self, events: Sequence[Recorded]
    ) -> Mapping[str, Callable[[Recorded], Message | None]]:
        """How each public event is told, with all at hand that these need."""
        by_topic: defaultdict[str, list[Recorded]] = defaultdict(list)
        for event in events:
            if event.topic in PUBLIC:
                by_topic[event.topic].append(event)
        make: dict[str, Callable[[Recorded], Message | None]] = {}
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
        told = given[event.originator_id][0].body
        if told.delivery is not Contract.KAFKA:
            return None
        instruction = event.originator_id
        data = InstructionData(
            instruction=instruction,
            controller=told.controller,
            system=told.system,
            verb=told.verb,
            purpose=told.purpose,
            request=told.request_id,
            right=told.right,
            due=told.due_on,
            ends_at=told.ends_at,
            erased_before=told.erased_before,
            tokens=tuple(
                Token(kind=IdentifierKind(kind), version=version, token=token.hex())
                for kind, version, token in tokens.get(instruction, ())
            ),
            records=tuple(map(_record, told.records)) if len(told.records) <= FEW else (),
            claim=f"/v1/instructions/{instruction}/claim",
        )
        subject = told.request_id or instruction
        return self._message(event, InstructionMessage, data, subject=subject)

    # What both need

    def _message(
        self, event: Recorded, kind: type[Envelope], data: Sent, *, subject: UUID
    ) -> Message:
        told: Envelope = kind.about(
            data,
            subject=subject,
            incarnation=self._incarnation,
            position=event.position,
            time=event.body.timestamp,
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


def _record(one: InstructedRecord) -> ToTreat:
    return ToTreat(
        record=one.record_id, kind=one.kind, decision=one.decision, keep_fields=one.keep_fields
    )
