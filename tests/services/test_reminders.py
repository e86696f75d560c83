"""What comes due is recorded once, in civil dates of the country, and nothing stops the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import OperationalError

from domain.calendar import load_calendar
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Missed, Status
from domain.vocabulary import Country, Right
from projections.open_requests import open_requests
from services.reminders import Reminders, due_reminders
from tests.support.asking import Clock, approved, asked, confirmed
from tests.support.dates import by_law
from tests.support.house import House


def test_each_reminder_and_each_missed_date_is_recorded_once(house: House, clock: Clock) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    reminders = house.installation.reminders
    assert reminders.run([request_id]) == 0

    clock.forward(days=60)
    assert reminders.run([request_id]) > 0
    assert reminders.run([request_id]) == 0

    request = asked(house, case_id, Right.ACCESS)
    assert request.missed == {Missed.TARGET, Missed.PROMISE, Missed.STATUTORY}
    assert {"half-time", "five-working-days", "two-working-days", "today"} <= request.reminders


def test_one_request_that_is_not_there_keeps_no_other_waiting(house: House, clock: Clock) -> None:
    case_id = confirmed(house, Right.ACCESS)
    clock.forward(days=60)

    assert house.installation.reminders.run([uuid4(), asked(house, case_id, Right.ACCESS).id]) > 0


def test_a_link_nobody_opened_for_a_week_puts_the_case_back(house: House, clock: Clock) -> None:
    """Design 3: a link that nobody opens for seven days is no answer."""
    case_id = approved(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    clock.forward(days=6, hours=23)
    house.installation.reminders.run([request_id])
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED

    clock.forward(hours=2)
    house.installation.reminders.run([request_id])
    house.installation.reminders.run([request_id])
    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.delivery_failed) == (Status.APPROVED, "answer-not-fetched")


def test_reminders_fall_on_days_when_somebody_is_there(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    calendar = load_calendar(Country.NO)

    for name, day in due_reminders(request, calendar, request.received_on):
        assert day <= request.dates.target_due
        if "working-days" in name:
            assert calendar.is_office_day(day)


def test_a_new_calendar_version_moves_every_open_request_once(house: House) -> None:
    """B.2.4: a holiday is added, and each open request is counted anew with old and new dates."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    known, due = load_calendar(Country.NO), by_law(request.dates)
    announced = replace(known, version="2099.1", holidays=known.holidays | {due})
    home = house.installation
    for _ in range(2):
        Reminders(
            home.register, home.questions, home.assigning, home.clock, lambda name: announced
        ).run([request.id])

    (event,) = [
        one
        for one in home.register.events.get(request.id)
        if isinstance(one, DataSubjectRequest.DeadlineRecomputed)
    ]
    assert event.old == request.dates
    assert by_law(event.dates) == announced.next_working_day(due) > due
    assert event.dates.target_due <= request.dates.target_due
    home.follower().drain()
    (row,) = home.database.fetch("SELECT statutory_due FROM views.deadline_worklist")
    assert row["statutory_due"] == event.dates.statutory_due
    other = asked(house, confirmed(house, Right.ERASURE, text="To"), Right.ERASURE)
    assert not home.reminders.recount(other.id), "there is no newer calendar"


def test_on_the_target_and_each_day_after_somebody_is_reminded(house: House, clock: Clock) -> None:
    """Once a day, however often it is looked at, and by whichever process."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    clock.forward(days=(request.dates.target_due - request.received_on).days)
    names = []
    for _ in range(4):
        for _ in range(2):
            house.installation.reminders.run([request.id])
        names.append(asked(house, case_id, Right.ACCESS).reminders)
        clock.forward(days=1)

    assert "today" in names[0]
    late = [sorted(one for one in each if one.startswith("late-")) for each in names]
    assert [len(each) for each in late] == [0, 1, 2, 3]


# A pass over everything that is open


@pytest.fixture
def looked_at(house: House, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Every request that is loaded from now on."""
    loaded: list[UUID] = []
    load = house.installation.register.request

    def request(request_id: UUID) -> DataSubjectRequest:
        loaded.append(request_id)
        return load(request_id)

    monkeypatch.setattr(house.installation.register, "request", request)
    return loaded


