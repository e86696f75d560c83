"""The double of pretix gives the connector what the real server gives it (Art. 15, 17; E-13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.demo.doubles.pretix import PretixDouble
from adapters.outbound.connectors import pretix as module
from adapters.outbound.connectors.pretix import MASKED, Pretix
from domain.vocabulary import Match, Outcome
from services.ports import Record, Refused, Treatment
from tests.support.people import somebody

NOW = datetime.now(UTC)
KARI, EMAIL, FRIEND = "Kari Prøvedal", "kari@post.example", "Nils Fremmed"
PERSON = somebody(EMAIL, name=KARI)


@pytest.fixture
def shop() -> Iterator[PretixDouble]:
    with PretixDouble() as double:
        starts = NOW + timedelta(days=40)
        double.add_event(
            "show",
            "A show",
            starts=starts,
            ends=starts + timedelta(hours=2),
            products={"Seat": "200.00"},
            organiser="Visiting Circus",
        )
        customer = double.add_customer("KARI1", KARI, EMAIL, phone="+46701740605")
        order = double.add_order(
            "show",
            "AAAAA",
            EMAIL,
            bought_at=NOW,
            buyer=KARI,
            street="Testveien 1",
            customer=customer,
            phone="+46701740605",
            tickets=[{"name": KARI, "email": EMAIL}, {"name": FRIEND, "email": "n@other.example"}],
        )
        double.add_invoice("show", "AAAAA", "SHOW-00001")
        double.add_order("show", "BBBBB", EMAIL.upper(), bought_at=NOW, tickets=[{}])
        double.add_order(
            "show",
            "CCCCC",
            "oda@other.example",
            bought_at=NOW,
            buyer="Oda Fremmed",
            tickets=[{"name": KARI, "email": EMAIL}],
        )
        double.add_order(
            "show",
            "DDDDD",
            "k@other.example",
            bought_at=NOW,
            buyer=KARI,
            tickets=[{"name": KARI, "email": "k@other.example"}],
        )
        double.add_waiting("show", KARI, EMAIL.upper(), created=NOW)
        ticket = order["positions"][0]["id"]
        double.add_gift_card(ticket, value="200.00", issued=NOW, conditions=f"for {KARI}")
        double.add_membership(customer, KARI, starts=NOW, ends=starts)
        double.add_medium(customer, "BAND1", created=NOW)
        yield double


def find(shop: PretixDouble) -> dict[str, Record]:
    return {record.key: record for record in Pretix(shop.configuration).find(PERSON)}


def strong(shop: PretixDouble) -> list[Record]:
    return [record for record in find(shop).values() if record.match.is_strong]


def test_what_is_found_is_erased_and_not_found_again(shop: PretixDouble) -> None:
    connector, found = Pretix(shop.configuration), strong(shop)
    assert [record.kind for record in found] == [
        *("ticket", "invoice", "order", "order", "ticket"),
        *("waiting_list", "giftcard", "membership", "medium", "customer"),
    ]

    outcomes = {
        record.kind: connector.erase(PERSON, Treatment(record.key, record.kind), key="k").outcome
        for record in found
    }

    assert strong(shop) == []
    assert outcomes == {
        "ticket": Outcome.ANONYMISED,
        "invoice": Outcome.RESIDUAL,
        "order": Outcome.ANONYMISED,
        "waiting_list": Outcome.ERASED,
        "giftcard": Outcome.ANONYMISED,
        "membership": Outcome.ANONYMISED,
        "medium": Outcome.ANONYMISED,
        "customer": Outcome.ANONYMISED,
    }


def test_strangers_are_covered_and_survive(shop: PretixDouble) -> None:
    namesake, companion = shop.orders["show", "DDDDD"], shop.orders["show", "AAAAA"]["positions"][1]
    before = repr(namesake), repr(companion)
    records = find(shop)
    assert records["order:show/DDDDD"].match is Match.SAME_NAME
    assert FRIEND not in str(records["order:show/AAAAA"].fields)
    assert MASKED in str(records["order:show/AAAAA"].fields)

    for record in strong(shop):
        treatment = Treatment(record.key, record.kind)
        Pretix(shop.configuration).erase(PERSON, treatment, key="k")

    assert (repr(namesake), repr(companion)) == before


def test_every_page_is_served(shop: PretixDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find(shop)
    monkeypatch.setattr(module, "PAGE_SIZE", 1)

    assert find(shop) == whole


def test_a_wrong_token_is_refused(shop: PretixDouble) -> None:
    connector = Pretix({**shop.configuration, "token": "wrong"})

    with pytest.raises(Refused, match="401"):
        list(connector.find(PERSON))


def test_what_was_changed_is_known_after_a_crash(shop: PretixDouble, tmp_path: Path) -> None:
    shop.remember(tmp_path / "shop")
    key = "order:show/AAAAA"
    Pretix(shop.configuration).erase(PERSON, Treatment(key, "order"), key="k")

    with PretixDouble() as again:
        assert again.remember(tmp_path / "shop")
        assert {name: getattr(again, name) for name in again.kept} == {
            name: getattr(shop, name) for name in shop.kept
        }
        assert again.orders["show", "AAAAA"]["email"] is None
