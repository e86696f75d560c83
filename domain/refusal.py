"""Refusal: what one person proposes and another confirms, with its proof (Art. 12(5)).

The controller bears the burden of demonstrating that a request is unfounded or excessive. Instead
of refusing, a reasonable fee may be decided on; it is announced before it is charged.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.staff import human, two_people
from domain.vocabulary import RefusalGround


class Standing(Enum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    FEE_PAID = "fee-paid"


class Refusal(Aggregate):
    TOPIC = "refusal"

    # Events

    class Event(Aggregate.Event):
        pass

    class Proposed(Event, AggregateCreated):
        TOPIC = "refusal.proposed"
        request_id: UUID
        case_id: UUID
        ground: RefusalGround
        code: str
        words: PersonalRef
        proof: PersonalRef
        by: str
        fee: PersonalRef | None = None

    class ProposedAgain(Event):
        """After the first was declined, or a fee was not paid."""

        TOPIC = "refusal.proposed-again"
        ground: RefusalGround
        code: str
        words: PersonalRef
        proof: PersonalRef
        by: str
        fee: PersonalRef | None = None

        def apply(self, aggregate: Refusal) -> None:
            aggregate.take(self.ground, self.code, self.words, self.proof, self.by, self.fee)

    class Confirmed(Event):
        TOPIC = "refusal.confirmed"
        by: str

        def apply(self, aggregate: Refusal) -> None:
            aggregate.standing, aggregate.second = Standing.CONFIRMED, self.by

    class Declined(Event):
        TOPIC = "refusal.declined"
        by: str
        words: PersonalRef

        def apply(self, aggregate: Refusal) -> None:
            aggregate.standing, aggregate.second = Standing.DECLINED, self.by

    class FeePaid(Event):
        TOPIC = "refusal.fee-paid"
        by: str

        def apply(self, aggregate: Refusal) -> None:
            aggregate.standing = Standing.FEE_PAID

    # State

    @event(Proposed)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        ground: RefusalGround,
        code: str,
        words: PersonalRef,
        proof: PersonalRef,
        by: str,
        timestamp: datetime,
        fee: PersonalRef | None = None,
    ) -> None:
        self.request_id, self.case_id = request_id, case_id
        self.take(ground, code, words, proof, by, fee)

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return uuid5(request_id, "refusal")

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        human(facts["by"])
        _require_two(facts["ground"])

    def take(
        self,
        ground: RefusalGround,
        code: str,
        words: PersonalRef,
        proof: PersonalRef,
        by: str,
        fee: PersonalRef | None,
    ) -> None:
        """Used by events only: what is proposed now."""
        self.ground, self.code, self.words, self.proof = ground, code, words, proof
        self.by, self.fee = by, fee
        self.second: str | None = None
        self.standing = Standing.PROPOSED

    @property
    def is_open(self) -> bool:
        return self.standing is Standing.PROPOSED

    # Commands

    def propose_again(
        self,
        *,
        ground: RefusalGround,
        code: str,
        words: PersonalRef,
        proof: PersonalRef,
        by: str,
        fee: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        if self.is_open:
            raise NotAllowedNow("a refusal is proposed already: let another person decide on it")
        _require_two(ground)
        self.trigger_event(
            self.ProposedAgain,
            ground=ground,
            code=code,
            words=words,
            proof=proof,
            by=human(by),
            fee=fee,
            timestamp=at,
        )

    def confirm(self, *, by: str, at: datetime) -> None:
        """Another person than the first agrees, in their own name."""
        self._require_open()
        two_people(self.by, by)
        self.trigger_event(self.Confirmed, by=by, timestamp=at)

    def decline(self, *, by: str, words: PersonalRef, at: datetime) -> None:
        """The request is worked on as any other."""
        self._require_open()
        self.trigger_event(self.Declined, by=human(by), words=words, timestamp=at)

    def take_fee(self, *, by: str, at: datetime) -> None:
        if self.fee is None or self.standing is not Standing.CONFIRMED:
            raise NotAllowedNow("no fee has been announced for this request")
        self.trigger_event(self.FeePaid, by=human(by), timestamp=at)

    # Rules

    def _require_open(self) -> None:
        if not self.is_open:
            raise NotAllowedNow(f"the proposal is {self.standing.value}: make a new one")


def _require_two(ground: RefusalGround) -> None:
    if not ground.needs_two_people:
        raise DomainError(
            "only what is unfounded or excessive is decided by two people", key="two-people"
        )
