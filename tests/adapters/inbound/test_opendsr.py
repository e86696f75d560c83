"""A controller's requests at a processor that speaks OpenDSR 2.0: found, erased, and looked again.

Art. 28(3)(e), (h): the processor assists and shows; that it says so is not yet proof.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.outbound.opendsr.messages import request_id
from adapters.settings import secret_variable
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Outcome, Right
from tests.support.asking import Clock, approve, asked, hurry, look_everywhere, plan, verified
from tests.support.authority import Authority, Issued
from tests.support.house import KARI, NORWAY, House, open_house
from tests.support.opendsr import HOST, TOKEN, OpenDsrProcessor
from tests.support.problems import problem
from tests.support.told import MAILING, tell


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue(HOST)


@pytest.fixture
def processor(issued: Issued, tmp_path: Path) -> Iterator[OpenDsrProcessor]:
    with OpenDsrProcessor(issued, tmp_path).running() as running:
        running.url = f"https://127.0.0.1:{running.port}"
        running.people[KARI] = [{"id": "a-1", "kind": "member", "city": "Gjøvik"}]
        yield running


@pytest.fixture
def house(
    database_url: str,
    tmp_path: Path,
    authority: Authority,
    processor: OpenDsrProcessor,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    options = {"url": processor.url, "domain": HOST, "token": TOKEN, "ca": authority.pem}
    for name, value in options.items():
        monkeypatch.setenv(secret_variable(NORWAY, MAILING, name), value)
    allowed = f"127.0.0.1:{processor.port}"
    more = {"webhook_allow": allowed, "public_url": "https://trettio.example"}
    with open_house(database_url, tmp_path, clock=Clock(), **more) as opened:
        tell(opened, "opendsr")
        yield opened


def let_it_work(house: House, processor: OpenDsrProcessor) -> None:
    processor.work()
    hurry(house, destroying=False)


def state(house: House, case_id: UUID) -> Any:
    return plan(house, case_id, Right.ERASURE).systems[MAILING]


def erasing(house: House, processor: OpenDsrProcessor) -> UUID:
    case_id = verified(house, Right.ERASURE)
    let_it_work(house, processor)
    assert state(house, case_id).status is SystemStatus.FOUND
    look_everywhere(house, case_id, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    return case_id


def kinds(processor: OpenDsrProcessor) -> list[str]:
    return [one["kind"] for one in processor.requests.values()]


def test_found_erased_and_proven_by_asking_again(house: House, processor: OpenDsrProcessor) -> None:
    case_id = erasing(house, processor)
    assert kinds(processor) == ["access", "erasure"]
    processor.work()
    hurry(house, destroying=False)

    assert processor.people == {}
    assert kinds(processor) == ["access", "erasure", "access"]
    told = [one for r in processor.requests.values() for one in r["asked"]["subject_identities"]]
    assert {one["identity_format"] for one in told} == {"sha256"}, "no more than is enough"
    assert all(KARI.encode() not in body for _, _, body in processor.asked)
    assert state(house, case_id).status is SystemStatus.TREATED, "its word is not yet proof"
    let_it_work(house, processor)

    request = asked(house, case_id, Right.ERASURE)
    assert request.status is Status.CLOSED
    assert [one.outcome for one in request.outcomes] == [Outcome.ERASED]


def test_a_processor_that_says_completed_and_erased_nothing_is_found_out(
    house: House, processor: OpenDsrProcessor
) -> None:
    processor.erases = False
    case_id = erasing(house, processor)
    for _ in range(2):
        let_it_work(house, processor)

    assert state(house, case_id).status is SystemStatus.WAITING_FOR_PERSON
    assert asked(house, case_id, Right.ERASURE).status is not Status.CLOSED


def test_one_that_cannot_be_asked_again_is_for_a_person_to_vouch_for(
    house: House, processor: OpenDsrProcessor
) -> None:
    case_id = erasing(house, processor)
    processor.kinds = ["erasure"]
    house.installation.calling.processors._made.clear()
    let_it_work(house, processor)

    assert kinds(processor) == ["access", "erasure"]
    waiting = state(house, case_id)
    assert waiting.status is SystemStatus.WAITING_FOR_PERSON
    assert asked(house, case_id, Right.ERASURE).status is not Status.CLOSED


def test_who_accepts_nothing_that_was_proven_is_told_nothing(
    house: House, processor: OpenDsrProcessor
) -> None:
    processor.formats = []
    case_id = verified(house, Right.ERASURE)

    assert processor.requests == {}
    assert state(house, case_id).status is SystemStatus.WAITING_FOR_PERSON


def test_a_lost_reply_and_a_processor_that_is_away_place_one_request(
    house: House, processor: OpenDsrProcessor
) -> None:
    processor.loses_replies = 1
    verified(house, Right.ERASURE)
    hurry(house, destroying=False)

    assert len(processor.requests) == 1
    found = house.installation.calling.deliveries.of_system(NORWAY, MAILING)
    assert [one.code for one in reversed(found)] == ["no-answer", "delivered"]


def test_what_is_cancelled_or_cannot_be_read_is_for_a_person(
    house: House, processor: OpenDsrProcessor
) -> None:
    cancelled = verified(house, Right.ERASURE)
    for request in processor.requests.values():
        request["request_status"] = "cancelled"
    hurry(house, destroying=False)
    processor.says["/requests/{id}"] = {"results_url": None, "results_count": None}
    unreadable = verified(house, Right.ERASURE, text="Hei igjen")
    let_it_work(house, processor)

    for case_id in (cancelled, unreadable):
        assert state(house, case_id).status is SystemStatus.WAITING_FOR_PERSON


def test_what_nobody_waits_for_any_more_is_taken_back(
    house: House, processor: OpenDsrProcessor
) -> None:
    verified(house, Right.ERASURE)
    ((name, request),) = processor.requests.items()
    (line,) = house.installation.instructions.open_of(NORWAY, MAILING, after=None, limit=9)
    assert name == str(request_id(line.id))
    instruction = house.installation.register.instruction(line.id)
    instruction.end(reason="not-wanted-any-more", at=house.installation.clock())
    house.installation.register.save_all([instruction], [])

    hurry(house, destroying=False)

    assert request["request_status"] == "cancelled"


def test_a_signed_callback_has_the_news_asked_for_at_once(
    house: House, processor: OpenDsrProcessor, authority: Authority
) -> None:
    case_id = verified(house, Right.ERASURE)
    ((name, request),) = processor.requests.items()
    (address,) = request["asked"]["status_callback_urls"]
    assert address.startswith("https://trettio.example/v1/opendsr/callbacks/")
    path = address.removeprefix("https://trettio.example")
    processor.work()
    house.worker.drain()
    assert state(house, case_id).status is SystemStatus.ASKED
    body = json.dumps(processor.progress(name)).encode()

    forged = processor.signed(body) | {"X-OpenDSR-Signature": "bm8="}
    for headers in ({}, forged, processor.signed(body + b" ")):
        problem(house.client.post(path, content=body, headers=headers), 403)
    nobodys = "/v1/opendsr/callbacks/5b0f3f0e-6f5b-4d53-9a39-0b8e8cbb5f2e"
    problem(house.client.post(nobodys, content=body, headers=processor.signed(body)), 403)
    junk = b'{"request_status": "perhaps"}'
    problem(house.client.post(path, content=junk, headers=processor.signed(junk)), 422)
    house.worker.drain()
    assert state(house, case_id).status is SystemStatus.ASKED

    for _ in range(2):
        taken = house.client.post(path, content=body, headers=processor.signed(body))
        assert taken.status_code == 202
    house.worker.drain()
    assert state(house, case_id).status is SystemStatus.FOUND
