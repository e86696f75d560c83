"""The API translates and nothing more: problems, scopes, bounds; no personal data in addresses."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient

from adapters.inbound import limits
from adapters.outbound.tokens import Scope
from domain.vocabulary import Content, Door, Purpose, Right
from services.ports import AwaitsPerson
from tests.support.asking import (
    Clock,
    approve,
    approved,
    asked,
    collected,
    confirmed,
    received,
    trouble,
    verified,
)
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.web import web

RAW = b"""Received: from a.example by mx.post.example; Fri, 20 Nov 2026 10:00:00 +0100
From: Kari Testesen <kari.testesen@person.example>
To: personvern@fjordscenen.example
Subject: Innsyn
Message-ID: <1@person.example>
Content-Type: text/plain; charset=utf-8

Hei, jeg ber om innsyn i alle opplysninger dere har om meg.
"""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=Clock()) as opened:
        yield opened


def caller(
    house: House, *scopes: Scope, controllers: tuple[str, ...] = (), staff: str = "ola"
) -> TestClient:
    token = house.installation.tokens.create(
        name=f"{staff} {uuid4()}",
        staff_id=staff,
        scopes=frozenset(scopes or Scope),
        controllers=frozenset(controllers),
    )
    return TestClient(
        house.client.app, headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
    )


@pytest.fixture
def api(house: House) -> TestClient:
    return caller(house)


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    return body


# Problems


def test_every_error_is_a_problem(house: House, api: TestClient) -> None:
    """RFC 9457: unknown addresses and methods too."""
    unknown = uuid4()

    problem(api.get("/v1/nothing"), 404)
    problem(api.delete("/v1/inbox"), 405)
    problem(api.get(f"/v1/cases/{unknown}"), 404)
    problem(api.get("/v1/cases/not-an-id"), 422)
    problem(api.post(f"/v1/requests/{unknown}/approve", json={}), 404)
    problem(TestClient(house.client.app).get("/v1/cases"), 401)
    answer = TestClient(house.client.app).get(
        "/v1/cases", headers={"Authorization": "Bearer trt_no"}
    )
    assert answer.headers["www-authenticate"] == "Bearer"
    problem(answer, 401)


def test_a_field_that_nobody_knows_is_refused(house: House, api: TestClient) -> None:
    """A misspelt field that is overlooked is an order that is not carried out."""
    case_id = received(house)

    body = problem(
        api.post(
            f"/v1/cases/{case_id}/confirm",
            json={"rights": ["access"], "language": "nb", "identifers": []},
        ),
        422,
    )
    assert body["errors"] == [{"where": "body.identifers", "reason": "extra_forbidden"}]


def test_a_body_is_of_its_type_and_can_be_read(house: House, api: TestClient) -> None:
    case_id, path = received(house), "/v1/requests"
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    for address in (path, f"/v1/cases/{case_id}/confirm", f"/v1/inbox?controller={NORWAY}"):
        problem(api.post(address, content=b"a=1", headers=form), 415)
    problem(api.post(f"/v1/inbox?controller={NORWAY}", json={}), 415)
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    for broken in (b"{", b"\xff", b"[" * 100_000, b'{"a": 1} x'):
        problem(api.post(path, content=broken, headers=json_type), 400)
    for other in (b"", b"null", b"[]", b'"x"', b'{"rights": NaN}'):
        assert api.post(path, content=other, headers=json_type).status_code in {400, 422}


def test_what_was_sent_is_not_repeated_in_a_problem(house: House, api: TestClient) -> None:
    case_id = received(house)

    answer = api.post(
        f"/v1/cases/{case_id}/confirm",
        json={"rights": [KARI], "language": KARI, "identifiers": [{"kind": KARI, "value": KARI}]},
    )

    problem(answer, 422)
    assert KARI not in answer.text


def test_a_rule_that_says_no_is_a_conflict_with_what_to_do(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    assert (
        "received"
        in problem(api.post(f"/v1/requests/{request_id}/approve", json={}), 409)["detail"]
    )


def test_what_was_destroyed_is_gone(house: House, api: TestClient) -> None:
    from domain.vocabulary import Compartment

    case_id = received(house)
    house.installation.vault.destroy(case_id, Compartment.CORRESPONDENCE)

    problem(api.get(f"/v1/cases/{case_id}/messages"), 410)


def test_a_database_that_is_away_is_no_fault_of_the_caller(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("connection to kari@person.example failed")

    monkeypatch.setattr(house.installation.register, "case", away)

    answer = api.get(f"/v1/cases/{uuid4()}")
    problem(answer, 503)
    assert answer.headers["retry-after"]
    assert KARI not in answer.text


def test_a_bug_says_nothing_of_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(KARI)

    quiet = TestClient(
        web(house.installation),
        raise_server_exceptions=False,
        headers=dict(caller(house).headers),
    )
    monkeypatch.setattr(house.installation.register, "case", broken)

    answer = quiet.get(f"/v1/cases/{uuid4()}")
    problem(answer, 500)
    assert KARI not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_largest_size(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(limits, "LARGEST_BODY", 1_000)
    pieces = (b"x" * 100 for _ in range(20))

    answer = api.post("/v1/cases", content=pieces if chunked else b"x" * 2_000)

    assert "at most 1000 bytes" in problem(answer, 413)["detail"]


# Scopes and controllers


def test_a_token_does_what_its_scopes_say(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    reader, inbox = caller(house, Scope.READ), caller(house, Scope.INBOX)

    assert reader.get(f"/v1/requests/{request_id}").status_code == 200
    problem(reader.get(f"/v1/requests/{request_id}/records"), 403)
    problem(reader.get(f"/v1/cases/{case_id}/messages"), 403)
    problem(reader.post(f"/v1/requests/{request_id}/approve", json={}), 403)
    problem(inbox.get(f"/v1/requests/{request_id}"), 403)
    problem(caller(house, Scope.DESK).get("/v1/tasks/parked"), 403)


def test_nothing_leaks_from_one_controller_to_another(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.work()
    swedish = caller(house, controllers=(SWEDEN,))

    for path in (
        f"/v1/cases/{case_id}",
        f"/v1/cases/{case_id}/messages",
        f"/v1/cases/{case_id}/related",
        f"/v1/requests/{request_id}",
        f"/v1/requests/{request_id}/records",
        f"/v1/requests/{request_id}/package",
        f"/v1/requests?controller={NORWAY}",
        f"/v1/cases?controller={NORWAY}",
        f"/v1/controllers/{NORWAY}/findings",
    ):
        problem(swedish.get(path), 404)
    assert swedish.get("/v1/requests").json() == {"items": [], "next": None}
    assert [one["name"] for one in swedish.get("/v1/controllers").json()] == [SWEDEN]
    problem(swedish.get(f"/v1/requests?after={request_id}"), 400)


# The way through


def test_a_raw_message_becomes_a_case_once(api: TestClient) -> None:
    headers = {"Content-Type": "message/rfc822"}

    first = api.post(f"/v1/inbox?controller={NORWAY}", content=RAW, headers=headers)
    again = api.post(f"/v1/inbox?controller={NORWAY}", content=RAW, headers=headers)

    assert first.status_code == 201
    assert first.json()["rights"] == ["access"]
    assert again.json() == first.json()
    problem(api.post(f"/v1/inbox?controller={NORWAY}", content=b"%PDF-", headers=headers), 422)


def test_the_lists_page_through_everything_once(house: House, api: TestClient) -> None:
    for number in range(5):
        confirmed(house, Right.ACCESS, text=f"Hei {number}")
    waiting = received(house, "Venter")
    house.work()

    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get(f"/v1/requests?controller={NORWAY}&limit=2{cursor}").json()
        seen += [one["request_id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5

    (message,) = api.get("/v1/cases").json()
    assert message["case_id"] == str(waiting)
    assert KARI not in str(message)
    problem(api.get("/v1/requests?turn=nobody"), 422)


def test_the_request_is_shown_as_it_was_known(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    (row,) = house.installation.database.fetch("SELECT clock_timestamp() AS now")
    house.installation.refusing.withdraw(request_id, by="ola")

    then = api.get(f"/v1/requests/{request_id}", params={"as_of": row["now"].isoformat()})
    assert then.json()["status"] == "received"
    assert api.get(f"/v1/requests/{request_id}").json()["status"] == "closed"
    problem(api.get(f"/v1/requests/{request_id}?as_of=2020-01-01T00:00:00Z"), 404)


def test_what_a_person_found_is_strong_by_a_verified_identifier_only(
    house: House, api: TestClient
) -> None:
    case_id = verified(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    kind = house.installation.controllers.in_force(NORWAY).system("web").holdings[0].kind
    by_address = {"kind": kind, "key": "1", "fields": {"ip": "192.0.2.1"}}
    by_name = {**by_address, "key": "2", "matched_by": "name"}

    answer = api.post(
        f"/v1/requests/{request_id}/systems/web/answer",
        json={"found": [by_address, by_name], "reason": "searched-the-log"},
    )

    assert answer.status_code == 200, answer.text
    found = house.installation.register.fulfilment(request_id).systems["web"].found
    assert [one.match.value for one in found] == ["verified-identifier", "same-name"]


def test_what_was_kept_by_hand_reaches_the_letter(house: House, api: TestClient) -> None:
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    mailing.troubles.append(AwaitsPerson("erase-by-hand"))
    approve(house, case_id, Right.ERASURE)
    request = asked(house, case_id, Right.ERASURE)
    kept = {
        "record_id": str(request.own_records[0].record_id),
        "outcome": "kept",
        "ground": "no.bokforing.primary",
        "until": "2031-12-31",
        "reason": "Bilaget ligger i regnskapet.",
    }

    answer = api.post(
        f"/v1/requests/{request.id}/systems/mailing/answer",
        json={"erased": [kept], "looked_again": True},
    )
    assert answer.status_code == 200, answer.text
    house.worker.drain()

    letter = " ".join(house.mails()[-1].text.split())
    assert "Bilaget ligger i regnskapet." in letter
    assert "31. desember 2031" in letter


def test_two_people_refuse_with_two_tokens(house: House, api: TestClient) -> None:
    """Art. 12(5): who confirms is known by their own token; a name that is typed is nobody."""
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    form = {
        "ground": "excessive",
        "law": "harassment",
        "words": "Sju brev på en uke, alle med hån.",
    }
    path = f"/v1/requests/{request_id}"

    def confirmed_with(token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return api.post(f"{path}/refusal/confirm", json={}, headers=headers)

    problem(api.post(f"{path}/refuse", json=form), 422)
    proven = {**form, "proof": "Seks brev i arkivet."}
    assert api.post(f"{path}/refuse", json=proven).status_code == 202
    assert api.get(f"{path}/refusal").json()["standing"] == "proposed"
    problem(api.post(f"{path}/refusal/confirm", json={}), 422)
    problem(confirmed_with(house.token(SWEDEN, staff="eva")), 404)
    problem(confirmed_with("liv"), 401)
    assert api.get(path).json()["status"] == "collected"
    assert confirmed_with(house.token(staff="liv")).status_code == 202
    house.worker.drain()
    assert api.get(path).json()["status"] == "closed"


def test_the_copy_can_be_printed_and_the_answer_sent_again(house: House, api: TestClient) -> None:
    case_id = approved(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)

    package = api.get(f"/v1/requests/{request.id}/package")
    assert zipfile.ZipFile(io.BytesIO(package.content)).namelist()
    assert package.headers["cache-control"] == "no-store"

    problem(api.post(f"/v1/requests/{request.id}/answer-again", json={}), 409)
    request.fail_delivery(reason="bounced", at=house.installation.clock())
    house.installation.register.save_all([request])
    assert api.post(f"/v1/requests/{request.id}/answer-again", json={}).status_code == 202


def test_content_is_shown_for_a_purpose_and_the_look_is_an_event(
    house: House, api: TestClient
) -> None:
    """MU-22, AK-25: who looked, at which case, for what; never what was seen."""
    case_id = approved(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    letter_id = next(iter(house.case(case_id).letters))
    looking = house.installation.looking
    requests = (
        *("records", "claims", "package", "covered", "consultations"),
        *("decisions", "refusal", "wish"),
    )
    cases = ("messages", "receipt", "recipients", "disclosures", "representation", "elsewhere")
    for path in (
        *(f"/v1/requests/{request_id}/{one}" for one in requests),
        *(f"/v1/cases/{case_id}/{one}" for one in cases),
        f"/v1/cases/{case_id}/letters/{letter_id}/pdf",
        f"/v1/cases/{case_id}/export",
    ):
        api.headers.pop("X-Purpose", None)
        before = looking.at_case(case_id)
        assert "X-Purpose" in problem(api.get(path), 422)["detail"]
        problem(api.get(f"{path}?purpose=curiosity"), 422)
        assert looking.at_case(case_id) == before
        api.headers["X-Purpose"] = "review"
        assert api.get(path).status_code == 200, path
        assert api.get(f"{path}?purpose=complaint").status_code == 200, path
    looks = looking.at_case(case_id)
    assert {one.purpose for one in looks} >= {Purpose.REVIEW, Purpose.COMPLAINT}
    reviewed = [one for one in looks if one.purpose is Purpose.REVIEW]
    assert {(one.staff_id, one.way) for one in reviewed} == {("ola", Door.API)}
    assert {kind for one in reviewed for kind in one.what} >= {
        *(Content.PERSON, Content.MESSAGE, Content.LETTER),
        *(Content.RECORD, Content.PACKAGE, Content.NOTE),
    }
    export = api.get(f"/v1/cases/{case_id}/export").text
    exported = [json.loads(one) for one in export.split("\n") if one]
    assert len([one for one in exported if one.get("event") == "looks.shown"]) == len(looks)


def test_messages_of_a_case_and_cases_of_a_person_are_found(house: House, api: TestClient) -> None:
    first = confirmed(house, Right.ACCESS, text="Jeg vil ha innsyn")
    second = confirmed(house, Right.ACCESS, text="Hei igjen")

    (message,) = api.get(f"/v1/cases/{first}/messages").json()
    assert message["text"] == "Jeg vil ha innsyn"
    (related,) = api.get(f"/v1/cases/{second}/related").json()
    assert UUID(related["case_id"]) == first
    assert KARI not in str(related)


def test_findings_are_decided_by_those_who_may(house: House, api: TestClient) -> None:
    found = api.get(f"/v1/controllers/{NORWAY}/findings").json()
    assert found
    code = found[0]["code"]
    path = f"/v1/controllers/{NORWAY}/findings/{code}/decide"

    problem(caller(house, Scope.DESK).post(path, json={"decision": "Sett på."}), 403)
    left = api.post(path, json={"decision": "Sett på."}).json()

    assert code not in {one["code"] for one in left}
    problem(
        api.post(f"/v1/controllers/{NORWAY}/findings/no-such/decide", json={"decision": "x"}), 422
    )


def test_health_says_how_far_everything_is(house: House) -> None:
    received(house)
    client = TestClient(house.client.app)

    lagging = client.get("/health").json()
    assert lagging["status"] == "ok"
    assert all(view["behind"] > 0 for view in lagging["views"])
    house.work()
    assert all(view["behind"] == 0 for view in client.get("/health").json()["views"])


def test_parked_work_is_seen_and_released(house: House, api: TestClient) -> None:
    confirmed(house, Right.ACCESS)
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET parked_at = now(), reason = 'KeyError', done_at = NULL"
    )
    house_health = TestClient(house.client.app).get("/health").json()
    assert house_health["parked_tasks"] == 1

    (one,) = api.get("/v1/tasks/parked").json()
    assert one["reason"] == "KeyError"
    assert caller(house, controllers=(SWEDEN,)).get("/v1/tasks/parked").json() == []
    assert api.post("/v1/tasks/release", json={"key": one["key"]}).json() == []
    problem(api.post("/v1/tasks/release", json={"key": one["key"]}), 404)


def test_no_address_takes_personal_data(house: House) -> None:
    """Design 5: personal data travels in bodies; addresses are logged by everybody on the way."""
    schema = house.client.get("/v1/openapi.json").json()
    telling = re.compile(r"name$|mail|phone|person|address|search|^q$")

    parameters = {
        (path, parameter["name"])
        for path, methods in schema["paths"].items()
        for method in methods.values()
        for parameter in method.get("parameters", ())
        if parameter["in"] in {"path", "query"}
    }
    told = {(path, name) for path, name in parameters if telling.search(name)}
    assert {path.split("{name}")[0] for path, _ in told} <= {"/v1/controllers/"}
