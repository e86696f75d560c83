"""What a system still has to fetch is not destroyed; once it is fetched, it goes (Art. 5(1)(e))."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.request import Status
from domain.restriction import RestrictionGround
from domain.vocabulary import Compartment, Outcome, Right
from services.instructing import CLAIM_FOR
from services.meanwhile import restriction_task
from services.ports import Erased
from services.retention import FOR_ARCHIVE, TO_BE_FETCHED
from tests.support.asking import BY, Clock, asked, hurry, verified
from tests.support.house import KARI, House
from tests.support.told import MAILING, ToldSystem, tell

RESTRICTED = "restricted"
BY_HAND = ("customer-service", "web", "archive")


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    return tell(house)


def lifted(house: House, mailing: ToldSystem) -> tuple[UUID, UUID]:
    """A closed and archived case, its restriction lifted; the mailing system was told so."""
    case_id = verified(house, Right.RESTRICTION)
    restrictions = house.installation.restrictions
    request_id = house.case(case_id).request_id(Right.RESTRICTION)
    restrictions.restrict(request_id, ground=RestrictionGround.UNLAWFUL, by=BY)
    house.work()
    mailing.hold(KARI, "m1")
    mailing.obey_all()
    for system in BY_HAND:
        restrictions.record(request_id, system, outcome=Outcome.RESTRICTED, by=BY)
    house.work()
    request = asked(house, case_id, Right.RESTRICTION)
    assert request.status is Status.CLOSED
    hurry(house)
    assert waiting(house) == {FOR_ARCHIVE}

    register, tasks = house.installation.register, house.installation.tasks
    now = house.installation.clock()
    receipt = house.installation.vault.seal(case_id, Compartment.CORRESPONDENCE, b"receipt")
    request = asked(house, case_id, Right.RESTRICTION)
    request.hand_to_archive(receipt=receipt.ref, by=BY, at=now)
    restriction = register.restriction(request_id)
    restriction.give_up(erasure=request_id, on=now.date(), by=BY, at=now)
    lift = restriction_task(restriction, "unrestrict", system=MAILING, at=now)
    register.save_all([request, restriction], [*receipt.also, tasks.add(lift)])
    for system in (*BY_HAND, "ticketing", "payment"):
        if restriction.systems[system].lifting:
            restrictions.record_lifted(request_id, system, by=BY)
    house.work()
    (told,) = mailing.open()
    assert mailing.told(told)["verb"] == "unrestrict"
    return case_id, told


def waiting(house: House) -> set[str]:
    """Why what is to be destroyed is not yet."""
    rows = house.installation.database.fetch(
        "SELECT reason FROM trettio.tasks WHERE kind = 'destroy' AND done_at IS NULL"
        " AND reason IS NOT NULL"
    )
    return {row["reason"] for row in rows}


def test_what_a_system_has_to_fetch_is_kept_until_it_has_and_then_goes(
    house: House, mailing: ToldSystem
) -> None:
    """MU-16: in the end nothing is left, and not a moment before the system could look."""
    case_id, told = lifted(house, mailing)
    message = house.case(case_id).message

    hurry(house)
    assert asked(house, case_id, Right.RESTRICTION).destroyed == frozenset()
    assert TO_BE_FETCHED in waiting(house)

    assert mailing.claim(told)["identifiers"][0]["value"] == KARI
    hurry(house)
    gone = {Compartment.UPLOAD, Compartment.PACKAGE}
    assert asked(house, case_id, Right.RESTRICTION).destroyed == gone
    assert waiting(house) == {RESTRICTED}  # until it has answered that it took it back
    house.installation.vault.open(message)

    mailing.obey(told)
    hurry(house)
    assert asked(house, case_id, Right.RESTRICTION).ended
    with pytest.raises(Erased):
        house.installation.vault.open(message)


def test_what_nobody_wants_to_be_fetched_any_more_keeps_nothing(
    house: House, mailing: ToldSystem
) -> None:
    case_id, told = lifted(house, mailing)
    hurry(house)
    assert TO_BE_FETCHED in waiting(house)
    request_id = house.case(case_id).request_id(Right.RESTRICTION)

    house.installation.restrictions.record_lifted(request_id, MAILING, by=BY)
    hurry(house)

    assert asked(house, case_id, Right.RESTRICTION).ended
    assert house.installation.register.instruction(told).ended_at is not None
    mailing.claim(told, status=410)


def test_a_system_that_never_looks_keeps_nothing_beyond_the_end_of_its_instruction(
    house: House, mailing: ToldSystem, clock: Clock
) -> None:
    case_id, told = lifted(house, mailing)

    clock.forward(days=CLAIM_FOR.days, minutes=1)
    house.installation.instructions.overdue()
    hurry(house)

    gone = {Compartment.UPLOAD, Compartment.PACKAGE}
    assert asked(house, case_id, Right.RESTRICTION).destroyed == gone
    assert waiting(house) == {RESTRICTED}  # a person has to see to it over there
    mailing.claim(told, status=410)
