"""Portability: what a person takes along, and to whom it goes directly (Art. 20).

Only what the person provided, processed by consent or contract. Where the policy names no basis at
all, its silence takes nothing from the person.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import NotAllowedNow
from domain.personal import PersonalRef, code
from domain.policy import Category, LegalBasis, Profile, Purpose
from domain.staff import human, named

PORTABLE_BASES = frozenset({LegalBasis.CONSENT, LegalBasis.CONTRACT})


class NotPortable(Enum):
    """Why a category is left out."""

    NOT_PROVIDED = "not-provided"
    OTHER_BASIS = "other-basis"


def portable_purposes(profile: Profile, category: Category) -> tuple[Purpose, ...]:
    """The purposes for which a category may be taken along: one suffices (GK-09, GK-16)."""
    purposes = (profile.purpose(purpose) for purpose in category.purposes)
    return tuple(p for p in purposes if not p.bases or PORTABLE_BASES.intersection(p.bases))


def left_out(profile: Profile, category: Category) -> NotPortable | None:
    """Why a category is not portable; None when it is."""
    if not category.provided_by_person:
        return NotPortable.NOT_PROVIDED
    return None if portable_purposes(profile, category) else NotPortable.OTHER_BASIS


class DirectTransfer(Aggregate):
    """The wish that another controller gets it directly, and whether that can be (Art. 20(2))."""

    TOPIC = "direct-transfer"

    # Events

    class Event(Aggregate.Event):
        pass

    class Asked(Event, AggregateCreated):
        TOPIC = "direct-transfer.asked"
        request_id: UUID
        case_id: UUID
        controller: str
        recipient_name: PersonalRef
        by: str

    class Judged(Event):
        TOPIC = "direct-transfer.judged"
        feasible: bool
        reason: str
        by: str

        def apply(self, aggregate: DirectTransfer) -> None:
            aggregate.feasible, aggregate.reason = self.feasible, self.reason

    class Made(Event):
        TOPIC = "direct-transfer.made"
        how: str
        by: str

        def apply(self, aggregate: DirectTransfer) -> None:
            aggregate.made_at = self.timestamp

    # State

    @event(Asked)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        recipient_name: PersonalRef,
        by: str,
        timestamp: datetime,
    ) -> None:
        self.asked_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.recipient_name, self.by = recipient_name, by
        self.feasible: bool | None = None
        self.reason: str | None = None
        self.made_at: datetime | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return direct_transfer_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["by"])

    # Commands

    def judge(self, *, feasible: bool, reason: str, by: str, at: datetime) -> None:
        """Technically feasible or not, and why: no duty to build systems for it (recital 68)."""
        if self.made_at is not None:
            raise NotAllowedNow("the data has been transferred already")
        if (feasible, reason) != (self.feasible, self.reason):
            self.trigger_event(
                self.Judged, feasible=feasible, reason=code(reason), by=human(by), timestamp=at
            )

    def make(self, *, how: str, by: str, at: datetime) -> None:
        """Record that the other controller has it."""
        if not self.feasible:
            raise NotAllowedNow("say first that a direct transfer is feasible")
        if self.made_at is None:
            self.trigger_event(self.Made, how=code(how), by=named(by), timestamp=at)


def direct_transfer_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "direct-transfer")
