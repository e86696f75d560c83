"""A log that knows nobody by what was given is not said to hold nothing (Art. 11(2))."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import NotAllowedNow
from domain.fulfilment import UNSEARCHABLE
from domain.request import Status
from domain.vocabulary import IdentifierKind, LetterKind, Right
from services.fulfilment import person_of
from services.ports import Identifier
from tests.support.asking import BY, approve, asked, look_everywhere, plan, verified
from tests.support.house import House


def unsearchable(house: House) -> UUID:
    """Somebody looked in the web log and could not tell what there is the person's."""
    case_id = verified(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.installation.byhand.found(request_id, "web", (), reason=UNSEARCHABLE, by=BY)
    look_everywhere(house, case_id, Right.ACCESS)
    return case_id


def test_the_answer_names_the_log_that_could_not_be_searched(house: House) -> None:
    """GK-14: with what to send, and without saying that nothing is there."""
    case_id = unsearchable(house)
    assert plan(house, case_id, Right.ACCESS).unsearchable == ("web",)

    approve(house, case_id, Right.ACCESS)

    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "11" in letter.text
    assert "IP-adresse" in letter.text
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED


def test_identifiers_that_come_later_take_the_request_up_again(house: House) -> None:
    """GK-14: the log is searched before the next answer; the receipt is the old one."""
    case_id = unsearchable(house)
    approve(house, case_id, Right.ACCESS)
    before = asked(house, case_id, Right.ACCESS)
    cookie = Identifier(IdentifierKind.COOKIE, "c-17")

    house.installation.searching_again.take(before.id, [cookie], by=BY)

    after = asked(house, case_id, Right.ACCESS)
    assert after.received_on == before.received_on
    assert after.status is Status.COLLECTED
    assert plan(house, case_id, Right.ACCESS).systems["web"].waits_for == "identifiers-arrived"
    with pytest.raises(NotAllowedNow, match="searched again"):
        approve(house, case_id, Right.ACCESS)
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)
    assert cookie in person_of(house.installation.vault, after).identifiers
    assert len([m for m in house.mails() if m.kind is LetterKind.ANSWER]) == 2
