"""The rules of a request that no caller can get round (design 3; law B.1, B.2.5, B.2.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from domain.calendar import load_calendar
from domain.deadlines import add_months, received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.request import (
    MOST_IDENTITY_FAILURES,
    DataSubjectRequest,
    Missed,
    PauseReason,
    RefusalGround,
    Status,
)
from domain.request_advice import OfficerConsulted
from domain.values import KnownResidual, RecordDecision, SystemOutcome
from domain.vocabulary import (
    Compartment,
    ConsultedAbout,
    Country,
    Decision,
    ExtensionReason,
    IdentityMethod,
    LetterKind,
    Match,
    Outcome,
    Right,
    Unidentified,
)
from tests.support.dates import by_law
from tests.support.past import (
    AT,
    COMPLEX_AND_MANY,
    NO,
    TODAY,
    days,
    erase,
    found,
    keep,
    letter,
    names,
    received,
    ref,
    replayed,
)

KEPT = SystemOutcome("shop", "orders", Outcome.KEPT, 1, ground="no.bokforing.primary")
ERASED = SystemOutcome("shop", "orders", Outcome.ERASED, 1)
EXPORTED = SystemOutcome("shop", "orders", Outcome.EXPORTED, 1)
CODE = IdentityMethod.CODE_TO_ADDRESS


def verify(request: DataSubjectRequest) -> None:
    request.verify_identity(method=CODE, person=ref(), at=AT)


def answer(request: DataSubjectRequest, *explains: Outcome, at: datetime = AT) -> None:
    request.send_answer(sent=letter(*explains), profile_version="v1", at=at)


def refuse(
    request: DataSubjectRequest,
    ground: RefusalGround = RefusalGround.NOT_ENTITLED,
    by: str = "anna",
    second: str | None = None,
) -> None:
    request.refuse(ground=ground, reasons=ref(), by=by, second=second, at=AT)


@pytest.fixture
def request_received() -> DataSubjectRequest:
    request = received()
    request.collect_events()
    return request


@pytest.fixture
def request_verified() -> DataSubjectRequest:
    request = received()
    verify(request)
    request.collect_events()
    return request


@pytest.fixture
def data_collected(request_verified: DataSubjectRequest) -> DataSubjectRequest:
    request_verified.collect_data(found=(found(),), at=AT)
    request_verified.collect_events()
    return request_verified


@pytest.fixture
def erasure_collected() -> DataSubjectRequest:
    """Two records that are the person's, one that might be."""
    request = received(Right.ERASURE)
    verify(request)
    request.collect_data(found=(found(), found(), found(Match.SAME_NAME)), at=AT)
    request.collect_events()
    return request


@pytest.fixture
def erasure_approved(erasure_collected: DataSubjectRequest) -> DataSubjectRequest:
    """One record goes, one is kept for the books."""
    one, two, weak = erasure_collected.found.values()
    erasure_collected.reject_match(record_id=weak.record_id, reason="other-birth", by="anna", at=AT)
    erasure_collected.approve(
        decisions=(erase(one), keep(two)), profile_version="v1", by="anna", at=AT
    )
    erasure_collected.collect_events()
    return erasure_collected


@pytest.fixture
def request_approved(data_collected: DataSubjectRequest) -> DataSubjectRequest:
    data_collected.approve(decisions=(), profile_version="v1", by="anna", at=AT)
    data_collected.collect_events()
    return data_collected


@pytest.fixture
def answer_sent(request_approved: DataSubjectRequest) -> DataSubjectRequest:
    answer(request_approved)
    request_approved.collect_events()
    return request_approved


@pytest.fixture
def request_fulfilled(answer_sent: DataSubjectRequest) -> DataSubjectRequest:
    answer_sent.fulfil(outcomes=(EXPORTED,), at=AT)
    answer_sent.collect_events()
    return answer_sent


@pytest.fixture
def request_closed(request_fulfilled: DataSubjectRequest) -> DataSubjectRequest:
    request_fulfilled.close(at=AT)
    request_fulfilled.collect_events()
    return request_fulfilled


@pytest.fixture
def request_refused(request_received: DataSubjectRequest) -> DataSubjectRequest:
    refuse(request_received)
    request_received.collect_events()
    return request_received


# Receiving


def test_dates_are_counted_from_the_receipt_and_from_nothing_else() -> None:
    """B.2.1: whoever makes a request cannot give it other dates."""
    other = received(at=AT - days(3))

    with pytest.raises(DomainError, match="do not follow from the receipt"):
        received(dates=other.dates)
    with pytest.raises(DomainError, match="local day"):
        received(received_on=TODAY - days(1))
    with pytest.raises(DomainError, match="later than now"):
        received(timestamp=AT - timedelta(seconds=1))
    with pytest.raises(DomainError, match="act by"):
        received(Right.WITHDRAWAL, act_by=None)
    with pytest.raises(DomainError, match="not the one of NO"):
        received(dates=received(country=Country.SE).dates)


def test_the_day_of_receipt_is_the_local_one() -> None:
    """B.2.1: 31 January 23:30 UTC is 1 February in Oslo."""
    late = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)

    assert received(at=late).received_on.isoformat() == "2027-02-01"


@pytest.mark.parametrize("right", list(Right))
def test_every_right_may_be_asked_for(right: Right) -> None:
    """AK-29, OK-18, MU-24, AO-21, X-03: whatever the policy leaves out."""
    request = received(right)

    assert request.status is Status.RECEIVED
    assert (request.act_by is not None) is right.acts_at_once


@pytest.mark.parametrize("right", [Right.INFORMATION_SECURITY, Right.TRANSFER_SAFEGUARDS])
def test_a_courtesy_has_no_statutory_month(right: Right) -> None:
    """E-14, AK-12, GK-23: taken in and followed up, and outside Articles 15 to 22."""
    assert not right.is_statutory
    request = received(right)
    assert request.dates.statutory_due is None
    request.miss(today=TODAY + days(400), at=AT + days(400))
    assert Missed.STATUTORY not in request.missed
    assert Missed.TARGET in request.missed
    assert [other for other in Right if not other.is_statutory] == [
        Right.INFORMATION_SECURITY,
        Right.TRANSFER_SAFEGUARDS,
    ]


def test_an_earlier_proven_arrival_moves_every_date(request_received: DataSubjectRequest) -> None:
    """GK-02: the earliest of duplicate arrivals sets receipt."""
    before = request_received.dates
    earlier = AT - days(2)

    request_received.correct_receipt(
        received_at=earlier,
        received_on=earlier.date(),
        calendar=NO,
        reason="found-in-officers-mailbox",
        by="anna",
        at=AT + days(1),
    )

    assert names(request_received) == ["ReceiptCorrected"]
    assert request_received.dates.unrolled == add_months(earlier.date(), 1)
    assert request_received.dates.promise_due == earlier.date() + days(30)
    assert request_received.dates.unrolled < before.unrolled


def correct(request: DataSubjectRequest, to: datetime, **facts: Any) -> None:
    defaults: dict[str, Any] = {
        "received_at": to,
        "received_on": received_on(to, Country.NO),
        "calendar": NO,
        "reason": "wrong-clock",
        "by": "anna",
        "at": AT + days(1),
    }
    request.correct_receipt(**(defaults | facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"by": ""},
        {"by": "  "},
        {"reason": ""},
        {"reason": "Kari Vik called on Monday"},
        {"received_on": TODAY + days(1)},
        {"at": AT - days(1)},
        {"calendar": load_calendar(Country.SE)},
    ],
)
def test_a_receipt_is_put_later_only_by_a_person_with_a_reason_and_never_into_the_future(
    request_received: DataSubjectRequest, facts: dict[str, Any]
) -> None:
    with pytest.raises(DomainError):
        correct(request_received, AT + timedelta(hours=1), **facts)

    assert names(request_received) == []
    correct(request_received, AT + timedelta(hours=1))
    assert names(request_received) == ["ReceiptCorrected"]


