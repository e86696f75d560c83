"""At least once, at any line: nothing is lost, nothing happens twice, nothing waits unseen."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from adapters.outbound import tasks
from domain.errors import NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import LetterKind, Outcome, Right
from services import worker
from services.controllers import Controllers
from services.ports import (
    AwaitsPerson,
    Garbled,
    NotSetUp,
    OutgoingMail,
    Refused,
    Result,
    Unavailable,
)
from services.worker import EVERY_TRY_TOLD, LONGEST_PAUSE, MOST_SURPRISES, pause
from tests.support.asking import (
    BY,
    Clock,
    approve,
    asked,
    collected,
    confirmed,
    hurry,
    look_everywhere,
    open_tasks,
    plan,
    received,
    trouble,
    verified,
)
from tests.support.house import KARI, House
from tests.support.kills import Killed, kill_once

MOST_TRIES = 5
"""So often one task fails before its system is suspended."""


def test_killed_between_erasing_and_saving_the_record_is_erased_once_and_said_to_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    kill_once(monkeypatch, "record_erased", house.installation.fulfilments)

    with pytest.raises(Killed):
        approve(house, case_id, Right.ERASURE)
    assert mailing.held == []
    hurry(house)

    request = asked(house, case_id, Right.ERASURE)
    assert request.status is Status.CLOSED
    assert [o.outcome for o in request.outcomes] == [Outcome.ERASED]
    assert mailing.asked == ["find", "erase m1", "erase m1", "read-back"]


def test_killed_between_finding_and_saving_it_is_found_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    kill_once(monkeypatch, "record_found", house.installation.fulfilments)

    with pytest.raises(Killed):
        verified(house, Right.ACCESS)
    for _ in range(2):
        hurry(house)

    (case_id,) = house.installation.database.fetch(
        "SELECT DISTINCT subject_id FROM trettio.tasks WHERE kind = 'send-letter'"
    )
    systems = plan(house, case_id["subject_id"], Right.ACCESS).systems
    assert len(systems["mailing"].found) == 1
    assert open_tasks(house) == []


def test_killed_between_sending_and_recording_the_letter_has_one_message_id(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(house.installation.mailer, "send", lambda m: sent.append(m.key))
    kill_once(monkeypatch, "letter_left", house.installation.answering)

    with pytest.raises(Killed):
        confirmed(house, Right.ACCESS)
    hurry(house)

    assert len(sent) == 2
    assert len(set(sent)) == 1
    assert open_tasks(house) == []


def test_a_system_that_is_away_is_tried_again_with_growing_pauses(house: House) -> None:
    trouble(
        house,
        "mailing",
        Unavailable("GET /lists answered 503"),
        Unavailable("GET /lists answered 429", retry_after=900),
    )
    case_id = verified(house, Right.ACCESS)
    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert (state.status, state.attempts) == (SystemStatus.UNAVAILABLE, 1)

    hurry(house)
    (task,) = house.installation.database.fetch(
        "SELECT reason, extract(epoch FROM next_at - clock_timestamp()) AS pause"
        " FROM trettio.tasks WHERE done_at IS NULL AND kind = 'find'"
    )
    assert 880 < task["pause"] <= 900
    assert task["reason"] == "GET /lists answered 429"

    hurry(house)
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.FOUND


@pytest.fixture
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is over before a test says so, however slow the machine is."""
    monkeypatch.setattr(worker, "SHORTEST_PAUSE", 1_000.0)
    monkeypatch.setattr(tasks, "SHORTEST_SUSPENSION", 200.0)


def try_again(house: House) -> None:
    """Let every pause be over, that of a suspended system too."""
    house.installation.database.fetch(
        "UPDATE trettio.lanes SET probe_at = clock_timestamp() WHERE suspended_at IS NOT NULL"
    )
    hurry(house, destroying=False)


@pytest.mark.usefixtures("long_pauses")
def test_a_system_that_does_not_answer_until_the_day_to_aim_for_is_told_to_a_person(
    house: House, clock: Clock
) -> None:
    """And asked on: once it answers, nobody has to do anything."""
    mailing = trouble(house, "mailing", *[Unavailable("GET /lists: closed")] * 3)
    case_id = verified(house, Right.ACCESS)
    dates = asked(house, case_id, Right.ACCESS).dates
    clock.forward(days=(dates.target_due - clock().date()).days - 1)
    try_again(house)
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.UNAVAILABLE

    clock.forward(days=1)
    try_again(house)
    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, "not-answering")

    mailing.hold(KARI, "member", "m1")
    try_again(house)
    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert (state.status, len(state.found)) == (SystemStatus.FOUND, 1)


