"""The roles of one process work together and end in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.roles import running
from domain.request import Status
from domain.vocabulary import IdentifierKind, Language, Right
from services.ports import Identifier
from tests.support.asking import Clock, asked, received
from tests.support.house import KARI, House, open_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=Clock()) as opened:
        yield opened


def test_all_roles_together_carry_an_objection_to_closed(house: House) -> None:

    before = set(threading.enumerate())
    with running(house.installation, workers=2, follow=True, remind=True) as stop:
        case_id = received(house)
        house.installation.intake.confirm(
            case_id,
            rights=(Right.OBJECTION_TO_MARKETING,),
            language=Language.NB,
            identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
            by="ola",
        )
        for _ in range(200):
            if asked(house, case_id, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED:
                break
            stop.wait(0.05)

    assert asked(house, case_id, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED
    assert set(threading.enumerate()) <= before, "a thread of theirs lives on"
