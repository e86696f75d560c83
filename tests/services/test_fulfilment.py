"""What systems answered is recorded once, and whatever stands still can be set going again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Match, Outcome, Right
from services import planning
from services.ports import AwaitsPerson, Refused, Result, Unavailable
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
    trouble,
    verified,
)
from tests.support.house import KARI, NORWAY, SWEDEN, House


def again(house: House, case_id: UUID, right: Right, system: str) -> None:
    house.installation.fulfilments.try_again(asked(house, case_id, right).id, system, by=BY)
    house.worker.drain()


def test_a_system_is_asked_as_often_as_somebody_has_it_asked_again(house: House) -> None:
    """A fresh export may be forgotten twice: every press of the button asks anew."""
    mailing = trouble(house, "mailing", *[AwaitsPerson("fresh-export")] * 3)
    case_id = verified(house, Right.ACCESS)

    for _ in range(2):
        again(house, case_id, Right.ACCESS, "mailing")
        assert plan(house, case_id, Right.ACCESS).systems["mailing"].waits_for == "fresh-export"
    again(house, case_id, Right.ACCESS, "mailing")

    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.FOUND
    assert mailing.asked == ["find"] * 4


def test_pressing_twice_asks_once(house: House) -> None:
    mailing = trouble(house, "mailing", AwaitsPerson("fresh-export"))
    case_id = verified(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id

    for _ in range(3):
        house.installation.fulfilments.try_again(request_id, "mailing", by=BY)
    house.worker.drain()

    assert mailing.asked == ["find", "find"]


def test_asking_again_ends_the_pause_of_a_system_that_was_away(house: House) -> None:
    mailing = trouble(house, "mailing", Unavailable("GET / answered 503", retry_after=3_600))
    case_id = verified(house, Right.ACCESS)
    assert open_tasks(house) == ["find"]

    again(house, case_id, Right.ACCESS, "mailing")

    assert mailing.asked == ["find", "find"]
    assert open_tasks(house) == []


def test_what_no_system_can_do_is_not_asked_of_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that no worker takes would wait for ever, seen by nobody."""
    monkeypatch.setattr(planning, "SEARCHES", frozenset())
    case_id = verified(house, Right.RECTIFICATION)
    system = next(iter(plan(house, case_id, Right.RECTIFICATION).systems))

    with pytest.raises(NotAllowedNow, match="nothing to ask again"):
        again(house, case_id, Right.RECTIFICATION, system)
    with pytest.raises(DomainError, match="not part of this request"):
        again(house, case_id, Right.RECTIFICATION, "nowhere")
    assert open_tasks(house) == []


def test_a_finished_erasure_is_not_asked_again(house: House) -> None:
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    assert plan(house, case_id, Right.ERASURE).systems["mailing"].status is SystemStatus.DONE

    with pytest.raises(NotAllowedNow, match="is done"):
        again(house, case_id, Right.ERASURE, "mailing")


def test_systems_may_be_searched_again_until_somebody_decides(house: House) -> None:
    case_id = collected(house, Right.ACCESS)
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "late")

    again(house, case_id, Right.ACCESS, "mailing")
    assert len(asked(house, case_id, Right.ACCESS).found) == 1

    approve(house, case_id, Right.ACCESS)
    with pytest.raises(NotAllowedNow, match="is found"):
        again(house, case_id, Right.ACCESS, "mailing")


def test_what_a_vendor_has_not_finished_is_read_back_when_it_will_be(
    house: House, clock: Clock
) -> None:
    """Followed to its end: the letter says erased only when a later look found nothing."""
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    mailing.answers["m1"] = Result(
        Outcome.PENDING_AT_VENDOR, not_before=clock() + timedelta(days=2)
    )

    approve(house, case_id, Right.ERASURE)
    state = plan(house, case_id, Right.ERASURE).systems["mailing"]
    assert state.status is SystemStatus.PENDING_AT_VENDOR
    assert open_tasks(house) == ["read-back"]
    assert mailing.asked[-1] == "erase m1"

    clock.forward(days=2, minutes=2)
    for _ in range(3):  # our clock is ahead of the database's now
        hurry(house)

    request = asked(house, case_id, Right.ERASURE)
    assert request.status is Status.CLOSED
    assert [outcome.outcome for outcome in request.outcomes] == [Outcome.ERASED]


