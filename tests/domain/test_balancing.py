"""An objection weighed purpose by purpose, and what ends with it or with a consent (Art. 21, 7)."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import uuid4

import pytest

from domain.balancing import (
    Balancing,
    Weighed,
    consent_only,
    consents,
    ends_by_objection,
    is_inferred,
    objectable,
)
from domain.errors import DomainError, NotAllowedNow
from tests.support.past import AT, names, ref, replayed
from tests.support.policies import POLICIES

BY: dict[str, Any] = {"by": "anna", "at": AT}


def opened() -> Balancing:
    return Balancing(
        request_id=uuid4(),
        case_id=uuid4(),
        controller="culture-house",
        purposes=("statistics", "website", "marketing"),
        absolute=("marketing",),
        timestamp=AT,
    )


def weighed(*, statistics: bool = False, marketing: bool = False) -> tuple[Weighed, ...]:
    return (
        Weighed("statistics", continues=statistics, grounds=ref() if statistics else None),
        Weighed("website", continues=False),
        Weighed("marketing", continues=marketing, grounds=ref()),
    )


def test_what_is_objected_to_stops_unless_compelling_grounds_are_written_down() -> None:
    """GK-08, B.1 row 21(1): the balance is struck purpose by purpose."""
    balance = opened()
    with pytest.raises(DomainError, match="compelling grounds"):
        balance.strike(
            weighed=(Weighed("statistics", continues=True), *weighed()[1:]),
            **BY,
        )
    balance.strike(weighed=weighed(statistics=True), **BY)

    assert balance.stopped == {"website", "marketing"}
    assert [one.purpose for one in balance.continued] == ["statistics"]
    with pytest.raises(NotAllowedNow, match="has been struck"):
        balance.strike(weighed=weighed(), **BY)


def test_the_prevention_of_fraud_may_go_on_with_its_reason() -> None:
    """MU-07: weighed like any interest; it goes on in that part only, with its grounds."""
    purposes = tuple(purpose.id for purpose in objectable(POLICIES["MU"]))
    assert "fraud-prevention" in purposes
    balance = Balancing(
        request_id=uuid4(),
        case_id=uuid4(),
        controller="shop",
        purposes=purposes,
        absolute=(),
        timestamp=AT,
    )

    def struck(grounds: Any) -> tuple[Weighed, ...]:
        return tuple(
            Weighed(p, continues=True, grounds=grounds)
            if p == "fraud-prevention"
            else Weighed(p, continues=False)
            for p in purposes
        )

    with pytest.raises(DomainError, match="compelling grounds"):
        balance.strike(weighed=struck(None), **BY)
    balance.strike(weighed=struck(ref()), **BY)

    assert [one.purpose for one in balance.continued] == ["fraud-prevention"]


def test_marketing_is_not_weighed_whatever_the_grounds() -> None:
    """AK-07, GK-19, B.1 row 21(1): absolute, for partners' shows too."""
    with pytest.raises(DomainError, match="absolute"):
        opened().strike(weighed=weighed(marketing=True), **BY)


def test_a_person_weighs_and_leaves_no_purpose_out() -> None:
    """GK-08, B.1 row 22."""
    balance = opened()
    with pytest.raises(DomainError, match="machine"):
        balance.strike(weighed=weighed(), by="trettio", at=AT)
    for some in (weighed()[1:], (*weighed(), weighed()[0])):
        with pytest.raises(DomainError, match="weigh each"):
            balance.strike(weighed=some, **BY)


def test_what_may_be_objected_to_is_what_rests_on_interest_or_public_task() -> None:
    """GK-16: 1, 4, 5 and 6 of the six purposes; 2 and 3 are contract."""
    assert [purpose.id for purpose in objectable(POLICIES["GK"])] == [
        "website",
        "customer-service",
        "statistics",
        "marketing",
    ]


def test_a_purpose_without_a_stated_basis_may_be_objected_to() -> None:
    """AK-29, AK-21, X-03: what the policy leaves out takes nothing away, so somebody weighs it."""
    assert [purpose.id for purpose in objectable(POLICIES["AK"])] == [
        "relation",
        "improvement",
        "newsletter",
    ]


def test_marketing_that_says_it_needs_no_consent_can_be_left_as_it_was_entered() -> None:
    """GK-16, AK-08: opting out and withdrawing are both valid."""
    assert [purpose.id for purpose in consents(POLICIES["GK"])] == ["marketing"]
    assert [purpose.id for purpose in consents(POLICIES["AK"])] == ["newsletter"]


def test_inferences_go_with_any_objection_to_marketing() -> None:
    """GK-15: what was made of the person for marketing, and nothing they gave."""
    profile = POLICIES["GK"]
    inferred = [c.id for c in profile.categories if is_inferred(profile, c)]

    assert inferred == ["profiling"]


def test_what_a_contract_needs_too_outlasts_an_objection() -> None:
    """OK-09, GK-08: only what nothing else needs ends."""
    profile = POLICIES["GK"]
    stopped = {purpose.id for purpose in objectable(profile)}
    ending = {c.id for c in profile.categories if ends_by_objection(profile, c, stopped)}

    assert {"usage", "profiling", "newsletter"} <= ending
    assert not {"profile", "purchases", "payments"} & ending


def test_withdrawal_takes_what_consent_alone_carried() -> None:
    """OK-07, AO-17: the newsletter goes, an order stays under its contract."""
    for short in ("OK", "AO"):
        profile = POLICIES[short]
        withdrawn = {purpose.id for purpose in profile.purposes}
        gone = {c.id for c in profile.categories if consent_only(profile, c, withdrawn)}

        assert "newsletter" in gone
        assert not {"contact", "orders", "purchases"} & gone


def test_a_consent_that_was_not_withdrawn_carries_on() -> None:
    """AK-08: purpose by purpose."""
    profile = POLICIES["AK"]
    newsletter = profile.category("newsletter")

    assert consent_only(profile, newsletter, {"newsletter"})
    assert not consent_only(profile, newsletter, set())
    shared = dataclasses.replace(newsletter, purposes=("newsletter", "relation"))
    assert not consent_only(profile, shared, {"newsletter"})


def test_a_replayed_balance_is_the_same() -> None:
    balance = opened()
    balance.give_grounds(words=ref(), **BY)
    balance.strike(weighed=weighed(), **BY)
    events = balance.collect_events()

    assert [type(event).__name__ for event in events] == ["Opened", "Grounded", "Struck"]
    assert replayed(events) == balance
    assert names(balance) == []
