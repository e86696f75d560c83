"""Rectification, restriction, objection and answers in words, on plain pages without a script."""

from __future__ import annotations

from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.balancing import consents
from domain.errors import NotAllowedNow
from domain.request import Status
from domain.restriction import RestrictionGround
from domain.vocabulary import Outcome, Right
from tests.support.asking import asked, collected, verified
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.steps import press, reveal


def desk_at(house: House, case_id: UUID) -> tuple[TestClient, str]:
    desk = house.staff()
    case = f"/desk/cases/{case_id}"
    reveal(desk, case)
    return desk, case


def test_claims_are_taken_down_decided_and_approved_on_the_page(house: House) -> None:
    """AK-05: field by field; what was refused stands in the letter with its words."""
    house.systems.system(NORWAY, "ticketing").hold(
        KARI, "customer", "c1", fields={"email": KARI, "name": "Kari Testsen", "phone": "99999901"}
    )
    case_id = collected(house, Right.RECTIFICATION)
    request = asked(house, case_id, Right.RECTIFICATION)
    desk, case = desk_at(house, case_id)
    at = f"{case}/requests/{request.id}"
    (record,) = request.own_records
    wrong = {"record": str(record.record_id), "ground": "wrong", "wish": "rectify"}

    no_such = desk.post(f"{at}/claims", data={**wrong, "field": "nick", "value": "Kaja"})
    assert no_such.status_code == 422
    press(desk, f"{at}/claims", **wrong, field="name", value="Kari Testesen")
    press(desk, f"{at}/claims", **wrong, field="phone", value="99999902")
    name, phone = house.installation.register.rectification(request.id).claims
    assert "Kari Testesen" in desk.get(case).text
    press(desk, f"{at}/claims/{name}", verdict="accept")
    press(desk, f"{at}/claims/{phone}", verdict="refuse", words="Nummeret stemmer.")
    assert "The correction is refused" in desk.get(case, headers={"Accept-Language": "en"}).text
    press(desk, f"{at}/claims-approve", words="")
    house.work()

    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED
    assert house.systems.system(NORWAY, "ticketing").held[0][1].fields["name"] == "Kari Testesen"
    assert "Nummeret stemmer." in house.mails()[-2].text + house.mails()[-1].text


def test_a_restriction_is_granted_set_by_hand_and_ended_on_the_page(house: House) -> None:
    """GK-07."""
    case_id = verified(house, Right.RESTRICTION)
    request_id = house.case(case_id).request_id(Right.RESTRICTION)
    desk, case = desk_at(house, case_id)
    at = f"{case}/requests/{request_id}"

    press(desk, f"{at}/restriction", ground="c", until="", words="")
    house.work()
    for system in ("customer-service", "web", "archive"):
        press(desk, f"{at}/restriction/{system}", done="restricted")
    house.work()
    assert asked(house, case_id, Right.RESTRICTION).status is Status.CLOSED

    press(desk, f"{at}/restriction/end", words="")
    assert house.installation.register.restriction(request_id).announced_in is not None


def test_a_person_gives_a_restriction_up_for_an_erasure(house: House) -> None:
    """GK-07: said on the erasure, recorded with who took it down; then everything goes."""
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "customer", "c1")
    first = verified(house, Right.RESTRICTION)
    restriction_of = house.case(first).request_id(Right.RESTRICTION)
    restrictions = house.installation.restrictions
    restrictions.restrict(restriction_of, ground=RestrictionGround.UNLAWFUL, by="ola")
    house.work()
    case_id = collected(house, Right.ERASURE, text="Slett alt likevel")
    request_id = house.case(case_id).request_id(Right.ERASURE)
    with pytest.raises(NotAllowedNow, match="not been answered"):
        restrictions.give_up(request_id, by="ola")
    for system in ("customer-service", "web", "archive"):
        restrictions.record(restriction_of, system, outcome=Outcome.RESTRICTED, by="ola")
    house.work()
    desk, case = desk_at(house, case_id)
    at = f"{case}/requests/{request_id}"

    assert 'name="given_up"' in desk.get(case).text
    assert desk.post(f"{at}/restriction/given-up", data={"x": ""}).status_code == 422
    press(desk, f"{at}/restriction/given-up", given_up="1")

    assert 'name="given_up"' not in desk.get(case).text
    restriction = house.installation.register.restriction(restriction_of)
    assert restriction.given_up_for == request_id
    press(desk, f"{at}/approve", words="")
    house.work()
    assert not held.held


