"""What the contract tests need to know of every connector; a new connector gets a `World` here."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import urlsplit

from adapters.connector_kit import Somebody, World
from adapters.demo.doubles import mailchimp, pretix, stripe
from adapters.demo.doubles.server import Double
from tests.support import brevo, listmonk
from tests.support.certificates import make_certificate

NOW = datetime.now(UTC).replace(microsecond=0)


D = TypeVar("D", bound=Double)


class OfDouble(World, Generic[D]):
    over_http: ClassVar = True
    double: D

    def __enter__(self) -> Self:
        self._running = ExitStack()
        self._running.enter_context(self.double)
        parts = urlsplit(self.double.url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def kept(self) -> Any:
        with self.double.state:
            return deepcopy({name: getattr(self.double, name) for name in self.double.kept})

    def put_back(self, kept: Any) -> None:
        with self.double.state:
            for name, value in deepcopy(kept).items():
                setattr(self.double, name, value)


class OfMailchimp(OfDouble[mailchimp.MailchimpDouble]):
    suppresses_over_http: ClassVar = True
    more_than_a_page: ClassVar = 1_001

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.double = mailchimp.MailchimpDouble()
        self.double.add_audience("news", "Newsletter", FNAME="First name", LNAME="Last name")
        self.double.add_audience("club", "Club")
        self.double.add_interests("news", "Genres", jazz="Jazz", rock="Rock")
        self.double.add_store("shop", "Shop", list_id="news")

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url + self.double.prefix, "key": mailchimp.KEY}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        first, _, last = who.name.partition(" ")
        names = {"FNAME": first, "LNAME": last}
        member = self.double.add_member(
            "news", who.email, merge_fields=names, interests={"jazz": True}
        )
        self.double.add_member("club", who.email, status="archived")
        self.double.tags["news", member] = [{"id": 1, "name": "Concerts"}]
        self.double.notes["news", member] = [{"id": 1, "note": f"Called {who.phone}"}]
        self.double.activity["news", member] = [{"activity_type": "open"}]
        self.double.events["news", member] = [{"name": "in", "properties": {"from": "app"}}]
        self.double.goals["news", member] = [{"goal_id": 1, "event": "visit", "data": "/x"}]
        number = f"c/{len(self.double.customers)}"
        address = {"address1": "Gata 1", "phone": who.phone}
        self.double.add_customer(
            "shop", number, who.email, first_name=first, last_name=last, address=address
        )
        for _ in range(records):
            order = f"order {len(self.double.orders)}"
            paid = {"order_total": 450.0, "financial_status": "paid"}
            at = NOW.isoformat()
            self.double.add_order("shop", order, number, processed_at_foreign=at, **paid)
        self.double.add_cart("shop", f"cart-{number}", number)

    def next_page(self, number: int) -> object:
        return {"lists": [{"id": f"list-{number}", "name": "List"}]}


class OfPretix(OfDouble[pretix.PretixDouble]):
    more_than_a_page: ClassVar = 51

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.double = pretix.PretixDouble()
        starts, ends = NOW - timedelta(days=400), NOW - timedelta(days=399)
        self.double.add_event(
            "show", "Show", starts=starts, ends=ends, products={"Seat": "450.00"}, organiser="other"
        )

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url, "token": pretix.TOKEN, "organizer": pretix.ORGANIZER}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        number = len(self.double.customers)
        account = self.double.add_customer(
            f"CUST{number}", who.name, who.email, phone=who.phone, notes=f"Called {who.phone}"
        )
        bought = NOW - timedelta(days=410)
        for _ in range(records):
            code = f"C{len(self.double.orders):05}"
            order = self.double.add_order(
                "show",
                code,
                who.email,
                bought_at=bought,
                tickets=[{"name": who.name, "email": who.email, "street": "Gata 1"}],
                buyer=who.name,
                street="Gata 1",
                phone=who.phone,
                customer=account,
            )
        self.double.add_invoice("show", code, f"INV-{number}")
        self.double.add_waiting("show", who.name, who.email, created=bought)
        ticket = order["positions"][0]["id"]
        self.double.add_gift_card(ticket, value="0.00", issued=bought, conditions=who.name)
        self.double.add_membership(account, who.name, starts=bought, ends=NOW - timedelta(days=45))
        self.double.add_medium(account, f"M-{number}", created=bought)

    def next_page(self, number: int) -> object:
        return {"results": [], "next": f"https://elsewhere.example/?page={number + 2}"}


class OfStripe(OfDouble[stripe.StripeDouble]):
    more_than_a_page: ClassVar = 101

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.double = stripe.StripeDouble()

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url, "key": stripe.KEY}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        customer = self.double.add_customer(
            who.email, name=who.name, phone=who.phone, description=f"Called {who.phone}"
        )
        self.double.add_card(customer)
        billing = {"email": who.email, "name": who.name, "phone": who.phone, "address": None}
        for _ in range(records):
            charge = self.double.add_charge(customer, billing_details=billing)
        self.double.add_intent(customer, latest_charge=charge)
        self.double.add_intent(customer)
        self.double.add_subscription(customer, status="canceled")
        self.double.add_invoice(customer, number="A-1", customer_email=who.email)
        self.double.add_invoice(customer, status="draft", customer_name=who.name)
        self.double.add_charge(None, email=who.email)

    def next_page(self, number: int) -> object:
        return {"data": [{"id": f"cus_{number}"}], "has_more": True, "next_page": str(number)}


class OfListmonk(OfDouble[listmonk.ListmonkDouble]):
    """One person is one subscriber there, so that no search of theirs fills a page."""

    suppresses_over_http: ClassVar = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.double = listmonk.ListmonkDouble()

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url, "user": listmonk.USER, "token": listmonk.TOKEN}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        self.double.bounce(self.double.add(who.email, who.name, phone=who.phone))

    def next_page(self, number: int) -> object:
        return {"data": {"results": [{"id": number, "email": "x@y.example"}], "total": 10**6}}


class OfBrevo(OfDouble[brevo.BrevoDouble]):
    suppresses_over_http: ClassVar = True
    more_than_a_page: ClassVar = 501

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.double = brevo.BrevoDouble()

    def configuration(self, url: str) -> Mapping[str, str]:
        return {"url": url + self.double.prefix, "key": brevo.KEY, "per_second": "1000"}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        self.double.add(who.email, who.name, who.phone)
        for number in range(records):
            self.double.sent(who.email, f"Ticket {number} for {who.name}")

    def next_page(self, number: int) -> object:
        message = {"messageId": f"<{number}@x>", "email": "x@y.example"}
        return {"count": 10**6, "transactionalEmails": [message]}


class OfCsv(World):
    from_files: ClassVar = True
    more_than_a_page: ClassVar = 2_000

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._file = folder / "export.csv"
        self._write([["Number", "Name", "E-mail", "Phone", "Last purchase", "Note"]])

    def configuration(self, url: str) -> Mapping[str, str]:
        return {
            "folder": str(self.folder),
            "kind": "customer",
            "column.customer_number": "Number",
            "column.name": "Name",
            "column.email": "E-mail",
            "column.phone": "Phone",
            "anchor.last_purchase": "Last purchase",
        }

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        first = self._file.read_text(encoding="utf-8").count("\n")
        self._write(
            [str(number), who.name, who.email, who.phone, "2026-03-31", "Likes jazz"]
            for number in range(first, first + records)
        )

    def kept(self) -> Any:
        return self._file.read_bytes()

    def put_back(self, kept: Any) -> None:
        self._file.write_bytes(kept)

    def _write(self, rows: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        with self._file.open("a", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
        # An export of a moment ago, so that a read-back of "after now" asks for another.
        os.utime(self._file, (time.time() - 60, time.time() - 60))


class OfNobodyToCall(World):
    """Of a system that a person looks into, or that is told and answers by itself."""

    finds: ClassVar = False

    def configuration(self, url: str) -> Mapping[str, str]:
        return {}

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        """Nobody but a person knows what is there."""

    def kept(self) -> Any:
        return None

    def put_back(self, kept: Any) -> None:
        """Nothing changed."""


class OfDescription(OfNobodyToCall):
    """What a file describes is tried where the file is: nothing is there without one."""

    def configuration(self, url: str) -> Mapping[str, str]:
        file = self.folder / "system.toml"
        file.write_text(_DESCRIBED)
        return {"description": str(file), "url": "http://127.0.0.1:9"}


class OfSettings(OfNobodyToCall):
    """Of a described system that has tests of its own, at a server or a double of its own."""

    def configuration(self, url: str) -> Mapping[str, str]:
        names = ("user", "password", "key", "client_id", "client_secret", "subscription_key")
        own = str(make_certificate(self.folder / "own.pem"))
        files = dict.fromkeys(("certificate", "certificate_key", "authority"), own)
        return {"url": "https://127.0.0.1:9", "merchant": "1", **dict.fromkeys(names, "x"), **files}


_DESCRIBED = """\
title = "described"
[[find]]
by = "email"
path = "/people"
query = { email = "{email}" }
rows = "/people"
matches = { email = ["/email"] }
record = { kind = "person", key = "/id", fields = { email = "/email" } }
"""


KIT: Mapping[str, type[World]] = {
    "brevo": OfBrevo,
    "csv": OfCsv,
    "http": OfDescription,
    "https": OfNobodyToCall,
    "kafka": OfNobodyToCall,
    "klarna": OfSettings,
    "klarna-tokens": OfSettings,
    "listmonk": OfListmonk,
    "mailchimp": OfMailchimp,
    "mailman": OfSettings,
    "manual": OfNobodyToCall,
    "nets": OfSettings,
    "opendsr": OfNobodyToCall,
    "pretix": OfPretix,
    "stripe": OfStripe,
    "swish": OfSettings,
    "vipps": OfSettings,
    "webhook": OfNobodyToCall,
}
