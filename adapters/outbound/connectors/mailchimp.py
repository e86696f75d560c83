"""Mailchimp: newsletter members and what web shops copied there (Art. 15, 17, 21(2); GK-17).

Archiving is not erasure, so members are deleted permanently. Mailchimp then keeps a fingerprint
of the address that blocks a later import; it is named as a residual. Shop data is separate and
goes first. Ten connections per account are allowed in all: eight are used, by one process.

Configuration: `key` (it ends in its data centre, "…-us6"); `url` where that is not enough;
`hold_absent` = "yes" to file, as unsubscribed, also addresses that no audience holds yet, so that
the next import cannot subscribe them (the controller decides: it adds an address to be kept);
`no_audiences` = "yes" where the account is new and holds none yet.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import md5
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import TypeVar
from urllib.parse import quote, unquote

from pydantic import Field

from adapters.outbound.answers import Answer, Free, Moment, Open, dates, held, read
from adapters.outbound.changing import Changing
from adapters.outbound.connectors import Configuration, Misconfigured, connector, need, patience
from adapters.outbound.http import HttpClient, Response
from adapters.outbound.mailchimp_changes import Changes
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.matching import match_level, normal_email
from services.national_numbers import mask_national_numbers
from services.ports import (
    Identifier,
    Person,
    Record,
    Refused,
    Residual,
    Result,
    Treatment,
    Unavailable,
)

CONNECTIONS = 8
PAGE = 1000
MOST_PAGES = 5000

FINGERPRINT = Residual("address-fingerprint", "vendor-blocks-reimport")


P = TypeVar("P", bound="Page")
T = TypeVar("T")

Level = tuple[Match, IdentifierKind]


# What Mailchimp answers


class Audience(Answer):
    id: str = Field(min_length=1)
    name: str = ""


class Page(Answer):
    total_items: int | None = None


class Audiences(Page):
    lists: list[Audience]


class Member(Answer):
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    email_address: str
    status: str
    full_name: str | None = None
    merge_fields: Free
    interests: Free
    marketing_permissions: list[Open] = Field(default_factory=list)
    location: Free
    stats: Free
    language: str | None = None
    email_client: str | None = None
    source: str | None = None
    unsubscribe_reason: str | None = None
    ip_signup: str | None = None
    ip_opt: str | None = None
    timestamp_signup: Moment = None
    timestamp_opt: Moment = None
    last_changed: Moment = None
    vip: bool | None = None
    member_rating: int | None = None
    sms_phone_number: str | None = None
    sms_subscription_status: str | None = None


class Subscribed(Answer):
    email_address: str


class Members(Page):
    members: list[Subscribed]


class FoundMember(Member):
    list_id: str = Field(min_length=1)


class FoundMembers(Answer):
    members: list[FoundMember] = Field(default_factory=list)


class Search(Answer):
    exact_matches: FoundMembers = FoundMembers()
    full_search: FoundMembers = FoundMembers()


class Tag(Answer):
    name: str


class Tags(Page):
    tags: list[Tag]


class Note(Answer):
    note: str = ""
    created_at: str | None = None


class Notes(Page):
    notes: list[Note]


class Activities(Page):
    activity: list[Open]


class Event(Answer):
    name: str = ""
    occurred_at: str | None = None
    properties: Free


class Events(Page):
    events: list[Event]


class Goal(Answer):
    event: str = ""
    data: str | None = None
    last_visited_at: str | None = None


class Goals(Answer):
    goals: list[Goal]


class MergeField(Answer):
    tag: str
    name: str


class MergeFields(Page):
    merge_fields: list[MergeField]


class InterestCategory(Answer):
    id: str = Field(min_length=1)
    title: str = ""


class InterestCategories(Page):
    categories: list[InterestCategory]


class Interest(Answer):
    id: str
    name: str


class Interests(Page):
    interests: list[Interest]


class Store(Answer):
    id: str = Field(min_length=1)
    name: str = ""


class Stores(Page):
    stores: list[Store]


class Customer(Answer):
    id: str = Field(min_length=1)
    email_address: str = ""
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address: Free
    opt_in_status: bool | None = None
    orders_count: int | None = None
    total_spent: float | None = None
    created_at: Moment = None


class Customers(Page):
    customers: list[Customer]


class Line(Answer):
    product_title: str | None = None
    product_variant_title: str | None = None
    quantity: int | None = None
    price: float | None = None


class Purchase(Answer):
    """An order, or a cart that has not become one."""

    id: str = Field(min_length=1)
    customer: Customer | None = None
    currency_code: str | None = None
    order_total: float | None = None
    lines: list[Line] = Field(default_factory=list)
    financial_status: str | None = None
    fulfillment_status: str | None = None
    billing_address: Free
    shipping_address: Free
    processed_at_foreign: Moment = None
    cancelled_at_foreign: Moment = None
    created_at: Moment = None


class Orders(Page):
    orders: list[Purchase]


class Carts(Page):
    carts: list[Purchase]


# The connector


@connector("mailchimp")
class Mailchimp(Changing):
    def __init__(self, configuration: Configuration) -> None:
        key = need(configuration, "key", of="mailchimp")
        url = configuration.get("url", "").strip() or _url_of(key)
        credentials = b64encode(f"trettio:{key}".encode()).decode()
        self._http = HttpClient(
            url,
            headers={"Authorization": f"Basic {credentials}"},
            connections=CONNECTIONS,
            timeout=patience(configuration, of="mailchimp"),
        )
        self._turn = _turns_of(key)
        self._hold_absent = configuration.get("hold_absent", "").strip().lower() == "yes"
        self._no_audiences = configuration.get("no_audiences", "").strip().lower() == "yes"
        self._changes = Changes(self._call, lambda: [one.id for one in self._audiences()])

    # Find

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """Shop data first, then members: the order in which they are to be erased."""
        addresses = _addresses(person)
        names = person.all(IdentifierKind.NAME)
        if not addresses and not names:
            return
        audiences = {audience.id: audience.name for audience in self._audiences()}
        members = self._members_by_address(audiences, addresses)
        if addresses:
            # Shops compare addresses letter by letter; a member shows how hers is written there.
            spellings = dict.fromkeys(
                [*addresses, *(member.email_address for member in members.values())]
            )
            yield from self._shops(person, tuple(spellings))
        for (list_id, _), member in members.items():
            record = self._record(person, list_id, audiences[list_id], member)
            if record is None:
                raise Refused("GET /lists/{list}/members/{member} answered about another one")
            yield record
        namesakes = {
            (found.list_id, found.id): found for name in names for found in self._search(name)
        }
        for (list_id, fingerprint), member in namesakes.items():
            if (list_id, fingerprint) in members:
                continue
            record = self._record(person, list_id, audiences.get(list_id, ""), member)
            if record is not None:
                yield record

    def _members_by_address(
        self, audiences: Iterable[str], addresses: Iterable[str]
    ) -> dict[tuple[str, str], Member]:
        fingerprints = dict.fromkeys(map(_fingerprint, addresses))
        return {
            (list_id, member.id): member
            for list_id in audiences
            for fingerprint in fingerprints
            if (member := self._member(list_id, fingerprint)) is not None
        }

    def _audiences(self) -> list[Audience]:
        """Every audience. None at all is not "nothing found": the key may be another account's."""
        found = list(self._pages("/lists", Audiences, lambda page: page.lists))
        if not found and not self._no_audiences:
            raise Refused(
                "GET /lists told of no audience at all: is the key this account's? If the account"
                " is new, set no_audiences = yes"
            )
        return found

    def _stores(self) -> Iterator[Store]:
        return self._pages("/ecommerce/stores", Stores, lambda page: page.stores)

    def _member(self, list_id: str, fingerprint: str) -> Member | None:
        response = self._call(
            "GET",
            "/lists/{list}/members/{member}",
            path={"list": list_id, "member": fingerprint},
            expect=(200, 404),
        )
        return None if response.status == HTTPStatus.NOT_FOUND else read(Member, response)

    def _search(self, full_name: str) -> list[FoundMember]:
        response = self._call("GET", "/search-members", query={"query": full_name})
        found = read(Search, response)
        return [*found.exact_matches.members, *found.full_search.members]

    def _record(self, person: Person, list_id: str, audience: str, member: Member) -> Record | None:
        level = match_level(person, emails=[member.email_address], names=[member.full_name or ""])
        if level is None:
            return None
        match, matched_by = level
        path = {"list": list_id, "member": member.id}
        base = "/lists/{list}/members/{member}"
        own = person.all(IdentifierKind.NATIONAL_NUMBER)
        notes = list(self._pages(f"{base}/notes", Notes, lambda page: page.notes, path=path))
        seen_notes = [mask_national_numbers(note.note, keep=own) for note in notes]
        profile = self._profile(list_id, member)
        seen_profile = profile if match.is_strong else _masked(profile, keep=own)
        flags = {
            "suppressed": _is_suppressed(member),
            "consent_given": member.status == "subscribed" and member.timestamp_opt is not None,
        }
        fields: dict[str, object] = {
            "audience": audience,
            "email": member.email_address,
            "name": member.full_name,
            "status": member.status,
            "language": member.language,
            "source": member.source,
            "signed_up_at": member.timestamp_signup,
            "signed_up_from": member.ip_signup,
            "consented_at": member.timestamp_opt,
            "consented_from": member.ip_opt,
            "last_changed_at": member.last_changed,
            "unsubscribe_reason": member.unsubscribe_reason,
            "telephone": member.sms_phone_number,
            "sms_status": member.sms_subscription_status,
            "email_client": member.email_client,
            "location": member.location,
            "vip": member.vip,
            "rating": member.member_rating,
            "statistics": member.stats,
            "marketing_permissions": [
                {"text": given.get("text"), "given": given.get("enabled")}
                for given in member.marketing_permissions
            ],
            "profile": seen_profile,
            "interests": self._interests(list_id, member),
            "tags": [
                tag.name
                for tag in self._pages(f"{base}/tags", Tags, lambda page: page.tags, path=path)
            ],
            # Who wrote a note is another person; the note itself is about this one.
            "notes": [
                {"at": note.created_at, "text": text}
                for note, text in zip(notes, seen_notes, strict=True)
            ],
            "activity": [
                {name: value for name, value in did.items() if not name.startswith("_")}
                for did in self._pages(
                    f"{base}/activity-feed", Activities, lambda page: page.activity, path=path
                )
            ],
            "events": [
                event.model_dump(exclude_none=True)
                for event in self._pages(
                    f"{base}/events", Events, lambda page: page.events, path=path
                )
            ],
            "goals": [
                goal.model_dump(exclude_none=True)
                for goal in read(Goals, self._call("GET", f"{base}/goals", path=path)).goals
            ],
        }
        return Record(
            key=_key(list_id, member.id),
            kind="member",
            match=match,
            matched_by=matched_by,
            fields=held(fields),
            anchors=dates(
                signed_up=member.timestamp_signup,
                consent_given=member.timestamp_opt,
            ),
            flags=frozenset(name for name, so in flags.items() if so),
            since=_came(member),
            masked=tuple(
                name
                for name, changed in (
                    ("notes", seen_notes != [note.note for note in notes]),
                    ("profile", seen_profile != profile),
                )
                if changed
            ),
        )

    def _profile(self, list_id: str, member: Member) -> dict[str, object]:
        """Merge fields, by the names that the controller gave them."""
        values = held(member.merge_fields)
        if not values:
            return {}
        names = {
            field.tag: field.name
            for field in self._pages(
                "/lists/{list}/merge-fields",
                MergeFields,
                lambda page: page.merge_fields,
                path={"list": list_id},
            )
        }
        return {names.get(tag, tag): value for tag, value in values.items()}

    def _interests(self, list_id: str, member: Member) -> list[str]:
        chosen = {interest for interest, chosen in member.interests.items() if chosen is True}
        if not chosen:
            return []
        names: dict[str, str] = {}
        for category in self._pages(
            "/lists/{list}/interest-categories",
            InterestCategories,
            lambda page: page.categories,
            path={"list": list_id},
        ):
            for interest in self._pages(
                "/lists/{list}/interest-categories/{category}/interests",
                Interests,
                lambda page: page.interests,
                path={"list": list_id, "category": category.id},
            ):
                names[interest.id] = f"{category.title}: {interest.name}"
        return sorted(names.get(interest, interest) for interest in chosen)

    def _shops(self, person: Person, addresses: tuple[str, ...]) -> Iterator[Record]:
        for store in self._stores():
            theirs: dict[str, tuple[Customer, Level]] = {}
            for address in addresses:
                for customer in self._pages(
                    "/ecommerce/stores/{store}/customers",
                    Customers,
                    lambda page: page.customers,
                    path={"store": store.id},
                    query={"email_address": address},
                ):
                    level = match_level(person, emails=[customer.email_address])
                    if level is not None:
                        theirs[customer.id] = customer, level
            newest: dict[str, datetime | None] = {}
            for customer, level in theirs.values():
                newest[customer.id] = customer.created_at
                for order in self._pages(
                    "/ecommerce/stores/{store}/orders",
                    Orders,
                    lambda page: page.orders,
                    path={"store": store.id},
                    query={"customer_id": customer.id},
                ):
                    if order.customer is None or order.customer.id == customer.id:
                        found = _purchase("shop_order", store, order, level)
                        newest[customer.id] = _later(newest[customer.id], found.since)
                        yield found
            for cart in self._pages(
                "/ecommerce/stores/{store}/carts",
                Carts,
                lambda page: page.carts,
                path={"store": store.id},
            ):
                buyer = cart.customer
                if buyer is None:
                    continue
                by_address = match_level(person, emails=[buyer.email_address])
                whose = theirs[buyer.id][1] if buyer.id in theirs else by_address
                if whose is not None:
                    yield _purchase("shop_cart", store, cart, whose)
            for customer, level in theirs.values():
                found = _shop_customer(store, customer, level)
                yield replace(found, since=newest[customer.id])

    # Erase

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Erase one member for good, or one piece of shop data."""
        if treatment.anonymise:
            raise Refused("mailchimp can erase a record, not a part of it")
        outer, _, inner = treatment.key.partition("/")
        outer, inner = unquote(outer), unquote(inner)
        if not outer or not inner or treatment.kind not in _ERASURES:
            raise Refused("the record's key or kind is none of mailchimp's")
        method, template = _ERASURES[treatment.kind]
        response = self._call(
            method, template, path={"outer": outer, "inner": inner}, expect=(200, 204, 404, 405)
        )
        if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
            if treatment.kind == "member" and self._member(outer, inner) is None:
                self._require_whole(treatment.kind, outer)
                return Result(Outcome.NOT_FOUND, "already-gone", (FINGERPRINT,))
            raise Refused(f"{method} {template} is not allowed in the record's present state")
        residuals = (FINGERPRINT,) if treatment.kind == "member" else ()
        if response.status == HTTPStatus.NOT_FOUND:
            self._require_whole(treatment.kind, outer)
            return Result(Outcome.NOT_FOUND, "already-gone", residuals)
        return Result(Outcome.ERASED, "deleted-permanently", residuals)

    def _require_whole(self, kind: str, outer: str) -> None:
        """A record that is not there is gone only where what held it is there still."""
        if kind == "member":
            if all(audience.id != outer for audience in self._audiences()):
                raise Refused("the audience that held the member is not there any more")
        elif all(store.id != outer for store in self._stores()):
            raise Refused("the shop that held the record is not there any more")

    # Suppress

    def suppress(self, person: Person, *, key: str) -> Result:
        """Unsubscribe every address of the person's in every audience, and read back.

        An unsubscribed, a bounced ("cleaned") and a permanently deleted address survive an
        import: Mailchimp does not subscribe them again. An address that an audience has never
        held would be subscribed by the next import; `hold_absent` decides about those.
        """
        addresses = {_fingerprint(address): address for address in _addresses(person)}
        stopped = [
            self._unsubscribe(audience.id, address)
            for audience in (self._audiences() if addresses else ())
            for address in addresses.values()
        ]
        if any(stopped):
            return Result(Outcome.SUPPRESSED, "unsubscribed-in-every-audience")
        return Result(Outcome.NOT_FOUND, "in-no-audience")

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        """Every member of every audience, whatever their status, and every shop's customers."""
        brief = {"fields": "members.email_address,total_items"}
        for audience in self._audiences():
            # Whom an audience has archived it shows only to whoever asks for them.
            for query in (brief, {**brief, "status": "archived"}):
                for member in self._pages(
                    "/lists/{list}/members",
                    Members,
                    lambda page: page.members,
                    path={"list": audience.id},
                    query=query,
                ):
                    yield (Identifier(IdentifierKind.EMAIL, member.email_address),)
        for store in self._stores():
            path = {"store": store.id}
            for customer in self._pages(
                "/ecommerce/stores/{store}/customers",
                Customers,
                lambda page: page.customers,
                path=path,
            ):
                yield (Identifier(IdentifierKind.EMAIL, customer.email_address),)
            for cart in self._pages(
                "/ecommerce/stores/{store}/carts", Carts, lambda page: page.carts, path=path
            ):
                if cart.customer is not None:
                    yield (Identifier(IdentifierKind.EMAIL, cart.customer.email_address),)

    def subscribed(self) -> Iterator[Identifier]:
        """Everybody whom a campaign would reach today, audience by audience."""
        for audience in self._audiences():
            for member in self._pages(
                "/lists/{list}/members",
                Members,
                lambda page: page.members,
                path={"list": audience.id},
                query={"status": "subscribed", "fields": "members.email_address,total_items"},
            ):
                yield Identifier(IdentifierKind.EMAIL, member.email_address)

    def _unsubscribe(self, list_id: str, address: str) -> bool:
        path = {"list": list_id, "member": _fingerprint(address)}
        template = "/lists/{list}/members/{member}"
        member = self._member(list_id, path["member"])
        if member is None and not self._hold_absent:
            return False
        if member is not None and _is_suppressed(member):
            return True
        if member is not None:
            changed: dict[str, object] = {"status": "unsubscribed"}
            if member.sms_subscription_status in {"subscribed", "pending"}:
                changed["sms_subscription_status"] = "unsubscribed"
            answer = self._call("PATCH", template, path=path, json=changed, expect=(200, 400, 405))
        if member is None or answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            answer = self._call(
                "PUT",
                template,
                path=path,
                json={
                    "email_address": address,
                    "status_if_new": "unsubscribed",
                    "status": "unsubscribed",
                },
                expect=(200, 400),
            )
        if answer.status == HTTPStatus.BAD_REQUEST and _title(answer).startswith("Forgotten"):
            return True
        member = self._member(list_id, path["member"])
        if member is None or not _is_suppressed(member):
            raise Refused("a member is still subscribed after unsubscribing")
        return True

    # Calls

    def _pages(
        self,
        template: str,
        model: type[P],
        items: Callable[[P], list[T]],
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[T]:
        offset = 0
        before: list[T] = []
        for _ in range(MOST_PAGES):
            bounds = {"count": PAGE, "offset": offset}
            answer = self._call("GET", template, path=path, query={**(query or {}), **bounds})
            page = read(model, answer)
            found = items(page)
            if found and found == before:
                break
            yield from found
            offset, before = offset + len(found), found
            # A short page may be one that the vendor cut: only its own total ends the list.
            if not found or (page.total_items is not None and offset >= page.total_items):
                return
        raise Refused(f"GET {template} never ends")

    def _call(
        self,
        method: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        json: object | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response:
        with self._turn:
            response = self._http.request(
                method, template, path=path, query=query, json=json, expect=(*expect, 403)
            )
        if response.status != HTTPStatus.FORBIDDEN:
            return response
        # At high volume Mailchimp's edge refuses with a page of its own instead of a problem.
        if "application/problem+json" in response.headers.get("content-type", ""):
            raise Refused(f"{method} {template} answered 403: the key may not do this")
        raise Unavailable(f"{method} {template} answered 403 without a reason: throttled")


_ERASURES = {
    "member": ("POST", "/lists/{outer}/members/{inner}/actions/delete-permanent"),
    "shop_customer": ("DELETE", "/ecommerce/stores/{outer}/customers/{inner}"),
    "shop_order": ("DELETE", "/ecommerce/stores/{outer}/orders/{inner}"),
    "shop_cart": ("DELETE", "/ecommerce/stores/{outer}/carts/{inner}"),
}

_turns: dict[str, BoundedSemaphore] = {}
_turns_lock = Lock()


def _url_of(key: str) -> str:
    _, dash, centre = key.rpartition("-")
    if not dash or not re.fullmatch(r"[a-z]{2,5}\d{1,4}", centre):
        raise Misconfigured("mailchimp's 'key' ends in a data centre (…-us6); else set 'url'")
    return f"https://{centre}.api.mailchimp.com/3.0"


def _turns_of(key: str) -> BoundedSemaphore:
    """The places of one account, shared by every connector of this process that uses its key."""
    with _turns_lock:
        return _turns.setdefault(key, BoundedSemaphore(CONNECTIONS))


def _addresses(person: Person) -> tuple[str, ...]:
    """The person's addresses, as written and in their normal form, each once."""
    written = [value.strip() for value in person.all(IdentifierKind.EMAIL)]
    forms = (f for value in written for f in (value, value.lower(), normal_email(value)) if f)
    return tuple(dict.fromkeys(forms))


def _fingerprint(address: str) -> str:
    """Mailchimp's subscriber hash; it keeps the address itself out of access logs."""
    written = address.lower().encode(errors="surrogatepass")
    return md5(written, usedforsecurity=False).hexdigest()


def _is_suppressed(member: Member) -> bool:
    by_mail = member.status in {"unsubscribed", "cleaned"}
    return by_mail and member.sms_subscription_status not in {"subscribed", "pending"}


def _came(member: Member) -> datetime | None:
    """When they signed up or opted in; any edit changes `last_changed`: the last resort."""
    came = filter(None, (member.timestamp_signup, member.timestamp_opt))
    return max(came, default=member.last_changed)


def _title(response: Response) -> str:
    return str(response.object().get("title", ""))


def _masked(values: Mapping[str, object], *, keep: tuple[str, ...]) -> dict[str, object]:
    return {
        name: mask_national_numbers(value, keep=keep) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _key(outer: str, inner: str) -> str:
    return f"{quote(outer, safe='')}/{quote(inner, safe='')}"


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _shop_customer(store: Store, customer: Customer, level: Level) -> Record:
    match, matched_by = level
    return Record(
        key=_key(store.id, customer.id),
        kind="shop_customer",
        match=match,
        matched_by=matched_by,
        fields=held(
            {
                "store": store.name or store.id,
                "email": customer.email_address,
                "first_name": customer.first_name,
                "last_name": customer.last_name,
                "company": customer.company,
                "address": held(customer.address),
                "receives_marketing": customer.opt_in_status,
                "orders": customer.orders_count,
                "total_spent": customer.total_spent,
                "created_at": customer.created_at,
            }
        ),
    )


def _purchase(kind: str, store: Store, bought: Purchase, level: Level) -> Record:
    match, matched_by = level
    flags = {
        "paid": bought.financial_status == "paid",
        "refunded": bought.financial_status == "refunded",
        "cancelled": bought.cancelled_at_foreign is not None,
    }
    return Record(
        key=_key(store.id, bought.id),
        kind=kind,
        match=Match.LINKED_RECORD if match.is_strong else match,
        matched_by=matched_by,
        fields=held(
            {
                "store": store.name or store.id,
                "number": bought.id,
                "total": bought.order_total,
                "currency": bought.currency_code,
                "lines": [line.model_dump(exclude_none=True) for line in bought.lines],
                "payment": bought.financial_status,
                "delivery": bought.fulfillment_status,
                "billing_address": held(bought.billing_address),
                "shipping_address": held(bought.shipping_address),
                "ordered_at": bought.processed_at_foreign,
                "cancelled_at": bought.cancelled_at_foreign,
                "created_at": bought.created_at,
            }
        ),
        anchors=dates(
            order_placed=bought.processed_at_foreign, last_purchase=bought.processed_at_foreign
        ),
        flags=frozenset(name for name, so in flags.items() if so),
        since=bought.processed_at_foreign or bought.created_at,
    )
