"""Portability from the wish to the file: its own flow, with a published schema (Art. 20)."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date
from typing import Any
from uuid import UUID

import jsonschema  # type: ignore[import-untyped]  # the package ships no types
import pytest

from domain.errors import NotAllowedNow
from domain.portability import left_out
from domain.request import Status
from domain.vocabulary import IdentifierKind, Language, LetterKind, Match, Right
from services.portability import SCHEMA, PortableFacts, build_portable
from services.ports import Record
from tests.support.asking import BY, approve, asked, collected
from tests.support.house import KARI, NORWAY, House

MEMBER = {"email": KARI, "note": "=1+1", "card_number": "4242 4242 4242 4242"}


def ported(house: House) -> UUID:
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1", fields=MEMBER)
    return collected(house, Right.PORTABILITY)


def opened(content: bytes) -> tuple[dict[str, Any], zipfile.ZipFile]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    data: dict[str, Any] = json.loads(archive.read("data.json"))
    schema = json.loads(archive.read(SCHEMA.name))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(data)
    return data, archive


def test_the_file_is_json_and_csv_with_its_schema_and_nothing_to_look_at(house: House) -> None:
    """B.2.7, B.1 row 20: structured, common, machine-readable; PDF is not, and is not in it."""
    case_id = ported(house)
    approve(house, case_id, Right.PORTABILITY)
    request = asked(house, case_id, Right.PORTABILITY)

    data, archive = opened(house.installation.answering.package(request.id))

    assert {name.rpartition(".")[2] for name in archive.namelist()} == {"json", "csv"}
    (category,) = data["categories"]
    (record,) = category["records"]
    assert record["fields"]["card_number"] == "•••• 4242"
    assert {"consent", "contract"} >= {b for p in category["purposes"] for b in p["bases"]}
    _, row = csv.reader(io.StringIO(archive.read(category["file"]).decode("utf-8-sig")))
    assert "'=1+1" in row
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "/answer/" in letter.text
    assert request.status is Status.FULFILLED


def test_only_systems_that_hold_something_portable_are_asked(house: House) -> None:
    case_id = ported(house)
    profile = house.installation.controllers.in_force(NORWAY)
    fulfilment = house.installation.register.fulfilment(
        house.case(case_id).request_id(Right.PORTABILITY)
    )

    for name in fulfilment.systems:
        held = [profile.category(one.category) for one in profile.system(name).holdings]
        assert any(left_out(profile, category) is None for category in held)
    assert "web" not in fulfilment.systems  # what a browser left behind is not provided


def test_what_is_found_and_not_portable_is_left_out_and_said(house: House) -> None:
    """GK-09: what rests on legitimate interest only is named, and not one field of it is given."""
    records = [
        ("ticketing", "order", {"total": "450"}),
        ("mailing", "member", {"segment": "eager"}),
        ("web", "profiling", {"guess": "likes jazz"}),
    ]
    out = io.BytesIO()
    build_portable(
        PortableFacts(
            profile=house.installation.controllers.in_force(NORWAY),
            language=Language.NB,
            case_reference="7K3M-P9QD",
            received_on=date(2026, 11, 2),
            made_on=date(2026, 11, 3),
            records=[
                (
                    system,
                    Record("1", kind, Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL, fields),
                )
                for system, kind, fields in records
            ],
        ),
        out,
    )

    data, archive = opened(out.getvalue())

    assert [category["id"] for category in data["categories"]] == ["purchases"]
    assert {one["id"]: one["reason"] for one in data["left_out"]} == {
        "newsletter": "other-basis",
        "profiling": "not-provided",
    }
    whole = b"".join(archive.read(name) for name in archive.namelist())
    assert b"eager" not in whole
    assert b"likes jazz" not in whole


def test_a_direct_transfer_is_judged_before_anything_is_answered(house: House) -> None:
    """AK-09, Art. 20(2): asked for and feasible or not, recorded; not feasible is explained."""
    case_id = ported(house)
    request_id = house.case(case_id).request_id(Right.PORTABILITY)
    porting = house.installation.porting
    porting.ask(request_id, to="Scenehuset", by=BY)
    assert porting.recipient(request_id) == "Scenehuset"
    with pytest.raises(NotAllowedNow, match="feasible"):
        approve(house, case_id, Right.PORTABILITY)

    porting.judge(request_id, feasible=False, reason="cannot-receive", by=BY)
    approve(house, case_id, Right.PORTABILITY)

    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    told = " ".join(letter.text.split())
    assert "kan ikke sendes direkte" in told
    assert "artikkel 20 nr. 2" in told
    data, _ = opened(house.installation.answering.package(request_id))
    assert data["direct_transfer"] == {"asked": True, "feasible": False}


def test_a_feasible_transfer_is_made_before_the_letter_says_so(house: House) -> None:
    case_id = ported(house)
    request_id = house.case(case_id).request_id(Right.PORTABILITY)
    porting = house.installation.porting
    porting.ask(request_id, to="Scenehuset", by=BY)
    porting.judge(request_id, feasible=True, reason="they-can-take-it", by=BY)
    with pytest.raises(NotAllowedNow, match="make it"):
        approve(house, case_id, Right.PORTABILITY)
    opened(porting.file(request_id))

    porting.made(request_id, how="upload", by=BY)
    approve(house, case_id, Right.PORTABILITY)

    assert next(m for m in house.mails() if m.kind is LetterKind.ANSWER)


def test_the_schema_is_open_to_everybody(house: House) -> None:
    answer = house.visitor().get("/schemas/portability-v1.json")

    assert answer.status_code == 200
    assert answer.json() == json.loads(SCHEMA.read_text(encoding="utf-8"))
