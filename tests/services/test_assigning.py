"""Whose request it is: one or many at once, and deputies while somebody is away."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest
from domain.vocabulary import Country, Right
from projections.open_requests import in_hand
from services.assigning import Held
from services.ports import Absence, Member
from tests.support.asking import BY, Clock, asked, confirmed
from tests.support.house import NORWAY, SWEDEN, House


def know(house: House, *members: Member) -> None:
    house.installation.database.run(*(house.installation.staff.set(one) for one in members))


def away(house: House, staff_id: str, first: date, days: int = 1) -> None:
    absence = Absence(staff_id, first, first + timedelta(days=days - 1))
    house.installation.database.run(house.installation.staff.absent(absence))


def stand_in(house: House) -> int:
    house.installation.follower().drain()
    held = in_hand(house.installation.database)
    return house.installation.assigning.stand_in(Held(*one) for one in held)


def test_requests_go_to_somebody_who_works_here_all_or_none(house: House) -> None:
    know(
        house,
        Member("berit", "Berit", controllers=frozenset({NORWAY})),
        Member("anna", "Anna", controllers=frozenset({SWEDEN})),
    )
    one = asked(house, confirmed(house, Right.ACCESS, text="En"), Right.ACCESS)
    two = asked(house, confirmed(house, Right.ACCESS, text="To"), Right.ACCESS)
    assign = house.installation.assigning.assign
    for to in ("nobody", "anna"):
        with pytest.raises(DomainError):
            assign([one.id, two.id], to=to, by=BY)
    with pytest.raises(DomainError, match="name 1 to"):
        assign([], to="berit", by=BY)

    assert assign([one.id, two.id, one.id], to="berit", by=BY) == 2
    assert assign([one.id, two.id], to="berit", by=BY) == 0
    assert [house.installation.register.request(i.id).assigned_to for i in (one, two)] == [
        "berit",
        "berit",
    ]


def test_who_is_away_is_stood_in_for_once_and_the_deputy_keeps_it(
    house: House, clock: Clock
) -> None:
    """Moved by the civil date, to the deputy's deputy where that one is away too."""
    know(
        house,
        Member("ola", "Ola", deputy="berit"),
        Member("berit", "Berit", deputy="cara"),
        Member("cara", "Cara", deputy="ola"),
    )
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    house.installation.assigning.assign([request.id], to="ola", by="ola")
    today = received_on(clock(), Country.NO)
    away(house, "ola", today + timedelta(days=1), days=2)
    assert stand_in(house) == 0, "not before the day"

    clock.forward(days=1)
    away(house, "berit", today + timedelta(days=1))
    assert stand_in(house) == 1
    assert stand_in(house) == 0
    assert asked(house, case_id, Right.ACCESS).assigned_to == "cara"
    clock.forward(days=10)
    assert stand_in(house) == 0, "whoever has begun it ends it"
    assert asked(house, case_id, Right.ACCESS).assigned_to == "cara"


def test_with_everybody_away_a_request_stays_where_it_is(house: House, clock: Clock) -> None:
    know(house, Member("ola", "Ola", deputy="berit"), Member("berit", "Berit", deputy="ola"))
    request = asked(house, confirmed(house, Right.ACCESS), Right.ACCESS)
    house.installation.assigning.assign([request.id], to="ola", by="ola")
    for who in ("ola", "berit"):
        away(house, who, received_on(clock(), Country.NO))

    assert stand_in(house) == 0


def test_two_days_before_the_end_the_deputy_is_told_too(house: House, clock: Clock) -> None:
    know(house, Member("ola", "Ola", deputy="berit"), Member("berit", "Berit"))
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    house.installation.assigning.assign([request.id], to="ola", by="ola")
    left = (request.dates.target_due - received_on(clock(), Country.NO)).days
    clock.forward(days=left)
    for _ in range(2):
        house.installation.reminders.run([request.id])
    clock.forward(days=1)
    house.installation.reminders.run([request.id])

    told = {
        event.reminder: event.to
        for event in house.installation.register.events.get(request.id)
        if isinstance(event, DataSubjectRequest.ReminderDue)
    }
    late = f"late-{received_on(clock(), Country.NO).isoformat()}"
    assert told["two-working-days"] == "berit"
    assert (told["five-working-days"], told["today"], told[late]) == ("ola", "ola", "ola")
    assert {name for name in told if name.startswith("late-")} == {late}
