"""Time at the desk: every button of the section about time, without a script."""

from __future__ import annotations

from datetime import timedelta

from domain.vocabulary import Language, Right
from services.ports import Member
from tests.support.asking import asked, confirmed
from tests.support.house import House
from tests.support.steps import press, reveal


def test_every_step_about_time_can_be_taken_at_the_desk(house: House) -> None:
    staff = house.installation.staff
    house.installation.database.run(staff.set(Member("berit", "Berit", deputy="ola")))
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    case, place = f"/desk/cases/{case_id}", f"/desk/cases/{case_id}/requests/{request.id}"
    desk, officer = house.staff(), house.staff(staff="dora")
    reveal(desk, case)

    press(desk, f"{place}/clarification", question="Which account?")
    assert 'action="' + f"{place}/clarification/answer" in desk.get(case).text
    press(desk, f"{place}/clarification/answer", answer="The old one")
    press(desk, f"{place}/consult", about="suspension", question="May it count?")
    (question,) = asked(house, case_id, Right.ACCESS).consultations
    page = press(officer, f"{place}/consult/{question}/advice", advice="Yes, it may")
    assert "Yes, it may" not in page, "nobody reads words without saying what for"
    assert "Yes, it may" in desk.get(case).text
    press(desk, f"{place}/consult/{question}/weighed", followed="no", why="We stay strict")
    press(desk, f"{place}/suspension", reason="person-kept-us-waiting")

    refused = desk.post(f"{place}/extension", data={"reason": "volume", "words": "Three archives"})
    assert refused.status_code == 422
    assert "Three archives" in refused.text, "what was typed stays in sight"
    press(desk, f"{place}/extension", reason=["volume", "several-requests"])
    day = (request.received_on - timedelta(days=2)).isoformat()
    press(desk, f"{case}/receipt", day=day, reason="wrong-stamp", said_by="Ola", evidence="A stamp")
    press(desk, f"{place}/assign", to="berit")
    again = asked(house, confirmed(house, Right.ACCESS, text="Igjen"), Right.ACCESS)
    house.work()
    press(desk, f"{place}/duplicate", reference=house.case(again.case_id).reference)

    found = asked(house, case_id, Right.ACCESS)
    assert (found.suspension_relied_on, found.extended) == (True, True)
    assert (found.received_on.isoformat(), found.assigned_to) == (day, "berit")
    assert again.id in found.linked
    for language in Language:
        text = desk.get(case, params={"lang": language.value}).text
        assert "{" not in text.split("<main", 1)[1]

    press(desk, "/desk/assign", request=[str(found.id), str(again.id)], to="ola")
    assert asked(house, case_id, Right.ACCESS).assigned_to == "ola"
    wrong = desk.post("/desk/staff/absent", data={"first": "2027-03-03", "last": "2027-03-01"})
    assert wrong.status_code == 422
    page = press(desk, "/desk/staff/absent", staff="berit", first="2027-03-01", last="2027-03-03")
    assert "berit:" in page
    page = press(desk, "/desk/staff/present", staff="berit", first="2027-03-01")
    assert "berit:" not in page
