"""Somebody asks for somebody else: nothing is searched or sent before they may (law E-08, E-10)."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.outbound.tokens import Scope
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import fulfilment_id
from domain.representation import AnswerTo, AuthorityEvidence, ChildView, RepresentationKind
from domain.request import Status
from domain.vocabulary import IdentifierKind, LetterKind, PauseReason, RefusalGround, Right
from services.addressees import Addressees
from services.fulfilment import person_of
from services.ports import Attachment, CodeCheck, Erased, Identifier
from services.showing import looks_like_a_document
from tests.support.asking import BY, approve, asked, confirmed, look_everywhere, received, verified
from tests.support.house import KARI, NORWAY, House

CHILD = "nora.testesen@person.example"
NORA = (
    Identifier(IdentifierKind.EMAIL, CHILD),
    Identifier(IdentifierKind.NAME, "Nora Testesen"),
)


def claim(house: House, case_id: Any, age: int, **changes: Any) -> None:
    facts: dict[str, Any] = {"kind": RepresentationKind.PARENT, "identifiers": NORA, "age": age}
    house.installation.representing.claim(case_id, by=BY, **{**facts, **changes})


def prove(house: House, case_id: Any) -> None:
    house.installation.identity.ask(case_id, reason="asks-for-somebody-else", by=BY)
    house.worker.drain()
    check = house.installation.identity.check_code(case_id, house.newest_code())
    assert check is CodeCheck.RIGHT
    house.worker.drain()


def find_out(house: House, case_id: Any, *, protected: bool = False) -> None:
    people = house.installation.representing
    people.see_evidence(case_id, evidence=AuthorityEvidence.POPULATION_REGISTER, by=BY)
    people.hear_child(case_id, view=ChildView.AGREES, reason="asked-in-person", by=BY)
    people.check_address(case_id, protected=protected, by=BY)
    people.check_conflict(case_id, known=False, by=BY)


def recipients(house: House) -> list[str]:
    return [mail.recipient for mail in house.mails() if mail.kind.value == "answer"]


@pytest.mark.parametrize(("age", "to"), [(9, KARI), (15, CHILD)])
def test_a_parents_request_is_searched_and_answered_only_once_it_may_be(
    house: House, age: int, to: str
) -> None:
    """E-08, B.2.5: authority first; at 15 the answer goes to the young person."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "customer", "of-the-parent")
    house.systems.system(NORWAY, "ticketing").hold(CHILD, "customer", "of-the-child")
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, age)
    prove(house, case_id)

    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.VERIFIED
    assert house.installation.register.find_fulfilment(request.id) is None
    with pytest.raises(NotAllowedNow, match="find out about"):
        house.installation.representing.accept(case_id, by=BY)

    find_out(house, case_id)
    house.installation.representing.accept(case_id, by=BY)
    house.worker.drain()

    found = house.installation.register.fulfilment(request.id).found
    content = [house.installation.deciding.record(one).key for one in found]
    assert content == ["of-the-child"], "the parent's own records are not asked for"

    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)
    assert recipients(house) == [to]


def test_proving_who_one_is_proves_nothing_about_the_child(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 9)
    prove(house, case_id)

    person = person_of(house.installation.vault, asked(house, case_id, Right.ACCESS))
    assert person.identifiers == NORA
    assert not any(one.verified for one in person.identifiers)


def test_a_rejected_authority_leads_to_a_refusal_with_its_letter(house: House) -> None:
    """E-08: no answer leaves, and Art. 12(4) still gets its letter."""
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 9, kind=RepresentationKind.AGENT)
    prove(house, case_id)
    house.installation.representing.reject(case_id, reason="authority-not-shown", by=BY)

    request = asked(house, case_id, Right.ACCESS)
    assert house.installation.register.find_fulfilment(fulfilment_id(request.id)) is None
    assert request.authority_awaited
    house.installation.refusing.refuse(
        request.id,
        ground=RefusalGround.NOT_ENTITLED,
        words="Fullmakten er ikke vist.",
        law="authority",
        by=BY,
    )
    house.worker.drain()
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    assert house.mails()[-1].recipient == KARI


def test_it_is_said_before_the_systems_are_searched(house: House) -> None:
    case_id = verified(house, Right.ACCESS)

    with pytest.raises(NotAllowedNow, match="begin a new case"):
        claim(house, case_id, 9)
    with pytest.raises(DomainError, match="confirm the case first"):
        claim(house, received(house, "Annet"), 9)


def test_the_young_ask_for_themselves_as_everybody_does(house: House) -> None:
    """GK-26: who is 13 or 14 and asks for themselves is answered like anybody else."""
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 13, kind=RepresentationKind.ONESELF, identifiers=())
    prove(house, case_id)

    request = asked(house, case_id, Right.ACCESS)
    assert not request.authority_awaited
    assert house.installation.register.find_fulfilment(request.id) is not None


def test_a_protected_address_of_the_child_protects_the_case(house: House) -> None:
    """E-08, E-10: the other parent may be the one who must not learn where the child lives."""
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 9)
    prove(house, case_id)
    find_out(house, case_id, protected=True)

    assert house.case(case_id).protected
    house.installation.representing.accept(case_id, answer_to=AnswerTo.REPRESENTATIVE, by=BY)