def test_a_refusal_by_a_machine_is_looked_at_by_a_person_and_told(house: House) -> None:
    """One record refused: not claimed as erased, and the letter says why (Art. 12(4))."""
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    mailing.answers["m1"] = Result(Outcome.REFUSED, "archived-there")

    approve(house, case_id, Right.ERASURE)
    assert plan(house, case_id, Right.ERASURE).systems["mailing"].waits_for == "refused-over-there"

    (record,) = asked(house, case_id, Right.ERASURE).own_records
    refused = Result(
        Outcome.REFUSED, ground="legal_claim", words="Vi er i tvist om denne avtalen med deg."
    )
    house.installation.byhand.erased(
        asked(house, case_id, Right.ERASURE).id,
        "mailing",
        {record.record_id: refused},
        looked_again=True,
        by=BY,
    )
    house.worker.drain()

    letter = " ".join(house.mails()[-1].text.split())
    assert "Vi er i tvist om denne avtalen med deg." in letter
    assert "avslått" in letter
    assert asked(house, case_id, Right.ERASURE).in_part


def test_what_is_still_there_after_erasure_waits_for_a_person(house: House) -> None:
    """Nothing is done before a look found nothing; then pressing again looks again."""
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE)
    (held,) = mailing.held
    mailing.answers["m1"] = Result(Outcome.ERASED)
    mailing.erase = _says_so_only(mailing.answers["m1"])  # type: ignore[method-assign,assignment]

    approve(house, case_id, Right.ERASURE)
    state = plan(house, case_id, Right.ERASURE).systems["mailing"]
    assert state.waits_for == "still-there-after-erasure"
    assert asked(house, case_id, Right.ERASURE).status is Status.APPROVED

    mailing.held.remove(held)
    again(house, case_id, Right.ERASURE, "mailing")

    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED


def _says_so_only(result: Result) -> object:
    return lambda *_, **__: result


def test_a_decision_about_a_weak_match_holds_in_the_next_request(house: House) -> None:
    ticketing = house.systems.system(NORWAY, "ticketing")
    ticketing.hold(KARI, "customer", "c1", match=Match.SAME_NAME)
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    (record,) = asked(house, case_id, Right.ACCESS).undecided_matches
    house.installation.deciding.decide_match(
        asked(house, case_id, Right.ACCESS).id,
        record.record_id,
        theirs=False,
        reason="other-birth-date",
        by=BY,
    )

    approve(house, case_id, Right.ACCESS)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    look_everywhere(house, case_id, Right.ERASURE)

    erasure = asked(house, case_id, Right.ERASURE)
    assert erasure.status is Status.COLLECTED
    assert erasure.undecided_matches == ()
    assert erasure.own_records == ()


def test_nothing_is_asked_of_systems_for_who_took_it_back(house: House) -> None:
    mailing = trouble(house, "mailing", Unavailable("GET / answered 503"))
    case_id = verified(house, Right.ACCESS)

    house.installation.refusing.withdraw(asked(house, case_id, Right.ACCESS).id, by=BY)
    hurry(house)

    assert mailing.asked == ["find"]
    assert open_tasks(house) == []


def test_an_objection_to_marketing_acts_at_once_and_is_answered(house: House) -> None:
    """Art. 21(3): no identity check, the same working day."""
    mailing = trouble(house, "mailing")
    case_id = confirmed(house, Right.OBJECTION_TO_MARKETING)

    assert mailing.asked == ["suppress"]
    assert asked(house, case_id, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED


def test_a_system_that_refuses_leaves_the_others_alone(house: House) -> None:
    trouble(house, "mailing", Refused("GET /lists answered 401"))
    case_id = verified(house, Right.ACCESS)

    systems = plan(house, case_id, Right.ACCESS).systems
    assert systems["mailing"].waits_for == "refused"
    assert systems["ticketing"].status is SystemStatus.FOUND

    again(house, case_id, Right.ACCESS, "mailing")
    assert plan(house, case_id, Right.ACCESS).systems["mailing"].status is SystemStatus.FOUND


def test_a_recipient_is_informed_only_where_something_was_passed_on(house: House) -> None:
    """E-11: Klarna hears of orders that were passed with the person's permission."""
    shop = house.systems.system(SWEDEN, "shop")
    shop.hold(KARI, "order", "o1", recipients=("klarna",), flags=frozenset({"paid"}))
    for system in ("invoicing", "print", "customer-service", "web"):
        trouble(house, system, AwaitsPerson("look-up"), controller=SWEDEN)
    case_id = collected(house, Right.ERASURE, controller=SWEDEN)

    approve(house, case_id, Right.ERASURE)

    systems = plan(house, case_id, Right.ERASURE).systems
    assert systems["recipient:klarna"].waits_for == "inform-recipient"
    assert systems["recipient:organisers"].status is SystemStatus.DONE
    house.installation.byhand.done(
        asked(house, case_id, Right.ERASURE).id,
        "recipient:klarna",
        outcome=Outcome.INFORMED,
        reason="",
        by=BY,
    )
    told = plan(house, case_id, Right.ERASURE).told
    assert [one.recipient for one in told] == ["klarna"]
