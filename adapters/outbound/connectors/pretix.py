"""Ticket shop pretix: finds and erases what it holds about one person (GDPR Art. 15 and 17).

Buyer, account and attendee can be three different people, so all three are searched. `find`
yields tickets before their order and accounts last: anonymising an account unlinks its orders,
and whoever erases in the order of finding never loses one.

pretix's `X-Idempotency-Key` is left alone: with it pretix keeps its whole answer for a day, which
for an order still shows the address that was just erased, and a refusal for want of a permission
would be repeated after the permission was given. A retry is harmless because `erase` looks first
and changes only what still holds something.

Tickets' and orders' secrets stay out of the person's copy: whoever holds them can enter or change
the order. pretix has no search by phone; a phone number only confirms what was found otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from http import HTTPStatus
from time import sleep
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from adapters.outbound.answers import Answer, civil_date, dates, held, read
from adapters.outbound.changing import Changing
from adapters.outbound.connectors import Configuration, connector, need, patience
from adapters.outbound.http import HttpClient, Response
from adapters.outbound.pretix_answers import (
    Customer,
    Event,
    FoundPosition,
    GiftCard,
    Invoice,
    Item,
    Medium,
    Membership,
    Order,
    Page,
    Position,
    SubEvent,
    Waiting,
)
from adapters.outbound.pretix_changes import Changes
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.matching import match_level, normal_email, normal_name
from services.national_numbers import mask_national_numbers
from services.ports import (
    Clock,
    Identifier,
    Person,
    Record,
    Refused,
    Residual,
    Result,
    Treatment,
    Unavailable,
)

MASKED = "•••"
PAGE_SIZE = 50
MOST_PAGES = 20_000
PAUSES = (60.0, 60.0)
"""How long, and how often, one call waits when pretix says that it is asked too much."""
WITH_CANCELLED = {"include_canceled_positions": "true", "include_canceled_fees": "true"}

LOG_LINES = Residual("log-entry", "vendor-cannot-erase")
INVOICE = Residual("invoice", "bookkeeping")
WAITING = Residual("waiting-list-entry", "vendor-cannot-erase")

BLANKED = "fields-blanked"
"""How a person is taken out of a record that has to stay (AK-15)."""

# Ways of paying that pass nothing on to anybody.
_INTERNAL_PAYMENT = {"free", "manual", "boxoffice", "offsetting", "giftcard"}

_EVER = datetime.min.replace(tzinfo=UTC)

A = TypeVar("A", bound=Answer)


# The person, as pretix's records are compared with


@dataclass(frozen=True, slots=True)
class _Found:
    match: Match
    by: IdentifierKind

    @property
    def is_strong(self) -> bool:
        return self.match.is_strong

    def linked(self) -> _Found:
        """What hangs on a record found so, by pretix's own keys."""
        return replace(self, match=Match.LINKED_RECORD) if self.is_strong else self

    def doubted(self) -> _Found:
        """The identifier is right, but the record carries another name: a person must look."""
        return replace(self, match=Match.UNVERIFIED_IDENTIFIER) if self.is_strong else self


@dataclass(frozen=True, slots=True)
class _Requester:
    person: Person

    @property
    def emails(self) -> list[str]:
        """Every address, as given and in its normal form: pretix compares all but letter case."""
        given = self.said(IdentifierKind.EMAIL)
        return sorted({form for email in given for form in (email.lower(), normal_email(email))})

    @property
    def names(self) -> list[str]:
        return self.said(IdentifierKind.NAME)

    def said(self, kind: IdentifierKind) -> list[str]:
        """Never an empty value: pretix takes an empty search for a wish to see everything."""
        return [value for one in self.person.all(kind) if (value := one.strip())]

    def or_named(self, names: Iterable[str | None]) -> _Requester:
        """Whoever gave no name is called what their own records call them."""
        if self.names:
            return self
        learned = tuple(Identifier(IdentifierKind.NAME, name) for name in names if name)
        return _Requester(Person((*self.person.identifiers, *learned)))

    def is_called(self, name: str | None) -> bool:
        """Whether it is the person's name, with or without a middle name; a first name is not."""
        words = _words(name)
        return any(
            words == own or (len(words & own) > 1 and (words <= own or own <= words))
            for own in map(_words, self.names)
            if words
        )

    def is_not_called(self, name: str | None) -> bool:
        """Whether it is certainly another person's name."""
        words, names = _words(name), [_words(own) for own in self.names]
        return bool(words and names) and not any(w <= words or words <= w for w in names)

    def has_email(self, email: str | None) -> bool:
        return bool(email) and normal_email(email or "") in map(normal_email, self.emails)

    def recognise(
        self,
        *,
        name: str | None,
        email: str | None,
        phone: str | None = None,
        others: Mapping[IdentifierKind, Iterable[str]] | None = None,
    ) -> _Found | None:
        """How a record with these marks matches.

        An address that several people share does not tell them apart, even where control of it
        was proven: under another name it is no strong match.
        """
        level = match_level(
            self.person,
            emails=filter(None, [email]),
            phones=filter(None, [phone]),
            names=filter(None, [name]),
            others=others,
        )
        if level is None:
            return None
        return _Found(*level).doubted() if self.is_not_called(name) else _Found(*level)


