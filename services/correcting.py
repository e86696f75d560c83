"""Correcting: a wrong right, a right found later, a request that is another controller's.

Whatever is put right, the receipt stays and every date is counted from it. The person is written to
each time, because what we told them before was wrong or incomplete (Art. 12(1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest
from domain.vocabulary import LetterKind, Right
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.intake import request_of
from services.letters import Elsewhere, LetterFacts, compose
from services.passing_on import Somebody, somebody_else
from services.planning import Planning
from services.ports import Clock, Person, Staff, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict
from services.wording import LETTERS, wording


class Correcting:
    """What is put right about requests that were begun already."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        staff: Staff,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom = planning, postroom
        self._staff, self._clock = staff, clock

    @again_on_conflict
    def read_replies(self, case_id: UUID, *, by: str) -> None:
        """What was written again has been read, and nothing has to be done about it."""
        case = self._register.case(case_id)
        case.read_replies(by=by, at=self._clock())
        self._register.save_all([case])

    @again_on_conflict
    def correct_right(self, request_id: UUID, *, right: Right, by: str) -> None:
        """It was taken for the wrong right: the same request, of the same day, asks for another."""
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        if right is request.right:
            return
        terms = self._controllers.terms(case.controller, request.profile_version)
        others = [one for one in self._register.requests_of(case) if one.id != request.id]
        case.correct_right(was=request.right, right=right, by=by, at=now)
        request.reclassify(
            right=right,
            controller=request.controller,
            not_in_policy=right not in terms.rights,
            by=by,
            at=now,
        )
        self._go_on(case, request, others, now, corrected=True)

    @again_on_conflict
    def add_right(self, case_id: UUID, *, right: Right, by: str, message: int = 0) -> UUID:
        """A right found later in a message of the case; it counts from when that message came.

        Whoever proved who they are in this case need not prove it again.
        """
        now = self._clock()
        case = self._register.case(case_id)
        if not 0 <= message < len(case.messages):
            raise DomainError(f"case {case.reference} has {len(case.messages)} messages, from 0 on")
        found_in = case.messages[message]
        before = self._register.requests_of(case)
        case.add_right(right=right, message=found_in, by=by, at=now)
        arrived = case.arrivals[found_in]
        terms = self._controllers.at_receipt(case.controller, arrived)
        requester = before[0].requester
        request = request_of(case, right, terms, requester, now, received_at=arrived)
        proven = next((one for one in before if one.identity is not None), None)
        if proven is not None and proven.identity is not None and not right.acts_at_once:
            request.verify_identity(method=proven.identity, person=proven.requester, by=by, at=now)
        self._go_on(case, request, before, now)
        return request.id

    @again_on_conflict
    def refer(self, request_id: UUID, *, to: Somebody, by: str, words: str = "") -> None:
        """Another controller answers it: the person is told whom to ask, and the request closes."""
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        there = somebody_else(profile, to)
        request.refer(to=to.recipient or "elsewhere", by=by, at=now)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=received_on(request.received_at, request.country),
            rights=(request.right,),
            free_text=words.strip() or None,
            elsewhere=Elsewhere(there.name, there.contact),
            decided_by=self._staff.name(by),
        )
        letter = compose(LetterKind.OTHER_CONTROLLER, facts)
        also = self._postroom.queue(
            case, letter, profile, address_of(self._person(request)), requests=(request.id,), at=now
        )
        self._register.save_all([case, request], also)

    def _go_on(
        self,
        case: Case,
        request: DataSubjectRequest,
        others: Sequence[DataSubjectRequest],
        now: datetime,
        *,
        corrected: bool = False,
    ) -> None:
        """Plan what can begin, and write what we have understood, in the same save."""
        self._controllers.require_letters_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        steps = self._planning.plan_at_once(case, [request], profile, at=now)
        begun = bool(steps.aggregates)
        rest = self._planning.plan_verified(case, others if begun else (request, *others), at=now)
        say = wording(LETTERS, case.language).say
        letter = self._postroom.acknowledge(
            case,
            [request],
            profile,
            self._person(request),
            at=now,
            free_text=say("corrected.right") if corrected else None,
        )
        changed: list[Aggregate] = [case, request, *others, *steps.aggregates, *rest.aggregates]
        self._register.save_all(changed, [*steps.also, *rest.also, *letter])

    def _person(self, request: DataSubjectRequest) -> Person:
        return dossier.person_in(self._vault, request.requester)
