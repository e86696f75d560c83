"""Refusing: no, with its reasons, its law and the ways on; and a request that is taken back.

Refused in whole only by named people: two of them where a request is called unfounded or
excessive (Art. 12(4), 12(5)), and never for want of identity before proof was asked for (Art. 11).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.refusal import Refusal
from domain.refusals import (
    REPETITIVE,
    RefusalReason,
    available,
    chosen,
    require_too_frequent,
)
from domain.request import DataSubjectRequest, RefusalGround, Status
from domain.staff import human
from domain.vocabulary import Compartment, IdentifierKind, LetterKind, Outcome, Unidentified
from services import dossier
from services.addressees import Addressees
from services.consulting import require_no_officer
from services.controllers import Controllers
from services.letters import CategoryOutcome, LetterFacts, compose
from services.planning import Planning
from services.ports import Also, Clock, Erased, Identifier, Person, Sealed, Staff, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict
from services.retention import Retention

FEE_VALID_FOR = timedelta(days=30)
"""So long the person has to say whether they pay; the clock does not wait for it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A refusal that one person proposed, for whoever decides on it: personal data."""

    refusal: Refusal
    words: str
    proof: str
    fee: str


LETTER_OF = {
    RefusalGround.CANNOT_IDENTIFY: LetterKind.CANNOT_IDENTIFY,
    RefusalGround.NO_RESPONSE: LetterKind.NO_RESPONSE,
}
"""Which letter says no on this ground, where it is not the usual refusal."""


class Refusing:
    """What ends a request without doing what it asks."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        retention: Retention,
        staff: Staff,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom, self._retention = planning, postroom, retention
        self._staff, self._clock = staff, clock
        self._addressees = Addressees(register, vault)

    def reasons(self, request: DataSubjectRequest) -> tuple[RefusalReason, ...]:
        """On what this request may be refused, by law and by the controller's promise."""
        return available(
            self._controllers.in_force(request.controller),
            request.right,
            for_another=self._is_for_another(request),
        )

    def _is_for_another(self, request: DataSubjectRequest) -> bool:
        representation = self._register.find_representation(request.case_id)
        return representation is not None and representation.asks_for_another

    @again_on_conflict
    def refuse(
        self,
        request_id: UUID,
        *,
        ground: RefusalGround,
        words: str,
        by: str,
        law: str = "",
        proof: str = "",
        shown: Unidentified | None = None,
    ) -> None:
        """Refuse a request as a whole; the letter that says why is written in the same save.

        `law` names one of `reasons` by its code, or by its law where that is enough. Who cannot be
        identified takes a `proof`, what was tried in words, and what it `shown`: neither is in the
        letter.
        """
        if ground.needs_two_people:
            raise DomainError(
                "unfounded or excessive is decided by two people: propose it, with its proof,"
                " and let another person confirm",
                key="two-people",
            )
        request, case, reason = self._chosen(request_id, ground, words, law)
        require_no_officer(self._staff, case.controller, by)
        now = self._clock()
        note = self._sealed(case, words, by, now)
        tried = self._sealed(case, proof, by, now) if proof.strip() else None
        request.refuse(
            ground=ground,
            code=reason.code,
            reasons=note.ref,
            shown=shown,
            proof=tried.ref if tried else None,
            by=by,
            at=now,
        )
        also = [
            *note.also,
            *(tried.also if tried else ()),
            *self._letter(case, request, reason, words.strip(), by),
        ]
        self._register.save_all([case, request], also)

    # Unfounded or excessive (Art. 12(5))

    @again_on_conflict
    def propose(
        self,
        request_id: UUID,
        *,
        ground: RefusalGround,
        words: str,
        proof: str,
        by: str,
        law: str = "",
        fee: str = "",
    ) -> None:
        """Say why a request is unfounded or excessive, and what shows it; a second person decides.

        With a `fee` it is not refused: the fee is announced, and nothing is charged before.
        """
        request, case, reason = self._chosen(request_id, ground, words, law)
        require_no_officer(self._staff, case.controller, by)
        if not proof.strip():
            raise DomainError(
                "the controller has to prove it (Art. 12(5)): write down what shows it"
            )
        request.require_undecided()
        if reason.code == REPETITIVE:
            require_too_frequent(request.received_on, self._earlier(request))
        now = self._clock()
        notes = [self._sealed(case, text, by, now) for text in (words, proof, fee) if text.strip()]
        facts: dict[str, Any] = {
            "ground": ground,
            "code": reason.code,
            "words": notes[0].ref,
            "proof": notes[1].ref,
            "by": by,
            "fee": notes[2].ref if fee.strip() else None,
        }
        refusal = self._register.find_refusal(request_id)
        if refusal is None:
            refusal = Refusal(request_id=request_id, case_id=case.id, timestamp=now, **facts)
        else:
            refusal.propose_again(at=now, **facts)
        self._register.save_all([refusal], [write for note in notes for write in note.also])

    @again_on_conflict
    def confirm(self, request_id: UUID, *, by: str) -> None:
        """The second person agrees: refused, or the fee announced, with its letter."""
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        require_no_officer(self._staff, case.controller, by)
        self._controllers.require_letters_allowed(case.controller)
        proposal = self._proposal(request_id)
        refusal = proposal.refusal
        refusal.confirm(by=by, at=now)
        profile = self._controllers.in_force(case.controller)
        reason = chosen(profile, request.right, refusal.ground, refusal.code)
        if refusal.fee is not None:
            request.require_undecided()
            letter = self._fee_letter(case, request, reason, proposal)
        else:
            request.refuse(
                ground=refusal.ground,
                code=refusal.code,
                reasons=refusal.words,
                by=refusal.by,
                second=by,
                at=now,
            )
            letter = self._letter(case, request, reason, proposal.words, refusal.by)
        self._register.save_all([refusal, case, request], letter)

    @again_on_conflict
    def decline(self, request_id: UUID, *, words: str, by: str) -> None:
        """The second person does not agree: the request is worked on as any other."""
        if not words.strip():
            raise DomainError("say why you do not agree: it is kept with the proposal")
        now = self._clock()
        refusal = self._proposal(request_id).refusal
        case = self._register.case(refusal.case_id)
        require_no_officer(self._staff, case.controller, by)
        note = self._sealed(case, words, by, now)
        refusal.decline(by=by, words=note.ref, at=now)
        self._register.save_all([refusal], note.also)

    @again_on_conflict
    def fee_paid(self, request_id: UUID, *, by: str) -> None:
        refusal = self._proposal(request_id).refusal
        refusal.take_fee(by=by, at=self._clock())
        self._register.save_all([refusal])

    def proposal(self, request_id: UUID) -> Proposal | None:
        """What was proposed last, with words and proof; None where nothing ever was."""
        if self._register.find_refusal(request_id) is None:
            return None
        return self._proposal(request_id)

    def _proposal(self, request_id: UUID) -> Proposal:
        refusal = self._register.find_refusal(request_id)
        if refusal is None:
            raise NotAllowedNow("nobody has proposed to refuse this request")
        return Proposal(
            refusal,
            words=self._said(refusal.words),
            proof=self._said(refusal.proof),
            fee=self._said(refusal.fee),
        )

    def _said(self, ref: PersonalRef | None) -> str:
        try:
            return dossier.note_in(self._vault, ref) if ref else ""
        except Erased:
            return ""

    def _chosen(
        self, request_id: UUID, ground: RefusalGround, words: str, law: str
    ) -> tuple[DataSubjectRequest, Case, RefusalReason]:
        if not words.strip():
            raise DomainError("say in words why it is refused: the letter must")
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        reason = chosen(
            profile,
            request.right,
            ground,
            law.strip(),
            for_another=self._is_for_another(request),
        )
        return request, case, reason

    def _sealed(self, case: Case, text: str, by: str, at: datetime) -> Sealed:
        return dossier.seal_note(self._vault, case.id, text.strip(), by, at)

    def _earlier(self, request: DataSubjectRequest) -> Iterator[date]:
        """When the same person asked for the same before, as far as that is still known."""
        person = dossier.person_in(self._vault, request.requester)
        cases = {
            case_id
            for identifier in person.identifiers
            if identifier.kind in _OF_ONE_PERSON
            for case_id in self._vault.cases_of(request.controller, identifier)
        }
        for case_id in cases - {request.case_id}:
            case = self._register.find_case(case_id)
            for other in self._register.requests_of(case) if case is not None else ():
                if other.right is request.right and other.status is not Status.WITHDRAWN:
                    yield other.received_on

    # Art. 11

    @again_on_conflict
    def identify_after_all(
        self, request_id: UUID, identifiers: Sequence[Identifier], *, by: str
    ) -> None:
        """More was given to be found by: the request goes on, with its old receipt (Art. 11(2))."""
        if not identifiers:
            raise DomainError("say by what the person can be found now", key="by-what-found")
        now = self._clock()
        request = self._register.request(request_id)
        if request.refusal is not RefusalGround.CANNOT_IDENTIFY:
            raise NotAllowedNow("this request was not left for want of identifiers")
        person = dossier.person_in(self._vault, request.requester)
        known = {(one.kind, one.value): one for one in (*person.identifiers, *identifiers)}
        more = Person(tuple(known.values()))
        sealed = self._vault.seal(
            request.case_id, Compartment.CORRESPONDENCE, dossier.PERSON.dump_json(more)
        )
        request.reopen(reason="identifiers-arrived", by=human(by), at=now)
        request.take_identifiers(person=sealed.ref, by=by, at=now)
        found = self._vault.index(request.controller, request.case_id, identifiers)
        self._register.save_all([request], [*sealed.also, *found])

    @again_on_conflict
    def withdraw(self, request_id: UUID, *, by: str) -> None:
        """The person takes it back; what waited for it goes on."""
        if not by:
            raise DomainError("say who took down that the person withdraws")
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        request.withdraw(at=now)
        request.close(by=by, at=now)
        others = [r for r in self._register.requests_of(case) if r.id != request_id]
        requests = (request, *others)
        planned = self._planning.plan_verified(case, requests, at=now)
        changed: list[Aggregate] = [*requests, *planned.aggregates]
        ends = self._retention.when_closed(case, requests, at=now)
        self._register.save_all(changed, [*planned.also, *ends])

    def _letter(
        self,
        case: Case,
        request: DataSubjectRequest,
        reason: RefusalReason,
        words: str,
        by: str,
    ) -> list[Also]:
        refused = CategoryOutcome(request.right, "", "", Outcome.REFUSED, law=reason.law, why=words)
        return self._queue(
            case,
            request,
            LETTER_OF.get(reason.ground, LetterKind.REFUSAL),
            explains=(Outcome.REFUSED,),
            outcomes=(refused,),
            decided_by=self._staff.name(by),
            asked_on=max(request.questions_put_on.values(), default=None)
            if reason.ground is RefusalGround.NO_RESPONSE
            else None,
        )

    def _fee_letter(
        self, case: Case, request: DataSubjectRequest, reason: RefusalReason, proposal: Proposal
    ) -> list[Also]:
        return self._queue(
            case,
            request,
            LetterKind.FEE_ANNOUNCED,
            why=proposal.words,
            law=reason.law,
            fee=proposal.fee,
            reply_by=received_on(self._clock() + FEE_VALID_FOR, request.country),
            decided_by=self._staff.name(proposal.refusal.by),
        )

    def _queue(
        self,
        case: Case,
        request: DataSubjectRequest,
        kind: LetterKind,
        *,
        explains: tuple[Outcome, ...] = (),
        **more: Any,
    ) -> list[Also]:
        profile = self._controllers.in_force(case.controller)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            deadlines=request.dates if request.right.is_statutory else None,
            **more,
        )
        return self._postroom.queue(
            case,
            compose(kind, facts),
            profile,
            self._addressees.of_answer(case, request),
            requests=(request.id,),
            explains=explains,
            at=self._clock(),
        )


_OF_ONE_PERSON = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.NATIONAL_NUMBER,
        IdentifierKind.CUSTOMER_NUMBER,
    }
)
"""What stands for one person; a name or an address in the street does not."""
