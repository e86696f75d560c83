"""A restored system erases again whom it had erased, and nobody else (issue 6, "Recipients")."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.outbound.connectors.pretix import Pretix as Connector
from adapters.outbound.connectors.told import Told
from domain.request import Status
from domain.vocabulary import Right
from services.instructing import CLAIM_FOR
from services.replay_standing import NOT_DONE_THERE
from tests.support.asking import (
    BY,
    Clock,
    approve,
    asked,
    collected,
    hurry,
    look_everywhere,
    verified,
)
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House, open_house
from tests.support.pretix import Pretix, Shop
from tests.support.processes import ROOT
from tests.support.stories import buy
from tests.support.told import MAILING, client_of, told_document

NORA, OLA = "nora.tidligere@person.example", "ola.aldri@person.example"
EARLIER = "2021-05-06T10:00:00Z"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=clock) as opened:
        yield opened


class Restored:
    """The example from deploy/examples over HTTPS, with a database that can be put back."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.path = house, folder / "shop.db"
        spec = importlib.util.spec_from_file_location(
            "connected_system", ROOT / "deploy" / "examples" / "connected_system.py"
        )
        assert spec is not None
        assert spec.loader is not None
        self.example: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.example)
        self.client = client_of(house, MAILING)
        vars(self.example)["post"] = self.post
        key = house.installation.system_keys.current(NORWAY, MAILING)
        self.key = f"{key.version}:{key.key.hex()}"

    def post(self, path: str, body: object) -> Any:
        return self.client.post(path, json=body).json()

    def shop(self) -> Any:
        return self.example.Shop(str(self.path), self.key)

    def obey(self) -> None:
        """Do and answer what is asked, until nothing is."""
        while waiting := self.client.get("/v1/instructions").json():
            for one in waiting:
                place = f"/v1/instructions/{one['instruction']}"
                told = self.client.get(place).json()["told"]
                shop = self.shop()
                answer = self.client.post(
                    f"{place}/receipt", json=self.example.answered(shop, told)
                )
                shop.db.close()
                assert answer.status_code == 200, answer.text
            self.house.work()

    def customers(self) -> dict[str, int]:
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute("SELECT email, id FROM customer").fetchall()
        return dict(rows)

    def purchases(self) -> list[int]:
        with sqlite3.connect(self.path) as connection:
            return [one for (one,) in connection.execute("SELECT id FROM purchase ORDER BY id")]


@pytest.fixture
def shop(house: House, tmp_path: Path) -> Restored:
    document = told_document((ORGANISATIONS / f"{NORWAY}.toml").read_text("utf-8"), "https")
    for there, kind in (("member", "customer"), ("shop_order", "purchase")):
        document = document.replace(f'kind = "{there}"', f'kind = "{kind}"', 1)
    house.installation.controllers.adopt(document.encode(), name=NORWAY, by="trettio-tests")
    house.systems.made[NORWAY, MAILING] = Told({})
    restored = Restored(house, tmp_path)
    opened = restored.shop()
    for number, email in ((1, KARI), (2, NORA), (3, OLA)):
        opened.add(number, "Noen", email, EARLIER)
    with opened.db:
        opened.db.execute("INSERT INTO purchase VALUES (11, 1, 490.0, '2022-05-11')")
    opened.db.close()
    return restored


