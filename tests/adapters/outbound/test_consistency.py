"""`trettio check`: everything fits, or what does not is named (Art. 5(2), 32)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.outbound.consistency import Misfit, check
from tests.support.house import NORWAY, House, open_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def misfits(house: House) -> list[Misfit]:
    opened = house.installation
    return check(opened.database, opened.vault, opened.register.mapper)


def test_an_installation_at_work_fits(house: House) -> None:
    house.receive("Jeg vil ha innsyn i alle personopplysninger dere har om meg.")
    house.receive("Slett alt dere har om meg.", subject="Sletting")

    assert misfits(house) == []
    assert NORWAY
