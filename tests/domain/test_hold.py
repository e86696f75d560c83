"""What must be kept, by which law, until which day, and what happens then (Art. 17(3))."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.grounds import LEGAL_CLAIM
from domain.hold import Hold
from tests.support.past import AT, TODAY, days, names, ref, replayed

BOOKS = "no.bokforing.primary"


def placed(*, until: date | None = TODAY, ground: str = BOOKS, **facts: Any) -> Hold:
    defaults: dict[str, Any] = {
        "request_id": uuid4(),
        "case_id": uuid4(),
        "controller": "culture-house",
        "system": "shop",
        "category": "orders",
        "ground": ground,
        "release_on": until,
        "records": (uuid4(),),
        "keys": ref(),
        "by": "anna",
        "timestamp": AT,
    }
    return Hold(**(defaults | facts))


@pytest.fixture
def hold_placed() -> Hold:
    hold = placed()
    hold.collect_events()
    return hold


@pytest.fixture
def hold_released(hold_placed: Hold) -> Hold:
    hold_placed.release(on=TODAY + days(1), at=AT + days(1))
    hold_placed.collect_events()
    return hold_placed


@pytest.mark.parametrize(
    "facts",
    [{"ground": "useful_history"}, {"by": ""}, {"by": "trettio"}, {"records": ()}],
    ids=["no law", "nobody", "a machine", "a blanket"],
)
def test_a_hold_has_a_known_ground_a_person_and_its_records(facts: dict[str, Any]) -> None:
    """AK-06: a kept field names law or claim; AK-17: no blanket hold."""
    with pytest.raises(DomainError):
        placed(**facts)


@pytest.mark.parametrize("missing", ["reason", "owner", "review_on"])
def test_a_legal_claim_needs_reason_owner_and_review(missing: str) -> None:
    """AK-17: a human reason, an owner and a review date."""
    facts = {"reason": ref(), "owner": "berit", "review_on": TODAY + days(90)}
    placed(ground=LEGAL_CLAIM, until=None, **facts)

    with pytest.raises(DomainError, match="reason, an owner and a review"):
        placed(ground=LEGAL_CLAIM, until=None, **{**facts, missing: None})


def test_a_hold_stands_through_its_last_day(hold_placed: Hold) -> None:
    with pytest.raises(NotAllowedNow, match="until and including"):
        hold_placed.release(on=TODAY, at=AT)
    for _ in range(2):
        hold_placed.release(on=TODAY + days(1), at=AT + days(1))

    assert names(hold_placed) == ["Released"]


def test_a_hold_is_not_released_by_naming_a_day_to_come(hold_placed: Hold) -> None:
    with pytest.raises(NotAllowedNow, match="still to come"):
        hold_placed.release(on=TODAY + days(2), at=AT)


def test_a_hold_without_a_day_ends_by_a_person_with_a_reason() -> None:
    """AK-17: a claim that has fallen away ends; time alone does not end it."""
    hold = placed(until=None)
    with pytest.raises(DomainError, match="lifts it"):
        hold.release(on=TODAY, at=AT)
    with pytest.raises(DomainError):
        hold.lift(on=TODAY, reason=ref(), by="trettio", at=AT)

    hold.lift(on=TODAY, reason=ref(), by="anna", at=AT)

    assert hold.released_on == TODAY


def test_a_hold_is_lifted_once_and_not_in_the_future(hold_placed: Hold) -> None:
    with pytest.raises(NotAllowedNow, match="still to come"):
        hold_placed.lift(on=TODAY + days(2), reason=ref(), by="anna", at=AT)
    for _ in range(2):
        hold_placed.lift(on=TODAY, reason=ref(), by="anna", at=AT)

    assert names(hold_placed) == ["Released"]


def test_nothing_is_erased_under_a_standing_hold(hold_placed: Hold) -> None:
    with pytest.raises(NotAllowedNow, match="released before"):
        hold_placed.erase_at_release(at=AT)


def test_the_person_is_told_after_the_erasure_and_once(hold_released: Hold) -> None:
    with pytest.raises(NotAllowedNow, match="nothing has been erased"):
        hold_released.tell_subject(at=AT)
    for _ in range(2):
        hold_released.erase_at_release(at=AT)
        hold_released.tell_subject(at=AT)

    assert names(hold_released) == ["ErasedAtRelease", "SubjectTold"]


def test_a_replayed_hold_is_the_same() -> None:
    hold = placed()
    hold.release(on=TODAY + days(1), at=AT + days(1))
    hold.erase_at_release(at=AT + days(1))

    assert replayed(hold.collect_events()) == hold
