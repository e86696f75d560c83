"""Breach: what went to the wrong person, and what was done about it (Art. 33, 34).

The controller documents every breach: the facts, the effects and the remedies (Art. 33(5)). The
authority knows within 72 hours of the controller's knowing, or is told why not in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.request_answering import RequestAnswering
from domain.request_state import Breach, Event
from domain.staff import human, named

WRONG_PERSON = "wrong-person"
"""Why an answer counts as not delivered, when somebody else got it."""


class DisclosureReported(Event):
    TOPIC = "request.disclosure-reported"
    report: PersonalRef
    by: str
    known_at: datetime | None = None
    tell_authority_by: datetime | None = None
    letter: UUID | None = None
    categories: tuple[str, ...] = ()
    records: int = 0
    link_withdrawn: bool = False
    fetched_at: datetime | None = None
    described: bool = True
    person_told: bool | None = None

    def apply(self, aggregate: RequestBreach) -> None:
        aggregate.disclosed = True
        aggregate.tell_authority_by = self.tell_authority_by
        breach = Breach(
            report=self.report,
            known_at=self.known_at,
            tell_by=self.tell_authority_by,
            by=self.by,
            letter=self.letter,
            categories=self.categories,
            records=self.records,
            link_withdrawn=self.link_withdrawn,
            fetched_at=self.fetched_at,
            notes=(self.report,) if self.described else (),
            person_told=self.person_told,
        )
        aggregate.breaches = {**aggregate.breaches, self.report.id: breach}


class BreachDescribed(Event):
    """What happened, what may follow, what is done about it: written down, or added to."""

    TOPIC = "request.breach-described"
    breach: UUID
    note: PersonalRef
    by: str

    def apply(self, aggregate: RequestBreach) -> None:
        known = aggregate.breaches[self.breach]
        aggregate.change_breach(self.breach, notes=(*known.notes, self.note))


class BreachAuthoritySettled(Event):
    """The authority was told, or a person decided that no risk is likely (Art. 33(1))."""

    TOPIC = "request.breach-authority-settled"
    breach: UUID
    by: str
    told_at: datetime | None = None
    late: bool = False
    reasons: PersonalRef | None = None

    def apply(self, aggregate: RequestBreach) -> None:
        aggregate.change_breach(
            self.breach,
            authority_settled=True,
            authority_told_at=self.told_at,
            authority_reasons=self.reasons,
        )
        aggregate.tell_authority_by = next(
            (one.tell_by for one in aggregate.breaches.values() if not one.authority_settled), None
        )


class BreachPersonSettled(Event):
    """The person was told, or a person decided that it need not be (Art. 34(1), 34(3))."""

    TOPIC = "request.breach-person-settled"
    breach: UUID
    told: bool
    by: str
    reasons: PersonalRef | None = None

    def apply(self, aggregate: RequestBreach) -> None:
        aggregate.change_breach(self.breach, person_told=self.told, person_reasons=self.reasons)


class RequestBreach(RequestAnswering):
    @property
    def open_breaches(self) -> tuple[Breach, ...]:
        return tuple(one for one in self.breaches.values() if not one.is_settled)

    def change_breach(self, report: UUID, **facts: object) -> None:
        """Used by events only."""
        changed = replace(self.breaches[report], **facts)  # type: ignore[arg-type]
        breaches: Mapping[UUID, Breach] = {**self.breaches, report: changed}
        self.breaches = breaches

    # Commands

    def report_disclosure(
        self,
        *,
        report: PersonalRef,
        by: str,
        at: datetime,
        known_at: datetime | None = None,
        tell_authority_by: datetime | None = None,
        letter: UUID | None = None,
        categories: tuple[str, ...] = (),
        records: int = 0,
        link_withdrawn: bool = False,
        fetched_at: datetime | None = None,
        described: bool = True,
        person_told: bool | None = None,
    ) -> None:
        """Something reached somebody it was not for: a breach, with its day (Art. 33)."""
        self.trigger_event(
            DisclosureReported,
            report=report,
            by=named(by),
            known_at=known_at,
            tell_authority_by=tell_authority_by,
            letter=letter,
            categories=categories,
            records=records,
            link_withdrawn=link_withdrawn,
            fetched_at=fetched_at,
            described=described,
            person_told=person_told,
            timestamp=at,
        )

    def describe_breach(self, *, breach: UUID, note: PersonalRef, by: str, at: datetime) -> None:
        self._breach(breach)
        self.trigger_event(BreachDescribed, breach=breach, note=note, by=human(by), timestamp=at)

    def settle_breach_with_authority(
        self,
        *,
        breach: UUID,
        told_at: datetime | None,
        reasons: PersonalRef | None,
        by: str,
        at: datetime,
    ) -> None:
        """Told at this moment, or not at all; late or not told needs its reasons (Art. 33(1))."""
        known = self._breach(breach)
        if known.authority_told_at is not None:
            raise NotAllowedNow("the authority has been told of this breach already")
        if told_at is not None and told_at > at:
            raise DomainError("the authority was not told later than now: check the moment")
        late = told_at is not None and known.tell_by is not None and told_at > known.tell_by
        if reasons is None and (late or told_at is None):
            raise DomainError(
                "say why the authority was told after 72 hours"
                if late
                else "say why no risk to anybody is likely, or tell the authority"
            )
        self.trigger_event(
            BreachAuthoritySettled,
            breach=breach,
            told_at=told_at,
            late=late,
            reasons=reasons,
            by=human(by),
            timestamp=at,
        )

    def settle_breach_with_person(
        self,
        *,
        breach: UUID,
        told: bool,
        reasons: PersonalRef | None,
        by: str,
        at: datetime,
    ) -> None:
        """Whether the person was told; where not, why not (Art. 34(3))."""
        self._breach(breach)
        if not told and reasons is None:
            raise DomainError("say why the person need not be told of the breach")
        self.trigger_event(
            BreachPersonSettled,
            breach=breach,
            told=told,
            reasons=reasons,
            by=human(by),
            timestamp=at,
        )

    def _breach(self, report: UUID) -> Breach:
        known = self.breaches.get(report)
        if known is None:
            raise DomainError("there is no such breach in this request")
        return known
