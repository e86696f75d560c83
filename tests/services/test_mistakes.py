"""Every mistake has a way back, and the log keeps the mistake (Art. 5(2))."""

from __future__ import annotations

import pytest

from domain.errors import NotAllowedNow
from domain.request import Status
from domain.vocabulary import IdentifierKind, IdentityMethod, Match, Right
from projections import connector_tasks, worklist
from services.ports import Erased, Record
from tests.support.asking import (
    BY,
    Clock,
    approve,
    approved,
    asked,
    collected,
    confirmed,
    look_everywhere,
    plan,
)
from tests.support.house import KARI, NORWAY, House


def topics(house: House, of: object) -> list[str]:
    rows = house.installation.database.fetch(
        "SELECT topic FROM trettio.log WHERE originator_id = %s ORDER BY originator_version", [of]
    )
    return [row["topic"] for row in rows]


def test_a_wrong_right_is_put_right_after_everything_was_searched(house: House) -> None:
    """The same request, of the same day; what was searched for the wrong right is searched anew."""
    case_id = collected(house, Right.PORTABILITY, text="Send meg alt")
    before = asked(house, case_id, Right.PORTABILITY)
    assert before.status is Status.COLLECTED

    house.installation.correcting.correct_right(before.id, right=Right.ERASURE, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ERASURE)

    request = asked(house, case_id, Right.ERASURE)
    assert request.id == before.id
    assert (request.received_on, request.dates.statutory_due) == (
        before.received_on,
        before.dates.statutory_due,
    )
    assert request.status is Status.COLLECTED
    approve(house, case_id, Right.ERASURE)
    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED
    said = topics(house, before.id)
    assert said.index("request.data-collected") < said.index("request.reclassified")
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert (work.subject_right, work.status) == ("erasure", "closed")
    tasks = connector_tasks.of_request(house.installation.database, before.id)
    assert {one.system for one in tasks if not one.dropped} == set(
        plan(house, case_id, Right.ERASURE).systems
    )


def test_a_right_that_was_acted_on_stays_what_it_is(house: House) -> None:
    case_id = approved(house, Right.ERASURE)
    request = asked(house, case_id, Right.ERASURE)

    with pytest.raises(NotAllowedNow):
        house.installation.correcting.correct_right(request.id, right=Right.ACCESS, by=BY)


def test_an_identity_check_that_was_wrong_forgets_what_was_found(house: House) -> None:
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    case_id = collected(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    (found,) = request.own_records

    house.installation.mistakes.revoke_identity(case_id, reason="namesake", by=BY)

    again = asked(house, case_id, Right.ACCESS)
    assert (again.status, again.identity, len(again.found)) == (Status.RECEIVED, None, 0)
    assert again.dates == request.dates
    with pytest.raises(Erased):
        house.installation.vault.open(found.content)
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert work.blocked_by == ["identity-to-ask"]

    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    assert "request.identity-revoked" in topics(house, request.id)
    with pytest.raises(NotAllowedNow, match="sent to the wrong person"):
        house.installation.mistakes.revoke_identity(case_id, reason="namesake", by=BY)


def test_an_answer_on_its_way_to_the_wrong_plan_is_not_believed(house: House) -> None:
    """What a system found for somebody else comes late, under the key of the first search."""
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.installation.mistakes.revoke_identity(case_id, reason="namesake", by=BY)
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    theirs = Record("m9", "member", Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL, {"a": "b"})

    house.installation.fulfilments.record_found(
        request_id, "mailing", (theirs,), key=f"{request_id}/mailing/find"
    )

    assert len(plan(house, case_id, Right.ACCESS).systems["mailing"].found) == 0


def test_two_cases_that_were_taken_for_one_have_their_own_dates_again(
    house: House, clock: Clock
) -> None:
    first = asked(house, confirmed(house, Right.ACCESS, text="En"), Right.ACCESS)
    clock.forward(days=9)
    second = asked(house, confirmed(house, Right.ACCESS, text="To"), Right.ACCESS)
    receipts = house.installation.receipts
    receipts.link(second.id, to=first.id, by=BY)
    assert asked(house, second.case_id, Right.ACCESS).received_on == first.received_on

    house.installation.mistakes.unlink(second.id, to=first.id, by=BY)

    apart = asked(house, second.case_id, Right.ACCESS)
    assert (apart.received_on, apart.dates) == (second.received_on, second.dates)
    assert apart.linked == asked(house, first.case_id, Right.ACCESS).linked == ()
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, second.case_id)
    assert work.target_due == second.dates.target_due
    with pytest.raises(NotAllowedNow, match="not linked"):
        house.installation.mistakes.unlink(second.id, to=first.id, by=BY)


def test_an_approval_is_taken_back_while_its_answer_waits_for_a_system(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    with pytest.raises(NotAllowedNow, match="no decision"):
        house.installation.mistakes.take_back(asked(house, case_id, Right.ACCESS).id, by=BY)
