"""A double of the pretix API (2026.8), as the real server answers it: one organizer's shop.

Like the real one it compares addresses without regard to letter case except on waiting lists,
searches names anywhere in an order, unlinks the orders of an account that is anonymised, and
never lets go of an invoice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import urlencode

from adapters.demo.doubles.server import Call, Double, Reply, route

JsonObject = dict[str, Any]

ORGANIZER = "demo"
TOKEN = "demo" * 16

_SMALLEST_PAGE = 1
_PAGE = 50


class PretixDouble(Double):
    prefix = f"/api/v1/organizers/{ORGANIZER}"
    kept = (
        *("customers", "events", "items", "orders", "invoices"),
        *("waiting", "gift_cards", "memberships", "media", "last_number"),
    )

    def __init__(
        self, *, token: str = TOKEN, currency: str = "NOK", keep_exchanges: bool = False
    ) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.token = token
        self.currency = currency
        self.customers: dict[str, JsonObject] = {}
        self.events: dict[str, JsonObject] = {}
        self.items: dict[str, list[JsonObject]] = {}
        self.orders: dict[tuple[str, str], JsonObject] = {}
        self.invoices: dict[tuple[str, str], JsonObject] = {}
        self.waiting: dict[tuple[str, int], JsonObject] = {}
        self.gift_cards: dict[int, JsonObject] = {}
        self.memberships: dict[int, JsonObject] = {}
        self.media: dict[int, JsonObject] = {}
        self.last_number = 0

    @property
    def configuration(self) -> dict[str, str]:
        """What a connector needs to know."""
        url = self.url.removesuffix(self.prefix)
        return {"url": url, "token": self.token, "organizer": ORGANIZER}

    # Filling

    def add_event(
        self,
        slug: str,
        name: str,
        *,
        starts: datetime,
        ends: datetime,
        products: Mapping[str, str],
        organiser: str | None = None,
    ) -> None:
        """An event; `products` are names with prices. `organiser`: somebody else holds it."""
        self.events[slug] = {
            "name": {"en": name},
            "slug": slug,
            "live": True,
            "testmode": False,
            "currency": self.currency,
            "date_from": starts.isoformat(),
            "date_to": ends.isoformat(),
            "timezone": "Europe/Oslo",
            "has_subevents": False,
            "meta_data": {"organiser": organiser} if organiser else {},
        }
        self.items[slug] = [
            {
                "id": self._number(),
                "name": {"en": product},
                "default_price": price,
                "variations": [],
            }
            for product, price in products.items()
        ]

    def add_customer(self, identifier: str, name: str, email: str, **fields: object) -> str:
        self.customers[identifier] = {
            "identifier": identifier,
            "external_identifier": None,
            "email": email,
            "phone": None,
            "name": name,
            "name_parts": _name(name),
            "is_active": True,
            "is_verified": True,
            "last_login": None,
            "date_joined": "2024-01-15T09:00:00Z",
            "locale": "en",
            "notes": None,
            **fields,
        }
        return identifier

    def add_order(
        self,
        event: str,
        code: str,
        email: str,
        *,
        bought_at: datetime,
        tickets: Iterable[Mapping[str, object]],
        buyer: str | None = None,
        street: str = "",
        city: str = "",
        country: str = "NO",
        provider: str = "stripe",
        status: str = "p",
        **fields: object,
    ) -> JsonObject:
        """An order; each ticket may say `name`, `email` and whatever else a position has."""
        price = self.items[event][0]["default_price"]
        positions = [
            self._position(event, code, place, price, ticket)
            for place, ticket in enumerate(tickets, start=1)
        ]
        total = f"{float(price) * len(positions):.2f}"
        paid = status == "p"
        order = {
            "code": code,
            "event": event,
            "status": status,
            "testmode": False,
            "email": email,
            "phone": None,
            "customer": None,
            "locale": "en",
            "datetime": bought_at.isoformat(),
            "cancellation_date": None,
            "total": total,
            "sales_channel": "web",
            "comment": "",
            "checkin_text": None,
            "api_meta": {},
            "valid_if_pending": False,
            "invoice_address": _address(buyer, street, city, country) if buyer else None,
            "positions": positions,
            "fees": [],
            "payments": [
                {
                    "local_id": 1,
                    "state": "confirmed" if paid else "failed",
                    "amount": total,
                    "created": bought_at.isoformat(),
                    "payment_date": bought_at.isoformat() if paid else None,
                    "provider": provider,
                    "payment_url": None,
                    "details": {},
                }
            ],
            "refunds": [],
            **fields,
        }
        self.orders[event, code] = order
        return order

    def add_invoice(self, event: str, code: str, number: str) -> None:
        """The invoice of an order, as it stands now."""
        order = self.orders[event, code]
        address = order["invoice_address"] or _address("", "", "", "NO")
        lines = [address["name"], address["street"], f"{address['zipcode']} {address['city']}"]
        self.invoices[event, number] = {
            "event": event,
            "order": code,
            "number": number,
            "date": order["datetime"][:10],
            "is_cancellation": False,
            "invoice_to": "\n".join(lines),
            "invoice_to_company": "",
            "invoice_to_name": address["name"],
            "invoice_to_street": address["street"],
            "invoice_to_zipcode": address["zipcode"],
            "invoice_to_city": address["city"],
            "invoice_to_country": address["country"],
            "invoice_to_vat_id": None,
            "invoice_to_beneficiary": "",
            "lines": [
                {
                    "position": position["positionid"],
                    "description": f"Ticket<br />Attendee: {position['attendee_name'] or ''}",
                    "attendee_name": position["attendee_name"],
                    "gross_value": position["price"],
                    "tax_value": "0.00",
                    "tax_rate": "0.00",
                }
                for position in order["positions"]
            ],
        }

    def add_waiting(self, event: str, name: str, email: str, *, created: datetime) -> None:
        number = self._number()
        self.waiting[event, number] = {
            "id": number,
            "created": created.isoformat(),
            "name": name,
            "name_parts": _name(name),
            "email": email,
            "phone": None,
            "voucher": None,
            "item": self.items[event][0]["id"],
            "locale": "en",
        }

    def add_gift_card(self, ticket: int, *, value: str, issued: datetime, conditions: str) -> None:
        number = self._number()
        self.gift_cards[number] = {
            "id": number,
            "issuance": issued.isoformat(),
            "value": value,
            "currency": self.currency,
            "expires": None,
            "conditions": conditions,
            "owner_ticket": ticket,
        }

    def add_membership(self, customer: str, name: str, *, starts: datetime, ends: datetime) -> None:
        number = self._number()
        self.memberships[number] = {
            "id": number,
            "customer": customer,
            "membership_type": 1,
            "date_start": starts.isoformat(),
            "date_end": ends.isoformat(),
            "attendee_name_parts": _name(name),
        }

    def add_medium(self, customer: str, identifier: str, *, created: datetime) -> None:
        number = self._number()
        self.media[number] = {
            "id": number,
            "type": "barcode",
            "identifier": identifier,
            "customer": customer,
            "created": created.isoformat(),
            "active": True,
            "expires": None,
            "label": None,
            "notes": None,
        }

    # Customers

    @route("GET", "/customers/")
    def _customers(self, call: Call) -> Reply:
        email = call.one("email").lower()
        found = [c for c in self.customers.values() if email in {"", (c["email"] or "").lower()}]
        return self._page(call, found)

    @route("GET", "/customers/{id}/")
    def _customer(self, call: Call) -> Reply:
        return _one(self.customers.get(call.names["id"]), "Customer")

    @route("PATCH", "/customers/{id}/")
    def _patch_customer(self, call: Call) -> Reply:
        customer, changes = self.customers.get(call.names["id"]), call.json()
        if customer is not None and "name_parts" in changes:
            customer["name"] = changes["name_parts"].get("full_name", "")
        return _patched(customer, call, "Customer")

    @route("POST", "/customers/{id}/anonymize/")
    def _anonymize(self, call: Call) -> Reply:
        customer = self.customers.get(call.names["id"])
        if customer is None:
            return _one(None, "Customer")
        blank: JsonObject = dict.fromkeys(("external_identifier", "email", "phone", "notes"))
        customer.update(blank, name="", name_parts={}, is_active=False, is_verified=False)
        for order in self.orders.values():
            if order["customer"] == customer["identifier"]:
                order["customer"] = None
        return Reply(content=customer)

    # Orders

    @route("GET", "/orders/")
    def _orders(self, call: Call) -> Reply:
        return self._page(call, [o for o in self.orders.values() if _matches(o, call)])

    @route("GET", "/events/{event}/orders/{code}/")
    def _order(self, call: Call) -> Reply:
        return _one(self.orders.get((call.names["event"], call.names["code"])), "Order")

    @route("PATCH", "/events/{event}/orders/{code}/")
    def _patch_order(self, call: Call) -> Reply:
        return _patched(self.orders.get((call.names["event"], call.names["code"])), call, "Order")

    @route("GET", "/orderpositions/")
    def _positions(self, call: Call) -> Reply:
        words = call.one("search").lower()
        found = [
            {**position, "event": order["event"]}
            for order in self.orders.values()
            for position in order["positions"]
            if words in _searchable(order, [position])
        ]
        return self._page(call, found)

    @route("GET", "/events/{event}/orderpositions/{id}/")
    def _position_of(self, call: Call) -> Reply:
        return _one(self._find_position(call), "OrderPosition")

    @route("PATCH", "/events/{event}/orderpositions/{id}/")
    def _patch_position(self, call: Call) -> Reply:
        position = self._find_position(call)
        changes = call.json()
        if position is not None and "attendee_name_parts" in changes:
            name = changes["attendee_name_parts"].get("full_name")
            position["attendee_name"] = name
        return _patched(position, call, "OrderPosition")

    # Events and what belongs to them

    @route("GET", "/events/")
    def _events(self, call: Call) -> Reply:
        return self._page(call, list(self.events.values()))

    @route("GET", "/events/{event}/")
    def _event(self, call: Call) -> Reply:
        return _one(self.events.get(call.names["event"]), "Event")

    @route("GET", "/events/{event}/items/")
    def _items(self, call: Call) -> Reply:
        return self._page(call, self.items.get(call.names["event"], []))

    @route("GET", "/events/{event}/invoices/")
    def _invoices(self, call: Call) -> Reply:
        code = call.one("order")
        return self._page(call, [i for i in _in(call, self.invoices) if code in {"", i["order"]}])

    @route("GET", "/events/{event}/invoices/{number}/")
    def _invoice(self, call: Call) -> Reply:
        return _one(self.invoices.get((call.names["event"], call.names["number"])), "Invoice")

    @route("GET", "/events/{event}/waitinglistentries/")
    def _waiting_list(self, call: Call) -> Reply:
        email = call.one("email")
        found = [w for w in _in(call, self.waiting) if email in {"", w["email"]}]
        return self._page(call, found)

    @route("GET", "/events/{event}/waitinglistentries/{id}/")
    def _waiting_entry(self, call: Call) -> Reply:
        return _one(self.waiting.get(_place(call)), "WaitingListEntry")

    @route("DELETE", "/events/{event}/waitinglistentries/{id}/")
    def _leave_waiting_list(self, call: Call) -> Reply:
        gone = self.waiting.pop(_place(call), None)
        return _one(None, "WaitingListEntry") if gone is None else Reply(204)

    # What an account has

    @route("GET", "/giftcards/")
    def _gift_cards(self, call: Call) -> Reply:
        return self._page(call, list(self.gift_cards.values()))

    @route("GET", "/memberships/")
    def _memberships(self, call: Call) -> Reply:
        return self._page(call, _of_customer(call, self.memberships))

    @route("GET", "/reusablemedia/")
    def _media(self, call: Call) -> Reply:
        return self._page(call, _of_customer(call, self.media))

    @route("GET", "/giftcards/{id}/")
    def _gift_card(self, call: Call) -> Reply:
        return _one(self.gift_cards.get(_id(call)), "GiftCard")

    @route("GET", "/memberships/{id}/")
    def _membership(self, call: Call) -> Reply:
        return _one(self.memberships.get(_id(call)), "Membership")

    @route("GET", "/reusablemedia/{id}/")
    def _medium(self, call: Call) -> Reply:
        return _one(self.media.get(_id(call)), "ReusableMedium")

    @route("PATCH", "/giftcards/{id}/")
    def _patch_gift_card(self, call: Call) -> Reply:
        return _patched(self.gift_cards.get(_id(call)), call, "GiftCard")

    @route("PATCH", "/memberships/{id}/")
    def _patch_membership(self, call: Call) -> Reply:
        return _patched(self.memberships.get(_id(call)), call, "Membership")

    @route("PATCH", "/reusablemedia/{id}/")
    def _patch_medium(self, call: Call) -> Reply:
        return _patched(self.media.get(_id(call)), call, "ReusableMedium")

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Token {self.token}":
            return None
        return Reply(401, {"detail": "Invalid token."})

    def unknown(self, call: Call) -> Reply:
        return Reply(404, {"detail": "Not found."})

    def _number(self) -> int:
        self.last_number += 1
        return self.last_number

    def _position(
        self, event: str, code: str, place: int, price: str, ticket: Mapping[str, object]
    ) -> JsonObject:
        name = ticket.get("name")
        given = {key: value for key, value in ticket.items() if key not in {"name", "email"}}
        return {
            "id": self._number(),
            "order": code,
            "positionid": place,
            "item": self.items[event][0]["id"],
            "variation": None,
            "subevent": None,
            "price": price,
            "attendee_name": name,
            "attendee_name_parts": _name(str(name)) if name else {},
            "attendee_email": ticket.get("email"),
            **dict.fromkeys(("company", "street", "zipcode", "city", "country", "state")),
            "addon_to": None,
            "answers": [],
            "checkins": [],
            "seat": None,
            "pseudonymization_id": f"{code}{place}",
            "valid_from": None,
            "valid_until": None,
            "canceled": False,
            **given,
        }

    def _find_position(self, call: Call) -> JsonObject | None:
        return next(
            (
                position
                for (event, _), order in self.orders.items()
                for position in order["positions"]
                if (event, position["id"]) == _place(call)
            ),
            None,
        )

    def _page(self, call: Call, rows: list[JsonObject]) -> Reply:
        size = max(_SMALLEST_PAGE, int(call.one("page_size", str(_PAGE))))
        number, last = int(call.one("page", "1")), max(1, ceil(len(rows) / size))
        if not 1 <= number <= last:
            return Reply(404, {"detail": "Invalid page."})
        asked = {name: values[0] for name, values in call.query.items() if name != "page"}
        more = f"{self.url}{call.path}?{urlencode(asked | {'page': number + 1})}"
        return Reply(
            content={
                "count": len(rows),
                "next": more if number < last else None,
                "previous": None,
                "results": rows[(number - 1) * size : number * size],
            }
        )


def _matches(order: JsonObject, call: Call) -> bool:
    email, customer = call.one("email").lower(), call.one("customer")
    code, words = call.one("code").lower(), call.one("search").lower()
    return (
        email in {"", (order["email"] or "").lower()}
        and customer in {"", order["customer"]}
        and code in {"", order["code"].lower()}
        and words in _searchable(order, order["positions"])
    )


def _searchable(order: JsonObject, positions: list[JsonObject]) -> str:
    """Everything of an order that its search looks through."""
    address = order["invoice_address"] or {}
    words = [order["code"], order["email"], address.get("name"), address.get("company")]
    for position in positions:
        words += [position["attendee_name"], position["attendee_email"]]
    return "\n".join(word or "" for word in words).lower()


def _address(name: str | None, street: str, city: str, country: str) -> JsonObject:
    return {
        "is_business": False,
        "company": "",
        "name": name,
        "name_parts": _name(name or ""),
        "street": street,
        "zipcode": "0000",
        "city": city,
        "country": country,
        "state": "",
        "vat_id": "",
        "custom_field": None,
        "internal_reference": "",
        "transmission_info": None,
    }


def _name(full_name: str) -> JsonObject:
    return {"_scheme": "full", "full_name": full_name}


def _id(call: Call) -> int:
    return int(call.names["id"])


def _place(call: Call) -> tuple[str, int]:
    return call.names["event"], _id(call)


def _in(call: Call, things: Mapping[tuple[str, Any], JsonObject]) -> list[JsonObject]:
    return [thing for (event, _), thing in things.items() if event == call.names["event"]]


def _of_customer(call: Call, things: Mapping[int, JsonObject]) -> list[JsonObject]:
    customer = call.one("customer")
    return [thing for thing in things.values() if customer in {"", thing["customer"]}]


def _one(thing: JsonObject | None, kind: str) -> Reply:
    if thing is None:
        return Reply(404, {"detail": f"No {kind} matches the given query."})
    return Reply(content=thing)


def _patched(thing: JsonObject | None, call: Call, kind: str) -> Reply:
    if thing is not None:
        thing.update(call.json())
    return _one(thing, kind)
