"""A replay that waits for a person is seen on the system's page, and settled there by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from adapters.inbound.web.look import TEXTS
from adapters.outbound.erasure_ledger import PostgresErasureLedger
from domain.access import Role
from domain.instruction import TreatedKind
from domain.vocabulary import Decision, IdentifierKind, Language
from services import replay_standing
from services.erasure_ledger import Erasure
from services.ports import Identifier
from services.wording import wording
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.roles import held, in_role

SYSTEM = "mailing"
HERE = f"/desk/admin/systems/{NORWAY}/{SYSTEM}"
EN = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(module_database_url, tmp_path_factory.mktemp("replays")) as opened:
        yield opened


@pytest.fixture
def operator(house: House) -> TestClient:
    return in_role(house, held(Role.OPERATOR, NORWAY), staff="opal")


def erased_there(house: House) -> None:
    installation, now = house.installation, datetime.now(UTC)
    kinds = (TreatedKind("member", Decision.ERASE),)
    erasure = Erasure(uuid4(), NORWAY, SYSTEM, uuid4(), now, now + timedelta(days=90), kinds)
    kari = [Identifier(IdentifierKind.EMAIL, KARI, verified=True)]
    tokens = installation.system_keys.of(NORWAY, SYSTEM, kari)
    for one in PostgresErasureLedger(installation.database).erased(erasure, tokens):
        installation.database.run(one)


def test_what_a_replay_waits_for_is_seen_and_settled_by_name(
    house: House, operator: TestClient
) -> None:
    assert HERE in operator.get("/desk/admin/systems").text
    assert "trettio replay" in operator.get(HERE, headers=EN).text, "what to do comes first"
    erased_there(house)
    begun = house.installation.replays.begin(
        NORWAY, SYSTEM, since=datetime.now(UTC).date(), by="ola", reason="restored-from-backup"
    )
    house.work()

    shown = unescape(operator.get(HERE, headers=EN).text)
    assert "by ola" in shown
    assert "Waits for a person (1)." in shown
    assert "cannot list whom it knows" in shown
    assert KARI not in shown
    elsewhere = f"{HERE.replace(SYSTEM, 'shop')}/replays/{begun}/done"
    stranger = in_role(house, held(Role.OPERATOR, SWEDEN), staff="sven")
    for browser, address in (
        (operator, elsewhere),
        (operator, f"{HERE}/replays/{uuid4()}/done"),
        (stranger, f"{HERE}/replays/{begun}/done"),
    ):
        assert browser.post(address).status_code == 404
    action = re.search(rf'action="({HERE}/replays/[^"]+)"', shown)
    assert action is not None
    settled = unescape(operator.post(action[1], headers=EN).text)
    assert "It is noted that you have done this by hand." in settled
    assert "says opal." in settled
    assert "Waits for a person" not in settled
    (standing,) = house.installation.replays.standing(NORWAY, SYSTEM)
    assert standing.is_over
    assert standing.replay.settled_by == "opal"

    again = operator.post(action[1], headers=EN)
    assert "waits for nobody" in again.text


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_to_wait_is_said(language: Language) -> None:
    words = wording(TEXTS, language)
    reasons = {
        replay_standing.CANNOT_LIST,
        replay_standing.NOT_BY_TOKENS,
        replay_standing.SOME_KEPT,
        replay_standing.NO_DATES,
        replay_standing.STILL_THERE,
        replay_standing.REFUSED,
        replay_standing.NOT_DONE_THERE,
    }
    assert {one for one in reasons if words.find(f"replay_waits.{one}") is None} == set()
