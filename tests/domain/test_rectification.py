"""What somebody says is wrong, claim by claim, each with its ground, wish and outcome (Art. 16)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.rectification import Claim, ClaimGround, ClaimOutcome, Rectification, Wish
from tests.support.past import AT, names, ref, replayed

BY: dict[str, Any] = {"by": "anna", "at": AT}


@pytest.fixture
def begun() -> Rectification:
    made = Rectification(
        request_id=uuid4(), case_id=uuid4(), controller="culture-house", by="anna", timestamp=AT
    )
    made.collect_events()
    return made


def claim(
    ground: ClaimGround = ClaimGround.WRONG, wish: Wish = Wish.RECTIFY, **facts: Any
) -> Claim:
    should_be = None if wish is Wish.ERASE else ref()
    whole = {"category": "contact", "field": "street", "should_be": should_be} | facts
    return Claim(id=uuid4(), ground=ground, wish=wish, **whole)


def accepted(made: Rectification, one: Claim) -> UUID:
    made.make_claim(claim=one, **BY)
    made.accept(claim_id=one.id, record_id=uuid4(), system="shop", **BY)
    return one.id


@pytest.mark.parametrize("ground", ["wrong", "unnecessary", "incomplete", "outdated", "misleading"])
def test_a_field_may_be_contested_on_each_ground(begun: Rectification, ground: str) -> None:
    """AK-05: four grounds; GK-05: what misleads is a fifth; OK-04."""
    assert ground in {each.value for each in ClaimGround}

    begun.make_claim(claim=claim(ClaimGround(ground), Wish.ERASE), **BY)

    (state,) = begun.claims.values()
    assert (state.claim.ground.value, state.accepted, state.outcome) == (ground, None, None)


@pytest.mark.parametrize(
    ("wish", "outcome"),
    [
        (Wish.RECTIFY, ClaimOutcome.RECTIFIED),
        (Wish.COMPLETE, ClaimOutcome.COMPLETED),
        (Wish.ERASE, ClaimOutcome.ERASED),
        (Wish.SUPPLEMENT, ClaimOutcome.STATEMENT_ADDED),
    ],
)
def test_each_claim_ends_as_the_person_wished(
    begun: Rectification, wish: Wish, outcome: ClaimOutcome
) -> None:
    """AK-05, AO-05: rectified or erased as they chose; GK-05: a statement may be added."""
    claim_id = accepted(begun, claim(wish=wish))
    begun.settle(**BY)
    for _ in range(2):
        begun.treat(claim_id=claim_id, before=ref(), after=ref(), at=AT)

    assert begun.claims[claim_id].outcome is outcome
    assert names(begun) == ["Claimed", "Accepted", "Settled", "Treated"]


def test_one_claim_may_be_refused_beside_another_that_is_met(begun: Rectification) -> None:
    """AK-05: each its own outcome, and a refusal has its reasons; AO-06."""
    met = accepted(begun, claim())
    other = claim(ClaimGround.UNNECESSARY, Wish.ERASE)
    begun.make_claim(claim=other, **BY)
    begun.refuse(claim_id=other.id, reasons=ref(), ground="no.bokforing.primary", **BY)
    begun.settle(**BY)
    begun.treat(claim_id=met, before=None, after=ref(), at=AT)

    assert [state.outcome for state in begun.claims.values()] == [
        ClaimOutcome.RECTIFIED,
        ClaimOutcome.REFUSED,
    ]
    with pytest.raises(NotAllowedNow, match="settled"):
        begun.make_claim(claim=claim(), **BY)


def test_a_law_that_nobody_knows_refuses_nothing(begun: Rectification) -> None:
    """AK-06: a useful history is no ground here either."""
    one = claim()
    begun.make_claim(claim=one, **BY)

    with pytest.raises(DomainError, match="no ground"):
        begun.refuse(claim_id=one.id, reasons=ref(), ground="useful_history", **BY)


def test_every_claim_is_decided_by_a_person_before_anything_is_done(begun: Rectification) -> None:
    """B.1 row 16, B.1 row 22: none is left lying, and no machine says no."""
    one = claim()
    with pytest.raises(NotAllowedNow, match="no claim yet"):
        begun.settle(**BY)
    begun.make_claim(claim=one, **BY)
    with pytest.raises(NotAllowedNow, match="1 claims wait"):
        begun.settle(**BY)
    with pytest.raises(DomainError, match="machine"):
        begun.refuse(claim_id=one.id, reasons=ref(), by="trettio", at=AT)
    with pytest.raises(NotAllowedNow, match="decide every claim"):
        begun.treat(claim_id=one.id, before=None, after=None, at=AT)


@pytest.mark.parametrize("field", ["", "kari@person.example", "Kari Vik, Storgata 1\n", "x" * 90])
def test_what_a_field_says_is_never_in_the_log(begun: Rectification, field: str) -> None:
    """B.1 row 16: before and after lie in the vault; the log has the field's name only."""
    with pytest.raises(DomainError, match="name the field"):
        begun.make_claim(claim=claim(field=field), **BY)


@pytest.mark.parametrize(
    ("ground", "wish", "should_be"),
    [
        (ClaimGround.UNNECESSARY, Wish.RECTIFY, ref()),
        (ClaimGround.WRONG, Wish.RECTIFY, None),
        (ClaimGround.WRONG, Wish.ERASE, ref()),
    ],
)
def test_a_claim_that_contradicts_itself_is_refused_with_what_to_do(
    begun: Rectification, ground: ClaimGround, wish: Wish, should_be: Any
) -> None:
    with pytest.raises(DomainError, match="say"):
        begun.make_claim(claim=claim(ground, wish, should_be=should_be), **BY)


def test_only_contested_accuracy_can_restrict_meanwhile(begun: Rectification) -> None:
    """B.1 row 18, letter a: what is incomplete or unnecessary is not contested."""
    contesting = {ground for ground in ClaimGround if ground.contests_accuracy}

    assert contesting == {ClaimGround.WRONG, ClaimGround.OUTDATED, ClaimGround.MISLEADING}


def test_a_replayed_rectification_is_the_same() -> None:
    made = Rectification(
        request_id=uuid4(), case_id=uuid4(), controller="culture-house", by="anna", timestamp=AT
    )
    claim_id = accepted(made, claim())
    made.settle(**BY)
    made.treat(claim_id=claim_id, before=None, after=ref(), at=AT)

    assert replayed(made.collect_events()) == made
