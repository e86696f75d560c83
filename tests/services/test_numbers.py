"""National numbers are matched with and dropped; no case needs one (law E-10, MU-05, MU-06)."""

from __future__ import annotations

from typing import Any

from domain.request import Status
from domain.vocabulary import IdentifierKind, IdentityMethod, Right
from services import dossier
from services.ports import Identifier
from tests.support.asking import (
    BY,
    asked,
    attached,
    confirmed,
    look_everywhere,
    received,
    verified,
)
from tests.support.house import KARI, NORWAY, House

NUMBER = "01817499100"
OTHER = "01817499291"
EMAIL = Identifier(IdentifierKind.EMAIL, KARI)


def searched_with(house: House) -> list[tuple[str, ...]]:
    """What the ticket system is searched with from now on."""
    seen: list[tuple[str, ...]] = []
    ticketing = house.systems.system(NORWAY, "ticketing")
    find = ticketing.find

    def watched(person: Any, **more: Any) -> Any:
        seen.append(person.all(IdentifierKind.NATIONAL_NUMBER))
        return find(person, **more)

    ticketing.find = watched  # type: ignore[method-assign]
    return seen


def in_the_vault(house: House, ref: Any) -> bool:
    sql = "SELECT id FROM trettio.vault_rows WHERE id = %s"
    return bool(house.installation.database.fetch(sql, [ref.id]))


def test_a_number_in_a_message_is_matched_with_and_dropped(house: House) -> None:
    """E-10: recognised in free text and file names, used for the search, then gone."""
    seen = searched_with(house)
    document = attached(b"x")
    case_id = received(house, f"Mitt nummer er {NUMBER[:6]} {NUMBER[6:]}.", attachments=(document,))
    case = house.case(case_id)
    kept = dossier.MESSAGE.validate_json(house.installation.vault.open(case.message))
    assert kept.text == f"Mitt nummer er {NUMBER[:6]} *****."
    number = case.number
    assert number is not None

    house.installation.intake.confirm(
        case_id, rights=(Right.ACCESS,), language=case.language, identifiers=(EMAIL,), by=BY
    )
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)

    assert seen == [(NUMBER,)]
    assert house.case(case_id).number is None
    assert not in_the_vault(house, number)
    assert asked(house, case_id, Right.ACCESS).status is Status.COLLECTED


def test_a_number_in_a_file_name_is_masked_and_of_two_none_is_used(house: House) -> None:
    """E-10: nobody can tell whose each of several is, and none is needed."""
    case_id = received(house, f"{NUMBER} og {OTHER}")

    case = house.case(case_id)
    assert case.number is None
    kept = dossier.MESSAGE.validate_json(house.installation.vault.open(case.message))
    assert NUMBER not in kept.text
    assert OTHER not in kept.text


def test_an_erasure_beside_an_access_request_keeps_the_number_for_its_own_search(
    house: House,
) -> None:
    """E-10: it goes after the last search that needs it, not before."""
    who = (EMAIL, Identifier(IdentifierKind.NATIONAL_NUMBER, NUMBER))
    case_id = confirmed(house, Right.ACCESS, Right.ERASURE, identifiers=who)
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)

    case = house.case(case_id)
    assert case.number is not None
    person = dossier.PERSON.validate_json(
        house.installation.vault.open(asked(house, case_id, Right.ERASURE).requester)
    )
    assert NUMBER not in repr(person)
    page = house.staff()
    page.post(f"/desk/cases/{case_id}/purpose", data={"purpose": "handle"})
    assert NUMBER not in page.get(f"/desk/cases/{case_id}").text, "masked on staff screens"


def test_nobody_is_asked_for_a_number(house: House) -> None:
    """MU-06, MU-05: whoever never gave one is answered without one."""
    case_id = verified(house, Right.ACCESS)

    assert house.case(case_id).number is None
    assert asked(house, case_id, Right.ACCESS).status is not Status.RECEIVED
