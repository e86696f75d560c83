"""What systems were asked, and how far each of them has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.fulfilment import Fulfilment
from domain.request import DataSubjectRequest
from domain.values import RecordDecision, RecordOutcome
from domain.vocabulary import Action, Decision, Delivery, Outcome, Right
from projections.connector_tasks import failures, of_request, waiting_for_people
from tests.support.records import found

Office = Any  # the fixture of this folder's conftest, which cannot be imported


def _planned(office: Office) -> tuple[DataSubjectRequest, Fulfilment]:
    request = office.request(Right.ERASURE)
    office.verify(request)
    plan = office.plan(request, tickets=Delivery.CONNECTOR, archive=Delivery.PERSON)
    return request, plan


def test_every_planned_system_has_been_asked(office: Office) -> None:
    request, plan = _planned(office)
    office.save(request, plan)

    asked = of_request(office.sql, request.id)
    assert [(a.system, a.action, a.state, a.delivery) for a in asked] == [
        ("archive", "find", "asked", "person"),
        ("tickets", "find", "asked", "connector"),
    ]


def test_a_system_that_does_not_answer_says_since_when_and_until_when(office: Office) -> None:
    request, plan = _planned(office)
    began = office.at
    for attempt in (1, 2):
        plan.record_unavailable(
            system="tickets",
            attempt=attempt,
            next_try_at=office.at + timedelta(minutes=attempt),
            reason="timeout",
            at=office.at,
        )
        office.at += timedelta(minutes=1)
    office.save(request, plan)

    _, tickets = of_request(office.sql, request.id)
    assert (tickets.state, tickets.attempts, tickets.since) == ("unavailable", 2, began)
    assert (tickets.next_try_at, tickets.reason) == (began + timedelta(minutes=3), "timeout")

    plan.record_found(system="tickets", key="1", found=(found(), found()), at=office.at)
    office.save(plan)
    _, tickets = of_request(office.sql, request.id)
    assert (tickets.state, tickets.records_found, tickets.next_try_at) == ("found", 2, None)
    assert tickets.failures == 2


def test_an_erasure_goes_from_asked_to_read_back(office: Office) -> None:
    """Design 3: erasure is complete only when a read-back found nothing."""
    request, plan = _planned(office)
    record = found()
    plan.record_found(system="tickets", key="1", found=(record,), at=office.at)
    decision = RecordDecision(record.record_id, Decision.ERASE, "nothing-keeps-it")
    plan.instruct(system="tickets", action=Action.ERASE, decisions=(decision,), at=office.at)
    outcome = RecordOutcome(record.record_id, Outcome.ERASED)
    plan.record_erased(system="tickets", key="2", outcomes=(outcome,), at=office.at)
    office.save(request, plan)
    _, tickets = of_request(office.sql, request.id)
    assert (tickets.action, tickets.state) == ("erase", "treated")

    plan.read_back(system="tickets", key="3", remaining={record.digest: record}, at=office.at)
    office.save(plan)
    _, tickets = of_request(office.sql, request.id)
    assert (tickets.state, tickets.unexpected) == ("waiting-for-person", 1)
    assert tickets.waits_for == "still-there-after-erasure"

    plan.read_back(system="tickets", key="4", remaining={}, at=office.at)
    office.save(plan)
    _, tickets = of_request(office.sql, request.id)
    assert (tickets.state, tickets.unexpected, tickets.waits_for) == ("done", 0, None)


def test_what_people_must_do_is_listed_until_nobody_needs_it(office: Office) -> None:
    request, plan = _planned(office)
    plan.escalate(system="archive", reason="search-archive", at=office.at)
    office.save(request, plan)
    (task,) = waiting_for_people(office.sql, [office.controller])
    assert (task.system, task.waits_for, task.since) == ("archive", "search-archive", office.at)
    assert waiting_for_people(office.sql, ["other"]) == []

    request.withdraw(at=office.at)
    office.save(request)
    assert waiting_for_people(office.sql, [office.controller]) == []


def test_failures_are_added_up_per_system(office: Office) -> None:
    for attempts in (1, 3):
        request, plan = _planned(office)
        for attempt in range(attempts):
            plan.record_unavailable(
                system="tickets",
                attempt=attempt + 1,
                next_try_at=office.at,
                reason="timeout",
                at=office.at,
            )
        plan.record_found(system="archive", key="1", found=(), at=office.at)
        office.save(request, plan)

    archive, tickets = failures(office.sql, [office.controller])
    assert (tickets.system, tickets.failures, tickets.unavailable_now) == ("tickets", 4, 2)
    assert (archive.system, archive.failures, archive.open) == ("archive", 0, 0)
    assert failures(office.sql, ["other"]) == []

    assert tickets.suspended_at is None
    office.sql.fetch(
        "INSERT INTO trettio.lanes (lane, controller, system, failures, reason, suspended_at)"
        " VALUES ('any', %s, 'tickets', 3, 'timeout', now())",
        [office.controller],
    )
    archive, tickets = failures(office.sql, [office.controller])
    assert (tickets.failures, archive.suspended_at) == (4, None)
    assert tickets.suspended_at is not None
