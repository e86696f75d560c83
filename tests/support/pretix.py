"""A real pretix server for tests: provisioned by itself, and planted with people.

pretix is AGPL software: it runs as a process of its own from a virtual environment of its own
and is never imported here.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3

from tests.support.components import alone_with, cache, free_port, unavailable

VERSION = "2026.8.0"
NOT_NEWER_THAN = "2026-11-20T00:00:00Z"
ORGANIZER = "venue"
HINT = f"needs Python 3.11 and a package index: pip install pretix=={VERSION}"

_CONFIGURATION = """\
[pretix]
instance_name=test
url=http://127.0.0.1:{port}
datadir={data}
currency=NOK
[database]
backend=sqlite3
[mail]
host=127.0.0.1
port=1
"""

_BOOTSTRAP = """\
from django_scopes import scopes_disabled
from pretix.base.models import Organizer, Team, TeamAPIToken
with scopes_disabled():
    organizer = Organizer.objects.create(
        name="Venue", slug="venue", plugins="pretix.plugins.banktransfer,pretix.plugins.stripe"
    )
    organizer.settings.customer_accounts = True
    team = Team.objects.create(
        organizer=organizer, name="All", all_events=True,
        all_event_permissions=True, all_organizer_permissions=True,
    )
    TeamAPIToken.objects.create(team=team, name="tests", token="{token}")
"""

# The server ends when our end of its standard input closes, so not even a killed
# test session leaves one behind.
_SERVE = """\
import os, sys, threading
def leave_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=leave_with_parent, daemon=True).start()
os.environ["DJANGO_SETTINGS_MODULE"] = "pretix.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(
    ["pretix", "runserver", "--noreload", "--insecure", "--skip-checks", sys.argv[1]]
)
"""

_TOKEN = "t0ken" * 8


@dataclass
class Pretix:
    """A running server. `get`, `post` and `patch` speak its own API, independent of our code."""

    url: str
    token: str
    organizer: str
    database: Path
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    @property
    def configuration(self) -> dict[str, str]:
        return {"url": self.url, "token": self.token, "organizer": self.organizer}

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.raw(path, method, body)
        return json.loads(answer) if answer else None

    def raw(self, path: str, method: str = "GET", body: object = None) -> bytes:
        response = self._pool.request(
            method,
            f"{self.url}/api/v1/organizers/{self.organizer}{path}",
            body=None if body is None else json.dumps(body),
            headers={
                "Authorization": f"Token {self.token}",
                "Content-Type": "application/json",
            },
            redirect=False,
        )
        if response.status >= 300:
            raise AssertionError(f"{method} {path}: {response.status} {response.data[:500]!r}")
        return response.data

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        return self.call("POST", path, body)

    def patch(self, path: str, body: object) -> Any:
        return self.call("PATCH", path, body)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What really stands in its database, beside what the API is willing to show."""
        with self._open() as connection:
            return connection.execute(statement, values).fetchall()

    def tables_holding(self, text: str) -> dict[str, int]:
        """In how many rows of which tables a text stands, whatever its case."""
        with self._open() as connection:
            tables = [name for (name,) in connection.execute(_TABLES)]
            return {table: count for table in tables if (count := _count(connection, table, text))}

    def back_up(self, copy: Path) -> None:
        with self._open() as live, closing(sqlite3.connect(copy)) as backup:
            live.backup(backup)

    def put_back(self, copy: Path) -> None:
        """Restore its database, as an operator does after a crash: what happened since is gone."""
        with closing(sqlite3.connect(copy)) as backup, self._changeable() as live:
            backup.backup(live)

    def date_order(self, code: str, at: datetime) -> None:
        """No call of its API says when an order was made."""
        statement = "UPDATE pretixbase_order SET datetime = ? WHERE code = ?"
        with self._changeable() as live, live:
            live.execute(statement, [f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}", code])

    def _changeable(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.database, timeout=30))

    def _open(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True))


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


def _count(connection: sqlite3.Connection, table: str, text: str) -> int:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    everything = " || ' ' || ".join(
        f"coalesce(CAST(\"{column}\" AS TEXT), '')" for column in columns
    )
    statement = f'SELECT count(*) FROM "{table}" WHERE instr(lower({everything}), ?) > 0'
    count: int = connection.execute(statement, [text.lower()]).fetchone()[0]
    return count


