"""A running process that lacks the key in force loses nothing: it says so, and goes on with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from adapters.outbound.master_keys import MasterKey, MasterKeys, keep_master_key, load_master_keys
from adapters.outbound.rotation import put_in_force, rewrap
from adapters.outbound.sealing import Ring
from adapters.outbound.tokens import Scope
from domain.request import Status
from domain.vocabulary import IdentifierKind, Language, Right
from services.ports import Identifier
from services.worker import MOST_SURPRISES
from tests.support.asking import asked, received
from tests.support.house import KARI, NORWAY, House, open_house

MAIL = b"""Received: from a.example by mx.post.example; Fri, 20 Nov 2026 10:00:00 +0100
From: Kari Testesen <kari.testesen@person.example>
Subject: Innsyn
Message-ID: <1@person.example>

Jeg ber om innsyn i alle opplysninger dere har om meg.
"""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def test_without_the_key_nothing_is_lost_and_with_it_everything_goes_on(
    house: House, tmp_path: Path
) -> None:
    """Art. 32(1)(b): 503 to callers, work put off and never parked, until the key file has it."""
    case_id = received(house)
    house.installation.intake.confirm(
        case_id,
        rights=(Right.OBJECTION_TO_MARKETING,),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
        by="ola",
    )
    key_file, new = tmp_path / "master.key", MasterKey(os.urandom(32))
    ring = Ring(MasterKeys(new, (load_master_keys(path=key_file).current,)))
    database = house.installation.database
    put_in_force(database, ring, new)
    rewrap(database, ring)

    answer = _hand_in(house)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "key" in answer.json()["detail"]
    for _ in range(MOST_SURPRISES + 2):
        house.worker.drain()
        database.fetch("UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE done_at IS NULL")
    waiting = database.fetch("SELECT reason, parked_at FROM trettio.tasks WHERE done_at IS NULL")
    assert {(row["reason"], row["parked_at"]) for row in waiting} == {("master-key", None)}

    keep_master_key(key_file, new)
    house.work()
    assert asked(house, case_id, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED
    assert _hand_in(house).status_code in {200, 201}


def _hand_in(house: House) -> Response:
    """A mail of somebody else: it needs a compartment that is not there yet."""
    token = house.installation.tokens.create(
        name="gateway", staff_id="gateway", scopes=frozenset({Scope.INBOX}), controllers=frozenset()
    )
    client = TestClient(house.client.app, raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"}
    headers["Idempotency-Key"] = "one"
    return client.post(f"/v1/inbox?controller={NORWAY}", content=MAIL, headers=headers)
