"""Redaction: which passages of a person's copy are covered because of others (Art. 15(4), 20(4)).

The sealed original is never altered: an event names the record, the place in it and a reason, and
the copy is covered when it is made. Whatever has been covered can be uncovered until it leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human
from domain.values import FoundRecord, Passage


class Redaction(Aggregate):
    TOPIC = "redaction"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "redaction.begun"
        request_id: UUID
        case_id: UUID
        controller: str

    class PassageCovered(Event):
        TOPIC = "redaction.passage-covered"
        passage: Passage
        by: str

        def apply(self, aggregate: Redaction) -> None:
            aggregate.passages = {**aggregate.passages, self.passage.passage_id: self.passage}
            aggregate.cleared = _without(aggregate.cleared, self.passage.record_id)

    class PassageUncovered(Event):
        TOPIC = "redaction.passage-uncovered"
        passage_id: UUID
        reason: str
        by: str

        def apply(self, aggregate: Redaction) -> None:
            aggregate.passages = _without(aggregate.passages, self.passage_id)

    class RecordCleared(Event):
        TOPIC = "redaction.record-cleared"
        record_id: UUID
        content: PersonalRef
        reason: str
        by: str

        def apply(self, aggregate: Redaction) -> None:
            aggregate.cleared = {**aggregate.cleared, self.record_id: self.content}

    # State

    @event(Begun)
    def __init__(
        self, request_id: UUID, case_id: UUID, controller: str, timestamp: datetime
    ) -> None:
        self.begun_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.passages: dict[UUID, Passage] = {}
        self.cleared: dict[UUID, PersonalRef] = {}

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return redaction_id(request_id)

    def of(self, found: FoundRecord) -> tuple[Passage, ...]:
        """What is covered in a record; a passage of what was found before is none of this."""
        return tuple(
            passage
            for passage in self.passages.values()
            if (passage.record_id, passage.content) == (found.record_id, found.content)
        )

    def looked_at(self, found: Iterable[FoundRecord]) -> frozenset[UUID]:
        """The records that a person has covered something in, or has found free of others."""
        return frozenset(
            one.record_id
            for one in found
            if self.cleared.get(one.record_id) == one.content or self.of(one)
        )

    # Commands

    def cover(self, *, passage: Passage, by: str, at: datetime) -> None:
        """Cover a field, or part of its text; a machine covers nothing in anybody's name."""
        if (passage.start is None) != (passage.end is None):
            raise DomainError("a passage has a beginning and an end, or is the whole field")
        if passage.start is not None and not 0 <= passage.start < (passage.end or 0):
            raise DomainError("a passage ends after it begins")
        if self.passages.get(passage.passage_id) != passage:
            self.trigger_event(self.PassageCovered, passage=passage, by=human(by), timestamp=at)

    def uncover(self, *, passage_id: UUID, reason: str, by: str, at: datetime) -> None:
        if passage_id in self.passages:
            self.trigger_event(
                self.PassageUncovered,
                passage_id=passage_id,
                reason=code(reason),
                by=human(by),
                timestamp=at,
            )

    def clear(self, *, found: FoundRecord, reason: str, by: str, at: datetime) -> None:
        """A person has read the record: nothing in it has to be kept from who asks."""
        if self.of(found):
            raise NotAllowedNow("passages of this record are covered: uncover them first")
        if self.cleared.get(found.record_id) != found.content:
            self.trigger_event(
                self.RecordCleared,
                record_id=found.record_id,
                content=found.content,
                reason=code(reason),
                by=human(by),
                timestamp=at,
            )


def redaction_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "redaction")


def _without(known: dict[UUID, Any], gone: UUID) -> dict[UUID, Any]:
    return {key: value for key, value in known.items() if key != gone}
