"""Invented people, and what the connected systems hold about each of them.

Nobody here exists: surnames that nobody bears, addresses in .example, numbers that the Swedish
regulator keeps for fiction (law E-02).
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from random import Random

from adapters.demo.doubles.pretix import PretixDouble
from adapters.demo.doubles.stripe import StripeDouble
from adapters.demo.past.plan import Invented, Plan
from adapters.demo.world import NORWEGIAN, World

LIST = "fjord01"
"""The audience of the house of culture's newsletter."""

_GIVEN = {
    NORWEGIAN: (
        *("Anne", "Arne", "Astrid", "Bjørn", "Eirik", "Eli", "Frode", "Gunnar", "Guro", "Hanne"),
        *("Håkon", "Ida", "Ivar", "Jorunn", "Kjersti", "Lars", "Liv", "Magne", "Marit", "Nina"),
        *("Odd", "Ragnhild", "Sindre", "Siri", "Sverre", "Tone", "Torunn", "Vidar", "Øystein"),
    ),
    "": (
        *("Agneta", "Anders", "Birgitta", "Bo", "Cecilia", "Ebba", "Erik", "Fredrik", "Gunilla"),
        *("Göran", "Hjalmar", "Ingela", "Johan", "Karin", "Lena", "Linnea", "Magnus", "Nils"),
        *("Oskar", "Pernilla", "Rut", "Sven", "Tove", "Ulrika", "Viktor", "Åsa", "Örjan"),
    ),
}
_FAMILY = {
    NORWEGIAN: (
        *("Diktum", "Eventyrsen", "Fabelvik", "Fiksjonsen", "Liksomdal", "Oppdiktet", "Påfunnvik"),
        *("Prøvesen", "Sagnmo", "Skrønedal", "Tenktvik", "Tulledal"),
    ),
    "": (
        *("Diktberg", "Fantasiblad", "Fiktivsson", "Hittepåström", "Låtsaslund", "Provström"),
        *("Påhittsson", "Sagoberg", "Skrönström", "Tänktsson", "Uppdiktad"),
    ),
}
_STREETS = {NORWEGIAN: ("Oppdiktede vei", "Fjordsund"), "": ("Påhittade gatan", "Stundby")}
_EVENTS = {
    NORWEGIAN: (("kammerkveld", "Kammerkveld"), ("barneteater", "Barneteater"), ("jazz", "Jazz")),
    "": (("paddling", "Paddling"), ("vinprovning", "Vinprovning"), ("spa", "Dag på spa")),
}
_COMING = {NORWEGIAN: ("revy", "Nyttårsrevy"), "": ("skidskola", "Skidskola")}


def invent(number: int, controller: str, chance: Random) -> Invented:
    country = controller if controller in _GIVEN else ""
    given, family = chance.choice(_GIVEN[country]), chance.choice(_FAMILY[country])
    street, city = _STREETS[country]
    return Invented(
        number=number,
        name=f"{given} {family}",
        email=f"{_plain(given)}.{_plain(family)}{number}@epost.example",
        # 070-174 06 05 to 99 belong to nobody, and never will.
        phone=f"+4670174{605 + number % 95:04}",
        street=f"{street} {number % 80 + 1}",
        city=city,
    )


def hold(world: World, plan: Plan, chance: Random) -> None:
    """Let the systems of a controller hold what somebody bought and signed up for before."""
    person, at, norwegian = plan.person, plan.arrives, plan.controller == NORWEGIAN
    country = plan.controller if norwegian else ""
    shop = world.ticketing if norwegian else world.shop
    payment = world.payment if norwegian else world.card_payment
    _open_shop(shop, country, at)
    account = shop.add_customer(
        f"K{person.number}", person.name, person.email, phone=person.phone, locale="nb"
    )
    ages = sorted(chance.sample(range(40, 900), chance.randint(1, 3)), reverse=True)
    for place, age in enumerate(ages):
        slug, _ = _EVENTS[country][place]
        _order(shop, slug, f"A{person.number}{place}X", person, at - timedelta(days=age), account)
        _pay(payment, person, at - timedelta(days=age), chance.randint(200, 2_400))
    if chance.random() < 0.2:  # something to come keeps what it needs
        slug, _ = _COMING[country]
        _order(shop, slug, f"C{person.number}X", person, at - timedelta(days=12), account)
    if norwegian and chance.random() < 0.75:
        first, _, last = person.name.partition(" ")
        world.mailing.add_member(LIST, person.email, merge_fields={"FNAME": first, "LNAME": last})
    if plan.namesake:
        other = Invented(
            number=person.number + 5_000,
            name=person.name,
            email=f"namesake{person.number}@annenpost.example",
            phone="",
            street=person.street.replace("vei", "allé").replace("gatan", "vägen"),
            city=person.city,
        )
        slug, _ = _EVENTS[country][0]
        account = shop.add_customer(f"K{other.number}", other.name, other.email, locale="nb")
        _order(shop, slug, f"N{other.number}X", other, at - timedelta(days=200), account)


def empty(world: World) -> None:
    """Let the systems hold nobody any more, and answer as they should."""
    for double in world.doubles.values():
        double.heal()
        new = type(double)()
        with double.state:
            for name in double.kept:
                setattr(double, name, getattr(new, name))
    world.shop.currency = "SEK"
    world.mailing.add_audience(LIST, "Nyhetsbrev", FNAME="Fornavn", LNAME="Etternavn")


def _open_shop(shop: PretixDouble, country: str, at: datetime) -> None:
    """The events that things were bought for: some over, one to come."""
    product = "Billett" if country else "Biljett"
    events = [(*one, at - timedelta(days=30 + 200 * n)) for n, one in enumerate(_EVENTS[country])]
    for slug, name, day in [*events, (*_COMING[country], at + timedelta(days=60))]:
        if slug not in shop.events:
            starts = day.replace(hour=18, minute=0, second=0, microsecond=0)
            shop.add_event(
                slug,
                name,
                starts=starts,
                ends=starts + timedelta(hours=2),
                products={product: "420.00" if country else "890.00"},
            )


def _order(
    shop: PretixDouble, slug: str, code: str, person: Invented, at: datetime, account: str
) -> None:
    shop.add_order(
        slug,
        code,
        person.email,
        bought_at=at,
        buyer=person.name,
        street=person.street,
        city=person.city,
        country="NO" if shop.currency == "NOK" else "SE",
        customer=account,
        phone=person.phone or None,
        locale="nb",
        tickets=[{"name": person.name, "email": person.email}],
    )


def _pay(payment: StripeDouble, person: Invented, at: datetime, amount: int) -> None:
    created = int(at.timestamp())
    customer = payment.add_customer(person.email, name=person.name, created=created)
    payment.add_charge(customer, amount=amount * 100, created=created)


def _plain(name: str) -> str:
    """A name as it stands in an address: ø and å have none of their own there."""
    spelt = name.lower().replace("ø", "o").replace("æ", "ae")
    return unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
