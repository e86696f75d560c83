"""Representation: who asks for whom, and whether they may (recital 38, Art. 12(2), EDPB 01/2022).

Whoever understands a request may make it, at any age. A parent's request is checked for parental
responsibility, for the child's own view from 12, for a protected address and for a conflict
between parents; a guardian and an agent show their authority. What shows it is seen, not kept.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.staff import human, named
from domain.vocabulary import IdentityMethod

OF_AGE = 18
OWN_VIEW_FROM = 12


class RepresentationKind(Enum):
    """In what part somebody asks."""

    ONESELF = "oneself"
    PARENT = "parent"
    GUARDIAN = "guardian"
    TRUSTEE = "trustee"
    AGENT = "agent"


class AuthorityEvidence(Enum):
    """What showed the authority; the paper itself is never kept."""

    POPULATION_REGISTER = "population-register"
    COURT_DECISION = "court-decision"
    APPOINTMENT = "appointment-as-guardian"
    POWER_OF_ATTORNEY = "power-of-attorney"
    PERSON_CONFIRMED = "confirmed-by-the-person"


class ChildView(Enum):
    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_HEARD = "not-heard"


class AnswerTo(Enum):
    PERSON = "person"
    REPRESENTATIVE = "representative"


class Missing(Enum):
    """What has to be known before authority can be accepted."""

    EVIDENCE = "evidence"
    IDENTITY = "identity"
    CHILD_VIEW = "child-view"
    ADDRESS = "protected-address"
    CONFLICT = "conflict-between-parents"


ENOUGH = {
    RepresentationKind.PARENT: frozenset(
        {AuthorityEvidence.POPULATION_REGISTER, AuthorityEvidence.COURT_DECISION}
    ),
    RepresentationKind.GUARDIAN: frozenset(
        {AuthorityEvidence.APPOINTMENT, AuthorityEvidence.COURT_DECISION}
    ),
    RepresentationKind.TRUSTEE: frozenset(
        {AuthorityEvidence.APPOINTMENT, AuthorityEvidence.COURT_DECISION}
    ),
    RepresentationKind.AGENT: frozenset(
        {AuthorityEvidence.POWER_OF_ATTORNEY, AuthorityEvidence.PERSON_CONFIRMED}
    ),
}
"""Any one of these shows the authority of its kind."""


def representation_id(case_id: UUID) -> UUID:
    return uuid5(case_id, "representation")


def age_on(born_on: date, day: date) -> int:
    """Whole years of life on a day; who was born on 29 February is a year older on 1 March."""
    if born_on > day:
        raise DomainError("nobody is born after the request: check the date of birth")
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def default_answer_to(
    kind: RepresentationKind,
    age: int | None,
    *,
    own_answer_from: int,
    conflict: bool,
    view: ChildView | None,
    receives: bool,
) -> AnswerTo:
    """To whom the answer goes when nobody has decided otherwise.

    Where it is not known how old a child is, it is taken for old enough to read its own post.
    """
    if kind is RepresentationKind.ONESELF:
        return AnswerTo.PERSON
    if kind is RepresentationKind.AGENT:
        return AnswerTo.REPRESENTATIVE if receives else AnswerTo.PERSON
    if kind is RepresentationKind.PARENT and (
        age is None or age >= own_answer_from or conflict or view is ChildView.DISAGREES
    ):
        return AnswerTo.PERSON
    return AnswerTo.REPRESENTATIVE


class Representation(Aggregate):
    TOPIC = "representation"

    # Events

    class Event(Aggregate.Event):
        pass

    class Claimed(Event, AggregateCreated):
        TOPIC = "representation.claimed"
        case_id: UUID
        controller: str
        kind: RepresentationKind
        age: int | None
        own_answer_from: int
        representative: PersonalRef
        by: str

    class RepresentativeIdentified(Event):
        TOPIC = "representation.representative-identified"
        method: IdentityMethod
        representative: PersonalRef
        by: str | None = None

        def apply(self, aggregate: Representation) -> None:
            aggregate.identified = self.method
            aggregate.representative = self.representative

    class EvidenceSeen(Event):
        TOPIC = "representation.evidence-seen"
        evidence: AuthorityEvidence
        receives: bool
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.evidence = aggregate.evidence | {self.evidence}
            aggregate.receives = self.receives

    class ChildHeard(Event):
        TOPIC = "representation.child-heard"
        view: ChildView
        reason: str
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.view = self.view

    class AddressChecked(Event):
        TOPIC = "representation.address-checked"
        protected: bool
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.address_protected = self.protected

    class ConflictChecked(Event):
        TOPIC = "representation.conflict-checked"
        known: bool
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.conflict = self.known

    class Doubted(Event):
        TOPIC = "representation.doubted"
        reason: str
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.doubted = self.reason

    class Accepted(Event):
        TOPIC = "representation.accepted"
        answer_to: AnswerTo
        reason: str
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.accepted, aggregate.answer_to = True, self.answer_to

    class Rejected(Event):
        TOPIC = "representation.rejected"
        reason: str
        by: str

        def apply(self, aggregate: Representation) -> None:
            aggregate.accepted = False

    # State

    @event(Claimed)
    def __init__(
        self,
        case_id: UUID,
        controller: str,
        kind: RepresentationKind,
        age: int | None,
        own_answer_from: int,
        representative: PersonalRef,
        by: str,
        timestamp: datetime,
    ) -> None:
        self.case_id, self.controller, self.kind, self.age = case_id, controller, kind, age
        self.own_answer_from = own_answer_from
        self.representative = representative
        self.claimed_at = timestamp
        self.identified: IdentityMethod | None = None
        self.evidence: frozenset[AuthorityEvidence] = frozenset()
        self.receives = False
        self.view: ChildView | None = None
        self.address_protected: bool | None = None
        self.conflict: bool | None = None
        self.doubted: str | None = None
        self.accepted: bool | None = None
        self.answer_to = AnswerTo.PERSON

    @staticmethod
    def create_id(case_id: UUID) -> UUID:
        return representation_id(case_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["by"])
        age = facts["age"]
        if age is not None and not 0 <= age <= OF_AGE:
            raise DomainError(f"give an age from 0 to {OF_AGE}; {OF_AGE} stands for all above it")
        if facts["kind"] is RepresentationKind.PARENT and age == OF_AGE:
            raise DomainError(
                "parental responsibility ends at 18: treat whoever asks as an agent or a guardian"
            )

    @property
    def asks_for_another(self) -> bool:
        return self.kind is not RepresentationKind.ONESELF

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What has to be known before authority can be accepted, in the order of asking."""
        if not self.asks_for_another:
            return ()
        parent = self.kind is RepresentationKind.PARENT
        wanted = {
            Missing.IDENTITY: self.identified is None,
            Missing.EVIDENCE: not self.evidence & ENOUGH[self.kind],
            Missing.CHILD_VIEW: parent
            and (self.age is None or self.age >= OWN_VIEW_FROM)
            and self.view is None,
            Missing.ADDRESS: parent and self.address_protected is None,
            Missing.CONFLICT: parent and self.conflict is None,
        }
        return tuple(one for one, open_ in wanted.items() if open_)

    @property
    def usual_answer_to(self) -> AnswerTo:
        return default_answer_to(
            self.kind,
            self.age,
            own_answer_from=self.own_answer_from,
            conflict=bool(self.conflict),
            view=self.view,
            receives=self.receives,
        )

    # Commands

    def identify(
        self,
        *,
        method: IdentityMethod,
        representative: PersonalRef,
        by: str | None = None,
        at: datetime,
    ) -> None:
        """Whoever asks has proven who they are; that alone opens nothing about anybody else."""
        if self.identified is not None:
            return
        if method.needs_a_person:
            named(by)
        self.trigger_event(
            self.RepresentativeIdentified,
            method=method,
            representative=representative,
            by=by,
            timestamp=at,
        )

    def see_evidence(
        self, *, evidence: AuthorityEvidence, receives: bool = False, by: str, at: datetime
    ) -> None:
        """Record what was seen. `receives`: it lets the representative have the answer too."""
        self._require_open()
        if evidence not in ENOUGH.get(self.kind, frozenset()):
            raise DomainError(
                f"{evidence.value} does not show the authority of a {self.kind.value}"
            )
        if evidence not in self.evidence or receives != self.receives:
            self.trigger_event(
                self.EvidenceSeen,
                evidence=evidence,
                receives=receives,
                by=human(by),
                timestamp=at,
            )

    def hear_child(self, *, view: ChildView, reason: str, by: str, at: datetime) -> None:
        """The child's own view; not to hear it takes a reason too."""
        self._require_open()
        self.trigger_event(
            self.ChildHeard, view=view, reason=code(reason), by=human(by), timestamp=at
        )

    def check_address(self, *, protected: bool, by: str, at: datetime) -> None:
        self._require_open()
        if self.address_protected is not protected:
            self.trigger_event(self.AddressChecked, protected=protected, by=human(by), timestamp=at)

    def check_conflict(self, *, known: bool, by: str, at: datetime) -> None:
        self._require_open()
        if self.conflict is not known:
            self.trigger_event(self.ConflictChecked, known=known, by=human(by), timestamp=at)

    def doubt(self, *, reason: str, by: str, at: datetime) -> None:
        """What was shown is not enough: ask, and say what for (EDPB 01/2022, 80 to 82)."""
        self._require_open()
        self.trigger_event(self.Doubted, reason=code(reason), by=named(by), timestamp=at)

    def accept(
        self, *, answer_to: AnswerTo | None = None, reason: str = "", by: str, at: datetime
    ) -> None:
        """Authority is shown. To send the answer elsewhere than usual takes a reason."""
        self._require_open()
        if self.missing:
            words = ", ".join(one.value for one in self.missing)
            raise NotAllowedNow(f"authority is not shown yet: find out about {words} first")
        usual = self.usual_answer_to
        chosen = answer_to or usual
        if chosen is not usual or self.conflict:
            code(reason)
        if chosen is AnswerTo.REPRESENTATIVE and self.view is ChildView.DISAGREES:
            raise DomainError("the child does not want it: the answer goes to the child")
        self.trigger_event(
            self.Accepted,
            answer_to=chosen,
            reason=code(reason or "as-usual"),
            by=human(by),
            timestamp=at,
        )

    def reject(self, *, reason: str, by: str, at: datetime) -> None:
        """No authority. Whoever asks for themselves needs none, however young."""
        self._require_open()
        if not self.asks_for_another:
            raise DomainError(
                "whoever understands a request may make it at any age: no age is a ground to refuse"
            )
        self.trigger_event(self.Rejected, reason=code(reason), by=human(by), timestamp=at)

    # Rules

    def _require_open(self) -> None:
        if self.accepted is not None:
            raise NotAllowedNow("this has been decided already: begin a new case if it was wrong")
