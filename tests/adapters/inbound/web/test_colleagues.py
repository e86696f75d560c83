"""Whose colleague somebody is: nobody of one controller is known, or sent away, by another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from domain.access import Grant, Role
from domain.deadlines import received_on
from domain.vocabulary import Country, Right
from projections.open_requests import in_hand
from services.assigning import Held
from services.ports import Absence, Member
from tests.support.asking import asked, confirmed
from tests.support.house import NORWAY, SWEDEN, House, open_house
from tests.support.roles import held, in_role

DAYS = {"first": "2099-01-04", "last": "2099-01-08"}


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Dan decides in Norway, Ada everywhere, Stig has a Swedish token; no record says where."""
    with open_house(module_database_url, tmp_path_factory.mktemp("colleagues")) as opened:
        staff = opened.installation.staff
        for name in ("dan", "ada", "bea", "stig", "nils"):
            opened.installation.database.run(staff.set(Member(name, name.title() + " Testesen")))
        opened.installation.grants.grant("dan", Grant(Role.DECISION_MAKER, NORWAY), by="eva")
        opened.installation.grants.grant("ada", Grant(Role.DECISION_MAKER), by="eva")
        opened.token(SWEDEN, staff="stig")
        yield opened


@pytest.fixture
def bea(house: House) -> TestClient:
    return in_role(house, held(Role.HANDLER, SWEDEN), staff="bea")


def over_http(house: House, *scopes: Scope) -> TestClient:
    token = house.installation.tokens.create(
        name="program", staff_id="bea", scopes=frozenset(scopes), controllers=frozenset({SWEDEN})
    )
    return TestClient(house.client.app, headers={"Authorization": f"Bearer {token}"})


def absences(house: House) -> list[Absence]:
    today = received_on(house.installation.clock(), Country.SE)
    return house.installation.staff.absences(until=today)


def test_another_controller_s_people_are_neither_shown_nor_sent_away(
    house: House, bea: TestClient
) -> None:
    shown = bea.get("/desk/staff").text
    assert "Dan Testesen" not in shown
    assert "Nils Testesen" not in shown, "nothing is known of him"
    for name in ("Ada", "Stig", "Bea"):
        assert f"{name} Testesen" in shown
    assert "Dan Testesen" not in bea.get("/desk").text

    for step in ("absent", "present"):
        assert bea.post(f"/desk/staff/{step}", data={"staff": "dan", **DAYS}).status_code == 422
    assert absences(house) == []
    assert bea.post("/desk/staff/absent", data={"staff": "stig", **DAYS}).status_code == 200
    assert [one.staff_id for one in absences(house)] == ["stig"]
    bea.post("/desk/staff/present", data={"staff": "stig", **DAYS})


def test_nor_over_http(house: House) -> None:
    program = over_http(house, Scope.DESK, Scope.ADMIN)
    assert {one["staff_id"] for one in program.get("/v1/staff").json()} == {"ada", "bea", "stig"}
    days = {"staff_id": "dan", "first_on": DAYS["first"], "last_on": DAYS["last"]}
    away = program.post("/v1/staff/absences", json=days, headers={"Idempotency-Key": "a1"})
    assert away.status_code == 404
    assert absences(house) == []

    records: tuple[dict[str, Any], ...] = (
        {"staff_id": "dan", "name": "Somebody", "email": "bea@venue.example"},
        {"staff_id": "bea", "name": "Bea", "deputy": "dan"},
    )
    for record in records:
        answer = program.post("/v1/staff", json={**record, "controllers": [SWEDEN]})
        assert answer.status_code == 404
    assert house.installation.staff.members()["dan"].email is None


def test_a_role_by_a_group_makes_a_colleague_too(house: House, bea: TestClient) -> None:
    """The provider's people hold no role of ours; what it vouched for the last time counts."""
    for name, controller in (("gro", NORWAY), ("gun", SWEDEN)):
        house.installation.staff.know(name, f"{name.title()} Testesen")
        house.installation.database.fetch(
            "INSERT INTO trettio.staff_identities (issuer, subject, staff_id, grants)"
            " VALUES ('https://id.example', %s, %s, jsonb_build_array(jsonb_build_object("
            "'role', 'handler', 'controller', %s::text, 'system', NULL, 'until', NULL)))"
            " RETURNING staff_id",
            [name, name, controller],
        )
    shown = bea.get("/desk/staff").text
    assert "Gun Testesen" in shown
    assert "Gro Testesen" not in shown


def test_requests_go_to_nobody_who_works_elsewhere(house: House) -> None:
    """Neither by hand nor to a deputy, whose own deputy works here."""
    house.installation.database.run(
        house.installation.staff.set(Member("dan", "Dan Testesen", deputy="stig")),
        house.installation.staff.set(Member("stig", "Stig Testesen", deputy="ada")),
    )
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    assigning = house.installation.assigning
    assert assigning.assign_open([request.id], to="stig", by="dan").elsewhere == 1
    dan = in_role(house, held(Role.HANDLER, NORWAY), staff="dan")
    assert "Stig Testesen" not in dan.get(f"/desk/cases/{case_id}").text

    assigning.assign([request.id], to="dan", by="dan")
    today = received_on(house.installation.clock(), Country.NO)
    house.installation.database.run(
        house.installation.staff.absent(Absence("dan", today, today + timedelta(days=1)))
    )
    house.installation.follower().drain()
    assigning.stand_in(Held(*one) for one in in_hand(house.installation.database))
    assert asked(house, case_id, Right.ACCESS).assigned_to == "ada"
