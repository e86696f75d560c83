"""What is no request, and what is put right, over the API."""

from __future__ import annotations

from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.vocabulary import Right
from tests.adapters.inbound.api.conftest import Calls
from tests.support.asking import asked, confirmed, received
from tests.support.house import NORWAY, SWEDEN, House


def test_a_message_is_passed_on_settled_and_taken_back(house: House, api: TestClient) -> None:
    """E-06: document access is listed for today, and nowhere else."""
    case_id = received(house, "Jeg ber om innsyn i postlisten")
    place = f"/v1/cases/{case_id}"

    passed = api.post(f"{place}/pass-on", json={"kind": "document-access", "notify": False})
    assert passed.status_code == 200, passed.text
    assert passed.json()["status"] == "set-aside"
    house.work()
    (due,) = api.get("/v1/document-access").json()
    assert (due["case_id"], due["controller"]) == (str(case_id), NORWAY)
    assert api.get("/v1/document-access", params={"controller": SWEDEN}).json() == []
    assert api.get(f"{place}/elsewhere").json()["due_on"] == due["due_on"]

    assert api.post(f"{place}/settle", json={"how": "Kari fikk den"}).status_code == 422
    assert api.post(f"{place}/settle", json={"how": "given-out"}).status_code == 200
    house.work()
    assert api.get("/v1/document-access").json() == []
    assert api.post(f"{place}/undo", json={"reason": "was-a-request"}).json()["status"] == "waiting"


def test_rights_are_put_right_and_referred(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request = f"/v1/requests/{asked(house, case_id, Right.ACCESS).id}"

    corrected = api.post(f"{request}/correct-right", json={"right": "portability"})
    assert corrected.json()["right"] == "portability", corrected.text
    added = api.post(f"/v1/cases/{case_id}/rights", json={"right": "erasure"})
    assert added.status_code == 201, added.text
    assert {one["right"] for one in added.json()["requests"]} == {"portability", "erasure"}
    whom = {"name": "Lykt AS", "contact": "post@lykt.example"}
    referred = api.post(f"{request}/refer", json={"to": whom})
    assert referred.json()["status"] == "referred", referred.text


def test_a_case_is_handed_over_by_who_sees_both(house: House, api: TestClient, call: Calls) -> None:
    """Nothing leaks from one controller to another."""
    case_id = received(house, "Jag vill ha registerutdrag")
    one_sided = call(Scope.DESK, controllers=(NORWAY,))
    body = {"controller": SWEDEN}

    assert one_sided.post(f"/v1/cases/{case_id}/hand-over", json=body).status_code == 404
    handed = api.post(f"/v1/cases/{case_id}/hand-over", json=body)

    assert handed.status_code == 200, handed.text
    new_id = api.get(f"/v1/cases/{case_id}/elsewhere").json()["handed_over_to"]
    assert api.get(f"/v1/cases/{new_id}").json()["controller"] == SWEDEN
    assert one_sided.get(f"/v1/cases/{new_id}").status_code in {403, 404}
