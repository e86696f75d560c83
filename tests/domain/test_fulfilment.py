"""What counts as done in a connected system, and what never does (design 3; Art. 17, 19)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import Fulfilment, SystemStatus
from domain.values import FoundRecord, KnownResidual, RecordOutcome, Told
from domain.vocabulary import Action, Match, Outcome
from tests.support.past import (
    AT,
    became,
    days,
    erase,
    found,
    keep,
    names,
    planned,
    ref,
    replayed,
)

THREE = tuple(found() for _ in range(3))


@pytest.fixture
def search_planned() -> Fulfilment:
    fulfilment = planned(("shop", Action.FIND), ("mailing", Action.FIND))
    fulfilment.collect_events()
    return fulfilment


@pytest.fixture
def erasure_instructed() -> Fulfilment:
    """The shop holds three records, all of which go."""
    fulfilment = planned(("shop", Action.FIND))
    fulfilment.record_found(system="shop", key="find", found=THREE, at=AT)
    fulfilment.instruct(
        system="shop", action=Action.ERASE, decisions=tuple(erase(r) for r in THREE), at=AT
    )
    fulfilment.collect_events()
    return fulfilment


@pytest.fixture
def erasure_answered(erasure_instructed: Fulfilment) -> Fulfilment:
    answer(erasure_instructed, became(Outcome.ERASED, *THREE))
    erasure_instructed.collect_events()
    return erasure_instructed


@pytest.fixture
def fulfilment_completed(erasure_answered: Fulfilment) -> Fulfilment:
    read_back(erasure_answered)
    erasure_answered.complete(at=AT)
    erasure_answered.collect_events()
    return erasure_answered


@pytest.fixture
def suppression_planned() -> Fulfilment:
    fulfilment = planned(("mailing", Action.SUPPRESS))
    fulfilment.collect_events()
    return fulfilment


def answer(
    fulfilment: Fulfilment,
    outcomes: tuple[RecordOutcome, ...],
    *,
    key: str = "erase",
    by: str | None = None,
) -> None:
    fulfilment.record_erased(system="shop", key=key, outcomes=outcomes, by=by, at=AT)


def read_back(fulfilment: Fulfilment, *remaining: FoundRecord, key: str = "back") -> None:
    fulfilment.read_back(
        system="shop", key=key, remaining={one.digest: one for one in remaining}, at=AT + days(1)
    )


def fail(fulfilment: Fulfilment, attempt: int = 1) -> None:
    fulfilment.record_unavailable(
        system="shop", attempt=attempt, next_try_at=AT, reason="timeout", at=AT
    )


def status(fulfilment: Fulfilment, system: str = "shop") -> SystemStatus:
    return fulfilment.systems[system].status


# Searching


def test_a_plan_names_each_system_once() -> None:
    with pytest.raises(DomainError, match="twice"):
        planned(("shop", Action.FIND), ("shop", Action.FIND))


def test_a_system_outside_the_plan_cannot_answer(search_planned: Fulfilment) -> None:
    with pytest.raises(DomainError, match="not part of this plan"):
        search_planned.record_found(system="till", key="k", found=(), at=AT)


def test_everything_is_found_when_the_last_system_has_answered(
    search_planned: Fulfilment,
) -> None:
    search_planned.record_found(system="shop", key="1", found=THREE, at=AT)
    assert not search_planned.all_found
    search_planned.record_found(system="mailing", key="2", found=(), at=AT)

    assert search_planned.all_found
    assert search_planned.found == THREE


def test_the_same_receipt_twice_changes_nothing(search_planned: Fulfilment) -> None:
    for _ in range(2):
        search_planned.record_found(system="shop", key="1", found=THREE, at=AT)

    assert names(search_planned) == ["Answered"]


def test_a_system_answers_for_itself_only(search_planned: Fulfilment) -> None:
    with pytest.raises(DomainError, match="for another one"):
        search_planned.record_found(system="mailing", key="1", found=THREE, at=AT)


@pytest.mark.parametrize("reason", ["", "  ", "Kari Vik is not in the drawer"])
def test_a_person_who_found_nothing_says_why_in_a_code(
    search_planned: Fulfilment, reason: str
) -> None:
    with pytest.raises(DomainError):
        search_planned.record_found(
            system="shop", key="1", found=(), by="anna", reason=reason, at=AT
        )

    search_planned.record_found(
        system="shop", key="1", found=(), by="anna", reason="searched-by-name", note=ref(), at=AT
    )
    assert status(search_planned) is SystemStatus.FOUND


def test_an_answer_by_hand_needs_the_hand(search_planned: Fulfilment) -> None:
    with pytest.raises(DomainError, match="human name"):
        search_planned.record_found(system="shop", key="1", found=THREE, by=" ", at=AT)


# Erasing


def test_a_system_is_asked_only_about_what_it_was_found_to_hold(
    search_planned: Fulfilment,
) -> None:
    with pytest.raises(NotAllowedNow, match="let it answer first"):
        search_planned.instruct(
            system="shop", action=Action.ERASE, decisions=(erase(THREE[0]),), at=AT
        )
    search_planned.record_found(system="shop", key="1", found=THREE[:1], at=AT)
    with pytest.raises(DomainError, match="not found to hold"):
        search_planned.instruct(
            system="shop", action=Action.ERASE, decisions=(erase(THREE[1]),), at=AT
        )
    with pytest.raises(DomainError, match="nothing is to be erased"):
        search_planned.instruct(
            system="shop", action=Action.ERASE, decisions=(keep(THREE[0]),), at=AT
        )


def test_an_erasure_is_done_only_when_a_read_back_found_nothing(
    erasure_instructed: Fulfilment,
) -> None:
    """B.7 row keys, B.3: the data itself is gone, not only a key to it."""
    answer(erasure_instructed, became(Outcome.ERASED, *THREE))
    assert not erasure_instructed.all_done
    with pytest.raises(NotAllowedNow, match="not every system"):
        erasure_instructed.complete(at=AT)

    read_back(erasure_instructed)
    erasure_instructed.complete(at=AT)

    assert names(erasure_instructed) == ["Answered", "ReadBack", "Completed"]


@pytest.mark.parametrize(
    ("outcomes", "doubt"),
    [
        ((), "records-unaccounted-for"),
        (became(Outcome.ERASED, *THREE[:2]), "records-unaccounted-for"),
        (became(Outcome.ERASED, *THREE, THREE[0]), "records-unaccounted-for"),
        (became(Outcome.ERASED, *THREE, found()), "records-unaccounted-for"),
        (became(Outcome.NOT_FOUND, *THREE), "nothing-changed"),
        (
            became(Outcome.ERASED, *THREE[:2]) + became(Outcome.REFUSED, THREE[2]),
            "refused-over-there",
        ),
    ],
    ids=["table missing", "one missing", "one twice", "a stranger's", "zero rows", "refused"],
)
def test_an_answer_that_does_not_add_up_goes_to_a_person(
    erasure_instructed: Fulfilment, outcomes: tuple[RecordOutcome, ...], doubt: str
) -> None:
    """Zero rows where three were found never counts as done, and no machine refuses."""
    answer(erasure_instructed, outcomes)

    assert names(erasure_instructed) == ["Escalated"]
    assert erasure_instructed.systems["shop"].waits_for == doubt
    with pytest.raises(NotAllowedNow, match="nothing to read back"):
        read_back(erasure_instructed)


def test_a_person_may_say_that_it_is_as_it_should_be(erasure_instructed: Fulfilment) -> None:
    answer(erasure_instructed, became(Outcome.NOT_FOUND, *THREE))
    answer(erasure_instructed, became(Outcome.NOT_FOUND, *THREE), by="anna")
    read_back(erasure_instructed)

    assert status(erasure_instructed) is SystemStatus.DONE


def test_what_an_earlier_try_may_have_erased_unheard_is_left_to_the_read_back(
    erasure_instructed: Fulfilment,
) -> None:
    fail(erasure_instructed)
    answer(erasure_instructed, became(Outcome.NOT_FOUND, *THREE))

    assert status(erasure_instructed) is SystemStatus.TREATED


def test_one_record_gone_among_others_erased_is_no_doubt(erasure_instructed: Fulfilment) -> None:
    answer(
        erasure_instructed,
        became(Outcome.ERASED, *THREE[:2]) + became(Outcome.NOT_FOUND, THREE[2]),
    )

    assert status(erasure_instructed) is SystemStatus.TREATED


@pytest.mark.parametrize(
    "outcome",
    [
        RecordOutcome(THREE[0].record_id, Outcome.KEPT),
        RecordOutcome(THREE[0].record_id, Outcome.RESIDUAL),
        RecordOutcome(THREE[0].record_id, Outcome.EXPORTED),
        RecordOutcome(THREE[0].record_id, Outcome.INFORMED),
        RecordOutcome(THREE[0].record_id, Outcome.ANONYMISED),
    ],
)
def test_what_stays_has_its_ground_and_what_remains_its_name(
    erasure_instructed: Fulfilment, outcome: RecordOutcome
) -> None:
    """AK-06: each thing kept names law or claim; AK-15: what is anonymised names its method."""
    with pytest.raises(DomainError):
        answer(erasure_instructed, (outcome, *became(Outcome.ERASED, *THREE[1:])))


def test_the_method_of_an_anonymisation_is_recorded(erasure_instructed: Fulfilment) -> None:
    """AK-15: it is another outcome than erased, and the log says how it was done."""
    blanked = RecordOutcome(THREE[0].record_id, Outcome.ANONYMISED, "fields-blanked")
    answer(erasure_instructed, (blanked, *became(Outcome.ERASED, *THREE[1:])))

    first, *others = erasure_instructed.systems["shop"].outcomes
    assert (first.outcome, first.detail) == (Outcome.ANONYMISED, "fields-blanked")
    assert {other.outcome for other in others} == {Outcome.ERASED}


def test_a_persons_remark_is_a_code(erasure_instructed: Fulfilment) -> None:
    outcomes = became(Outcome.ERASED, *THREE, detail="Kari Vik had two accounts")

    with pytest.raises(DomainError, match="code"):
        answer(erasure_instructed, outcomes, by="anna")


def test_an_erasure_cannot_be_recorded_as_a_whole(erasure_instructed: Fulfilment) -> None:
    for action in (Action.ERASE, Action.FIND):
        with pytest.raises(DomainError, match="no way round"):
            erasure_instructed.record_done(
                system="shop", key="k", action=action, outcome=Outcome.ERASED, by="anna", at=AT
            )


# Reading back


def test_nothing_is_read_back_before_it_was_erased(
    search_planned: Fulfilment, erasure_instructed: Fulfilment
) -> None:
    """Neither a search that waits for a person nor an erasure that does is done by looking."""
    search_planned.escalate(system="shop", reason="look-up", at=AT)
    erasure_instructed.escalate(system="shop", reason="erase-by-hand", at=AT)

    for fulfilment in (search_planned, erasure_instructed):
        with pytest.raises(NotAllowedNow, match="nothing to read back"):
            read_back(fulfilment)
        assert not fulfilment.all_done


def test_what_is_still_there_goes_to_a_person(erasure_answered: Fulfilment) -> None:
    """B.7 row keys, B.3: no system is believed; erased is what a second look does not find."""
    read_back(erasure_answered, THREE[1])

    assert names(erasure_answered) == ["ReadBack", "Escalated"]
    assert erasure_answered.systems["shop"].waits_for == "still-there-after-erasure"
    with pytest.raises(NotAllowedNow):
        erasure_answered.complete(at=AT)

    read_back(erasure_answered, key="back-again")
    assert status(erasure_answered) is SystemStatus.DONE
    assert erasure_answered.systems["shop"].waits_for is None


def test_the_same_read_back_twice_changes_nothing(erasure_answered: Fulfilment) -> None:
    read_back(erasure_answered, THREE[1])
    erasure_answered.collect_events()
    read_back(erasure_answered)

    assert names(erasure_answered) == []


def test_a_system_that_was_away_during_the_read_back_is_read_back_later(
    erasure_answered: Fulfilment,
) -> None:
    fail(erasure_answered)
    assert status(erasure_answered) is SystemStatus.UNAVAILABLE

    read_back(erasure_answered)

    assert status(erasure_answered) is SystemStatus.DONE


KEPT, PARTLY, WEAK, GONE = found(), found(), found(Match.SAME_NAME), found()


@pytest.fixture
def partly_erased() -> Fulfilment:
    """One record is kept, one loses a field, one is a stranger's, one goes."""
    fulfilment = planned(("shop", Action.FIND))
    fulfilment.record_found(system="shop", key="f", found=(KEPT, PARTLY, WEAK, GONE), at=AT)
    fulfilment.instruct(
        system="shop",
        action=Action.ERASE,
        decisions=(keep(KEPT), keep(PARTLY, "amount"), erase(GONE)),
        at=AT,
    )
    answer(fulfilment, became(Outcome.ERASED, PARTLY, GONE))
    fulfilment.collect_events()
    return fulfilment


