"""Rectification: what somebody says is wrong about them, claim by claim (Art. 16; AK-05, GK-05).

Each claim is about one field, has its own ground, is decided by a person and has its own outcome.
What the field should be, what it was and what it became lie in the vault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.grounds import ground as known_ground
from domain.personal import PersonalRef
from domain.staff import human, named


class ClaimGround(Enum):
    """What is said to be wrong with a field (AK-05, GK-05)."""

    WRONG = "wrong"
    UNNECESSARY = "unnecessary"
    INCOMPLETE = "incomplete"
    OUTDATED = "outdated"
    MISLEADING = "misleading"

    @property
    def contests_accuracy(self) -> bool:
        """Whether the data may be restricted until it has been verified (Art. 18(1)(a))."""
        return self in {ClaimGround.WRONG, ClaimGround.OUTDATED, ClaimGround.MISLEADING}


class Wish(Enum):
    """What the person wants done, which is theirs to choose (AO-05)."""

    RECTIFY = "rectify"
    COMPLETE = "complete"
    ERASE = "erase"
    SUPPLEMENT = "supplement"


class ClaimOutcome(Enum):
    RECTIFIED = "rectified"
    COMPLETED = "completed"
    ERASED = "erased"
    STATEMENT_ADDED = "statement-added"
    REFUSED = "refused"


_OUTCOME_OF = {
    Wish.RECTIFY: ClaimOutcome.RECTIFIED,
    Wish.COMPLETE: ClaimOutcome.COMPLETED,
    Wish.ERASE: ClaimOutcome.ERASED,
    Wish.SUPPLEMENT: ClaimOutcome.STATEMENT_ADDED,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """One field of one record, or of a category where no record has been named yet."""

    id: UUID
    category: str
    field: str
    ground: ClaimGround
    wish: Wish
    record_id: UUID | None = None
    system: str = ""
    should_be: PersonalRef | None = None


@dataclass(frozen=True, slots=True)
class ClaimState:
    """A claim and what became of it."""

    claim: Claim
    accepted: bool | None = None
    reasons: PersonalRef | None = None
    refused_on: str | None = None
    decided_by: str = ""
    outcome: ClaimOutcome | None = None
    before: PersonalRef | None = None
    after: PersonalRef | None = None

    @property
    def waits(self) -> bool:
        """Whether it was accepted and has yet to be done."""
        return self.accepted is True and self.outcome is None


class Rectification(Aggregate):
    TOPIC = "rectification"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "rectification.begun"
        request_id: UUID
        case_id: UUID
        controller: str
        by: str

    class Claimed(Event):
        TOPIC = "rectification.claimed"
        claim: Claim
        by: str

        def apply(self, aggregate: Rectification) -> None:
            aggregate.claims = {**aggregate.claims, self.claim.id: ClaimState(self.claim)}

    class Accepted(Event):
        TOPIC = "rectification.accepted"
        claim_id: UUID
        record_id: UUID | None
        system: str
        by: str

        def apply(self, aggregate: Rectification) -> None:
            claim = aggregate.claims[self.claim_id].claim
            aggregate.change(
                self.claim_id,
                claim=replace(claim, record_id=self.record_id, system=self.system),
                accepted=True,
                reasons=None,
                refused_on=None,
                outcome=None,
                decided_by=self.by,
            )

    class Refused(Event):
        TOPIC = "rectification.refused"
        claim_id: UUID
        reasons: PersonalRef
        ground: str | None
        by: str

        def apply(self, aggregate: Rectification) -> None:
            aggregate.change(
                self.claim_id,
                accepted=False,
                reasons=self.reasons,
                refused_on=self.ground,
                outcome=ClaimOutcome.REFUSED,
                decided_by=self.by,
            )

    class Treated(Event):
        TOPIC = "rectification.treated"
        claim_id: UUID
        outcome: ClaimOutcome
        before: PersonalRef | None
        after: PersonalRef | None
        by: str | None

        def apply(self, aggregate: Rectification) -> None:
            aggregate.change(
                self.claim_id, outcome=self.outcome, before=self.before, after=self.after
            )

    class Settled(Event):
        TOPIC = "rectification.settled"
        by: str

        def apply(self, aggregate: Rectification) -> None:
            aggregate.settled = True

    # State

    @event(Begun)
    def __init__(
        self, request_id: UUID, case_id: UUID, controller: str, by: str, timestamp: datetime
    ) -> None:
        self.begun_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.begun_by = by
        self.claims: dict[UUID, ClaimState] = {}
        self.settled = False

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return rectification_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["by"])

    @property
    def undecided(self) -> tuple[ClaimState, ...]:
        return tuple(state for state in self.claims.values() if state.accepted is None)

    @property
    def contests_accuracy(self) -> bool:
        return any(
            state.claim.ground.contests_accuracy and state.accepted is not False
            for state in self.claims.values()
        )

    def waiting(self, system: str) -> tuple[ClaimState, ...]:
        """What was accepted and has yet to be done in a system."""
        return tuple(
            state for state in self.claims.values() if state.waits and state.claim.system == system
        )

    @property
    def systems(self) -> tuple[str, ...]:
        """Where something has yet to be done."""
        return tuple(dict.fromkeys(s.claim.system for s in self.claims.values() if s.waits))

    @property
    def changed_anything(self) -> bool:
        """Whether what was held was wrong in some of what was claimed."""
        return any(
            state.outcome not in {None, ClaimOutcome.REFUSED, ClaimOutcome.STATEMENT_ADDED}
            for state in self.claims.values()
        )

    # Commands

    def make_claim(self, *, claim: Claim, by: str, at: datetime) -> None:
        """Another claim; the same one again changes nothing."""
        self._require_open()
        if claim.id in self.claims:
            return
        if not _FIELD.fullmatch(claim.field):
            raise DomainError("name the field as its system does; what it says is sealed apart")
        if not claim.category:
            raise DomainError("say which category of data the field belongs to")
        if claim.ground is ClaimGround.UNNECESSARY and claim.wish is not Wish.ERASE:
            raise DomainError("what is unnecessary is erased: say so as the person's wish")
        if (claim.should_be is None) != (claim.wish is Wish.ERASE):
            raise DomainError(
                "say what the field should be, or which statement to add; what goes needs neither"
            )
        self.trigger_event(self.Claimed, claim=claim, by=named(by), timestamp=at)

    def accept(
        self, *, claim_id: UUID, record_id: UUID | None, system: str, by: str, at: datetime
    ) -> None:
        """It will be done, in this record of this system."""
        state = self._open_claim(claim_id)
        place = (record_id, system)
        if not system:
            raise DomainError("say in which system it is to be done")
        if state.accepted is True and (state.claim.record_id, state.claim.system) == place:
            return
        self.trigger_event(
            self.Accepted,
            claim_id=claim_id,
            record_id=record_id,
            system=system,
            by=human(by),
            timestamp=at,
        )

    def refuse(
        self,
        *,
        claim_id: UUID,
        reasons: PersonalRef,
        ground: str | None = None,
        by: str,
        at: datetime,
    ) -> None:
        """No, with its reasons in words and, where a law asks to keep, its ground (Art. 12(4))."""
        self._open_claim(claim_id)
        if ground is not None:
            known_ground(ground)
        self.trigger_event(
            self.Refused,
            claim_id=claim_id,
            reasons=reasons,
            ground=ground,
            by=human(by),
            timestamp=at,
        )

    def settle(self, *, by: str, at: datetime) -> None:
        """Every claim is decided; from here on it is done, not discussed."""
        if self.settled:
            return
        if not self.claims:
            raise NotAllowedNow("there is no claim yet: say which field is wrong, and how")
        if self.undecided:
            raise NotAllowedNow(f"{len(self.undecided)} claims wait: accept or refuse each of them")
        self.trigger_event(self.Settled, by=human(by), timestamp=at)

    def treat(
        self,
        *,
        claim_id: UUID,
        before: PersonalRef | None,
        after: PersonalRef | None,
        by: str | None = None,
        at: datetime,
    ) -> None:
        """It has been done and was seen to be there."""
        if not self.settled:
            raise NotAllowedNow("decide every claim first")
        state = self._claim(claim_id)
        if state.waits:
            self.trigger_event(
                self.Treated,
                claim_id=claim_id,
                outcome=_OUTCOME_OF[state.claim.wish],
                before=before,
                after=after,
                by=by,
                timestamp=at,
            )

    # Rules

    def change(self, claim_id: UUID, **changes: object) -> None:
        """Used by events only: replace part of one claim's state."""
        self.claims = {
            **self.claims,
            claim_id: replace(self.claims[claim_id], **changes),  # type: ignore[arg-type]
        }

    def _claim(self, claim_id: UUID) -> ClaimState:
        if claim_id not in self.claims:
            raise DomainError("there is no such claim in this request")
        return self.claims[claim_id]

    def _open_claim(self, claim_id: UUID) -> ClaimState:
        self._require_open()
        return self._claim(claim_id)

    def _require_open(self) -> None:
        if self.settled:
            raise NotAllowedNow("the claims of this request are settled: receive a new request")


@lru_cache(maxsize=4_096)
def rectification_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "rectification")


_FIELD = re.compile(r"[^\W_][\w .:/-]{0,79}")
