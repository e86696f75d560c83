"""The invented people of the demonstration, what they bought, and the three mails they wrote.

Nobody here exists: addresses end in .example and numbers are reserved for fiction (law E-02). All
dates count from the moment of the first start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.bootstrap import Installation
from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.stripe import StripeDouble
from adapters.demo.past.people import hold
from adapters.demo.past.plans import chance_of, plans
from adapters.demo.past.staff import COLLEAGUES
from adapters.demo.world import NORWEGIAN, SWEDISH, World
from adapters.inbound.mail import parse
from domain.vocabulary import Channel, Severity

HERE = Path(__file__).parent
STAFF = "demo"
HANDLER = "Signe Saksbehandler"
"""Who the visitor is at the desk, by the name that letters give."""
MAILS = {
    "fjordscenen-1.eml": (NORWEGIAN, timedelta(hours=5, minutes=10)),
    "stundbiljett-1.eml": (SWEDISH, timedelta(hours=3, minutes=25)),
    "fjordscenen-2.eml": (NORWEGIAN, timedelta(hours=1, minutes=40)),
}
"""Each mail, whom it reached, and how long before the first start."""

LOCAL = ZoneInfo("Europe/Oslo")
_LIST = "fjord01"
_LONG_AGO = timedelta(days=45)
"""What arrived before has been answered."""


def people(world: World, began: datetime) -> None:
    """Fill the systems of a new world."""
    _fill_fjordscenen(world, began)
    _fill_stundbiljett(world, began)
    for plan in plans(began):
        if plan.is_open or began - plan.arrives < _LONG_AGO:  # whoever works on it asks these
            hold(world, plan, chance_of(plan))


def organisations(installation: Installation, began: datetime) -> None:
    """Put the organisations in force and their mails in the inbox; done twice it is done once."""
    _drop_export(installation.settings.exports / SWEDISH / "sms", began)
    installation.staff.know(STAFF, HANDLER)
    for member in COLLEAGUES:
        installation.database.run(installation.staff.set(member))
    for name in (NORWEGIAN, SWEDISH):
        _adopt(installation, name)
    for controller, raw in mails(began):
        message = parse(raw, trusted_hosts=(f"mx.{controller}.example",), now=installation.clock())
        installation.intake.receive(controller, message, channel=Channel.MAIL)


def mails(began: datetime) -> Iterator[tuple[str, bytes]]:
    """The waiting mails as a mail server stored them, with whom each reached."""
    for name, (controller, before) in MAILS.items():
        arrived = (began - before).astimezone(LOCAL)
        text = (HERE / "messages" / name).read_text(encoding="utf-8")
        text = text.replace("@ARRIVED@", format_datetime(arrived))
        text = text.replace("@SENT@", format_datetime(arrived - timedelta(seconds=4)))
        yield controller, text.encode()


def _adopt(installation: Installation, name: str) -> None:
    document = (HERE / "organisations" / f"{name}.toml").read_bytes()
    installation.controllers.adopt(document, name=f"{name}.toml", by=STAFF)
    for finding in installation.controllers.findings(name, installation.clock().date()):
        if finding.severity in {Severity.DECIDE_FIRST, Severity.BLOCK_LETTERS}:
            installation.controllers.decide_finding(
                name, code=finding.code, decision="decided for the demonstration", by=STAFF
            )


# The house of culture


def _fill_fjordscenen(world: World, began: datetime) -> None:
    ingrid, address = "Ingrid Prøvedal", "ingrid.provedal@epost.example"
    shop, payment = world.ticketing, world.payment
    _event(shop, "vinterkonsert", "Vinterkonsert", began - timedelta(days=300), "450.00")
    _event(shop, "sommerrevy", "Sommerrevy", began - timedelta(days=150), "390.00")
    _event(shop, "vaarmusikal", "Vårmusikal", began + timedelta(days=40), "520.00")
    account = shop.add_customer(
        "FJ1001",
        ingrid,
        address,
        phone="+46701740610",
        locale="nb",
        last_login=(began - timedelta(days=20)).isoformat(),
    )
    shop.add_order(
        "vinterkonsert",
        "FJ7K2",
        address,
        bought_at=began - timedelta(days=330),
        buyer=ingrid,
        street="Oppdiktede vei 12",
        city="Fjordsund",
        customer=account,
        phone="+46701740610",
        locale="nb",
        tickets=[
            {"name": ingrid, "email": address},
            {"name": "Jonas Fremmed", "email": "jonas.fremmed@epost.example"},
        ],
    )
    shop.add_invoice("vinterkonsert", "FJ7K2", "FJ-00017")
    shop.add_order(
        "vaarmusikal",
        "FJ9Q4",
        address,
        bought_at=began - timedelta(days=18),
        buyer=ingrid,
        street="Oppdiktede vei 12",
        city="Fjordsund",
        customer=account,
        locale="nb",
        tickets=[{"name": ingrid, "email": address}, {"name": "Jonas Fremmed"}],
    )
    # Somebody of her family uses the same address.
    shop.add_order(
        "sommerrevy",
        "FJ5T1",
        address,
        bought_at=began - timedelta(days=170),
        buyer="Per Prøvedal",
        street="Oppdiktede vei 12",
        city="Fjordsund",
        locale="nb",
        tickets=[{"name": "Per Prøvedal", "email": address}],
    )
    # A friend took her along.
    shop.add_order(
        "sommerrevy",
        "FJ3M8",
        "oda.fremmed@epost.example",
        bought_at=began - timedelta(days=165),
        buyer="Oda Fremmed",
        street="Oppdiktede vei 3",
        city="Fjordsund",
        locale="nb",
        tickets=[
            {"name": "Oda Fremmed", "email": "oda.fremmed@epost.example"},
            {"name": ingrid, "email": address},
        ],
    )
    # Somebody else is called the same.
    namesake = shop.add_customer("FJ1002", ingrid, "i.provedal@annenpost.example", locale="nb")
    shop.add_order(
        "sommerrevy",
        "FJ2N6",
        "i.provedal@annenpost.example",
        bought_at=began - timedelta(days=160),
        buyer=ingrid,
        street="Annen vei 40",
        city="Fjordsund",
        customer=namesake,
        locale="nb",
        tickets=[{"name": ingrid, "email": "i.provedal@annenpost.example"}],
    )
    shop.add_order(
        "sommerrevy",
        "FJ8S5",
        "sigrid.dikta@epost.example",
        bought_at=began - timedelta(days=161),
        buyer="Sigrid Dikta",
        street="Oppdiktede vei 7",
        city="Fjordsund",
        locale="nn",
        tickets=[{"name": "Sigrid Dikta", "email": "sigrid.dikta@epost.example"}],
    )
    _paid(payment, ingrid, address, began, {330: 90_000, 18: 104_000})
    _paid(payment, "Oda Fremmed", "oda.fremmed@epost.example", began, {165: 78_000})
    _paid(payment, "Sigrid Dikta", "sigrid.dikta@epost.example", began, {161: 39_000})

    mailing = world.mailing
    mailing.add_audience(_LIST, "Nyhetsbrev", FNAME="Fornavn", LNAME="Etternavn")
    for name, member in (
        (ingrid, address),
        ("Sigrid Dikta", "sigrid.dikta@epost.example"),
        ("Oda Fremmed", "oda.fremmed@epost.example"),
    ):
        first, _, last = name.partition(" ")
        mailing.add_member(_LIST, member, merge_fields={"FNAME": first, "LNAME": last})


# The seller of experiences


def _fill_stundbiljett(world: World, began: datetime) -> None:
    elsa, address = "Elsa Exempelsson", "elsa.exempelsson@epost.example"
    shop, payment = world.shop, world.card_payment
    _event(shop, "ballongfard", "Ballongfärd", began - timedelta(days=800), "1890.00")
    _event(
        shop,
        "matresa",
        "Matresa i skärgården",
        began - timedelta(days=200),
        "1450.00",
        organiser="Påhittade Resor",
    )
    _event(shop, "klattring", "Klättring för nybörjare", began - timedelta(days=90), "690.00")
    account = shop.add_customer("SB2001", elsa, address, phone="+46701740620", locale="sv")
    shop.add_order(
        "ballongfard",
        "SB4A1",
        address,
        bought_at=began - timedelta(days=840),
        buyer=elsa,
        street="Påhittade gatan 9",
        city="Stundby",
        country="SE",
        customer=account,
        phone="+46701740620",
        locale="sv",
        tickets=[{"name": elsa, "email": address}],
    )
    shop.add_invoice("ballongfard", "SB4A1", "SB-00041")
    shop.add_order(
        "matresa",
        "SB6C3",
        address,
        bought_at=began - timedelta(days=230),
        buyer=elsa,
        street="Påhittade gatan 9",
        city="Stundby",
        country="SE",
        customer=account,
        locale="sv",
        provider="stripe_klarna",
        tickets=[
            {"name": elsa, "email": address},
            {"name": "Nils Okänd", "email": "nils.okand@epost.example"},
        ],
    )
    shop.add_invoice("matresa", "SB6C3", "SB-00093")
    # The payment failed, so nothing came of it.
    shop.add_order(
        "klattring",
        "SB8E5",
        address,
        bought_at=began - timedelta(days=120),
        status="c",
        cancellation_date=(began - timedelta(days=119)).isoformat(),
        locale="sv",
        tickets=[{"name": elsa, "email": address}],
    )
    shop.add_order(
        "klattring",
        "SB9F7",
        "e.exempelsson@annanpost.example",
        bought_at=began - timedelta(days=110),
        buyer=elsa,
        street="Annan gata 2",
        city="Stundby",
        country="SE",
        locale="sv",
        tickets=[{"name": elsa, "email": "e.exempelsson@annanpost.example"}],
    )
    _paid(payment, elsa, address, began, {840: 189_000, 230: 290_000}, currency="sek")
    _paid(payment, "Nils Okänd", "nils.okand@epost.example", began, {110: 69_000}, currency="sek")


def _drop_export(folder: Path, began: datetime) -> None:
    """What the system for text messages exported, dropped where the connector looks for it."""
    export = folder / "sms-export.csv"
    if export.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sent = (began - timedelta(days=231)).date().isoformat()
    export.write_text(
        "Mottagare;Meddelande;Skickat;Ordernummer\r\n"
        f"070-174 06 20;Tack för din bokning. Vi ses vid bryggan!;{sent};SB6C3\r\n"
        f"070-174 06 30;Tack för din bokning. Glöm inte oömma kläder.;{sent};SB9F7\r\n",
        encoding="utf-8",
    )


# Both


def _event(
    shop: PretixDouble,
    slug: str,
    name: str,
    day: datetime,
    price: str,
    organiser: str | None = None,
) -> None:
    starts = day.replace(hour=18, minute=0, second=0, microsecond=0)
    shop.add_event(
        slug,
        name,
        starts=starts,
        ends=starts + timedelta(hours=2),
        products={"Billett" if shop.currency == "NOK" else "Biljett": price},
        organiser=organiser,
    )


def _paid(
    payment: StripeDouble,
    name: str,
    email: str,
    began: datetime,
    amounts: dict[int, int],
    currency: str = "nok",
) -> None:
    """A customer with a card, and what was paid with it: days before the start, and how much."""
    first = int((began - timedelta(days=max(amounts))).timestamp())
    customer = payment.add_customer(email, name=name, created=first)
    payment.add_card(customer, created=first)
    for days, amount in amounts.items():
        created = int((began - timedelta(days=days)).timestamp())
        payment.add_charge(customer, amount=amount, currency=currency, created=created)
