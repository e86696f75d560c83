"""A whole house for the tests of the services: real database, invented controllers and systems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asking import Clock
from tests.support.house import House, open_house


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=clock) as opened:
        yield opened