def _reached_by(email: str | None, phone: str | None) -> tuple[Identifier, ...]:
    said = ((IdentifierKind.EMAIL, email), (IdentifierKind.PHONE, phone))
    return tuple(Identifier(kind, value) for kind, value in said if value)


def _words(name: str | None) -> set[str]:
    return set(normal_name(name or "").split())


@dataclass(slots=True)
class _Seen:
    """What one search has already asked pretix for."""

    events: dict[str, Event] = field(default_factory=dict)
    items: dict[str, dict[int, Item]] = field(default_factory=dict)
    ends: dict[tuple[str, int | None], datetime] = field(default_factory=dict)


# The connector


@connector("pretix")
class Pretix(Changing):
    """Configuration: `url`, `token` (of a team that may read and change customers, gift cards,
    media and all orders), `organizer`; optionally `special_questions`, the identifiers of
    questions about health and the like, separated by commas (Art. 9), and `organiser_property`,
    the event property that names an outside organiser (default "organiser").
    """

    def __init__(self, configuration: Configuration, *, clock: Clock | None = None) -> None:
        organizer = need(configuration, "organizer", of="pretix")
        self.http = HttpClient(
            need(configuration, "url", of="pretix").rstrip("/"),
            headers={"Authorization": f"Token {need(configuration, 'token', of='pretix')}"},
            timeout=patience(configuration, of="pretix"),
        )
        self.organizer = organizer
        self.clock = clock or (lambda: datetime.now(UTC))
        self.special_questions = {
            identifier.strip()
            for identifier in configuration.get("special_questions", "").split(",")
            if identifier.strip()
        }
        self.organiser_property = configuration.get("organiser_property", "organiser")
        self._changes = Changes(self._send, self.find)

    # Find

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        if not any(map(person.all, IdentifierKind)):
            return
        requester, seen = _Requester(person), _Seen()
        accounts = self._accounts(requester)
        strong = [customer.name for customer, found in accounts.values() if found.is_strong]
        requester = requester.or_named(strong)
        tickets: dict[int, _Found] = {}
        used: dict[str, datetime] = {}
        for order in self._orders(requester, accounts):
            if order.customer:
                used[order.customer] = max(order.bought_at, used.get(order.customer, _EVER))
            yield from self._of_order(order, requester, accounts, seen, tickets)
        yield from self._waiting(requester, seen)
        yield from self._gift_cards(tickets)
        for customer, found in accounts.values():
            last = (customer.date_joined, customer.last_login or _EVER)
            since = max(*last, used.get(customer.identifier, _EVER))
            yield from self._of_account(customer, found, requester, since)

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        """Every account, buyer, attendee and entry of a waiting list, by address and number."""
        for customer in self._pages("/customers/", Page[Customer]):
            number = Identifier(IdentifierKind.CUSTOMER_NUMBER, customer.identifier)
            yield (number, *_reached_by(customer.email, customer.phone))
        for order in self._pages("/orders/", Page[Order], WITH_CANCELLED):
            yield _reached_by(order.email, order.phone)
            for position in order.positions:
                yield _reached_by(position.attendee_email, None)
        for event in self._pages("/events/", Page[Event]):
            path = {"event": event.slug}
            for entry in self._pages(
                "/events/{event}/waitinglistentries/", Page[Waiting], path=path
            ):
                yield _reached_by(entry.email, entry.phone)

    def _accounts(self, requester: _Requester) -> dict[str, tuple[Customer, _Found]]:
        rows = [
            customer
            for email in requester.emails
            for customer in self._pages("/customers/", Page[Customer], {"email": email})
        ]
        for number in requester.said(IdentifierKind.CUSTOMER_NUMBER):
            one = self._one("/customers/{id}/", Customer, {"id": number.upper()})
            rows += [one] if one else []
        return {
            row.identifier: (row, found)
            for row in rows
            if (found := _recognise_customer(row, requester))
        }

    def _orders(self, requester: _Requester, accounts: Iterable[str]) -> list[Order]:
        """Every order in which the person may be buyer, account or attendee, oldest first."""
        codes = filter(None, map(_code, requester.said(IdentifierKind.ORDER_NUMBER)))
        searches = [
            *({"email": email} for email in requester.emails),
            *({"customer": identifier} for identifier in accounts),
            *({"code": code} for code in codes),
            *({"search": name} for name in requester.names),
        ]
        orders = {
            (order.event, order.code): order
            for search in searches
            for order in self._pages("/orders/", Page[Order], search | WITH_CANCELLED)
        }
        for text in [*requester.emails, *requester.names]:
            query = {"search": text} | WITH_CANCELLED
            for row in self._pages("/orderpositions/", Page[FoundPosition], query):
                if (row.event, row.order) not in orders and requester.recognise(
                    email=row.attendee_email, name=row.attendee_name
                ):
                    order = self._order(row.event, row.order)
                    if order:
                        orders[row.event, row.order] = order
        return sorted(orders.values(), key=lambda order: (order.bought_at, order.event, order.code))

    def _of_order(
        self,
        order: Order,
        requester: _Requester,
        accounts: Mapping[str, tuple[Customer, _Found]],
        seen: _Seen,
        tickets: dict[int, _Found],
    ) -> Iterator[Record]:
        found = _recognise_order(order, requester)
        account = accounts.get(order.customer or "")
        if account and (found is None or not found.is_strong):
            found = account[1].linked() if account[1].is_strong else found or account[1]
        if found and found.is_strong:
            requester = requester.or_named([order.buyer])
        own = {
            position.id: ticket
            for position in order.positions
            if (ticket := _ticket(position, order, found, requester))
        }
        tickets |= own
        if found and found.is_strong:
            # A ticket that names nobody (any more) is its buyer's, and so is its gift card.
            unnamed = (p.id for p in order.positions if not any(_attendee(p, order)))
            tickets |= dict.fromkeys(unnamed, found)
        for position in order.positions:
            if position.id in own:
                yield self._ticket_record(position, order, own[position.id], found, seen)
        if found is None:
            return
        clear = {position.id for position in order.positions if not any(_attendee(position, order))}
        clear |= {place for place, ticket in own.items() if ticket.is_strong}
        names = {
            position.attendee_name
            for position in order.positions
            if position.id in clear and position.attendee_name
        }
        invoices = list(self._invoices(order.event, order.code))
        for invoice in invoices:
            record = self._invoice_record(invoice, found, requester, names)
            yield replace(record, since=order.bought_at)
        record = self._order_record(order, found, requester, clear, seen)
        yield replace(record, flags=record.flags | {"invoiced"}) if invoices else record

    def _ticket_record(
        self,
        position: Position,
        order: Order,
        found: _Found,
        order_found: _Found | None,
        seen: _Seen,
    ) -> Record:
        fields = {"order": order.code, **self._position_fields(position, order, seen)}
        bought_by_another = order_found is None or not order_found.is_strong
        return _record(
            f"ticket:{order.event}/{position.id}",
            found,
            {**fields, "buyer": MASKED} if bought_by_another else fields,
            anchors=self._anchors(order, [position], seen),
            flags=self._flags(order, [position], seen),
            recipients=self._organiser(order.event, seen),
            masked=("buyer",) if bought_by_another else (),
            since=order.bought_at,
        )

    def _order_record(
        self,
        order: Order,
        found: _Found,
        requester: _Requester,
        clear: set[int],
        seen: _Seen,
    ) -> Record:
        event = self._event(order.event, seen)
        fields = order.model_dump(mode="json", exclude={"positions", "code"})
        masked = _mask_numbers_of_others(fields, ("comment", "checkin_text"), requester)
        if found.is_strong and requester.is_not_called(order.buyer):
            fields["invoice_address"] = MASKED
            masked.append("invoice_address")
        positions = []
        for index, position in enumerate(order.positions):
            shown = self._position_fields(position, order, seen)
            if position.id not in clear:
                for name in (*_OF_ATTENDEE, "check_ins", "pseudonymization_id"):
                    if name in shown:
                        shown[name] = MASKED
                        masked.append(f"positions.{index}.{name}")
            positions.append(shown)
        own = [position for position in order.positions if position.id in clear]
        providers = {
            part
            for payment in order.payments
            if payment.provider and payment.provider not in _INTERNAL_PAYMENT
            for part in payment.provider.split("_")
        }
        return _record(
            f"order:{order.event}/{order.code}",
            found,
            {
                "order": order.code,
                **fields,
                "event_name": _text(event.name, order.locale),
                "positions": positions,
            },
            anchors=self._anchors(order, order.positions, seen),
            flags=self._flags(order, own, seen) | self._open(order, order.positions, seen),
            recipients=(*sorted(providers), *self._organiser(order.event, seen)),
            masked=tuple(masked),
            since=order.bought_at,
        )

    def _invoice_record(
        self, invoice: Invoice, found: _Found, requester: _Requester, clear_names: set[str]
    ) -> Record:
        fields = invoice.model_dump(mode="json")
        masked = []
        for index, line in enumerate(invoice.lines):
            name = line.attendee_name
            if name and name not in clear_names and not requester.is_called(name):
                fields["lines"][index] |= {
                    "attendee_name": MASKED,
                    "description": line.description.replace(name, MASKED),
                }
                masked += [f"lines.{index}.attendee_name", f"lines.{index}.description"]
        if requester.is_not_called(invoice.invoice_to_name):
            found = found.doubted()
        return _record(
            f"invoice:{invoice.event}/{invoice.number}",
            found.linked(),
            fields,
            anchors={"invoiced": invoice.issued_on, "last_purchase": invoice.issued_on},
            masked=tuple(masked),
        )

    def _waiting(self, requester: _Requester, seen: _Seen) -> Iterator[Record]:
        # pretix compares a waiting list's addresses letter by letter, so the lists are
        # read whole and compared here.
        for event in self._pages("/events/", Page[Event]):
            seen.events[event.slug] = event
            for entry in self._pages(
                "/events/{event}/waitinglistentries/", Page[Waiting], path={"event": event.slug}
            ):
                found = requester.recognise(email=entry.email, phone=entry.phone, name=entry.name)
                if found is None:
                    continue
                fields = entry.model_dump(mode="json", exclude={"item", "voucher"})
                item = self._items(event.slug, seen).get(entry.item)
                yield _record(
                    f"waiting_list:{event.slug}/{entry.id}",
                    found,
                    {
                        **fields,
                        "event": event.slug,
                        "event_name": _text(event.name, entry.locale),
                        "product": _text(item.name, entry.locale) if item else None,
                    },
                    anchors=dates(last_form_registration=entry.created, signed_up=entry.created),
                    flags={"voucher_sent"} if entry.voucher else set(),
                    recipients=self._organiser(event.slug, seen),
                    since=entry.created,
                )

    def _gift_cards(self, tickets: Mapping[int, _Found]) -> Iterator[Record]:
        if not tickets:
            return
        for card in self._pages("/giftcards/", Page[GiftCard]):
            if card.owner_ticket is None or card.owner_ticket not in tickets:
                continue
            yield _record(
                f"giftcard:{card.id}",
                tickets[card.owner_ticket].linked(),
                card.model_dump(mode="json"),
                anchors=dates(last_purchase=card.issuance),
                flags={"open_balance"} if card.value > 0 else set(),
                since=card.issuance,
            )

    def _of_account(
        self, customer: Customer, found: _Found, requester: _Requester, since: datetime
    ) -> Iterator[Record]:
        mine = {"customer": customer.identifier}
        for membership in self._pages("/memberships/", Page[Membership], mine):
            running = membership.date_end > self.clock()
            yield _record(
                f"membership:{membership.id}",
                found.linked(),
                membership.model_dump(mode="json"),
                anchors=dates(subscription_ends=membership.date_end),
                flags={"subscription"} if running else set(),
                since=since,
            )
        for medium in self._pages("/reusablemedia/", Page[Medium], mine):
            shown = medium.model_dump(mode="json")
            yield _record(f"medium:{medium.id}", found.linked(), shown, since=since)
        fields = customer.model_dump(mode="json")
        masked = _mask_numbers_of_others(fields, ("notes",), requester)
        yield _record(
            f"customer:{customer.identifier}",
            found,
            fields,
            anchors=dates(
                last_form_registration=customer.date_joined, last_contact=customer.last_login
            ),
            masked=tuple(masked),
            since=since,
        )

    def _position_fields(self, position: Position, order: Order, seen: _Seen) -> dict[str, Any]:
        event = self._event(order.event, seen)
        item = self._items(order.event, seen).get(position.item)
        variation = next(
            (v for v in (item.variations if item else []) if v.id == position.variation), None
        )
        fields = {
            **position.model_dump(
                mode="json",
                exclude={"item", "variation", "subevent", "addon_to", "answers", "checkins"},
            ),
            "event": order.event,
            "event_name": _text(event.name, order.locale),
            "ends_at": self._end(position, order, seen).isoformat(),
            "product": _text(item.name, order.locale) if item else None,
            "variation": _text(variation.value, order.locale) if variation else None,
            "answers": [answer.model_dump(mode="json") for answer in position.answers],
            "check_ins": [check_in.model_dump(mode="json") for check_in in position.checkins],
        }
        return held(fields)

    def _anchors(self, order: Order, positions: Sequence[Position], seen: _Seen) -> dict[str, date]:
        zone = self._event(order.event, seen).zone
        bought = civil_date(order.bought_at, zone)
        ends = [civil_date(self._end(p, order, seen), zone) for p in positions if not p.canceled]
        if order.cancellation_date:
            ends = [civil_date(order.cancellation_date, zone)]
        return {
            "order_placed": bought,
            "last_purchase": bought,
            "order_completed": max([bought, *ends]),
        }

    def _flags(self, order: Order, own: Sequence[Position], seen: _Seen) -> set[str]:
        payments = {payment.state for payment in order.payments}
        refunds = {refund.state for refund in order.refunds}
        paid = order.status == "p" or payments & {"confirmed", "refunded"}
        facts = {
            "paid": paid,
            "unpaid": not paid,
            "cancelled": order.status in {"c", "e"},
            "failed_payment": not paid and "failed" in payments,
            "refunded": "done" in refunds,
            "refund_open": refunds & {"created", "transit", "external"},
            "special_category": any(
                answer.question_identifier in self.special_questions
                for position in own
                for answer in position.answers
            ),
        }
        return {flag for flag, is_so in facts.items() if is_so} | self._open(order, own, seen)

    def _open(self, order: Order, positions: Sequence[Position], seen: _Seen) -> set[str]:
        if not (order.status == "p" or (order.status == "n" and order.valid_if_pending)):
            return set()
        zone = self._event(order.event, seen).zone
        today = civil_date(self.clock(), zone)
        is_open = any(
            not position.canceled and civil_date(self._end(position, order, seen), zone) >= today
            for position in positions
        )
        return {"open_ticket"} if is_open else set()

    def _end(self, position: Position, order: Order, seen: _Seen) -> datetime:
        if position.valid_until:
            return position.valid_until
        place = order.event, position.subevent
        if place not in seen.ends:
            when: Event | SubEvent | None = self._event(order.event, seen)
            if position.subevent is not None:
                at = {"event": order.event, "id": str(position.subevent)}
                when = self._one("/events/{event}/subevents/{id}/", SubEvent, at) or when
            assert when is not None
            seen.ends[place] = when.date_to or when.date_from
        return seen.ends[place]

    def _event(self, slug: str, seen: _Seen) -> Event:
        if slug not in seen.events:
            event = self._one("/events/{event}/", Event, {"event": slug})
            if event is None:
                raise Refused("pretix has an order of an event it does not show")
            seen.events[slug] = event
        return seen.events[slug]

    def _items(self, event: str, seen: _Seen) -> dict[int, Item]:
        if event not in seen.items:
            items = self._pages("/events/{event}/items/", Page[Item], path={"event": event})
            seen.items[event] = {item.id: item for item in items}
        return seen.items[event]

    def _organiser(self, event: str, seen: _Seen) -> tuple[str, ...]:
        named = self._event(event, seen).meta_data.get(self.organiser_property)
        return (named,) if named else ()

    # Erase

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Blank, anonymise or delete one record; `Refused` when it now names somebody else."""
        kind, _, place = treatment.key.partition(":")
        event, _, name = place.partition("/") if "/" in place else ("", "", place)
        result = self._erase(kind, event, name, _Requester(person), set(treatment.keep_fields))
        if result.outcome is Outcome.NOT_FOUND:
            self._require_event(event)
        return result

    def _erase(
        self, kind: str, event: str, name: str, requester: _Requester, keep: set[str]
    ) -> Result:
        match kind:
            case "ticket":
                return self._erase_ticket(event, name, requester, keep)
            case "order":
                return self._erase_order(event, name, requester, keep)
            case "invoice":
                return self._erase_invoice(event, name)
            case "waiting_list":
                return self._erase_waiting(event, name, requester)
            case "customer":
                return self._erase_customer(name, requester)
            case "giftcard":
                return self._blank("/giftcards/{id}/", GiftCard, name, keep)
            case "medium":
                return self._blank("/reusablemedia/{id}/", Medium, name, keep)
            case "membership":
                return self._blank("/memberships/{id}/", Membership, name, keep)
        raise Refused("pretix has no records of this kind")

    def _erase_ticket(
        self, event: str, number: str, requester: _Requester, keep: set[str]
    ) -> Result:
        path = {"event": event, "id": number}
        position = self._one(_POSITION, Position, path, WITH_CANCELLED)
        if position is None:
            return Result(Outcome.NOT_FOUND)
        changes = _blanks(position, _OF_ATTENDEE, keep)
        if not changes:
            return _already(LOG_LINES)
        _require_theirs(requester, position.attendee_name, position.attendee_email)
        self._send("PATCH", _POSITION, path, WITH_CANCELLED, json=changes)
        return Result(Outcome.ANONYMISED, BLANKED, residuals=(LOG_LINES,))

    def _erase_order(self, event: str, code: str, requester: _Requester, keep: set[str]) -> Result:
        """The buyer's part of an order; tickets that name an attendee are records of their own."""
        order = self._order(event, code)
        if order is None:
            return Result(Outcome.NOT_FOUND)
        residuals = (LOG_LINES, *([INVOICE] if any(self._invoices(event, code)) else []))
        changes = _blanks(order, _OF_BUYER, keep)
        if "invoice_address" in changes and not self._is_address_theirs(order, requester):
            del changes["invoice_address"]
        unnamed = {
            str(position.id): blanks
            for position in order.positions
            if "positions" not in keep
            and not any(_attendee(position, order))
            and (blanks := _blanks(position, _OF_ATTENDEE, keep))
        }
        for number, blanks in unnamed.items():
            path = {"event": event, "id": number}
            self._send("PATCH", _POSITION, path, WITH_CANCELLED, json=blanks)
        if changes:
            path = {"event": event, "code": code}
            self._send("PATCH", _ORDER, path, json=changes)
        if not changes and not unnamed:
            return _already(*residuals)
        return Result(Outcome.ANONYMISED, BLANKED, residuals=residuals)

    def _is_address_theirs(self, order: Order, requester: _Requester) -> bool:
        """Whether the invoice address goes with the person, or belongs to somebody they paid for.

        An order that neither names nor reaches the person any more is not touched at all.
        """
        if not requester.is_not_called(order.buyer):
            return True
        accounts = self._accounts(requester)
        if order.customer in accounts and accounts[order.customer][1].is_strong:
            return False
        if _recognise_order(order, requester):
            return True
        if order.email:
            raise Refused("the order now names somebody else")
        return False

    def _erase_invoice(self, event: str, number: str) -> Result:
        # Invoices are a matter of bookkeeping: pretix erases them only for a whole event.
        path = {"event": event, "number": number}
        if self._one("/events/{event}/invoices/{number}/", Invoice, path) is None:
            return Result(Outcome.NOT_FOUND)
        return Result(Outcome.RESIDUAL, residuals=(INVOICE,))

    def _erase_waiting(self, event: str, number: str, requester: _Requester) -> Result:
        path, template = {"event": event, "id": number}, "/events/{event}/waitinglistentries/{id}/"
        entry = self._one(template, Waiting, path)
        if entry is None:
            return Result(Outcome.NOT_FOUND)
        _require_theirs(requester, entry.name, entry.email)
        if entry.voucher is not None:
            # pretix neither changes nor deletes an entry that was answered with a voucher.
            return Result(Outcome.RESIDUAL, residuals=(WAITING,))
        self._send("DELETE", template, path, expect=(204, 404))
        return Result(Outcome.ERASED)

    def _erase_customer(self, identifier: str, requester: _Requester) -> Result:
        path = {"id": identifier}
        customer = self._one("/customers/{id}/", Customer, path)
        if customer is None:
            return Result(Outcome.NOT_FOUND)
        if not customer.email and not customer.name and not customer.is_active:
            return _already()
        if _recognise_customer(customer, requester) is None:
            _require_theirs(requester, customer.name, customer.email)
        self._send("POST", "/customers/{id}/anonymize/", path, json={})
        return Result(Outcome.ANONYMISED, "anonymised-by-pretix")

    def _blank(self, template: str, model: type[A], number: str, keep: set[str]) -> Result:
        thing = self._one(template, model, {"id": number})
        if thing is None:
            return Result(Outcome.NOT_FOUND)
        changes = _blanks(thing, _OF_OWNER[model], keep)
        if not changes:
            return _already(LOG_LINES)
        self._send("PATCH", template, {"id": number}, json=changes)
        return Result(Outcome.ANONYMISED, BLANKED, residuals=(LOG_LINES,))

    # Suppress

    def suppress(self, person: Person, *, key: str) -> Result:
        """pretix keeps no mailing list and no consent to one, so there is nothing to stop."""
        return Result(Outcome.NOT_FOUND, detail="no-mailing-list")

    # Calls

    def _order(self, event: str, code: str) -> Order | None:
        return self._one(_ORDER, Order, {"event": event, "code": code}, WITH_CANCELLED)

    def _invoices(self, event: str, code: str) -> Iterator[Invoice]:
        yield from self._pages(
            "/events/{event}/invoices/", Page[Invoice], {"order": code}, {"event": event}
        )

    def _one(
        self,
        template: str,
        model: type[A],
        path: Mapping[str, str],
        query: Mapping[str, object] | None = None,
    ) -> A | None:
        response = self._send("GET", template, path, query, expect=(200, 404))
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        return read(model, response)

    def _require_event(self, slug: str) -> None:
        """What is not there is gone only where its event is there still: events are renamed."""
        if slug and self._one("/events/{event}/", Event, {"event": slug}) is None:
            raise Refused("the event of the record is not there any more")

    def _pages(
        self,
        template: str,
        page: type[Page[A]],
        query: Mapping[str, object] | None = None,
        path: Mapping[str, str] | None = None,
    ) -> Iterator[A]:
        """Every row of every page. A `next` link says only which page, never where to ask."""
        number = 1
        for _ in range(MOST_PAGES):
            asked = {**(query or {}), "page_size": PAGE_SIZE, "page": number}
            answer = read(page, self._send("GET", template, path, asked))
            yield from answer.results
            if answer.next is None:
                return
            following = _page_number(answer.next)
            if following <= number:
                raise Refused(f"the pages of {template} run in a circle")
            number = following
        raise Refused(f"GET {template} never ends")

    def _send(
        self,
        method: str,
        template: str,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        *,
        json: object | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response:
        pauses = iter(PAUSES)
        while True:
            try:
                return self.http.request(
                    method,
                    "/api/v1/organizers/{organizer}" + template,
                    path={"organizer": self.organizer, **(path or {})},
                    query=query,
                    json=json,
                    expect=expect,
                )
            except Unavailable as problem:
                # A search that began anew after every pause would never end in a large shop.
                if problem.retry_after is None or problem.retry_after > next(pauses, -1.0):
                    raise
                sleep(problem.retry_after)


_ORDER = "/events/{event}/orders/{code}/"
_POSITION = "/events/{event}/orderpositions/{id}/"

# What to write over each field that holds something; pretix takes a name apart.
_OF_ATTENDEE: Mapping[str, tuple[str, object]] = {
    "attendee_name": ("attendee_name_parts", {}),
    "attendee_email": ("attendee_email", None),
    "company": ("company", None),
    "street": ("street", None),
    "zipcode": ("zipcode", None),
    "city": ("city", None),
    "country": ("country", ""),
    "state": ("state", None),
    "answers": ("answers", []),
}
_OF_BUYER: Mapping[str, tuple[str, object]] = {
    "email": ("email", None),
    "phone": ("phone", None),
    "comment": ("comment", ""),
    "checkin_text": ("checkin_text", ""),
    "api_meta": ("api_meta", {}),
    "invoice_address": ("invoice_address", None),
}
_OF_OWNER: Mapping[type[Answer], Mapping[str, tuple[str, object]]] = {
    GiftCard: {"owner_ticket": ("owner_ticket", None), "conditions": ("conditions", None)},
    Medium: {
        "customer": ("customer", None),
        "label": ("label", None),
        "notes": ("notes", None),
    },
    Membership: {"attendee_name_parts": ("attendee_name_parts", {})},
}


def _blanks(
    thing: Answer, blanks: Mapping[str, tuple[str, object]], keep: set[str]
) -> dict[str, object]:
    """The changes that empty `thing`, without what is empty already or must stay."""
    return {
        target: blank
        for name, (target, blank) in blanks.items()
        if name not in keep and getattr(thing, name)
    }


def _already(*residuals: Residual) -> Result:
    return Result(Outcome.ANONYMISED, detail="already-blank", residuals=residuals)


def _require_theirs(requester: _Requester, name: str | None, email: str | None) -> None:
    """Tickets change hands: what names somebody else since it was found is left alone."""
    if requester.has_email(email):
        return
    if requester.is_not_called(name) or (email and not requester.is_called(name)):
        raise Refused("the record now names somebody else")


# Reading


def _recognise_customer(customer: Customer, requester: _Requester) -> _Found | None:
    return requester.recognise(
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        others={IdentifierKind.CUSTOMER_NUMBER: [customer.identifier]},
    )


def _recognise_order(order: Order, requester: _Requester) -> _Found | None:
    written = [order.code, f"#{order.code}", f"{order.event}-{order.code}"]
    return requester.recognise(
        name=order.buyer,
        email=order.email,
        phone=order.phone,
        others={IdentifierKind.ORDER_NUMBER: written},
    )


def _code(number: str) -> str:
    """An order's code as pretix knows it: people copy it with its event in front, or a hash."""
    return number.strip().lstrip("#").rsplit("-", 1)[-1].upper()


def _attendee(position: Position, order: Order) -> tuple[str | None, str | None]:
    """Whose ticket it is: an add-on belongs to whoever has the ticket it was added to."""
    if position.attendee_name or position.attendee_email or position.addon_to is None:
        return position.attendee_name or None, position.attendee_email or None
    parent = next((p for p in order.positions if p.id == position.addon_to), None)
    return (parent.attendee_name or None, parent.attendee_email or None) if parent else (None, None)


def _ticket(
    position: Position, order: Order, found: _Found | None, requester: _Requester
) -> _Found | None:
    """How a ticket matches, by its own attendee or through the order it stands in."""
    name, email = _attendee(position, order)
    ticket = requester.recognise(email=email, name=name)
    if found is None or not found.is_strong or not (name or email):
        return ticket
    if ticket and ticket.is_strong:
        return ticket
    if requester.is_called(name) and (not email or requester.has_email(email)):
        return found.linked()
    if not email and not requester.is_not_called(name):
        # A name in their own order that may or may not be theirs.
        return _Found(Match.UNVERIFIED_IDENTIFIER, found.by)
    return ticket


def _record(
    key: str,
    found: _Found,
    fields: Mapping[str, object],
    *,
    anchors: Mapping[str, date] | None = None,
    flags: Iterable[str] = (),
    recipients: tuple[str, ...] = (),
    masked: tuple[str, ...] = (),
    since: datetime | None = None,
) -> Record:
    clear = held(fields)
    shown = {name: _without_card_numbers(value) for name, value in clear.items()}
    if shown != clear:
        flags = {*flags, "full_card_number"}
    return Record(
        key=key,
        kind=key.partition(":")[0],
        match=found.match,
        matched_by=found.by,
        fields=shown,
        anchors=anchors or {},
        flags=frozenset(flags),
        recipients=recipients,
        masked=masked,
        since=since,
    )


def _mask_numbers_of_others(
    fields: dict[str, Any], written_by_staff: Iterable[str], requester: _Requester
) -> list[str]:
    """Mask national numbers in what staff wrote, unless it is the person's own."""
    own = requester.person.all(IdentifierKind.NATIONAL_NUMBER)
    masked = []
    for name in written_by_staff:
        text = fields[name] or ""
        fields[name] = mask_national_numbers(text, keep=own)
        if fields[name] != text:
            masked.append(name)
    return masked


_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")


def _without_card_numbers(value: object) -> object:
    """The same value with every payment card number cut to its last four digits."""
    if isinstance(value, str):
        return _CARD.sub(lambda number: _last_four(number.group()), value)
    if isinstance(value, Mapping):
        return {name: _without_card_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_card_numbers(inner) for inner in value]
    return value


def _last_four(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    is_card = sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0
    return f"{MASKED} {digits[-4:]}" if is_card else number


def _text(words: Mapping[str, str], locale: str | None) -> str:
    """A text in the language of the order, or in any that pretix has."""
    return words.get(locale or "") or next(iter(words.values()), "")


def _page_number(link: str) -> int:
    try:
        return int(parse_qs(urlsplit(link).query)["page"][0])
    except (ValueError, LookupError):
        raise Refused("pretix links to a next page without a number") from None