def test_what_was_kept_and_what_is_not_theirs_may_remain(partly_erased: Fulfilment) -> None:
    read_back(partly_erased, KEPT, PARTLY, WEAK)

    assert status(partly_erased) is SystemStatus.DONE


def test_what_was_to_go_may_not_hide_behind_what_is_kept(partly_erased: Fulfilment) -> None:
    read_back(partly_erased, KEPT, PARTLY, WEAK, GONE)

    event = partly_erased.collect_events()[0]
    assert isinstance(event, Fulfilment.ReadBack)
    assert event.unexpected == (GONE.digest,)


@pytest.mark.parametrize(
    ("outcome", "facts"),
    [
        (Outcome.RESIDUAL, {"residuals": (KnownResidual("invoice", "books"),)}),
        (Outcome.KEPT, {"ground": "no.bokforing.primary"}),
        (Outcome.PENDING_AT_VENDOR, {}),
    ],
)
def test_what_the_vendor_declares_to_remain_may_remain(
    erasure_instructed: Fulfilment, outcome: Outcome, facts: dict[str, Any]
) -> None:
    answer(
        erasure_instructed,
        became(Outcome.ERASED, *THREE[:2]) + became(outcome, THREE[2], **facts),
    )
    read_back(erasure_instructed, THREE[2])

    assert status(erasure_instructed) is SystemStatus.DONE


