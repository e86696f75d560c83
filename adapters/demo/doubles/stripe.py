"""A double of the Stripe API: customers, cards, subscriptions, invoices and payments.

Like the real one it compares addresses letter by letter when listing, answers `deleted: true` for
an erased customer ever after, and keeps every payment.
"""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from adapters.demo.doubles.server import Call, Double, Reply, route

JsonObject = dict[str, Any]

KEY = "sk_test_double"
"""The key that a double asks for; no real account's."""

_LARGEST_PAGE = 100
_QUERY = re.compile(r'(email|phone|name):"((?:[^"\\]|\\.)*)"')


class StripeDouble(Double):
    kept = ("things",)

    def __init__(self, *, key: str = KEY, keep_exchanges: bool = False) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.key = key
        self.things: dict[str, dict[str, JsonObject]] = {
            kind: {}
            for kind in (
                "customers",
                "payment_methods",
                "subscriptions",
                "invoices",
                "charges",
                "payment_intents",
            )
        }

    # Filling

    def add_customer(self, email: str | None, **fields: object) -> str:
        return self._add("customers", "cus", object="customer", email=email, **fields)

    def add_card(self, customer: str | None, *, last4: str = "4242", **fields: object) -> str:
        card = {
            "brand": "visa",
            "last4": last4,
            "exp_month": 12,
            "exp_year": 2030,
            "country": "NO",
            "funding": "credit",
        }
        return self._add(
            "payment_methods",
            "pm",
            object="payment_method",
            type="card",
            customer=customer,
            card=card,
            billing_details=_billing(),
            **fields,
        )

    def add_charge(
        self, customer: str | None, *, amount: int = 45_000, email: str | None = None, **fields: Any
    ) -> str:
        """A payment that succeeded; without a customer it is a guest's, known by `email`."""
        return self._add(
            "charges",
            "ch",
            **{
                "object": "charge",
                "customer": customer,
                "amount": amount,
                "amount_captured": amount,
                "amount_refunded": 0,
                "currency": "nok",
                "billing_details": _billing(email),
                "captured": True,
                "disputed": False,
                "paid": True,
                "refunded": False,
                "status": "succeeded",
                **fields,
            },
        )

    def add_intent(self, customer: str, *, latest_charge: str | None = None, **fields: Any) -> str:
        return self._add(
            "payment_intents",
            "pi",
            **{
                "object": "payment_intent",
                "customer": customer,
                "amount": 45_000,
                "currency": "nok",
                "capture_method": "automatic",
                "confirmation_method": "automatic",
                "payment_method_types": ["card"],
                "latest_charge": latest_charge,
                "status": "succeeded" if latest_charge else "canceled",
                **fields,
            },
        )

    def add_subscription(self, customer: str, *, status: str = "active") -> str:
        now = int(time.time())
        return self._add(
            "subscriptions",
            "sub",
            object="subscription",
            customer=customer,
            status=status,
            start_date=now,
            current_period_start=now,
            current_period_end=now + 30 * 86_400,
            ended_at=now if status == "canceled" else None,
        )

    def add_invoice(self, customer: str, *, status: str = "paid", **fields: object) -> str:
        return self._add(
            "invoices",
            "in",
            object="invoice",
            customer=customer,
            status=status,
            total=45_000,
            currency="nok",
            **fields,
        )

    # Customers

    @route("GET", "/v1/customers")
    def _customers(self, call: Call) -> Reply:
        email = call.one("email")
        alive = [c for c in self.things["customers"].values() if not c.get("deleted")]
        return self._page(call, [c for c in alive if not email or c["email"] == email])

    @route("GET", "/v1/customers/search")
    def _search(self, call: Call) -> Reply:
        asked = _QUERY.fullmatch(call.one("query"))
        if asked is None:
            return _error(400, "invalid_request_error")
        field, value = asked[1], re.sub(r"\\(.)", r"\1", asked[2]).lower()
        found = [
            customer
            for customer in self.things["customers"].values()
            if not customer.get("deleted") and (customer.get(field) or "").lower() == value
        ]
        limit = int(call.one("limit", "10"))
        start = int(call.one("page", "0"))
        more = len(found) > start + limit
        return Reply(
            content={
                "object": "search_result",
                "url": call.path,
                "data": found[start : start + limit],
                "has_more": more,
                "next_page": str(start + limit) if more else None,
            }
        )

    @route("GET", "/v1/customers/{id}")
    def _customer(self, call: Call) -> Reply:
        return self._get(call, "customers")

    @route("POST", "/v1/customers/{id}")
    def _update_customer(self, call: Call) -> Reply:
        customer = self.things["customers"].get(call.names["id"])
        if customer is None or customer.get("deleted"):
            return _error(404, "resource_missing")
        for name, value in call.form().items():
            if name.startswith("metadata["):
                metadata = customer.setdefault("metadata", {})
                metadata[name[9:-1]] = value
                if not value:
                    del metadata[name[9:-1]]
            else:
                customer[name] = value or None
        return Reply(content=customer)

    @route("DELETE", "/v1/customers/{id}")
    def _delete_customer(self, call: Call) -> Reply:
        number = call.names["id"]
        customer = self.things["customers"].get(number)
        if customer is None or customer.get("deleted"):
            return _error(404, "resource_missing")
        tombstone = {"id": number, "object": "customer", "deleted": True}
        self.things["customers"][number] = tombstone
        for subscription in self.things["subscriptions"].values():
            if subscription["customer"] == number:
                subscription["status"] = "canceled"
        for method in self.things["payment_methods"].values():
            if method["customer"] == number:
                method["customer"] = None
        return Reply(content=tombstone)

    # Everything else

    @route("GET", "/v1/payment_methods")
    def _payment_methods(self, call: Call) -> Reply:
        kind = call.one("type")
        found = self._of(call, "payment_methods")
        return self._page(call, [m for m in found if not kind or m["type"] == kind])

    @route("GET", "/v1/payment_methods/{id}")
    def _payment_method(self, call: Call) -> Reply:
        return self._get(call, "payment_methods")

    @route("POST", "/v1/payment_methods/{id}/detach")
    def _detach(self, call: Call) -> Reply:
        method = self.things["payment_methods"].get(call.names["id"])
        if method is None:
            return _error(404, "resource_missing")
        if method["customer"] is None:
            return _error(400, "invalid_request_error")
        method["customer"] = None
        return Reply(content=method)

    @route("GET", "/v1/subscriptions")
    def _subscriptions(self, call: Call) -> Reply:
        status = call.one("status")
        found = self._of(call, "subscriptions")
        if status != "all":
            found = [s for s in found if s["status"] not in {"canceled", "incomplete_expired"}]
        return self._page(call, found)

    @route("GET", "/v1/subscriptions/{id}")
    def _subscription(self, call: Call) -> Reply:
        return self._get(call, "subscriptions")

    @route("GET", "/v1/invoices")
    def _invoices(self, call: Call) -> Reply:
        return self._page(call, self._of(call, "invoices"))

    @route("GET", "/v1/invoices/{id}")
    def _invoice(self, call: Call) -> Reply:
        return self._get(call, "invoices")

    @route("DELETE", "/v1/invoices/{id}")
    def _delete_invoice(self, call: Call) -> Reply:
        number = call.names["id"]
        invoice = self.things["invoices"].get(number)
        if invoice is None:
            return _error(404, "resource_missing")
        if invoice["status"] != "draft":
            return _error(400, "invalid_request_error")
        del self.things["invoices"][number]
        return Reply(content={"id": number, "object": "invoice", "deleted": True})

    @route("GET", "/v1/charges")
    def _charges(self, call: Call) -> Reply:
        after = int(call.one("created[gt]", "0"))
        return self._page(call, [c for c in self._of(call, "charges") if c["created"] > after])

    @route("GET", "/v1/payment_intents")
    def _payment_intents(self, call: Call) -> Reply:
        return self._page(call, self._of(call, "payment_intents"))

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return _error(401, "invalid_request_error")

    def unknown(self, call: Call) -> Reply:
        return _error(404, "invalid_request_error")

    def too_many(self) -> Reply:
        return _error(429, "rate_limit")

    def _add(self, kind: str, prefix: str, **fields: object) -> str:
        number = f"{prefix}_{uuid4().hex[:14]}"
        self.things[kind][number] = {
            "id": number,
            "created": int(time.time()),
            "livemode": False,
            "metadata": {},
            **fields,
        }
        return number

    def _get(self, call: Call, kind: str) -> Reply:
        thing = self.things[kind].get(call.names["id"])
        return _error(404, "resource_missing") if thing is None else Reply(content=thing)

    def _of(self, call: Call, kind: str) -> list[JsonObject]:
        customer = call.one("customer")
        things = self.things[kind].values()
        return [thing for thing in things if not customer or thing["customer"] == customer]

    def _page(self, call: Call, things: list[JsonObject]) -> Reply:
        newest_first = things[::-1]
        limit = min(int(call.one("limit", "10")), _LARGEST_PAGE)
        after = call.one("starting_after")
        numbers = [thing["id"] for thing in newest_first]
        start = numbers.index(after) + 1 if after in numbers else 0
        return Reply(
            content={
                "object": "list",
                "url": call.path,
                "data": newest_first[start : start + limit],
                "has_more": len(newest_first) > start + limit,
            }
        )


def _billing(email: str | None = None) -> JsonObject:
    return {"email": email, "name": None, "phone": None, "address": None}


def _error(status: int, code: str) -> Reply:
    kind = "invalid_request_error"
    return Reply(status, {"error": {"type": kind, "code": code, "message": "No."}})
