"""Requests that come ready made: receipt, evidence, other systems' numbers; pages and the past."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.external_numbers import PostgresExternalNumbers
from adapters.outbound.tokens import Scope
from adapters.outbound.vault import MasterKey
from domain.vocabulary import Channel, Compartment, Right
from tests.support.asking import collected, confirmed, received
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.problems import problem

ASKED: dict[str, Any] = {
    "controller": NORWAY,
    "rights": ["erasure", "access"],
    "identifiers": [{"kind": "email", "value": KARI}, {"kind": "name", "value": "Kari Testesen"}],
    "text": "Hei, jeg ber om innsyn.",
}
WHY = {
    "reason": "letter-found-in-another-department",
    "said_by": "Vidar Testesen at the counter",
    "evidence": "Stamped as received; lay in the wrong tray.",
}


def asked_on(api: TestClient, at: datetime | None, **more: Any) -> Any:
    moment = {"received_at": at.isoformat()} if at else {}
    return api.post("/v1/requests", json={**ASKED, **moment, **more})


# Receipt


def test_a_ready_made_request_is_dated_at_once(house: House, api: TestClient) -> None:
    answer = asked_on(api, None)

    assert answer.status_code == 201
    shown = answer.json()
    assert answer.headers["location"] == f"/v1/cases/{shown['case_id']}"
    assert shown["status"] == "confirmed"
    assert [one["right"] for one in shown["requests"]] == ["access", "erasure"]
    assert shown == api.get(answer.headers["location"]).json()
    house.worker.drain()
    assert [mail.kind.value for mail in house.mails()] == ["acknowledgement"]


@pytest.mark.parametrize("channel", list(Channel))
def test_a_ready_made_request_may_come_by_any_channel(
    house: House, api: TestClient, channel: Channel
) -> None:
    answer = asked_on(api, None, channel=channel.value)

    assert answer.status_code == 201, answer.text
    house.worker.drain()
    assert [mail.kind.value for mail in house.mails()] == ["acknowledgement"]


def test_what_the_description_shows_as_an_example_is_taken(api: TestClient) -> None:
    body = api.get("/v1/openapi.json").json()["paths"]["/v1/requests"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]

    answer = api.post("/v1/requests", json={**example, "controller": NORWAY})

    assert answer.status_code == 201, answer.text


def test_the_clock_starts_on_the_day_it_arrived_and_that_is_proven(
    house: House, api: TestClient
) -> None:
    """EDPB Guidelines 01/2022, 159: receipt is arrival at the controller, not awareness of it."""
    at = datetime.now(UTC) - timedelta(days=9)

    problem(asked_on(api, at), 422)
    answer = asked_on(api, at, backdated=WHY)

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert {one["received_on"] for one in shown["requests"]} == {
        str(house.case(UUID(shown["case_id"])).received_at.astimezone().date())
    }
    receipt = api.get(f"/v1/cases/{shown['case_id']}/receipt").json()
    assert receipt["source"] == "stated"
    assert (receipt["backdated_because"], receipt["backdated_by"]) == (WHY["reason"], "ola")
    assert (receipt["said_by"], receipt["evidence"]) == (WHY["said_by"], WHY["evidence"])
    rows = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"tray" not in row["state"] and b"Vidar" not in row["state"] for row in rows)


def test_an_hour_earlier_the_same_day_moves_nothing(house: House, api: TestClient) -> None:
    first = house.installation.clock()
    answer = asked_on(api, first - timedelta(seconds=1))

    assert answer.status_code in {201, 422}  # 422 in the first second of a civil day
    problem(asked_on(api, first + timedelta(minutes=5)), 422)


@pytest.mark.parametrize(
    "at", ["2017-12-31T23:00:00Z", "2141-01-01T00:00:00Z", "2026-11-02T09:00:00", "0001-01-01"]
)
def test_a_receipt_lies_within_the_calendar(api: TestClient, at: str) -> None:
    problem(api.post("/v1/requests", json={**ASKED, "received_at": at, "backdated": WHY}), 422)
    note = {"channel": "post", "text": "Et brev.", "received_at": at}
    problem(api.post("/v1/cases", json={"controller": NORWAY, **note}), 422)


def test_a_reason_is_a_code(house: House, api: TestClient) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    before = house.events()

    problem(asked_on(api, at, backdated={**WHY, "reason": f"wrote from {KARI}"}), 422)
    assert house.events() == before


def test_a_request_is_taken_though_another_master_key_is_in_force_by_now(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Art. 32: what a process sealed with yesterday's key is sealed anew, and nobody notices."""
    yesterdays = MasterKey(secrets.token_bytes(32))
    monkeypatch.setattr(house.installation.vault, "_master", yesterdays)

    answer = asked_on(api, None)

    assert answer.status_code == 201
    (key,) = house.installation.database.fetch(
        "SELECT master_key_id FROM trettio.vault_keys WHERE case_id = %s",
        [answer.json()["case_id"]],
    )
    assert key["master_key_id"] != yesterdays.id


