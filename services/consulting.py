"""Consulting: what the officer was asked, advised, and whether it was followed (Art. 38, 39).

Here too the controller decides to rely on a pause, which it may only once the officer was heard
(EDPB guidelines 01/2022, 159): until then alarms, lists and breaches go by the dates without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from domain.errors import DomainError
from domain.personal import PersonalRef
from domain.request import Consultation, DataSubjectRequest
from domain.vocabulary import ConsultedAbout
from services import dossier
from services.ports import Clock, Erased, Sealed, Staff, Vault
from services.register import Register, again_on_conflict


@dataclass(frozen=True, slots=True)
class Opened:
    """A consultation with its words; they are None when the correspondence was destroyed."""

    consultation: Consultation
    question: str | None
    advice: str | None


class Consulting:
    """Questions to the officer, answers, and what the controller made of them."""

    def __init__(self, register: Register, vault: Vault, staff: Staff, clock: Clock) -> None:
        self._register, self._vault, self._staff, self._clock = register, vault, staff, clock

    @again_on_conflict
    def ask(
        self,
        request_id: UUID,
        *,
        about: ConsultedAbout,
        words: str,
        by: str,
        advice: str = "",
        advised_by: str = "",
    ) -> UUID:
        """Ask the officer. `advice` is given where it came at once, with the staff id of who gave
        it. Answers the question's id.
        """
        request = self._register.request(request_id)
        if advised_by.strip():
            self._require_officer(request, advised_by)
        question = self._note(request, words, by, "say what the officer is asked")
        answer = self._note(request, advice, by, "") if advice.strip() else None
        request.consult_officer(
            question=question.ref,
            advice=answer.ref if answer else None,
            advised_by=advised_by.strip() or None,
            about=about,
            by=by,
            at=self._clock(),
        )
        self._register.save_all([request], [*question.also, *(answer.also if answer else ())])
        return question.ref.id

    @again_on_conflict
    def advise(self, request_id: UUID, question: UUID, *, words: str, by: str) -> None:
        request = self._register.request(request_id)
        self._require_officer(request, by)
        advice = self._note(request, words, by, "say what the officer advises")
        request.advise(question=PersonalRef(question), advice=advice.ref, by=by, at=self._clock())
        self._register.save_all([request], advice.also)

    @again_on_conflict
    def weigh(
        self, request_id: UUID, question: UUID, *, followed: bool, words: str = "", by: str
    ) -> None:
        """Say whether the advice was followed; where not, why, in words."""
        request = self._register.request(request_id)
        self._require_no_officer(request, by)
        why = self._note(request, words, by, "") if words.strip() else None
        request.weigh_advice(
            question=PersonalRef(question),
            followed=followed,
            reasons=why.ref if why else None,
            by=by,
            at=self._clock(),
        )
        self._register.save_all([request], why.also if why else ())

    @again_on_conflict
    def rely_on_suspension(
        self, request_id: UUID, *, reason: str, by: str, question: UUID | None = None
    ) -> None:
        """Count the pauses of this request, in the controller's name.

        Without a `question` the newest one about the suspension is meant.
        """
        request = self._register.request(request_id)
        self._require_no_officer(request, by)
        if question is None:
            asked = [
                one.question.id
                for one in request.consultations.values()
                if one.about is ConsultedAbout.SUSPENSION
            ]
            if not asked:
                raise DomainError(
                    "consult the officer about the suspension first: "
                    "the controller may rely on a pause only after that"
                )
            question = asked[-1]
        request.rely_on_suspension(
            question=PersonalRef(question), reason=reason, by=by, at=self._clock()
        )
        self._register.save_all([request])

    def opened(self, request: DataSubjectRequest) -> Iterator[Opened]:
        """Every consultation about a request with its words, for whoever may read them."""
        for one in request.consultations.values():
            yield Opened(one, self._words(one.question), self._words(one.advice))

    def _officers(self, request: DataSubjectRequest) -> frozenset[str]:
        return officers_of(self._staff, request.controller)

    def _require_officer(self, request: DataSubjectRequest, adviser: str) -> None:
        """Where the staff list names officers, advice is one of theirs (Art. 38, 39)."""
        officers = self._officers(request)
        if officers and adviser.strip() not in officers:
            raise DomainError(
                "advice comes from the officer: name one whom the staff list knows",
                key="advice-from-officer",
            )

    def _require_no_officer(self, request: DataSubjectRequest, by: str) -> None:
        require_no_officer(self._staff, request.controller, by)

    def _words(self, ref: PersonalRef | None) -> str | None:
        if ref is None:
            return None
        try:
            return dossier.note_in(self._vault, ref)
        except Erased:
            return None

    def _note(self, request: DataSubjectRequest, words: str, by: str, missing: str) -> Sealed:
        if not words.strip():
            raise DomainError(f"{missing}: the question and its answer are kept with the case")
        return dossier.seal_note(self._vault, request.case_id, words.strip(), by, self._clock())


def officers_of(staff: Staff, controller: str) -> frozenset[str]:
    """Who is known as officer to a controller."""
    return frozenset(
        one.id for one in staff.members().values() if one.is_officer and one.sees(controller)
    )


def require_no_officer(staff: Staff, controller: str, by: str) -> None:
    if by.strip() in officers_of(staff, controller):
        raise DomainError(
            "the officer advises and does not decide (Art. 38(6)): another does",
            key="officer-advises",
        )