@pytest.mark.usefixtures("long_pauses")
def test_an_objection_that_was_not_carried_out_on_its_day_is_told_the_day_after(
    house: House, clock: Clock
) -> None:
    trouble(house, "mailing", *[Unavailable("POST /x answered 503")] * 3)
    case_id = confirmed(house, Right.OBJECTION_TO_MARKETING)
    act_by = asked(house, case_id, Right.OBJECTION_TO_MARKETING).act_by
    assert act_by is not None
    state = plan(house, case_id, Right.OBJECTION_TO_MARKETING).systems["mailing"]
    assert state.status is SystemStatus.UNAVAILABLE

    clock.forward(days=(act_by - clock().date()).days + 1)
    try_again(house)
    state = plan(house, case_id, Right.OBJECTION_TO_MARKETING).systems["mailing"]
    assert state.waits_for == "not-answering"


@pytest.mark.usefixtures("long_pauses")
def test_a_long_outage_does_not_fill_the_log(house: House) -> None:
    trouble(house, "mailing", *[Unavailable("GET /lists: closed")] * 40)
    case_id = verified(house, Right.ACCESS)
    for _ in range(39):
        try_again(house)

    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert state.attempts == 32
    events = house.installation.database.fetch(
        "SELECT count(*) FROM trettio.log WHERE topic = 'fulfilment.unavailable'"
    )
    assert events == [{"count": EVERY_TRY_TOLD + 2}]


@pytest.mark.usefixtures("long_pauses")
def test_what_makes_no_sense_is_asked_again_and_after_a_day_told_to_a_person(
    house: House, clock: Clock
) -> None:
    """A maintenance page is over by then; nobody had to do anything about it."""
    mailing = trouble(house, "mailing", *[Garbled("answer is not JSON (status 200)")] * 2)
    case_id = verified(house, Right.ACCESS)
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.UNAVAILABLE

    clock.forward(hours=25)
    try_again(house)
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].waits_for == "refused"
    assert len(mailing.asked) == 2


@pytest.mark.usefixtures("long_pauses")
def test_a_system_that_is_not_set_up_says_so_and_goes_on_once_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = house.systems.connector

    def connector(controller: str, system: str) -> Any:
        if system == "mailing":
            raise NotSetUp("mailchimp needs 'key': set it in the profile or the environment")
        return whole(controller, system)

    monkeypatch.setattr(house.systems, "connector", connector)
    case_id = verified(house, Right.ACCESS)
    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, "not-set-up")
    assert open_tasks(house) == ["find"]
    hurry(house)
    assert house.installation.tasks.failing() == []

    monkeypatch.undo()
    house.installation.tasks.hurry(reason="not-set-up")
    house.worker.drain()
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.FOUND


@pytest.mark.usefixtures("long_pauses")
def test_a_search_that_comes_after_the_decision_is_dropped(house: House) -> None:
    """Somebody looked by hand, and it was decided: what is found now nobody would decide about."""
    mailing = trouble(house, "mailing", Unavailable("GET /lists: closed"))
    case_id = verified(house, Right.ERASURE)
    request_id = asked(house, case_id, Right.ERASURE).id
    house.installation.byhand.found(request_id, "mailing", (), reason="nothing-there", by=BY)
    look_everywhere(house, case_id, Right.ERASURE)
    mailing.hold(KARI, "member", "m1")
    approve(house, case_id, Right.ERASURE)
    hurry(house, destroying=False)

    assert mailing.asked == ["find"]
    assert open_tasks(house) == []


@pytest.mark.usefixtures("long_pauses")
def test_no_is_an_answer_and_ends_a_suspension(house: House) -> None:
    trouble(house, "mailing", *[Unavailable("closed")] * MOST_TRIES, Refused("answered 403"))
    verified(house, Right.ACCESS)
    for _ in range(MOST_TRIES - 1):
        try_again(house)
    (lane,) = house.installation.tasks.failing()
    assert lane.suspended_at is not None

    try_again(house)
    assert house.installation.tasks.failing() == []


def test_pauses_grow_to_an_hour_and_never_overflow() -> None:
    assert [pause(n) for n in (0, 1, 2, 3)] == [2.0, 2.0, 4.0, 8.0]
    assert pause(12) == LONGEST_PAUSE
    assert pause(10**9) == LONGEST_PAUSE


def test_a_bug_is_seen_by_a_person_in_the_end(house: House) -> None:
    mailing = trouble(house, "mailing", *[KeyError("email")] * MOST_SURPRISES)
    case_id = verified(house, Right.ACCESS)

    for _ in range(MOST_SURPRISES):
        hurry(house)

    assert len(mailing.asked) == MOST_SURPRISES
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].waits_for == "failed"
    assert open_tasks(house) == []
    assert house.installation.tasks.parked() == []


