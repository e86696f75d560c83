"""Systems that are told: each receipt has one effect, or a clear refusal (Art. 17, 19, 28)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.outbound.trial import Missing, Tried
from domain.fulfilment import SystemStatus
from domain.rectification import ClaimGround, Wish
from domain.request import Status
from domain.restriction import At, Restriction, RestrictionGround
from domain.vocabulary import Outcome, Right
from services.golden import GOLDEN
from services.instructing import NEEDS_PERSON, NOT_ANSWERING
from services.meanwhile import restriction_task
from services.rectifying import Said as SaidOfAField
from tests.support.asking import (
    BY,
    Clock,
    approve,
    asked,
    confirmed,
    hurry,
    look_everywhere,
    plan,
    verified,
)
from tests.support.house import KARI, NORWAY, House
from tests.support.told import MAILING, ToldSystem, nothing_saved, tell


@pytest.fixture
def mailing(house: House) -> ToldSystem:
    return tell(house)


def erasure(house: House, mailing: ToldSystem) -> tuple[UUID, UUID]:
    """An erasure that was approved: the case, and what the system was told to erase."""
    case_id = verified(house, Right.ERASURE)
    mailing.obey_all()
    look_everywhere(house, case_id, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    (told,) = mailing.open()
    return case_id, told


def test_found_decided_erased_and_read_back_by_a_system_that_is_told(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)
    shown = mailing.told(told)
    assert (shown["verb"], shown["purpose"]) == ("erase", "request")
    assert KARI not in str(shown)
    assert [record["decision"] for record in shown["records"]] == ["erase"]

    mailing.obey(told)
    house.work()
    assert mailing.held == {}
    (back,) = mailing.open()
    assert mailing.told(back)["verb"] == "read-back"
    assert plan(house, case_id, Right.ERASURE).systems[MAILING].status is SystemStatus.TREATED
    mailing.obey(back)
    hurry(house, destroying=False)

    request = asked(house, case_id, Right.ERASURE)
    assert request.status is Status.CLOSED
    assert [one.outcome for one in request.outcomes] == [Outcome.ERASED]


def test_the_same_receipt_again_changes_nothing(house: House, mailing: ToldSystem) -> None:
    mailing.hold(KARI, "m1")
    _, told = erasure(house, mailing)
    (record,) = mailing.claim(told)["records"]
    erased = [{"record": record["record"], "outcome": "erased"}]
    body: dict[str, Any] = {"receipt": str(uuid4()), "records": erased}
    assert mailing.say(told, "done", **body)["taken"] == "new"

    with nothing_saved(house):
        assert mailing.say(told, "done", **body)["taken"] == "again"
    assert mailing.say(told, "nothing-held")["taken"] == "late"


def test_zero_rows_where_some_were_found_are_a_persons_to_look_into(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)

    assert mailing.say(told, "nothing-held")["taken"] == "new"

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, "nothing-changed")


def test_what_is_kept_needs_its_ground_and_until_when(house: House, mailing: ToldSystem) -> None:
    """Art. 17(3): a system may keep; the letter has to say on what ground, and how long."""
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)
    (record,) = mailing.claim(told)["records"]
    kept = {"record": record["record"], "outcome": "kept"}

    with nothing_saved(house):
        for half in (
            {},
            {"ground": "no.bokforing.primary"},
            {"ground": "because", "until": "2030-01-01"},
        ):
            mailing.say(told, "done", records=[kept | half], status=422)
        erased = {**kept, "outcome": "erased", "ground": "kari.nordmann"}
        mailing.say(told, "done", records=[erased], status=422)
    assert mailing.open() == [told]
    whole = kept | {"ground": "no.bokforing.primary", "until": "2030-01-01"}
    mailing.say(told, "done", records=[whole])

    (outcome,) = plan(house, case_id, Right.ERASURE).systems[MAILING].outcomes
    assert (outcome.outcome, outcome.ground) == (Outcome.KEPT, "no.bokforing.primary")


def test_answers_to_another_question_are_refused_and_nothing_is_lost(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    _, told = erasure(house, mailing)
    other = [{"record": str(uuid4()), "outcome": "erased"}]
    (record,) = mailing.claim(told)["records"]
    odd = [{"record": record["record"], "outcome": "exported"}]

    with nothing_saved(house):
        assert "does not answer erase" in mailing.say(told, "found", status=422)["detail"]
        assert "not name" in mailing.say(told, "done", records=other, status=422)["detail"]
        assert "no outcome" in mailing.say(told, "done", records=odd, status=422)["detail"]
        assert (
            "not_before"
            in mailing.say(
                told, "done", records=[odd[0] | {"outcome": "pending-at-vendor"}], status=422
            )["detail"]
        )
        mailing.say(told, "try-later", status=422)
    assert mailing.open() == [told]


def test_a_record_left_out_of_an_answer_is_a_persons_to_look_into(
    house: House, mailing: ToldSystem
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)

    mailing.say(told, "done", records=[])

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert state.waits_for == "records-unaccounted-for"


def test_a_vendors_job_is_followed_to_its_end(
    house: House, mailing: ToldSystem, clock: Clock
) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)
    (record,) = mailing.claim(told)["records"]
    later = (clock() + timedelta(days=2)).isoformat()
    pending = {"outcome": "pending-at-vendor", "not_before": later}
    mailing.say(told, "done", records=[{"record": record["record"], **pending}])
    house.work()

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert state.status is SystemStatus.PENDING_AT_VENDOR
    assert mailing.open() == []
    clock.forward(days=3)
    hurry(house, destroying=False)
    (back,) = mailing.open()
    mailing.held.clear()
    mailing.obey(back)
    assert plan(house, case_id, Right.ERASURE).systems[MAILING].status is SystemStatus.DONE


def test_still_there_in_the_second_search_is_not_erased(house: House, mailing: ToldSystem) -> None:
    mailing.hold(KARI, "m1")
    case_id, told = erasure(house, mailing)
    (record,) = mailing.claim(told)["records"]
    mailing.say(told, "done", records=[{"record": record["record"], "outcome": "erased"}])
    house.work()

    (back,) = mailing.open()
    mailing.obey(back)

    state = plan(house, case_id, Right.ERASURE).systems[MAILING]
    assert state.waits_for == "still-there-after-erasure"


def test_a_marketing_stop_reaches_a_system_that_is_told(house: House, mailing: ToldSystem) -> None:
    """Art. 21(3): the same working day, without an identity check."""
    case_id = confirmed(house, Right.OBJECTION_TO_MARKETING)
    (told,) = mailing.open()
    assert mailing.told(told)["verb"] == "suppress"

    assert mailing.say(told, "done")["taken"] == "new"

    hurry(house, destroying=False)
    request = asked(house, case_id, Right.OBJECTION_TO_MARKETING)
    assert plan(house, case_id, request.right).systems[MAILING].status is SystemStatus.DONE
    assert request.status is Status.CLOSED


def test_fields_are_corrected_and_shown_as_they_are_now(house: House, mailing: ToldSystem) -> None:
    """Art. 16: what was to be written is believed when the system shows it."""
    mailing.hold(KARI, "m1", name="Kari Nordman")
    case_id = verified(house, Right.RECTIFICATION)
    mailing.obey_all()
    look_everywhere(house, case_id, Right.RECTIFICATION)
    request = asked(house, case_id, Right.RECTIFICATION)
    record_id = next(r.record_id for r in request.own_records if r.system == MAILING)
    rectifying = house.installation.rectifying
    wrong = SaidOfAField(
        category="newsletter",
        field="name",
        ground=ClaimGround.WRONG,
        wish=Wish.RECTIFY,
        value="Kari Nordmann",
        record_id=record_id,
    )
    claim_id = rectifying.claim(request.id, wrong, by=BY)
    house.work()
    (restriction,) = mailing.open()
    mailing.say(restriction, "done")
    rectifying.accept(request.id, claim_id, by=BY)
    rectifying.approve(request.id, by=BY)
    house.work()
    (told,) = mailing.open()
    assert mailing.claim(told)["corrections"][0]["fields"] == {"name": "Kari Nordmann"}
    with nothing_saved(house):
        mailing.say(told, "done", status=422)

    mailing.obey(told)

    state = plan(house, case_id, Right.RECTIFICATION).systems[MAILING]
    assert state.status is SystemStatus.DONE
    assert mailing.held["m1"][1]["name"] == "Kari Nordmann"


def test_a_person_is_told_what_a_system_cannot_do(house: House, mailing: ToldSystem) -> None:
    case_id = approved_restriction(house)
    (told,) = mailing.open()
    assert mailing.told(told)["verb"] == "restrict"

    mailing.say(told, "needs-person", reason="two-customers")

    restriction = restriction_of(house, case_id)
    assert restriction.systems[MAILING].waits_for == NEEDS_PERSON


def restriction_of(house: House, case_id: UUID) -> Restriction:
    request_id = house.case(case_id).request_id(Right.RESTRICTION)
    return house.installation.register.restriction(request_id)


def approved_restriction(house: House) -> UUID:
    case_id = verified(house, Right.RESTRICTION)
    request_id = house.case(case_id).request_id(Right.RESTRICTION)
    house.installation.restrictions.restrict(request_id, ground=RestrictionGround.UNLAWFUL, by=BY)
    house.work()
    return case_id


def test_a_restriction_is_set_and_lifted_where_a_system_is_told(
    house: House, mailing: ToldSystem
) -> None:
    case_id = approved_restriction(house)
    (told,) = mailing.open()
    mailing.say(told, "done")
    assert restriction_of(house, case_id).systems[MAILING].at is At.RESTRICTED
    restriction = restriction_of(house, case_id)
    restriction.give_up(erasure=uuid4(), on=restriction.since.date(), by=BY, at=restriction.since)
    lift = restriction_task(restriction, "unrestrict", system=MAILING, at=restriction.since)
    house.installation.register.save_all([restriction], [house.installation.tasks.add(lift)])
    house.work()

    (told,) = mailing.open()
    assert mailing.told(told)["verb"] == "unrestrict"
    mailing.say(told, "done")

    assert restriction_of(house, case_id).systems[MAILING].at is At.LIFTED


# As time passes


def test_who_does_not_answer_is_told_again_twice_and_then_a_person_is(
    house: House, mailing: ToldSystem, clock: Clock
) -> None:
    case_id = verified(house, Right.ACCESS)
    (told,) = mailing.open()
    instructions = house.installation.instructions
    assert instructions.overdue() == 0

    for times in (1, 2):
        clock.forward(days=3, minutes=1)
        assert instructions.overdue() == 1
        assert instructions.overdue() == 0
        assert house.installation.register.instruction(told).repeats == times
    clock.forward(days=3, minutes=1)
    instructions.overdue()

    state = plan(house, case_id, Right.ACCESS).systems[MAILING]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, NOT_ANSWERING)
    assert house.installation.register.instruction(told).repeats == 2
    mailing.obey(told)
    assert plan(house, case_id, Right.ACCESS).systems[MAILING].status is SystemStatus.FOUND


def test_a_system_that_asks_for_patience_is_told_again_after_it(
    house: House, mailing: ToldSystem, clock: Clock
) -> None:
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    mailing.say(told, "try-later", retry_after=3_600)
    instructions = house.installation.instructions
    clock.forward(minutes=59)
    assert instructions.overdue() == 0

    clock.forward(minutes=2)
    assert instructions.overdue() == 1

    instruction = house.installation.register.instruction(told)
    assert (instruction.repeats, instruction.chased) == (1, 0)
    assert mailing.obey(told)["taken"] == "new"


def test_nothing_is_fetched_or_counted_once_nobody_waits(
    house: House, mailing: ToldSystem, clock: Clock
) -> None:
    mailing.hold(KARI, "m1")
    case_id = verified(house, Right.ACCESS)
    (told,) = mailing.open()
    assert mailing.claim(told)["identifiers"][0]["value"] == KARI
    house.installation.refusing.withdraw(asked(house, case_id, Right.ACCESS).id, by=BY)

    mailing.claim(told, status=410)
    assert mailing.say(told, "nothing-held")["taken"] == "late"
    assert plan(house, case_id, Right.ACCESS).systems[MAILING].found == ()
    clock.forward(days=4)
    house.installation.instructions.overdue()
    assert mailing.open() == []


def test_the_claim_ends_on_its_day(house: House, mailing: ToldSystem, clock: Clock) -> None:
    verified(house, Right.ACCESS)
    (told,) = mailing.open()
    mailing.claim(told)
    mailing.claim(told)
    assert house.installation.register.instruction(told).fetches == 2

    clock.forward(days=101)

    mailing.claim(told, status=410)


def test_asked_anew_the_first_answer_counts_and_the_other_instruction_is_over(
    house: House, mailing: ToldSystem
) -> None:
    case_id = verified(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    house.installation.fulfilments.escalate(request.id, MAILING, reason="refused")
    house.installation.fulfilments.try_again(request.id, MAILING, by=BY)
    house.work()
    first, second = mailing.open()
    mailing.hold(KARI, "m1")

    mailing.obey(first)

    assert mailing.open() == []
    assert len(plan(house, case_id, Right.ACCESS).systems[MAILING].found) == 1
    assert mailing.say(second, "nothing-held")["taken"] == "late"
    assert len(plan(house, case_id, Right.ACCESS).systems[MAILING].found) == 1


# Nothing of anybody's


def test_nothing_is_destroyed_while_a_system_has_neither_fetched_nor_answered(
    house: House, mailing: ToldSystem
) -> None:
    case_id = approved_restriction(house)
    (told,) = mailing.open()
    keeps = house.installation.instructions.keeps

    assert keeps(case_id)
    mailing.claim(told)
    assert not keeps(case_id)


def test_a_trial_is_about_nobody_and_counts_nowhere(house: House, mailing: ToldSystem) -> None:
    trials = house.installation.trials
    first = trials.attempt(NORWAY, MAILING)
    assert (first.tried, first.missing) == (Tried.WAITS, (Missing.ANSWER,))
    assert [mailing.told(one)["purpose"] for one in mailing.open()] == ["test", "test"]

    mailing.obey_all()
    nobody = trials.state(NORWAY, MAILING)
    assert nobody is not None
    assert (nobody.tried, nobody.missing) == (Tried.ANSWERS, (Missing.GOLDEN_PERSON,))

    mailing.hold(GOLDEN, "g1")
    trials.attempt(NORWAY, MAILING)
    mailing.obey_all()
    good = trials.state(NORWAY, MAILING)
    assert good is not None
    assert (good.tried, good.matches, good.missing) == (Tried.ANSWERS, 1, ())

    trials.attempt(NORWAY, MAILING)
    mailing.hold("somebody.else@person.example", "s1")
    for told in mailing.open():
        mailing.say(told, "found", found=[shown("s1", mailing), shown("g1", mailing)])
    strange = trials.state(NORWAY, MAILING)
    assert strange is not None
    assert (strange.tried, strange.matches) == (Tried.FINDS_STRANGERS, 2)
    house.work()
    tables = ("connector_tasks", "dashboard", "deadline_worklist")
    for table in tables:
        assert house.installation.database.fetch(f"SELECT 1 FROM views.{table}") == []


def shown(key: str, mailing: ToldSystem) -> dict[str, Any]:
    return {"key": key, "kind": "member", "matched_by": "email", "fields": mailing.held[key][1]}