@contextmanager
def server(folder: Path) -> Iterator[Pretix]:
    """A pretix server on a free loopback port with a database of its own in `folder`."""
    python, template = provision()
    port = free_port()
    environment = _configure(folder, port)
    database = folder / "data" / "db.sqlite3"
    shutil.copyfile(template, database)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-c", _SERVE, f"127.0.0.1:{port}"],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            pretix = Pretix(f"http://127.0.0.1:{port}", _TOKEN, ORGANIZER, database)
            _wait(pretix, process, folder / "server.log")
            yield pretix
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def provision() -> tuple[Path, Path]:
    """The interpreter that has pretix, and a migrated database with one organizer and a token.

    The first time takes minutes, afterwards both lie in the cache.
    """
    environment = cache() / "pretix-venv"
    template = cache() / f"pretix-{VERSION}.sqlite3"
    with alone_with(template):
        python = environment / "bin" / "python"
        if _installed(environment) != VERSION:
            _install(environment)
        if not template.exists():
            _migrate(python, template)
    return python, template


def _installed(environment: Path) -> str | None:
    found = list(environment.glob("lib/python3*/site-packages/pretix-*.dist-info"))
    return found[0].name.removeprefix("pretix-").removesuffix(".dist-info") if found else None


def _install(environment: Path) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    python, pinned = environment / "bin" / "python", f"pretix=={VERSION}"
    if shutil.which("uv"):
        steps: list[Sequence[str | Path]] = [
            ["uv", "venv", "--python", "3.11", environment],
            ["uv", "pip", "install", "--python", python, "--exclude-newer", NOT_NEWER_THAN, pinned],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", environment],
            [python, "-m", "pip", "install", "--quiet", pinned],
        ]
    for step in steps:
        _run(step, cwd=environment.parent)


def _migrate(python: Path, template: Path) -> None:
    workshop = template.with_suffix(".making")
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    environment = _configure(workshop, port=8345)
    _run([python, "-m", "pretix", "migrate"], cwd=workshop, env=environment)
    script = _BOOTSTRAP.format(token=_TOKEN)
    _run([python, "-m", "pretix", "shell", "-c", script], cwd=workshop, env=environment)
    (workshop / "data" / "db.sqlite3").replace(template)
    shutil.rmtree(workshop)


def _configure(folder: Path, port: int) -> dict[str, str]:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    configuration = folder / "pretix.cfg"
    configuration.write_text(_CONFIGURATION.format(port=port, data=data))
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {"PRETIX_CONFIG_FILE": str(configuration)}


