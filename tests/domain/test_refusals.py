"""On what a request may be refused: what law, country, body and promise leave (Art. 12(5), 23)."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.policy import BodyType
from domain.refusal import Refusal, Standing
from domain.refusals import available, chosen, require_too_frequent
from domain.vocabulary import Language, RefusalGround, Right
from tests.support.past import AT, ref
from tests.support.policies import POLICIES


def codes(short: str, right: Right, body: BodyType | None = None) -> set[str]:
    profile = POLICIES[short]
    profile = dataclasses.replace(profile, body_type=body or profile.body_type)
    return {reason.code for reason in available(profile, right)}


def test_each_country_offers_its_own_exceptions_from_access() -> None:
    """B.1 row 23, B.4 row act, B.5 row act, GK-21: by letter, and never the neighbour's."""
    norway, sweden = codes("GK", Right.ACCESS), codes("MU", Right.ACCESS)

    assert {f"no.pol.16.{letter}" for letter in "abcdf"} <= norway
    assert {"se.dsl.5.1", "se.dsl.5.2"} <= sweden
    assert not [code for code in sweden if code.startswith("no.")]
    assert not [code for code in norway if code.startswith("se.")]


@pytest.mark.parametrize("body", BodyType)
def test_the_contested_letter_is_offered_to_public_bodies_alone(body: BodyType) -> None:
    """E-04: section 16 e is contested, and never for a cinema."""
    assert ("no.pol.16.e" in codes("AK", Right.ACCESS, body)) is (body is BodyType.PUBLIC_BODY)


def test_effort_rudeness_or_a_dispute_cannot_be_chosen() -> None:
    """B.2.6: they are no reasons, so none of them is there."""
    known = {code for short in POLICIES for right in Right for code in codes(short, right)}

    assert known
    words = ("effort", "work", "rude", "litigation", "dispute", "reason", "yearly", "history")
    assert not [code for code in known if any(word in code for word in words)]
    with pytest.raises(DomainError, match="name the law"):
        chosen(POLICIES["AK"], Right.ACCESS, RefusalGround.EXCESSIVE, "much-work")


@pytest.mark.parametrize(
    ("earlier", "excessive"),
    [
        ([], False),
        ([date(2025, 11, 22)], False),
        ([date(2025, 11, 21)], False),
        ([date(2025, 11, 23)], True),
        ([date(2020, 1, 1), date(2026, 11, 1)], True),
        ([date(2026, 12, 1)], False),
    ],
)
def test_a_year_or_more_between_two_requests_is_never_excessive(
    earlier: list[date], excessive: bool
) -> None:
    """B.2.6, OK-06: nor is a first one, and what came later does not count."""
    on = date(2026, 11, 22)
    if excessive:
        require_too_frequent(on, earlier)
    else:
        with pytest.raises(DomainError):
            require_too_frequent(on, earlier)


def test_the_promise_takes_an_exception_away() -> None:
    """AK-06, X-02: what the law allows for an erasure the policy may have ruled out."""
    strict = dataclasses.replace(POLICIES["AO"], allowed_exceptions=frozenset())
    open_ = dataclasses.replace(POLICIES["AO"], allowed_exceptions=None)

    def grounds(profile: Any) -> set[str]:
        return {
            reason.code
            for reason in available(profile, Right.ERASURE)
            if reason.ground is RefusalGround.NOT_ENTITLED
        }

    assert grounds(strict) < grounds(open_)
    assert "17.3.b" in grounds(open_) - grounds(strict)


def test_every_reason_cites_its_law_as_it_was_read_and_has_four_titles() -> None:
    """E-04: laws by name and the day they were read; E-07: in the person's language."""
    for short in POLICIES:
        for right in Right:
            for reason in available(POLICIES[short], right):
                assert reason.law.strip()
                assert reason.read_on.year >= 2026
                assert set(reason.title) == set(Language)


def test_marketing_cannot_be_refused_on_a_balance() -> None:
    """AK-07, B.1 row 21(1)."""
    for profile in POLICIES.values():
        grounds = {r.ground for r in available(profile, Right.OBJECTION_TO_MARKETING)}

        assert RefusalGround.NOT_ENTITLED not in grounds
        assert RefusalGround.NATIONAL_EXCEPTION not in grounds


# Two people


def proposed(**facts: Any) -> Refusal:
    whole: dict[str, Any] = {
        "request_id": uuid4(),
        "case_id": uuid4(),
        "ground": RefusalGround.EXCESSIVE,
        "code": "repetitive",
        "words": ref(),
        "proof": ref(),
        "by": "anna",
        "timestamp": AT,
    }
    return Refusal(**(whole | facts))


@pytest.mark.parametrize("by", ["anna", " ANNA", "trettio", ""])
def test_nobody_confirms_their_own_proposal(by: str) -> None:
    """B.1 row 12(5): two people and written proof."""
    refusal = proposed()
    with pytest.raises(DomainError):
        refusal.confirm(by=by, at=AT)
    assert refusal.is_open

    refusal.confirm(by="berit", at=AT)
    assert refusal.standing is Standing.CONFIRMED


def test_a_fee_that_was_never_announced_is_not_taken() -> None:
    """B.1 row 12(5), B.2.6: word before any charge."""
    with pytest.raises(NotAllowedNow, match="no fee has been announced"):
        proposed().take_fee(by="berit", at=AT)


def test_other_grounds_need_no_second_person() -> None:
    with pytest.raises(DomainError, match="only what is unfounded or excessive"):
        proposed(ground=RefusalGround.NATIONAL_EXCEPTION, code="no.pol.16.b")


@pytest.mark.parametrize("right", Right)
def test_authority_is_asked_only_of_who_asks_for_somebody_else(right: Right) -> None:
    """E-08, B.2.5: nobody has to show that they may ask for themselves."""
    for profile in POLICIES.values():
        assert "authority" not in {one.code for one in available(profile, right)}
    offered = {one.code for one in available(POLICIES["AK"], Right.ACCESS, for_another=True)}
    assert "authority" in offered
    with pytest.raises(DomainError, match="name the law"):
        chosen(POLICIES["AK"], right, RefusalGround.NOT_ENTITLED, "authority")
