"""Somebody asks for somebody else: nothing is searched or sent before they may (law E-08, E-10)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import fulfilment_id
from domain.representation import AnswerTo, AuthorityEvidence, ChildView, RepresentationKind
from domain.request import Status
from domain.vocabulary import IdentifierKind, RefusalGround, Right
from services.fulfilment import person_of
from services.ports import CodeCheck, Identifier
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
        law="GDPR Art. 12(2)",
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
