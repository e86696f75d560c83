"""Stripe: the customer goes, payments and vouchers stay and are named (Art. 15, 17; E-11, E-12).

The same tests meet our double and a real localstripe. What localstripe cannot show (searching,
intents by customer, guests' payments, a deleted customer that still answers) meets the double.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest
import urllib3

from adapters.demo.doubles.stripe import KEY, StripeDouble
from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors.stripe import Stripe
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import AwaitsPerson, Person, Record, Refused, Result, Treatment, Unavailable
from tests.support import localstripe
from tests.support.contracts import complaints, contract
from tests.support.localstripe import LocalStripe
from tests.support.people import NOBODY, somebody

KARI = "kari@post.example"
STRANGER = "ola@post.example"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SYNTHETIC_NUMBER = "01817499100"


class World(Protocol):
    """A Stripe account that can be filled."""

    @property
    def configuration(self) -> dict[str, str]: ...
    def customer(self, email: str, name: str) -> str: ...
    def card(self, customer: str) -> str: ...
    def charge(self, customer: str, card: str) -> str: ...
    def subscription(self, customer: str, card: str) -> str: ...


class OfDouble:
    def __init__(self, double: StripeDouble) -> None:
        self.configuration = {"url": double.url, "key": KEY}
        self._double = double

    def customer(self, email: str, name: str) -> str:
        return self._double.add_customer(email, name=name)

    def card(self, customer: str) -> str:
        return self._double.add_card(customer)

    def charge(self, customer: str, card: str) -> str:
        return self._double.add_charge(customer)

    def subscription(self, customer: str, card: str) -> str:
        return self._double.add_subscription(customer)


class OfLocalStripe:
    def __init__(self, running: LocalStripe) -> None:
        self.configuration = {
            "url": running.url,
            "key": localstripe.KEY,
            "leave_out": "search, payment_intents",
            "method_type": "card",
        }
        self._call = running.call

    def customer(self, email: str, name: str) -> str:
        return str(self._call("POST", "/v1/customers", email=email, name=name)["id"])

    def card(self, customer: str) -> str:
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        form = {f"card[{name}]": value for name, value in card.items()}
        method = self._call("POST", "/v1/payment_methods", type="card", **form)["id"]
        self._call("POST", f"/v1/payment_methods/{method}/attach", customer=customer)
        return str(method)

    def charge(self, customer: str, card: str) -> str:
        form = {"amount": 45_000, "currency": "nok", "customer": customer, "source": card}
        return str(self._call("POST", "/v1/charges", **form)["id"])

    def subscription(self, customer: str, card: str) -> str:
        plan = {"amount": 9_900, "currency": "nok", "interval": "month", "product[name]": "Club"}
        number = self._call("POST", "/v1/plans", **plan)["id"]
        default = {"invoice_settings[default_payment_method]": card}
        self._call("POST", f"/v1/customers/{customer}", **default)
        form = {"items[0][plan]": number, "customer": customer}
        return str(self._call("POST", "/v1/subscriptions", **form)["id"])


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    with StripeDouble(keep_exchanges=True) as running:
        yield running


@pytest.fixture(scope="module")
def local_stripe() -> Iterator[LocalStripe]:
    with localstripe.server() as running:
        yield running


@pytest.fixture(params=["double", "localstripe"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "double":
        return OfDouble(request.getfixturevalue("double"))
    running: LocalStripe = request.getfixturevalue("local_stripe")
    running.forget()
    return OfLocalStripe(running)


@pytest.fixture
def stripe(double: StripeDouble) -> Stripe:
    return Stripe(OfDouble(double).configuration)


def planted(world: World, email: str, name: str) -> str:
    customer = world.customer(email, name)
    world.charge(customer, world.card(customer))
    return customer


def erase(stripe: Stripe, person: Person, record: Record) -> Result:
    return stripe.erase(person, Treatment(record.key, record.kind), key=f"task/{record.key}")


# Both


def test_a_person_without_identifiers_is_found_nowhere(world: World) -> None:
    planted(world, KARI, "Kari Vik")

    assert list(Stripe(world.configuration).find(NOBODY)) == []


def test_a_customer_is_found_with_cards_and_payments(world: World) -> None:
    customer = planted(world, KARI, "Kari Vik")
    planted(world, STRANGER, "Ola Vik")

    records = list(Stripe(world.configuration).find(somebody("Kari@Post.example")))

    assert [(r.kind, r.match) for r in records] == [
        ("payment_method", Match.LINKED_RECORD),
        ("payment", Match.LINKED_RECORD),
        ("customer", Match.VERIFIED_IDENTIFIER),
    ]
    card, payment, person = records
    assert card.fields["card"]["last4"] == "4242"  # type: ignore[index]
    assert "4242424242424242" not in str(records)
    assert payment.fields["amount"] == "450.00 NOK"
    assert payment.flags == {"paid"}
    assert payment.anchors["voucher"] == datetime.now(ZoneInfo("Europe/Oslo")).date()
    assert (person.key, person.fields["name"]) == (customer, "Kari Vik")


def test_erasure_takes_the_customer_and_names_what_stripe_keeps(world: World) -> None:
    planted(world, KARI, "Kari Vik")
    planted(world, STRANGER, "Ola Vik")
    stripe = Stripe(world.configuration, lambda: NOW)
    before = list(stripe.find(somebody(STRANGER)))
    card, payment, customer = stripe.find(somebody(KARI))

    results = [erase(stripe, somebody(KARI), record) for record in (card, payment, customer)]

    assert [result.outcome for result in results] == [
        Outcome.RESIDUAL,
        Outcome.RESIDUAL,
        Outcome.ERASED,
    ]
    assert [(r.what, r.until) for r in results[2].residuals] == [
        ("payments", None),
        ("vendor-log", date(2026, 12, 20)),
    ]
    assert not [r for r in stripe.find(somebody(KARI)) if r.kind == "customer"]
    assert list(stripe.find(somebody(STRANGER))) == before


def test_a_payment_is_never_called_erased(world: World) -> None:
    """E-11: no payment party has a call that erases a payment."""
    planted(world, KARI, "Kari Vik")
    stripe = Stripe(world.configuration)
    payment = next(r for r in stripe.find(somebody(KARI)) if r.kind == "payment")

    for _ in range(2):
        result = erase(stripe, somebody(KARI), payment)
        assert result.outcome is Outcome.RESIDUAL
        assert [(r.what, r.why) for r in result.residuals] == [("payments", "system-cannot-erase")]


def test_erasing_twice_with_the_same_key_changes_nothing_more(world: World) -> None:
    planted(world, KARI, "Kari Vik")
    stripe = Stripe(world.configuration)
    card, _, customer = stripe.find(somebody(KARI))
    for record in (card, customer):
        erase(stripe, somebody(KARI), record)

    assert erase(stripe, somebody(KARI), card).outcome is Outcome.RESIDUAL
    assert erase(stripe, somebody(KARI), customer).outcome is Outcome.NOT_FOUND


def test_a_half_done_erasure_is_continued(world: World) -> None:
    planted(world, KARI, "Kari Vik")
    stripe = Stripe(world.configuration)
    card, _, customer = stripe.find(somebody(KARI))
    erase(stripe, somebody(KARI), card)

    remaining = list(stripe.find(somebody(KARI)))

    assert [r.kind for r in remaining] == ["payment", "customer"]
    assert erase(stripe, somebody(KARI), customer).outcome is Outcome.ERASED


def test_an_open_subscription_waits_for_a_person(world: World) -> None:
    """E-13: erasing the customer would end it at once, and it needs its card."""
    customer = world.customer(KARI, "Kari Vik")
    world.subscription(customer, world.card(customer))
    stripe = Stripe(world.configuration)
    records = {r.kind: r for r in stripe.find(somebody(KARI))}

    kinds = ("payment_method", "subscription", "customer")
    for kind in kinds:
        assert "subscription" in records[kind].flags
        with pytest.raises(AwaitsPerson, match="open-subscription"):
            erase(stripe, somebody(KARI), records[kind])
    assert [r.kind for r in stripe.find(somebody(KARI))].count("customer") == 1


@pytest.mark.parametrize("email", ["o'brien+test@post.example", "kåre.ødegård@post.example"])
def test_special_characters_find_and_erase_exactly_their_owner(world: World, email: str) -> None:
    customer = world.customer(email, 'Siri "Sisi" \\ Ødegård')
    other = world.customer("obrien@post.example", "Other")
    stripe = Stripe(world.configuration)

    (record,) = stripe.find(somebody(email))

    assert record.key == customer
    assert erase(stripe, somebody(email), record).outcome is Outcome.ERASED
    assert [r.key for r in stripe.find(somebody("obrien@post.example"))] == [other]


def test_many_pages_are_read_to_the_end(world: World) -> None:
    customers = {world.customer(KARI, "Kari Vik") for _ in range(105)}

    found = list(Stripe(world.configuration).find(somebody(KARI)))

    assert {r.key for r in found} == customers


def test_a_wrong_key_goes_to_a_person(world: World) -> None:
    with pytest.raises(Refused, match="401"):
        list(Stripe({**world.configuration, "key": "wrong"}).find(somebody(KARI)))


# The double alone: what localstripe cannot show


def test_it_is_built_by_its_name_and_says_what_it_needs() -> None:
    assert isinstance(build("stripe", {"key": KEY}), Stripe)
    for configuration, key in (
        ({}, "key"),
        ({"key": KEY, "guest_days": "long"}, "guest_days"),
        ({"key": KEY, "leave_out": "charges"}, "leave_out"),
    ):
        with pytest.raises(Misconfigured, match=key):
            build("stripe", configuration)


def test_searching_finds_what_listing_misses(stripe: Stripe, double: StripeDouble) -> None:
    """Listing compares letter by letter; a telephone number or a name is only a weak match."""
    shouting = double.add_customer("KARI@POST.EXAMPLE")
    by_phone = double.add_customer(None, phone="+4740000000")
    by_name = double.add_customer("other@post.example", name="Kari Vik")
    double.add_charge(by_name)

    found = list(stripe.find(somebody(KARI, phone="40 00 00 00", name="Kari Vik")))

    assert [(r.key, r.match, r.matched_by) for r in found if r.kind == "customer"] == [
        (shouting, Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL),
        (by_phone, Match.UNVERIFIED_IDENTIFIER, IdentifierKind.PHONE),
        (by_name, Match.SAME_NAME, IdentifierKind.NAME),
    ]
    assert [r.match for r in found if r.kind == "payment"] == [Match.SAME_NAME]


def test_a_guests_payments_are_found_as_far_back_as_configured(double: StripeDouble) -> None:
    recent, old = int(NOW.timestamp()) - 86_400, int(NOW.timestamp()) - 40 * 86_400
    double.add_charge(None, email=KARI, created=old)
    mine = double.add_charge(None, email="Kari@post.example", created=recent)
    receipt = double.add_charge(None, receipt_email=KARI, created=recent)
    for number in range(250):
        double.add_charge(None, email=f"guest{number}@post.example", created=recent)
    configuration = OfDouble(double).configuration

    month = Stripe({**configuration, "guest_days": "30"}, lambda: NOW)
    none = Stripe({**configuration, "guest_days": "0"}, lambda: NOW)

    assert {r.key for r in month.find(somebody(KARI))} == {mine, receipt}
    assert list(none.find(somebody(KARI))) == []


def test_payments_of_an_erased_customer_are_found_again_by_their_bill(
    stripe: Stripe, double: StripeDouble
) -> None:
    """The read-back sees what stays, under the key it had before."""
    customer = double.add_customer(KARI)
    charge = double.add_charge(customer, email=KARI)
    erase(stripe, somebody(KARI), list(stripe.find(somebody(KARI)))[-1])

    assert [r.key for r in stripe.find(somebody(KARI))] == [charge]


def test_an_intent_counts_only_where_no_charge_stands_for_it(
    stripe: Stripe, double: StripeDouble
) -> None:
    customer = double.add_customer(KARI)
    charge = double.add_charge(customer)
    double.add_intent(customer, latest_charge=charge)
    given_up = double.add_intent(customer)

    payments = {r.key: r for r in stripe.find(somebody(KARI)) if r.kind == "payment"}

    assert set(payments) == {charge, given_up}
    assert payments[given_up].flags == {"failed_payment"}
    assert not payments[given_up].anchors


def test_somebody_elses_bill_on_the_persons_account_is_masked(
    stripe: Stripe, double: StripeDouble
) -> None:
    customer = double.add_customer(KARI, name="Kari Vik")
    billing = {"email": STRANGER, "name": "Ola Vik", "phone": None, "address": {"city": "Bergen"}}
    double.add_charge(customer, billing_details=billing, receipt_email=STRANGER)

    payment = next(r for r in stripe.find(somebody(KARI)) if r.kind == "payment")

    assert "Ola" not in str(payment.fields)
    assert STRANGER not in str(payment.fields)
    assert payment.masked == ("billing", "receipt_sent_to")


def test_national_numbers_in_free_text_are_masked(stripe: Stripe, double: StripeDouble) -> None:
    """E-10."""
    double.add_customer(
        KARI, description=f"Member {SYNTHETIC_NUMBER}", metadata={"pnr": SYNTHETIC_NUMBER}
    )

    (record,) = stripe.find(somebody(KARI))

    assert SYNTHETIC_NUMBER not in str(record.fields)


def test_an_invoice_stays_and_a_draft_goes(stripe: Stripe, double: StripeDouble) -> None:
    customer = double.add_customer(KARI)
    double.add_invoice(customer, number="A-1")
    double.add_invoice(customer, status="draft")
    draft, invoice, _ = stripe.find(somebody(KARI))

    assert invoice.flags == {"invoiced", "paid"}
    assert set(invoice.anchors) == {"invoiced", "voucher"}
    assert not draft.flags
    assert not draft.anchors
    assert erase(stripe, somebody(KARI), invoice).outcome is Outcome.RESIDUAL
    assert erase(stripe, somebody(KARI), draft).outcome is Outcome.ERASED
    assert erase(stripe, somebody(KARI), draft).outcome is Outcome.NOT_FOUND


def test_an_ended_subscription_stays_as_a_residual(stripe: Stripe, double: StripeDouble) -> None:
    double.add_subscription(double.add_customer(KARI), status="canceled")
    subscription, customer = stripe.find(somebody(KARI))

    assert not subscription.flags
    assert not customer.flags
    assert erase(stripe, somebody(KARI), subscription).outcome is Outcome.RESIDUAL
    assert erase(stripe, somebody(KARI), customer).outcome is Outcome.ERASED


def test_money_to_the_customers_credit_is_said(stripe: Stripe, double: StripeDouble) -> None:
    double.add_customer(KARI, balance=-5_000, currency="nok")

    (record,) = stripe.find(somebody(KARI))

    assert record.flags == {"open_balance"}
    assert record.fields["balance"] == "-50.00 NOK"


def test_a_customer_that_is_no_longer_the_persons_is_left_alone(
    stripe: Stripe, double: StripeDouble
) -> None:
    number = double.add_customer(KARI)
    (record,) = stripe.find(somebody(KARI))
    double.things["customers"][number]["email"] = STRANGER

    with pytest.raises(Refused, match="changed"):
        erase(stripe, somebody(KARI), record)
    assert "deleted" not in double.things["customers"][number]


def test_an_idempotency_key_goes_with_what_changes_something(
    stripe: Stripe, double: StripeDouble
) -> None:
    double.add_card(double.add_customer(KARI))
    card = next(iter(stripe.find(somebody(KARI))))

    erase(stripe, somebody(KARI), card)

    (post,) = [e.call for e in double.exchanges if e.call.method == "POST"]
    assert post.headers["Idempotency-Key"] == f"task/{card.key}"
    assert post.headers["Stripe-Version"] == "2024-06-20"


def test_marketing_and_partial_erasure_are_a_persons_work(
    stripe: Stripe, double: StripeDouble
) -> None:
    with pytest.raises(AwaitsPerson):
        stripe.suppress(somebody(KARI), key="k")
    with pytest.raises(Refused):
        stripe.erase(somebody(KARI), Treatment("cus_1", "customer", anonymise=True), key="k")
    assert double.calls == 0


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_busy_means_later(stripe: Stripe, double: StripeDouble, status: int) -> None:
    double.fail_next(status, headers={"Retry-After": "7"})
    with pytest.raises(Unavailable, match=str(status)):
        list(stripe.find(somebody(KARI)))


def test_a_lost_connection_and_a_timeout_mean_later(
    stripe: Stripe, double: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.drop_next()
    with pytest.raises(Unavailable):
        list(stripe.find(somebody(KARI)))
    monkeypatch.setattr(stripe._http._pool, "timeout", urllib3.Timeout(total=0.1))
    double.delay = 0.5
    with pytest.raises(Unavailable, match="ReadTimeoutError"):
        list(stripe.find(somebody(KARI)))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": [{"email": "x"}]}',
        b'{"data": [{"id": "cus_1", "name": "' + b"x" * 30_000 + b'"}]}',
        b'{"data": [], "has_more": true}',
    ],
)
def test_a_wrong_shape_goes_to_a_person_and_quotes_nothing(
    stripe: Stripe, double: StripeDouble, body: bytes
) -> None:
    double.fail_next(200, on="GET /v1/customers", body=body, media_type="application/json")

    with pytest.raises(Refused) as caught:
        list(stripe.find(somebody(KARI)))
    assert "xxx" not in str(caught.value)


def test_an_erasure_that_does_not_say_deleted_is_not_believed(
    stripe: Stripe, double: StripeDouble
) -> None:
    customer = double.add_customer(KARI)
    body = b'{"id": "cus_1", "deleted": false}'
    double.fail_next(200, on="DELETE", body=body, media_type="application/json")

    with pytest.raises(Refused, match="deleted"):
        stripe.erase(somebody(KARI), Treatment(customer, "customer"), key="k")


def test_nothing_personal_is_logged(
    stripe: Stripe, double: StripeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    double.add_customer(KARI, name="Kari Vik")
    list(stripe.find(somebody(KARI, name="Kari Vik")))

    written = capsys.readouterr()
    assert "kari" not in (written.out + written.err).lower()


def test_connector_and_double_speak_as_stripe_describes(
    stripe: Stripe, double: StripeDouble
) -> None:
    """Every request, and every field that the double has; it leaves out what nobody reads."""
    vendor = contract("stripe-trimmed.openapi.json")
    customer = double.add_customer(KARI)
    double.add_charge(customer)
    double.add_card(customer)
    for record in list(stripe.find(somebody(KARI, name="Kari"))):
        erase(stripe, somebody(KARI), record)

    # The validator does not understand "nullable" beside "anyOf".
    known = {"None is not valid under any of the given schemas"}
    for exchange in double.exchanges:
        said = complaints(vendor, exchange, base="https://api.stripe.com") - known
        assert {c for c in said if not c.endswith("is a required property")} == set()


def test_the_doubles_state_is_its_own(double: StripeDouble, stripe: Stripe) -> None:
    double.add_customer(KARI)
    before = deepcopy(double.things)

    list(stripe.find(somebody(KARI)))

    assert double.things == before
