"""Hold: what must be kept of an erasure, by which law, until which day (Art. 17(3))."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.grounds import LEGAL_CLAIM, ground
from domain.personal import PersonalRef
from domain.staff import human


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
        reason: PersonalRef | None = None
        owner: str = ""
        review_on: date | None = None

    class Released(Event):
        TOPIC = "hold.released"
        on: date
        by: str | None = None
        reason: PersonalRef | None = None

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
        reason: PersonalRef | None = None,
        owner: str = "",
        review_on: date | None = None,
    ) -> None:
        self.placed_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.system, self.category, self.ground = system, category, ground
        self.release_on, self.records, self.keys, self.by = release_on, records, keys, by
        self.reason, self.owner, self.review_on = reason, owner, review_on
        self.released_on: date | None = None
        self.erased = False
        self.told = False

    @staticmethod
    def create_id(request_id: UUID, system: str, category: str, ground: str) -> UUID:
        return uuid5(request_id, f"hold/{system}/{category}/{ground}")

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """A known ground, named records, a person; a claim also its reason, owner and review."""
        ground(facts["ground"])
        human(facts["by"])
        if not facts["records"]:
            raise DomainError("a hold names its records: there is no blanket one")
        if facts["ground"] == LEGAL_CLAIM and not (
            facts.get("reason") and facts.get("owner") and facts.get("review_on")
        ):
            raise DomainError("a hold for a legal claim needs a reason, an owner and a review date")

    # Commands

    def release(self, *, on: date, at: datetime) -> None:
        """The day after the law's last day, not before."""
        if self.released_on is not None:
            return
        if self.release_on is None:
            raise DomainError("this hold has no date: a person lifts it, with a reason")
        self._require_past(on, at)
        if on <= self.release_on:
            raise NotAllowedNow(f"the hold stands until and including {self.release_on}")
        self.trigger_event(self.Released, on=on, timestamp=at)

    def lift(self, *, on: date, reason: PersonalRef, by: str, at: datetime) -> None:
        """A person ends it before its day, or although it has none: its ground has fallen away."""
        if self.released_on is not None:
            return
        self._require_past(on, at)
        self.trigger_event(self.Released, on=on, by=human(by), reason=reason, timestamp=at)

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

    # Rules

    def _require_past(self, on: date, at: datetime) -> None:
        # A local day is at most one ahead of the day in UTC.
        if on > at.astimezone(UTC).date() + timedelta(days=1):
            raise NotAllowedNow(f"{on} is still to come: release the hold when it is there")
