"""Stripe: customers, cards, subscriptions and payments (Art. 15, 17; bookkeeping, law E-12).

Erasing a customer is real; payments, invoices and ended subscriptions stay at Stripe whatever is
called, so their result is a residual, never "erased". An open subscription is not cancelled in
passing: a person ends it first.

Configuration: `key` (a restricted key that reads the lists below and writes customers and payment
methods is enough); `url` for another host; `guest_days`, how far back payments without a customer
are looked through (730 unless told; 0 for none): Stripe cannot search payments by address, so
older guest payments are not found; `method_type` to list one kind of payment method only;
`leave_out`, a list of "search" and "payment_intents", for accounts and keys without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Generic, Literal, TypeVar

from pydantic import Field

from adapters.outbound.answers import Answer, Free, Moment, civil_date, dates, held, read
from adapters.outbound.changing import Changing
from adapters.outbound.connectors import Configuration, Misconfigured, connector, need, patience
from adapters.outbound.http import HttpClient, Response
from adapters.outbound.stripe_changes import Changes
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.matching import match_level, normal_email, normal_phone
from services.national_numbers import mask_national_numbers
from services.ports import (
    AwaitsPerson,
    Identifier,
    Person,
    Record,
    Refused,
    Residual,
    Result,
    Treatment,
    Unavailable,
)

URL = "https://api.stripe.com"
VERSION = "2024-06-20"
PAGE = 100
MOST_PAGES = 10_000
GUEST_DAYS = 730
LOG_DAYS = 30

PAYMENTS = Residual("payments", "system-cannot-erase")
INVOICES = Residual("invoices", "system-cannot-erase")
SUBSCRIPTION = Residual("subscription-history", "system-cannot-erase")
METHOD = Residual("payment-method", "system-cannot-erase")

CONNECTIONS = 8

_PARTS = frozenset({"search", "payment_intents"})
_OPEN = {"active", "trialing", "past_due", "unpaid", "paused", "incomplete"}
_WITHOUT_CENTS = {"bif", "clp", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "xaf", "xof"}

P = TypeVar("P", bound="Item")
Level = tuple[Match, IdentifierKind]


# What Stripe answers


class Item(Answer):
    id: str = Field(min_length=1)
    created: Moment = None


class Details(Answer):
    """Whom a bill names."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Free


class Card(Answer):
    brand: str | None = None
    last4: str | None = Field(default=None, pattern=r"^\d{4}$")
    exp_month: int | None = None
    exp_year: int | None = None
    country: str | None = None


class Customer(Item):
    deleted: bool = False
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    address: Free
    shipping: Free
    metadata: Free
    preferred_locales: list[str] | None = None
    balance: int | None = None
    currency: str | None = None


class Method(Item):
    type: str
    customer: str | None = None
    billing_details: Details = Details(address={})
    card: Card | None = None


class MethodDetails(Answer):
    type: str | None = None
    card: Card | None = None


class Payment(Item):
    """A charge, or an intent that never became one."""

    amount: int
    currency: str
    status: str | None = None
    customer: str | None = None
    amount_refunded: int | None = None
    refunded: bool = False
    disputed: bool = False
    description: str | None = None
    receipt_email: str | None = None
    receipt_number: str | None = None
    statement_descriptor: str | None = None
    latest_charge: str | Item | None = None
    billing_details: Details = Details(address={})
    payment_method_details: MethodDetails | None = None
    shipping: Free
    metadata: Free


class Invoice(Item):
    number: str | None = None
    status: str | None = None
    total: int | None = None
    currency: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_phone: str | None = None
    customer_address: Free
    description: str | None = None
    due_date: Moment = None
    metadata: Free


class Subscription(Item):
    status: str
    start_date: Moment = None
    current_period_end: Moment = None
    cancel_at: Moment = None
    ended_at: Moment = None
    metadata: Free


class Listing(Answer, Generic[P]):
    data: list[P]
    has_more: bool = False
    next_page: str | None = None


class Deleted(Answer):
    id: str
    deleted: Literal[True]


# The connector


