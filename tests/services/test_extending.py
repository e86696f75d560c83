"""Two more months: decided by a person, told in time, and only then taken (Art. 12(3))."""

from __future__ import annotations

import pytest

from domain.calendar import load_calendar
from domain.deadlines import add_months, received_on
from domain.errors import DomainError
from domain.vocabulary import Country, ExtensionReason, LetterKind, Right
from tests.support.asking import BY, Clock, asked, confirmed, hurry
from tests.support.house import House
from tests.support.past import COMPLEX_AND_MANY


def test_the_time_is_extended_when_the_notice_has_left(house: House, clock: Clock) -> None:
    """B.2.6: reasons in the letter, planned for 1 + 2 months, the promise stands."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    extending, promise = house.installation.extending, request.dates.promise_due
    with pytest.raises(DomainError, match="much work alone"):
        extending.decide(request.id, reasons=(ExtensionReason.EFFORT,), by=BY)
    assert not house.case(case_id).letters.keys() - {*house.case(case_id).left}

    clock.forward(days=20)
    late = extending.decide(request.id, reasons=COMPLEX_AND_MANY, words="Three archives.", by=BY)
    assert not late
    assert not asked(house, case_id, Right.ACCESS).extended

    hurry(house, destroying=False)
    request = asked(house, case_id, Right.ACCESS)
    planned = add_months(add_months(request.received_on, 1), 2)
    assert request.notice_sent_on == received_on(clock(), Country.NO)
    assert request.dates.extended_due == load_calendar(Country.NO).next_working_day(planned)
    assert request.dates.promise_due == promise
    (letter,) = [one.text for one in house.mails() if one.kind is LetterKind.EXTENSION]
    assert "Three archives." in letter
    assert "Datatilsynet" in letter


def test_a_notice_that_waited_too_long_neither_leaves_nor_extends(
    house: House, clock: Clock
) -> None:
    """B.2.6: refused after `statutory_due`, whoever was slow."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    clock.forward(days=25)
    house.installation.extending.decide(request.id, reasons=COMPLEX_AND_MANY, by=BY)
    clock.forward(days=20)

    hurry(house, destroying=False)
    assert not asked(house, case_id, Right.ACCESS).extended
    assert [one for one in house.mails() if one.kind is LetterKind.EXTENSION] == []
