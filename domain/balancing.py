"""Balancing: an objection weighed purpose by purpose, by a person (Art. 21(1); GK-08, GK-16).

What rests on a legitimate interest or a public task stops, unless compelling grounds are recorded
that override the person's. Marketing is not weighed: it stops (Art. 21(2) and (3)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.policy import Category, LegalBasis, Profile, Purpose
from domain.staff import human

OBJECTABLE = frozenset({LegalBasis.LEGITIMATE_INTEREST, LegalBasis.PUBLIC_TASK})


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was decided about one purpose. To go on takes compelling grounds, in sealed words."""

    purpose: str
    continues: bool
    grounds: PersonalRef | None = None


class Balancing(Aggregate):
    TOPIC = "balancing"

    # Events

    class Event(Aggregate.Event):
        pass

    class Opened(Event, AggregateCreated):
        TOPIC = "balancing.opened"
        request_id: UUID
        case_id: UUID
        controller: str
        purposes: tuple[str, ...]
        absolute: tuple[str, ...]

    class Grounded(Event):
        TOPIC = "balancing.grounded"
        words: PersonalRef
        by: str

        def apply(self, aggregate: Balancing) -> None:
            aggregate.grounds = (*aggregate.grounds, self.words)

    class Struck(Event):
        TOPIC = "balancing.struck"
        weighed: tuple[Weighed, ...]
        by: str

        def apply(self, aggregate: Balancing) -> None:
            aggregate.weighed = {one.purpose: one for one in self.weighed}
            aggregate.struck_by = self.by

    # State

    @event(Opened)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        purposes: tuple[str, ...],
        absolute: tuple[str, ...],
        timestamp: datetime,
    ) -> None:
        self.opened_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.purposes, self.absolute = purposes, absolute
        self.grounds: tuple[PersonalRef, ...] = ()
        self.weighed: dict[str, Weighed] = {}
        self.struck_by: str | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return balancing_id(request_id)

    @property
    def is_struck(self) -> bool:
        return self.struck_by is not None

    @property
    def stopped(self) -> frozenset[str]:
        return frozenset(p for p, one in self.weighed.items() if not one.continues)

    @property
    def continued(self) -> tuple[Weighed, ...]:
        return tuple(one for one in self.weighed.values() if one.continues)

    # Commands

    def give_grounds(self, *, words: PersonalRef, by: str, at: datetime) -> None:
        """The person's own situation, which the controller's grounds are weighed against."""
        self._require_open()
        self.trigger_event(self.Grounded, words=words, by=by, timestamp=at)

    def strike(self, *, weighed: tuple[Weighed, ...], by: str, at: datetime) -> None:
        """A person decides about every purpose at once; to go on takes compelling grounds."""
        self._require_open()
        said = [one.purpose for one in weighed]
        if len(set(said)) < len(said) or set(said) != set(self.purposes):
            raise DomainError(f"weigh each of these purposes once: {', '.join(self.purposes)}")
        for one in weighed:
            if one.continues and one.purpose in self.absolute:
                raise DomainError("an objection to marketing is absolute (Art. 21(3)): it stops")
            if one.continues and one.grounds is None:
                raise DomainError(
                    "to go on takes compelling grounds that override the person's: write them down"
                )
        self.trigger_event(self.Struck, weighed=weighed, by=human(by), timestamp=at)

    # Rules

    def _require_open(self) -> None:
        if self.is_struck:
            raise NotAllowedNow("the balance has been struck: receive a new objection")


# What an objection, or a withdrawn consent, is about


def objectable(profile: Profile) -> tuple[Purpose, ...]:
    """The purposes that may be objected to: any that rests on an interest or a public task.

    Where the policy states no basis, its silence takes nothing from the person: somebody weighs it.
    """
    return tuple(
        p
        for p in profile.purposes
        if p.marketing or not p.bases or OBJECTABLE.intersection(p.bases)
    )


def ends_by_objection(profile: Profile, category: Category, stopped: Iterable[str]) -> bool:
    """Whether nothing but stopped purposes needs the category: a contract beside them does."""
    bases = profile.bases(category)
    return set(category.purposes) <= set(stopped) and (
        bases <= OBJECTABLE or all(profile.purpose(p).marketing for p in category.purposes)
    )


def is_inferred(profile: Profile, category: Category) -> bool:
    """What was made of the person for marketing: it goes with any objection to it (GK-15)."""
    return not category.provided_by_person and all(
        profile.purpose(p).marketing for p in category.purposes
    )


def consents(profile: Profile) -> tuple[Purpose, ...]:
    """What may be withdrawn: purposes that rest on consent, and marketing that says it does not.

    A newsletter that people sign up for is left the way it was entered, whatever basis the
    policy names for it (GK-16).
    """
    return tuple(p for p in profile.purposes if LegalBasis.CONSENT in p.bases or p.marketing)


def consent_only(profile: Profile, category: Category, withdrawn: Iterable[str]) -> bool:
    """Whether nothing but withdrawn consents carries the category (OK-07, AO-17)."""
    return set(category.purposes) <= set(withdrawn) and profile.bases(category) == {
        LegalBasis.CONSENT
    }


@lru_cache(maxsize=4_096)
def balancing_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "balancing")
