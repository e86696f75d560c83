"""Protected identity hides every place, on every page and in all that leaves (law E-10, B.2.8)."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jsonschema  # type: ignore[import-untyped]  # the package ships no types
import pytest

from adapters.outbound.tokens import Scope
from domain.errors import NotAllowedNow
from domain.vocabulary import DeliveryWay, IdentifierKind, Language, LetterKind, Match, Right
from services.places import HIDDEN, is_place, without_places
from services.portability import SCHEMA
from services.ports import Identifier, Record
from services.wording import LETTERS, PACKAGES, wording
from tests.support.asking import BY, approve, asked, collected, confirmed, look_everywhere
from tests.support.house import KARI, NORWAY, House, open_house

STREET, TOWN, KIOSK = "Løynveien 7", "9999 Løynvik", "Kiosken i Løynvik"
FIELDS: dict[str, object] = {
    "email": KARI,
    "email_address": KARI,
    "name": "Kari Testesen",
    "billing": {"address1": STREET, "city": TOWN, "total": "120.00"},
    "pickup_point": KIOSK,
    "deliveryAddress": f"{STREET}, {TOWN}",
    "note": f"Levert til {STREET} på fredag",
    "events": [{"event": "Konsert", "venue": "Løynvik scene"}],
}
WHO = (
    Identifier(IdentifierKind.EMAIL, KARI),
    Identifier(IdentifierKind.NAME, "Kari Testesen"),
    Identifier(IdentifierKind.POSTAL_ADDRESS, f"{STREET}, {TOWN}"),
)
PLACES = {
    *("billing.address1", "billing.city", "pickup_point", "deliveryAddress", "note"),
    "events.0.venue",
}
WHY = {
    language: tuple(
        wording(folder, language).say(f"{key}.protected-identity")
        for folder, key in ((LETTERS, "not_in_copy"), (PACKAGES, "covered_because"))
    )
    for language in Language
}
SECRET = re.compile("Løyn(veien|vik)", re.IGNORECASE)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Any:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def test_places_are_told_from_addresses_on_the_net() -> None:
    places = ("address1", "billing_address", "postcode", "pickupPoint", "venue", "poststed", "ip")
    others = ("email_address", "web_address", "name", "total", "delivery_status", "payment_method")

    assert all(map(is_place, places))
    assert not any(map(is_place, others))


@pytest.mark.parametrize("around", ["payments", "card", "refunds"])
def test_how_a_payment_stands_is_no_place(around: str) -> None:
    """E-10 hides places, and nothing else: that it is paid is the person's to know."""
    inside = {"state": "paid", "country": "NO", "billing_address": {"country": "Løynland"}}
    record = Record(
        key="o1",
        kind="order",
        match=Match.VERIFIED_IDENTIFIER,
        matched_by=IdentifierKind.EMAIL,
        fields={around: [inside], "note": "paid", "country": "Løynland", "address": {"state": "x"}},
    )

    assert without_places(record).fields == {
        around: [{"state": "paid", "country": "NO", "billing_address": HIDDEN}],
        "note": "paid",
        "country": HIDDEN,
        "address": HIDDEN,
    }


@pytest.mark.parametrize(
    ("language", "right"), list(zip(Language, [Right.ACCESS, Right.PORTABILITY] * 2, strict=True))
)
def test_the_person_learns_why_places_are_hidden(
    house: House, right: Right, language: Language
) -> None:
    """B.1 rows 12(4), 15, 20: the letter and the copy give the reason, in the person's words."""
    because = WHY[language]
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1", fields=FIELDS)
    case_id = collected(house, right, language=language)
    house.installation.representing.protect(case_id, reason="marked-in-a-register", by=BY)
    approve(house, case_id, right)
    request = asked(house, case_id, right)

    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    assert because[0] in " ".join(letter.text.split())
    assert request.in_part
    package = ZipFile(BytesIO(house.installation.answering.package(request.id)))
    data = json.loads(package.read("data.json"))
    (record,) = (one for category in data["categories"] for one in category["records"])
    key = "covered" if right is Right.ACCESS else "covered_because"
    assert {one["field"] for one in record[key]} == PLACES
    assert all(one["reasons"] == ["protected-identity"] for one in record[key])
    if right is Right.ACCESS:
        assert because[1] in package.read("index.html").decode()
    else:
        jsonschema.validate(data, json.loads(package.read(SCHEMA.name)))
        assert {one["text"] for one in record[key]} == {because[1]}


