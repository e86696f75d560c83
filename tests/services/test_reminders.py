"""What comes due is recorded once, in civil dates of the country, and nothing stops the rest."""

from __future__ import annotations

from uuid import uuid4

from domain.calendar import load_calendar
from domain.request import Missed, Status
from domain.vocabulary import Country, Right
from services.reminders import due_reminders
from tests.support.asking import Clock, approved, asked, confirmed
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

    for name, day in due_reminders(request, calendar):
        assert day <= request.dates.target_due
        if "working-days" in name:
            assert calendar.is_office_day(day)
