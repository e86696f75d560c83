"""The lint over every kind of letter, in every language, for every sort of body."""

from __future__ import annotations

import dataclasses
from datetime import date
from itertools import product
from typing import Any

import pytest

from domain.explanation import written_date
from domain.letters import Paragraph, Section, required_blocks
from domain.policy import BodyType
from domain.vocabulary import Country, Language, LetterKind
from services.letter_lint import faults
from services.letters import ComposedLetter
from services.wording import LETTERS, wording
from tests.support.letters import facts, written
from tests.support.profiles import fictional_profile


@pytest.mark.parametrize(("country", "body_type"), list(product(Country, BodyType)))
def test_no_letter_has_a_fault(country: Country, body_type: BodyType) -> None:
    """E-03, E-04, E-07, E-15, E-17: 24 kinds, four languages, companies, municipal, public."""
    profile = fictional_profile(country, body_type)
    for kind, language in product(LetterKind, Language):
        letter = written(kind, language, country=country, body_type=body_type)
        assert faults(letter, profile) == [], (kind, language)
        asked = facts(kind)
        told = [told for outcome in asked.outcomes for told in outcome.told]
        assert required_blocks(kind, asked.rights, told) <= letter.letter.blocks


@pytest.mark.parametrize("language", Language)
def test_a_letter_about_the_table_of_an_erasure_says_that_silence_changes_nothing(
    language: Language,
) -> None:
    """Nobody is asked to narrow anything down, and no case is closed for being silent."""
    words = wording(LETTERS, language)
    question = words.say("erasure_table.question")
    for kind, says in (
        (LetterKind.CLARIFICATION, words.say("question.silent")),
        (
            LetterKind.QUESTION_REMINDER,
            words.say("reply_by.erasure-table", day=written_date(date(2026, 11, 20), language)),
        ),
    ):
        letter = written(kind, language, question=question, erasure_table=True)
        flat = " ".join(letter.text.split())
        assert says in flat
        assert question in flat
        assert words.say("question.no_need") not in flat
        assert faults(letter, fictional_profile()) == []


def with_words(words: str, kind: LetterKind = LetterKind.ANSWER, **changes: Any) -> ComposedLetter:
    """A letter in which somebody has changed what the first paragraph says."""
    made = written(kind, **changes)
    first, *others = made.letter.sections
    spoilt = Section(first.block, first.heading, (Paragraph(words),))
    letter = dataclasses.replace(made.letter, sections=(spoilt, *others))
    return dataclasses.replace(made, letter=letter)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("Vi fikk {received}.", "left open"),
        ("Vi fikk None.", "left open"),
        ("Vi fikk  den.", "spaces too many"),
        ("Alt er anonymt nå.", "never said"),
        ("Loven står i Art. 17(3).", "reader's language"),
        ("Vi svarte 2. november 2026.", "no weekday"),
        (" ".join(["ord"] * 26) + ".", "26 words"),
        ("Personvernlovgivningen gjelder. " * 99, "LIX"),
        ("Du kan klage til IMY.", "names the authority of SE"),
        ("Du kan gå til förvaltningsrätten.", "appeal that is not open"),
    ],
)
def test_a_fault_is_found(words: str, says: str) -> None:
    found = faults(with_words(words), fictional_profile())

    assert any(says in one for one in found), found


def test_an_authority_without_a_complaint_and_a_business_years_later_are_found() -> None:
    """E-15."""
    profile = fictional_profile()
    odd = with_words("Datatilsynet har et skjema.", LetterKind.CLARIFICATION)
    assert any("nothing of complaining" in one for one in faults(odd, profile))
    stranger = with_words("Fjordlys kommune har slettet.", LetterKind.HOLD_RELEASED)
    assert any("names the business" in one for one in faults(stranger, profile))


def test_a_swedish_authoritys_refusal_without_its_appeal_is_found() -> None:
    """E-04."""
    letter = written(
        LetterKind.REFUSAL, Language.SV, country=Country.SE, body_type=BodyType.COMPANY
    )

    authority = fictional_profile(Country.SE, BodyType.PUBLIC_BODY)
    assert any("can be appealed" in one for one in faults(letter, authority))


def test_a_greeting_takes_nobody_for_a_man_or_a_woman() -> None:
    made = written(LetterKind.ANSWER)
    letter = dataclasses.replace(made.letter, greeting="Dear Mr Testesen,")
    spoilt = dataclasses.replace(made, letter=letter)

    assert any("greeting" in one for one in faults(spoilt, fictional_profile()))
