"""Disclosures to authorities: what was given, when and on what ground (Art. 15(1)(c), 23; GK-21).

The answer to an access request names each, unless a person withholds it on a national exception.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human, named


@dataclass(frozen=True, slots=True)
class Given:
    """Something an authority received: its name and what was said of it lie in `account`."""

    disclosure_id: UUID
    account: PersonalRef
    categories: tuple[str, ...]
    given_on: date
    ground: str
    withheld_by_law: str | None = None


class Disclosures(Aggregate):
    """The disclosures about the person of one case."""

    TOPIC = "disclosures"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "disclosures.begun"
        case_id: UUID
        controller: str

    class Recorded(Event):
        TOPIC = "disclosures.recorded"
        disclosure_id: UUID
        account: PersonalRef
        categories: tuple[str, ...]
        given_on: date
        ground: str
        by: str

        def apply(self, aggregate: Disclosures) -> None:
            given = Given(
                self.disclosure_id, self.account, self.categories, self.given_on, self.ground
            )
            aggregate.given = {**aggregate.given, self.disclosure_id: given}

    class Withheld(Event):
        TOPIC = "disclosures.withheld"
        disclosure_id: UUID
        law: str
        note: PersonalRef
        by: str

        def apply(self, aggregate: Disclosures) -> None:
            given = replace(aggregate.given[self.disclosure_id], withheld_by_law=self.law)
            aggregate.given = {**aggregate.given, self.disclosure_id: given}

    # State

    @event(Begun)
    def __init__(self, case_id: UUID, controller: str, timestamp: datetime) -> None:
        self.begun_at = timestamp
        self.case_id, self.controller = case_id, controller
        self.given: dict[UUID, Given] = {}

    @staticmethod
    def create_id(case_id: UUID) -> UUID:
        return disclosures_id(case_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["controller"])

    # Commands

    def record(
        self,
        *,
        disclosure_id: UUID,
        account: PersonalRef,
        categories: tuple[str, ...],
        given_on: date,
        ground: str,
        by: str,
        today: date,
        at: datetime,
    ) -> None:
        """The same disclosure twice is one."""
        if disclosure_id in self.given:
            return
        if given_on > today:
            raise DomainError("nothing is given later than today: check the day")
        if not categories:
            raise DomainError("say which categories of data were given")
        self.trigger_event(
            self.Recorded,
            disclosure_id=disclosure_id,
            account=account,
            categories=categories,
            given_on=given_on,
            ground=code(ground),
            by=human(by),
            timestamp=at,
        )

    def withhold(
        self, disclosure_id: UUID, *, law: str, note: PersonalRef, by: str, at: datetime
    ) -> None:
        """Not told to the person, on a national exception and for a reason (Art. 23)."""
        known = self.given.get(disclosure_id)
        if known is None:
            raise DomainError("there is no such disclosure in this case")
        if known.withheld_by_law is not None:
            raise NotAllowedNow("this disclosure is withheld already")
        if not law:
            raise DomainError("name the national exception on which it is withheld")
        self.trigger_event(
            self.Withheld,
            disclosure_id=disclosure_id,
            law=law,
            note=note,
            by=human(by),
            timestamp=at,
        )

    # State, asked for

    @property
    def withheld_by(self) -> tuple[str, ...]:
        """The laws on which something is withheld, each once."""
        laws = (one.withheld_by_law for one in self.given.values())
        return tuple(dict.fromkeys(law for law in laws if law))


@lru_cache(maxsize=4_096)
def disclosures_id(case_id: UUID) -> UUID:
    return uuid5(case_id, "disclosures")
