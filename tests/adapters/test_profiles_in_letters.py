"""What the shipped profiles say fits into letters and answers that are easy to read (E-07)."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from adapters.profiles import load_profile, shipped_profiles
from domain.letters import Block, Group, Items, MissingBlock, Paragraph
from domain.policy import Profile
from domain.vocabulary import IdentifierKind, Language, LetterKind, Match, Outcome, Right
from services.letters import (
    CategoryOutcome,
    ComposedLetter,
    RecipientNotice,
)
from services.package import AnswerFacts, build_package
from services.ports import Record
from tests.support.letters import written
from tests.support.readability import lix, sentences

RECEIVED = date(2026, 11, 2)
DUE = date(2026, 12, 2)
PROFILES = shipped_profiles()


@pytest.mark.parametrize(("name", "language"), list(product(sorted(PROFILES), Language)))
def test_every_letter_with_every_category_and_recipient_is_easy_to_read(
    name: str, language: Language
) -> None:
    profile = load_profile(PROFILES[name])
    for kind in LetterKind:
        if not profile.channels and not profile.sender and kind is not LetterKind.HOLD_RELEASED:
            with pytest.raises(MissingBlock, match="contact"):
                _letter(kind, profile, language)
            continue
        texts = _prose(_letter(kind, profile, language))
        assert lix(texts) < 40
        assert max(map(len, sentences(texts))) <= 25


@pytest.mark.parametrize(("name", "language"), list(product(sorted(PROFILES), Language)))
def test_the_answer_with_every_sort_of_record_is_easy_to_read(
    name: str, language: Language
) -> None:
    profile = load_profile(PROFILES[name])
    records = [
        (
            system.id,
            Record(
                key="1",
                kind=holding.kind,
                match=Match.VERIFIED_IDENTIFIER,
                matched_by=IdentifierKind.EMAIL,
                fields={"email": "tove.testesen@person.example"},
            ),
        )
        for system in profile.systems
        for holding in system.holdings
    ]
    out = BytesIO()
    facts = AnswerFacts(
        profile=profile,
        language=language,
        case_reference="X-1",
        received_on=RECEIVED,
        answered_on=DUE,
        records=records,
    )
    assert build_package(facts, out).records == len(records)
    data: dict[str, Any] = json.loads(ZipFile(out).read("data.json"))
    assert "other" not in {category["id"] for category in data["categories"]}
    texts = [text for block in data["information"].values() for text in block["text"]]
    assert lix(texts) < 40
    assert max(map(len, sentences(texts))) <= 25


def test_there_are_profiles_to_test() -> None:
    assert all(isinstance(path, Path) for path in PROFILES.values())
    assert len(PROFILES) >= 5


def _letter(kind: LetterKind, profile: Profile, language: Language) -> ComposedLetter:
    done = tuple(
        CategoryOutcome(Right.ERASURE, holding.category, system.id, Outcome.ERASED, 2)
        for system in profile.systems
        for holding in system.holdings
    )
    kept = CategoryOutcome(
        Right.ERASURE,
        profile.categories[0].id,
        profile.systems[0].id,
        Outcome.KEPT,
        1,
        ground="legal_claim",
    )
    purposes = tuple(purpose.id for purpose in profile.purposes)
    partly = {LetterKind.ANSWER: done, LetterKind.PARTIAL_REFUSAL: (*done, kept)}
    changes: dict[str, Any] = {
        "profile": profile,
        "outcomes": partly.get(kind, ()),
        "recipients": tuple(RecipientNotice(r.id, r.told) for r in profile.recipients),
        "purposes": purposes,
    }
    if kind is LetterKind.REFUSAL:
        changes |= {"why": "Du ba om det samme i går.", "law": "GDPR Art. 12(5)(b)"}
    return written(kind, language, **changes)


def _prose(letter: ComposedLetter) -> list[str]:
    pieces = [
        piece
        for section in letter.letter.sections
        if section.block not in {Block.CONTROLLER, Block.CONTACT}
        for piece in section.pieces
    ]
    return [piece.text for piece in pieces if isinstance(piece, Paragraph)] + [
        item for piece in pieces if isinstance(piece, Items | Group) for item in piece.items
    ]
