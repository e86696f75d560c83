"""No refusal without reasons, law, remedy and a human name; nothing that waited is forgotten."""

from __future__ import annotations

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import RefusalGround, Status
from domain.vocabulary import LetterKind, Outcome, Right
from tests.support.asking import BY, approved, asked, collected, confirmed
from tests.support.house import House

WORDS = "Dette er den sjuende likelydende forespørselen på en uke."


def test_excessive_is_decided_by_two_people_and_told_with_the_ways_on(house: House) -> None:
    """Art. 12(4), 12(5): reasons, law, complaint and remedy, within the letter."""
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    refuse = house.installation.refusing.refuse

    for second in (None, BY, "OLA "):
        with pytest.raises(DomainError, match="two people"):
            refuse(request_id, ground=RefusalGround.EXCESSIVE, words=WORDS, by=BY, second=second)
    refuse(request_id, ground=RefusalGround.EXCESSIVE, words=WORDS, by=BY, second="liv")
    house.worker.drain()

    letter = house.mails()[-1]
    text = " ".join(letter.text.split())
    assert letter.kind is LetterKind.REFUSAL
    assert WORDS in text
    assert "artikkel 12 nr. 5 bokstav b" in text
    assert "Datatilsynet" in text
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    assert Outcome.REFUSED in asked(house, case_id, Right.ACCESS).explained


def test_who_was_never_asked_for_proof_is_not_unidentified(house: House) -> None:
    """Art. 11(2), 12(2): first a question, then perhaps a refusal."""
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    refuse = house.installation.refusing.refuse
    with pytest.raises(DomainError, match="asked for proof"):
        refuse(request_id, ground=RefusalGround.CANNOT_IDENTIFY, words=WORDS, by=BY)

    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    refuse(request_id, ground=RefusalGround.CANNOT_IDENTIFY, words=WORDS, by=BY)
    house.worker.drain()

    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


@pytest.mark.parametrize(
    ("words", "law", "says"), [(" ", "GDPR Art. 17(3)", "in words"), (WORDS, " ", "name the law")]
)
def test_reasons_and_law_are_given(house: House, words: str, law: str, says: str) -> None:
    case_id = collected(house, Right.ERASURE)

    with pytest.raises(DomainError, match=says):
        house.installation.refusing.refuse(
            asked(house, case_id, Right.ERASURE).id,
            ground=RefusalGround.NOT_ENTITLED,
            words=words,
            by=BY,
            law=law,
        )


def test_a_machine_refuses_nobody(house: House) -> None:
    case_id = collected(house, Right.ACCESS)

    for by in ("", "trettio"):
        with pytest.raises(DomainError):
            house.installation.refusing.refuse(
                asked(house, case_id, Right.ACCESS).id,
                ground=RefusalGround.NATIONAL_EXCEPTION,
                words=WORDS,
                law="personopplysningsloven",
                by=by,
            )


def test_no_words_of_a_refusal_are_in_the_log(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    house.installation.refusing.refuse(
        asked(house, case_id, Right.ACCESS).id,
        ground=RefusalGround.NATIONAL_EXCEPTION,
        words="Kari Testesen er under etterforskning.",
        law="personopplysningsloven",
        by=BY,
    )

    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"etterforskning" not in bytes(row["state"]) for row in states)


def test_the_erasure_goes_on_when_the_access_is_refused(house: House) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    erasure = asked(house, case_id, Right.ERASURE).id

    house.installation.refusing.refuse(
        asked(house, case_id, Right.ACCESS).id,
        ground=RefusalGround.UNFOUNDED,
        words=WORDS,
        by=BY,
        second="liv",
    )
    assert house.installation.register.find_fulfilment(erasure) is None  # the letter has not left
    house.worker.drain()

    assert house.installation.register.find_fulfilment(erasure) is not None


def test_the_erasure_goes_on_when_the_access_is_taken_back(house: House) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)

    house.installation.refusing.withdraw(asked(house, case_id, Right.ACCESS).id, by=BY)

    erasure = asked(house, case_id, Right.ERASURE).id
    assert house.installation.register.find_fulfilment(erasure) is not None
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


def test_an_erasure_also_waits_for_the_copy_to_take_along(house: House) -> None:
    """Art. 20: what is gone cannot be handed over."""
    case_id = collected(house, Right.PORTABILITY, Right.ERASURE)

    erasure = asked(house, case_id, Right.ERASURE).id
    assert house.installation.register.find_fulfilment(erasure) is None


def test_what_has_been_answered_is_not_refused_or_taken_back(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    with pytest.raises(NotAllowedNow):
        house.installation.refusing.withdraw(request_id, by=BY)
    with pytest.raises(DomainError, match="who took down"):
        house.installation.refusing.withdraw(request_id, by="")
