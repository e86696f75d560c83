"""What the officer was asked about a request, and what became of the advice (Art. 38(6))."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.request_state import Consultation, Event, RequestState
from domain.staff import named, same_person
from domain.vocabulary import ConsultedAbout


class OfficerConsulted(Event):
    TOPIC = "request.officer-consulted"
    question: PersonalRef
    advice: PersonalRef | None
    by: str
    about: ConsultedAbout = ConsultedAbout.OTHER
    advised_by: str | None = None

    def apply(self, aggregate: RequestAdvice) -> None:
        asked = Consultation(
            self.question, self.about, self.timestamp, self.by, self.advice, self.advised_by
        )
        aggregate.consultations = {**aggregate.consultations, self.question: asked}


class OfficerAdvised(Event):
    TOPIC = "request.officer-advised"
    question: PersonalRef
    advice: PersonalRef
    by: str

    def apply(self, aggregate: RequestAdvice) -> None:
        aggregate.know_of(self.question, advice=self.advice, advised_by=self.by)


class AdviceWeighed(Event):
    """Whether the controller followed the advice; where not, why is kept in the vault."""

    TOPIC = "request.advice-weighed"
    question: PersonalRef
    followed: bool
    reasons: PersonalRef | None
    by: str

    def apply(self, aggregate: RequestAdvice) -> None:
        aggregate.know_of(self.question, followed=self.followed)


class RequestAdvice(RequestState):
    def consult_officer(
        self,
        *,
        question: PersonalRef,
        advice: PersonalRef | None = None,
        advised_by: str | None = None,
        about: ConsultedAbout = ConsultedAbout.OTHER,
        by: str,
        at: datetime,
    ) -> None:
        """The officer advises and never decides (Art. 38(6)).

        Advice that came at once is another person's too, who is named.
        """
        if advice is None and advised_by is not None:
            raise DomainError("an adviser is named with advice: record what the officer advised")
        if advice is not None:
            _require_another(by, advised_by)
        if question not in self.consultations:
            self.trigger_event(
                OfficerConsulted,
                question=question,
                advice=advice,
                advised_by=advised_by,
                about=about,
                by=named(by),
                timestamp=at,
            )

    def advise(self, *, question: PersonalRef, advice: PersonalRef, by: str, at: datetime) -> None:
        """Record what the officer advised; whoever asked does not answer."""
        asked = self._asked(question)
        if asked.advice is not None:
            raise NotAllowedNow("the officer has answered that question: ask a new one")
        _require_another(asked.by, by)
        self.trigger_event(OfficerAdvised, question=question, advice=advice, by=by, timestamp=at)

    def weigh_advice(
        self,
        *,
        question: PersonalRef,
        followed: bool,
        reasons: PersonalRef | None = None,
        by: str,
        at: datetime,
    ) -> None:
        """Say whether the advice was followed. The controller decides; where it differs, why."""
        asked = self._asked(question)
        if asked.advice is None:
            raise NotAllowedNow("the officer has not answered yet: record the advice first")
        self._require_not_officer(asked, by)
        if not followed and reasons is None:
            raise DomainError("say why the advice of the officer is not followed")
        if asked.followed is not followed:
            self.trigger_event(
                AdviceWeighed,
                question=question,
                followed=followed,
                reasons=reasons,
                by=by,
                timestamp=at,
            )

    # Rules

    def know_of(self, question: PersonalRef, **more: Any) -> None:
        """Used by events only: what became of a question to the officer."""
        known = replace(self.consultations[question], **more)
        self.consultations = {**self.consultations, question: known}

    def _asked(self, question: PersonalRef) -> Consultation:
        if question not in self.consultations:
            raise NotAllowedNow("the officer has not been consulted about this: ask first")
        return self.consultations[question]

    @staticmethod
    def _require_not_officer(asked: Consultation, by: str) -> None:
        if asked.advised_by is None:
            raise NotAllowedNow(
                "nobody knows who gave that advice: ask again, and say which officer advised"
            )
        if same_person(by, asked.advised_by):
            raise DomainError(
                "the officer advises and does not decide (Art. 38(6)): another does",
                key="officer-advises",
            )


def _require_another(asker: str, adviser: str | None) -> None:
    """Nobody is asker and officer at once, however the name is written."""
    if adviser is None or not adviser.strip():
        raise DomainError("say which officer gave the advice: `advised_by` is a staff id")
    if same_person(adviser, asker):
        raise DomainError("whoever asks the officer cannot be the officer: another answers")
