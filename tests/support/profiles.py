"""An invented controller, small enough to know by heart and with one of everything."""

from __future__ import annotations

import dataclasses

from domain.policy import (
    BodyType,
    Category,
    ChannelKind,
    ContactChannel,
    Holding,
    Identity,
    LegalBasis,
    Period,
    Profile,
    Purpose,
    Recipient,
    Retention,
    System,
    Text,
    Told,
    Transfer,
)
from domain.vocabulary import Country, Delivery, Language, Right, Role


def fictional_profile(
    country: Country = Country.NO, body_type: BodyType = BodyType.PUBLIC_BODY
) -> Profile:
    """Fjordlys kulturhus in Norway or Norrsken upplevelser in Sweden; neither exists."""
    norwegian = country is Country.NO
    return Profile(
        id="fjordlys" if norwegian else "norrsken",
        version="1",
        digest="0" * 64,
        controller=_fjordlys() if norwegian else _norrsken(),
        body_type=body_type,
        country=country,
        language=Language.NB if norwegian else Language.SV,
        channels=_channels("fjordlys" if norwegian else "norrsken"),
        promise_days=30 if norwegian else None,
        promise_text="innen 30 dager" if norwegian else None,
        rights=frozenset(Right),
        purposes=_PURPOSES,
        categories=_CATEGORIES,
        systems=_SYSTEMS,
        recipients=_RECIPIENTS,
        observations=(),
        officer_contact=f"personvern@{'fjordlys' if norwegian else 'norrsken'}.example",
        sender=f"post@{'fjordlys' if norwegian else 'norrsken'}.example",
        website=f"https://www.{'fjordlys' if norwegian else 'norrsken'}.example",
    )


def with_profiling(profile: Profile, words: Text) -> Profile:
    return dataclasses.replace(profile, profiling=words)


def _fjordlys() -> Identity:
    return Identity(
        names=("Fjordlys kommune",),
        trade_name="Fjordlys kulturhus",
        organisation_number="000 000 000",
        postal_address="Postboks 0, 0000 Fjordlys",
    )


def _norrsken() -> Identity:
    return Identity(
        names=("Norrsken Upplevelser AB",),
        organisation_number="000000-0000",
        postal_address="Box 0, 000 00 Norrsken",
    )


def _channels(name: str) -> tuple[ContactChannel, ...]:
    return (
        ContactChannel(ChannelKind.EMAIL, f"post@{name}.example"),
        ContactChannel(ChannelKind.PHONE, "21 55 50 00" if name == "fjordlys" else "031-390 06 00"),
    )


def _text(nb: str, nn: str, sv: str, en: str) -> Text:
    return {Language.NB: nb, Language.NN: nn, Language.SV: sv, Language.EN: en}


_PURPOSES = (
    Purpose(
        "sale",
        _text("å selge billetter", "å selje billettar", "att sälja biljetter", "to sell tickets"),
        (LegalBasis.CONTRACT,),
    ),
    Purpose(
        "accounts",
        _text("å føre regnskap", "å føre rekneskap", "att föra bok", "to keep accounts"),
        (LegalBasis.LEGAL_OBLIGATION,),
    ),
    Purpose(
        "news",
        _text(
            "å sende nyhetsbrev",
            "å sende nyheitsbrev",
            "att skicka nyhetsbrev",
            "to send a newsletter",
        ),
        (),
        marketing=True,
    ),
)

_CATEGORIES = (
    Category(
        "orders",
        _text("Bestillinger", "Bestillingar", "Beställningar", "Orders"),
        ("sale", "accounts"),
        _text(
            "deg selv, da du kjøpte",
            "deg sjølv, då du kjøpte",
            "dig själv, när du köpte",
            "yourself, when you bought",
        ),
        Retention(Period(36), anchors=("last_purchase",)),
        _text(
            "Tre år etter siste kjøp.",
            "Tre år etter siste kjøp.",
            "Tre år efter senaste köpet.",
            "Three years after your last purchase.",
        ),
    ),
    Category(
        "newsletter",
        _text("Nyhetsbrev", "Nyheitsbrev", "Nyhetsbrev", "Newsletter"),
        ("news",),
        _text("deg selv", "deg sjølv", "dig själv", "yourself"),
        Retention(Period(18), anchors=("last_contact",)),
    ),
    Category(
        "payments",
        _text("Betalinger", "Betalingar", "Betalningar", "Payments"),
        ("sale", "accounts"),
        _text("deg selv", "deg sjølv", "dig själv", "yourself"),
        Retention(stated=False),
    ),
)

_SYSTEMS = (
    System(
        "box-office",
        "Billettby",
        Role.PROCESSOR,
        Delivery.CONNECTOR,
        "pretix",
        (Holding("order", "orders"),),
    ),
    System(
        "mailing",
        "Brevdue",
        Role.PROCESSOR,
        Delivery.CONNECTOR,
        "mailchimp",
        (Holding("member", "newsletter"),),
        transfer=Transfer("US", "EU-US Data Privacy Framework"),
        marketing=True,
    ),
    System(
        "payments",
        "Kortvei",
        Role.PROCESSOR,
        Delivery.CONNECTOR,
        "stripe",
        (Holding("charge", "payments", voucher=True, voucher_fields=("amount", "date")),),
    ),
)

_RECIPIENTS = (
    Recipient(
        "instalments",
        "Delbetal",
        Role.INDEPENDENT_CONTROLLER,
        Told.REFERRED,
        {},
        contact="personvern@delbetal.example",
        permission_needed=True,
        per_record=True,
    ),
    Recipient(
        "organiser",
        "Kystscenen",
        Role.INDEPENDENT_CONTROLLER,
        Told.INFORMED,
        {},
        per_record=True,
    ),
    Recipient("printer", "Trykkeri Nord", Role.PROCESSOR, Told.INFORMED, {}),
)
