"""The house that every way in leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, open_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened
