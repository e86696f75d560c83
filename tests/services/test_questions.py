"""What the person is asked, how often they are reminded, and who decides about silence."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.policy import Silence
from domain.request import DataSubjectRequest, PauseReason, RefusalGround, Status
from domain.vocabulary import LetterKind, Right
from services.questions import due_on
from tests.support.asking import BY, Clock, asked, confirmed, hurry, received
from tests.support.house import House
from tests.support.past import AT, TODAY
from tests.support.past import received as one_received

QUESTION = "Which of your two accounts do you mean?"


@pytest.fixture
def case_id(house: House) -> UUID:
    return confirmed(house, Right.ACCESS)


def ask(house: House, case_id: UUID) -> DataSubjectRequest:
    request = asked(house, case_id, Right.ACCESS)
    house.installation.questions.ask_scope(request.id, words=QUESTION, by=BY)
    house.worker.drain()
    return asked(house, case_id, Right.ACCESS)


def look(house: House, case_id: UUID) -> DataSubjectRequest:
    if house.installation.reminders.run([asked(house, case_id, Right.ACCESS).id]):
        hurry(house, destroying=False)
    return asked(house, case_id, Right.ACCESS)


def letters(house: House, kind: LetterKind) -> list[str]:
    return [one.text for one in house.mails() if one.kind is kind]


def message_id(house: House) -> str:
    """By which a reply says that it is one to our question."""
    return next(
        line.split(": ", 1)[1]
        for one in house.mails()
        if one.kind is LetterKind.CLARIFICATION
        for line in one.path.read_text().splitlines()
        if line.startswith("Message-ID: ")
    )


def test_a_question_goes_out_as_a_letter_and_stops_no_date(house: House, case_id: UUID) -> None:
    """AO-04, B.2.5: an event, a reason and a pause of its own; the dates stand."""
    before = asked(house, case_id, Right.ACCESS).dates
    request = ask(house, case_id)

    assert list(request.open_pauses) == [PauseReason.SCOPE]
    assert request.dates == before
    assert QUESTION in letters(house, LetterKind.CLARIFICATION)[0]
    with pytest.raises(DomainError, match="write the question"):
        house.installation.questions.ask_scope(request.id, words=" ", by=BY)


def test_an_answer_on_the_telephone_ends_the_pause(
    house: House, case_id: UUID, clock: Clock
) -> None:
    request = ask(house, case_id)
    clock.forward(days=4)
    house.installation.questions.record_answer(request.id, words="The newer one", by=BY)

    request = asked(house, case_id, Right.ACCESS)
    assert request.open_pauses == {}
    assert [pause.ended_on - pause.opened_on for pause in request.pauses] == [timedelta(days=4)]
    assert request.dates.statutory_due_if_suspended is not None


def test_a_reply_by_mail_is_the_answer(house: House, case_id: UUID) -> None:
    """What comes back to the question ends the waiting by itself."""
    request = ask(house, case_id)
    assert received(house, "The newer one", in_reply_to=message_id(house)) == case_id

    request = asked(house, case_id, Right.ACCESS)
    assert request.open_pauses == {}


def test_silence_brings_two_reminders_and_then_a_person(
    house: House, case_id: UUID, clock: Clock
) -> None:
    """B.2.5: two reminders, then a 12(4) letter that somebody decides on; never by a machine."""
    ask(house, case_id)
    sent = []
    for _ in range(30):
        clock.forward(days=1)
        request = look(house, case_id)
        sent.append(len(letters(house, LetterKind.QUESTION_REMINDER)))
        if request.silent_about:
            break

    assert [sent.index(1) + 1, sent.index(2) + 1, len(sent)] == [7, 14, 21]
    assert sent[-1] == 2
    assert all(QUESTION in text for text in letters(house, LetterKind.QUESTION_REMINDER))
    request = look(house, case_id)
    assert request.status is Status.RECEIVED, "nothing is closed by itself"

    house.installation.refusing.refuse(
        request.id, ground=RefusalGround.NO_RESPONSE, words="We do not know what you mean.", by=BY
    )
    hurry(house, destroying=False)
    request = asked(house, case_id, Right.ACCESS)
    assert request.status is Status.CLOSED
    (letter,) = letters(house, LetterKind.NO_RESPONSE)
    assert "Datatilsynet" in letter

    # Whoever answers after all is taken up again by that; the receipt is the old one.
    received_on = request.received_on
    assert received(house, "The old one", in_reply_to=message_id(house)) == case_id
    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.received_on) == (Status.RECEIVED, received_on)
    assert (request.open_pauses, request.silent_about) == ({}, frozenset())

    house.installation.refusing.withdraw(request.id, by=BY)
    house.installation.afterwards.reopen(request.id, reason="mistake", by=BY)
    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.received_on) == (Status.RECEIVED, received_on)


def test_a_process_that_slept_reminds_once_and_then_waits_its_time(
    house: House, case_id: UUID, clock: Clock
) -> None:
    ask(house, case_id)
    clock.forward(days=25)
    for _ in range(3):
        look(house, case_id)
    assert len(letters(house, LetterKind.QUESTION_REMINDER)) == 1

    clock.forward(days=7)
    look(house, case_id)
    assert len(letters(house, LetterKind.QUESTION_REMINDER)) == 2


def test_the_days_of_silence_are_the_profiles() -> None:
    request = one_received()
    request.request_clarification(question=request.requester, by=BY, at=AT)

    assert due_on(request, PauseReason.SCOPE, Silence(3, 5, 9)) == TODAY + timedelta(days=3)
    request.remind_of_question(reason=PauseReason.SCOPE, at=AT + timedelta(days=4))
    assert due_on(request, PauseReason.SCOPE, Silence(3, 5, 9)) == TODAY + timedelta(days=6)
    with pytest.raises(ValueError, match="one after the other"):
        Silence(5, 5, 9)