@pytest.mark.parametrize(
    "what", ["look-up", "erase-by-hand", "suppress-by-hand", "fresh-export", "open-subscription"]
)
def test_what_waits_for_a_person_is_no_task_any_more(house: House, what: str) -> None:
    trouble(house, "mailing", AwaitsPerson(what))

    case_id = verified(house, Right.ACCESS)

    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, what)
    assert open_tasks(house) == []


def test_why_a_system_refused_is_in_the_log_and_not_who_it_was_about(house: House) -> None:
    trouble(house, "mailing", Refused("GET /members/{member} answered 403"))

    with structlog.testing.capture_logs() as lines:
        verified(house, Right.ACCESS)

    (line,) = [line for line in lines if line["event"] == "task_given_up"]
    assert line["reason"] == "GET /members/{member} answered 403"
    assert KARI not in str(lines)


def test_a_letter_that_nobody_takes_is_shown_and_can_be_sent_again_and_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Exception | None] = [Refused("smtp 550 5.1.1"), Refused("smtp 550 5.1.1"), None]
    sent: list[OutgoingMail] = []

    def send(outgoing: OutgoingMail) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        sent.append(outgoing)

    monkeypatch.setattr(house.installation.mailer, "send", send)
    case_id = confirmed(house, Right.ACCESS)
    (letter_id,) = house.case(case_id).letters
    assert house.case(case_id).failed == {letter_id: "smtp 550 5.1.1"}

    for _ in range(2):  # the same refusal twice leaves no second event to tell the tries apart
        house.installation.answering.send_again(case_id, letter_id)
        house.worker.drain()

    assert [mail.kind for mail in sent] == [LetterKind.ACKNOWLEDGEMENT]
    assert letter_id in house.case(case_id).left
    assert house.case(case_id).failed == {}


def test_a_relay_that_is_away_delays_the_letter_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = house.installation.mailer.send
    answers: list[Exception] = [Unavailable("smtp 451")]

    def send(outgoing: OutgoingMail) -> None:
        if answers:
            raise answers.pop()
        whole(outgoing)

    monkeypatch.setattr(house.installation.mailer, "send", send)
    case_id = confirmed(house, Right.ACCESS)
    assert open_tasks(house) == ["send-letter"]
    (lane,) = house.installation.tasks.failing()
    assert (lane.system, lane.reason) == (None, "smtp 451")

    hurry(house)
    assert house.installation.tasks.failing() == []
    assert len(house.case(case_id).left) == 1


def test_a_letter_that_cannot_be_written_waits_where_somebody_sees_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = collected(house, Right.ACCESS)
    broken = KeyError("no such text")
    monkeypatch.setattr("services.answering.compose", lambda *_: (_ for _ in ()).throw(broken))
    approve(house, case_id, Right.ACCESS)
    for _ in range(MOST_SURPRISES):
        hurry(house)

    (parked,) = house.installation.tasks.parked()
    assert (parked.task.kind, parked.reason) == ("answer", "KeyError")

    monkeypatch.undo()
    assert house.installation.tasks.release(parked.task.key)
    house.worker.drain()
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED


def test_letters_wait_by_themselves_until_a_finding_is_decided(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = collected(house, Right.ACCESS)

    def blocked(*_: object) -> None:
        raise NotAllowedNow("decide first")

    monkeypatch.setattr(Controllers, "require_letters_allowed", blocked)
    approve(house, case_id, Right.ACCESS)
    assert open_tasks(house) == ["answer"]

    monkeypatch.undo()
    hurry(house)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED


def test_a_system_that_left_the_profile_is_for_a_person(house: House) -> None:
    trouble(house, "mailing", Refused("the profile in force has no system 'mailing' any more"))
    case_id = verified(house, Right.ACCESS)

    assert plan(house, case_id, Right.ACCESS).systems["mailing"].waits_for == "refused"


def test_an_idle_worker_has_nothing_to_do(house: House) -> None:
    received(house)

    assert house.worker.drain() == 0
    assert not house.worker.step()


def test_results_keep_their_words_out_of_the_log(house: House) -> None:
    """A person's reasons lie in the vault, the event holds where."""
    mailing = trouble(house, "mailing", AwaitsPerson("look-up"))
    mailing.hold(KARI, "member", "m1")
    case_id = verified(house, Right.ERASURE)
    request_id = asked(house, case_id, Right.ERASURE).id
    house.installation.fulfilments.try_again(request_id, "mailing", by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ERASURE)
    mailing.troubles.append(AwaitsPerson("erase-by-hand"))
    approve(house, case_id, Right.ERASURE)
    (record,) = asked(house, case_id, Right.ERASURE).own_records
    secret = "fordi Kari Testesen har en sak gående"
    house.installation.byhand.erased(
        request_id,
        "mailing",
        {record.record_id: Result(Outcome.REFUSED, ground="legal_claim", words=secret)},
        looked_again=True,
        by=BY,
    )

    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"Testesen" not in bytes(row["state"]) for row in states)
