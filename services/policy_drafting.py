"""A draft of a profile: how far a published policy's own words go (GDPR Art. 13, 30).

Only so can a policy be asked about before anybody has written a profile for it. It is never put in
force: what systems there are, and what they hold, no policy says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from domain.policy import (
    Category,
    Holding,
    Identity,
    LegalBasis,
    Period,
    Profile,
    Purpose,
    Recipient,
    Retention,
    Sector,
    System,
    Told,
)
from domain.vocabulary import Delivery, Language, Right, Role
from services.policy_reading import Reading

_CRITERION = re.compile(
    r"avtal|kontrakt|contract|kundeforhold|kundrelation|så leng\w* du er kunde|"
    r"så läng\w* du är kund|as long as you are a customer|bestilling|beställning",
    re.I,
)
_PERIOD = re.compile(
    r"\b(\d{1,3}|ett|en|to|två|tre|fire|fyra|fem|seks|sex|sju|syv|ti|tio|tolv|one|two|three|five|"
    r"six|seven|ten|twelve)\s+(måned\w*|månad\w*|months?|år|years?)\b",
    re.I,
)
_NUMBERS = {
    **dict.fromkeys(("ett", "en", "one"), 1),
    **dict.fromkeys(("to", "två", "two"), 2),
    **dict.fromkeys(("tre", "three"), 3),
    **dict.fromkeys(("fire", "fyra"), 4),
    **dict.fromkeys(("fem", "five"), 5),
    **dict.fromkeys(("seks", "sex", "six"), 6),
    **dict.fromkeys(("sju", "syv", "seven"), 7),
    **dict.fromkeys(("ti", "tio", "ten"), 10),
    **dict.fromkeys(("tolv", "twelve"), 12),
    **dict.fromkeys(("tretti", "trettio", "thirty"), 30),
    **dict.fromkeys(("seksti", "sextio", "sixty"), 60),
    **dict.fromkeys(("nitti", "nittio", "ninety"), 90),
}
_PURPOSE_NUMBERS = re.compile(
    r"(?:formål|føremål|ändamål|purposes?)\s+((?:\d{1,2}[, ]*(?:og|och|and)?\s*){1,12})"
)
_LINE = {Language.NB: "linje", Language.NN: "linje", Language.SV: "rad", Language.EN: "line"}
_NEWS = re.compile(r"nyhetsbrev|nyheitsbrev|newsletter", re.I)
_EITHER = re.compile(r"(?:samtykke|samtycke|consent)\s+(?:eller|or)\b", re.I)
_OPT_IN = re.compile(
    r"meldt deg på|melder deg på|samty[ck]k|anmält dig|anmäler dig|prenumer|signed up|subscrib",
    re.I,
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januar januari january jan",
            "februar februari february feb",
            "mars march mar",
            "april apr",
            "mai maj may",
            "juni june jun",
            "juli july jul",
            "august augusti aug",
            "september sep sept",
            "oktober october okt oct",
            "november nov",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}


def drafted(reading: Reading) -> Profile:
    """A profile as far as a policy's own words go, so that it can be asked about like any other."""
    said = {observation.topic for observation in reading.observations}
    purposes = tuple(_purposes(reading))
    language = reading.language
    unknown = {language: "?"}
    category = Category(
        id="personal-data",
        name=unknown,
        purposes=tuple(purpose.id for purpose in purposes),
        source=unknown,
        retention=_retention(reading),
    )
    sales = System(
        id="sales",
        name="sales",
        role=Role.INTERNAL,
        delivery=Delivery.PERSON,
        connector="manual",
        holdings=(Holding("sale", category.id, voucher=reading.sells),),
    )
    deadline = next(iter(reading.said("deadline")), None)
    days = _days(deadline.value) if deadline else None
    updated = next((day for o in reading.said("updated") if (day := _day(o.value or ""))), None)
    ages = [int(age) for one in reading.said("age") if (age := one.value or "").isdecimal()]
    return Profile(
        id="draft",
        version="draft",
        digest="",
        controller=Identity(
            names=reading.names or ("?",),
            organisation_number=reading.organisation_number,
            decided=len(reading.names) < 2,
        ),
        body_type=reading.body_type,
        country=reading.country,
        language=language,
        channels=reading.channels,
        rights=frozenset(r for topic, r in _RIGHTS.items() if topic in said),
        purposes=purposes,
        categories=(category,),
        systems=(sales,),
        recipients=tuple(_recipients(reading)),
        observations=reading.observations,
        promise_days=days,
        promise_text=deadline.value if deadline and days is None else None,
        policy_consent_age=min(ages, default=None),
        policy_updated_on=updated,
        website=reading.website,
    )


# What follows from the words