def test_a_delayed_job_is_followed_to_its_end(erasure_instructed: Fulfilment) -> None:
    """After its time is over, pending is no excuse any more."""
    answer(erasure_instructed, became(Outcome.PENDING_AT_VENDOR, *THREE))
    read_back(erasure_instructed, *THREE)
    erasure_instructed.complete(at=AT)
    for _ in range(2):
        erasure_instructed.wait_for_vendor(system="shop", not_before=AT + days(30), at=AT)
    assert names(erasure_instructed)[-2:] == ["Completed", "PendingAtVendor"]
    with pytest.raises(NotAllowedNow, match="needs until"):
        read_back(erasure_instructed, key="early")

    erasure_instructed.read_back(
        system="shop", key="due", remaining={THREE[0].digest: THREE[0]}, at=AT + days(30)
    )

    assert names(erasure_instructed) == ["ReadBack", "Escalated"]
    erasure_instructed.read_back(system="shop", key="end", remaining={}, at=AT + days(31))
    assert status(erasure_instructed) is SystemStatus.DONE


def test_nobody_waits_for_a_vendor_who_has_not_begun(erasure_instructed: Fulfilment) -> None:
    with pytest.raises(NotAllowedNow, match="not begun"):
        erasure_instructed.wait_for_vendor(system="shop", not_before=AT, at=AT)


