"""Restriction: data that is kept and not used, from when, why, and until what (Art. 18).

It is set at every system, looked at again from time to time, and lifted only after the person was
told beforehand and a stated pause has passed (Art. 18(3)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import code
from domain.staff import human, named
from domain.vocabulary import Outcome

RESTRICT_BY_HAND = "restrict-by-hand"
UNRESTRICT_BY_HAND = "unrestrict-by-hand"
BY_HAND = frozenset({RESTRICT_BY_HAND, UNRESTRICT_BY_HAND})
"""Where no connector can, somebody who knows the system restricts the data, or lifts it."""


class RestrictionGround(Enum):
    """Art. 18(1), letters a to d."""

    ACCURACY_CONTESTED = "a"
    UNLAWFUL = "b"
    LEGAL_CLAIM = "c"
    OBJECTION_PENDING = "d"

    @property
    def ends_with(self) -> str:
        """What ends it, as a code."""
        return {
            RestrictionGround.ACCURACY_CONTESTED: "accuracy-verified",
            RestrictionGround.UNLAWFUL: "person-asks-for-erasure",
            RestrictionGround.LEGAL_CLAIM: "claim-settled",
            RestrictionGround.OBJECTION_PENDING: "balance-struck",
        }[self]

    @property
    def ended_because(self) -> str:
        """Why it ended, as the letter says it before it does."""
        return {
            RestrictionGround.ACCURACY_CONTESTED: "accuracy-settled",
            RestrictionGround.UNLAWFUL: "lawful-again",
            RestrictionGround.LEGAL_CLAIM: "claim-over",
            RestrictionGround.OBJECTION_PENDING: "objection-settled",
        }[self]


class At(Enum):
    """Where one system stands."""

    ASKED = "asked"
    WAITING_FOR_PERSON = "waiting-for-person"
    RESTRICTED = "restricted"
    NOT_HELD = "not-held"
    TO_LIFT = "to-lift"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class RestrictedSystem:
    """One system of a restriction; `lifting` says which way a person or connector is asked."""

    at: At = At.ASKED
    lifting: bool = False
    waits_for: str | None = None
    attempts: int = 0
    checked_at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        return self.at in {At.RESTRICTED, At.NOT_HELD, At.LIFTED}


class Restriction(Aggregate):
    TOPIC = "restriction"

    # Events

    class Event(Aggregate.Event):
        pass

    class Set(Event, AggregateCreated):
        TOPIC = "restriction.set"
        request_id: UUID
        case_id: UUID
        controller: str
        ground: RestrictionGround
        systems: tuple[str, ...]
        until: date | None
        condition: str
        by: str | None

    class SystemRestricted(Event):
        TOPIC = "restriction.system-restricted"
        system: str
        outcome: Outcome
        reason: str
        by: str | None

        def apply(self, aggregate: Restriction) -> None:
            held = self.outcome is not Outcome.NOT_FOUND
            aggregate.change(
                self.system,
                at=At.RESTRICTED if held else At.NOT_HELD,
                waits_for=None,
                attempts=0,
                checked_at=self.timestamp,
            )

    class Escalated(Event):
        TOPIC = "restriction.escalated"
        system: str
        reason: str

        def apply(self, aggregate: Restriction) -> None:
            aggregate.change(self.system, at=At.WAITING_FOR_PERSON, waits_for=self.reason)

    class Unavailable(Event):
        TOPIC = "restriction.unavailable"
        system: str
        attempt: int
        reason: str

        def apply(self, aggregate: Restriction) -> None:
            aggregate.change(self.system, attempts=self.attempt)

    class Checked(Event):
        TOPIC = "restriction.checked"
        system: str
        holds: bool

        def apply(self, aggregate: Restriction) -> None:
            if self.holds:
                aggregate.change(self.system, checked_at=self.timestamp)
            else:
                aggregate.change(self.system, at=At.ASKED, checked_at=self.timestamp)

    class Announced(Event):
        TOPIC = "restriction.announced"
        letter_id: UUID
        reason: str
        by: str

        def apply(self, aggregate: Restriction) -> None:
            aggregate.announced_in = self.letter_id
            aggregate.ends_because = self.reason

    class Lifted(Event):
        TOPIC = "restriction.lifted"
        on: date
        by: str | None

        def apply(self, aggregate: Restriction) -> None:
            aggregate.end(self.on)

    class GivenUp(Event):
        """The person wants the data erased after all; nobody has to be told what they said."""

        TOPIC = "restriction.given-up"
        erasure: UUID
        on: date
        by: str

        def apply(self, aggregate: Restriction) -> None:
            aggregate.given_up_for = self.erasure
            aggregate.end(self.on)

    class SystemLifted(Event):
        TOPIC = "restriction.system-lifted"
        system: str
        reason: str
        by: str | None

        def apply(self, aggregate: Restriction) -> None:
            aggregate.change(self.system, at=At.LIFTED, waits_for=None)

    # State

    @event(Set)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        ground: RestrictionGround,
        systems: tuple[str, ...],
        until: date | None,
        condition: str,
        by: str | None,
        timestamp: datetime,
    ) -> None:
        self.since = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.ground, self.until, self.condition, self.by = ground, until, condition, by
        self.systems = {system: RestrictedSystem() for system in systems}
        self.announced_in: UUID | None = None
        self.ends_because: str | None = None
        self.lifted_on: date | None = None
        self.given_up_for: UUID | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return restriction_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """A machine may set it meanwhile (letters a and d); b and c need a person's decision."""
        code(facts["condition"])
        if facts["ground"] in {RestrictionGround.UNLAWFUL, RestrictionGround.LEGAL_CLAIM}:
            human(facts["by"])

    @property
    def stands(self) -> bool:
        """Whether the data may not be used; until the person was told and the pause is over."""
        return self.lifted_on is None

    @property
    def is_over(self) -> bool:
        """Lifted, and taken back in every system."""
        return not self.stands and all(state.is_settled for state in self.systems.values())

    @property
    def all_set(self) -> bool:
        return all(state.at in {At.RESTRICTED, At.NOT_HELD} for state in self.systems.values())

    # Commands

    def record_restricted(
        self,
        *,
        system: str,
        outcome: Outcome,
        reason: str = "",
        by: str | None = None,
        at: datetime,
    ) -> None:
        """What a system, or a person there, answered: restricted, or nothing held."""
        state = self._system(system)
        if outcome not in {Outcome.RESTRICTED, Outcome.SUPPRESSED, Outcome.NOT_FOUND}:
            raise DomainError(f"{outcome.value} is no outcome of a restriction")
        if by is not None:
            named(by)
            if outcome is Outcome.NOT_FOUND:
                code(reason)
        if state.lifting:
            raise NotAllowedNow(f"the restriction in {system} is being lifted")
        if not state.is_settled:
            self.trigger_event(
                self.SystemRestricted,
                system=system,
                outcome=outcome,
                reason=reason,
                by=by,
                timestamp=at,
            )

    def check(self, *, system: str, holds: bool, at: datetime) -> None:
        """Whether it is still restricted over there; what is not is to be set again."""
        state = self._system(system)
        if state.at is At.RESTRICTED and self.stands:
            self.trigger_event(self.Checked, system=system, holds=holds, timestamp=at)

    def escalate(self, *, system: str, reason: str, at: datetime) -> None:
        state = self._system(system)
        waits = state.at is At.WAITING_FOR_PERSON and state.waits_for == reason
        if not waits and not state.is_settled:
            self.trigger_event(self.Escalated, system=system, reason=code(reason), timestamp=at)

    def record_unavailable(self, *, system: str, attempt: int, reason: str, at: datetime) -> None:
        state = self._system(system)
        if attempt > state.attempts and not state.is_settled:
            self.trigger_event(
                self.Unavailable, system=system, attempt=attempt, reason=reason, timestamp=at
            )

    def announce(self, *, letter_id: UUID, reason: str, by: str, at: datetime) -> None:
        """Tell the person that it will end, and why, before it does (Art. 18(3))."""
        if not self.stands:
            raise NotAllowedNow("the restriction has been lifted already")
        if self.announced_in is None:
            self.trigger_event(
                self.Announced, letter_id=letter_id, reason=code(reason), by=named(by), timestamp=at
            )

    def lift(
        self, *, told_on: date | None, pause_days: int, on: date, by: str | None, at: datetime
    ) -> None:
        """After the letter left and the stated pause; not a day before."""
        if not self.stands:
            return
        if self.announced_in is None or told_on is None:
            raise NotAllowedNow("the person is told before a restriction is lifted (Art. 18(3))")
        if on <= told_on + timedelta(days=pause_days):
            first = told_on + timedelta(days=pause_days + 1)
            raise NotAllowedNow(f"the person was told that it ends on {first}: lift it then")
        self.trigger_event(self.Lifted, on=on, by=by, timestamp=at)

    def give_up(self, *, erasure: UUID, on: date, by: str, at: datetime) -> None:
        """The person gives it up, and asks for erasure instead (Art. 17, 18(1)(b) and (c))."""
        if self.stands:
            self.trigger_event(self.GivenUp, erasure=erasure, on=on, by=named(by), timestamp=at)

    def record_lifted(
        self, *, system: str, reason: str = "", by: str | None = None, at: datetime
    ) -> None:
        state = self._system(system)
        if not state.lifting:
            raise NotAllowedNow("the restriction stands: tell the person first, then lift it")
        if not state.is_settled:
            self.trigger_event(self.SystemLifted, system=system, reason=reason, by=by, timestamp=at)

    # Rules

    def change(self, system: str, **changes: object) -> None:
        """Used by events only: replace part of one system's state."""
        self.systems = {
            **self.systems,
            system: replace(self.systems[system], **changes),  # type: ignore[arg-type]
        }

    def end(self, on: date) -> None:
        """Used by events only: from this day it is to be taken back wherever it was set."""
        self.lifted_on = on
        for system, state in self.systems.items():
            if state.at is not At.NOT_HELD:
                self.change(system, at=At.TO_LIFT, lifting=True, waits_for=None, attempts=0)

    def _system(self, system: str) -> RestrictedSystem:
        if system not in self.systems:
            raise DomainError(f"system {system} is not part of this restriction")
        return self.systems[system]


@lru_cache(maxsize=4_096)
def restriction_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "restriction")
