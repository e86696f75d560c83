"""A wrong right, a right found later, a request of another controller's: the receipt stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.vocabulary import LetterKind, Right
from projections.worklist import of_case
from services.passing_on import Somebody
from tests.services.test_intake import message_id
from tests.support.asking import (
    BY,
    Clock,
    approved,
    asked,
    confirmed,
    hurry,
    plan,
    received,
    verified,
)
from tests.support.house import NORWAY, House


def test_a_wrong_right_is_put_right_and_the_day_stays(house: House, clock: Clock) -> None:
    """AK-29: served although the policy is silent about it, and marked so."""
    case_id = confirmed(house, Right.ACCESS)
    before = asked(house, case_id, Right.ACCESS)
    clock.forward(days=3)

    house.installation.correcting.correct_right(before.id, right=Right.HUMAN_REVIEW, by=BY)
    hurry(house, destroying=False)
    house.work()

    after = asked(house, case_id, Right.HUMAN_REVIEW)
    assert after.id == before.id
    assert (after.received_at, after.dates) == (before.received_at, before.dates)
    assert (before.not_in_policy, after.not_in_policy) == (False, True)
    (work,) = of_case(house.installation.database, case_id)
    assert work.subject_right == "human-review-of-decision"
    told = house.mails()[-1]
    assert told.kind is LetterKind.ACKNOWLEDGEMENT
    assert "Vi hadde misforstått deg" in told.text


def test_what_turns_out_to_stop_marketing_is_begun_at_once(house: House) -> None:
    case_id = confirmed(house, Right.OBJECTION)
    request = asked(house, case_id, Right.OBJECTION)

    house.installation.correcting.correct_right(
        request.id, right=Right.OBJECTION_TO_MARKETING, by=BY
    )

    request = asked(house, case_id, Right.OBJECTION_TO_MARKETING)
    assert request.act_by is not None
    assert plan(house, case_id, Right.OBJECTION_TO_MARKETING).systems
    house.work()
    assert asked(house, case_id, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED


def test_a_right_is_no_longer_corrected_once_it_was_approved(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)

    with pytest.raises(NotAllowedNow):
        house.installation.correcting.correct_right(request.id, right=Right.ERASURE, by=BY)


def test_a_right_found_later_counts_from_the_message_it_stands_in(
    house: House, clock: Clock
) -> None:
    """And whoever proved who they are need not prove it again."""
    case_id = verified(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ACKNOWLEDGEMENT)
    clock.forward(days=4)
    received(house, "Takk! Noe mer, se under.", in_reply_to=cited, received_at=clock())

    house.installation.correcting.add_right(case_id, right=Right.ERASURE, message=1, by=BY)
    house.installation.correcting.add_right(case_id, right=Right.PORTABILITY, message=0, by=BY)
    hurry(house, destroying=False)
    house.work()

    access, erasure = (asked(house, case_id, r) for r in (Right.ACCESS, Right.ERASURE))
    assert erasure.received_on == access.received_on + timedelta(days=4)
    assert asked(house, case_id, Right.PORTABILITY).received_at == access.received_at
    assert erasure.status is Status.VERIFIED
    assert house.installation.register.find_fulfilment(erasure.id) is None  # the copy comes first
    assert house.mails()[-1].kind is LetterKind.ACKNOWLEDGEMENT
    rows = of_case(house.installation.database, case_id)
    assert {row.subject_right for row in rows} == {"access", "erasure", "portability"}


def test_an_objection_found_later_acts_at_once(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    request_id = house.installation.correcting.add_right(
        case_id, right=Right.OBJECTION_TO_MARKETING, by=BY
    )
    house.work()

    assert house.installation.register.request(request_id).status is Status.CLOSED
    assert asked(house, case_id, Right.ACCESS).status is Status.RECEIVED


def test_a_message_that_is_not_there_has_no_right_in_it(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    with pytest.raises(DomainError, match="has 1 messages"):
        house.installation.correcting.add_right(case_id, right=Right.ERASURE, message=1, by=BY)


def test_a_referred_request_closes_when_its_letter_has_left(house: House) -> None:
    """The person is told whom to ask instead; what waited for it goes on."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    lykt = Somebody(name="Lykt Betaling AS", contact="personvern@lykt.example")

    house.installation.correcting.refer(request.id, to=lykt, words="De har kontoen.", by=BY)
    assert asked(house, case_id, Right.ACCESS).status is Status.REFERRED
    house.work()

    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    told = house.mails()[-1]
    assert told.kind is LetterKind.OTHER_CONTROLLER
    assert "personvern@lykt.example" in told.text
    assert "De har kontoen." in told.text
    with pytest.raises(NotAllowedNow):
        house.installation.correcting.refer(request.id, to=lykt, by=BY)
    assert house.case(case_id).controller == NORWAY
