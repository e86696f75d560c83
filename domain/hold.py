"""Hold: what must be kept of an erasure, by which law, until which day (Art. 17(3))."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef


class Hold(Aggregate):
    TOPIC = "hold"

    # Events

    class Event(Aggregate.Event):
        pass

    class Placed(Event, AggregateCreated):
        TOPIC = "hold.placed"
        request_id: UUID
        case_id: UUID
        controller: str
        system: str
        category: str
        ground: str
        release_on: date | None
        records: tuple[UUID, ...]
        keys: PersonalRef
        by: str

    class Released(Event):
        TOPIC = "hold.released"
        on: date

        def apply(self, aggregate: Hold) -> None:
            aggregate.released_on = self.on

    class ErasedAtRelease(Event):
        TOPIC = "hold.erased-at-release"

        def apply(self, aggregate: Hold) -> None:
            aggregate.erased = True

    class SubjectTold(Event):
        TOPIC = "hold.subject-told"

        def apply(self, aggregate: Hold) -> None:
            aggregate.told = True

    # State

    @event(Placed)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        system: str,
        category: str,
        ground: str,
        release_on: date | None,
        records: tuple[UUID, ...],
        keys: PersonalRef,
        by: str,
        timestamp: datetime,
    ) -> None:
        self.placed_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.system, self.category, self.ground = system, category, ground
        self.release_on, self.records, self.keys, self.by = release_on, records, keys, by
        self.released_on: date | None = None
        self.erased = False
        self.told = False

    @staticmethod
    def create_id(request_id: UUID, system: str, category: str, ground: str) -> UUID:
        return uuid5(request_id, f"hold/{system}/{category}/{ground}")

    # Commands

    def release(self, *, on: date, at: datetime) -> None:
        """The day after the law's last day, not before."""
        if self.released_on is not None:
            return
        if self.release_on is None:
            raise DomainError("this hold has no date: a person ends it by deciding its ground away")
        if on <= self.release_on:
            raise NotAllowedNow(f"the hold stands until and including {self.release_on}")
        self.trigger_event(self.Released, on=on, timestamp=at)

    def erase_at_release(self, *, at: datetime) -> None:
        if self.released_on is None:
            raise NotAllowedNow("a hold is released before anything under it is erased")
        if not self.erased:
            self.trigger_event(self.ErasedAtRelease, timestamp=at)

    def tell_subject(self, *, at: datetime) -> None:
        if not self.erased:
            raise NotAllowedNow("nothing has been erased yet that could be told")
        if not self.told:
            self.trigger_event(self.SubjectTold, timestamp=at)
