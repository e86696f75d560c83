"""A letter that lacks something mandatory cannot be made."""

from __future__ import annotations

import dataclasses

import pytest

from domain.errors import DomainError
from domain.letters import (
    MANDATORY,
    Block,
    Explanation,
    Fact,
    Items,
    Letter,
    MissingBlock,
    Paragraph,
    Said,
    Section,
    allowed_blocks,
    answering_letter,
    required_blocks,
)
from domain.vocabulary import Language, LetterKind, Outcome, Right

EXPLAINED = [outcome for outcome in Outcome if outcome.must_be_explained]


def explanation(outcome: Outcome, *without: Fact) -> Explanation:
    said = tuple(Said(fact, fact.value, "words") for fact in Fact if fact not in without)
    return Explanation(outcome, "Orders", said)


def letter(kind: LetterKind, *, without: Block | None = None, **changes: object) -> Letter:
    rights = changes.get("rights", frozenset())
    outcomes = changes.get("outcomes", frozenset())
    assert isinstance(rights, frozenset)
    assert isinstance(outcomes, frozenset)
    blocks = required_blocks(kind, rights, outcomes) - {without}
    explained = tuple(explanation(o) for o in EXPLAINED if o in outcomes)
    whole = {
        block: Section(block, "", explained or (Paragraph("words"),))
        if block is Block.NOT_DONE
        else Section(block, "", (Paragraph("words"),))
        for block in blocks
    }
    return Letter(
        kind=kind,
        language=Language.NB,
        subject="Svar",
        greeting="Hei",
        sections=tuple(whole.values()),
        rights=rights,
        outcomes=outcomes,
    )


@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_with_every_mandatory_block_can_be_made(kind: LetterKind) -> None:
    assert letter(kind).blocks == MANDATORY[kind]


@pytest.mark.parametrize(
    ("kind", "block"),
    [(kind, block) for kind in LetterKind for block in sorted(MANDATORY[kind], key=str)],
)
def test_a_letter_without_one_of_them_cannot(kind: LetterKind, block: Block) -> None:
    """B.1 row 77, B.1 row 12(4)."""
    with pytest.raises(MissingBlock, match=block.value):
        letter(kind, without=block)


def test_a_block_of_nothing_but_space_is_missing() -> None:
    whole = letter(LetterKind.ACKNOWLEDGEMENT)
    emptied = tuple(
        Section(s.block, "Heading", (Paragraph("  "), Items(("", " "))))
        if s.block is Block.ANSWER_BY
        else s
        for s in whole.sections
    )
    with pytest.raises(MissingBlock, match="answer-by"):
        dataclasses.replace(whole, sections=emptied)


def test_a_missing_block_is_a_rule_that_said_no_and_names_the_letter() -> None:
    with pytest.raises(DomainError, match="a partial refusal must say decided-by"):
        letter(LetterKind.PARTIAL_REFUSAL, without=Block.DECIDED_BY)


@pytest.mark.parametrize(
    "kind",
    [
        LetterKind.ANSWER,
        LetterKind.PARTIAL_REFUSAL,
        LetterKind.REFUSAL,
        LetterKind.CANNOT_IDENTIFY,
        LetterKind.NO_RESPONSE,
        LetterKind.OBJECTION_DISMISSED,
    ],
)
def test_every_closing_letter_names_authority_and_remedy(kind: LetterKind) -> None:
    """AK-10, GK-10, B.1 row 12(4), B.1 row 77."""
    assert {Block.COMPLAINT, Block.REMEDY} <= MANDATORY[kind]


@pytest.mark.parametrize("kind", [LetterKind.EXTENSION, LetterKind.CLOSED])
def test_an_extension_and_a_closing_letter_name_the_authority(kind: LetterKind) -> None:
    """AK-10, B.5 row practice, B.4 row authority: word of a delay says to whom one can complain."""
    assert Block.COMPLAINT in MANDATORY[kind]
    assert Block.REASONS in MANDATORY[kind]


