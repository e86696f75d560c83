"""What would become of each record, or what was decided, with law, day and open questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from adapters.bootstrap import Installation
from adapters.inbound.web.case_parts import DecisionView
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.look import Look
from domain.decisions import Step as ReasonStep
from domain.fulfilment import Fulfilment
from domain.grounds import ground, say
from domain.request import DataSubjectRequest
from domain.vocabulary import Decision

ANSWERS = {"ask_person_to_give_up": "given_up"}
"""Questions that a tick answers, and the fact which the tick stands for."""


def previewed(
    installation: Installation,
    request: DataSubjectRequest,
    today: date,
    names: Names,
    answers: Mapping[UUID, frozenset[str]],
) -> Iterator[DecisionView]:
    look = names.look
    for preview in installation.deciding.preview(request, today, answers=answers):
        verdict = preview.verdict
        yield DecisionView(
            record_id=preview.found.record_id,
            category=names.category(preview.found.category),
            system=names.system(preview.found.system),
            kind=preview.found.kind,
            decision=verdict.decision,
            why=say(verdict.explanation, look.language),
            law=verdict.law,
            until=verdict.until,
            keep_fields=tuple(map(look.field, verdict.keep_fields)),
            questions=tuple(_questions(verdict.asks, look)),
            notices=tuple(say(one, look.language) for one in verdict.notices),
            steps=tuple(_reason(one, look) for one in verdict.steps),
        )


def decided(
    request: DataSubjectRequest, fulfilment: Fulfilment | None, names: Names
) -> Iterator[DecisionView]:
    look = names.look
    outcomes = fulfilment.outcomes if fulfilment else {}
    for decision in request.decisions.values():
        found = request.found[decision.record_id]
        treated = outcomes.get(decision.record_id)
        yield DecisionView(
            record_id=decision.record_id,
            category=names.category(found.category),
            system=names.system(found.system),
            kind=found.kind,
            decision=decision.decision,
            why=say(decision.explanation, look.language),
            law=decision.law,
            until=decision.until,
            keep_fields=tuple(map(look.field, decision.keep_fields)),
            questions=(),
            notices=(),
            steps=(),
            outcome=treated.outcome if treated else None,
        )


def goes(decision: Decision) -> bool:
    return decision in {Decision.ERASE, Decision.ANONYMISE}


def _questions(asks: Sequence[str], look: Look) -> Iterator[tuple[str, str, str | None]]:
    """Each question with its words and, where a tick answers it, the fact behind the tick."""
    for ask in asks:
        yield ask, say(ask, look.language), ANSWERS.get(ask)


def _reason(step: ReasonStep, look: Look) -> str:
    words = say(step.code, look.language)
    day = look.day(step.day) if step.day else look.say("dates.unknown")
    detail = look.word("fact", step.detail)
    if step.code == "promise_rules_out":
        detail = ground(step.detail).law
    return words.format(day=day, detail=detail)
