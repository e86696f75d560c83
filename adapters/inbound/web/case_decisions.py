"""What would become of each record, or what was decided, with law, day and open questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from adapters.bootstrap import Installation
from adapters.inbound.web.case_parts import DecisionGroup, DecisionView, Question, goes
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.look import Look
from domain.decisions import Step as ReasonStep
from domain.fulfilment import Fulfilment
from domain.grounds import ground, say
from domain.request import DataSubjectRequest
from domain.vocabulary import Decision

ANSWERS = {"ask_person_to_give_up": "given_up"}
"""Questions that a tick answers, and the fact which the tick stands for."""

FEW = 5
"""Up to how many alike records are each answered for by themselves."""


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


def grouped(
    views: Sequence[DecisionView], answers: Mapping[UUID, frozenset[str]], look: Look
) -> tuple[DecisionGroup, ...]:
    """What goes first, then what stays; alike records in one group."""
    alike: dict[object, list[DecisionView]] = {}
    for one in views:
        same = (
            *(one.decision, one.category, one.system, one.why, one.law, one.until),
            *(one.keep_fields, one.notices, one.steps, one.questions),
        )
        alike.setdefault(same, []).append(one)
    groups = [_group(members, answers, look) for members in alike.values()]
    return tuple(sorted(groups, key=lambda group: not goes(group.decision)))


def tally_of(views: Sequence[DecisionView]) -> tuple[tuple[Decision, int], ...]:
    """How many records what becomes of."""
    return tuple(Counter(one.decision for one in views).items())


def _group(
    members: Sequence[DecisionView], answers: Mapping[UUID, frozenset[str]], look: Look
) -> DecisionGroup:
    first = members[0]
    outcomes = Counter(one.outcome for one in members if one.outcome is not None)
    return DecisionGroup(
        decision=first.decision,
        category=first.category,
        system=first.system,
        why=first.why,
        law=first.law,
        until=first.until,
        keep_fields=first.keep_fields,
        notices=first.notices,
        steps=first.steps,
        count=len(members),
        kinds=tuple(Counter(one.kind for one in members).items()),
        questions=(*_open(members, answers), *_given(members, answers, look)),
        outcomes=tuple(outcomes.items()),
    )


def _open(
    members: Sequence[DecisionView], answers: Mapping[UUID, frozenset[str]]
) -> Iterator[Question]:
    for _, words, fact in members[0].questions:
        ids = [one.record_id for one in members]
        ticked = all(fact in answers.get(one, ()) for one in ids)
        yield Question(words, fact or "", _ticks(ids, fact) if fact else (), ticked)


def _given(
    members: Sequence[DecisionView], answers: Mapping[UUID, frozenset[str]], look: Look
) -> Iterator[Question]:
    """What a tick has answered is no question any more, but can be taken back."""
    asked = {fact for _, _, fact in members[0].questions}
    said: dict[str, list[UUID]] = {}
    for one in members:
        for fact in sorted(answers.get(one.record_id, frozenset()) - asked):
            said.setdefault(fact, []).append(one.record_id)
    for fact, ids in said.items():
        yield Question(look.word("fact", fact), fact, _ticks(ids, fact), ticked=True)


def _ticks(ids: Sequence[UUID], fact: str) -> tuple[str, ...]:
    """A tick for each of a few records; many alike have one together."""
    few = len(ids) <= FEW
    return tuple(f"{one}:{fact}" for one in ids) if few else (f"{','.join(map(str, ids))}:{fact}",)


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