def test_a_balance_is_struck_on_the_page(house: House) -> None:
    """GK-08: each purpose is weighed; to go on takes words."""
    case_id = collected(house, Right.OBJECTION)
    request_id = house.case(case_id).request_id(Right.OBJECTION)
    desk, case = desk_at(house, case_id)
    at = f"{case}/requests/{request_id}/balance"
    balancing = house.installation.register.balancing(request_id)
    stops = {f"purpose-{one}": "stops" for one in balancing.purposes}

    press(desk, f"{at}/grounds", words="Jeg er på skjermet adresse.")
    goes_on = {**stops, "purpose-statistics": "continues", "purpose": list(balancing.purposes)}
    assert desk.post(at, data=goes_on).status_code == 422
    desk.post(at, data={**stops, "purpose": list(balancing.purposes), "words": ""})
    house.work()

    assert house.installation.register.balancing(request_id).is_struck
    assert asked(house, case_id, Right.OBJECTION).status is Status.CLOSED


def test_a_person_answers_a_review_on_the_page(house: House) -> None:
    """B.1, Art. 22(3)."""
    case_id = collected(house, Right.HUMAN_REVIEW)
    request_id = house.case(case_id).request_id(Right.HUMAN_REVIEW)
    desk, case = desk_at(house, case_id)

    press(
        desk,
        f"{case}/requests/{request_id}/information",
        changed="stands",
        words="Vi har sett på det igjen.",
    )
    house.work()

    request = asked(house, case_id, Right.HUMAN_REVIEW)
    assert request.status is Status.CLOSED
    assert {one.outcome for one in request.outcomes} == {Outcome.REVIEWED}


def test_a_copy_of_safeguards_is_enclosed_on_the_page(house: House) -> None:
    """GK-23: the contract itself goes with the letter; for an envelope it is fetched here."""
    case_id = collected(house, Right.TRANSFER_SAFEGUARDS)
    request_id = house.case(case_id).request_id(Right.TRANSFER_SAFEGUARDS)
    desk, case = desk_at(house, case_id)
    at = f"{case}/requests/{request_id}/information"

    assert desk.post(f"{at}/documents", files={"document": ("", b"")}).status_code == 422
    contract = ("vilk\u00e5r.pdf", b"%PDF-1.7 contract", "application/pdf")
    assert desk.post(f"{at}/documents", files={"document": contract}).status_code == 200
    assert desk.get(f"{at}/documents/1").content == contract[1]
    assert desk.get(f"{at}/documents/2").status_code == 404
    press(desk, at, words="")
    house.work()

    assert asked(house, case_id, Right.TRANSFER_SAFEGUARDS).status is Status.CLOSED


def test_one_consent_of_several_is_taken_back_on_the_page(house: House) -> None:
    """AK-08: per purpose; what was not ticked stays as it was."""
    case_id = house.receive("Jag \u00e5terkallar mitt samtycke.", controller=SWEDEN)
    desk, case = desk_at(house, case_id)
    profile = house.installation.controllers.in_force(SWEDEN)
    first, *others = (purpose.id for purpose in consents(profile))
    assert others or 'name="consent"' not in desk.get(case).text

    press(
        desk,
        f"{case}/confirm",
        right=["withdrawal-of-consent"],
        language="sv",
        kind=["email"],
        value=[KARI],
        consent=[first],
    )

    request_id = house.case(case_id).request_id(Right.WITHDRAWAL)
    withdrawal = house.installation.register.find_withdrawal(request_id)
    assert withdrawal is not None
    assert withdrawal.purposes == (first,)