def test_a_letter_years_later_names_nobody_and_no_business() -> None:
    """E-15: it may reach a stranger, so it is a reference and a link."""
    assert MANDATORY[LetterKind.HOLD_RELEASED] == {
        Block.CASE_REFERENCE,
        Block.RELEASED,
        Block.LINK,
    }


def test_who_cannot_be_identified_is_told_the_way_back() -> None:
    """B.1 row 4(1), GK-14: more identifiers may be sent, and the case goes on."""
    assert {Block.WAY_BACK, Block.NOT_DONE} <= MANDATORY[LetterKind.CANNOT_IDENTIFY]


def test_who_asks_about_somebody_who_died_gets_another_letter() -> None:
    """E-09: outside the law, so no Article 15 answer, and no remedy that would not apply."""
    blocks = MANDATORY[LetterKind.DECEASED]

    assert Block.NOT_COVERED in blocks
    assert not blocks & {Block.PACKAGE, Block.DONE, Block.NOT_DONE, Block.REMEDY}


def test_a_fee_is_announced_with_its_reasons_by_somebody_with_a_name() -> None:
    """B.1 row 12(5), B.2.6: no fee without word before."""
    assert {Block.FEE, Block.REASONS, Block.DECIDED_BY} <= MANDATORY[LetterKind.FEE_ANNOUNCED]


def test_an_answer_about_access_leads_to_the_copy_even_when_nothing_was_found() -> None:
    """Art. 15(3); AK-04."""
    found_nothing = frozenset({Outcome.NOT_FOUND})
    rights = frozenset({Right.ACCESS})
    assert Block.PACKAGE in required_blocks(LetterKind.ANSWER, rights, found_nothing)
    with pytest.raises(MissingBlock, match="package"):
        letter(LetterKind.ANSWER, without=Block.PACKAGE, rights=rights, outcomes=found_nothing)


def test_a_refusal_that_comes_with_a_copy_leads_to_it() -> None:
    outcomes = {Outcome.EXPORTED, Outcome.KEPT}
    assert Block.PACKAGE in required_blocks(LetterKind.PARTIAL_REFUSAL, [Right.ERASURE], outcomes)
    assert Block.PACKAGE not in required_blocks(LetterKind.PARTIAL_REFUSAL, [Right.ACCESS], [])


@pytest.mark.parametrize("right", [Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION])
def test_what_changes_what_others_hold_says_which_others_were_told(right: Right) -> None:
    """Art. 19; B.1 row 19."""
    with pytest.raises(MissingBlock, match="recipients"):
        letter(LetterKind.ANSWER, without=Block.RECIPIENTS, rights=frozenset({right}))


@pytest.mark.parametrize("outcome", EXPLAINED)
def test_an_answer_cannot_hide_what_must_be_explained(outcome: Outcome) -> None:
    """AO-06."""
    with pytest.raises(MissingBlock, match="write a partial-refusal"):
        letter(LetterKind.ANSWER, outcomes=frozenset({outcome, Outcome.ERASED}))


@pytest.mark.parametrize("outcome", EXPLAINED)
def test_a_refusal_must_explain_each_sort_of_thing_it_is_about(outcome: Outcome) -> None:
    whole = letter(LetterKind.PARTIAL_REFUSAL, outcomes=frozenset(EXPLAINED))
    less = tuple(
        Section(s.block, "", tuple(explanation(o) for o in EXPLAINED if o is not outcome))
        if s.block is Block.NOT_DONE
        else s
        for s in whole.sections
    )
    with pytest.raises(MissingBlock, match=outcome.value):
        dataclasses.replace(whole, sections=less)


