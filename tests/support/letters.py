"""One set of facts that fills every kind of letter, in every language and for every body."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

from domain.deadlines import Deadlines
from domain.policy import BodyType, Told
from domain.vocabulary import Country, IdentityMethod, Language, LetterKind, Outcome, Right
from services.letters import (
    CategoryOutcome,
    ComposedLetter,
    Disclosure,
    Elsewhere,
    LetterFacts,
    RecipientNotice,
    compose,
)
from services.ports import Residual
from tests.support.profiles import fictional_profile

RECEIVED = date(2026, 11, 2)
DATES = Deadlines(
    unrolled=date(2026, 12, 2),
    statutory_due=date(2026, 12, 2),
    promise_due=date(2026, 12, 1),
    target_due=date(2026, 12, 1),
    calendar="NO-2026.1",
)

ERASED = CategoryOutcome(Right.ERASURE, "orders", "box-office", Outcome.ERASED, 3)
KEPT = CategoryOutcome(
    Right.ERASURE,
    "payments",
    "payments",
    Outcome.KEPT,
    1,
    ground="no.bokforing.primary",
    until=date(2031, 12, 31),
    keep_fields=("amount", "date", "number"),
)
RESIDUE = CategoryOutcome(
    Right.ERASURE,
    "newsletter",
    "mailing",
    Outcome.ERASED,
    1,
    residuals=(
        Residual("address-fingerprint", "vendor-blocks-reimport"),
        Residual("log-entry", "vendor-log", until=date(2027, 1, 31)),
    ),
)
PENDING = CategoryOutcome(
    Right.ERASURE,
    "orders",
    "mailing",
    Outcome.PENDING_AT_VENDOR,
    1,
    not_before=date(2026, 12, 30),
)
ARCHIVED = CategoryOutcome(
    Right.ERASURE, "orders", "box-office", Outcome.BLOCKED_ARCHIVE, 2, ground="no.archive"
)
REFUSED = CategoryOutcome(
    Right.OBJECTION,
    "orders",
    "box-office",
    Outcome.REFUSED,
    why="The seat map shows who sat where during an accident.",
    law="GDPR Art. 21(1)",
)
EXPORTED = CategoryOutcome(Right.ACCESS, "orders", "box-office", Outcome.EXPORTED, 3)
NOTHING = CategoryOutcome(Right.ACCESS, "newsletter", "mailing", Outcome.NOT_FOUND)

OUTCOMES = {
    LetterKind.ANSWER: (EXPORTED, NOTHING, ERASED),
    LetterKind.PARTIAL_REFUSAL: (EXPORTED, ERASED, KEPT, RESIDUE, PENDING, ARCHIVED),
    LetterKind.REFUSAL: (REFUSED,),
}

_QUESTION = "Gjelder det bare kjøpene dine, eller også nyhetsbrevet?"
_CHANGES: dict[LetterKind, dict[str, Any]] = {
    LetterKind.IDENTITY_CODE: {"link_url": "https://desk.example/code/abcdef"},
    LetterKind.ANSWER: {"link_url": "https://desk.example/answer/abcdef"},
    LetterKind.PARTIAL_REFUSAL: {"link_url": "https://desk.example/answer/abcdef"},
    LetterKind.CANNOT_IDENTIFY: {"link_url": "https://desk.example/prove/abcdef"},
    LetterKind.NO_RESPONSE: {"question": _QUESTION},
    LetterKind.OBJECTION_UPHELD: {"rights": (Right.OBJECTION,), "purposes": ("sale", "news")},
    LetterKind.OBJECTION_DISMISSED: {
        "rights": (Right.OBJECTION,),
        "purposes": ("accounts",),
        "why": "Uten tallene kan vi ikke vise at arrangøren fikk riktig oppgjør.",
    },
    LetterKind.IDENTITY_QUESTION: {
        "doubt": "address-unknown",
        "ways": tuple(IdentityMethod),
        "link_url": "https://desk.example/prove/abcdef",
    },
    LetterKind.AUTHORITY_QUESTION: {"doubt": "parent"},
    LetterKind.CLARIFICATION: {"question": _QUESTION},
    LetterKind.QUESTION_REMINDER: {"question": _QUESTION},
    LetterKind.EXTENSION: {"reasons": ("volume", "number", "scattered", "others", "legibility")},
    LetterKind.FEE_ANNOUNCED: {
        "fee": "250 kr",
        "reasons": ("repeated",),
        "why": "Du fikk den samme kopien fredag.",
    },
    LetterKind.RECIPIENTS: {
        "recipients": (
            RecipientNotice("instalments", Told.REFERRED, fields=("name", "email")),
            RecipientNotice("organiser", Told.INFORMED, on=RECEIVED, about=Right.ERASURE),
            RecipientNotice("printer", Told.INFORMED, on=RECEIVED),
        )
    },
    LetterKind.RESTRICTION_LIFTED: {"reasons": ("accuracy-settled",)},
    LetterKind.HOLD_RELEASED: {"link_url": "https://desk.example/case/abcdef"},
    LetterKind.CLOSED: {"reasons": ("withdrawn",)},
    LetterKind.MESSAGE: {
        "free_text": "Vi snakket sammen på telefon. Du får svar på resten mandag 9. november 2026."
    },
    LetterKind.OTHER_CONTROLLER: {
        "elsewhere": Elsewhere("Kystscenen", "personvern@kystscenen.example")
    },
}


def facts(
    kind: LetterKind,
    language: Language = Language.NB,
    country: Country = Country.NO,
    body_type: BodyType = BodyType.PUBLIC_BODY,
    **changes: Any,
) -> LetterFacts:
    """Everything that this kind can say, and much that it cannot."""
    whole = LetterFacts(
        profile=fictional_profile(country, body_type),
        language=language,
        case_reference="FJ-2026-0007",
        received_on=RECEIVED,
        rights=(Right.ACCESS, Right.ERASURE),
        deadlines=DATES,
        outcomes=OUTCOMES.get(kind, ()),
        recipients=(
            RecipientNotice("instalments", Told.REFERRED),
            RecipientNotice("organiser", Told.INFORMED),
            RecipientNotice("printer", Told.INFORMED),
        ),
        link_ends_on=date(2026, 12, 30),
        code="482913",
        code_minutes=15,
        decided_by="Tove Testesen",
        asked_on=date(2026, 11, 9),
        reply_by=date(2026, 11, 20),
        new_date=date(2027, 2, 2),
        lift_on=date(2026, 11, 16),
        elsewhere=Elsewhere("kundeservice", "hjelp@fjordlys.example", passed_on=True),
        disclosure=Disclosure(
            date(2026, 11, 12),
            "Svaret ditt ble sendt til en annen adresse.",
            "Den som fikk det, kan ha sett kjøpene dine.",
            "Vi har stengt lenken og bedt mottakeren slette brevet.",
        ),
    )
    return dataclasses.replace(whole, **{**_CHANGES.get(kind, {}), **changes})


def written(kind: LetterKind, language: Language = Language.NB, **changes: Any) -> ComposedLetter:
    return compose(kind, facts(kind, language, **changes))
