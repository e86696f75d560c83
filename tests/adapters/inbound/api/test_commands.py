"""A command sent twice has one effect; one meant for another state has none (Art. 5(1)(d))."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi.testclient import TestClient

from adapters.outbound.database import Database
from adapters.outbound.wire import Wire
from domain.vocabulary import IdentityMethod, Right
from tests.support.asking import asked, collected, confirmed, received
from tests.support.house import KARI, NORWAY, House
from tests.support.killed_command import KILLED
from tests.support.problems import problem

ASKED = {
    "controller": NORWAY,
    "rights": ["access"],
    "identifiers": [{"kind": "email", "value": KARI}],
    "text": "Hei, jeg ber om innsyn.",
}


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def cases(house: House) -> int:
    (row,) = house.installation.database.fetch(
        "SELECT count(*) FROM trettio.log WHERE topic = 'case.arrived'"
    )
    return int(row["count"])


# Idempotency keys


def test_the_same_command_again_is_answered_as_before(house: House, api: TestClient) -> None:
    first = api.post("/v1/requests", json=ASKED, headers=keyed("k-1"))
    house.work()
    house.installation.identity.verify_by_hand(
        UUID(first.json()["case_id"]), method=IdentityMethod.IN_PERSON, by="ola"
    )

    again = api.post("/v1/requests", json=ASKED, headers=keyed("k-1"))
    quoted = api.post("/v1/requests", json=ASKED, headers=keyed('"k-1"'))

    assert first.status_code == 201
    for one in (again, quoted):
        assert (one.status_code, one.content) == (first.status_code, first.content)
        assert one.headers["location"] == first.headers["location"]
        assert one.headers["etag"] == first.headers["etag"]
    assert cases(house) == 1
    assert api.post("/v1/requests", json=ASKED, headers=keyed("k-2")).json() != first.json()
    assert cases(house) == 2


def test_a_key_stands_for_one_command_of_one_token(house: House, api: TestClient) -> None:
    case_id = received(house)
    other = TestClient(
        house.client.app,
        headers={"Authorization": f"Bearer {house.token(NORWAY, staff='liv')}"},
    )
    path = f"/v1/cases/{case_id}/set-aside"
    assert api.post(path, json={"kind": "spam"}, headers=keyed("k")).status_code == 200

    problem(api.post(path, json={"kind": "other"}, headers=keyed("k")), 422)
    elsewhere = f"/v1/cases/{received(house, 'Hei igjen')}/set-aside"
    problem(api.post(elsewhere, json={"kind": "spam"}, headers=keyed("k")), 422)
    problem(other.post(path, json={"kind": "spam"}, headers=keyed("k")), 409)


def test_what_was_refused_is_kept_under_no_key(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    path = f"/v1/requests/{asked(house, case_id, Right.ACCESS).id}/approve"
    before = house.events()

    problem(api.post(path, json={}, headers=keyed("k")), 409)
    problem(api.post(path, json={"considered": True}, headers=keyed("k")), 409)

    assert house.events() == before
    assert house.installation.database.fetch("SELECT FROM trettio.idempotency_keys") == []


@pytest.mark.parametrize("key", ["", " ", "a\tb", 'a"b', "x" * 256, '""'])
def test_a_key_is_a_word(api: TestClient, key: str) -> None:
    answer = api.post("/v1/requests", json=ASKED, headers={b"Idempotency-Key": key.encode()})

    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_nothing_of_what_was_sent_is_kept_with_a_key(house: House, api: TestClient) -> None:
    """Design 5: personal data is in the vault only, and a guess cannot be checked either."""
    api.post("/v1/requests", json=ASKED, headers=keyed("k"))

    (row,) = house.installation.database.fetch(
        "SELECT k::text AS all FROM trettio.idempotency_keys AS k"
    )
    assert KARI not in row["all"]
    assert "innsyn" not in row["all"]


def every_command(house: House) -> list[tuple[str, Any]]:
    """One command of each sort that a fresh house takes."""
    first, second = received(house, "En"), received(house, "To")
    erasure = asked(house, collected(house, Right.ERASURE, text="Tre"), Right.ERASURE)
    access = asked(house, confirmed(house, Right.ACCESS, text="Fire"), Right.ACCESS)
    (finding, *_) = house.installation.controllers.findings(
        NORWAY, house.installation.clock().date()
    )
    note = {"channel": "phone", "received_at": "2026-11-02T09:00:00Z", "text": "Ringte."}
    return [
        ("/v1/requests", ASKED),
        ("/v1/cases", {"controller": NORWAY, **note}),
        (f"/v1/cases/{first}/confirm", {"rights": ["access"], "language": "nb"}),
        (f"/v1/cases/{second}/set-aside", {"kind": "spam"}),
        (f"/v1/cases/{access.case_id}/identity/ask", {"reason": "unknown-sender"}),
        (f"/v1/cases/{access.case_id}/identity/code", {"code": "00000000"}),
        (f"/v1/cases/{access.case_id}/identity/verified", {"method": "in-person"}),
        (f"/v1/requests/{erasure.id}/approve", {"considered": True}),
        (f"/v1/requests/{access.id}/withdraw", None),
        (f"/v1/controllers/{NORWAY}/findings/{finding.code}/decide", {"decision": "Sett på."}),
    ]


def test_every_sort_of_command_is_carried_out_once(house: House, api: TestClient) -> None:
    for number, (path, body) in enumerate(every_command(house)):
        answers, events = [], []
        for _ in range(2):
            answers.append(api.post(path, json=body, headers=keyed(f"k-{number}")))
            events.append(house.events())
        assert answers[0].is_success, (path, answers[0].text)
        assert answers[1].content == answers[0].content, path
        assert events[1] == events[0], path


def test_a_message_and_a_released_task_are_taken_once(house: House, api: TestClient) -> None:
    raw = b"From: k@person.example\r\nSubject: Innsyn\r\n\r\nJeg ber om innsyn.\r\n"
    path, headers = f"/v1/inbox?controller={NORWAY}", {"Content-Type": "message/rfc822"}
    mails = [api.post(path, content=raw, headers={**headers, **keyed("m")}) for _ in range(2)]
    assert mails[0].status_code == 201
    assert mails[1].content == mails[0].content

    confirmed(house, Right.ACCESS)
    database = house.installation.database
    database.fetch("UPDATE trettio.tasks SET parked_at = now(), reason = 'x', done_at = NULL")
    (task,) = api.get("/v1/tasks/parked").json()
    answers = [
        api.post("/v1/tasks/release", json={"key": task["key"]}, headers=keyed("t"))
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() == []
    assert api.get("/v1/tasks/parked").json() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_in_between_the_effect_exists_once(
    house: House, api: TestClient, tmp_path: Path, moment: str
) -> None:
    """A process of its own, killed at the commit: the key and its effect are one transaction."""
    url, token = house.installation.database.url, api.headers["Authorization"]
    sent = [sys.executable, "-m", "tests.support.killed_command"]
    killed = subprocess.run(
        [*sent, url, str(tmp_path), token, moment, json.dumps(ASKED)], timeout=60, check=False
    )
    assert killed.returncode == KILLED
    assert cases(house) == (1 if moment == "after" else 0)

    answers = [api.post("/v1/requests", json=ASKED, headers=keyed("k")) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert cases(house) == 1
    assert house.case(UUID(answers[0].json()["case_id"])).request_ids


def test_many_at_once_are_one(house: House, api: TestClient) -> None:
    together = Barrier(8)

    def send(_: int) -> Any:
        together.wait()
        return api.post("/v1/requests", json=ASKED, headers=keyed("k"))

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))

    taken = [one for one in answers if one.status_code == 201]
    busy = [one for one in answers if one.status_code == 409]
    assert len(taken) + len(busy) == 8
    assert taken
    assert len({one.content for one in taken}) == 1
    assert all(one.headers["retry-after"] == "1" for one in busy)
    assert cases(house) == 1


def test_whoever_comes_in_between_is_told_to_wait(house: House, api: TestClient) -> None:
    """The lock is the database's: it holds between processes and goes with whoever is killed."""
    other = Database(house.installation.database.url)
    bearer = house.installation.tokens.bearer(api.headers["Authorization"].split()[1])
    assert bearer is not None
    name = f"{bearer.id}/k"

    with other:
        other.fetch("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        answer = api.post("/v1/requests", json=ASKED, headers=keyed("k"))
        problem(answer, 409)
        assert answer.headers["retry-after"] == "1"
        assert cases(house) == 0

    assert api.post("/v1/requests", json=ASKED, headers=keyed("k")).status_code == 201


# When the database is away


def full(ask: Any) -> Any:
    """A server whose disk is full at the moment of saving."""

    def refusing(wire: Wire, *questions: Any) -> Any:
        if any("INSERT INTO trettio.log" in sql for sql, _ in questions):
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")
        return ask(wire, *questions)

    return refusing


def test_a_full_disk_leaves_nothing_half_done(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with `Retry-After` from every command that saves; sent again later it is carried out."""
    for number, (path, body) in enumerate(every_command(house)):
        before, headers = house.events(), keyed(f"k-{number}")
        with monkeypatch.context() as patched:
            patched.setattr(Wire, "ask", full(Wire.ask))
            answer = api.post(path, json=body, headers=headers)
        problem(answer, 503)
        assert answer.headers["retry-after"] == "5"
        assert house.events() == before, path
        assert api.post(path, json=body, headers=headers).is_success, path


def test_a_database_that_is_away_answers_nobody_wrongly(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the token is known still or has to be looked up."""
    commands = every_command(house)
    stranger = TestClient(house.client.app, headers={"Authorization": "Bearer trt_unknown"})

    def away(*_: Any) -> None:
        raise psycopg.OperationalError(f"connection failed for {KARI}")

    for name in ("connection", "wire"):
        monkeypatch.setattr(Database, name, property(away))
    for path, body in commands:
        for caller in (api, stranger):
            answer = caller.post(path, json=body, headers=keyed("k"))
            problem(answer, 503)
            assert answer.headers["retry-after"]
            assert KARI not in answer.text
    browser = TestClient(house.client.app, cookies={"trettio-desk": "trt_unknown"})
    page = browser.get("/desk")
    assert page.status_code == 503
    assert page.headers["retry-after"]


# The state that was seen


def test_a_stale_command_has_no_effect(house: House, api: TestClient) -> None:
    case_id = collected(house, Right.ERASURE)
    request_id = asked(house, case_id, Right.ERASURE).id
    tag = api.get(f"/v1/requests/{request_id}").headers["etag"]
    assert api.get(f"/v1/cases/{case_id}").headers["etag"] == tag
    approve, before = f"/v1/requests/{request_id}/approve", house.events()

    for stale in ('"0123"', f"W/{tag}", ""):
        problem(api.post(approve, json={"considered": True}, headers={"If-Match": stale}), 412)
    assert house.events() == before

    answer = api.post(approve, json={"considered": True}, headers={"If-Match": f'"0123", {tag}'})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag
    assert answer.headers["etag"] == api.get(f"/v1/requests/{request_id}").headers["etag"]
    problem(api.post(f"/v1/requests/{request_id}/withdraw", headers={"If-Match": tag}), 412)


def test_what_a_system_answered_is_part_of_the_state(house: House, api: TestClient) -> None:
    case_id = confirmed(house, Right.ACCESS)
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by="ola")
    before = api.get(f"/v1/cases/{case_id}").headers["etag"]
    house.worker.drain()

    assert api.get(f"/v1/cases/{case_id}").headers["etag"] != before


def test_a_repeated_command_is_answered_though_it_is_stale_by_then(
    house: House, api: TestClient
) -> None:
    case_id = received(house)
    tag = api.get(f"/v1/cases/{case_id}").headers["etag"]
    headers = {**keyed("k"), "If-Match": tag}
    path, body = f"/v1/cases/{case_id}/set-aside", {"kind": "spam"}

    first = api.post(path, json=body, headers=headers)
    assert first.status_code == 200
    assert api.post(path, json=body, headers=headers).content == first.content


def test_the_state_holds_at_the_moment_of_saving(
    house: House, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another aggregate of the case moves on after we looked and before we save."""
    case_id = collected(house, Right.ERASURE)
    request_id = asked(house, case_id, Right.ERASURE).id
    tag = api.get(f"/v1/requests/{request_id}").headers["etag"]
    approve = house.installation.deciding.approve
    events: list[int] = []

    def overtaken(*given: Any, **named: Any) -> None:
        case = house.case(case_id)
        case.letter_failed(letter_id=next(iter(case.letters)), reason="x", at=case.arrived_at)
        house.installation.register.recorder.insert_events(
            [
                house.installation.register.mapper.to_stored_event(event)
                for event in case.collect_events()
            ]
        )
        events.append(house.events())
        approve(*given, **named)

    monkeypatch.setattr(house.installation.deciding, "approve", overtaken)
    answer = api.post(
        f"/v1/requests/{request_id}/approve",
        json={"considered": True},
        headers={"If-Match": tag, **keyed("k")},
    )

    problem(answer, 412)
    assert house.events() == events[0]
    assert house.installation.database.fetch("SELECT FROM trettio.idempotency_keys") == []


def test_of_two_who_saw_the_same_state_one_decides(house: House, api: TestClient) -> None:
    for number in range(4):
        case_id = received(house, f"Hei {number}")
        tag = api.get(f"/v1/cases/{case_id}").headers["etag"]
        together = Barrier(2)

        def send(
            kind: str, together: Barrier = together, case_id: Any = case_id, tag: str = tag
        ) -> int:
            together.wait()
            path = f"/v1/cases/{case_id}/set-aside"
            answer = api.post(path, json={"kind": kind}, headers={"If-Match": tag})
            return int(answer.status_code)

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(send, ["spam", "document-access"])) == [200, 412]
