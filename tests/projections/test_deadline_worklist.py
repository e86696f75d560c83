"""The work list: what is due when, what stands in the way, whose turn it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from domain.calendar import load_calendar
from domain.case import CaseStatus
from domain.personal import PersonalRef
from domain.restriction import RESTRICT_BY_HAND, UNRESTRICT_BY_HAND, Restriction, RestrictionGround
from domain.values import PlannedSystem
from domain.vocabulary import (
    Action,
    Country,
    Delivery,
    IdentityMethod,
    LetterKind,
    Match,
    Outcome,
    Right,
    Role,
    TriageKind,
)
from projections.incoming import inbox
from projections.open_requests import open_requests
from projections.projection import civil_dates
from projections.work import Work
from projections.worklist import entries, of_case
from tests.support.past import COMPLEX_AND_MANY
from tests.support.records import found, letter

Office = Any  # the fixture of this folder's conftest, which cannot be imported


def _only(office: Office) -> Work:
    (work,) = entries(office.sql, [office.controller])
    return work


# Dates


def test_a_request_shows_its_three_dates_and_the_days_left(office: Office) -> None:
    """B.2.4: three dates per right; GK: 30 days promised."""
    office.on(date(2026, 11, 2))
    office.save(office.request())

    work = _only(office)
    assert (work.statutory_due, work.promise_due) == (date(2026, 12, 2), date(2026, 12, 2))
    assert work.target_due == date(2026, 12, 2)
    assert work.days_left(office.today) == 30
    assert work.days_left(dict.fromkeys(Country, date(2026, 12, 4))) == -2


def test_days_left_go_by_the_civil_date_of_the_controllers_country(office: Office) -> None:
    office.on(date(2026, 11, 2))
    office.save(office.request())

    before_midnight_in_oslo = datetime(2026, 11, 10, 22, 30, tzinfo=UTC)
    after_midnight_in_oslo = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    assert _only(office).days_left(civil_dates(before_midnight_in_oslo)) == 22
    assert _only(office).days_left(civil_dates(after_midnight_in_oslo)) == 21


def test_entries_come_in_order_of_target_page_by_page(office: Office) -> None:
    days = [date(2026, 10, 2) + timedelta(days=n) for n in (9, 1, 30, 4, 18)]
    office.save(*(office.request(received_on=day) for day in days))

    pages, last = [], None
    while page := entries(office.sql, [office.controller], after=last, limit=2):
        pages.append(page)
        last = page[-1]

    listed = [work for page in pages for work in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [work.received_on for work in listed] == sorted(days)


def test_one_controllers_list_shows_nothing_of_another(office: Office) -> None:
    office.save(office.request(), office.request(controller="other", country=Country.SE))

    assert {w.controller for w in entries(office.sql, [office.controller])} == {office.controller}
    assert len(entries(office.sql, [office.controller, "other"])) == 2
    assert entries(office.sql, []) == []


def test_an_extension_moves_the_target_and_not_the_promise(office: Office) -> None:
    """Art. 12(3); design 3: an extension does not move `promise_due`."""
    office.on(date(2026, 11, 2))
    request = office.request()
    request.extend_deadline(
        reasons=COMPLEX_AND_MANY,
        notice=PersonalRef(uuid4()),
        notice_sent_on=date(2026, 11, 2),
        calendar=load_calendar(Country.NO),
        by="staff-1",
        at=office.at,
    )
    office.save(request)

    work = _only(office)
    assert work.extended
    assert work.promise_due == date(2026, 12, 2)
    assert work.statutory_due == date(2026, 12, 2)
    assert work.extended_due == date(2027, 2, 2)
    assert work.target_due == request.dates.extended_target_due


def test_an_objection_to_marketing_shows_when_it_has_to_work(office: Office) -> None:
    """Art. 21(3): it is acted upon the same working day."""
    office.on(date(2026, 11, 2))
    office.save(office.request(Right.OBJECTION_TO_MARKETING))

    assert _only(office).act_by == date(2026, 11, 2)


def test_missed_dates_stay_with_the_request(office: Office) -> None:
    request = office.request()
    request.miss(today=date(2027, 3, 1), at=office.at)
    office.save(request)

    assert _only(office).missed == ["target", "promise", "statutory"]


# What stands in the way


def test_first_somebody_has_to_ask_who_it_is_and_then_it_is_the_subjects_turn(
    office: Office,
) -> None:
    request = office.request()
    office.save(request)
    assert (_only(office).blocked_by, _only(office).turn) == (["identity-to-ask"], "handler")

    request.request_identity(
        method=IdentityMethod.CODE_TO_ADDRESS, reason="unknown-sender", at=office.at
    )
    office.save(request)
    assert (_only(office).blocked_by, _only(office).turn) == (["identity"], "subject")


def test_an_erasure_beside_an_access_request_waits_for_its_answer(office: Office) -> None:
    """Design 2: within a case erasure waits until the access answer has been sent."""
    request = office.request(Right.ERASURE)
    office.verify(request)
    office.save(request)

    assert (_only(office).blocked_by, _only(office).turn) == (["access-first"], "system")


def test_systems_that_have_yet_to_answer_are_named(office: Office) -> None:
    request = office.request()
    office.verify(request)
    plan = office.plan(request, tickets=Delivery.CONNECTOR, mailing=Delivery.CONNECTOR)
    plan.record_found(system="mailing", key="1", found=(), at=office.at)
    plan.record_unavailable(
        system="tickets", attempt=1, next_try_at=office.at, reason="timeout", at=office.at
    )
    office.save(request, plan)

    work = _only(office)
    assert (work.blocked_by, work.turn) == (["systems"], "system")
    assert (work.systems_answering, work.systems_unavailable) == (["tickets"], ["tickets"])


def test_a_task_for_somebody_outside_the_desk_is_theirs(office: Office) -> None:
    request = office.request()
    office.verify(request)
    plan = office.plan(request, archive=Delivery.PERSON, tickets=Delivery.CONNECTOR)
    plan.escalate(system="archive", reason="search-archive", at=office.at)
    office.save(request, plan)
    work = _only(office)
    assert (work.blocked_by, work.turn) == (["person-task", "systems"], "person")
    assert work.person_tasks == ["archive"]

    plan.escalate(system="tickets", reason="refused", at=office.at)
    office.save(plan)
    work = _only(office)
    assert (work.blocked_by, work.turn) == (["system-needs-look", "person-task"], "handler")


def test_weak_matches_wait_for_a_person_and_are_counted(office: Office) -> None:
    request = office.request()
    office.verify(request)
    records = (found(Match.SAME_NAME), found(Match.SAME_NAME), found())
    request.collect_data(found=records, at=office.at)
    office.save(request)
    assert _only(office).blocked_by == ["matches"]
    assert len(_only(office).matches_to_review) == 2

    request.confirm_match(
        record_id=records[0].record_id, reason="phoned", by="staff-1", at=office.at
    )
    request.reject_match(
        record_id=records[1].record_id, reason="phoned", by="staff-1", at=office.at
    )
    office.save(request)
    assert (_only(office).blocked_by, _only(office).turn) == (["approval"], "handler")
    assert _only(office).matches_to_review == []


def test_a_letter_without_an_address_waits_to_be_printed(office: Office) -> None:
    """A case is saved before its requests, so its letters are known before them."""
    case = office.case(Right.ACCESS, Right.ERASURE)
    mine, other = office.request(Right.ACCESS, case=case), office.request(Right.ERASURE, case=case)
    printed = letter(mine.id, kind=LetterKind.ACKNOWLEDGEMENT, printed=True)
    case.queue_letter(letter=printed, at=office.at)
    office.save(case, mine, other)

    works = {work.subject_right: work for work in of_case(office.sql, case.id)}
    assert works["access"].letters_to_print == [printed.id]
    assert works["access"].blocked_by == ["letter-to-print", "identity-to-ask"]
    assert works["erasure"].letters_to_print == []

    case.letter_left(letter_id=printed.id, how="post", by="staff-1", at=office.at)
    office.save(case)
    assert of_case(office.sql, case.id)[0].letters_to_print == []


def test_a_letter_that_was_refused_by_the_relay_is_the_handlers_turn(office: Office) -> None:
    case = office.case(Right.ACCESS)
    request = office.request(Right.ACCESS, case=case)
    queued = letter(request.id)
    case.queue_letter(letter=queued, at=office.at)
    case.letter_failed(letter_id=queued.id, reason="refused-by-relay", at=office.at)
    office.save(case, request)

    work = _only(office)
    assert work.letters_failed == [queued.id]
    assert work.blocked_by == ["letter-failed", "identity-to-ask"]


def test_an_answer_that_did_not_arrive_puts_the_request_back_in_red(office: Office) -> None:
    """Design 3: a bounce, or a link nobody opened, puts the case back in red."""
    request = office.answered(office.request())
    office.save(request)
    assert not _only(office).clock_runs

    request.fail_delivery(reason="bounced", at=office.at)
    office.save(request)
    work = _only(office)
    assert work.clock_runs
    assert (work.blocked_by, work.turn) == (["delivery-failed"], "handler")


def test_what_waits_for_the_system_says_so(office: Office) -> None:
    request = office.request()
    office.verify(request)
    request.collect_data(found=(), at=office.at)
    request.approve(decisions=(), profile_version="1", by="staff-1", at=office.at)
    office.save(request)

    assert (_only(office).blocked_by, _only(office).turn) == (["answer"], "system")


def test_a_recipient_that_is_told_later_holds_nothing_up_before(office: Office) -> None:
    """Art. 19: recipients are informed of an erasure once it has been decided."""
    request = office.request(Right.ERASURE)
    office.verify(request)
    recipient = PlannedSystem(
        "recipient:organiser",
        Role.INDEPENDENT_CONTROLLER,
        Delivery.PERSON,
        "manual",
        Action.INFORM,
    )
    office.save(request, office.plan(request, recipient, tickets=Delivery.CONNECTOR))

    assert _only(office).systems_answering == ["tickets"]


# Who, and for how long


def test_a_restriction_by_hand_is_on_the_list_until_it_is_taken_back(office: Office) -> None:
    """GK-07, Art. 18: also when the request itself has long been answered."""
    office.on(date(2026, 11, 2))
    request = office.answered(office.request(Right.RESTRICTION))
    restriction = Restriction(
        request_id=request.id,
        case_id=request.case_id,
        controller=office.controller,
        ground=RestrictionGround.LEGAL_CLAIM,
        systems=("desk", "shop"),
        until=None,
        condition="claim-settled",
        by="staff-1",
        timestamp=office.at,
    )
    restriction.escalate(system="desk", reason=RESTRICT_BY_HAND, at=office.at)
    restriction.escalate(system="shop", reason="refused", at=office.at)
    office.save(request, restriction)
    assert (_only(office).blocked_by, _only(office).turn) == (
        ["system-needs-look", "closing", "person-task"],
        "handler",
    )

    for system in ("desk", "shop"):
        restriction.record_restricted(system=system, outcome=Outcome.RESTRICTED, at=office.at)
    request.fulfil(outcomes=(), at=office.at)
    request.close(at=office.at)
    office.save(restriction, request)
    assert entries(office.sql, [office.controller]) == []

    restriction.announce(letter_id=uuid4(), reason="claim-over", by="staff-1", at=office.at)
    restriction.lift(
        told_on=date(2026, 11, 2), pause_days=0, on=date(2026, 11, 3), by=None, at=office.at
    )
    restriction.escalate(system="desk", reason=UNRESTRICT_BY_HAND, at=office.at)
    office.save(restriction)
    assert (_only(office).blocked_by, _only(office).turn) == (["person-task"], "person")
    assert request.id not in open_requests(office.sql), "no date of it is reminded of any more"

    restriction.record_lifted(system="desk", by="staff-1", at=office.at)
    office.save(restriction)
    assert entries(office.sql, [office.controller]) == []


def test_a_list_can_be_one_persons_or_one_turns(office: Office) -> None:
    mine, other = office.request(), office.request()
    mine.assign(to="staff-7", by="staff-1", at=office.at)
    office.verify(other)
    office.save(mine, other)

    theirs = entries(office.sql, [office.controller], assigned_to="staff-7")
    systems = entries(office.sql, [office.controller], turn="system")
    assert [work.request_id for work in theirs] == [mine.id]
    assert [work.request_id for work in systems] == [other.id]


def test_what_is_closed_leaves_the_list_and_comes_back_when_opened_again(office: Office) -> None:
    request = office.answered(office.request())
    request.fulfil(outcomes=(), at=office.at)
    office.save(request)
    assert (_only(office).blocked_by, _only(office).turn) == (["answer-to-fetch"], "subject")

    request.close(at=office.at)
    office.save(request)
    assert entries(office.sql, [office.controller]) == []
    assert [work.status for work in of_case(office.sql, request.case_id)] == ["closed"]

    request.reopen(reason="new-question", by="staff-1", at=office.at)
    office.save(request)
    assert _only(office).status == request.status.value


# The inbox


def test_a_message_waits_in_the_inbox_until_a_person_has_looked(office: Office) -> None:
    case, spam = office.case(), office.case()
    office.save(case, spam)
    waiting = inbox(office.sql, [office.controller])
    assert {message.case_id for message in waiting} == {case.id, spam.id}
    assert (waiting[0].kind, waiting[0].rights) == ("rights-request", ["access"])
    assert waiting[0].certain

    spam.set_aside(kind=TriageKind.SPAM, by="staff-1", at=office.at)
    case.confirm(
        rights=(Right.ACCESS,),
        language=case.language,
        person=PersonalRef(uuid4()),
        by="staff-1",
        at=office.at,
    )
    office.save(case, spam)
    assert inbox(office.sql, [office.controller]) == []
    aside = inbox(office.sql, [office.controller], status=CaseStatus.SET_ASIDE)
    assert [(message.case_id, message.kind) for message in aside] == [(spam.id, "spam")]