# The person as a whole


def test_a_suppression_is_done_when_the_system_says_so(suppression_planned: Fulfilment) -> None:
    for _ in range(2):
        suppression_planned.record_done(
            system="mailing", key="s", action=Action.SUPPRESS, outcome=Outcome.SUPPRESSED, at=AT
        )
    suppression_planned.complete(at=AT)

    assert names(suppression_planned) == ["Answered", "Completed"]
    assert suppression_planned.done_as == {"mailing": Outcome.SUPPRESSED}


@pytest.mark.parametrize("outcome", [Outcome.MANUAL, Outcome.REFUSED])
def test_a_machine_does_nothing_by_hand_and_refuses_nothing(
    suppression_planned: Fulfilment, outcome: Outcome
) -> None:
    suppression_planned.record_done(
        system="mailing", key="s", action=Action.SUPPRESS, outcome=outcome, at=AT
    )
    assert status(suppression_planned, "mailing") is SystemStatus.WAITING_FOR_PERSON

    suppression_planned.record_done(
        system="mailing", key="s", action=Action.SUPPRESS, outcome=outcome, by="anna", at=AT
    )
    assert suppression_planned.all_done


def test_a_recipient_is_told_once(suppression_planned: Fulfilment) -> None:
    """B.1 row 19: one event per recipient."""
    for _ in range(2):
        suppression_planned.tell_recipient(told=Told("organiser", Outcome.INFORMED), at=AT)

    assert names(suppression_planned) == ["RecipientTold"]


