"""No refusal without reasons, law, remedy and a human name; nothing that waited is forgotten."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.profiles import load_profile, shipped_profiles
from domain.errors import DomainError, NotAllowedNow
from domain.policy import BodyType
from domain.refusals import available, require_too_frequent
from domain.request import RefusalGround, Status
from domain.vocabulary import Country, IdentifierKind, LetterKind, Outcome, Right, Unidentified
from services.fulfilment import person_of
from services.ports import Identifier
from tests.support.asking import BY, approve, approved, asked, collected, confirmed
from tests.support.house import House

TRIED = "Søkt på navn og postnummer i alle systemer, ringt to ganger."
WORDS = "Dette er den sjuende likelydende forespørselen på en uke."


def test_unfounded_is_proposed_by_one_and_decided_by_another_with_proof(house: House) -> None:
    """B.2.6, Art. 12(4), 12(5): two people, a proof, and a letter with the ways on."""
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    refusing, what = house.installation.refusing, RefusalGround.UNFOUNDED
    with pytest.raises(DomainError, match="two people"):
        refusing.refuse(request_id, ground=what, words=WORDS, by=BY)
    with pytest.raises(DomainError, match="prove"):
        refusing.propose(request_id, ground=what, words=WORDS, proof=" ", by=BY)

    refusing.propose(request_id, ground=what, words=WORDS, proof="Sju brev, vedlagt", by=BY)
    assert asked(house, case_id, Right.ACCESS).status is Status.COLLECTED
    for same in (BY, "OLA ", "trettio", ""):
        with pytest.raises(DomainError):
            refusing.confirm(request_id, by=same)
    refusing.confirm(request_id, by="liv")
    house.worker.drain()

    letter = house.mails()[-1]
    text = " ".join(letter.text.split())
    assert letter.kind is LetterKind.REFUSAL
    assert WORDS in text
    assert "artikkel 12 nr. 5 bokstav b" in text
    assert "Datatilsynet" in text
    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.CLOSED
    assert Outcome.REFUSED in request.explained
    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"Sju brev" not in bytes(row["state"]) for row in states)


def test_what_the_second_person_declines_is_worked_on(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    refusing = house.installation.refusing
    ask: dict[str, Any] = {
        "ground": RefusalGround.UNFOUNDED,
        "words": WORDS,
        "proof": "Brevene",
        "by": BY,
    }
    refusing.propose(request_id, **ask)
    with pytest.raises(NotAllowedNow, match="proposed already"):
        refusing.propose(request_id, **ask)

    refusing.decline(request_id, words="Hun har ikke fått svar før", by="liv")
    approve(house, case_id, Right.ACCESS)

    with pytest.raises(NotAllowedNow):
        refusing.confirm(request_id, by="liv")
    assert asked(house, case_id, Right.ACCESS).refusal is None


@pytest.mark.parametrize(
    ("days", "allowed"), [(30, True), (364, True), (365, False), (800, False), (None, False)]
)
def test_a_year_or_more_is_never_excessive(days: int | None, allowed: bool) -> None:
    """B.2.6: an interval of a year or more is never excessive, nor is the first request."""
    today = date(2027, 11, 22)
    earlier = [] if days is None else [today - timedelta(days=days)]

    if allowed:
        require_too_frequent(today, earlier)
    else:
        with pytest.raises(DomainError):
            require_too_frequent(today, earlier)


def test_repetition_counts_what_the_same_person_asked_before(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    propose = house.installation.refusing.propose
    facts: dict[str, Any] = {
        "ground": RefusalGround.EXCESSIVE,
        "law": "repetitive",
        "words": WORDS,
        "by": BY,
    }
    with pytest.raises(DomainError, match="not asked before"):
        propose(asked(house, case_id, Right.ACCESS).id, proof="x", **facts)

    again = collected(house, Right.ACCESS, text="Hei igjen")
    propose(asked(house, again, Right.ACCESS).id, proof="Dagen etter", **facts)


@pytest.mark.parametrize("path", shipped_profiles().values(), ids=lambda path: path.stem)
def test_reasons_are_those_of_the_right_the_country_the_body_and_the_promise(path: Path) -> None:
    """AK-06, X-02, E-04: law and promise; the contested letter is never offered to a cinema."""
    profile = load_profile(path)
    access = {one.code for one in available(profile, Right.ACCESS)}
    erasure = {one.code for one in available(profile, Right.ERASURE)}

    assert ("no.pol.16.b" in access) is (profile.country is Country.NO)
    assert {"se.dsl.5.1", "se.dsl.5.2"} <= access or profile.country is Country.NO
    assert ("no.pol.16.e" in access) is (
        profile.country is Country.NO and profile.body_type is BodyType.PUBLIC_BODY
    )
    assert {"17.3.b", "17.3.e"} <= erasure
    assert ("17.1" in erasure) is (profile.allowed_exceptions is None)
    assert not available(profile, Right.OBJECTION_TO_MARKETING)
    assert not available(profile, Right.WITHDRAWAL)


def test_who_was_not_found_and_gives_more_is_taken_up_as_received(house: House) -> None:
    """Art. 11(2): reopened when identifiers arrive, with the receipt it had."""
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.installation.refusing.refuse(
        request_id,
        ground=RefusalGround.CANNOT_IDENTIFY,
        words=WORDS,
        proof=TRIED,
        shown=Unidentified.PROOF_FAILED,
        by=BY,
    )
    house.worker.drain()
    before = asked(house, case_id, Right.ACCESS)
    number = Identifier(IdentifierKind.ORDER_NUMBER, "A-4711")

    house.installation.refusing.identify_after_all(request_id, [number], by=BY)

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.refusal) == (Status.RECEIVED, None)
    assert (request.received_on, request.dates) == (before.received_on, before.dates)
    assert number in person_of(house.installation.vault, request).identifiers
    assert case_id in house.installation.vault.cases_of(request.controller, number)


def test_who_was_never_asked_for_proof_is_not_unidentified(house: House) -> None:
    """Art. 11(2), 12(2): first a question, then perhaps a refusal."""
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    refuse = house.installation.refusing.refuse
    facts: dict[str, Any] = {"ground": RefusalGround.CANNOT_IDENTIFY, "words": WORDS, "by": BY}
    with pytest.raises(DomainError, match="asked for proof"):
        refuse(request_id, **facts)

    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    with pytest.raises(DomainError, match="what was tried"):
        refuse(request_id, **facts, proof=" ", shown=Unidentified.NOTHING_MORE)
    with pytest.raises(DomainError, match="two reminders"):
        refuse(request_id, **facts, proof=TRIED, shown=Unidentified.SILENT)
    refuse(request_id, **facts, proof=TRIED, shown=Unidentified.NOTHING_MORE)
    house.worker.drain()

    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(TRIED.encode() not in bytes(row["state"]) for row in states)
    assert TRIED not in house.mails()[-1].text
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
                law="no.pol.16.b",
                by=by,
            )


def test_no_words_of_a_refusal_are_in_the_log(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    house.installation.refusing.refuse(
        asked(house, case_id, Right.ACCESS).id,
        ground=RefusalGround.NATIONAL_EXCEPTION,
        words="Kari Testesen er under etterforskning.",
        law="no.pol.16.b",
        by=BY,
    )

    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"etterforskning" not in bytes(row["state"]) for row in states)


def test_the_erasure_goes_on_when_the_access_is_refused(house: House) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    erasure = asked(house, case_id, Right.ERASURE).id

    house.installation.refusing.refuse(
        asked(house, case_id, Right.ACCESS).id,
        ground=RefusalGround.NATIONAL_EXCEPTION,
        law="no.pol.16.b",
        words=WORDS,
        by=BY,
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
