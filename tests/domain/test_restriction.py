"""Data that is kept and not used, and how that ends (Art. 18)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.restriction import At, Restriction, RestrictionGround
from domain.vocabulary import Outcome
from tests.support.past import AT, TODAY, days, replayed

BY: dict[str, Any] = {"by": "anna", "at": AT}


def restricted(
    ground: RestrictionGround = RestrictionGround.OBJECTION_PENDING, **facts: Any
) -> Restriction:
    whole: dict[str, Any] = {
        "request_id": uuid4(),
        "case_id": uuid4(),
        "controller": "culture-house",
        "ground": ground,
        "systems": ("shop", "mailing"),
        "until": None,
        "condition": ground.ends_with,
        "by": "anna",
        "timestamp": AT,
    }
    return Restriction(**(whole | facts))


@pytest.fixture
def standing() -> Restriction:
    made = restricted()
    made.record_restricted(system="shop", outcome=Outcome.RESTRICTED, at=AT)
    made.record_restricted(system="mailing", outcome=Outcome.NOT_FOUND, at=AT)
    made.collect_events()
    return made


def test_it_is_set_system_by_system_and_keeps_the_data() -> None:
    """GK-07, B.1 row 18: every system answers for itself, and erased is no answer."""
    made = restricted()
    made.record_restricted(system="shop", outcome=Outcome.RESTRICTED, at=AT)
    assert not made.all_set

    with pytest.raises(DomainError, match="no outcome of a restriction"):
        made.record_restricted(system="mailing", outcome=Outcome.ERASED, at=AT)
    made.record_restricted(system="mailing", outcome=Outcome.SUPPRESSED, at=AT)

    assert made.all_set
    assert made.stands


def test_it_is_not_lifted_before_the_person_was_warned(standing: Restriction) -> None:
    """GK-07, B.1 row 18: told before lifting, and not a day before the day they were told."""
    with pytest.raises(NotAllowedNow, match="told before"):
        standing.lift(told_on=None, pause_days=3, on=TODAY + days(30), **BY)
    standing.announce(letter_id=uuid4(), reason="balance-struck", **BY)
    with pytest.raises(NotAllowedNow, match="told before"):
        standing.lift(told_on=None, pause_days=3, on=TODAY + days(30), **BY)
    with pytest.raises(NotAllowedNow, match="lift it then"):
        standing.lift(told_on=TODAY, pause_days=3, on=TODAY + days(3), **BY)
    assert standing.stands

    standing.lift(told_on=TODAY, pause_days=3, on=TODAY + days(4), **BY)

    assert not standing.stands
    assert standing.systems["shop"].at is At.TO_LIFT
    assert standing.systems["mailing"].at is At.NOT_HELD


def test_no_system_lifts_it_by_itself(standing: Restriction) -> None:
    """GK-07."""
    with pytest.raises(NotAllowedNow, match="tell the person first"):
        standing.record_lifted(system="shop", at=AT)


def test_a_system_that_forgot_it_is_asked_again(standing: Restriction) -> None:
    """GK-07: set, and still set when somebody looks."""
    standing.check(system="shop", holds=False, at=AT + days(7))

    assert standing.systems["shop"].at is At.ASKED


@pytest.mark.parametrize("ground", [RestrictionGround.UNLAWFUL, RestrictionGround.LEGAL_CLAIM])
def test_a_machine_restricts_meanwhile_and_judges_nothing(ground: RestrictionGround) -> None:
    """B.1 row 18, B.1 row 22: unlawfulness and claims are for a person to see."""
    for meanwhile in (RestrictionGround.ACCURACY_CONTESTED, RestrictionGround.OBJECTION_PENDING):
        assert restricted(meanwhile, by=None).stands
    with pytest.raises(DomainError):
        restricted(ground, by=None)


def test_every_ground_has_what_ends_it() -> None:
    """B.1 row 18: letters a to d, each with its end."""
    assert {ground.value for ground in RestrictionGround} == {"a", "b", "c", "d"}
    assert len({ground.ends_with for ground in RestrictionGround}) == 4


def test_a_replayed_restriction_is_the_same() -> None:
    made = restricted()
    made.record_restricted(system="shop", outcome=Outcome.RESTRICTED, at=AT)
    made.announce(letter_id=uuid4(), reason="balance-struck", **BY)
    made.lift(told_on=TODAY, pause_days=3, on=TODAY + days(4), **BY)
    made.record_lifted(system="shop", at=AT)

    assert replayed(made.collect_events()) == made


def test_who_asked_for_it_may_give_it_up_without_a_letter(standing: Restriction) -> None:
    """Art. 17, 18(3): nobody is warned of what they said themselves; whose word it was stays."""
    erasure = uuid4()

    standing.give_up(erasure=erasure, on=TODAY, **BY)
    standing.give_up(erasure=uuid4(), on=TODAY, **BY)

    assert (standing.stands, standing.given_up_for) == (False, erasure)
    assert standing.systems["shop"].at is At.TO_LIFT
    assert standing.systems["mailing"].at is At.NOT_HELD
    with pytest.raises(NotAllowedNow, match="lifted already"):
        standing.announce(letter_id=uuid4(), reason="claim-over", **BY)