# Failing, and coming late


def test_an_attempt_counts_once_and_a_new_answer_starts_anew(
    erasure_instructed: Fulfilment,
) -> None:
    fail(erasure_instructed, 1)
    fail(erasure_instructed, 1)
    fail(erasure_instructed, 2)
    answer(erasure_instructed, became(Outcome.ERASED, *THREE))
    fail(erasure_instructed, 1)

    assert names(erasure_instructed) == ["Unavailable", "Unavailable", "Answered", "Unavailable"]


@pytest.mark.parametrize(
    "step",
    [fail, lambda fulfilment: fulfilment.escalate(system="shop", reason="refused", at=AT)],
    ids=["unavailable", "escalated"],
)
def test_a_slow_worker_does_not_undo_what_another_has_done(
    fulfilment_completed: Fulfilment, step: Callable[[Fulfilment], None]
) -> None:
    step(fulfilment_completed)

    assert names(fulfilment_completed) == []
    assert fulfilment_completed.all_done


def test_a_person_is_called_once_for_each_reason(erasure_instructed: Fulfilment) -> None:
    for reason in ("look-up", "look-up", "erase-by-hand"):
        erasure_instructed.escalate(system="shop", reason=reason, at=AT)
    fail(erasure_instructed)
    erasure_instructed.escalate(system="shop", reason="erase-by-hand", at=AT)

    assert names(erasure_instructed) == ["Escalated", "Escalated", "Unavailable", "Escalated"]
    assert status(erasure_instructed) is SystemStatus.WAITING_FOR_PERSON


