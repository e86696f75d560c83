"""The morning's mail: counts and case numbers, once per day, however many processes plan it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.vocabulary import Language, Right, StaffMail
from services.digest import Digests
from services.ports import Absence, Member
from tests.support.asking import Clock, asked, confirmed, hurry
from tests.support.house import KARI, House

MORNING = datetime(2027, 3, 3, 7, 30, tzinfo=UTC)  # a Wednesday, half past eight in Oslo


@pytest.fixture
def at_morning(house: House, clock: Clock) -> House:
    staff = house.installation.staff
    house.installation.database.run(
        staff.set(Member("ola", "Ola", "ola@venue.example", Language.NB, "berit")),
        staff.set(Member("berit", "Berit", "berit@venue.example", Language.SV)),
        staff.set(Member("dpo", "Dora", "dpo@venue.example", Language.EN, is_officer=True)),
        staff.set(Member("temp", "Temp")),
    )
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    house.installation.assigning.assign([request.id], to="ola", by="ola")
    clock.shift += MORNING - clock()
    house.installation.reminders.run([request.id])
    house.installation.follower().drain()
    return house


def digests(house: House) -> list[tuple[str, str]]:
    return [(one.recipient, one.text) for one in house.mails() if one.kind is StaffMail.DIGEST]


def another_process(house: House) -> Digests:
    home = house.installation
    return Digests(
        home.register,
        home.staff,
        home.tasks,
        home.controllers,
        home.mailer,
        home.database,
        home.clock,
        address="http://testserver",
    )


def test_each_gets_one_mail_a_morning_and_nobody_is_named_in_it(
    at_morning: House, clock: Clock
) -> None:
    house = at_morning
    for plan in (house.installation.digests.plan, another_process(house).plan) * 2:
        plan()
    hurry(house, destroying=False)
    another_process(house).plan()
    hurry(house, destroying=False)

    sent = dict(digests(house))
    assert len(digests(house)) == 3
    assert set(sent) == {f"{who}@venue.example" for who in ("ola", "berit", "dpo")}
    (case,) = house.installation.database.fetch("SELECT reference FROM views.inbox")
    for text in sent.values():
        assert case["reference"] in text
        assert KARI not in text
        assert "Kari" not in text
    assert "over målet" in sent["ola@venue.example"]
    assert "ersätter" in sent["berit@venue.example"]
    assert "All, past the day" in sent["dpo@venue.example"]

    clock.forward(days=1)
    house.installation.digests.plan()
    hurry(house, destroying=False)
    assert len(digests(house)) == 6


def test_no_mail_at_night_on_days_off_or_to_who_is_away(at_morning: House, clock: Clock) -> None:
    house = at_morning
    staff = house.installation.staff
    away = Absence("ola", MORNING.date(), MORNING.date())
    house.installation.database.run(staff.absent(away))
    clock.shift -= timedelta(hours=3)
    assert another_process(house).plan() == 0, "half past five"
    clock.shift += timedelta(days=3, hours=3)
    assert another_process(house).plan() == 0, "a Saturday"
    clock.shift -= timedelta(days=3)
    assert another_process(house).plan() == 2, "not to who is away"

    clock.forward(days=2)
    hurry(house, destroying=False)
    assert digests(house) == [], "what could not leave on its day is old news"
