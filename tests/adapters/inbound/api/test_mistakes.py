"""Over the API: written to the person, taken back, put right, and sent to the wrong person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from domain.vocabulary import IdentifierKind, LetterKind, Right
from services.ports import Identifier
from tests.support.asking import approved, asked, collected, confirmed
from tests.support.house import House

ON_PAPER = (Identifier(IdentifierKind.NAME, "Kari Testesen"),)


def test_a_message_is_written_and_taken_back(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS, identifiers=ON_PAPER)
    place = f"/v1/cases/{case_id}/letters"

    written = api.post(f"{place}/messages", json={"words": "Vi ringer mandag."})
    assert written.status_code == 201, written.text
    letter = next(one for one in written.json()["letters"] if one["kind"] == "message")
    taken = api.post(f"{place}/{letter['letter_id']}/recall")

    assert taken.status_code == 200, taken.text
    (message,) = (one for one in taken.json()["letters"] if one["kind"] == "message")
    assert message["recalled"]
    assert api.post(f"{place}/messages", json={"words": ""}).status_code == 422


def test_what_went_to_the_wrong_person_is_written_down(house: House, api: TestClient) -> None:
    case_id = approved(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    letter_id = _letter(house, case_id, LetterKind.ANSWER)

    (breach,) = _ok(api.post(f"/v1/cases/{case_id}/letters/{letter_id}/wrong-person", json={}))
    place = f"/v1/requests/{request.id}/breaches/{breach['breach_id']}"
    assert (breach["link_withdrawn"], breach["settled"]) == (True, False)
    note = {"what": "Feil adresse.", "consequences": "Ingen.", "measures": "Lenken er stengt."}
    (noted,) = _ok(api.post(f"{place}/note", json=note))
    assert noted["described"]
    assert api.post(f"{place}/authority", json={}).status_code == 422
    _ok(api.post(f"{place}/authority", json={"reasons": "Ingen risiko."}))
    (done,) = _ok(api.post(f"{place}/person", json={"told": False, "reasons": "Ingen risiko."}))
    assert done["settled"]
    assert _ok(api.get(f"/v1/cases/{case_id}/breaches")) == [{**done, **note}]


def test_a_check_a_link_and_a_decision_are_undone(house: House, api: TestClient) -> None:
    case_id = collected(house, Right.ACCESS)
    first = asked(house, case_id, Right.ACCESS)
    second = asked(house, confirmed(house, Right.ACCESS, text="Igjen"), Right.ACCESS)
    house.installation.receipts.link(first.id, to=second.id, by="ola")

    apart = api.post(f"/v1/requests/{first.id}/unlink", json={"request_id": str(second.id)})
    assert apart.status_code == 200, apart.text
    assert asked(house, case_id, Right.ACCESS).linked == ()
    nothing = api.post(f"/v1/requests/{first.id}/take-back")
    assert nothing.status_code == 409
    revoked = api.post(f"/v1/cases/{case_id}/identity/revoke", json={"reason": "namesake"})
    assert revoked.json()["requests"][0]["status"] == "received"


def _letter(house: House, case_id: UUID, kind: LetterKind) -> UUID:
    return next(one.id for one in house.case(case_id).letters.values() if one.kind is kind)


def _ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()