@pytest.mark.parametrize(
    "late_receipt",
    [
        lambda f: f.record_found(system="shop", key="x", found=THREE, at=AT),
        lambda f: answer(f, became(Outcome.ERASED, *THREE), key="x"),
        lambda f: answer(f, (), key="x"),
        lambda f: f.record_done(
            system="shop", key="x", action=Action.SUPPRESS, outcome=Outcome.REFUSED, at=AT
        ),
    ],
    ids=["found", "erased", "does not add up", "refused"],
)
def test_a_receipt_after_completion_is_recorded_as_late_and_changes_nothing(
    fulfilment_completed: Fulfilment, late_receipt: Callable[[Fulfilment], None]
) -> None:
    before = fulfilment_completed.systems["shop"].outcomes
    late_receipt(fulfilment_completed)
    late_receipt(fulfilment_completed)

    (event,) = fulfilment_completed.collect_events()
    assert isinstance(event, Fulfilment.Answered)
    assert event.late
    assert fulfilment_completed.systems["shop"].outcomes == before
    assert fulfilment_completed.all_done


def test_a_search_that_ends_after_the_answer_is_late(search_planned: Fulfilment) -> None:
    """Access: the package is sealed and sent; what comes now is recorded, not slipped in."""
    for system in ("shop", "mailing"):
        search_planned.record_found(system=system, key=system, found=(), at=AT)
    search_planned.complete(at=AT)
    search_planned.record_found(system="shop", key="again", found=THREE, at=AT)

    assert search_planned.found == ()


def test_a_second_answer_does_not_reopen_a_system_that_is_done() -> None:
    fulfilment = planned(("shop", Action.FIND), ("mailing", Action.FIND))
    fulfilment.record_found(system="shop", key="f", found=THREE, at=AT)
    fulfilment.instruct(
        system="shop", action=Action.ERASE, decisions=tuple(erase(r) for r in THREE), at=AT
    )
    answer(fulfilment, became(Outcome.ERASED, *THREE))
    read_back(fulfilment)
    answer(fulfilment, became(Outcome.ERASED, *THREE), key="from-a-slow-worker")

    assert status(fulfilment) is SystemStatus.DONE


def test_an_erasure_nobody_ordered_is_late_too(search_planned: Fulfilment) -> None:
    answer(search_planned, ())

    assert status(search_planned) is SystemStatus.ASKED


def test_what_is_complete_is_instructed_no_more(fulfilment_completed: Fulfilment) -> None:
    fulfilment_completed.complete(at=AT)
    with pytest.raises(NotAllowedNow, match="complete"):
        fulfilment_completed.instruct(
            system="shop", action=Action.ERASE, decisions=(erase(THREE[0]),), at=AT
        )

    assert names(fulfilment_completed) == []


def test_a_new_instruction_forgets_what_the_last_one_brought() -> None:
    fulfilment = planned(("shop", Action.FIND))
    fulfilment.record_found(system="shop", key="f", found=THREE, at=AT)
    decisions = tuple(erase(record) for record in THREE)
    fulfilment.instruct(system="shop", action=Action.ERASE, decisions=decisions, at=AT)
    answer(fulfilment, became(Outcome.ERASED, *THREE))
    read_back(fulfilment)
    fulfilment.instruct(system="shop", action=Action.ERASE, decisions=decisions, at=AT)

    with pytest.raises(NotAllowedNow, match="nothing to read back"):
        read_back(fulfilment, key="stale")
    assert fulfilment.systems["shop"].outcomes == ()


def test_a_replayed_fulfilment_is_the_same() -> None:
    fulfilment = planned(("shop", Action.FIND), ("mailing", Action.SUPPRESS))
    fulfilment.record_found(system="shop", key="f", found=THREE, at=AT)
    fulfilment.instruct(
        system="shop", action=Action.ERASE, decisions=tuple(erase(r) for r in THREE), at=AT
    )
    fail(fulfilment)
    answer(fulfilment, became(Outcome.ERASED, *THREE))
    fulfilment.read_back(system="shop", key="b", remaining={}, at=AT + timedelta(hours=1))
    fulfilment.record_done(
        system="mailing", key="s", action=Action.SUPPRESS, outcome=Outcome.SUPPRESSED, at=AT
    )
    fulfilment.complete(at=AT)
    answer(fulfilment, (), key="late")

    assert replayed(fulfilment.collect_events()) == fulfilment
