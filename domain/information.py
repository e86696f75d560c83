"""Information: what is answered in words and documents, without a search (Art. 22(3), 13(1)(f)).

A decision looked at again by a person, how data is protected, a copy of transfer safeguards.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.staff import human, named


class Information(Aggregate):
    TOPIC = "information"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "information.begun"
        request_id: UUID
        case_id: UUID
        controller: str
        by: str

    class Attached(Event):
        TOPIC = "information.attached"
        enclosed: PersonalRef
        by: str

        def apply(self, aggregate: Information) -> None:
            aggregate.documents = (*aggregate.documents, self.enclosed)

    class Given(Event):
        TOPIC = "information.given"
        changed: bool | None
        by: str

        def apply(self, aggregate: Information) -> None:
            aggregate.given_by, aggregate.changed = self.by, self.changed

    # State

    @event(Begun)
    def __init__(
        self, request_id: UUID, case_id: UUID, controller: str, by: str, timestamp: datetime
    ) -> None:
        self.begun_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.begun_by = by
        self.documents: tuple[PersonalRef, ...] = ()
        self.given_by: str | None = None
        self.changed: bool | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return information_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["by"])

    # Commands

    def attach(self, *, document: PersonalRef, by: str, at: datetime) -> None:
        if self.given_by is not None:
            raise NotAllowedNow("the answer has been given: receive a new request")
        self.trigger_event(self.Attached, enclosed=document, by=named(by), timestamp=at)

    def give(
        self, *, words: bool, review: bool, changed: bool | None, by: str, at: datetime
    ) -> None:
        """Nothing is closed unanswered; a person says what became of a machine's decision."""
        if self.given_by is not None:
            raise NotAllowedNow("the answer has been given already")
        if not words and not self.documents:
            raise DomainError("write the answer, or attach what was asked for")
        if review and (changed is None or not words):
            raise DomainError("say whether the decision stands or is changed, and why, in words")
        self.trigger_event(
            self.Given, changed=changed if review else None, by=human(by), timestamp=at
        )


@lru_cache(maxsize=4_096)
def information_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "information")
