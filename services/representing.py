"""Representing: somebody asks for somebody else, and a person finds out whether they may (E-08).

What shows authority is seen and not kept. Nothing is searched, and nothing leaves, before it is
accepted; the answer then goes where the law and the controller's own rule say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.errors import DomainError, NotAllowedNow
from domain.representation import (
    OF_AGE,
    AnswerTo,
    AuthorityEvidence,
    ChildView,
    Representation,
    RepresentationKind,
    age_on,
)
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Compartment, LetterKind, PauseReason
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.letters import LetterFacts, compose
from services.numbers import number_in, take, without_numbers
from services.planning import Planning
from services.ports import Also, Clock, Identifier, Person, Vault
from services.postroom import Postroom
from services.register import Register, UnknownHere, again_on_conflict
from services.retention import Retention

ASKED_ABOUT = {
    RepresentationKind.PARENT: "parent",
    RepresentationKind.GUARDIAN: "guardian",
    RepresentationKind.TRUSTEE: "guardian",
    RepresentationKind.AGENT: "agent",
}
"""What the letter asks to be shown."""

DEAD = "outside-the-gdpr"
"""What a request about somebody who has died is referred as (recital 27)."""


class Representing:
    """Who asks for whom in a case."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        retention: Retention,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom, self._clock = planning, postroom, clock
        self._retention, self._addressees = retention, Addressees(register, vault)

    @again_on_conflict
    def claim(
        self,
        case_id: UUID,
        *,
        kind: RepresentationKind,
        identifiers: tuple[Identifier, ...] = (),
        age: int | None = None,
        born_on: date | None = None,
        by: str,
    ) -> None:
        """Whoever wrote asks for somebody else: `identifiers` are of the person asked about."""
        now = self._clock()
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        if self._register.find_representation(case_id) is not None:
            raise NotAllowedNow(f"who asks in case {case.reference} has been recorded already")
        if case.person is None:
            raise DomainError("confirm the case first: it has no person yet")
        requests = [r for r in self._register.requests_of(case) if r.status is Status.RECEIVED]
        for_another = kind is not RepresentationKind.ONESELF
        if for_another and not identifiers:
            raise DomainError("say by what the person asked about can be found")
        if for_another and not requests:
            raise NotAllowedNow("the systems are being searched already: begin a new case")
        if born_on is not None:
            age = min(age_on(born_on, min(r.received_on for r in requests)), OF_AGE)
        profile = self._controllers.in_force(case.controller)
        representation = Representation(
            case_id=case.id,
            controller=case.controller,
            kind=kind,
            age=age,
            own_answer_from=profile.own_answer_age,
            representative=case.person,
            by=by,
            timestamp=now,
        )
        also = self._await(case, requests, identifiers, now) if for_another else []
        self._register.save_all([representation, case, *requests], also)

    def _await(
        self,
        case: Case,
        requests: list[DataSubjectRequest],
        identifiers: tuple[Identifier, ...],
        now: datetime,
    ) -> list[Also]:
        sealed = self._vault.seal(
            case.id,
            Compartment.CORRESPONDENCE,
            dossier.PERSON.dump_json(Person(without_numbers(identifiers))),
        )
        also = list(sealed.also)
        number = number_in(identifiers)
        if number is not None:
            also += take(self._vault, case, number, at=now)
        for request in requests:
            request.await_authority(person=sealed.ref, at=now)
        return also

    def of_case(self, case_id: UUID) -> Representation | None:
        """Who asks for whom; None where nobody has said that it is for somebody else."""
        return self._register.find_representation(case_id)

    def see_evidence(
        self, case_id: UUID, *, evidence: AuthorityEvidence, receives: bool = False, by: str
    ) -> None:
        """What was seen, and whether it lets the representative have the answer."""
        self._do(
            case_id,
            lambda one, now: one.see_evidence(evidence=evidence, receives=receives, by=by, at=now),
        )

    def hear_child(self, case_id: UUID, *, view: ChildView, reason: str, by: str) -> None:
        self._do(case_id, lambda one, now: one.hear_child(view=view, reason=reason, by=by, at=now))

    @again_on_conflict
    def check_address(self, case_id: UUID, *, protected: bool, by: str) -> None:
        """Whether the child lives at a protected address; then places are hidden at once."""
        representation, now = self._representation(case_id), self._clock()
        case = self._register.case(case_id)
        representation.check_address(protected=protected, by=by, at=now)
        if protected:
            case.protect_identity(reason="protected-address", by=by, at=now)
        self._register.save_all([representation, case])

    def check_conflict(self, case_id: UUID, *, known: bool, by: str) -> None:
        self._do(case_id, lambda one, now: one.check_conflict(known=known, by=by, at=now))

    @again_on_conflict
    def doubt(self, case_id: UUID, *, reason: str, words: str = "", by: str) -> None:
        """Ask whoever asks for somebody else to show that they may (EDPB 01/2022, 80 to 82)."""
        representation, now = self._representation(case_id), self._clock()
        case = self._register.case(case_id)
        requests = [r for r in self._register.requests_of(case) if r.authority_awaited]
        if not requests:
            raise NotAllowedNow("nothing in this case waits for authority to be shown")
        representation.doubt(reason=reason, by=by, at=now)
        for request in requests:
            request.open_pause(reason=PauseReason.AUTHORITY, on=request.today(now), at=now)
        letters = self._write(
            case,
            requests,
            LetterKind.AUTHORITY_QUESTION,
            doubt=ASKED_ABOUT[representation.kind],
            question=words.strip() or None,
        )
        self._register.save_all([representation, case, *requests], letters)

    @again_on_conflict
    def deceased(self, case_id: UUID, *, by: str) -> None:
        """It concerns somebody who has died: another letter, not an answer (recital 27, E-09)."""
        now = self._clock()
        case = self._register.case(case_id)
        requests = self._register.requests_of(case)
        concerned = [request for request in requests if request.status.is_open]
        if not concerned:
            raise NotAllowedNow(f"nothing is open in case {case.reference}")
        letters = self._write(case, concerned, LetterKind.DECEASED)
        for request in concerned:
            request.refer(to=DEAD, by=by, at=now)
            request.close(by=by, at=now)
        also = [*letters, *self._retention.when_closed(case, requests, at=now)]
        self._register.save_all([case, *requests], also)

    def _write(
        self,
        case: Case,
        requests: Sequence[DataSubjectRequest],
        kind: LetterKind,
        **facts: Any,
    ) -> list[Also]:
        """A letter to whoever asks; nothing in it tells whether anybody is known."""
        profile = self._controllers.in_force(case.controller)
        known = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=requests[0].received_on,
            rights=tuple(request.right for request in requests),
            **facts,
        )
        return self._postroom.queue(
            case,
            compose(kind, known),
            profile,
            self._addressees.of_question(case, requests[0]),
            requests=tuple(request.id for request in requests),
            at=self._clock(),
        )

    @again_on_conflict
    def accept(
        self, case_id: UUID, *, answer_to: AnswerTo | None = None, reason: str = "", by: str
    ) -> None:
        """They may: the systems are searched, and the answer goes where it should."""
        representation, now = self._representation(case_id), self._clock()
        case = self._register.case(case_id)
        requests = self._register.requests_of(case)
        representation.accept(answer_to=answer_to, reason=reason, by=by, at=now)
        for request in requests:
            request.settle_authority(accepted=True, at=now)
        planned = self._planning.plan_verified(case, requests, at=now)
        changed: list[Aggregate] = [representation, *requests, *planned.aggregates]
        self._register.save_all(changed, planned.also)

    @again_on_conflict
    def reject(self, case_id: UUID, *, reason: str, by: str) -> None:
        """They may not, or did not show it. Each request is then refused, with its letter."""
        representation, now = self._representation(case_id), self._clock()
        requests = self._register.requests_of(self._register.case(case_id))
        representation.reject(reason=reason, by=by, at=now)
        for request in requests:
            request.settle_authority(accepted=False, at=now)
        self._register.save_all([representation, *requests])

    @again_on_conflict
    def protect(self, case_id: UUID, *, reason: str, by: str) -> None:
        """Hide where the person lives and stays, everywhere and at once (E-10)."""
        case = self._register.case(case_id)
        case.protect_identity(reason=reason, by=by, at=self._clock())
        self._register.save_all([case])

    @again_on_conflict
    def end_protection(self, case_id: UUID, *, reason: str, by: str) -> None:
        case = self._register.case(case_id)
        case.end_protection(reason=reason, by=by, at=self._clock())
        self._register.save_all([case])

    @again_on_conflict
    def _do(self, case_id: UUID, command: Callable[[Representation, datetime], None]) -> None:
        representation = self._representation(case_id)
        command(representation, self._clock())
        self._register.save_all([representation])

    def _representation(self, case_id: UUID) -> Representation:
        found = self._register.find_representation(case_id)
        if found is None:
            raise UnknownHere("nobody has said that this case is asked for somebody else")
        return found
