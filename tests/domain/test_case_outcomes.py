"""What a message turned out to be, the way back from a mistake, rights found or put right later.

The receipt stays whatever is corrected: nobody's month begins anew because of our mistake.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.case import Case, CaseStatus
from domain.errors import DomainError, NotAllowedNow
from domain.vocabulary import Channel, Language, ReceiptSource, Right, TriageKind
from tests.support.past import AT, TODAY, names, ref, replayed

LATER = AT + timedelta(days=3)


def begun() -> Case:
    return Case(
        id=Case.id_for("culture-house", "f1"),
        controller="culture-house",
        channel=Channel.MAIL,
        received_at=AT,
        receipt_source=ReceiptSource.RECEIVED_HEADER,
        message=ref(),
        attachments=(),
        proposed_kind=TriageKind.UNCLEAR,
        proposed_rights=(),
        proposed_language=Language.NB,
        evidence=(),
        certain=False,
        timestamp=AT,
    )


@pytest.fixture
def arrived() -> Case:
    case = begun()
    case.collect_events()
    return case


@pytest.fixture
def confirmed(arrived: Case) -> Case:
    arrived.confirm(rights=(Right.ACCESS,), language=Language.NB, person=ref(), by="anna", at=AT)
    arrived.collect_events()
    return arrived


def set_aside(case: Case, kind: TriageKind, **facts: Any) -> None:
    case.set_aside(kind=kind, by="anna", at=AT, **facts)


def test_document_access_has_a_day_and_nothing_else_has(arrived: Case) -> None:
    """E-06: handled at once, so it is due by a day; it never waits in the list of thirty days."""
    for kind, due_on in ((TriageKind.DOCUMENT_ACCESS, None), (TriageKind.SPAM, TODAY)):
        with pytest.raises(DomainError, match="document access"):
            set_aside(arrived, kind, due_on=due_on)

    set_aside(arrived, TriageKind.DOCUMENT_ACCESS, due_on=TODAY)

    assert (arrived.due_on, arrived.settled_at) == (TODAY, None)
    for _ in range(2):
        arrived.settle_outcome(how="given-out", by="anna", at=LATER)
    assert arrived.settled_at == LATER
    assert names(arrived) == ["SetAside", "OutcomeSettled"]


def test_what_came_to_a_processor_needs_its_controller(arrived: Case) -> None:
    with pytest.raises(DomainError, match="say whose it is"):
        set_aside(arrived, TriageKind.OTHER_CONTROLLER, as_processor=True)
    with pytest.raises(DomainError, match="say whose it is"):
        set_aside(arrived, TriageKind.SPAM, as_processor=True, elsewhere=ref())

    set_aside(arrived, TriageKind.OTHER_CONTROLLER, as_processor=True, elsewhere=ref())


@pytest.mark.parametrize("kind", [kind for kind in TriageKind if kind.value != "rights-request"])
def test_an_outcome_is_undone_and_the_receipt_stays(arrived: Case, kind: TriageKind) -> None:
    due_on = TODAY if kind is TriageKind.DOCUMENT_ACCESS else None
    set_aside(arrived, kind, due_on=due_on)

    arrived.undo_outcome(reason="was-a-request", by="anna", at=LATER)
    arrived.confirm(rights=(Right.ERASURE,), language=Language.NB, person=ref(), by="bo", at=LATER)

    assert arrived.status is CaseStatus.CONFIRMED
    assert (arrived.received_at, arrived.due_on) == (AT, None)


def test_nobody_undoes_without_a_name_or_what_was_not_done(arrived: Case) -> None:
    with pytest.raises(NotAllowedNow, match="not set aside"):
        arrived.undo_outcome(reason="was-a-request", by="anna", at=AT)
    set_aside(arrived, TriageKind.SPAM)
    with pytest.raises(DomainError, match="machine"):
        arrived.undo_outcome(reason="was-a-request", by="trettio", at=AT)
    with pytest.raises(NotAllowedNow, match="settled"):
        arrived.settle_outcome(how="given-out", by="anna", at=AT)


def test_a_right_found_in_a_later_message_counts_from_that_message(confirmed: Case) -> None:
    later = ref()
    confirmed.add_message(message=later, received_at=LATER, at=LATER)

    confirmed.add_right(right=Right.ERASURE, message=later, by="anna", at=LATER)

    event = confirmed.collect_events()[-1]
    assert isinstance(event, Case.RightAdded)
    assert event.received_at == LATER
    assert confirmed.rights == (Right.ACCESS, Right.ERASURE)
    assert confirmed.received_at == AT


def test_a_right_is_added_once_and_from_a_message_that_is_there(confirmed: Case) -> None:
    with pytest.raises(DomainError, match="in which message"):
        confirmed.add_right(right=Right.ERASURE, message=ref(), by="anna", at=AT)
    with pytest.raises(NotAllowedNow, match="already"):
        confirmed.add_right(right=Right.ACCESS, message=confirmed.message, by="anna", at=AT)


def test_a_corrected_right_is_the_same_request(confirmed: Case) -> None:
    request_id = confirmed.request_id(Right.ACCESS)

    confirmed.correct_right(was=Right.ACCESS, right=Right.PORTABILITY, by="anna", at=AT)

    assert confirmed.rights == (Right.PORTABILITY,)
    assert confirmed.request_id(Right.PORTABILITY) == request_id
    assert confirmed.request_ids == (request_id,)
    with pytest.raises(NotAllowedNow, match="first taken for access"):
        confirmed.add_right(right=Right.ACCESS, message=confirmed.message, by="anna", at=AT)

    confirmed.correct_right(was=Right.PORTABILITY, right=Right.ERASURE, by="anna", at=AT)
    confirmed.correct_right(was=Right.ERASURE, right=Right.ACCESS, by="anna", at=AT)

    assert confirmed.request_id(Right.ACCESS) == request_id
    assert confirmed.taken_for == {}


def test_two_requests_of_a_case_never_meet_in_one_right(confirmed: Case) -> None:
    confirmed.add_right(right=Right.ERASURE, message=confirmed.message, by="anna", at=AT)
    with pytest.raises(NotAllowedNow, match="already"):
        confirmed.correct_right(was=Right.ACCESS, right=Right.ERASURE, by="anna", at=AT)

    confirmed.correct_right(was=Right.ACCESS, right=Right.PORTABILITY, by="anna", at=AT)
    with pytest.raises(NotAllowedNow, match="first taken for access"):
        confirmed.correct_right(was=Right.ERASURE, right=Right.ACCESS, by="anna", at=AT)

    assert len(set(confirmed.request_ids)) == 2


def test_a_case_that_was_handed_over_stays_handed_over(arrived: Case) -> None:
    other = Case.id_for("other-house", "f1")
    with pytest.raises(DomainError, match="already"):
        arrived.hand_over(controller="culture-house", case_id=other, by="anna", at=AT)
    set_aside(arrived, TriageKind.OTHER_CONTROLLER)
    for _ in range(2):
        arrived.hand_over(controller="other-house", case_id=other, by="anna", at=AT)

    assert arrived.handed_over_to == other
    with pytest.raises(NotAllowedNow, match="handed over"):
        arrived.undo_outcome(reason="mistake", by="anna", at=AT)


def test_a_replayed_case_is_the_same() -> None:
    case, later = begun(), ref()
    case.confirm(rights=(Right.ACCESS,), language=Language.NB, person=ref(), by="anna", at=AT)
    case.add_message(message=later, received_at=LATER, at=LATER)
    case.add_right(right=Right.ERASURE, message=later, by="anna", at=LATER)
    case.correct_right(was=Right.ACCESS, right=Right.PORTABILITY, by="anna", at=LATER)

    assert replayed(case.collect_events()) == case
