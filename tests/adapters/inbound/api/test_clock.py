"""Time over HTTP: why a date, questions, pauses, advice, more time, receipts, who has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.vocabulary import Right
from tests.support.asking import asked, confirmed
from tests.support.house import NORWAY, SWEDEN, House


def browser(house: House, staff: str, *scopes: Scope) -> TestClient:
    token = house.installation.tokens.create(
        name=f"token of {staff}",
        staff_id=staff,
        scopes=frozenset(scopes),
        controllers=frozenset({NORWAY}),
    )
    return TestClient(
        house.client.app, headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
    )


def sent(client: TestClient, address: str, status: int, **body: Any) -> Any:
    answer = client.post(address, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_everything_about_time_can_be_done_and_asked_over_http(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    place = f"/v1/requests/{request.id}"
    desk = browser(house, "ola", Scope.DESK, Scope.READ)
    officer = browser(house, "dora", Scope.DESK)
    admin = browser(house, "root", Scope.ADMIN)

    # Questions and pauses
    sent(desk, f"{place}/clarification", 202, question="Which account?")
    (pause,) = desk.get(f"{place}/dates").json()["pauses"]
    assert (pause["reason"], pause["ended_on"]) == ("scope", None)
    sent(desk, f"{place}/clarification/answer", 200, answer="The old one.")

    # Advice, and a pause that counts
    sent(desk, f"{place}/suspension", 422, reason="person-kept-us-waiting")
    sent(desk, f"{place}/consultations", 201, about="suspension", question="May it count?")
    (asked_one,) = desk.get(f"{place}/consultations").json()
    question = f"{place}/consultations/{asked_one['question_id']}"
    sent(desk, f"{question}/advice", 422, advice="I say yes.")
    sent(officer, f"{question}/advice", 200, advice="Yes, it may.")
    sent(officer, f"{place}/suspension", 422, reason="person-kept-us-waiting")
    sent(desk, f"{question}/weighed", 200, followed=True)
    sent(desk, f"{place}/suspension", 200, reason="person-kept-us-waiting")
    (asked_one,) = desk.get(f"{place}/consultations").json()
    assert (asked_one["advised_by"], asked_one["followed"]) == ("dora", True)

    # More time
    sent(desk, f"{place}/extension", 422, reasons=["effort"])
    sent(desk, f"{place}/extension", 202, reasons=["volume", "several-requests"])
    house.work()

    # The receipt
    earlier = (request.received_at - timedelta(days=3)).isoformat()
    sent(
        desk,
        f"/v1/cases/{case_id}/receipt",
        200,
        received_at=earlier,
        reason="wrong-stamp",
        said_by="The desk",
        evidence="The stamp",
    )

    shown = desk.get(f"{place}/dates", params={"language": "sv"}).json()
    assert shown["suspension_relied_on"]
    assert sorted(shown["extension_reasons"]) == ["several-requests", "volume"]
    assert shown["earlier_receipts"] == [request.received_on.isoformat()]
    assert shown["extended_due"] > shown["statutory_due"]
    titles = [step["title"] for step in shown["why"]]
    assert "Mottagandet rättat" in titles
    assert len(titles) == len(set(titles)) >= 8

    # Whose request it is, and who is away
    sent(desk, f"{place}/assign", 422, to="berit")
    sent(admin, "/v1/staff", 200, staff_id="berit", name="Berit", controllers=[NORWAY])
    sent(admin, "/v1/staff", 404, staff_id="x", name="X", controllers=[SWEDEN])
    sent(admin, "/v1/staff", 404, staff_id="x", name="X")
    many = sent(desk, "/v1/requests/assign", 200, to="berit", request_ids=[str(request.id)])
    assert many == {"to": "berit", "request_ids": [str(request.id)]}
    assert asked(house, case_id, Right.ACCESS).assigned_to == "berit"
    day = request.received_on.isoformat()
    sent(desk, "/v1/staff/absences", 200, staff_id="berit", first_on=day, last_on=day)
    sent(desk, "/v1/staff/absences", 422, first_on=day, last_on="2020-01-01")
    (member,) = desk.get("/v1/staff").json()
    assert (member["staff_id"], member["away_until"]) == ("berit", day)
    sent(desk, "/v1/staff/absences/take-back", 200, staff_id="berit", first_on=day)
    assert desk.get("/v1/staff").json()[0]["away_until"] is None

    # The same asked twice
    other = asked(house, confirmed(house, Right.ACCESS, text="Igjen"), Right.ACCESS)
    assert other.received_on == request.received_on - timedelta(days=3)
    sent(desk, f"/v1/requests/{other.id}/duplicate", 200, request_id=str(request.id))
    assert str(other.id) in desk.get(place).json()["linked"]
