"""A letter that was written too early is taken back, and with it what was decided by sending it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from domain.errors import NotAllowedNow
from domain.request import RefusalGround, Status
from domain.vocabulary import ExtensionReason, LetterKind, PauseReason, Right
from projections import worklist
from services.postroom import letter_task
from tests.support.asking import BY, approved, asked, collected, confirmed, hurry
from tests.support.house import House, open_house

WAITS = 60


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A house in which letters wait a minute before they leave."""
    with open_house(database_url, tmp_path, undo_seconds=WAITS) as opened:
        yield opened


def waiting(house: House, case_id: UUID, kind: LetterKind) -> UUID:
    case = house.case(case_id)
    (letter_id,) = (
        one.id for one in case.letters.values() if one.kind is kind and case.waits_to_leave(one.id)
    )
    return letter_id


def test_a_message_waits_a_minute_and_is_taken_back(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    letter_id = house.installation.writing.message(case_id, words="Vi ringer deg.", by=BY)
    house.worker.drain()
    assert letter_id not in house.case(case_id).left, "nobody sends it before the minute is over"

    house.installation.recalling.recall(case_id, letter_id, by=BY)
    house.installation.recalling.recall(case_id, letter_id, by=BY)
    hurry(house)

    case = house.case(case_id)
    assert case.recalled == {letter_id}
    assert [mail.kind for mail in house.mails()] == [LetterKind.ACKNOWLEDGEMENT]
    again = house.installation.writing.message(case_id, words="Vi skriver til deg.", by=BY)
    hurry(house)
    assert again in house.case(case_id).left
    assert "Vi skriver til deg." in house.mails()[-1].text
    with pytest.raises(NotAllowedNow, match="has left"):
        house.installation.recalling.recall(case_id, again, by=BY)


def test_what_a_worker_has_in_hand_is_not_taken_back(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    letter_id = house.installation.writing.message(case_id, words="Hei igjen", by=BY)
    tasks = house.installation.tasks
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE kind = 'send-letter'"
    )
    (task,) = tasks.claim(["send-letter"], worker="other", lease_seconds=60)

    with pytest.raises(NotAllowedNow, match="just leaving"):
        house.installation.recalling.recall(case_id, letter_id, by=BY)

    assert letter_id not in house.case(case_id).recalled
    tasks.put_off(task, seconds=0, reason="relay-away")
    # Killed between the queue and the log: it is parked, not sent, and can be taken back still.
    tasks.hold(
        letter_task(house.case(case_id), letter_id, at=house.installation.clock()),
        reason="recalled",
    )
    hurry(house)
    assert letter_id not in house.case(case_id).left
    house.installation.recalling.recall(case_id, letter_id, by=BY)
    assert tasks.parked() == []


def test_an_answer_taken_back_can_be_decided_anew(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    letter_id = waiting(house, case_id, LetterKind.ANSWER)
    before = asked(house, case_id, Right.ACCESS)
    assert before.status is Status.APPROVED

    house.installation.recalling.recall(case_id, letter_id, by=BY)
    hurry(house)

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.approved_by) == (Status.COLLECTED, None)
    assert request.dates == before.dates
    house.installation.deciding.approve(request.id, by=BY, considered=True)
    house.worker.drain()
    hurry(house)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert work.status == Status.FULFILLED.value


def test_a_refusal_taken_back_goes_on_where_it_was(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.installation.refusing.refuse(
        request_id,
        ground=RefusalGround.NATIONAL_EXCEPTION,
        words="Det er taushetsbelagt.",
        law=next(
            one.code
            for one in house.installation.refusing.reasons(asked(house, case_id, Right.ACCESS))
            if one.ground is RefusalGround.NATIONAL_EXCEPTION
        ),
        by=BY,
    )
    letter_id = waiting(house, case_id, LetterKind.REFUSAL)
    with pytest.raises(NotAllowedNow, match="written already"):
        house.installation.mistakes.take_back(request_id, by=BY)

    house.installation.recalling.recall(case_id, letter_id, by=BY)

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.refusal, request.dropped) == (Status.COLLECTED, None, False)
    house.installation.deciding.approve(request_id, by=BY, considered=True)
    house.worker.drain()
    hurry(house)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED


def test_a_question_and_an_extension_leave_no_trace_on_the_clock(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    before = asked(house, case_id, Right.ACCESS)
    installation = house.installation
    installation.questions.ask_scope(before.id, words="Gjelder det alt?", by=BY)
    installation.extending.decide(
        before.id, reasons=(ExtensionReason.VOLUME, ExtensionReason.SEVERAL_REQUESTS), by=BY
    )
    for kind in (LetterKind.CLARIFICATION, LetterKind.EXTENSION):
        installation.recalling.recall(case_id, waiting(house, case_id, kind), by=BY)
    hurry(house)

    request = asked(house, case_id, Right.ACCESS)
    assert PauseReason.SCOPE not in request.open_pauses
    assert (request.extended, request.extension_decided_by) == (False, None)
    assert request.dates.statutory_due == before.dates.statutory_due
    installation.extending.decide(
        before.id, reasons=(ExtensionReason.VOLUME, ExtensionReason.SEVERAL_REQUESTS), by=BY
    )


def test_an_answer_about_what_was_changed_is_only_written_again(house: House) -> None:
    """The erasure is done and stays done: what is taken back is the letter, nothing else."""
    case_id = approved(house, Right.ERASURE)
    letter_id = waiting(house, case_id, LetterKind.ANSWER)
    request_id = asked(house, case_id, Right.ERASURE).id
    house.installation.recalling.recall(case_id, letter_id, by=BY)
    hurry(house)
    assert asked(house, case_id, Right.ERASURE).status is Status.APPROVED

    house.installation.recalling.write_again(request_id, by=BY)
    house.worker.drain()
    with pytest.raises(NotAllowedNow):
        house.installation.recalling.write_again(request_id, by=BY)
    hurry(house)

    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED
