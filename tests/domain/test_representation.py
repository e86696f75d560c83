"""Who may ask for whom: children and parents, guardians and agents (law E-08, GK-26)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import DomainError, NotAllowedNow
from domain.representation import (
    ENOUGH,
    AnswerTo,
    AuthorityEvidence,
    ChildView,
    Missing,
    Representation,
    RepresentationKind,
    age_on,
    default_answer_to,
)
from domain.vocabulary import IdentityMethod
from tests.support.past import AT, ref

PARENT, AGENT = RepresentationKind.PARENT, RepresentationKind.AGENT
BY: dict[str, Any] = {"by": "ola", "at": AT}


def claimed(kind: RepresentationKind = PARENT, age: int | None = 9) -> Representation:
    return Representation(
        case_id=uuid4(),
        controller="culture-house",
        kind=kind,
        age=age,
        own_answer_from=15,
        representative=ref(),
        by="ola",
        timestamp=AT,
    )


def identified(kind: RepresentationKind = PARENT, age: int | None = 9) -> Representation:
    one = claimed(kind, age)
    one.identify(method=IdentityMethod.CODE_TO_ADDRESS, representative=ref(), at=AT)
    return one


def checked(age: int | None = 9, *, conflict: bool = False, view: ChildView | None = None) -> Any:
    """A parent about whom everything has been found out."""
    one = identified(PARENT, age)
    one.see_evidence(evidence=AuthorityEvidence.POPULATION_REGISTER, **BY)
    one.check_address(protected=False, **BY)
    one.check_conflict(known=conflict, **BY)
    if view is not None:
        one.hear_child(view=view, reason="asked-in-person", **BY)
    return one


def test_a_parents_request_waits_for_four_answers() -> None:
    """E-08: parental responsibility, the child's view from 12, the address, a conflict."""
    assert set(claimed(age=12).missing) == set(Missing)
    assert set(claimed(age=11).missing) == set(Missing) - {Missing.CHILD_VIEW}
    assert set(claimed(AGENT, age=None).missing) == {Missing.IDENTITY, Missing.EVIDENCE}
    with pytest.raises(NotAllowedNow, match="find out about"):
        claimed().accept(**BY)


@given(age=st.integers(0, 17), view=st.sampled_from(ChildView), conflict=st.booleans())
@example(age=14, view=ChildView.AGREES, conflict=False)
@example(age=15, view=ChildView.AGREES, conflict=False)
def test_from_fifteen_the_answer_goes_to_the_young_person(
    age: int, view: ChildView, conflict: bool
) -> None:
    """E-08: by default the answer for somebody of 15 or more goes to the young person."""
    one = checked(age, conflict=conflict, view=view)

    to_the_parent = age < 15 and not conflict and view is not ChildView.DISAGREES

    assert (one.usual_answer_to is AnswerTo.REPRESENTATIVE) is to_the_parent


def test_a_child_whose_age_nobody_knows_is_taken_for_old_enough() -> None:
    assert checked(None, view=ChildView.AGREES).usual_answer_to is AnswerTo.PERSON


def test_the_controller_may_decide_on_another_age() -> None:
    """E-08: the controller decides, dated, from which age the answer goes to the young person."""
    facts: dict[str, Any] = {"conflict": False, "view": None, "receives": False}

    assert default_answer_to(PARENT, 14, own_answer_from=13, **facts) is AnswerTo.PERSON
    assert default_answer_to(PARENT, 15, own_answer_from=16, **facts) is AnswerTo.REPRESENTATIVE


def test_to_send_it_elsewhere_takes_a_reason_and_never_goes_against_the_child() -> None:
    one = checked(16, view=ChildView.AGREES)
    with pytest.raises(DomainError, match="say why"):
        one.accept(answer_to=AnswerTo.REPRESENTATIVE, **BY)
    one.accept(answer_to=AnswerTo.REPRESENTATIVE, reason="child-wishes-it", **BY)
    assert one.answer_to is AnswerTo.REPRESENTATIVE

    against = checked(13, view=ChildView.DISAGREES)
    with pytest.raises(DomainError, match="does not want it"):
        against.accept(answer_to=AnswerTo.REPRESENTATIVE, reason="court-decision", **BY)


def test_parents_in_conflict_are_accepted_with_a_reason_only() -> None:
    with pytest.raises(DomainError, match="say why"):
        checked(9, conflict=True).accept(**BY)


@pytest.mark.parametrize("age", [5, 13, 14, None])
def test_no_age_is_a_ground_to_refuse_who_asks_for_themselves(age: int | None) -> None:
    """GK-26, B.7 row child: nobody of 13 or 14 is ever refused for their age."""
    one = claimed(RepresentationKind.ONESELF, age)

    assert one.missing == ()
    assert one.usual_answer_to is AnswerTo.PERSON
    with pytest.raises(DomainError, match="no age is a ground"):
        one.reject(reason="too-young", **BY)


def test_parental_responsibility_ends_at_eighteen() -> None:
    with pytest.raises(DomainError, match="ends at 18"):
        claimed(PARENT, 18)


@pytest.mark.parametrize("kind", ENOUGH)
def test_only_what_shows_this_authority_counts(kind: RepresentationKind) -> None:
    """E-08: a power of attorney does not make a parent."""
    for evidence in AuthorityEvidence:
        one = identified(kind, None)
        if evidence in ENOUGH[kind]:
            one.see_evidence(evidence=evidence, **BY)
            assert Missing.EVIDENCE not in one.missing
        else:
            with pytest.raises(DomainError, match="does not show"):
                one.see_evidence(evidence=evidence, **BY)


def test_an_agent_gets_the_answer_only_when_the_authority_says_so() -> None:
    """E-08, B.2.5: the answer goes to person or agent as authority says."""
    for receives, to in ((True, AnswerTo.REPRESENTATIVE), (False, AnswerTo.PERSON)):
        one = identified(AGENT, None)
        one.see_evidence(evidence=AuthorityEvidence.POWER_OF_ATTORNEY, receives=receives, **BY)
        one.accept(**BY)
        assert one.answer_to is to


def test_a_machine_accepts_nobody() -> None:
    one = checked()
    with pytest.raises(DomainError, match="machine"):
        one.accept(by="trettio", at=AT)


@given(born=st.dates(date(1950, 1, 1), date(2026, 1, 1)), day=st.dates(date(2026, 1, 1)))
def test_age_is_counted_in_birthdays(born: date, day: date) -> None:
    birthdays = 0
    while True:
        year = born.year + birthdays + 1
        leap = (born.month, born.day) == (2, 29) and not (
            year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        )
        if year > day.year or (date(year, 3, 1) if leap else born.replace(year=year)) > day:
            break
        birthdays += 1
    assert age_on(born, day) == birthdays
