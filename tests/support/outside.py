"""The world outside an installation: three vendors' systems in a process of their own.

python -m tests.support.outside FOLDER PEOPLE

Every call is a line of `calls.jsonl`, written before it is answered, with the key it carried and
whether it changed anything. `addresses.json` appears when all systems answer. It ends when its
standard input does, so that it cannot be left behind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from adapters.demo.doubles.mailchimp import MailchimpDouble, fingerprint_of
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.server import Double, Reply
from adapters.demo.doubles.stripe import StripeDouble

AUDIENCE = "news"
CALLS, ADDRESSES = "calls.jsonl", "addresses.json"
DELAY = 0.005
"""Seconds before every answer: a kill then often falls between a call and its answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the outside saw it; `changed` says that it had an effect."""

    system: str
    method: str
    path: str
    query: str
    key: str | None
    status: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """A person, and what the systems call them."""

    number: int

    @property
    def address(self) -> str:
        return f"person{self.number:05}@kunde.example"

    @property
    def account(self) -> str:
        return f"/customers/SHOP{self.number:05}/anonymize/"

    @property
    def payer(self) -> str:
        return f"/v1/customers/cus_{self.number:05}"

    @property
    def card(self) -> str:
        return f"/v1/payment_methods/pm_{self.number:05}/detach"

    @property
    def member(self) -> str:
        return f"/lists/{AUDIENCE}/members/{fingerprint_of(self.address)}"


class Ledger:
    """Where all systems write down what they were asked."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._lock = Lock()

    def note(self, call: Call) -> None:
        with self._lock:
            self._file.write(json.dumps(asdict(call)) + "\n")
            self._file.flush()


class _Watched(Double):
    """A double whose calls are written down, each with whether it changed what it named."""

    name: str
    ledger: Ledger

    def thing(self, path: list[str]) -> object:
        """What a call to this path could change."""
        raise NotImplementedError

    def _reply(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        parts = urlsplit(target)
        path = parts.path.removeprefix(self.prefix)
        with self.state:
            before = self.thing(path.split("/"))
            reply = super()._reply(method, target, headers, body)
            changed = self.thing(path.split("/")) != before
            key = headers.get("Idempotency-Key")
            status = reply.status if reply is not None else 0
            self.ledger.note(Call(self.name, method, path, parts.query, key, status, changed))
        return reply


class _Shop(_Watched, PretixDouble):
    name = "shop"

    def thing(self, path: list[str]) -> object:
        customer = self.customers.get(path[2]) if path[1] == "customers" else None
        return customer and customer["email"]


class _Payment(_Watched, StripeDouble):
    name = "payment"

    def thing(self, path: list[str]) -> object:
        kind, number = [*path, "", ""][2:4]
        found = self.things.get(kind, {}).get(number, {})
        return found.get("deleted"), found.get("customer")


class _Mailing(_Watched, MailchimpDouble):
    name = "mailing"

    def thing(self, path: list[str]) -> object:
        _, _, audience, _, member = [*path, "", "", "", "", ""][:5]
        found = self.members.get((audience, member))
        return found and found["status"]


def serve(folder: Path, people: int) -> None:
    """Fill the systems, start them, and wait for the end of standard input."""
    ledger = Ledger(folder / CALLS)
    shop, payment, mailing = _Shop(), _Payment(), _Mailing()
    mailing.add_audience(AUDIENCE, "Nyhetsbrev")
    for customer in map(Customer, range(people)):
        shop.add_customer(f"SHOP{customer.number:05}", f"Nr{customer.number:05}", customer.address)
        payer, card = f"cus_{customer.number:05}", f"pm_{customer.number:05}"
        made = payment.add_customer(customer.address)
        payment.things["customers"][payer] = {
            **payment.things["customers"].pop(made),
            "id": payer,
        }
        made = payment.add_card(payer)
        payment.things["payment_methods"][card] = {
            **payment.things["payment_methods"].pop(made),
            "id": card,
        }
        mailing.add_member(AUDIENCE, customer.address)
    running: tuple[_Watched, ...] = (shop, payment, mailing)
    for double in running:
        double.ledger, double.delay = ledger, DELAY
        double.start()
    told = folder / f"{ADDRESSES}.new"
    told.write_text(
        json.dumps(
            {
                "shop": shop.configuration,
                "payment": {
                    "url": payment.url,
                    "key": payment.key,
                    "leave_out": "search, payment_intents",
                    "method_type": "card",
                },
                "mailing": {"url": mailing.url, "key": mailing.key},
            }
        )
    )
    told.rename(folder / ADDRESSES)
    sys.stdin.read()


def calls(folder: Path) -> Iterator[Call]:
    """What the outside has been asked so far."""
    for line in (folder / CALLS).read_text(encoding="utf-8").splitlines():
        yield Call(**json.loads(line))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
