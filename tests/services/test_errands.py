"""Who answers by a link: asked, chased on day 5 and every 4, escalated after two (issue 6)."""

from __future__ import annotations

from uuid import UUID

from domain.errand import Errand, ErrandAnswer, ErrandEnd
from domain.fulfilment import SystemStatus
from domain.vocabulary import Right
from services.ports import CodeCheck
from tests.support.asking import Clock, plan, verified
from tests.support.errands import OWNER, code_in, go_round, link_in, mails_to, with_owner
from tests.support.house import KARI, House


def asked_by_link(house: House) -> tuple[UUID, Errand]:
    with_owner(house)
    case_id = verified(house, Right.ACCESS)
    go_round(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    (errand,) = house.installation.errands.of_line(request_id, "web")
    return case_id, errand


def fresh(house: House, errand: Errand) -> Errand:
    return house.installation.register.errand(errand.id)


def test_who_answers_for_a_system_is_asked_once_and_nobody_is_named(house: House) -> None:
    case_id, errand = asked_by_link(house)
    go_round(house)

    (mail,) = mails_to(house, OWNER)
    said = f"{mail.subject} {mail.text}".casefold()
    assert "kari" not in said
    assert KARI not in said
    assert house.case(case_id).reference not in said
    assert len(fresh(house, errand).sent) == 1


def test_chasers_on_day_5_and_every_4_days_and_after_two_the_handler(
    house: House, clock: Clock
) -> None:
    case_id, errand = asked_by_link(house)
    told: list[int] = []
    for day in range(1, 15):
        clock.forward(days=1)
        go_round(house)
        go_round(house)
        if len(mails_to(house, OWNER)) - 1 > len(told):
            told.append(day)
        if day == 12:
            assert plan(house, case_id, Right.ACCESS).systems["web"].waits_for == "look-up"

    assert told == [5, 9, 13]
    assert plan(house, case_id, Right.ACCESS).systems["web"].waits_for == "link-not-answered"
    assert fresh(house, errand).escalated_at is not None
    clock.forward(days=20)
    go_round(house)
    assert fresh(house, errand).ended is ErrandEnd.EXPIRED


def test_a_process_that_slept_sends_one_chaser_and_not_several(house: House, clock: Clock) -> None:
    _, errand = asked_by_link(house)
    clock.forward(days=12)

    go_round(house)

    assert len(mails_to(house, OWNER)) == 2
    assert fresh(house, errand).chasers == 2


def test_nothing_held_by_link_counts_like_a_person_at_the_desk(house: House) -> None:
    case_id, errand = asked_by_link(house)

    house.installation.errand_answers.nothing_held(errand.id, reason="searched-nothing-held")

    state = plan(house, case_id, Right.ACCESS).systems["web"]
    assert state.status is SystemStatus.FOUND
    assert fresh(house, errand).said is ErrandAnswer.NOTHING_HELD
    assert not fresh(house, errand).is_open


def test_a_code_opens_and_a_wrong_one_does_not(house: House) -> None:
    _, errand = asked_by_link(house)
    door = house.installation.errand_door
    (mail,) = mails_to(house, OWNER)
    behind = door.behind(link_in(mail).rpartition("/")[2])
    assert behind is not None
    door.send_code(behind)
    house.work()
    code = code_in(mails_to(house, OWNER, "errand-code")[-1])

    assert door.open(errand.id, "1234 5678")[0] is CodeCheck.WRONG
    check, opened = door.open(errand.id, code)

    assert check is CodeCheck.RIGHT
    assert door.holder(opened) == errand.holder
    assert fresh(house, errand).opened_at is not None
    assert door.open(errand.id, code)[0] is CodeCheck.SPENT


def test_what_the_desk_answered_needs_nobody_with_a_link_any_more(house: House) -> None:
    case_id, errand = asked_by_link(house)
    request_id = house.case(case_id).request_id(Right.ACCESS)
    house.installation.byhand.found(request_id, "web", (), reason="nothing-there", by="ola")

    go_round(house)

    assert fresh(house, errand).ended is ErrandEnd.ELSEWHERE
    secret = link_in(mails_to(house, OWNER)[0]).rpartition("/")[2]
    assert house.installation.errand_door.behind(secret) is None
