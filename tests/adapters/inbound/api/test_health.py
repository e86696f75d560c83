"""`/health` tells that a system is suspended, and which one only to those who may know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.vocabulary import Right
from services.ports import Unavailable
from tests.support.asking import confirmed, hurry, trouble
from tests.support.house import NORWAY, SWEDEN, House, open_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def test_a_suspended_system_is_counted_for_all_and_named_to_its_own(house: House) -> None:
    trouble(house, "mailing", *[Unavailable("POST /x answered 503")] * 9)
    confirmed(house, Right.OBJECTION_TO_MARKETING)
    visitor = TestClient(house.client.app)
    assert visitor.get("/health").json()["suspended_systems"] == 0
    for _ in range(4):
        hurry(house, destroying=False)

    told = visitor.get("/health")
    assert (told.status_code, told.json()["status"]) == (200, "ok")
    assert told.json()["suspended_systems"] == 1
    assert told.json()["failing"] == []
    for controllers, systems in (((NORWAY,), ["mailing"]), ((SWEDEN,), []), ((), [])):
        token = house.token(*controllers) if controllers else "nobody's"
        seen = visitor.get("/health", headers={"Authorization": f"Bearer {token}"}).json()
        assert [one["system"] for one in seen["failing"]] == systems

    house.systems.made.clear()
    house.installation.database.fetch("UPDATE trettio.lanes SET probe_at = clock_timestamp()")
    hurry(house, destroying=False)
    assert visitor.get("/health").json()["suspended_systems"] == 0