def test_a_pass_loads_only_what_has_changed_or_come_due(
    house: House, clock: Clock, looked_at: list[UUID]
) -> None:
    """A pass every minute must not load every request every minute."""
    request_id = asked(house, confirmed(house, Right.ACCESS), Right.ACCESS).id
    a_pass = _passes(house)
    a_pass()
    assert request_id in looked_at

    looked_at.clear()
    a_pass()
    clock.forward(hours=1)
    a_pass()
    assert looked_at == []

    clock.forward(days=60)
    assert a_pass() > 0
    looked_at.clear()
    assert a_pass() == 0
    assert looked_at == []


def test_a_pass_looks_again_at_what_has_changed(
    house: House, clock: Clock, looked_at: list[UUID]
) -> None:
    """An answer came and was not opened: no day of a calendar says so, the hour does."""
    case_id = approved(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    a_pass = _passes(house)
    a_pass()

    clock.forward(days=6, hours=23, minutes=58)
    a_pass()
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    looked_at.clear()
    clock.forward(minutes=1)
    assert a_pass() == 0
    assert looked_at == []
    clock.forward(minutes=2)
    assert a_pass() > 0
    assert asked(house, case_id, Right.ACCESS).delivery_failed == "answer-not-fetched"

    looked_at.clear()
    a_pass()
    assert looked_at == [request_id], "it is at another step now"


def test_a_request_nobody_can_read_keeps_no_other_waiting(house: House, clock: Clock) -> None:
    """A poison event stops its own request and nothing beside it."""
    broken = asked(house, confirmed(house, Right.ACCESS, text="En"), Right.ACCESS).id
    whole = asked(house, confirmed(house, Right.ACCESS, text="To"), Right.ACCESS).id
    house.installation.database.fetch(
        "INSERT INTO trettio.log (originator_id, originator_version, topic, state)"
        " VALUES (%s, 1000, 'request.never-heard-of', '{}') RETURNING 1",
        [broken],
    )
    clock.forward(days=60)

    assert house.installation.reminders.pass_over({broken: None, whole: None}) > 0
    assert Missed.STATUTORY in house.installation.register.request(whole).missed


def test_what_was_missed_is_recorded_without_a_calendar(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    clock.forward(days=60)

    def no_calendar(name: str) -> None:
        raise DomainError("no calendar covers it")

    with monkeypatch.context() as patched:
        patched.setattr(house.installation.reminders, "_calendars", no_calendar)
        assert house.installation.reminders.pass_over({request_id: ()}) == 3
    assert asked(house, case_id, Right.ACCESS).missed == set(Missed)

    clock.forward(days=1)
    house.installation.reminders.pass_over({request_id: ()})
    assert "today" in asked(house, case_id, Right.ACCESS).reminders


def test_a_database_that_is_away_ends_the_pass(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand requests are not tried one by one against a closed port."""
    tried: list[UUID] = []

    def away(request_id: UUID) -> DataSubjectRequest:
        tried.append(request_id)
        raise OperationalError("the database cannot be reached")

    monkeypatch.setattr(house.installation.register, "request", away)
    with pytest.raises(OperationalError):
        house.installation.reminders.pass_over({uuid4(): None, uuid4(): None})
    assert len(tried) == 1


def test_a_pass_ends_when_the_process_is_told_to_stop(house: House, clock: Clock) -> None:
    request_id = asked(house, confirmed(house, Right.ACCESS), Right.ACCESS).id
    clock.forward(days=60)
    stop = Event()
    stop.set()

    assert house.installation.reminders.pass_over({request_id: None}, stop) == 0
    assert house.installation.reminders.pass_over({request_id: None}) > 0


def test_a_request_whose_row_was_given_up_is_reminded_of_all_the_same(
    house: House, clock: Clock
) -> None:
    """Reminders do not hang on the health of a view: what it parked is looked at each time."""
    case_id = confirmed(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    house.installation.database.fetch(
        "INSERT INTO views.parked (view, aggregate_id, position, topic, reason)"
        " VALUES ('deadline_worklist', %s, 1, 'request.received', 'ValueError') RETURNING 1",
        [request_id],
    )
    house.installation.follower().drain()
    assert open_requests(house.installation.database) == {request_id: None}
    clock.forward(days=60)

    assert _passes(house)() > 0
    assert Missed.STATUTORY in asked(house, case_id, Right.ACCESS).missed


def _passes(house: House) -> Callable[[], int]:
    def a_pass() -> int:
        house.installation.follower().drain()
        return house.installation.reminders.pass_over(open_requests(house.installation.database))

    return a_pass
