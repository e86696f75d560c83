"""A double of the Mailchimp Marketing API 3.0, as recorded traffic shows that it behaves.

Archiving keeps the member; a permanent deletion forgets it and refuses its return; problems are
`application/problem+json` with a request id; an eleventh connection at once is too many.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from adapters.demo.doubles.server import Call, Double, Reply, route

JsonObject = dict[str, Any]

KEY = "0123456789abcdef0123456789abcdef-us6"
"""The key that a double asks for; no real account's."""

_LARGEST_PAGE = 1000
_REMOVABLE = {"subscribed", "unsubscribed", "transactional"}


class MailchimpDouble(Double):
    prefix = "/3.0"
    most_at_once = 10
    kept = (
        *("audiences", "members", "forgotten", "merge_fields", "interests", "tags", "notes"),
        *("activity", "events", "goals", "stores", "customers", "orders", "carts"),
    )

    def __init__(self, *, key: str = KEY, keep_exchanges: bool = False) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.key = key
        self.audiences: dict[str, JsonObject] = {}
        self.members: dict[tuple[str, str], JsonObject] = {}
        self.forgotten: set[tuple[str, str]] = set()
        self.merge_fields: dict[str, list[JsonObject]] = {}
        self.interests: dict[str, dict[str, JsonObject]] = {}
        self.tags: dict[tuple[str, str], list[JsonObject]] = {}
        self.notes: dict[tuple[str, str], list[JsonObject]] = {}
        self.activity: dict[tuple[str, str], list[JsonObject]] = {}
        self.events: dict[tuple[str, str], list[JsonObject]] = {}
        self.goals: dict[tuple[str, str], list[JsonObject]] = {}
        self.stores: dict[str, JsonObject] = {}
        self.customers: dict[tuple[str, str], JsonObject] = {}
        self.orders: dict[tuple[str, str], JsonObject] = {}
        self.carts: dict[tuple[str, str], JsonObject] = {}

    # Filling

    def add_audience(self, list_id: str, name: str, **merge_fields: str) -> None:
        """An audience and the names of its merge fields, e.g. FNAME="First name"."""
        self.audiences[list_id] = {"id": list_id, "name": name, "visibility": "pub"}
        self.merge_fields[list_id] = [
            {"merge_id": number, "tag": tag, "name": title, "type": "text", "list_id": list_id}
            for number, (tag, title) in enumerate(merge_fields.items(), start=1)
        ]

    def add_interests(self, list_id: str, title: str, **names: str) -> None:
        """A category of interests: its title, and the names by their ids."""
        self.interests.setdefault(list_id, {})[uuid4().hex[:10]] = {"title": title, "names": names}

    def add_member(
        self, list_id: str, email: str, *, status: str = "subscribed", **fields: object
    ) -> str:
        """A member; `fields` are as the API has them. Answers the subscriber hash."""
        fingerprint = fingerprint_of(email)
        merge_fields: Any = fields.get("merge_fields", {})
        full_name = f"{merge_fields.get('FNAME', '')} {merge_fields.get('LNAME', '')}".strip()
        self.members[list_id, fingerprint] = {
            "id": fingerprint,
            "list_id": list_id,
            "email_address": email,
            "unique_email_id": uuid4().hex[:10],
            "contact_id": uuid4().hex,
            "full_name": full_name,
            "status": status,
            "merge_fields": {},
            "interests": {},
            "source": "API - Generic",
            "language": "",
            "vip": False,
            "ip_signup": "",
            "ip_opt": "",
            "timestamp_signup": _now(),
            "timestamp_opt": _now(),
            "last_changed": _now(),
            "location": {},
            "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
            **fields,
        }
        return fingerprint

    def add_store(self, store_id: str, name: str, *, list_id: str = "") -> None:
        self.stores[store_id] = {
            "id": store_id,
            "name": name,
            "list_id": list_id,
            "currency_code": "NOK",
        }

    def add_customer(self, store_id: str, number: str, email: str, **fields: object) -> None:
        self.customers[store_id, number] = {
            "id": number,
            "email_address": email,
            "opt_in_status": False,
            "created_at": _now(),
            **fields,
        }

    def add_order(self, store_id: str, number: str, customer_id: str, **fields: object) -> None:
        self.orders[store_id, number] = {
            "id": number,
            "store_id": store_id,
            "customer": {"id": customer_id},
            "currency_code": "NOK",
            "lines": [],
            **fields,
        }

    def add_cart(self, store_id: str, number: str, customer_id: str, **fields: object) -> None:
        self.carts[store_id, number] = {
            "id": number,
            "customer": {"id": customer_id},
            "currency_code": "NOK",
            "lines": [],
            "created_at": _now(),
            **fields,
        }

    # Audiences and members

    @route("GET", "/ping")
    def _ping(self, call: Call) -> Reply:
        return Reply(content={"health_status": "Everything's Chimpy!"})

    @route("GET", "/lists")
    def _lists(self, call: Call) -> Reply:
        return self._page(call, "lists", list(self.audiences.values()))

    @route("GET", "/lists/{list}/merge-fields")
    def _merge_fields(self, call: Call) -> Reply:
        list_id = call.names["list"]
        return self._page(call, "merge_fields", self.merge_fields.get(list_id, []), list_id=list_id)

    @route("GET", "/lists/{list}/interest-categories")
    def _interest_categories(self, call: Call) -> Reply:
        list_id = call.names["list"]
        categories = [
            {"id": key, "list_id": list_id, "title": category["title"], "type": "checkboxes"}
            for key, category in self.interests.get(list_id, {}).items()
        ]
        return self._page(call, "categories", categories, list_id=list_id)

    @route("GET", "/lists/{list}/interest-categories/{category}/interests")
    def _interests(self, call: Call) -> Reply:
        list_id, category = call.names["list"], call.names["category"]
        found = self.interests.get(list_id, {}).get(category)
        if found is None:
            return self._missing()
        interests = [
            {"id": key, "name": name, "category_id": category, "list_id": list_id}
            for key, name in found["names"].items()
        ]
        return self._page(call, "interests", interests, list_id=list_id, category_id=category)

    @route("GET", "/lists/{list}/members")
    def _members(self, call: Call) -> Reply:
        list_id, status = call.names["list"], call.one("status")
        found = [
            member
            for (audience, _), member in self.members.items()
            if audience == list_id and status in {"", member["status"]}
        ]
        return self._page(call, "members", found, list_id=list_id)

    @route("GET", "/lists/{list}/members/{member}")
    def _member(self, call: Call) -> Reply:
        member = self.members.get(_whose(call))
        if member is None:
            return self._missing()
        tags = [{"id": tag["id"], "name": tag["name"]} for tag in self.tags.get(_whose(call), [])]
        return Reply(content={**member, "tags": tags, "tags_count": len(tags)})

    @route("GET", "/search-members")
    def _search(self, call: Call) -> Reply:
        words = call.one("query").lower()
        if not words:
            return self._problem(400, "Invalid Resource", "The query is missing.")
        exact = [m for m in self.members.values() if m["email_address"].lower() == words]
        full = [
            m
            for m in self.members.values()
            if set(words.replace(",", " ").split()) <= set(m["full_name"].lower().split())
            or words in m["email_address"].lower()
        ]
        return Reply(
            content={
                "exact_matches": {"members": exact[:30], "total_items": len(exact)},
                "full_search": {"members": full[:30], "total_items": len(full)},
            }
        )

    @route("PATCH", "/lists/{list}/members/{member}")
    def _patch(self, call: Call) -> Reply:
        member = self.members.get(_whose(call))
        if member is None:
            return self._missing()
        if member["status"] == "archived":
            return self._not_allowed()
        member.update(call.json(), last_changed=_now())
        address = call.json().get("email_address")
        if address:
            self._file_anew(_whose(call), str(address))
        return Reply(content=member)

    @route("PUT", "/lists/{list}/members/{member}")
    def _put(self, call: Call) -> Reply:
        list_id, fingerprint = _whose(call)
        asked = call.json()
        email = str(asked.get("email_address", ""))
        if list_id not in self.audiences:
            return self._missing()
        if (list_id, fingerprint_of(email)) in self.forgotten:
            return self._forgotten()
        member = self.members.get((list_id, fingerprint))
        if member is None:
            if fingerprint != fingerprint_of(email):
                return self._problem(400, "Invalid Resource", "The address and the hash differ.")
            self.add_member(list_id, email, status=asked["status_if_new"])
            return Reply(content=self.members[list_id, fingerprint])
        asked.pop("status_if_new", None)
        member.update(asked, last_changed=_now())
        return Reply(content=member)

    @route("POST", "/lists/{list}/members")
    def _post(self, call: Call) -> Reply:
        """What an import does: a member that is there stays, a forgotten one stays away."""
        list_id, asked = call.names["list"], call.json()
        email = str(asked.get("email_address", ""))
        if (list_id, fingerprint_of(email)) in self.forgotten:
            return self._forgotten()
        if (list_id, fingerprint_of(email)) in self.members:
            return self._problem(400, "Member Exists", "Use PUT to insert or update list members.")
        fingerprint = self.add_member(list_id, email, status=str(asked.get("status")))
        return Reply(content=self.members[list_id, fingerprint])

    @route("DELETE", "/lists/{list}/members/{member}")
    def _archive(self, call: Call) -> Reply:
        member = self.members.get(_whose(call))
        if member is None:
            return self._missing()
        if member["status"] not in _REMOVABLE:
            return self._not_allowed()
        member["status"] = "archived"
        return Reply(204)

    @route("POST", "/lists/{list}/members/{member}/actions/delete-permanent")
    def _delete_permanently(self, call: Call) -> Reply:
        whose = _whose(call)
        if self.members.pop(whose, None) is None:
            return self._missing()
        self.forgotten.add(whose)
        for details in (self.tags, self.notes, self.activity, self.events, self.goals):
            details.pop(whose, None)
        return Reply(204)

    def _file_anew(self, whose: tuple[str, str], address: str) -> None:
        """A member's id is the hash of its address, so it moves when the address changes."""
        moved = whose[0], fingerprint_of(address)
        if moved == whose:
            return
        self.members[moved] = self.members.pop(whose)
        self.members[moved]["id"] = moved[1]
        for beside in (self.tags, self.notes, self.activity, self.events, self.goals):
            if whose in beside:
                beside[moved] = beside.pop(whose)

    # What is kept beside a member

    @route("POST", "/lists/{list}/members/{member}/tags")
    def _tag(self, call: Call) -> Reply:
        if _whose(call) not in self.members:
            return self._missing()
        tags = self.tags.setdefault(_whose(call), [])
        for asked in call.json()["tags"]:
            tags[:] = [tag for tag in tags if tag["name"] != asked["name"]]
            if asked["status"] == "active":
                tags.append({"id": len(tags) + 1, "name": asked["name"]})
        return Reply(204)

    @route("POST", "/lists/{list}/members/{member}/notes")
    def _add_note(self, call: Call) -> Reply:
        if _whose(call) not in self.members:
            return self._missing()
        note = {"id": 1, "note": call.json()["note"], "created_at": _now()}
        self.notes.setdefault(_whose(call), []).append(note)
        return Reply(content=note)

    @route("GET", "/lists/{list}/members/{member}/tags")
    def _tags(self, call: Call) -> Reply:
        return self._beside(call, "tags", self.tags)

    @route("GET", "/lists/{list}/members/{member}/notes")
    def _notes(self, call: Call) -> Reply:
        return self._beside(call, "notes", self.notes)

    @route("GET", "/lists/{list}/members/{member}/activity-feed")
    def _activity(self, call: Call) -> Reply:
        reply = self._beside(call, "activity", self.activity)
        if isinstance(reply.content, dict):
            reply.content.pop("total_items", None)
        return reply

    @route("GET", "/lists/{list}/members/{member}/events")
    def _events(self, call: Call) -> Reply:
        return self._beside(call, "events", self.events)

    @route("GET", "/lists/{list}/members/{member}/goals")
    def _goals(self, call: Call) -> Reply:
        return self._beside(call, "goals", self.goals)

    # Shops

    @route("GET", "/ecommerce/stores")
    def _stores(self, call: Call) -> Reply:
        return self._page(call, "stores", list(self.stores.values()))

    @route("GET", "/ecommerce/stores/{outer}/customers")
    def _customers(self, call: Call) -> Reply:
        email = call.one("email_address")
        found = [c for c in self._in(call, self.customers) if email in {"", c["email_address"]}]
        return self._page(call, "customers", found, store_id=call.names["outer"])

    @route("GET", "/ecommerce/stores/{outer}/orders")
    def _orders(self, call: Call) -> Reply:
        buyer = call.one("customer_id")
        found = [o for o in self._in(call, self.orders) if buyer in {"", o["customer"]["id"]}]
        return self._page(call, "orders", self._with_buyers(call, found), store_id=_outer(call))

    @route("GET", "/ecommerce/stores/{outer}/carts")
    def _carts(self, call: Call) -> Reply:
        found = self._with_buyers(call, self._in(call, self.carts))
        return self._page(call, "carts", found, store_id=_outer(call))

    @route("DELETE", "/ecommerce/stores/{outer}/customers/{inner}")
    def _delete_customer(self, call: Call) -> Reply:
        return self._remove(call, self.customers)

    @route("DELETE", "/ecommerce/stores/{outer}/orders/{inner}")
    def _delete_order(self, call: Call) -> Reply:
        return self._remove(call, self.orders)

    @route("DELETE", "/ecommerce/stores/{outer}/carts/{inner}")
    def _delete_cart(self, call: Call) -> Reply:
        return self._remove(call, self.carts)

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        given = call.headers.get("Authorization", "").removeprefix("Basic ")
        try:
            _, _, password = b64decode(given).decode().partition(":")
        except ValueError:
            password = ""
        if password == self.key:
            return None
        return self._problem(401, "API Key Invalid", "Your API key may be invalid.")

    def unknown(self, call: Call) -> Reply:
        return self._missing()

    def too_many(self) -> Reply:
        return self._problem(429, "Too Many Requests", "You have exceeded the limit of 10.")

    def _page(self, call: Call, name: str, items: list[JsonObject], **more: str) -> Reply:
        count = min(int(call.one("count", "10")), _LARGEST_PAGE)
        offset = int(call.one("offset", "0"))
        return Reply(
            content={name: items[offset : offset + count], "total_items": len(items), **more}
        )

    def _beside(
        self, call: Call, name: str, details: dict[tuple[str, str], list[JsonObject]]
    ) -> Reply:
        whose = _whose(call)
        if whose not in self.members:
            return self._missing()
        return self._page(call, name, details.get(whose, []), list_id=whose[0], email_id=whose[1])

    def _in(self, call: Call, things: dict[tuple[str, str], JsonObject]) -> list[JsonObject]:
        return [thing for (store, _), thing in things.items() if store == _outer(call)]

    def _with_buyers(self, call: Call, things: list[JsonObject]) -> list[JsonObject]:
        return [
            {
                **thing,
                "customer": self.customers.get(
                    (_outer(call), thing["customer"]["id"]), thing["customer"]
                ),
            }
            for thing in things
        ]

    def _remove(self, call: Call, things: dict[tuple[str, str], JsonObject]) -> Reply:
        gone = things.pop((_outer(call), call.names["inner"]), None)
        return self._missing() if gone is None else Reply(204)

    def _missing(self) -> Reply:
        return self._problem(
            404, "Resource Not Found", "The requested resource could not be found."
        )

    def _forgotten(self) -> Reply:
        return self._problem(
            400,
            "Forgotten Email Not Subscribed",
            "The address was permanently deleted and cannot be re-imported. "
            "The contact must re-subscribe to get back on the list.",
        )

    def _not_allowed(self) -> Reply:
        reply = self._problem(
            405, "Method Not Allowed", "This list member cannot be removed. Please contact support."
        )
        return Reply(405, reply.content, {**reply.headers, "Allow": "GET, PUT"}, reply.media_type)

    def _problem(self, status: int, title: str, detail: str) -> Reply:
        instance = str(uuid4())
        return Reply(
            status,
            {
                "type": "https://mailchimp.com/developer/marketing/docs/errors/",
                "title": title,
                "status": status,
                "detail": detail,
                "instance": instance,
            },
            {
                "X-Request-Id": instance,
                "Link": f'<{_host(self)}/schema/3.0/ProblemDetailDocument.json>; rel="describedBy"',
            },
            "application/problem+json; charset=utf-8",
        )


def fingerprint_of(email: str) -> str:
    """The subscriber hash: MD5 of the lower-cased address."""
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _host(double: Double) -> str:
    parts = urlsplit(double.url)
    return f"{parts.scheme}://{parts.netloc}"


def _whose(call: Call) -> tuple[str, str]:
    """The list, and the member by hash; an address in its place is accepted as well."""
    member = call.names["member"]
    return call.names["list"], fingerprint_of(member) if "@" in member else member


def _outer(call: Call) -> str:
    return call.names["outer"]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
