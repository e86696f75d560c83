"""Questions: what the person is asked, two reminders of it, and then somebody who decides.

Nobody is refused by a machine for keeping silent (B.2.5, Art. 12(4)); what was asked opens a pause
that is shown beside the dates and moves none of them (EDPB guidelines 01/2022, 159; AO-04).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.ladder import OFFERED
from domain.policy import Profile, Silence
from domain.request import MOST_QUESTION_REMINDERS, DataSubjectRequest
from domain.vocabulary import IdentityMethod, LetterKind, PauseReason
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.letters import LetterFacts, compose
from services.links import link_to
from services.ports import Also, Clock, Erased, Links, Sealed, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict

ERASURE_TABLE = "erasure-table"
"""Why a question is put that asks whether the table of an erasure is right."""


class Questions:
    """Asks the person what is meant, and follows up what is not answered."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        postroom: Postroom,
        links: Links,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._postroom, self._clock = postroom, clock
        self._links, self._our_address = links, address.rstrip("/")

    @again_on_conflict
    def ask_scope(
        self, request_id: UUID, *, words: str, by: str, reason: str = "scope-unclear"
    ) -> None:
        """Ask what is meant (recital 63); what is not in question is collected meanwhile."""
        if not words.strip():
            raise DomainError(
                "write the question: the letter to the person is made from it", key="words-needed"
            )
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        question = self._note(request, words, by)
        request.request_clarification(question=question.ref, reason=reason, by=by, at=now)
        profile, address = self._controllers.in_force(case.controller), self._address(request)
        link, linked = link_to(self._links, case.id, self._our_address) if address else (None, ())
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            question=words.strip(),
            erasure_table=reason == ERASURE_TABLE,
            link_url=link,
        )
        letter = self._postroom.queue(
            case,
            compose(LetterKind.CLARIFICATION, facts),
            profile,
            address,
            requests=(request.id,),
            at=now,
        )
        self._register.save_all([case, request], [*question.also, *linked, *letter])

    @again_on_conflict
    def record_answer(self, request_id: UUID, *, words: str, by: str) -> None:
        """What the person said, by telephone or on paper; a mail is recorded by itself."""
        if not words.strip():
            raise DomainError("write down what the person answered", key="words-needed")
        request = self._register.request(request_id)
        answer = self._note(request, words, by)
        request.clarify(answer=answer.ref, at=self._clock())
        self._register.save_all([request], answer.also)

    @again_on_conflict
    def follow_up(self, request_id: UUID) -> int:
        """Remind of every question whose day has come, or have a person decide."""
        request = self._register.request(request_id)
        if not request.status.is_open or not request.open_pauses:
            return 0
        now = self._clock()
        today = received_on(now, request.country)
        case = self._register.case(request.case_id)
        profile = self._controllers.in_force(case.controller)
        changed: list[Aggregate] = []
        also: list[Also] = []
        for reason in request.open_pauses:
            if reason in request.silent_about or today < due_on(request, reason, profile.silence):
                continue
            changed = [case, request]
            if len(request.question_reminders.get(reason, ())) < MOST_QUESTION_REMINDERS:
                request.remind_of_question(reason=reason, at=now)
                also += self._reminder(case, request, reason, profile, now)
            else:
                request.notice_silence(reason=reason, at=now)
        recorded = len(request.pending_events)
        if recorded:
            self._register.save_all(changed, also)
        return recorded

    def _reminder(
        self,
        case: Case,
        request: DataSubjectRequest,
        reason: PauseReason,
        profile: Profile,
        now: datetime,
    ) -> list[Also]:
        """The same question once more; a code that was sent with it is long over."""
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            asked_on=request.questions_put_on[reason],
            reply_by=due_on(request, reason, profile.silence),
            question=self._question(request) if reason is PauseReason.SCOPE else None,
            erasure_table=reason is PauseReason.SCOPE and request.question_reason == ERASURE_TABLE,
            ways=_ways(request) if reason is PauseReason.IDENTITY else (),
        )
        return self._postroom.queue(
            case,
            compose(LetterKind.QUESTION_REMINDER, facts),
            profile,
            self._address(request),
            requests=(request.id,),
            at=now,
        )

    def _question(self, request: DataSubjectRequest) -> str | None:
        if request.question is None:
            return None
        try:
            return dossier.note_in(self._vault, request.question)
        except Erased:
            return None

    def _address(self, request: DataSubjectRequest) -> str | None:
        person = dossier.person_in(self._vault, request.requester)
        return address_of(person)

    def _note(self, request: DataSubjectRequest, words: str, by: str) -> Sealed:
        return dossier.seal_note(self._vault, request.case_id, words.strip(), by, self._clock())


def due_on(request: DataSubjectRequest, reason: PauseReason, silence: Silence) -> date:
    """When the next step about an unanswered question is due.

    Counted from the question; where a step came late, the next waits as long as it should have.
    """
    asked = request.questions_put_on[reason]
    steps = (silence.first_reminder_days, silence.second_reminder_days, silence.decide_days)
    sent = request.question_reminders.get(reason, ())
    due = asked + timedelta(days=steps[len(sent)])
    if not sent:
        return due
    between = steps[len(sent)] - steps[len(sent) - 1]
    return max(due, sent[-1] + timedelta(days=between))


def _ways(request: DataSubjectRequest) -> tuple[IdentityMethod, ...]:
    """The ways that were offered when proof was asked for."""
    asked = request.identity_asked_by or IdentityMethod.CODE_TO_ADDRESS
    return OFFERED.get(asked, (asked,))
