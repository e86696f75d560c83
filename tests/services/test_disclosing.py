"""What authorities were given is in the answer, or withheld on a law and for a reason (GK-21)."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.vocabulary import LetterKind, Right
from tests.support.asking import BY, approve, asked, collected
from tests.support.house import KARI, NORWAY, House

POLICE = "Fjordlys politidistrikt"


def disclosed(house: House, case_id: UUID, **changes: Any) -> UUID:
    profile = house.installation.controllers.in_force(NORWAY)
    facts: dict[str, Any] = {
        "authority": POLICE,
        "categories": [profile.categories[0].id],
        "given_on": date(2026, 3, 2),
        "ground": "suspected-offence",
        "words": "De ba om det skriftlig.",
        "by": BY,
    }
    return house.installation.disclosing.record(case_id, **facts | changes)


def answered(house: House, case_id: UUID) -> dict[str, Any]:
    approve(house, case_id, Right.ACCESS)
    content = house.installation.answering.package(asked(house, case_id, Right.ACCESS).id)
    read: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("data.json"))
    return read


def test_an_authority_that_was_given_something_is_named_in_the_answer(house: House) -> None:
    """GK-21: Art. 15(1)(c); recorded twice it is one, and its name is sealed."""
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1")
    case_id = collected(house, Right.ACCESS)
    assert disclosed(house, case_id) == disclosed(house, case_id)

    recipients = answered(house, case_id)["information"]["recipients"]

    assert POLICE in {one["name"] for one in recipients["items"]}
    (told,) = [text for text in recipients["text"] if POLICE in text]
    assert "2. mars 2026" in told
    kept = house.installation.register.find_disclosures(case_id)
    assert kept is not None
    assert POLICE not in repr(kept.given)


def test_a_person_may_withhold_it_on_a_national_exception_with_a_reason(house: House) -> None:
    """GK-21: then the letter names the law and not the authority."""
    case_id = collected(house, Right.ACCESS)
    one = disclosed(house, case_id)
    withhold = house.installation.disclosing.withhold
    with pytest.raises(DomainError, match="why"):
        withhold(case_id, one, law="no.pol.16.b", words=" ", by=BY)
    with pytest.raises(DomainError, match="law"):
        withhold(case_id, one, law="se.dsl.5.1", words="Etterforskes", by=BY)
    withhold(case_id, one, law="no.pol.16.b", words="Etterforskes", by=BY)

    assert POLICE not in json.dumps(answered(house, case_id), ensure_ascii=False)
    letter = next(m for m in house.mails() if m.kind is LetterKind.PARTIAL_REFUSAL)
    assert "§ 16 bokstav b" in letter.text
    assert POLICE not in letter.text
    assert "Etterforskes" not in letter.text


@pytest.mark.parametrize(
    "wrong", [{"authority": " "}, {"categories": ["x"]}, {"given_on": date(2030, 1, 1)}]
)
def test_a_disclosure_says_to_whom_what_and_when(house: House, wrong: dict[str, Any]) -> None:
    case_id = collected(house, Right.ACCESS)

    with pytest.raises(DomainError):
        disclosed(house, case_id, **wrong)