def test_every_page_and_everything_that_leaves_is_without_places(house: House) -> None:
    """E-10: pages, API, package, letters, lists: no address, no place, no pick-up point."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1", fields=FIELDS)
    case_id = confirmed(
        house, Right.ACCESS, identifiers=WHO, text=f"Jeg bor i {STREET}. Hva har dere om meg?"
    )
    api = signed_in(house)
    client = house.client
    protect = f"/v1/cases/{case_id}/protection"
    answer = client.post(protect, json={"reason": "said-by-the-person"}, headers=api)
    assert answer.json()["protected"] is True

    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    house.installation.identity.check_code(case_id, house.newest_code())
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)

    desk = house.staff()
    desk.post(f"/desk/cases/{case_id}/purpose", data={"purpose": "handle"})
    seen = [desk.get(f"/desk/cases/{case_id}").text, desk.get("/desk").text]
    assert HIDDEN in seen[0]
    for path in (
        f"/v1/cases/{case_id}",
        f"/v1/cases/{case_id}/messages",
        f"/v1/cases/{case_id}/receipt",
        f"/v1/cases/{case_id}/representation",
        f"/v1/requests/{request.id}",
        f"/v1/requests/{request.id}/records",
        f"/v1/requests/{request.id}/systems",
    ):
        got = client.get(path, headers=api)
        assert got.status_code == 200, (path, got.text)
        seen.append(got.text)

    approve(house, case_id, Right.ACCESS)
    package = ZipFile(BytesIO(house.installation.answering.package(request.id)))
    seen += [package.read(name).decode("utf-8", "replace") for name in package.namelist()]
    seen += [f"{mail.subject}\n{mail.text}\n{mail.html}" for mail in house.mails()]
    house.installation.follower().drain()
    for table in ("case_file", "deadline_worklist", "inbox"):
        seen += [
            str(row) for row in house.installation.database.fetch(f"SELECT * FROM views.{table}")
        ]

    leaks = [
        text[max(0, m.start() - 80) : m.end() + 20] for text in seen for m in SECRET.finditer(text)
    ]
    assert leaks == []


def test_no_post_goes_to_a_protected_person(house: House) -> None:
    """E-10: mail to the registered address stops; a letter is handed over in person."""
    no_mail = (Identifier(IdentifierKind.NAME, "Kari Testesen"), WHO[2])
    case_id = confirmed(house, Right.ACCESS, identifiers=no_mail)
    house.installation.representing.protect(case_id, reason="marked-in-a-register", by=BY)
    (letter,) = house.case(case_id).letters.values()
    assert letter.printed

    def delivered(way: DeliveryWay) -> None:
        today = house.installation.clock().date()
        house.installation.delivery.delivered(
            case_id, letter.id, way=way, on=today, by=BY, seen="kjent ved disken"
        )

    with pytest.raises(NotAllowedNow, match="in person"):
        delivered(DeliveryWay.POST)
    delivered(DeliveryWay.IN_PERSON)
    assert letter.id in house.case(case_id).left


def test_what_is_hidden_in_one_field_is_hidden_in_the_others(house: House) -> None:
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "order", "o1", fields=FIELDS)

    shown = without_places(held.held[0][1])

    assert not SECRET.search(str(shown.fields))
    assert shown.fields["email_address"] == KARI
    assert shown.fields["note"] == f"Levert til {HIDDEN} på fredag"


def signed_in(house: House) -> dict[str, str]:
    token = house.installation.tokens.create(
        name="people",
        staff_id=BY,
        scopes=frozenset({Scope.DESK, Scope.READ}),
        controllers=frozenset(),
    )
    return {"Authorization": f"Bearer {token}", "X-Purpose": "handle"}
