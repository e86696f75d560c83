"""Whoever knows an order has shown it is theirs, and nothing about any address (law B.2.8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.ladder import MOST_ORDERS_TRIED
from domain.request import Status
from domain.vocabulary import IdentifierKind, IdentityMethod, Match, Right
from services.fulfilment import person_of
from services.order_knowledge import SaidOfOrder, agrees, amount_in
from services.ports import Record
from tests.support.asking import BY, asked, confirmed
from tests.support.house import KARI, NORWAY, House

OSLO = ZoneInfo("Europe/Oslo")
FIELDS: dict[str, object] = {
    "code": "A1B2C",
    "total": "1 250.00 NOK",
    "datetime": "2026-10-31T23:30:00+00:00",
    "positions": [{"price": "625.00"}],
}
ORDER = Record("A1B2C", "order", Match.UNVERIFIED_IDENTIFIER, IdentifierKind.ORDER_NUMBER, FIELDS)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (SaidOfOrder("a1b2c", Decimal("1250")), True),
        (SaidOfOrder("A1B2C", Decimal("625.00")), True),
        (SaidOfOrder("A1B2C", None, date(2026, 10, 31)), True),
        (SaidOfOrder("A1B2C", None, date(2026, 11, 1)), True),
        (SaidOfOrder("A1B2C", Decimal("1250"), date(2026, 11, 1)), True),
        (SaidOfOrder("A1B2C", Decimal("1250"), date(2026, 11, 2)), False),
        (SaidOfOrder("A1B2C", Decimal("1251")), False),
        (SaidOfOrder("A1B2D", Decimal("1250")), False),
        (SaidOfOrder("A1B2C"), False),
        (SaidOfOrder("1250", Decimal("1250")), False),
    ],
)
def test_number_and_one_more_fact_must_agree(said: SaidOfOrder, fits: bool) -> None:
    """B.2.8: the number alone stands on every ticket; something else of the order goes with it."""
    assert agrees(ORDER, said, OSLO) is fits


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1 250,00 kr", "1250.00"),
        ("NOK 1.250,5", "1250.5"),
        ("1250", "1250.0"),
        ("1,250.00", "1250.00"),
        ("gratis", None),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, amount: str | None) -> None:
    assert amount_in(text) == (Decimal(amount) if amount else None)


def held(house: House) -> None:
    ticketing = house.systems.system(NORWAY, "ticketing")
    find = ticketing.find

    def by_number(person: Any, **more: Any) -> Any:
        if "A1B2C" in person.all(IdentifierKind.ORDER_NUMBER):
            yield ORDER
        yield from find(person, **more)

    ticketing.find = by_number  # type: ignore[method-assign]


def test_a_machine_compares_and_forgets(house: House) -> None:
    """B.2.8: compared without being shown; it opens the order's number and nothing else."""
    held(house)
    case_id = confirmed(house, Right.ACCESS)
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    link = house.link("prove")

    page = house.visitor().post(f"{link}/order", data={"number": "A1B2C", "amount": "1 250 kr"})
    assert page.status_code == 200
    said = house.case(case_id).order_said
    assert said is not None
    house.worker.drain()

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.identity) == (
        Status.VERIFIED,
        IdentityMethod.ORDER_KNOWLEDGE,
    )
    person = person_of(house.installation.vault, request)
    assert {one.kind for one in person.identifiers if one.verified} == {IdentifierKind.ORDER_NUMBER}
    assert person.all(IdentifierKind.EMAIL) == (KARI,)
    assert house.case(case_id).order_said is None
    assert gone(house, said.id)


def test_a_wrong_guess_looks_like_a_right_one_and_guessing_ends(house: House) -> None:
    held(house)
    case_id = confirmed(house, Right.ACCESS)
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    link, browser = house.link("prove"), house.visitor()

    pages = []
    for amount in range(MOST_ORDERS_TRIED):
        pages.append(browser.post(f"{link}/order", data={"number": "A1B2C", "amount": amount + 1}))
        house.worker.drain()

    assert len({page.text for page in pages}) == 1
    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.RECEIVED
    assert request.identity_failures == MOST_ORDERS_TRIED
    with pytest.raises(NotAllowedNow, match="too many"):
        house.installation.orders.say(case_id, SaidOfOrder("A1B2C", Decimal("1250")))
    with pytest.raises(DomainError, match="and its amount or the day"):
        house.installation.orders.say(case_id, SaidOfOrder("A1B2C"))


def gone(house: House, row: Any) -> bool:
    rows = house.installation.database.fetch(
        "SELECT id FROM trettio.vault_rows WHERE id = %s", [row]
    )
    return not rows