@pytest.mark.parametrize(
    ("outcome", "fact"),
    [
        (Outcome.KEPT, Fact.WHY),
        (Outcome.KEPT, Fact.LAW),
        (Outcome.KEPT, Fact.UNTIL),
        (Outcome.BLOCKED_ARCHIVE, Fact.WHY),
        (Outcome.BLOCKED_ARCHIVE, Fact.LAW),
        (Outcome.BLOCKED_ARCHIVE, Fact.UNTIL),
        (Outcome.REFUSED, Fact.WHY),
        (Outcome.REFUSED, Fact.LAW),
        (Outcome.RESIDUAL, Fact.WHAT),
        (Outcome.RESIDUAL, Fact.WHY),
        (Outcome.RESIDUAL, Fact.UNTIL),
        (Outcome.PENDING_AT_VENDOR, Fact.WHY),
        (Outcome.PENDING_AT_VENDOR, Fact.UNTIL),
    ],
)
def test_nothing_is_kept_or_refused_without_its_reasons(outcome: Outcome, fact: Fact) -> None:
    """Art. 12(4): why, by which law, until when."""
    with pytest.raises(MissingBlock, match=fact.value):
        explanation(outcome, fact)


@pytest.mark.parametrize("outcome", Outcome)
def test_the_outcomes_decide_which_letter_closes_the_case(outcome: Outcome) -> None:
    expected = LetterKind.PARTIAL_REFUSAL if outcome.must_be_explained else LetterKind.ANSWER
    assert answering_letter([Outcome.ERASED, outcome]) is expected


def test_a_code_says_nothing_about_what_is_held() -> None:
    revealing = {Block.DONE, Block.NOT_DONE, Block.PACKAGE, Block.RECIPIENTS}
    assert not revealing & MANDATORY[LetterKind.IDENTITY_CODE]


def test_the_articles_are_those_of_the_regulation() -> None:
    assert Block.NOT_DONE.article == "Art. 12(4)"
    assert Block.RECIPIENTS.article == "Art. 19"
    assert Block.CASE_REFERENCE.article == ""


@pytest.mark.parametrize("kind", LetterKind)
def test_nothing_that_does_not_apply_gets_into_a_letter(kind: LetterKind) -> None:
    """E-04: fixed blocks cannot be removed, and no others can be put in."""
    whole = letter(kind)
    for block in set(Block) - allowed_blocks(kind, [], []):
        more = Section(block, "", (Paragraph("words"),))
        with pytest.raises(DomainError, match=block.value):
            dataclasses.replace(whole, sections=(*whole.sections, more))


def test_years_later_no_business_and_no_complaint_is_named() -> None:
    """E-15: a reference and a link, nothing else."""
    allowed = allowed_blocks(LetterKind.HOLD_RELEASED, [], [])
    assert allowed == {Block.CASE_REFERENCE, Block.RELEASED, Block.LINK}


@pytest.mark.parametrize("kind", [k for k in LetterKind if k.refuses])
def test_every_refusal_says_why_who_decided_and_the_ways_on(kind: LetterKind) -> None:
    """Art. 12(4); AK-10: reasons, a human name, authority and remedy."""
    needed = {Block.NOT_DONE, Block.DECIDED_BY, Block.COMPLAINT, Block.REMEDY}
    assert needed <= MANDATORY[kind]
    assert kind.answers


@pytest.mark.parametrize(
    "kind", [LetterKind.EXTENSION, LetterKind.CLOSED, LetterKind.FEE_ANNOUNCED]
)
def test_extensions_fees_and_closings_name_the_authority(kind: LetterKind) -> None:
    """AK-10."""
    assert Block.COMPLAINT in MANDATORY[kind]
    assert not kind.answers


@pytest.mark.parametrize(
    "kind",
    [
        LetterKind.DOCUMENT_ACCESS_PASSED_ON,
        LetterKind.CUSTOMER_SERVICE_PASSED_ON,
        LetterKind.DECEASED,
    ],
)
def test_what_is_no_matter_of_the_gdpr_sends_nobody_to_its_authority(kind: LetterKind) -> None:
    """E-04, E-06, E-09: complaints over documents go elsewhere; the dead have no Art. 77."""
    assert not {Block.COMPLAINT, Block.REMEDY} & allowed_blocks(kind, [], [])
