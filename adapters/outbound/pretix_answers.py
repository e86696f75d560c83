"""What pretix's REST API answers, as far as it is needed (version 2026.8)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from adapters.outbound.answers import Answer, Instant, Open

R = TypeVar("R", bound=Answer)


class Page(Answer, Generic[R]):
    next: str | None
    results: list[R]


class QuestionAnswer(Answer):
    question_identifier: str
    answer: str


class Seat(Answer):
    name: str


class CheckIn(Answer):
    at: Instant = Field(alias="datetime")
    type: str


class Position(Answer):
    id: int
    positionid: int
    item: int
    variation: int | None
    subevent: int | None
    price: str
    attendee_name: str | None
    attendee_email: str | None
    company: str | None
    street: str | None
    zipcode: str | None
    city: str | None
    country: str | None
    state: str | None
    addon_to: int | None
    answers: list[QuestionAnswer]
    checkins: list[CheckIn]
    seat: Seat | None
    pseudonymization_id: str
    valid_from: Instant | None
    valid_until: Instant | None
    canceled: bool


class FoundPosition(Answer):
    order: str
    event: str
    attendee_name: str | None
    attendee_email: str | None


class Payment(Answer):
    state: str
    amount: str
    created: Instant
    payment_date: Instant | None
    provider: str | None
    details: Open


class Refund(Answer):
    state: str
    source: str
    amount: str
    created: Instant
    execution_date: Instant | None
    provider: str | None
    comment: str | None
    details: Open


class Fee(Answer):
    fee_type: str
    value: str
    description: str


class Address(Answer):
    name: str | None
    company: str | None
    street: str | None
    zipcode: str | None
    city: str | None
    country: str | None
    state: str | None
    vat_id: str | None
    custom_field: str | None
    internal_reference: str | None
    transmission_info: Open


class Order(Answer):
    code: str
    event: str
    status: str
    email: str | None
    phone: str | None
    customer: str | None
    locale: str | None
    bought_at: Instant = Field(alias="datetime")
    cancellation_date: Instant | None
    total: str
    sales_channel: str
    comment: str | None
    checkin_text: str | None
    api_meta: Open
    valid_if_pending: bool
    invoice_address: Address | None
    positions: list[Position]
    fees: list[Fee]
    payments: list[Payment]
    refunds: list[Refund]

    @property
    def buyer(self) -> str | None:
        return (self.invoice_address.name or None) if self.invoice_address else None


class InvoiceLine(Answer):
    position: int | None
    description: str
    attendee_name: str | None
    gross_value: str
    tax_value: str
    tax_rate: str


class Invoice(Answer):
    event: str
    order: str
    number: str
    issued_on: date = Field(alias="date")
    is_cancellation: bool
    invoice_to: str
    invoice_to_company: str | None
    invoice_to_name: str | None
    invoice_to_street: str | None
    invoice_to_zipcode: str | None
    invoice_to_city: str | None
    invoice_to_country: str | None
    invoice_to_vat_id: str | None
    invoice_to_beneficiary: str | None
    lines: list[InvoiceLine]


class Customer(Answer):
    identifier: str
    external_identifier: str | None
    email: str | None
    phone: str | None
    name: str | None
    is_active: bool
    is_verified: bool
    last_login: Instant | None
    date_joined: Instant
    locale: str
    notes: str | None


class Membership(Answer):
    id: int
    customer: str
    membership_type: int
    date_start: Instant
    date_end: Instant
    attendee_name_parts: Open


class GiftCard(Answer):
    id: int
    issuance: Instant
    value: Decimal
    currency: str
    expires: Instant | None
    conditions: str | None
    owner_ticket: int | None


class Medium(Answer):
    id: int
    type: str
    identifier: str
    customer: str | None
    created: Instant
    active: bool
    expires: Instant | None
    label: str | None
    notes: str | None


class Waiting(Answer):
    id: int
    created: Instant
    name: str | None
    email: str | None
    phone: str | None
    item: int
    locale: str | None
    voucher: int | None


class Event(Answer):
    slug: str
    name: dict[str, str]
    date_from: Instant
    date_to: Instant | None
    timezone: str
    meta_data: dict[str, str | None]

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name, or far too long
            return ZoneInfo("UTC")


class SubEvent(Answer):
    date_from: Instant
    date_to: Instant | None


class Variation(Answer):
    id: int
    value: dict[str, str]


class Item(Answer):
    id: int
    name: dict[str, str]
    variations: list[Variation]
