"""What a told system keeps goes on its day: asked, erased and searched again (Art. 17(3))."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.outbound.connectors.told import Told
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment, Outcome
from services.instructing import NEEDS_PERSON, NOT_ANSWERING
from tests.support.asking import BY, Clock, hurry
from tests.support.holding import (
    LAST_DAY,
    OTHERS,
    hold_of,
    invoice,
    is_gone,
    kept,
    pass_to,
)
from tests.support.house import KARI, ORGANISATIONS, SWEDEN, House
from tests.support.told import ToldSystem, client_of

_SHOP = 'delivery = "connector"\nconnector = "pretix"'


@pytest.fixture
def request_kept(house: House) -> DataSubjectRequest:
    invoice(house)
    return kept(house)


@pytest.fixture
def shop(house: House, request_kept: DataSubjectRequest) -> ToldSystem:
    """The same shop, told instead of called since the hold was placed."""
    document = (ORGANISATIONS / f"{SWEDEN}.toml").read_text(encoding="utf-8")
    assert _SHOP in document
    document = document.replace(_SHOP, 'delivery = "webhook"\nconnector = "https"')
    document = re.sub(r'(?m)^version = ".*"$', 'version = "told"', document, count=1)
    house.installation.controllers.adopt(document.encode(), name=SWEDEN, by="trettio-tests")
    house.systems.made[SWEDEN, "shop"] = Told({})
    told = ToldSystem(house, client_of(house, "shop", SWEDEN), kind="invoice")
    told.hold(KARI, "i1")
    told.hold("ivar@annan.example", "another")
    return told


def told_of(house: House, request: DataSubjectRequest, shop: ToldSystem, clock: Clock) -> UUID:
    """The first thing that the shop is told, the day after the last one."""
    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    assert not hold_of(house, request).stands
    (told,) = shop.open()
    return told


def erasing(house: House, request: DataSubjectRequest, shop: ToldSystem, clock: Clock) -> UUID:
    shop.obey(told_of(house, request, shop, clock))
    hurry(house)
    (told,) = shop.open()
    return told


def obey_all(house: House, shop: ToldSystem) -> None:
    while waiting := shop.open():
        shop.obey(waiting[0])
        hurry(house)


def test_what_a_told_system_keeps_goes_on_its_day_although_all_else_is_gone(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    """AO-09: searched, erased and searched again, from the hold's own compartment alone."""
    hold = hold_of(house, request_kept)
    for compartment in OTHERS:
        house.installation.vault.destroy(request_kept.case_id, compartment)
    pass_to(house, clock, LAST_DAY)
    assert shop.open() == []

    told = told_of(house, request_kept, shop, clock)
    assert shop.told(told)["verb"] == "find"
    assert KARI not in str(shop.told(told))
    tokens = house.installation.instruction_ledger.tokens(told)
    assert shop.claim(told)["identifiers"][0]["value"] == KARI
    assert tokens
    shop.obey(told)
    hurry(house)
    (told,) = shop.open()
    (record,) = shop.claim(told)["records"]
    assert (record["key"], record["kind"]) == ("i1", "invoice")
    shop.obey(told)
    hurry(house)
    assert not hold_of(house, request_kept).erased
    (told,) = shop.open()
    assert shop.told(told)["verb"] == "read-back"
    shop.obey(told)
    hurry(house)

    assert set(shop.held) == {"another"}
    assert [one.outcome for one in hold_of(house, request_kept).outcomes] == [Outcome.ERASED]
    assert is_gone(house, hold)
    assert house.installation.register.request(request_kept.id).ended
    assert house.installation.instruction_ledger.tokens(told) == ()


def test_the_same_receipt_again_asks_nothing_anew(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    told = erasing(house, request_kept, shop, clock)
    (record,) = shop.claim(told)["records"]
    body: dict[str, Any] = {
        "receipt": str(uuid4()),
        "records": [{"record": record["record"], "outcome": "erased"}],
    }
    assert shop.say(told, "done", **body)["taken"] == "new"
    assert shop.say(told, "done", **body)["taken"] == "again"
    shop.claim(told, status=410)
    hurry(house)

    (back,) = shop.open()
    assert shop.told(back)["verb"] == "read-back"


def test_who_has_come_back_keeps_what_was_kept(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    told = told_of(house, request_kept, shop, clock)
    found = {"key": "i1", "kind": "invoice", "matched_by": "email"}
    shop.say(told, "found", found=[found | {"anchors": {"last_purchase": "2033-05-02"}}])
    hurry(house)

    assert shop.held.keys() == {"i1", "another"}
    obey_all(house, shop)
    (outcome,) = hold_of(house, request_kept).outcomes
    assert (outcome.outcome, outcome.detail) == (Outcome.KEPT, "in-use-again")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("nothing-held", "nothing-changed"),
        ("done", "records-unaccounted-for"),
        ("kept", "refused-over-there"),
        ("needs-person", NEEDS_PERSON),
    ],
)
def test_an_erasure_that_cannot_be_believed_waits_for_a_person(
    house: House,
    request_kept: DataSubjectRequest,
    shop: ToldSystem,
    clock: Clock,
    answer: str,
    reason: str,
) -> None:
    told = erasing(house, request_kept, shop, clock)
    (record,) = shop.claim(told)["records"]
    whole = {"ground": "se.bokforing", "until": "2040-01-01", "outcome": "kept"}
    if answer == "kept":
        shop.say(told, "done", records=[whole | {"record": record["record"]}])
    else:
        shop.say(told, answer)
    hurry(house)

    hold = hold_of(house, request_kept)
    assert (hold.waits_for, hold.erased) == (reason, False)
    assert not is_gone(house, hold)
    house.installation.holds.try_again(hold.id, by=BY)
    hurry(house)
    assert len(shop.open()) == 1
    obey_all(house, shop)
    assert hold_of(house, request_kept).erased


def test_still_there_in_the_second_search_waits_for_a_person(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    told = erasing(house, request_kept, shop, clock)
    (record,) = shop.claim(told)["records"]
    shop.say(told, "done", records=[{"record": record["record"], "outcome": "erased"}])
    hurry(house)
    (back,) = shop.open()
    shop.obey(back)

    assert hold_of(house, request_kept).waits_for == "still-there-after-erasure"
    assert not hold_of(house, request_kept).erased


def test_who_does_not_answer_about_a_hold_is_chased_and_then_a_person_is_told(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    told = told_of(house, request_kept, shop, clock)
    for _ in range(3):
        clock.forward(days=3, minutes=1)
        house.installation.instructions.overdue()
    assert hold_of(house, request_kept).waits_for == NOT_ANSWERING
    assert house.installation.register.instruction(told).repeats == 2

    house.installation.holds.erased_by_hand(
        hold_of(house, request_kept).id, looked_again=True, by=BY
    )

    shop.claim(told, status=410)
    assert shop.say(told, "nothing-held")["taken"] == "late"
    assert hold_of(house, request_kept).outcomes[0].detail == "by-hand"


def test_a_hold_that_a_system_still_has_to_see_keeps_nothing_else_of_its_case(
    house: House, request_kept: DataSubjectRequest, shop: ToldSystem, clock: Clock
) -> None:
    told_of(house, request_kept, shop, clock)

    assert not house.installation.instructions.keeps(request_kept.case_id)
    assert not is_gone(house, hold_of(house, request_kept))
    assert house.installation.vault.destructions(request_kept.case_id)[-1].compartment is not (
        Compartment.HOLD
    )