def test_the_same_receipt_again_corrects_nothing(request_received: DataSubjectRequest) -> None:
    correct(request_received, AT)

    assert names(request_received) == []


def test_a_wrong_right_is_put_right_and_the_receipt_stays(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.1."""
    request_received.reclassify(
        right=Right.OBJECTION_TO_MARKETING, controller="culture-house", by="anna", at=AT
    )

    assert request_received.received_at == AT
    assert request_received.act_by == TODAY
    assert request_received.promise_days == 30


def test_another_controller_brings_its_own_promise(request_received: DataSubjectRequest) -> None:
    """AK-27, AO-20: promise and grounds follow the profile in force at receipt."""
    with pytest.raises(DomainError, match="which profile"):
        request_received.reclassify(right=Right.ACCESS, controller="other", by="anna", at=AT)

    request_received.reclassify(
        right=Right.ACCESS, controller="other", by="anna", at=AT, profile_version="v7"
    )

    assert request_received.dates.promise_due is None
    assert (request_received.controller, request_received.profile_version) == ("other", "v7")


def test_what_was_waived_for_one_right_does_not_open_another() -> None:
    request = received(Right.OBJECTION_TO_MARKETING)
    request.waive_verification(reason="stops-marketing-only", at=AT)

    with pytest.raises(NotAllowedNow):
        request.reclassify(right=Right.ACCESS, controller="culture-house", by="anna", at=AT)


def test_a_request_is_acknowledged_assigned_and_linked_once(
    request_received: DataSubjectRequest,
) -> None:
    other = received().id
    for _ in range(2):
        request_received.acknowledge(sent=letter(kind=LetterKind.ACKNOWLEDGEMENT), at=AT)
        request_received.assign(to="berit", by="anna", at=AT)
        request_received.link(to=other, by="anna", at=AT)

    assert names(request_received) == ["Acknowledged", "Assigned", "Linked"]
    with pytest.raises(DomainError, match="itself"):
        request_received.link(to=request_received.id, by="anna", at=AT)


def test_the_officer_advises_and_the_status_stays(request_received: DataSubjectRequest) -> None:
    """Art. 38(6): the officer never decides."""
    request_received.consult_officer(
        question=ref(), advice=ref(), advised_by="officer", by="anna", at=AT
    )

    assert names(request_received) == ["OfficerConsulted"]
    assert request_received.status is Status.RECEIVED


# Identity


@pytest.mark.parametrize("right", [Right.ACCESS, Right.RECTIFICATION, Right.ERASURE])
def test_no_data_leaves_before_identity_is_settled(right: Right) -> None:
    """AK-11: neither for access nor rectification, and no more for erasure."""
    request = received(right)

    with pytest.raises(NotAllowedNow, match="no verified identity"):
        answer(request)
    with pytest.raises(NotAllowedNow):
        request.collect_data(found=(), at=AT)


def test_a_machine_does_not_waive_the_check_where_an_answer_holds_data(
    request_received: DataSubjectRequest,
) -> None:
    """AK-11: verification_not_needed takes a reason, and a person to give it."""
    for by in (None, "", "trettio"):
        with pytest.raises(DomainError):
            request_received.waive_verification(reason="known-in-person", by=by, at=AT)
    with pytest.raises(DomainError, match="say why"):
        request_received.waive_verification(reason="", by="anna", at=AT)

    request_received.waive_verification(reason="known-in-person", by="anna", at=AT)

    assert request_received.is_identified


def test_an_objection_to_marketing_waits_for_no_identity_check() -> None:
    """AO-14, B.1 row 7(3)."""
    request = received(Right.OBJECTION_TO_MARKETING)

    request.waive_verification(reason="stops-marketing-only", at=AT)
    answer(request)

    assert request.status is Status.ANSWERED


def test_the_reason_for_doubt_is_recorded_each_time(request_received: DataSubjectRequest) -> None:
    """B.1 row 12(6), AO-04: a reason, a time, and a pause of its own."""
    with pytest.raises(DomainError, match="say why"):
        request_received.request_identity(method=CODE, reason=" ", at=AT)

    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    request_received.request_identity(method=CODE, reason="lighter-proof-failed", at=AT + days(1))

    assert names(request_received) == ["IdentityRequested", "PauseOpened", "IdentityRequested"]
    assert request_received.open_pauses == {PauseReason.IDENTITY: TODAY}


def test_a_free_text_is_no_reason(request_received: DataSubjectRequest) -> None:
    """Design 5: an event holds no words that could name a person."""
    with pytest.raises(DomainError, match="give a code"):
        request_received.request_identity(method=CODE, reason="Kari Vik, kari@post", at=AT)


def test_proof_ends_the_pause_and_shows_the_days_beside(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.5: the date if suspended is shown; the dates that alarm stay."""
    before = request_received.dates
    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    request_received.verify_identity(method=CODE, person=ref(), at=AT + days(7))

    after = request_received.dates
    assert request_received.open_pauses == {}
    assert after.statutory_due == before.statutory_due
    assert after.target_due == before.target_due
    assert after.statutory_due_if_suspended == by_law(before) + days(7)


def test_identity_is_verified_once(request_verified: DataSubjectRequest) -> None:
    verify(request_verified)

    assert names(request_verified) == []


@pytest.mark.parametrize("method", [m for m in IdentityMethod if m.needs_a_person])
def test_what_eyes_have_to_see_needs_a_name(
    request_received: DataSubjectRequest, method: IdentityMethod
) -> None:
    """B.2.8: documents are seen by somebody."""
    with pytest.raises(DomainError, match="human name"):
        request_received.verify_identity(method=method, person=ref(), at=AT)

    request_received.verify_identity(method=method, person=ref(), by="anna", at=AT)
    assert request_received.status is Status.VERIFIED


def test_after_too_many_wrong_codes_only_a_person_verifies(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.8."""
    for _ in range(MOST_IDENTITY_FAILURES + 5):
        request_received.fail_identity(method=CODE, reason="code-wrong", at=AT)

    assert names(request_received) == ["IdentityFailed"] * MOST_IDENTITY_FAILURES
    with pytest.raises(NotAllowedNow, match="wrong codes"):
        verify(request_received)
    with pytest.raises(NotAllowedNow, match="wrong codes"):
        request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    request_received.verify_identity(
        method=IdentityMethod.IN_PERSON, person=ref(), by="anna", at=AT
    )
    assert request_received.is_identified


def test_one_wrong_code_less_is_not_too_many(request_received: DataSubjectRequest) -> None:
    for _ in range(MOST_IDENTITY_FAILURES - 1):
        request_received.fail_identity(method=CODE, reason="code-wrong", at=AT)

    verify(request_received)

    assert request_received.status is Status.VERIFIED


# Questions and the clock


def test_a_question_about_scope_is_another_event_than_one_about_identity(
    request_verified: DataSubjectRequest,
) -> None:
    """AO-04: clarification and identity each have their own event and pause."""
    request_verified.request_clarification(question=ref(), by="anna", at=AT)
    request_verified.clarify(answer=ref(), at=AT + days(3))

    assert names(request_verified) == [
        "ClarificationRequested",
        "PauseOpened",
        "Clarified",
        "PauseEnded",
    ]
    assert request_verified.status is Status.VERIFIED


def test_nothing_is_clarified_that_nobody_asked(request_verified: DataSubjectRequest) -> None:
    with pytest.raises(NotAllowedNow, match="nothing was asked"):
        request_verified.clarify(answer=ref(), at=AT)


@pytest.mark.parametrize("reason", [PauseReason.IDENTITY, PauseReason.SCOPE])
def test_there_is_no_pause_without_a_question(
    request_received: DataSubjectRequest, reason: PauseReason
) -> None:
    """B.2.5: waiting for anybody but the person is never a pause."""
    with pytest.raises(NotAllowedNow, match="ask first"):
        request_received.open_pause(reason=reason, on=TODAY, at=AT)


def test_processors_holidays_archives_and_unpaid_fees_are_no_reason_for_a_pause() -> None:
    """B.2.5: only what the person was asked about themselves, their wish or their authority."""
    assert {reason.value for reason in PauseReason} == {"identity", "scope", "authority"}


@pytest.mark.parametrize("offset", [-1, 2])
def test_a_pause_begins_after_the_receipt_and_not_in_the_future(
    request_received: DataSubjectRequest, offset: int
) -> None:
    with pytest.raises(DomainError, match="give the true day"):
        request_received.open_pause(
            reason=PauseReason.AUTHORITY, on=TODAY + days(offset), at=AT + days(1)
        )


def test_a_pause_ends_on_a_true_day_and_once(request_received: DataSubjectRequest) -> None:
    pause = PauseReason.AUTHORITY
    request_received.open_pause(reason=pause, on=TODAY, at=AT)
    request_received.open_pause(reason=pause, on=TODAY, at=AT)
    with pytest.raises(DomainError, match="give the true day"):
        request_received.end_pause(reason=pause, on=TODAY + days(2), calendar=NO, at=AT + days(1))
    for _ in range(2):
        request_received.end_pause(reason=pause, on=TODAY + days(1), calendar=NO, at=AT + days(1))

    assert names(request_received) == ["PauseOpened", "PauseEnded"]


def extend(request: DataSubjectRequest, *, sent: int = 0, recorded: int | None = None) -> None:
    at = AT + days(sent if recorded is None else recorded)
    request.extend_deadline(
        reasons=COMPLEX_AND_MANY,
        notice=ref(),
        notice_sent_on=TODAY + days(sent),
        calendar=NO,
        by="anna",
        at=at,
    )


def test_an_extension_gives_two_months_and_keeps_the_promise(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.6, B.1 row 12(3): it never moves `promise_due` and never passes three months."""
    promise = request_received.dates.promise_due
    extend(request_received)

    assert request_received.dates.promise_due == promise
    assert request_received.dates.extended_due == NO.next_working_day(add_months(TODAY, 3))
    with pytest.raises(NotAllowedNow, match="already"):
        extend(request_received)


@pytest.fixture
def request_received_thursday() -> DataSubjectRequest:
    """5 November: the month ends on a Saturday and rolls to Monday 7 December."""
    request = received(at=AT + days(3))
    request.collect_events()
    return request


@pytest.mark.parametrize(("sent", "late"), [(33, False), (34, True), (35, True)])
def test_a_notice_in_the_days_the_month_rolls_over_is_warned_about(
    request_received_thursday: DataSubjectRequest, sent: int, late: bool
) -> None:
    extend(request_received_thursday, sent=sent)

    (event,) = request_received_thursday.collect_events()
    assert isinstance(event, DataSubjectRequest.DeadlineExtended)
    assert event.late_warning is late


@pytest.mark.parametrize(
    ("sent", "recorded"),
    [(36, 36), (10, 36), (2, 36)],
    ids=["sent too late", "recorded too late", "backdated by a month"],
)
def test_a_notice_after_the_first_month_extends_nothing(
    request_received_thursday: DataSubjectRequest, sent: int, recorded: int
) -> None:
    """B.2.6: refused after `statutory_due`, and no backdating gets round it."""
    with pytest.raises(DomainError):
        extend(request_received_thursday, sent=sent, recorded=recorded)


def test_a_notice_is_not_sent_tomorrow(request_received: DataSubjectRequest) -> None:
    with pytest.raises(DomainError, match="give the true day"):
        extend(request_received, sent=1, recorded=0)


def test_pauses_extension_and_corrected_receipt_may_come_in_any_order() -> None:
    """B.2.5: a fold over facts, unlike tools that add days to a date already rolled."""
    start = AT + days(1)

    def pause(request: DataSubjectRequest) -> None:
        request.open_pause(reason=PauseReason.AUTHORITY, on=start.date(), at=AT + days(12))
        request.end_pause(
            reason=PauseReason.AUTHORITY,
            on=start.date() + days(10),
            calendar=NO,
            at=AT + days(12),
        )

    def ask(request: DataSubjectRequest) -> None:
        request.request_identity(method=CODE, reason="unknown-sender", at=start)
        request.verify_identity(method=CODE, person=ref(), at=start + days(4))

    def corrected(request: DataSubjectRequest) -> None:
        correct(request, AT - days(5), at=AT + days(12))

    def extended(request: DataSubjectRequest) -> None:
        extend(request, sent=12)

    outcomes = set()
    for order in permutations((pause, ask, corrected, extended)):
        request = received()
        for step in order:
            step(request)
        outcomes.add(request.dates)

    assert len(outcomes) == 1
    assert outcomes.pop().extended_due is not None


def test_an_earlier_receipt_undoes_an_extension_whose_notice_was_late_then(
    request_received: DataSubjectRequest,
) -> None:
    extend(request_received, sent=20)
    correct(request_received, AT - days(20), at=AT + days(21))

    assert request_received.dates.extended_due is None


@pytest.mark.parametrize(
    "reasons",
    [
        (),
        (ExtensionReason.EFFORT,),
        (ExtensionReason.EFFORT, ExtensionReason.SEVERAL_REQUESTS),
        (ExtensionReason.VOLUME, ExtensionReason.REDACTION),
        (ExtensionReason.MANY_REQUESTERS,),
    ],
)
def test_effort_alone_or_half_the_reasons_extend_nothing(
    request_received: DataSubjectRequest, reasons: tuple[ExtensionReason, ...]
) -> None:
    """B.2.6, B.1 row 12(3): complexity and number, both; much work is not complexity."""
    with pytest.raises(DomainError, match="much work alone"):
        request_received.decide_extension(reasons=reasons, calendar=NO, by="anna", at=AT)
    with pytest.raises(DomainError, match="much work alone"):
        request_received.extend_deadline(
            reasons=reasons, notice=ref(), notice_sent_on=TODAY, calendar=NO, by="anna", at=AT
        )

    assert names(request_received) == []


def test_an_extension_is_decided_once_and_moves_nothing_before_its_notice(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.6: the event that moves the date is that of the notice having left."""
    dates = request_received.dates
    with pytest.raises(DomainError, match="which person"):
        request_received.decide_extension(
            reasons=COMPLEX_AND_MANY, calendar=NO, by="trettio", at=AT
        )
    request_received.decide_extension(reasons=COMPLEX_AND_MANY, calendar=NO, by="anna", at=AT)
    with pytest.raises(NotAllowedNow, match="already"):
        request_received.decide_extension(reasons=COMPLEX_AND_MANY, calendar=NO, by="anna", at=AT)

    assert request_received.dates == dates
    assert not request_received.extended
    extend(request_received, sent=1)
    assert set(request_received.extension_reasons) == set(COMPLEX_AND_MANY)


def test_an_extension_is_not_decided_when_its_notice_would_be_late(
    request_received_thursday: DataSubjectRequest,
) -> None:
    """B.2.6: warned after the unrolled date, refused after `statutory_due`."""
    late = {}
    for sent in (33, 34, 35):
        request = received(at=AT + days(3))
        request.collect_events()
        at = AT + days(sent)
        request.decide_extension(reasons=COMPLEX_AND_MANY, calendar=NO, by="anna", at=at)
        (event,) = request.collect_events()
        assert isinstance(event, DataSubjectRequest.ExtensionDecided)
        late[sent] = event.late_warning
    assert late == {33: False, 34: True, 35: True}
    with pytest.raises(DomainError, match="too late"):
        request_received_thursday.decide_extension(
            reasons=COMPLEX_AND_MANY, calendar=NO, by="anna", at=AT + days(36)
        )


# Relying on a pause, B.2.5 and B.7


def asked_and_answered(request: DataSubjectRequest) -> None:
    request.request_identity(method=CODE, reason="unknown-sender", at=AT)
    request.verify_identity(method=CODE, person=ref(), at=AT + days(10))


def consulted(request: DataSubjectRequest, at: datetime) -> PersonalRef:
    question = ref()
    request.consult_officer(question=question, about=ConsultedAbout.SUSPENSION, by="anna", at=at)
    request.advise(question=question, advice=ref(), by="officer", at=at)
    request.weigh_advice(question=question, followed=True, by="berit", at=at)
    return question


def test_nobody_relies_on_a_pause_before_the_officer_was_heard(
    request_received: DataSubjectRequest,
) -> None:
    """B.7 row suspension: decided by the controller when the officer was heard, by no officer."""
    asked_and_answered(request_received)
    rely = request_received.rely_on_suspension
    with pytest.raises(NotAllowedNow, match="not been consulted"):
        rely(question=ref(), reason="long-wait", by="berit", at=AT + days(10))

    other, question = ref(), ref()
    request_received.consult_officer(
        question=other, advice=ref(), advised_by="officer", by="anna", at=AT + days(10)
    )
    request_received.consult_officer(
        question=question, about=ConsultedAbout.SUSPENSION, by="anna", at=AT + days(10)
    )
    for one in (other, question):
        with pytest.raises(NotAllowedNow, match="consult the officer about the suspension"):
            rely(question=one, reason="long-wait", by="berit", at=AT + days(10))
    request_received.advise(question=question, advice=ref(), by="officer", at=AT + days(11))
    for by in ("officer", "trettio", ""):
        with pytest.raises(DomainError):
            rely(question=question, reason="long-wait", by=by, at=AT + days(11))
    with pytest.raises(NotAllowedNow, match="whether the advice is followed"):
        rely(question=question, reason="long-wait", by="berit", at=AT + days(11))
    assert not request_received.suspension_relied_on

    request_received.weigh_advice(
        question=question, followed=False, reasons=ref(), by="berit", at=AT + days(11)
    )
    rely(question=question, reason="long-wait", by="berit", at=AT + days(11))
    assert request_received.suspension_relied_on


@pytest.mark.parametrize("adviser", [None, " ", "anna", " Anna", "trettio"])
def test_advice_given_with_the_question_is_another_persons(
    request_received: DataSubjectRequest, adviser: str | None
) -> None:
    """B.2.5, B.7, Art. 38(6): one login cannot ask, advise and decide."""
    with pytest.raises(DomainError):
        request_received.consult_officer(
            question=ref(), advice=ref(), advised_by=adviser, by="anna", at=AT
        )
    assert not request_received.consultations


def test_who_advised_at_once_neither_weighs_nor_relies(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.5, B.7, Art. 38(6): against a no takes a reason, and another than who advised."""
    asked_and_answered(request_received)
    question, at = ref(), AT + days(10)
    request_received.consult_officer(
        question=question,
        advice=ref(),
        advised_by="officer",
        about=ConsultedAbout.SUSPENSION,
        by="anna",
        at=at,
    )
    rely, weigh = request_received.rely_on_suspension, request_received.weigh_advice
    for by in ("officer", "Officer "):
        with pytest.raises(DomainError, match="does not decide"):
            weigh(question=question, followed=True, by=by, at=at)
        with pytest.raises(DomainError, match="does not decide"):
            rely(question=question, reason="long-wait", by=by, at=at)
    with pytest.raises(NotAllowedNow, match="whether the advice is followed"):
        rely(question=question, reason="long-wait", by="anna", at=at)
    with pytest.raises(DomainError, match="say why"):
        weigh(question=question, followed=False, by="anna", at=at)
    weigh(question=question, followed=False, reasons=ref(), by="anna", at=at)
    rely(question=question, reason="long-wait", by="anna", at=at)
    assert request_received.suspension_relied_on


def test_nobody_relies_on_advice_of_which_nobody_knows_who_gave_it(
    request_received: DataSubjectRequest,
) -> None:
    """Art. 38(6): advice from before advisers were named stays in the log, and is no ground."""
    asked_and_answered(request_received)
    question = ref()
    request_received.trigger_event(
        OfficerConsulted,
        question=question,
        advice=ref(),
        about=ConsultedAbout.SUSPENSION,
        by="anna",
        timestamp=AT,
    )
    with pytest.raises(NotAllowedNow, match="nobody knows who"):
        request_received.rely_on_suspension(
            question=question, reason="long-wait", by="berit", at=AT + days(10)
        )


def test_there_must_be_a_pause_to_rely_on(request_received: DataSubjectRequest) -> None:
    question = consulted(request_received, AT)
    with pytest.raises(NotAllowedNow, match="no pause"):
        request_received.rely_on_suspension(question=question, reason="why", by="berit", at=AT)


def test_breaches_ignore_a_pause_until_it_is_relied_on() -> None:
    """B.2.5, B.7 row suspension: alarms unchanged by default; both worlds are in the dates."""
    careful, relying = received(promise_days=None), received(promise_days=None)
    for request in (careful, relying):
        asked_and_answered(request)
    question = consulted(relying, AT + days(10))
    relying.rely_on_suspension(question=question, reason="long-wait", by="berit", at=AT + days(10))

    suspended = relying.dates.statutory_due_if_suspended
    assert careful.dates == relying.dates
    assert suspended is not None
    for request in (careful, relying):
        request.miss(today=suspended, at=AT + days(45))
    assert careful.missed == {Missed.TARGET, Missed.STATUTORY}
    assert relying.missed <= {Missed.TARGET}
    relying.miss(today=suspended + days(1), at=AT + days(46))
    assert relying.missed == {Missed.TARGET, Missed.STATUTORY}


def test_a_pause_that_is_relied_on_and_goes_on_keeps_moving_the_dates() -> None:
    request = received(promise_days=None)
    request.request_identity(method=CODE, reason="unknown-sender", at=AT)
    question = consulted(request, AT)
    request.rely_on_suspension(question=question, reason="long-wait", by="berit", at=AT)

    late = by_law(request.dates) + days(20)
    request.miss(today=late, at=AT + days(60))
    assert request.missed == set()
    assert request.aim_on(late) > late


def test_whoever_asks_the_officer_does_not_answer_and_advice_is_weighed_once(
    request_received: DataSubjectRequest,
) -> None:
    """Art. 38(3), 38(6): asked, answered, followed or not and then why."""
    question = ref()
    request_received.consult_officer(question=question, by="anna", at=AT)
    with pytest.raises(NotAllowedNow, match="not answered yet"):
        request_received.weigh_advice(question=question, followed=True, by="anna", at=AT)
    with pytest.raises(DomainError, match="another answers"):
        request_received.advise(question=question, advice=ref(), by="anna", at=AT)
    request_received.advise(question=question, advice=ref(), by="officer", at=AT)
    with pytest.raises(NotAllowedNow, match="ask a new one"):
        request_received.advise(question=question, advice=ref(), by="officer", at=AT)
    with pytest.raises(DomainError, match="say why"):
        request_received.weigh_advice(question=question, followed=False, by="anna", at=AT)
    with pytest.raises(DomainError, match="does not decide"):
        request_received.weigh_advice(question=question, followed=True, by="officer", at=AT)
    for _ in range(2):
        request_received.weigh_advice(
            question=question, followed=False, reasons=ref(), by="anna", at=AT
        )

    assert names(request_received) == ["OfficerConsulted", "OfficerAdvised", "AdviceWeighed"]


# Silence, B.2.5


def test_two_reminders_and_then_a_person(request_received: DataSubjectRequest) -> None:
    """B.2.5: nothing is closed for silence before two reminders, and never by a machine."""
    identity = PauseReason.IDENTITY
    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    with pytest.raises(DomainError, match="two reminders"):
        refuse(request_received, RefusalGround.NO_RESPONSE)
    for number in (1, 2):
        with pytest.raises(NotAllowedNow, match="reminded twice"):
            request_received.notice_silence(reason=identity, at=AT)
        request_received.remind_of_question(reason=identity, at=AT)
        assert request_received.question_reminders[identity] == (TODAY,) * number
    with pytest.raises(NotAllowedNow, match="nothing more"):
        request_received.remind_of_question(reason=identity, at=AT)
    for _ in range(2):
        request_received.notice_silence(reason=identity, at=AT)
    with pytest.raises(DomainError, match="which person"):
        refuse(request_received, RefusalGround.NO_RESPONSE, by="trettio")
    refuse(request_received, RefusalGround.NO_RESPONSE)

    assert request_received.status is Status.REFUSED


def test_an_answer_or_a_new_question_ends_the_silence(
    request_received: DataSubjectRequest,
) -> None:
    identity = PauseReason.IDENTITY
    for _ in range(2):
        request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
        for _ in range(2):
            request_received.remind_of_question(reason=identity, at=AT)
        request_received.notice_silence(reason=identity, at=AT)
    verify(request_received)

    assert request_received.silent_about == frozenset()
    with pytest.raises(DomainError, match="two reminders"):
        refuse(request_received, RefusalGround.NO_RESPONSE)


def test_a_later_receipt_takes_a_person_and_its_proof(
    request_received: DataSubjectRequest,
) -> None:
    """B.2.1: a correction is an event; one that gives us more time has to be shown."""
    later: dict[str, Any] = {"received_at": AT + days(1), "received_on": TODAY + days(1)}
    facts: dict[str, Any] = {"calendar": NO, "reason": "wrong-stamp", "at": AT + days(2)}
    with pytest.raises(DomainError, match="more time"):
        request_received.correct_receipt(**later, **facts, by="anna")
    with pytest.raises(DomainError, match="which person"):
        request_received.correct_receipt(**later, **facts, by="trettio", proof=ref())
    request_received.correct_receipt(**later, **facts, by="anna", proof=ref())

    assert request_received.received_on == TODAY + days(1)
    assert request_received.earlier_receipts == (TODAY,)


def test_a_new_calendar_version_is_recorded_with_the_old_dates_and_once() -> None:
    """B.2.4: adding a holiday recomputes open requests, with old and new date."""
    request = received()
    request.collect_events()
    due = by_law(request.dates)
    announced = replace(NO, version="2099.1", holidays=NO.holidays | {due})
    for _ in range(2):
        request.recompute_deadlines(calendar=announced, at=AT)

    (event,) = request.collect_events()
    assert isinstance(event, DataSubjectRequest.DeadlineRecomputed)
    assert event.old is not None
    assert (by_law(event.old), by_law(event.dates)) == (due, due + days(1))
    assert event.dates.calendar == "NO-2099.1"
    request.recompute_deadlines(calendar=NO, at=AT)
    assert request.dates.statutory_due == due


def test_a_new_calendar_moves_open_requests_only(request_closed: DataSubjectRequest) -> None:
    """B.2.4: what was answered keeps the dates it was answered under."""
    announced = replace(NO, version="2099.1", holidays=NO.holidays | {TODAY + days(20)})
    request_closed.recompute_deadlines(calendar=announced, at=AT)

    assert names(request_closed) == []


def test_each_date_is_missed_once_and_against_itself(request_received: DataSubjectRequest) -> None:
    """B.2.4: the three dates are counted apart."""
    dates = request_received.dates
    for today in (dates.target_due, by_law(dates), by_law(dates) + days(1)):
        request_received.miss(today=today, at=AT + days(60))
        request_received.miss(today=today, at=AT + days(60))

    events = names(request_received)
    assert sorted(events) == ["PromiseMissed", "StatutoryMissed", "TargetMissed"]
    assert request_received.missed == set(Missed)


def test_the_day_itself_is_in_time(request_received: DataSubjectRequest) -> None:
    """B.2.4."""
    request_received.miss(today=request_received.dates.target_due, at=AT)

    assert names(request_received) == []


def test_a_reminder_comes_once_and_only_while_the_clock_runs(
    request_closed: DataSubjectRequest,
) -> None:
    request_received = received()
    request_received.collect_events()
    for _ in range(2):
        request_received.remind(reminder="today", on=TODAY, at=AT)
    request_closed.remind(reminder="today", on=TODAY, at=AT)
    request_closed.miss(today=TODAY + days(900), at=AT)

    assert names(request_received) == ["ReminderDue"]
    assert names(request_closed) == []


# Deciding


def test_nothing_is_approved_while_a_weak_match_waits(
    erasure_collected: DataSubjectRequest,
) -> None:
    one, two, _ = erasure_collected.found.values()

    with pytest.raises(NotAllowedNow, match="1 matches wait"):
        erasure_collected.approve(
            decisions=(erase(one), erase(two)), profile_version="v1", by="anna", at=AT
        )


def test_a_match_is_decided_by_name_with_a_reason_and_may_change(
    erasure_collected: DataSubjectRequest,
) -> None:
    """B.1 row 5(2)."""
    weak = erasure_collected.undecided_matches[0].record_id
    for facts in ({"by": "", "reason": "same-phone"}, {"by": "anna", "reason": ""}):
        with pytest.raises(DomainError):
            erasure_collected.confirm_match(record_id=weak, at=AT, **facts)
    for _ in range(2):
        erasure_collected.confirm_match(record_id=weak, reason="same-phone", by="anna", at=AT)
    erasure_collected.reject_match(record_id=weak, reason="other-birth", by="anna", at=AT)

    assert names(erasure_collected) == ["MatchConfirmed", "MatchRejected"]
    assert len(erasure_collected.own_records) == 2
    with pytest.raises(DomainError, match="no such record"):
        erasure_collected.confirm_match(
            record_id=found().record_id, reason="same-phone", by="anna", at=AT
        )


def approvals(request: DataSubjectRequest) -> dict[str, tuple[RecordDecision, ...]]:
    one, two, weak = request.found.values()
    return {
        "one is missing": (erase(one),),
        "a stranger's goes too": (erase(one), erase(two), erase(weak)),
        "two about one record": (erase(one), erase(two), keep(two)),
        "kept without a ground": (
            erase(one),
            RecordDecision(two.record_id, Decision.KEEP, "useful_if_you_call_us"),
        ),
    }


@pytest.mark.parametrize(
    "case",
    [
        "one is missing",
        "a stranger's goes too",
        "two about one record",
        "kept without a ground",
    ],
)
def test_every_record_of_the_person_gets_one_decision_with_its_ground(
    erasure_collected: DataSubjectRequest, case: str
) -> None:
    """AK-06: each thing kept names a law; AK-17: nothing is kept in bulk."""
    weak = erasure_collected.undecided_matches[0].record_id
    erasure_collected.reject_match(record_id=weak, reason="other-birth", by="anna", at=AT)

    with pytest.raises(DomainError):
        erasure_collected.approve(
            decisions=approvals(erasure_collected)[case], profile_version="v1", by="anna", at=AT
        )
    assert erasure_collected.status is Status.COLLECTED


@pytest.mark.parametrize("by", ["", " ", "trettio", "Trettio "])
def test_nobody_and_no_machine_approves_or_refuses(
    data_collected: DataSubjectRequest, by: str
) -> None:
    """B.1 row 22, B.1 row 5(2): our own refusals are never automatic."""
    with pytest.raises(DomainError):
        data_collected.approve(decisions=(), profile_version="v1", by=by, at=AT)
    with pytest.raises(DomainError):
        refuse(data_collected, by=by)

    assert names(data_collected) == []


@pytest.mark.parametrize("second", [None, "", "anna", " ANNA ", "trettio"])
@pytest.mark.parametrize("ground", [g for g in RefusalGround if g.needs_two_people])
def test_unfounded_or_excessive_takes_two_people(
    data_collected: DataSubjectRequest, ground: RefusalGround, second: str | None
) -> None:
    """B.1 row 12(5): the controller bears the burden."""
    with pytest.raises(DomainError):
        refuse(data_collected, ground, second=second)

    refuse(data_collected, ground, second="berit")
    assert data_collected.status is Status.REFUSED


@pytest.mark.parametrize("ground", [RefusalGround.NATIONAL_EXCEPTION, RefusalGround.NOT_ENTITLED])
def test_an_objection_to_marketing_cannot_be_weighed(ground: RefusalGround) -> None:
    """B.1 row 21(1), AK-07: marketing is absolute; GK-08: other objections are balanced."""
    with pytest.raises(DomainError, match="absolute"):
        refuse(received(Right.OBJECTION_TO_MARKETING), ground)

    refuse(received(Right.OBJECTION), ground)


def unidentified(
    request: DataSubjectRequest,
    shown: Unidentified | None = Unidentified.NOTHING_MORE,
    *,
    tried: bool = True,
) -> None:
    request.refuse(
        ground=RefusalGround.CANNOT_IDENTIFY,
        reasons=ref(),
        shown=shown,
        proof=ref() if tried else None,
        by="anna",
        at=AT,
    )


def test_who_was_never_asked_is_not_unidentifiable(request_received: DataSubjectRequest) -> None:
    """B.1 row 12(2): the controller must demonstrate that it cannot identify."""
    with pytest.raises(DomainError, match="asked for proof"):
        unidentified(request_received)

    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    unidentified(request_received)

    assert request_received.status is Status.REFUSED


def test_having_asked_does_not_show_that_nobody_can_tell(
    request_received: DataSubjectRequest,
) -> None:
    """B.1 row 12(2): what was tried, and a silence that two reminders show, or a stated fact."""
    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)

    with pytest.raises(DomainError, match="what was tried"):
        unidentified(request_received, tried=False)
    with pytest.raises(DomainError, match="say what shows it"):
        unidentified(request_received, None)
    for reminders in range(3):
        with pytest.raises(DomainError, match="second one"):
            unidentified(request_received, Unidentified.SILENT)
        if reminders < 2:
            request_received.remind_of_question(reason=PauseReason.IDENTITY, at=AT)
    request_received.notice_silence(reason=PauseReason.IDENTITY, at=AT)
    request_received.collect_events()
    unidentified(request_received, Unidentified.SILENT)

    (refused,) = request_received.collect_events()
    assert (refused.shown, bool(refused.proof)) == (Unidentified.SILENT, True)  # type: ignore[attr-defined]


def test_proofs_that_failed_are_said_of_that_ground_only(
    request_received: DataSubjectRequest,
) -> None:
    request_received.request_identity(method=CODE, reason="unknown-sender", at=AT)
    with pytest.raises(DomainError, match="that ground only"):
        request_received.refuse(
            ground=RefusalGround.NOT_ENTITLED,
            reasons=ref(),
            shown=Unidentified.PROOF_FAILED,
            by="anna",
            at=AT,
        )

    unidentified(request_received, Unidentified.PROOF_FAILED)

    assert request_received.status is Status.REFUSED


def test_who_has_proven_identity_is_not_unidentifiable(
    request_verified: DataSubjectRequest,
) -> None:
    with pytest.raises(DomainError, match="asked for proof"):
        unidentified(request_verified)


@pytest.mark.parametrize(
    "step",
    [
        refuse,
        lambda request: request.withdraw(at=AT),
        lambda request: request.refer(to="other-controller", by="anna", at=AT),
    ],
    ids=["refuse", "withdraw", "refer"],
)
def test_an_erasure_that_was_ordered_is_answered_whatever_happens(
    erasure_approved: DataSubjectRequest, step: Callable[[DataSubjectRequest], None]
) -> None:
    """Work is in flight that nothing calls back: the person is told what was done."""
    with pytest.raises(NotAllowedNow, match="ordered"):
        step(erasure_approved)


def test_a_withdrawn_request_stops_work_and_can_be_closed(
    data_collected: DataSubjectRequest,
) -> None:
    data_collected.withdraw(at=AT)

    assert data_collected.dropped
    with pytest.raises(NotAllowedNow):
        data_collected.collect_data(found=(), at=AT)
    with pytest.raises(NotAllowedNow):
        answer(data_collected)
    data_collected.close(at=AT)
    assert data_collected.status is Status.CLOSED


def test_systems_may_be_searched_again_until_somebody_approves(
    erasure_collected: DataSubjectRequest,
) -> None:
    weak = erasure_collected.undecided_matches[0]
    erasure_collected.confirm_match(record_id=weak.record_id, reason="same-phone", by="anna", at=AT)
    fresh = found()

    erasure_collected.collect_data(found=(fresh,), at=AT)

    assert erasure_collected.own_records == (fresh,)
    assert erasure_collected.matches == {}
    with pytest.raises(DomainError, match="twice"):
        erasure_collected.collect_data(found=(fresh, fresh), at=AT)


# Answering


@pytest.mark.parametrize("kind", [LetterKind.ACKNOWLEDGEMENT, LetterKind.IDENTITY_CODE])
def test_only_an_answer_answers(request_approved: DataSubjectRequest, kind: LetterKind) -> None:
    with pytest.raises(DomainError, match="answers nothing"):
        request_approved.send_answer(sent=letter(kind=kind), profile_version="v1", at=AT)


def test_nothing_is_fulfilled_before_the_answer_was_sent(
    request_approved: DataSubjectRequest,
) -> None:
    with pytest.raises(NotAllowedNow, match="approved"):
        request_approved.fulfil(outcomes=(), at=AT)


@pytest.mark.parametrize(
    ("outcome", "explained_by"),
    [
        (Outcome.KEPT, Outcome.KEPT),
        (Outcome.RESIDUAL, Outcome.RESIDUAL),
        (Outcome.PENDING_AT_VENDOR, Outcome.PENDING_AT_VENDOR),
        (Outcome.BLOCKED_ARCHIVE, Outcome.BLOCKED_ARCHIVE),
        (Outcome.REFUSED, Outcome.REFUSED),
    ],
)
def test_what_stays_is_explained_before_anything_counts_as_done(
    request_approved: DataSubjectRequest, outcome: Outcome, explained_by: Outcome
) -> None:
    """B.1 row 12(4): partial refusals too."""
    line = SystemOutcome("shop", "orders", outcome, 1)
    answer(request_approved)
    with pytest.raises(NotAllowedNow, match="has not been sent"):
        request_approved.fulfil(outcomes=(line,), at=AT)

    request_approved.fail_delivery(reason="bounced", at=AT)
    answer(request_approved, explained_by)
    request_approved.fulfil(outcomes=(line,), at=AT)

    assert request_approved.in_part


def test_a_known_residual_of_an_erasure_is_explained_too(
    erasure_approved: DataSubjectRequest,
) -> None:
    rest = SystemOutcome(
        "shop", "orders", Outcome.ERASED, 1, residuals=(KnownResidual("invoice", "books"),)
    )
    answer(erasure_approved, Outcome.KEPT)

    with pytest.raises(NotAllowedNow, match="residual"):
        erasure_approved.fulfil(outcomes=(KEPT, rest), at=AT)


def test_what_was_decided_to_be_kept_cannot_be_reported_away(
    erasure_approved: DataSubjectRequest,
) -> None:
    """AK-06: the outcomes a caller hands in cannot leave out what was approved to be kept."""
    answer(erasure_approved, Outcome.KEPT)
    for outcomes in ((), (ERASED,)):
        with pytest.raises(DomainError, match="leave out"):
            erasure_approved.fulfil(outcomes=outcomes, at=AT)

    erasure_approved.fulfil(outcomes=(ERASED, KEPT), at=AT)

    assert erasure_approved.in_part


def test_a_request_is_closed_only_when_it_was_answered(
    request_received: DataSubjectRequest,
    erasure_approved: DataSubjectRequest,
) -> None:
    answer(erasure_approved)
    for request in (request_received, erasure_approved):
        with pytest.raises(NotAllowedNow):
            request.close(at=AT)


def test_closing_twice_is_closing_once(request_closed: DataSubjectRequest) -> None:
    request_closed.close(at=AT)

    assert names(request_closed) == []


def test_a_refusal_is_closed_only_with_the_letter_that_gives_the_reasons(
    request_refused: DataSubjectRequest,
) -> None:
    """B.1 row 12(4): closing with a refused item without this letter must be impossible."""
    with pytest.raises(NotAllowedNow):
        request_refused.close(at=AT)
    with pytest.raises(DomainError, match="why it was refused"):
        answer(request_refused)

    answer(request_refused, Outcome.REFUSED)
    request_refused.close(at=AT)

    assert request_refused.status is Status.CLOSED


def test_a_refused_request_is_never_fulfilled(request_refused: DataSubjectRequest) -> None:
    answer(request_refused, Outcome.REFUSED)

    with pytest.raises(NotAllowedNow, match="refused"):
        request_refused.fulfil(outcomes=(), at=AT)


def test_a_refusal_letter_that_bounced_closes_nothing(request_refused: DataSubjectRequest) -> None:
    answer(request_refused, Outcome.REFUSED)
    request_refused.fail_delivery(reason="bounced", at=AT)

    assert request_refused.status is Status.REFUSED
    with pytest.raises(NotAllowedNow):
        request_refused.close(at=AT)


def test_a_late_bounce_puts_a_closed_request_back_in_red(
    request_closed: DataSubjectRequest,
) -> None:
    """B.1 row 12(4): a letter that did not arrive explained nothing."""
    request_closed.fail_delivery(reason="bounced", at=AT + days(3))

    assert names(request_closed) == ["Reopened", "DeliveryFailed"]
    assert request_closed.status is Status.APPROVED
    assert request_closed.status.is_open
    assert request_closed.closed_at is None
    assert request_closed.answered_at is None
    with pytest.raises(NotAllowedNow):
        request_closed.close(at=AT + days(3))


def test_a_bounced_answer_is_sent_again_and_then_closes(request_closed: DataSubjectRequest) -> None:
    request_closed.fail_delivery(reason="bounced", at=AT + days(3))
    request_closed.collect_events()

    answer(request_closed, at=AT + days(4))
    request_closed.fulfil(outcomes=(EXPORTED,), at=AT + days(4))
    request_closed.close(at=AT + days(4))

    assert names(request_closed) == ["AnswerSent", "Fulfilled", "Closed"]


def test_a_late_bounce_of_a_refusal_leaves_it_refused(request_refused: DataSubjectRequest) -> None:
    answer(request_refused, Outcome.REFUSED)
    request_refused.close(at=AT)
    request_refused.fail_delivery(reason="bounced", at=AT)

    assert request_refused.status is Status.REFUSED
    assert request_refused.refusal is RefusalGround.NOT_ENTITLED


def test_what_a_lost_letter_explained_is_not_explained(
    erasure_approved: DataSubjectRequest,
) -> None:
    answer(erasure_approved, Outcome.KEPT)
    erasure_approved.fail_delivery(reason="bounced", at=AT)
    assert erasure_approved.explained == frozenset()
    answer(erasure_approved)

    with pytest.raises(NotAllowedNow, match="kept"):
        erasure_approved.fulfil(outcomes=(KEPT,), at=AT)


def test_a_bounce_is_recorded_once_and_not_after_the_answer_was_fetched(
    answer_sent: DataSubjectRequest,
) -> None:
    for _ in range(2):
        answer_sent.fail_delivery(reason="bounced", at=AT)
    assert names(answer_sent) == ["DeliveryFailed"]

    answer_sent.fetch_answer(at=AT)
    answer_sent.fail_delivery(reason="bounced", at=AT)

    assert names(answer_sent) == ["AnswerFetched"]


def test_an_answer_opened_after_all_counts_again(request_fulfilled: DataSubjectRequest) -> None:
    request_fulfilled.fail_delivery(reason="answer-not-fetched", at=AT + days(7))
    request_fulfilled.fetch_answer(at=AT + days(8))

    assert request_fulfilled.status is Status.FULFILLED
    assert request_fulfilled.answered_at == AT + days(8)
    request_fulfilled.close(at=AT + days(8))


def test_an_answer_that_was_fetched_leaves_a_closed_request_closed(
    request_closed: DataSubjectRequest,
) -> None:
    request_closed.fetch_answer(at=AT)

    assert request_closed.status is Status.CLOSED


def test_what_was_never_answered_can_neither_be_fetched_nor_bounce(
    request_approved: DataSubjectRequest,
) -> None:
    with pytest.raises(NotAllowedNow):
        request_approved.fetch_answer(at=AT)
    with pytest.raises(NotAllowedNow):
        request_approved.fail_delivery(reason="bounced", at=AT)


# Reopening


def test_a_reopened_request_goes_back_to_work_under_its_old_receipt(
    request_closed: DataSubjectRequest,
) -> None:
    due = request_closed.dates
    request_closed.reopen(reason="a-system-was-forgotten", by="anna", at=AT + days(2))

    assert request_closed.status is Status.COLLECTED
    assert request_closed.dates == due
    with pytest.raises(NotAllowedNow):
        request_closed.close(at=AT + days(2))


def test_a_refusal_is_decided_anew_when_identifiers_arrive(
    request_refused: DataSubjectRequest,
) -> None:
    """B.1 row 4(1), 11: reopened when identifiers arrive."""
    answer(request_refused, Outcome.REFUSED)
    request_refused.close(at=AT)

    request_refused.reopen(reason="identifiers-arrived", at=AT + days(2))

    assert request_refused.status is Status.RECEIVED
    assert request_refused.refusal is None
    assert not request_refused.dropped
    verify(request_refused)


def test_what_is_erased_is_answered_again_and_not_decided_again(
    erasure_approved: DataSubjectRequest,
) -> None:
    answer(erasure_approved, Outcome.KEPT)
    erasure_approved.fulfil(outcomes=(ERASED, KEPT), at=AT)
    erasure_approved.close(at=AT)
    erasure_approved.reopen(reason="complaint", at=AT)

    assert erasure_approved.status is Status.APPROVED
    assert erasure_approved.explained == frozenset()


def test_only_what_is_closed_can_be_reopened(request_approved: DataSubjectRequest) -> None:
    with pytest.raises(NotAllowedNow):
        request_approved.reopen(reason="complaint", at=AT)


@pytest.mark.parametrize("gone", [Compartment.PACKAGE, Compartment.CORRESPONDENCE])
def test_a_request_without_its_content_is_not_reopened(
    request_closed: DataSubjectRequest, gone: Compartment
) -> None:
    request_closed.destroy_content(compartment=gone, at=AT)

    with pytest.raises(NotAllowedNow, match="receive a new one"):
        request_closed.reopen(reason="complaint", at=AT)


@pytest.mark.parametrize(
    "step",
    [
        extend,
        refuse,
        lambda request: request.withdraw(at=AT),
        lambda request: request.refer(to="other", by="anna", at=AT),
        lambda request: request.open_pause(reason=PauseReason.AUTHORITY, on=TODAY, at=AT),
        lambda request: request.request_clarification(question=ref(), by="anna", at=AT),
        lambda request: request.collect_data(found=(), at=AT),
        lambda request: answer(request),
        lambda request: request.fulfil(outcomes=(), at=AT),
        lambda request: request.request_identity(method=CODE, reason="unknown-sender", at=AT),
        lambda request: request.waive_verification(reason="again", by="anna", at=AT),
        lambda request: request.fail_identity(method=CODE, reason="again", at=AT),
    ],
)
def test_a_closed_request_stays_as_it_is(
    request_closed: DataSubjectRequest, step: Callable[[DataSubjectRequest], None]
) -> None:
    with pytest.raises(NotAllowedNow):
        step(request_closed)

    assert names(request_closed) == []


# Afterwards


def test_nothing_of_an_open_request_is_destroyed(request_fulfilled: DataSubjectRequest) -> None:
    with pytest.raises(NotAllowedNow):
        request_fulfilled.destroy_content(compartment=Compartment.UPLOAD, at=AT)


def test_uploads_go_when_the_case_is_closed_and_are_recorded_once(
    request_closed: DataSubjectRequest,
) -> None:
    """MU-16: sensitive data is erased at once when the case is finished, with proof."""
    for _ in range(2):
        request_closed.destroy_content(compartment=Compartment.UPLOAD, at=AT)

    assert names(request_closed) == ["ContentDestroyed"]


def closed(**facts: Any) -> DataSubjectRequest:
    request = received(Right.INFORMATION_SECURITY, **facts)
    request.waive_verification(reason="no-personal-data-in-answer", at=AT)
    request.collect_data(found=(), at=AT)
    request.approve(decisions=(), profile_version="v1", by="anna", at=AT)
    answer(request)
    request.fulfil(outcomes=(), at=AT)
    request.close(at=AT)
    request.collect_events()
    return request


@pytest.mark.parametrize("compartment", list(Compartment))
def test_in_a_public_body_nothing_goes_before_the_archive_has_it(compartment: Compartment) -> None:
    """E-05: nothing is destroyed before `HandedToArchive` with the archive's receipt."""
    request = closed(archive_first=True)
    with pytest.raises(NotAllowedNow, match="archive"):
        request.destroy_content(compartment=compartment, at=AT)

    request.hand_to_archive(receipt=ref(), by="anna", at=AT)
    request.destroy_content(compartment=compartment, at=AT)

    assert names(request) == ["HandedToArchive", "ContentDestroyed"]


def test_what_was_reopened_goes_to_the_archive_again() -> None:
    request = closed(archive_first=True)
    request.hand_to_archive(receipt=ref(), by="anna", at=AT)
    request.reopen(reason="complaint", at=AT)
    request.approve(decisions=(), profile_version="v1", by="anna", at=AT)
    answer(request)
    request.fulfil(outcomes=(), at=AT)
    request.close(at=AT)

    with pytest.raises(NotAllowedNow, match="archive"):
        request.destroy_content(compartment=Compartment.UPLOAD, at=AT)


def test_only_a_closed_request_goes_to_the_archive(request_fulfilled: DataSubjectRequest) -> None:
    with pytest.raises(NotAllowedNow):
        request_fulfilled.hand_to_archive(receipt=ref(), by="anna", at=AT)


def test_a_request_ends_when_nothing_is_left_to_keep(request_closed: DataSubjectRequest) -> None:
    compartments = [Compartment.UPLOAD, Compartment.PACKAGE, Compartment.CORRESPONDENCE]
    for compartment in compartments:
        with pytest.raises(NotAllowedNow, match=compartment.value):
            request_closed.end(at=AT)
        request_closed.destroy_content(compartment=compartment, at=AT)
    for _ in range(2):
        request_closed.end(at=AT)

    assert names(request_closed) == ["ContentDestroyed"] * 3 + ["Ended"]
    with pytest.raises(NotAllowedNow):
        correct(request_closed, AT - days(1))


def test_a_request_with_something_kept_ends_after_its_hold(
    erasure_approved: DataSubjectRequest,
) -> None:
    answer(erasure_approved, Outcome.KEPT)
    erasure_approved.fulfil(outcomes=(ERASED, KEPT), at=AT)
    erasure_approved.close(at=AT)
    for compartment in set(Compartment) - {Compartment.HOLD}:
        erasure_approved.destroy_content(compartment=compartment, at=AT)
    with pytest.raises(NotAllowedNow, match="hold"):
        erasure_approved.end(at=AT)

    erasure_approved.destroy_content(compartment=Compartment.HOLD, at=AT)
    erasure_approved.end(at=AT)

    assert erasure_approved.ended


def test_a_disclosure_to_the_wrong_person_can_be_reported_at_any_time(
    request_closed: DataSubjectRequest,
) -> None:
    request_closed.report_disclosure(report=ref(), by="anna", at=AT)

    assert names(request_closed) == ["DisclosureReported"]


def test_a_replayed_request_is_the_same() -> None:
    request = received(Right.ERASURE)
    verify(request)
    one, two = found(), found()
    request.collect_data(found=(one, two), at=AT)
    request.approve(decisions=(erase(one), keep(two)), profile_version="v1", by="anna", at=AT)
    answer(request, Outcome.KEPT)
    request.fulfil(outcomes=(ERASED, KEPT), at=AT)
    request.close(at=AT)
    request.fail_delivery(reason="bounced", at=AT)

    assert replayed(request.collect_events()) == request
