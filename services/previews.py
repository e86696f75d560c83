"""Previews: any letter as it would be written now, without writing it (GDPR Art. 12(1))."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from uuid import UUID

from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.policy import Profile
from domain.vocabulary import IdentityMethod, Language, LetterKind, Right
from services.answering import Answering
from services.controllers import Controllers
from services.letters import (
    ComposedLetter,
    Disclosure,
    Elsewhere,
    LetterFacts,
    RecipientNotice,
    compose,
)
from services.ports import Clock, Staff
from services.register import Register

WRITTEN_BY_WORK = frozenset({LetterKind.ANSWER, LetterKind.PARTIAL_REFUSAL})
"""What these say comes from the work on a request; the others are written from given facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What whoever writes a letter adds to what the case knows; see `LetterFacts`."""

    free_text: str | None = None
    doubt: str | None = None
    ways: tuple[IdentityMethod, ...] = ()
    question: str | None = None
    asked_on: date | None = None
    reply_by: date | None = None
    reasons: tuple[str, ...] = ()
    why: str | None = None
    law: str | None = None
    new_date: date | None = None
    lift_on: date | None = None
    purposes: tuple[str, ...] = ()
    fee: str | None = None
    elsewhere: Elsewhere | None = None
    disclosure: Disclosure | None = None
    recipients: tuple[RecipientNotice, ...] = ()


class Previews:
    """Shows letters; it can neither seal nor send one."""

    def __init__(
        self,
        register: Register,
        controllers: Controllers,
        answering: Answering,
        staff: Staff,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._controllers = register, controllers
        self._answering, self._staff, self._clock = answering, staff, clock
        self._address = address.rstrip("/")

    def letter(
        self,
        case_id: UUID,
        kind: LetterKind,
        *,
        by: str,
        right: Right | None = None,
        language: Language | None = None,
        given: Given | None = None,
    ) -> ComposedLetter:
        """The letter, or what is missing for it; a preview changes nothing."""
        case = self._register.case(case_id)
        if kind in WRITTEN_BY_WORK:
            if right is None and len(case.rights) == 1:
                (right,) = case.rights
            if right is None or case.request_id(right) not in case.request_ids:
                raise DomainError("say which right of the case the answer is about")
            words = given.free_text if given is not None else None
            return self._answering.preview(case.request_id(right), by=by, words=words)
        profile = self._controllers.in_force(case.controller)
        facts = self._facts(case, profile, right, language or case.language, by)
        added = given or Given()
        said = {field.name: getattr(added, field.name) for field in fields(added)}
        return compose(kind, replace(facts, **{k: v for k, v in said.items() if v}))

    def _facts(
        self, case: Case, profile: Profile, right: Right | None, language: Language, by: str
    ) -> LetterFacts:
        requests = self._register.requests_of(case)
        dated = [one for one in requests if one.right.is_statutory and right in {None, one.right}]
        today = received_on(self._clock(), profile.country)
        return LetterFacts(
            profile=profile,
            language=language,
            case_reference=case.reference,
            received_on=received_on(case.received_at, profile.country),
            rights=(right,) if right else case.rights,
            deadlines=dated[0].dates if dated else None,
            link_url=f"{self._address}/…",
            link_ends_on=today,
            code="000000",
            code_minutes=30,
            decided_by=self._staff.name(by),
        )