_RIGHTS = {
    "right-access": Right.ACCESS,
    "right-rectification": Right.RECTIFICATION,
    "right-erasure": Right.ERASURE,
    "right-restriction": Right.RESTRICTION,
    "right-portability": Right.PORTABILITY,
    "right-objection": Right.OBJECTION,
    "right-objection-to-marketing": Right.OBJECTION_TO_MARKETING,
    "right-withdrawal": Right.WITHDRAWAL,
}


def _purposes(reading: Reading) -> Iterator[Purpose]:
    """Purposes as the policy sorts them: by number, or by the paragraph that names their basis."""
    stated: dict[str, list[LegalBasis]] = {}
    for said in reading.said("legal-basis"):
        basis = LegalBasis(said.value or "")
        numbers = _PURPOSE_NUMBERS.search(said.quote)
        place = f"{_LINE[reading.language]} {said.line}"
        scopes = re.findall(r"\d+", numbers[1]) if numbers else [place]
        # "With consent or to fulfil the order" are two purposes, each with a basis of its own.
        if not numbers and _EITHER.search(said.quote):
            scopes = [f"{place} {basis.value}"]
        elif not numbers and _NEWS.search(said.quote):
            scopes = [f"{place} marketing"]
        for scope in scopes:
            stated.setdefault(scope, []).append(basis)
    name = {reading.language: "?"}
    for scope, bases in stated.items():
        yield Purpose(scope, name, tuple(dict.fromkeys(bases)))
    marketing = reading.said("marketing")
    if marketing:
        interest = [o for o in reading.said("legal-basis") if o.value == "legitimate-interest"]
        for_marketing = any(
            re.search("mark(?:eds|nads)f|marketing", o.quote, re.I) for o in interest
        )
        opted = any(_OPT_IN.search(one.quote) for one in marketing)
        chosen = LegalBasis.LEGITIMATE_INTEREST if for_marketing else LegalBasis.CONSENT
        told = for_marketing or opted or reading.said("right-withdrawal")
        yield Purpose("marketing", name, (chosen,) if told else (), marketing=True)
    if not stated:
        purposes = dict.fromkeys(one.value or "" for one in reading.said("purposes"))
        orders = any(
            re.search("avtal|kontrakt|contract", o.quote, re.I) for o in reading.said("purposes")
        )
        for purpose in purposes or {"all": None}:
            contract = purpose == "orders" and orders
            yield Purpose(purpose, name, (LegalBasis.CONTRACT,) if contract else ())


def _retention(reading: Reading) -> Retention:
    said = reading.said("retention")
    months = [period for one in said if (period := _months(one.quote))]
    anchors = ("order_completed",) if any(_CRITERION.search(one.quote) for one in said) else ()
    endless = any(
        re.search(r"alltid|ubestemt|tills vidare|indefinite|forever", o.quote, re.I) for o in said
    )
    if months:
        return Retention(period=Period(max(months)), anchors=("last_purchase",))
    return Retention(anchors=anchors or (("last_purchase",) if endless else ()))


def _recipients(reading: Reading) -> Iterator[Recipient]:
    processors = {one.line for one in reading.said("roles") if not re.search("bank", one.quote[:8])}
    for said in reading.said("recipient-bank")[:1]:
        role = Role.PROCESSOR if said.line in processors else Role.INDEPENDENT_CONTROLLER
        yield Recipient(
            id="banks",
            name={Language.SV: "banker", Language.EN: "banks"}.get(reading.language, "banker"),
            role=role,
            told=Told.NOTHING,
            words={reading.language: "?"},
            sector=Sector.BANK,
        )


def _months(quote: str) -> int | None:
    found = _PERIOD.search(quote)
    if found is None:
        return None
    number = int(found[1]) if found[1].isdecimal() else _NUMBERS.get(found[1].casefold(), 0)
    return number * (12 if found[2].casefold().startswith(("år", "year")) else 1) or None


def _days(value: str | None) -> int | None:
    """A promise in days. A month is none: the law counts it, and it is as long as the law's."""
    found = re.match(
        r"(\w+)\s+(?:\w+\s)?(dag|døgn|dygn|day|uke|veke|veck|week|måned|månad|month)",
        value or "",
        re.I,
    )
    if found is None:
        return None
    number = int(found[1]) if found[1].isdecimal() else _NUMBERS.get(found[1].casefold(), 0)
    unit = found[2].casefold()
    if unit in {"måned", "månad", "month"}:
        return number * 30 if number > 1 else None
    return number * (7 if unit in {"uke", "veke", "veck", "week"} else 1) or None


def _day(value: str) -> date | None:
    numbers = re.findall(r"\d+", value)
    month = next(
        (m for word in re.findall(r"[^\W\d_]+", value.casefold()) if (m := _MONTHS.get(word))), None
    )
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
        if month is not None and len(numbers) == 2:
            return date(int(numbers[1]), month, int(numbers[0]))
        if len(numbers) == 3:
            return date(int(numbers[2]), int(numbers[1]), int(numbers[0]))
    except ValueError:
        return None
    return None
