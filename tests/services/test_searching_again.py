"""A log that knows nobody by what was given is not said to hold nothing (Art. 11(2))."""

from __future__ import annotations

from uuid import UUID

from domain.fulfilment import UNSEARCHABLE
from domain.request import Status
from domain.vocabulary import LetterKind, Right
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
