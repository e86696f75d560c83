"""The officer is asked, answers, and the controller decides; only then may a pause count."""

from __future__ import annotations

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import Missed
from domain.vocabulary import Compartment, ConsultedAbout, Right
from services.ports import Member
from tests.support.asking import BY, Clock, asked, confirmed
from tests.support.house import House

QUESTION, ADVICE = "May we count the ten days?", "Only if you asked at once."


def test_pauses_count_only_after_the_officer_was_heard(house: House, clock: Clock) -> None:
    """B.2.5, B.7: an event with who decided and when, and the consultation before it."""
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    consulting = house.installation.consulting
    house.installation.questions.ask_scope(request_id, words="Which account?", by=BY)
    clock.forward(days=10)
    house.installation.questions.record_answer(request_id, words="The old one", by=BY)
    with pytest.raises(DomainError, match="consult the officer"):
        consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by="berit")

    question = consulting.ask(request_id, about=ConsultedAbout.SUSPENSION, words=QUESTION, by=BY)
    with pytest.raises(NotAllowedNow, match="record the advice"):
        consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by="berit")
    consulting.advise(request_id, question, words=ADVICE, by="officer")
    consulting.weigh(request_id, question, followed=True, by="berit")
    consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by="berit")

    request = asked(house, case_id, Right.ACCESS)
    (opened,) = consulting.opened(request)
    assert (opened.question, opened.advice) == (QUESTION, ADVICE)
    assert (opened.consultation.advised_by, opened.consultation.followed) == ("officer", True)

    # From now on breaches and lists go by the suspended dates; the promise knows no pause.
    house.installation.follower().drain()
    (row,) = house.installation.database.fetch(
        "SELECT suspension_relied_on, target_due FROM views.deadline_worklist"
    )
    assert row == {
        "suspension_relied_on": True,
        "target_due": request.dates.target_due_if_suspended,
    }
    due = request.dates.statutory_due_if_suspended
    assert due is not None
    clock.forward(days=(due - request.received_on).days - 10)
    house.installation.reminders.run([request_id])
    assert Missed.STATUTORY not in asked(house, case_id, Right.ACCESS).missed
    clock.forward(days=1)
    house.installation.reminders.run([request_id])
    assert Missed.STATUTORY in asked(house, case_id, Right.ACCESS).missed

    house.installation.vault.destroy(case_id, Compartment.CORRESPONDENCE)
    (gone,) = consulting.opened(asked(house, case_id, Right.ACCESS))
    assert (gone.question, gone.advice) == (None, None)


def test_where_officers_are_known_one_of_them_advises_and_none_decides(
    house: House, clock: Clock
) -> None:
    """B.2.5, Art. 38(6): one login is not officer and controller at once."""
    staff = house.installation.staff
    house.installation.database.run(staff.set(Member("dora", "Dora", is_officer=True)))
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    consulting = house.installation.consulting
    house.installation.questions.ask_scope(request_id, words="Which account?", by=BY)
    clock.forward(days=10)

    def ask(adviser: str) -> object:
        return consulting.ask(
            request_id,
            about=ConsultedAbout.SUSPENSION,
            words=QUESTION,
            advice=ADVICE,
            advised_by=adviser,
            by=BY,
        )

    for adviser in ("", BY, "berit"):
        with pytest.raises(DomainError, match="officer"):
            ask(adviser)
    ask("dora")
    (question,) = asked(house, case_id, Right.ACCESS).consultations
    with pytest.raises(DomainError, match="does not decide"):
        consulting.weigh(request_id, question.id, followed=True, by="dora")
    with pytest.raises(NotAllowedNow, match="whether the advice is followed"):
        consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by=BY)
    consulting.weigh(request_id, question.id, followed=False, words="We asked at once.", by=BY)
    with pytest.raises(DomainError, match="does not decide"):
        consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by="dora")
    consulting.rely_on_suspension(request_id, reason="person-kept-us-waiting", by=BY)
    assert asked(house, case_id, Right.ACCESS).suspension_relied_on