def erase(house: House, shop: Restored) -> None:
    """The whole way of an erasure, from the letter to the answer."""
    case_id = verified(house, Right.ERASURE)
    shop.obey()
    look_everywhere(house, case_id, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    shop.obey()
    hurry(house, destroying=False)
    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED


def replay(house: House, system: str = MAILING) -> UUID:
    since = datetime.now(UTC).date() - timedelta(days=1)
    replays = house.installation.replays
    begun: UUID = replays.begin(NORWAY, system, since=since, by=BY, reason="restored-from-backup")
    house.work()
    return begun


def test_the_example_put_back_from_yesterday_erases_again_and_nobody_else(
    house: House, shop: Restored, clock: Clock
) -> None:
    yesterday = shop.path.with_suffix(".yesterday")
    shutil.copy(shop.path, yesterday)
    erase(house, shop)
    assert KARI not in shop.customers()

    shutil.copy(yesterday, shop.path)
    assert shop.customers() == {KARI: 1, NORA: 2, OLA: 3}, "the backup has brought her back"
    came_back = shop.shop()
    came_back.add(4, "Kari Testesen", KARI, datetime.now(UTC).isoformat())
    came_back.db.close()
    begun = replay(house)
    (standing,) = house.installation.replays.standing(NORWAY)
    assert (standing.told, standing.answered, standing.is_over) == (1, 0, False)
    shop.obey()

    assert shop.customers() == {KARI: 4, NORA: 2, OLA: 3}, "as customer she has come back"
    assert shop.purchases() == []
    (standing,) = house.installation.replays.standing(NORWAY)
    assert standing.replay.id == begun
    assert (standing.told, standing.answered, standing.is_over) == (1, 1, True)
    house.worker.drain()
    assert len(shop.client.get("/v1/instructions").json()) == 0

    # It is told once more and never answers: that ends with a person, and not never.
    begun = replay(house)
    clock.forward(days=CLAIM_FOR.days + 1)
    house.installation.instructions.overdue()
    standing = house.installation.replays.standing(NORWAY)[0]
    assert (standing.unanswered, standing.waits_for) == (1, NOT_DONE_THERE)
    assert not standing.is_over
    house.installation.replays.settle(begun, by=BY)
    assert house.installation.replays.standing(NORWAY)[0].is_over


TICKETING = "ticketing"


def test_pretix_put_back_from_yesterday_forgets_her_again_and_keeps_her_new_order(
    house: House, pretix: Pretix, tmp_path: Path
) -> None:
    house.systems.made[NORWAY, TICKETING] = Connector(
        {**pretix.configuration, "organiser_property": "none"}  # nobody else is to be told
    )
    shop = Shop(pretix, "replayed", datetime.now(UTC) - timedelta(days=20))
    name, seat = "Kari Testesen", shop.position("Kari Testesen", KARI)
    account = shop.customer(name, KARI, phone="+46701740605")
    first = shop.order(KARI, customer=account, invoice_name=None, positions=[seat])["code"]
    theirs = buy(pretix, "replayed", NORA, "Nora Tidligere")
    strangers = shop.order(OLA, positions=[shop.position("Ola Aldri", OLA), seat])["code"]
    for order in (first, theirs, strangers):
        pretix.date_order(order, datetime.now(UTC) - timedelta(days=30))
    yesterday = tmp_path / "yesterday.sqlite3"
    pretix.back_up(yesterday)

    case_id = collected(house, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    hurry(house, destroying=False)
    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED
    assert KARI not in shown(pretix)

    pretix.put_back(yesterday)
    assert KARI in shown(pretix), "the backup has brought her back"
    before = [pretix.raw(f"/events/replayed/orders/{theirs}/")]
    new = buy(pretix, "replayed", KARI, name)
    replay(house, TICKETING)

    assert [one["code"] for one in orders(pretix) if KARI in str(one)] == [new]
    assert [pretix.raw(f"/events/replayed/orders/{theirs}/")] == before
    assert not pretix.get(f"/customers/{account}/")["email"]
    (standing,) = house.installation.replays.standing(NORWAY)
    assert standing.is_over, standing
    assert standing.replay.spared > 0
    assert {first, strangers, theirs, new} == {one["code"] for one in orders(pretix)}

    again = replay(house, TICKETING)
    assert house.installation.register.replay(again).erased == 0, "nothing was left to do"


def orders(pretix: Pretix) -> list[Any]:
    found: list[Any] = pretix.get("/events/replayed/orders/?page_size=50")["results"]
    return found


def shown(pretix: Pretix) -> str:
    accounts = pretix.raw("/customers/?page_size=50").decode()
    return f"{orders(pretix)}{accounts}"