def _run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    said = ""
    try:
        subprocess.run(
            command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=1200
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
    if said:
        unavailable("pretix", f"{HINT} ({said.splitlines()[-1]})")


def _wait(pretix: Pretix, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            pretix.get("/")
        except (urllib3.exceptions.HTTPError, AssertionError):
            time.sleep(0.2)
        else:
            return
    process.kill()
    said = log.read_text(errors="replace").strip().splitlines()
    unavailable("pretix", f"the server did not start ({said[-1] if said else 'it said nothing'})")


# People and what they bought


@dataclass(frozen=True)
class Planted:
    """A small world around one person, in an event of its own. Every text in `strangers` is
    somebody else's and must never show up in the person's copy."""

    event: str
    email: str
    name: str
    phone: str
    customer: str
    orders: Mapping[str, str]
    tickets: Mapping[str, int]
    invoice: str
    waiting: int
    membership: int
    gift_card: int
    medium: int
    strangers: tuple[str, ...]
    secrets_of_the_person: tuple[str, ...]


ORGANISER = "Visiting Circus"
"""Who holds every planted event, as an event property says."""

WHEELCHAIR = "wheelchair"
"""The identifier of the question whose answer is about health."""


def plant(pretix: Pretix, tag: str, *, starts: datetime | None = None) -> Planted:
    """Plant one person among strangers; `tag` (letters) keeps several plantings apart.

    `orders` and `tickets` are named by what makes them difficult:
    account (her account's order, with a companion's ticket), upper (a guest order with the same
    address in capitals), linked (her account, another address), family (her address, another
    person's name), foreign (a stranger's order in which she is an attendee), namesake.
    """
    surname = f"{tag.title()}dal"
    name, email = f"Kari {surname}", f"kari.{tag}@post.example"
    starts = starts or datetime.now(UTC) + timedelta(days=40)
    event = f"show-{tag}"
    shop = Shop(pretix, event, starts)

    customer = shop.customer(name, email, phone="+46701740605", notes=f"likes row 1 {tag}")
    namesake_email = f"k.{tag}@other.example"
    namesake = shop.customer(name, namesake_email)

    account = shop.order(
        email,
        customer=customer,
        phone="+46701740605",
        invoice_name=name,
        street=f"Testveien 1 {tag}",
        comment=f"Card 4111 1111 1111 1111 read out by {tag}",
        provider="stripe_klarna",
        positions=[
            shop.position(name, email, answers={WHEELCHAIR: f"yes, wheelchair {tag}"}),
            shop.position(f"Nils Fremmed{tag}", f"nils.{tag}@other.example"),
            shop.position(f"Per {surname}", email),
        ],
    )
    upper = shop.order(email.upper(), positions=[shop.position(None, None)])
    linked = shop.order(
        f"old.{tag}@post.example", customer=customer, positions=[shop.position(name, None)]
    )
    family = shop.order(
        email,
        invoice_name=f"Per {surname}",
        street=f"Pers vei 2 {tag}",
        positions=[shop.position(f"Per {surname}", email)],
    )
    foreign = shop.order(
        f"oda.{tag}@other.example",
        invoice_name=f"Oda Fremmed{tag}",
        street=f"Odas vei 3 {tag}",
        phone="+46701740606",
        comment=f"calls often {tag}",
        positions=[
            shop.position(f"Oda Fremmed{tag}", f"oda.{tag}@other.example"),
            shop.position(name, email.replace("kari", "Kari"), street=f"Karis vei 4 {tag}"),
        ],
    )
    other = shop.order(
        namesake_email,
        customer=namesake,
        invoice_name=name,
        street=f"Navnes vei 5 {tag}",
        positions=[shop.position(name, namesake_email)],
    )
    number = pretix.post(f"/events/{event}/orders/{account['code']}/create_invoice/")["number"]
    ticket = {
        "account": account["positions"][0],
        "companion": account["positions"][1],
        "family-companion": account["positions"][2],
        "linked": linked["positions"][0],
        "family": family["positions"][0],
        "foreign": foreign["positions"][1],
        "namesake": other["positions"][0],
    }
    pretix.post(
        f"/events/{event}/checkinlists/{shop.check_in_list}/positions/"
        f"{ticket['account']['id']}/redeem/",
        {},
    )
    waiting = pretix.post(
        f"/events/{event}/waitinglistentries/",
        {"name": name, "email": email.upper(), "item": shop.sold_out, "locale": "en"},
    )
    kind = pretix.post(
        "/membershiptypes/",
        {"name": {"en": "Friend"}, "transferable": False, "allow_parallel_usage": False},
    )
    membership = pretix.post(
        "/memberships/",
        {
            "customer": customer,
            "membership_type": kind["id"],
            "date_start": "2026-01-01T00:00:00Z",
            "date_end": "2030-01-01T00:00:00Z",
            "attendee_name_parts": {"_scheme": "full", "full_name": name},
        },
    )
    gift_card = pretix.post(
        "/giftcards/",
        {
            "secret": f"GIFT{tag.upper()}",
            "value": "200.00",
            "currency": "NOK",
            "conditions": f"for {name}",
            "owner_ticket": ticket["account"]["id"],
        },
    )
    medium = pretix.post(
        "/reusablemedia/",
        {"type": "barcode", "identifier": f"BAND{tag}", "customer": customer, "notes": name},
    )
    return Planted(
        event=event,
        email=email,
        name=name,
        phone="+46701740605",
        customer=customer,
        orders={
            "account": account["code"],
            "upper": upper["code"],
            "linked": linked["code"],
            "family": family["code"],
            "foreign": foreign["code"],
            "namesake": other["code"],
        },
        tickets={which: position["id"] for which, position in ticket.items()},
        invoice=number,
        waiting=waiting["id"],
        membership=membership["id"],
        gift_card=gift_card["id"],
        medium=medium["id"],
        strangers=(
            f"Fremmed{tag}",
            f"Per {surname}",
            "@other.example",
            f"Pers vei 2 {tag}",
            f"Odas vei 3 {tag}",
            f"Navnes vei 5 {tag}",
            "+46701740606",
            f"calls often {tag}",
            foreign["secret"],
        ),
        secrets_of_the_person=(
            email,
            "+46701740605",
            f"Testveien 1 {tag}",
            f"yes, wheelchair {tag}",
            f"Karis vei 4 {tag}",
            f"likes row 1 {tag}",
            f"old.{tag}@post.example",
        ),
    )


class Shop:
    """One event, on sale, through pretix's own API."""

    def __init__(self, pretix: Pretix, event: str, starts: datetime) -> None:
        self.pretix, self.event = pretix, event
        if not pretix.get("/event_meta_properties/")["results"]:
            pretix.post("/event_meta_properties/", {"name": "organiser", "choices": []})
        pretix.post(
            "/events/",
            {
                "name": {"en": "A show"},
                "slug": event,
                "currency": "NOK",
                "date_from": starts.isoformat(),
                "date_to": (starts + timedelta(hours=2)).isoformat(),
                "timezone": "Europe/Oslo",
                "plugins": ["pretix.plugins.banktransfer", "pretix.plugins.stripe"],
                "meta_data": {"organiser": ORGANISER},
            },
        )
        at = f"/events/{event}"
        pretix.patch(f"{at}/settings/", {"invoice_generate": "user"})
        item = {"default_price": "200.00", "admission": True, "personalized": True}
        self.item: int = pretix.post(f"{at}/items/", item | {"name": {"en": "Seat"}})["id"]
        self.sold_out: int = pretix.post(f"{at}/items/", item | {"name": {"en": "Box"}})["id"]
        for thing, size in ((self.item, 1000), (self.sold_out, 0)):
            pretix.post(
                f"{at}/quotas/",
                {"name": "q", "size": size, "items": [thing], "variations": []},
            )
        self.question: int = pretix.post(
            f"{at}/questions/",
            {
                "question": {"en": "Do you need anything?"},
                "type": "S",
                "identifier": WHEELCHAIR,
                "items": [self.item],
                "required": False,
                "position": 1,
                "options": [],
            },
        )["id"]
        self.check_in_list: int = pretix.post(
            f"{at}/checkinlists/", {"name": "door", "all_products": True, "limit_products": []}
        )["id"]

    def customer(self, name: str, email: str, **more: str) -> str:
        parts = {"_scheme": "full", "full_name": name}
        body = {"email": email, "name_parts": parts, "locale": "en", **more}
        identifier: str = self.pretix.post("/customers/", body)["identifier"]
        return identifier

    def position(
        self,
        name: str | None,
        email: str | None,
        *,
        answers: Mapping[str, str] | None = None,
        street: str | None = None,
    ) -> dict[str, Any]:
        return {
            "item": self.item,
            "price": "200.00",
            "attendee_name_parts": {"_scheme": "full", "full_name": name} if name else {},
            "attendee_email": email,
            "street": street,
            "answers": [
                {"question": self.question, "answer": answer, "options": []}
                for answer in (answers or {}).values()
            ],
        }

    def order(
        self,
        email: str,
        *,
        positions: Sequence[dict[str, Any]],
        customer: str | None = None,
        phone: str | None = None,
        invoice_name: str | None = None,
        street: str = "",
        comment: str = "",
        provider: str = "manual",
        status: str = "p",
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "email": email,
            "locale": "en",
            "sales_channel": "web",
            "status": status,
            "payment_provider": provider,
            "comment": comment,
            **({"customer": customer} if customer else {}),
            **({"phone": phone} if phone else {}),
            "positions": [
                {"positionid": number, **position}
                for number, position in enumerate(positions, start=1)
            ],
        }
        if invoice_name:
            body["invoice_address"] = {
                "is_business": False,
                "company": "",
                "name_parts": {"_scheme": "full", "full_name": invoice_name},
                "street": street,
                "zipcode": "0000",
                "city": "Testby",
                "country": "NO",
                "vat_id": "",
                "internal_reference": "",
            }
        made: dict[str, Any] = self.pretix.post(f"/events/{self.event}/orders/", body)
        return made
