"""A whole house behind the API, and callers with tokens of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from adapters.outbound.tokens import Scope
from tests.support.asking import Clock
from tests.support.house import House, open_house

Calls = Callable[..., TestClient]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture
def call(house: House) -> Calls:
    """Makes clients with tokens of these scopes and controllers; all of them if none is named."""

    def made(*scopes: Scope, controllers: tuple[str, ...] = (), staff: str = "ola") -> TestClient:
        token = house.installation.tokens.create(
            name=f"{staff} {uuid4()}",
            staff_id=staff,
            scopes=frozenset(scopes or Scope),
            controllers=frozenset(controllers),
        )
        return TestClient(
            house.client.app, headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
        )

    return made


@pytest.fixture
def api(call: Calls) -> TestClient:
    return call()