# Numbers of other systems


def test_another_systems_number_finds_the_case_and_stands_for_one(
    house: House, api: TestClient
) -> None:
    case_id = asked_on(api, None, external_number="Testesen-1985/4").json()["case_id"]

    found = {"controller": NORWAY, "external_number": " Testesen-1985/4 "}
    (shown,) = api.post("/v1/cases/find", json=found).json()
    assert shown["case_id"] == case_id
    assert api.post("/v1/cases/find", json={**found, "external_number": "5"}).json() == []
    assert api.get(f"/v1/cases/{case_id}/receipt").json()["external_number"] == "Testesen-1985/4"
    taken = problem(asked_on(api, None, external_number="Testesen-1985/4"), 409)
    assert shown["reference"] in taken["detail"]
    elsewhere = {"controller": SWEDEN, "external_number": "Testesen-1985/4"}
    assert asked_on(api, None, **elsewhere).status_code == 201


def test_of_two_who_bring_the_same_number_at_once_one_is_told(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the look before the save came too early, the save itself says no."""
    assert asked_on(api, None, external_number="7").status_code == 201
    before = house.events()
    monkeypatch.setattr(PostgresExternalNumbers, "case_of", lambda *_: None)

    problem(asked_on(api, None, external_number="7"), 409)
    assert house.events() == before


def test_a_number_is_personal_data_and_goes_with_the_correspondence(
    house: House, api: TestClient
) -> None:
    case_id = UUID(asked_on(api, None, external_number="Testesen-1985").json()["case_id"])
    (row,) = house.installation.database.fetch(
        "SELECT n::text AS all FROM trettio.external_numbers AS n"
    )
    assert "1985" not in row["all"]

    house.installation.vault.destroy(case_id, Compartment.CORRESPONDENCE)

    found = {"controller": NORWAY, "external_number": "Testesen-1985"}
    assert api.post("/v1/cases/find", json=found).json() == []
    problem(api.get(f"/v1/cases/{case_id}/receipt"), 410)


# Pages


def pages(api: TestClient, address: str) -> list[list[Any]]:
    """Every page of a list, following `Link` as a client does."""
    found = []
    while True:
        answer = api.get(address)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append(body["items"] if isinstance(body, dict) else body)
        if "link" not in answer.headers:
            return found
        address = answer.links["next"]["url"]


def test_every_list_leads_through_everything_once(house: House, api: TestClient) -> None:
    for number in range(3):
        received(house, f"Hei {number}")
        confirmed(house, Right.ACCESS, text=f"Innsyn {number}")
    case_id = collected(house, Right.ACCESS, text="Alt")
    request_id = house.case(case_id).request_id(Right.ACCESS)
    house.work()

    for address in (
        "/v1/requests",
        f"/v1/requests?controller={NORWAY}&turn=handler",
        "/v1/cases",
        f"/v1/cases/{case_id}/related",
        f"/v1/cases/{case_id}/messages",
        f"/v1/requests/{request_id}/systems",
        f"/v1/requests/{request_id}/records",
        f"/v1/requests/{request_id}/decisions",
        "/v1/controllers",
        f"/v1/controllers/{NORWAY}/findings",
        "/v1/tasks/parked",
    ):
        (everything,) = pages(api, address)
        glue = "&" if "?" in address else "?"
        paged = pages(api, f"{address}{glue}limit=1")
        assert [one for page in paged for one in page] == everything, address
        assert all(len(page) == 1 for page in paged[:-1])
        problem(api.get(f"{address}{glue}limit=501"), 422)
        problem(api.get(f"{address}{glue}limit=0"), 422)


def test_a_cursor_is_good_for_its_own_list_only(house: House, api: TestClient) -> None:
    for number in range(3):
        confirmed(house, Right.ACCESS, text=f"Innsyn {number}")
    house.work()
    cursor = api.get(f"/v1/requests?controller={NORWAY}&limit=1").json()["next"]

    mine = f"/v1/requests?controller={NORWAY}&after="
    assert api.get(mine + cursor).status_code == 200
    for number in range(len(cursor)):
        other = "A" if cursor[number] != "A" else "B"
        problem(api.get(f"{mine}{cursor[:number]}{other}{cursor[number + 1 :]}"), 400)
    for wrong in ("", "x", "*", "ø", cursor[:-1], cursor + "A", "A" * 900):
        problem(api.get(mine + wrong), 400)
    for elsewhere in ("/v1/requests?after=", "/v1/cases?after=", f"{mine[:-6]}turn=handler&after="):
        problem(api.get(elsewhere + cursor), 400)


def test_a_list_goes_on_where_it_was_though_the_last_entry_has_left_it(
    house: House, api: TestClient
) -> None:
    cases = [confirmed(house, Right.ACCESS, text=f"Innsyn {number}") for number in range(3)]
    house.work()
    first = api.get("/v1/requests?limit=1").json()
    house.installation.refusing.withdraw(UUID(first["items"][0]["request_id"]), by="ola")
    house.work()

    rest = api.get(f"/v1/requests?after={first['next']}").json()["items"]
    assert len(rest) == len(cases) - 1


# The past


def test_a_case_is_shown_as_it_was_known(house: House, api: TestClient) -> None:
    case_id = received(house)
    (row,) = house.installation.database.fetch("SELECT clock_timestamp() AS now")
    then = row["now"].isoformat()
    api.post(f"/v1/cases/{case_id}/confirm", json={"rights": ["access"], "language": "nb"})

    def at(moment: str) -> Any:
        return api.get(f"/v1/cases/{case_id}", params={"as_of": moment})

    assert at(then).json()["status"] == "waiting"
    assert at(then).json()["requests"] == []
    assert "etag" not in at(then).headers
    assert len(api.get(f"/v1/cases/{case_id}").json()["requests"]) == 1
    problem(at("2020-01-01T00:00:00Z"), 404)
    problem(at("2099-01-01T00:00:00Z"), 400)
    problem(at("2026-11-22T10:00:00"), 422)
    problem(at("yesterday"), 422)


# Exports


def test_a_case_is_exported_with_every_event_and_without_personal_data(
    house: House, api: TestClient, call: Any
) -> None:
    case_id = collected(house, Right.ERASURE)
    request_id = house.case(case_id).request_id(Right.ERASURE)
    house.installation.deciding.approve(request_id, by="ola", considered=True)
    reader = call(Scope.READ)
    address = f"/v1/cases/{case_id}/export"
    assert reader.get(address).status_code == 200  # a look itself, and on record before it begins
    (row,) = house.installation.database.fetch(
        "SELECT count(*) FROM trettio.log WHERE topic NOT LIKE 'controller.%'"
    )

    lines = reader.get(address).text.splitlines()
    document = reader.get(f"{address}?format=json").json()

    assert KARI not in "".join(lines)
    assert len(lines) == row["count"] + 2
    assert lines[-1] == f'{{"end": {row["count"] + 1}}}'
    assert len(document["events"]) == row["count"]
    assert document["case"]["case_id"] == str(case_id)
    problem(reader.get(f"{address}?content=true"), 403)
    whole = api.get(f"{address}?content=true").text
    assert KARI in whole
    problem(call(controllers=(SWEDEN,)).get(address), 404)


def test_what_was_destroyed_is_exported_as_such(house: House, api: TestClient) -> None:
    case_id = received(house)
    house.installation.vault.destroy(case_id, Compartment.CORRESPONDENCE)

    assert '"erased":true' in api.get(f"/v1/cases/{case_id}/export?content=true").text


def test_the_list_is_exported_as_csv_and_ndjson(
    house: House, api: TestClient, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.inbound.api.export.PAGE", 2)
    for number in range(5):
        confirmed(house, Right.ACCESS, text=f"Innsyn {number}")
    house.work()

    lines = api.get("/v1/export/requests").text.splitlines()
    assert lines[-1] == '{"end": 5}'
    table = api.get("/v1/export/requests?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    head, *rows = table.text.splitlines()
    assert head.startswith("request_id,case_id,reference,controller,right,status,target_due")
    assert len(rows) == 5
    assert rows == sorted(rows)
    assert len(api.get("/v1/export/requests?closed=false").text.splitlines()) == 6
    assert call(controllers=(SWEDEN,)).get("/v1/export/requests").text == '{"end": 0}\n'
