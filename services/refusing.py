"""Refusing: no, with its reasons, its law and the ways on; and a request that is taken back.

Refused in whole only by named people: two of them where a request is called unfounded or
excessive (Art. 12(4), 12(5)), and never for want of identity before proof was asked for (Art. 11).
"""

from __future__ import annotations

from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.errors import DomainError
from domain.request import DataSubjectRequest, RefusalGround
from domain.vocabulary import Compartment, LetterKind, Outcome
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.letters import CategoryOutcome, LetterFacts, compose
from services.planning import Planning
from services.ports import Also, Clock, Staff, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict
from services.retention import Retention

LAWS = {
    RefusalGround.UNFOUNDED: "GDPR Art. 12(5)(b)",
    RefusalGround.EXCESSIVE: "GDPR Art. 12(5)(b)",
    RefusalGround.CANNOT_IDENTIFY: "GDPR Art. 11(2), 12(2)",
    RefusalGround.NO_RESPONSE: "GDPR Art. 12(2), 12(4), 12(6)",
}
"""What a ground is in the law; the others need it named."""

_LETTERS = {
    RefusalGround.CANNOT_IDENTIFY: LetterKind.CANNOT_IDENTIFY,
    RefusalGround.NO_RESPONSE: LetterKind.NO_RESPONSE,
}


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

    @again_on_conflict
    def refuse(
        self,
        request_id: UUID,
        *,
        ground: RefusalGround,
        words: str,
        by: str,
        second: str | None = None,
        law: str = "",
    ) -> None:
        """Refuse a request as a whole; the letter that says why is written in the same save."""
        if not words.strip():
            raise DomainError("say in words why it is refused: the letter must")
        law = LAWS.get(ground, "") or law.strip()
        if not law:
            raise DomainError("name the law on which it is refused: the letter must")
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        reasons = self._vault.seal(
            case.id,
            Compartment.CORRESPONDENCE,
            dossier.NOTE.dump_json(dossier.SealedNote(words.strip(), by, now)),
        )
        request.refuse(ground=ground, reasons=reasons.ref, by=by, second=second, at=now)
        also = [*reasons.also, *self._letter(case, request, ground, words.strip(), law, by)]
        self._register.save_all([case, request], also)

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
        ground: RefusalGround,
        words: str,
        law: str,
        by: str,
    ) -> list[Also]:
        profile = self._controllers.in_force(case.controller)
        refused = CategoryOutcome(request.right, "", "", Outcome.REFUSED, law=law, why=words)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            deadlines=request.dates if request.right.is_statutory else None,
            outcomes=(refused,),
            decided_by=self._staff.name(by),
            asked_on=max(request.questions_put_on.values(), default=None)
            if ground is RefusalGround.NO_RESPONSE
            else None,
        )
        return self._postroom.queue(
            case,
            compose(_LETTERS.get(ground, LetterKind.REFUSAL), facts),
            profile,
            self._addressees.of_answer(case, request),
            requests=(request.id,),
            explains=(Outcome.REFUSED,),
            at=self._clock(),
        )
