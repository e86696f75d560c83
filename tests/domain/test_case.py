"""One intake, whatever its channel: who confirms it, who sets it aside, which letters left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.case import Case, CaseStatus, reference, request_id
from domain.errors import DomainError, NotAllowedNow
from domain.values import QueuedLetter
from domain.vocabulary import (
    Channel,
    DeliveryWay,
    Language,
    LetterKind,
    ReceiptSource,
    Right,
    TriageKind,
)
from tests.support.past import AT, days, names, ref, replayed


def arrived(*, channel: Channel = Channel.MAIL, at: datetime = AT, **facts: Any) -> Case:
    defaults: dict[str, Any] = {
        "id": Case.id_for("culture-house", "fingerprint"),
        "controller": "culture-house",
        "channel": channel,
        "received_at": at,
        "receipt_source": ReceiptSource.RECEIVED_HEADER,
        "message": ref(),
        "attachments": (),
        "proposed_kind": TriageKind.RIGHTS_REQUEST,
        "proposed_rights": (Right.ACCESS,),
        "proposed_language": Language.NB,
        "evidence": (),
        "certain": True,
        "timestamp": at,
    }
    return Case(**(defaults | facts))


@pytest.fixture
def message_arrived() -> Case:
    case = arrived()
    case.collect_events()
    return case


@pytest.fixture
def case_confirmed(message_arrived: Case) -> Case:
    confirm(message_arrived)
    message_arrived.collect_events()
    return message_arrived


@pytest.fixture
def letter_queued(case_confirmed: Case) -> Case:
    case_confirmed.queue_letter(letter=queued(), at=AT)
    case_confirmed.collect_events()
    return case_confirmed


def confirm(case: Case, *rights: Right, by: str = "anna") -> None:
    case.confirm(rights=rights or (Right.ACCESS,), language=Language.NB, person=ref(), by=by, at=AT)


def queued() -> QueuedLetter:
    return QueuedLetter(uuid4(), LetterKind.ANSWER, ref(), ())


@pytest.mark.parametrize("channel", list(Channel))
def test_a_message_by_any_channel_is_a_case_from_its_arrival(channel: Channel) -> None:
    """AO-03: a call is a case from the call on; AK-02, GK-02: so are post and the officer."""
    assert arrived(channel=channel).received_at == AT


def test_nothing_arrives_in_the_future() -> None:
    with pytest.raises(DomainError, match="later than now"):
        arrived(received_at=AT + timedelta(seconds=1))


def test_the_same_message_is_the_same_case_and_another_controller_has_its_own() -> None:
    one = Case.id_for("culture-house", "a")

    assert one == Case.id_for("culture-house", "a")
    assert one not in {Case.id_for("culture-house", "b"), Case.id_for("other", "a")}


def test_each_right_is_a_request_of_its_own(message_arrived: Case) -> None:
    """B.2.4: several rights in one message, each with its own clock."""
    assert message_arrived.request_ids == ()
    confirm(message_arrived, Right.ERASURE, Right.ACCESS, Right.ERASURE)

    assert message_arrived.rights == (Right.ACCESS, Right.ERASURE)
    assert message_arrived.request_ids == tuple(
        request_id(message_arrived.id, right) for right in (Right.ACCESS, Right.ERASURE)
    )


@pytest.mark.parametrize("by", ["", " ", "trettio"])
def test_a_person_confirms(message_arrived: Case, by: str) -> None:
    with pytest.raises(DomainError):
        confirm(message_arrived, by=by)

    assert names(message_arrived) == []


def test_a_case_names_a_right_and_is_confirmed_once(message_arrived: Case) -> None:
    with pytest.raises(DomainError, match="at least one right"):
        message_arrived.confirm(rights=(), language=Language.NB, person=ref(), by="anna", at=AT)
    confirm(message_arrived)

    with pytest.raises(NotAllowedNow, match="confirmed already"):
        confirm(message_arrived)


def test_what_was_set_aside_may_still_be_a_request(message_arrived: Case) -> None:
    message_arrived.set_aside(kind=TriageKind.SPAM, by="anna", at=AT)
    confirm(message_arrived)

    assert message_arrived.status is CaseStatus.CONFIRMED


@pytest.mark.parametrize("kind", [k for k in TriageKind if k is not TriageKind.AUTOMATIC])
@pytest.mark.parametrize("by", [None, "", "trettio"])
def test_only_machines_messages_are_set_aside_by_a_machine(
    message_arrived: Case, kind: TriageKind, by: str | None
) -> None:
    with pytest.raises(DomainError):
        message_arrived.set_aside(kind=kind, by=by, at=AT)


def test_a_request_is_not_set_aside_and_a_confirmed_one_never(message_arrived: Case) -> None:
    with pytest.raises(DomainError, match="confirm it"):
        message_arrived.set_aside(kind=TriageKind.RIGHTS_REQUEST, by="anna", at=AT)
    confirm(message_arrived)

    with pytest.raises(NotAllowedNow):
        message_arrived.set_aside(kind=TriageKind.SPAM, by="anna", at=AT)


def test_an_automatic_message_is_set_aside_by_itself(message_arrived: Case) -> None:
    message_arrived.set_aside(kind=TriageKind.AUTOMATIC, by=None, at=AT)

    assert names(message_arrived) == ["SetAside"]


def test_the_earliest_of_duplicate_arrivals_sets_the_receipt(case_confirmed: Case) -> None:
    """GK-02: found in another official mailbox later, it was late from the first one."""
    message = ref()
    for _ in range(2):
        case_confirmed.add_message(message=message, received_at=AT - days(3), at=AT)
    case_confirmed.add_message(message=ref(), received_at=AT - days(1), at=AT)

    assert names(case_confirmed) == ["MessageAdded", "MessageAdded"]
    assert case_confirmed.received_at == AT - days(3)
    with pytest.raises(DomainError, match="later than now"):
        case_confirmed.add_message(message=ref(), received_at=AT + days(1), at=AT)


def test_a_letter_is_queued_once_and_leaves_once(case_confirmed: Case) -> None:
    letter = queued()
    for _ in range(2):
        case_confirmed.queue_letter(letter=letter, at=AT)

    assert case_confirmed.letter_left(letter_id=letter.id, how="mail", at=AT) == letter
    assert case_confirmed.letter_left(letter_id=letter.id, how="mail", at=AT) is None
    assert names(case_confirmed) == ["LetterQueued", "LetterLeft"]


def test_a_letter_that_failed_and_then_left_has_not_failed(letter_queued: Case) -> None:
    (letter_id,) = letter_queued.letters
    for _ in range(2):
        letter_queued.letter_failed(letter_id=letter_id, reason="refused", at=AT)
    letter_queued.letter_left(letter_id=letter_id, how="mail", at=AT)

    assert names(letter_queued) == ["LetterFailed", "LetterLeft"]
    assert letter_queued.failed == {}


def test_a_letter_of_another_case_neither_leaves_nor_fails(case_confirmed: Case) -> None:
    with pytest.raises(DomainError, match="no such letter"):
        case_confirmed.letter_left(letter_id=uuid4(), how="mail", at=AT)
    with pytest.raises(DomainError, match="no such letter"):
        case_confirmed.letter_failed(letter_id=uuid4(), reason="refused", at=AT)


def test_a_newer_package_takes_the_place_of_the_older(case_confirmed: Case) -> None:
    request, packages = uuid4(), [ref(), ref()]
    for package in packages:
        case_confirmed.pack(request_id=request, package=package, at=AT)

    assert case_confirmed.packages == {request: packages[-1]}


def test_a_reference_can_be_said_and_tells_nothing() -> None:
    """E-05, E-15: no name and no business in what a case is called."""
    case_id = uuid4()

    assert reference(case_id) == reference(case_id)
    assert set(reference(case_id)) <= set("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ-")
    assert len(reference(case_id)) == 9


def test_a_replayed_case_is_the_same() -> None:
    case = arrived()
    confirm(case)
    case.queue_letter(letter=queued(), at=AT)
    case.add_message(message=ref(), received_at=AT - days(1), at=AT)

    assert replayed(case.collect_events()) == case


def test_an_earlier_receipt_has_its_reason_its_evidence_and_a_name() -> None:
    """B.2.1: the clock starts at arrival, and whoever says when that was answers for it."""
    why: dict[str, Any] = {
        "backdated_because": "letter-found-in-another-department",
        "backdated_by": "anna",
        "proof_of_receipt": ref(),
    }
    case = arrived(received_at=AT - days(9), **why)

    assert (case.backdated_because, case.backdated_by) == (why["backdated_because"], "anna")
    for without, words in (
        ("backdated_because", "say why"),
        ("backdated_by", "human name"),
        ("proof_of_receipt", "evidence"),
    ):
        with pytest.raises(DomainError, match=words):
            arrived(**{**why, without: None})
    with pytest.raises(DomainError, match="give a code"):
        arrived(**{**why, "backdated_because": "Kari wrote to the wrong address"})
    with pytest.raises(DomainError, match="machine"):
        arrived(**{**why, "backdated_by": "trettio"})


@pytest.mark.parametrize("way", [way for way in DeliveryWay if way.meets_the_person])
def test_who_hands_over_or_reads_aloud_is_named_and_saw_who_it_was(
    letter_queued: Case, way: DeliveryWay
) -> None:
    """B.1 row 12(1): orally, provided that identity is proven."""
    (letter_id,) = letter_queued.letters
    with pytest.raises(DomainError, match="how the person showed"):
        letter_queued.letter_left(letter_id=letter_id, how=way.value, by="anna", at=AT)
    for by in (None, "", "trettio"):
        with pytest.raises(DomainError):
            letter_queued.letter_left(letter_id=letter_id, how=way.value, by=by, proof=ref(), at=AT)
    assert names(letter_queued) == []

    letter_queued.letter_left(letter_id=letter_id, how=way.value, by="anna", proof=ref(), at=AT)
    assert names(letter_queued) == ["LetterLeft"]


def test_only_what_came_back_leaves_a_second_time_and_not_by_mail(letter_queued: Case) -> None:
    (letter_id,) = letter_queued.letters
    letter_queued.letter_left(letter_id=letter_id, how="mail", at=AT)
    assert letter_queued.letter_left(letter_id=letter_id, how="post", by="anna", at=AT) is None
    letter_queued.letter_failed(letter_id=letter_id, reason="bounced", at=AT)
    assert letter_queued.letter_left(letter_id=letter_id, how="mail", at=AT) is None

    assert letter_queued.letter_left(letter_id=letter_id, how="post", by="anna", at=AT) is not None
    assert letter_queued.failed == {}
