"""Looks through letters written with a profile's own words, before any is sent (E-07, E-17)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.errors import DomainError
from domain.policy import Profile
from domain.vocabulary import Language, LetterKind, Outcome, Right
from services.letter_facts import CategoryOutcome, LetterFacts, RecipientNotice
from services.letter_lint import faults
from services.letters import compose

_DAY = date(2026, 11, 2)


def faults_of(profile: Profile) -> list[str]:
    """What is wrong with the letters that name every category, recipient and purpose at once."""
    found = dict.fromkeys(f"{kind.value}: {said}" for kind, said in _faults(profile))
    return list(found)


def _faults(profile: Profile) -> Iterator[tuple[LetterKind, str]]:
    for language in Language:
        for kind in (LetterKind.ANSWER, LetterKind.RECIPIENTS, LetterKind.OBJECTION_UPHELD):
            try:
                letter = compose(kind, _facts(kind, profile, language))
            except DomainError as error:
                yield kind, str(error)
            else:
                yield from ((kind, said) for said in faults(letter, profile))


def _facts(kind: LetterKind, profile: Profile, language: Language) -> LetterFacts:
    upholds = kind is LetterKind.OBJECTION_UPHELD
    held = tuple(
        CategoryOutcome(Right.ACCESS, holding.category, system.id, Outcome.EXPORTED, 2)
        for system in profile.systems
        for holding in system.holdings
    )
    return LetterFacts(
        profile=profile,
        language=language,
        case_reference="X-1",
        received_on=_DAY,
        rights=(Right.OBJECTION if upholds else Right.ACCESS,),
        outcomes=held if kind is LetterKind.ANSWER else (),
        recipients=tuple(RecipientNotice(one.id, one.told) for one in profile.recipients),
        purposes=tuple(purpose.id for purpose in profile.purposes) if upholds else (),
        enclosed=True,
    )
