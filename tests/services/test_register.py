"""Commands are repeated when somebody was faster; what belongs together is saved together."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from eventsourcing.persistence import IntegrityError

from adapters.outbound.database import Statement
from domain.case import Case
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import IdentityMethod, Right, TriageKind
from services.register import ATTEMPTS, SomebodyWasFaster, UnknownHere, again_on_conflict
from tests.support.asking import asked, confirmed, received
from tests.support.house import House


def test_a_conflict_repeats_the_whole_command_three_times_at_most() -> None:
    calls: list[int] = []

    @again_on_conflict
    def contested(wins_at: int) -> str:
        calls.append(1)
        if len(calls) < wins_at:
            raise IntegrityError
        return "saved"

    assert contested(ATTEMPTS) == "saved"
    calls.clear()
    with pytest.raises(SomebodyWasFaster):
        contested(ATTEMPTS + 1)
    assert len(calls) == ATTEMPTS


def test_the_slower_of_two_is_told_so(house: House) -> None:
    case_id = received(house)
    register = house.installation.register
    first, second = register.case(case_id), register.case(case_id)
    for case in (first, second):
        case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
    register.save_all([first])

    with pytest.raises(IntegrityError):
        register.save_all([second])


def test_what_belongs_to_a_save_fails_with_it(house: House) -> None:
    case_id = received(house)
    case = house.case(case_id)
    case.set_aside(kind=TriageKind.SPAM, by="ola", at=house.installation.clock())
    before = house.events()

    with pytest.raises(Exception, match="UndefinedTable"):
        house.installation.register.save_all([case], [Statement("INSERT INTO nowhere VALUES (1)")])

    assert house.events() == before


def test_the_past_is_as_it_was_known_then(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    (row,) = house.installation.database.fetch("SELECT clock_timestamp() AS now")
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by="ola")
    register = house.installation.register

    then = register.as_of(DataSubjectRequest, request.id, row["now"])
    assert then is not None
    assert then.status is Status.RECEIVED
    assert asked(house, case_id, Right.ACCESS).status is Status.VERIFIED
    earlier = row["now"] - timedelta(days=1)
    assert register.as_of(DataSubjectRequest, request.id, earlier) is None


def test_an_id_of_something_else_is_unknown(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    with pytest.raises(UnknownHere, match="is not a DataSubjectRequest"):
        house.installation.register.request(case_id)
    with pytest.raises(UnknownHere, match="there is no Case"):
        house.installation.register.case(uuid4())
    assert isinstance(house.case(case_id), Case)


def test_more_joins_the_next_save_and_sees_what_is_saved(house: House) -> None:
    case_id = received(house)
    register, database = house.installation.register, house.installation.database
    database.fetch("CREATE TABLE more (status text PRIMARY KEY)")

    def more() -> list[Statement]:
        status = register.case(case_id).status.value
        return [Statement("INSERT INTO more VALUES (%s)", [status])]

    with register.joining(more) as joining:
        assert not joining.saved
        house.installation.intake.set_aside(case_id, kind=TriageKind.SPAM, by="ola")
        assert joining.saved
        received(house, "Noe annet")

    assert database.fetch("SELECT status FROM more") == [{"status": "set-aside"}]