@connector("stripe")
class Stripe(Changing):
    def __init__(
        self,
        configuration: Configuration,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        key = need(configuration, "key", of="stripe")
        self._http = HttpClient(
            configuration.get("url", "").strip() or URL,
            headers={"Authorization": f"Bearer {key}", "Stripe-Version": VERSION},
            connections=CONNECTIONS,
            timeout=patience(configuration, of="stripe"),
        )
        self._clock = clock
        self._guest_days = _days(configuration.get("guest_days", "").strip())
        self._method_type = configuration.get("method_type", "").strip() or None
        left_out = configuration.get("leave_out", "").replace(",", " ").split()
        if not set(left_out) <= _PARTS:
            raise Misconfigured(f"stripe's 'leave_out' may name: {', '.join(sorted(_PARTS))}")
        self._searches = "search" not in left_out
        self._has_intents = "payment_intents" not in left_out
        self._changes = Changes(self._call, self._certainly_theirs)

    # Find

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """What belongs to a customer, then the customer, then payments made without one."""
        seen: set[str] = set()
        for customer, level in self._customers(person):
            theirs = list(self._of_customer(person, customer, level))
            newest = max((one.since for one in theirs if one.since), default=None)
            for record in theirs:
                # Whoever has come back has come back with the account and the card they pay with.
                stays = record.kind in {"customer", "payment_method"}
                if record.key not in seen:
                    seen.add(record.key)
                    yield replace(record, since=newest) if stays else record
        if person.all(IdentifierKind.EMAIL) and self._guest_days:
            for payment in self._guests():
                if payment.id in seen:
                    continue
                said = (payment.billing_details.email, payment.receipt_email)
                by_address = match_level(person, emails=filter(None, said))
                if by_address is not None:
                    yield _payment(person, payment, by_address)

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        """Every customer, and whoever paid without being one as far back as guests are found."""
        for customer in self._pages("/v1/customers", Listing[Customer], {}):
            yield _reached_by(customer.email, customer.phone)
        if self._guest_days:
            for payment in self._guests():
                yield _reached_by(payment.billing_details.email, None)
                yield _reached_by(payment.receipt_email, None)

    def _guests(self) -> Iterator[Payment]:
        since = int((self._clock() - timedelta(days=self._guest_days)).timestamp())
        return self._pages("/v1/charges", Listing[Payment], {"created[gt]": since})

    def _certainly_theirs(self, person: Person) -> Iterator[str]:
        for customer, (match, _) in self._customers(person):
            if match.is_strong:
                yield customer.id

    def _customers(self, person: Person) -> Iterator[tuple[Customer, Level]]:
        """Listing is exact to the letter and current; searching ignores case and lags behind."""
        seen: set[str] = set()
        for customer in self._candidates(person):
            level = match_level(
                person,
                emails=filter(None, [customer.email]),
                phones=filter(None, [customer.phone]),
                names=filter(None, [customer.name]),
            )
            if level is not None and customer.id not in seen:
                seen.add(customer.id)
                yield customer, level

    def _candidates(self, person: Person) -> Iterator[Customer]:
        emails = person.all(IdentifierKind.EMAIL)
        for email in dict.fromkeys(
            form for e in emails for form in (e.strip(), e.strip().lower(), normal_email(e)) if form
        ):
            yield from self._pages("/v1/customers", Listing[Customer], {"email": email})
        if not self._searches:
            return
        for field, values in (
            ("email", dict.fromkeys(map(normal_email, emails))),
            ("phone", dict.fromkeys(map(normal_phone, person.all(IdentifierKind.PHONE)))),
            ("name", dict.fromkeys(person.all(IdentifierKind.NAME))),
        ):
            for value in filter(None, values):
                yield from self._search(f"{field}:{_quoted(value)}")

    def _of_customer(self, person: Person, customer: Customer, level: Level) -> Iterator[Record]:
        match, matched_by = level
        linked = (Match.LINKED_RECORD if match.is_strong else match), matched_by
        of_customer = {"customer": customer.id}
        subscriptions = list(self._subscriptions(customer.id))
        is_open = any(subscription.status in _OPEN for subscription in subscriptions)
        methods = {**of_customer, "type": self._method_type}
        for method in self._pages("/v1/payment_methods", Listing[Method], methods):
            yield _method(method, linked, is_open=is_open)
        for subscription in subscriptions:
            yield _subscription(subscription, linked)
        for invoice in self._pages("/v1/invoices", Listing[Invoice], of_customer):
            yield _invoice(invoice, linked)
        charged: set[str] = set()
        for payment in self._pages("/v1/charges", Listing[Payment], of_customer):
            charged.add(payment.id)
            yield _payment(person, payment, linked)
        if self._has_intents:
            for payment in self._pages("/v1/payment_intents", Listing[Payment], of_customer):
                charge = payment.latest_charge
                if (charge.id if isinstance(charge, Item) else charge) not in charged:
                    yield _payment(person, payment, linked)
        yield _customer(person, customer, level, is_open=is_open)

    # Erase

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Erase a customer, detach a card, drop a draft; of all else Stripe lets nothing go."""
        if treatment.kind == "customer" and not treatment.anonymise:
            return self._erase_customer(person, treatment.key)
        if treatment.kind == "payment_method" and not treatment.anonymise:
            return self._detach(treatment.key, key=key)
        if treatment.kind == "subscription":
            return self._leave_subscription(treatment.key)
        if treatment.kind == "invoice":
            return self._erase_draft(treatment.key)
        if treatment.kind == "payment":
            return Result(Outcome.RESIDUAL, "cannot-be-erased", (PAYMENTS,))
        raise Refused("stripe can erase a customer or a payment method, not a part of one")

    def _erase_customer(self, person: Person, customer_id: str) -> Result:
        path = {"customer": customer_id}
        response = self._call("GET", "/v1/customers/{customer}", path=path, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            # Stripe never forgets that there was one: this must be another account.
            raise Refused("the account has never heard of the customer: is it the right one?")
        customer = read(Customer, response)
        residuals = self._residuals(customer_id)
        if customer.deleted:
            return Result(Outcome.NOT_FOUND, "already-gone", residuals)
        self._require_theirs(person, customer)
        self._require_no_open_subscription(customer_id)
        response = self._call("DELETE", "/v1/customers/{customer}", path=path, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            return Result(Outcome.NOT_FOUND, "already-gone", residuals)
        read(Deleted, response)
        log_ends = civil_date(self._clock() + timedelta(days=LOG_DAYS))
        log = Residual("vendor-log", "system-log-expires", log_ends)
        return Result(Outcome.ERASED, "customer-deleted", (*residuals, log))

    def _subscriptions(self, customer_id: str) -> Iterator[Subscription]:
        everything = {"customer": customer_id, "status": "all"}
        return self._pages("/v1/subscriptions", Listing[Subscription], everything)

    def _require_no_open_subscription(self, customer_id: str) -> None:
        """Erasing the customer would end it at once, nothing paid back; and it needs its card."""
        if any(subscription.status in _OPEN for subscription in self._subscriptions(customer_id)):
            raise AwaitsPerson("open-subscription")

    def _residuals(self, customer_id: str) -> tuple[Residual, ...]:
        return tuple(
            residual
            for template, residual in (("/v1/charges", PAYMENTS), ("/v1/invoices", INVOICES))
            if self._has_any(template, customer_id)
        )

    def _has_any(self, template: str, customer_id: str) -> bool:
        query = {"customer": customer_id, "limit": 1}
        response = self._call("GET", template, query=query, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            return False
        return bool(read(Listing[Item], response).data)

    def _require_theirs(self, person: Person, customer: Customer) -> None:
        theirs = match_level(
            person,
            emails=filter(None, [customer.email]),
            phones=filter(None, [customer.phone]),
            names=filter(None, [customer.name]),
        )
        if theirs is None:
            raise Refused("the customer has changed since it was found: look again")

    def _detach(self, method_id: str, *, key: str) -> Result:
        path = {"method": method_id}
        response = self._call("GET", "/v1/payment_methods/{method}", path=path, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            return Result(Outcome.NOT_FOUND, "already-gone")
        owner = read(Method, response).customer
        if owner is not None:
            self._require_no_open_subscription(owner)
            response = self._call(
                "POST",
                "/v1/payment_methods/{method}/detach",
                path=path,
                form={},
                headers={"Idempotency-Key": key},
            )
            if read(Method, response).customer is not None:
                raise Refused("a payment method is still attached after detaching")
        return Result(Outcome.RESIDUAL, "detached-for-good", (METHOD,))

    def _leave_subscription(self, subscription_id: str) -> Result:
        response = self._call(
            "GET",
            "/v1/subscriptions/{subscription}",
            path={"subscription": subscription_id},
            expect=(200, 404),
        )
        if response.status == HTTPStatus.NOT_FOUND:
            return Result(Outcome.NOT_FOUND, "already-gone")
        if read(Subscription, response).status in _OPEN:
            raise AwaitsPerson("open-subscription")
        return Result(Outcome.RESIDUAL, "cannot-be-erased", (SUBSCRIPTION,))

    def _erase_draft(self, invoice_id: str) -> Result:
        path = {"invoice": invoice_id}
        response = self._call("GET", "/v1/invoices/{invoice}", path=path, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            return Result(Outcome.NOT_FOUND, "already-gone")
        if read(Invoice, response).status != "draft":
            return Result(Outcome.RESIDUAL, "cannot-be-erased", (INVOICES,))
        read(Deleted, self._call("DELETE", "/v1/invoices/{invoice}", path=path))
        return Result(Outcome.ERASED, "draft-deleted")

    # Suppress

    def suppress(self, person: Person, *, key: str) -> Result:
        """Stripe writes receipts, no marketing; if it is used for that, a person must stop it."""
        raise AwaitsPerson("suppress-by-hand")

    # Calls

    def _pages(
        self, template: str, listing: type[Listing[P]], query: Mapping[str, object]
    ) -> Iterator[P]:
        after: str | None = None
        for _ in range(MOST_PAGES):
            bounds = {"limit": PAGE, "starting_after": after}
            answer = self._call("GET", template, query={**query, **bounds})
            page = read(listing, answer)
            yield from page.data
            if not page.has_more:
                return
            if not page.data or page.data[-1].id == after:
                break
            after = page.data[-1].id
        raise Refused(f"GET {template} never ends")

    def _search(self, query: str) -> Iterator[Customer]:
        place: str | None = None
        for _ in range(MOST_PAGES):
            bounds = {"query": query, "limit": PAGE, "page": place}
            page = read(Listing[Customer], self._call("GET", "/v1/customers/search", query=bounds))
            yield from page.data
            if not page.has_more:
                return
            if not page.next_page or page.next_page == place:
                break
            place = page.next_page
        raise Refused("GET /v1/customers/search never ends")

    def _call(
        self,
        method: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response:
        response = self._http.request(
            method,
            template,
            path=path,
            query=query,
            form=form,
            headers=headers,
            expect=(*expect, HTTPStatus.CONFLICT),
        )
        if response.status == HTTPStatus.CONFLICT:
            raise Unavailable(f"{method} {template} answered 409: the same call is under way")
        return response


def _days(text: str) -> int:
    if not text:
        return GUEST_DAYS
    if not text.isdigit():
        raise Misconfigured("stripe's 'guest_days' is a number of days")
    return int(text)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _money(amount: int | None, currency: str | None) -> str | None:
    if amount is None or currency is None:
        return None
    shown = str(amount) if currency in _WITHOUT_CENTS else f"{Decimal(amount).scaleb(-2):.2f}"
    return f"{shown} {currency.upper()}"


def _card(card: Card | None) -> dict[str, object]:
    return held(card.model_dump()) if card else {}


def _free(values: Mapping[str, object], keep: Iterable[str]) -> dict[str, object]:
    """What the controller wrote there itself; national numbers do not belong to it."""
    return {
        name: mask_national_numbers(value, keep=keep) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _reached_by(email: str | None, phone: str | None) -> tuple[Identifier, ...]:
    said = ((IdentifierKind.EMAIL, email), (IdentifierKind.PHONE, phone))
    return tuple(Identifier(kind, value) for kind, value in said if value)


def _customer(person: Person, customer: Customer, level: Level, *, is_open: bool) -> Record:
    own = person.all(IdentifierKind.NATIONAL_NUMBER)
    match, matched_by = level
    # Stripe writes what the customer has to their credit below zero.
    flags = {"subscription": is_open, "open_balance": (customer.balance or 0) < 0}
    return Record(
        key=customer.id,
        kind="customer",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "email": customer.email,
                "name": customer.name,
                "phone": customer.phone,
                "address": held(customer.address),
                "delivery": held(customer.shipping),
                "description": mask_national_numbers(customer.description or "", keep=own),
                "languages": customer.preferred_locales,
                "balance": _money(customer.balance, customer.currency),
                "notes": _free(customer.metadata, own),
                "created_at": customer.created,
            }
        ),
        anchors=dates(signed_up=customer.created),
        flags=frozenset(name for name, so in flags.items() if so),
        since=customer.created,
    )


def _method(method: Method, level: Level, *, is_open: bool) -> Record:
    match, matched_by = level
    return Record(
        key=method.id,
        kind="payment_method",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "type": method.type,
                "card": _card(method.card),
                "billing": held(method.billing_details.model_dump()),
                "created_at": method.created,
            }
        ),
        flags=frozenset({"subscription"} if is_open else ()),
        since=method.created,
    )


def _subscription(subscription: Subscription, level: Level) -> Record:
    match, matched_by = level
    is_open = subscription.status in _OPEN
    ends = subscription.ended_at or subscription.cancel_at
    return Record(
        key=subscription.id,
        kind="subscription",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "status": subscription.status,
                "started_at": subscription.start_date,
                "paid_until": subscription.current_period_end,
                "ends_at": ends,
                "notes": subscription.metadata,
            }
        ),
        anchors=dates(subscription_ends=ends),
        flags=frozenset({"subscription"} if is_open else ()),
        since=subscription.created or subscription.start_date,
    )


def _invoice(invoice: Invoice, level: Level) -> Record:
    match, matched_by = level
    issued = invoice.status not in {"draft", None}
    return Record(
        key=invoice.id,
        kind="invoice",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "number": invoice.number,
                "status": invoice.status,
                "total": _money(invoice.total, invoice.currency),
                "name": invoice.customer_name,
                "email": invoice.customer_email,
                "phone": invoice.customer_phone,
                "address": held(invoice.customer_address),
                "description": invoice.description,
                "due_at": invoice.due_date,
                "notes": invoice.metadata,
                "created_at": invoice.created,
            }
        ),
        anchors=dates(invoiced=invoice.created, voucher=invoice.created) if issued else {},
        flags=frozenset(
            ({"invoiced"} if issued else set())
            | {"paid": {"paid"}, "open": {"unpaid"}}.get(invoice.status or "", set())
        ),
        since=invoice.created,
    )


def _payment(person: Person, payment: Payment, level: Level) -> Record:
    match, matched_by = level
    own = person.all(IdentifierKind.NATIONAL_NUMBER)
    billed = payment.billing_details
    # Somebody else may have paid on the person's account: the card holder is then not theirs.
    payer = match_level(
        person, emails=filter(None, [billed.email]), names=filter(None, [billed.name])
    )
    foreign = bool(billed.email) and payer is None
    receipt = payment.receipt_email
    foreign_receipt = bool(receipt) and match_level(person, emails=[receipt or ""]) is None
    succeeded = payment.status == "succeeded"
    flags = {
        "paid": succeeded and not payment.refunded,
        "refunded": payment.refunded,
        "failed_payment": payment.status in {"failed", "canceled"},
    }
    return Record(
        key=payment.id,
        kind="payment",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "number": payment.id,
                "amount": _money(payment.amount, payment.currency),
                "refunded": _money(payment.amount_refunded or None, payment.currency),
                "status": payment.status,
                "disputed": payment.disputed or None,
                "description": mask_national_numbers(payment.description or "", keep=own),
                "receipt_number": payment.receipt_number,
                "receipt_sent_to": "***" if foreign_receipt else receipt,
                "on_statement": payment.statement_descriptor,
                "card": _card(
                    details.card if (details := payment.payment_method_details) else None
                ),
                "billing": "***" if foreign else held(billed.model_dump()),
                "delivery": held(payment.shipping),
                "notes": _free(payment.metadata, own),
                "created_at": payment.created,
            }
        ),
        anchors=dates(last_purchase=payment.created, voucher=payment.created) if succeeded else {},
        flags=frozenset(name for name, so in flags.items() if so),
        masked=tuple(
            name
            for name, other in (("billing", foreign), ("receipt_sent_to", foreign_receipt))
            if other
        ),
        since=payment.created,
    )
