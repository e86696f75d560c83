"""Whom a system knows is listed to the end, with how old its records are (Art. 17(1), issue 6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.demo.doubles.mailchimp import KEY as MAILCHIMP_KEY
from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.demo.doubles.stripe import KEY as STRIPE_KEY
from adapters.demo.doubles.stripe import StripeDouble
from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors.http_api.description import read_description, shipped, shipped_as
from domain.vocabulary import IdentifierKind
from services.erasure_ledger import Lists
from services.ports import Connector, Identifier
from tests.support.brevo import KEY as BREVO_KEY
from tests.support.brevo import BrevoDouble
from tests.support.listmonk import TOKEN, USER, ListmonkDouble
from tests.support.people import somebody

KARI, OLA, GUEST = "kari@post.example", "ola@post.example", "gjest@post.example"
MANY = 130
OLD = datetime(2021, 5, 6, 10, tzinfo=UTC)


def listed(connector: Connector) -> list[tuple[Identifier, ...]]:
    assert isinstance(connector, Lists)
    return list(connector.people())


def addresses(connector: Connector) -> set[str]:
    return {
        one.value
        for identifiers in listed(connector)
        for one in identifiers
        if one.kind is IdentifierKind.EMAIL
    }


# Stripe


@pytest.fixture
def stripe() -> Iterator[StripeDouble]:
    with StripeDouble() as running:
        yield running


def test_stripe_lists_every_customer_and_whoever_paid_as_a_guest(stripe: StripeDouble) -> None:
    every = {f"p{number}@post.example" for number in range(MANY)}
    for email in every:
        stripe.add_customer(email, phone="+4740000017")
    stripe.add_charge(None, billing_details={"email": GUEST})
    connector = build("stripe", {"url": stripe.url, "key": STRIPE_KEY})

    assert addresses(connector) == every | {GUEST}
    assert Identifier(IdentifierKind.PHONE, "+4740000017") in listed(connector)[0]


def test_at_stripe_whoever_pays_again_has_come_back_with_account_and_card(
    stripe: StripeDouble,
) -> None:
    customer = stripe.add_customer(KARI)
    stripe.add_card(customer)
    old, new = stripe.add_charge(customer), stripe.add_charge(customer)
    for things in stripe.things.values():
        for key, thing in things.items():
            came = OLD + timedelta(days=900) if key == new else OLD
            thing["created"] = int(came.timestamp())
    connector = build("stripe", {"url": stripe.url, "key": STRIPE_KEY})

    since = {record.key: record.since for record in connector.find(somebody(KARI))}

    assert since.pop(old) == OLD
    assert set(since.values()) == {OLD + timedelta(days=900)}


# Mailchimp


def test_mailchimp_lists_members_of_any_status_and_buyers() -> None:
    with MailchimpDouble() as double:
        double.add_audience("news", "Newsletter")
        double.add_store("shop", "Shop", list_id="news")
        double.add_member("news", KARI, timestamp_signup=OLD.isoformat(), timestamp_opt="")
        double.add_member("news", OLA, status="archived")
        double.add_customer("shop", "g", GUEST, created_at=OLD.isoformat())
        double.add_order("shop", "1", "g", processed_at_foreign="2026-03-31T22:30:00+00:00")
        connector = build("mailchimp", {"url": double.url, "key": MAILCHIMP_KEY})

        assert addresses(connector) == {KARI, OLA, GUEST}
        (kari,) = connector.find(somebody(KARI))
        assert kari.since == OLD, "when she signed up, not when somebody last changed a tag"
        bought = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
        guest = {one.kind: one.since for one in connector.find(somebody(GUEST))}
        assert guest == {"shop_order": bought, "shop_customer": bought}


# Described systems


def test_listmonk_lists_its_subscribers() -> None:
    with ListmonkDouble() as double:
        every = {f"p{number}@post.example" for number in range(MANY)}
        for email in every:
            number = double.add(email, "Noen")
        double.bounce(number)
        connector = build("listmonk", {"url": double.url, "user": USER, "token": TOKEN})

        assert addresses(connector) == every
        assert [one.since for one in connector.find(somebody(email))] == [
            datetime(2026, 3, 1, 12, tzinfo=UTC)
        ] * 2


def test_brevo_lists_its_contacts_by_address_and_number() -> None:
    with BrevoDouble() as double:
        double.add(KARI, "Kari", "+4740000017")
        double.sent(KARI, "Billett")
        connector = build("brevo", {"url": double.url, "key": BREVO_KEY})

        assert listed(connector) == [
            (
                Identifier(IdentifierKind.EMAIL, KARI),
                Identifier(IdentifierKind.PHONE, "4740000017"),
            )
        ]
        since = {one.kind: one.since for one in connector.find(somebody(KARI))}
        assert since == dict.fromkeys(("message", "contact"), datetime(2026, 11, 1, 11, tzinfo=UTC))


def test_only_what_says_how_lists_and_is_not_asked_otherwise() -> None:
    lists = {name for name in shipped() if shipped_as(name).lists}
    assert lists == {"listmonk", "brevo", "mailman"}
    klarna = build("klarna", {"user": "u", "password": "p", "url": "http://127.0.0.1:9"})
    assert not isinstance(klarna, Lists)
    find = '[[find]]\nby = "email"\npath = "/p"\nmatches = { email = ["/email"] }\n'
    shape = 'record = { kind = "p", key = "/id", fields = {} }\n'
    for wrong in (
        '[[list]]\npath = "/p"\n',
        '[[list]]\npath = "/{email}"\nmatches = { email = [""] }',
    ):
        with pytest.raises(Misconfigured, match="list"):
            read_description(f'title = "x"\n{find}{shape}{wrong}', "x.toml")