def test_a_doubt_is_asked_by_letter_and_shown_on_the_clock(house: House) -> None:
    """B.2.5, E-08: authority unclear is asked about; the pause is recorded, not relied on."""
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 9)
    house.installation.representing.doubt(case_id, reason="authority-not-shown", by=BY)
    house.worker.drain()

    letter = house.mails()[-1]
    assert (letter.kind.value, letter.recipient) == ("authority-question", KARI)
    request = asked(house, case_id, Right.ACCESS)
    assert PauseReason.AUTHORITY in request.open_pauses
    prove(house, case_id)
    find_out(house, case_id)
    house.installation.representing.accept(case_id, by=BY)
    assert asked(house, case_id, Right.ACCESS).open_pauses == {}


def test_the_dead_get_another_letter_and_no_answer_of_article_15(house: House) -> None:
    """E-09: recital 27; the requests end as referred, and nothing was searched."""
    case_id = confirmed(house, Right.ACCESS, Right.ERASURE)
    house.installation.representing.deceased(case_id, by=BY)
    house.worker.drain()

    assert house.mails()[-1].kind.value == "deceased"
    for right in (Right.ACCESS, Right.ERASURE):
        request = asked(house, case_id, right)
        assert request.status is Status.CLOSED
        assert request.answer is None
        assert house.installation.register.find_fulfilment(request.id) is None


def test_a_copy_of_an_identity_document_is_seen_and_not_kept(house: House) -> None:
    """B.2.8: documents seen, not kept: the copy is destroyed at once, "seen" stays."""
    passport = Attachment("pass.jpg", "image/jpeg", b"a passport")
    case_id = received(house, "Her er passet mitt", attachments=(passport,))
    (ref,) = house.case(case_id).attachments
    house.installation.vault.open(ref)

    page = house.staff().post(f"/desk/cases/{case_id}/documents/1/destroy")

    assert page.status_code == 200
    with pytest.raises(Erased):
        house.installation.vault.open(ref)
    assert house.case(case_id).documents_destroyed == {ref}
    assert house.staff().post(f"/desk/cases/{case_id}/documents/2/destroy").status_code == 404


def test_files_called_like_an_identity_document_are_pointed_out() -> None:
    assert all(map(looks_like_a_document, ("pass.jpg", "Passport_kari.png", "førerkort 2.pdf")))
    assert not any(map(looks_like_a_document, ("passord.txt", "billett.pdf", "kompass.jpg")))


def test_who_asks_for_whom_over_the_api(house: House) -> None:
    """E-08 over `/v1`: claimed, shown, found out, accepted; the age is kept, the birth date not."""
    case_id = confirmed(house, Right.ACCESS)
    api = signed_in(house)
    at = f"/v1/cases/{case_id}/representation"

    def post(path: str, **sent: Any) -> Any:
        answer = house.client.post(f"{at}{path}", json=sent, headers=api)
        assert answer.status_code == 200, answer.text
        return answer.json()

    child = [{"kind": "email", "value": CHILD}]
    shown = post("", kind="parent", identifiers=child, born_on="2016-01-01")
    assert shown["age"] == 10
    assert set(shown["missing"]) == {
        "evidence",
        "identity",
        "protected-address",
        "conflict-between-parents",
    }
    post("/evidence", evidence="population-register")
    post("/address", protected=False)
    post("/conflict", known=False)
    prove(house, case_id)
    assert post("/accept")["accepted"] is True
    assert house.client.get(at, headers=api).json()["answer_to"] == "representative"


def signed_in(house: House) -> dict[str, str]:
    token = house.installation.tokens.create(
        name="people",
        staff_id=BY,
        scopes=frozenset({Scope.DESK, Scope.READ}),
        controllers=frozenset(),
    )
    return {"Authorization": f"Bearer {token}", "X-Purpose": "handle"}


def test_other_letters_go_to_whoever_asks_too(house: House) -> None:
    """E-08: what is written before authority is shown never goes to the child by accident."""
    case_id = confirmed(house, Right.ACCESS)
    claim(house, case_id, 16)
    request = asked(house, case_id, Right.ACCESS)
    there = Addressees(house.installation.register, house.installation.vault)

    assert there.of_letter(house.case(case_id), LetterKind.EXTENSION, CHILD) == KARI
    assert there.of_letter(house.case(case_id), LetterKind.EXTENSION, None) is None
    prove(house, case_id)
    find_out(house, case_id)
    house.installation.representing.accept(case_id, by=BY)
    case = house.case(case_id)
    assert there.of_letter(case, LetterKind.EXTENSION, CHILD) == KARI
    assert there.of_letter(case, LetterKind.ANSWER, CHILD) == CHILD
    assert there.of_answer(case, request) == CHILD


def test_nobody_writes_to_an_unproven_address_of_a_protected_person(house: House) -> None:
    """E-10: mail stops until the address is proven; only the code to prove it goes there."""
    case_id = confirmed(house, Right.ACCESS)
    house.installation.representing.protect(case_id, reason="said-by-the-person", by=BY)
    there = Addressees(house.installation.register, house.installation.vault)

    assert there.of_letter(house.case(case_id), LetterKind.EXTENSION, KARI) is None
    assert there.of_letter(house.case(case_id), LetterKind.IDENTITY_CODE, KARI) == KARI
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    house.installation.identity.check_code(case_id, house.newest_code())
    assert there.of_letter(house.case(case_id), LetterKind.EXTENSION, KARI) == KARI
