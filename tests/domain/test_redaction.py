"""What is about others is covered by a person, with a reason, before a copy leaves (Art. 15(4))."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.redaction import Redaction
from domain.request import DataSubjectRequest
from domain.values import FoundRecord, Passage
from domain.vocabulary import CoverReason, IdentityMethod, Right
from tests.support.past import AT, found, received, ref

ABOUT_OTHERS = replace(found(category="communication"), mentions_others=True)


def passage(record: FoundRecord, **facts: Any) -> Passage:
    return Passage(uuid4(), record.record_id, record.content, 0, CoverReason.OTHER_PERSON, **facts)


def redaction() -> Redaction:
    return Redaction(request_id=uuid4(), case_id=uuid4(), controller="hall", timestamp=AT)


def collected(right: Right) -> DataSubjectRequest:
    request = received(right)
    request.verify_identity(method=IdentityMethod.EID, person=ref(), at=AT)
    request.collect_data(found=(ABOUT_OTHERS, found()), at=AT)
    return request


def approve(request: DataSubjectRequest, made: Redaction) -> None:
    looked_at = made.looked_at(request.own_records)
    request.approve(decisions=(), profile_version="v1", by="ola", looked_at=looked_at, at=AT)


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY])
def test_no_copy_is_approved_before_somebody_has_looked_for_others(right: Right) -> None:
    """GK-13, Art. 15(4) and 20(4): correspondence has a third-party step; nobody passes it by."""
    request, made = collected(right), redaction()

    with pytest.raises(NotAllowedNow, match="1 records may be about other people"):
        approve(request, made)

    made.cover(passage=passage(ABOUT_OTHERS), by="ola", at=AT)
    approve(request, made)
    assert request.approved_by == "ola"


def test_a_record_that_somebody_has_read_may_be_given_whole() -> None:
    request, made = collected(Right.ACCESS), redaction()
    made.clear(found=ABOUT_OTHERS, reason="nothing-about-others", by="ola", at=AT)

    approve(request, made)


def test_what_is_uncovered_has_to_be_looked_at_again() -> None:
    made, covered = redaction(), passage(ABOUT_OTHERS)
    made.cover(passage=covered, by="ola", at=AT)
    assert made.looked_at([ABOUT_OTHERS]) == {ABOUT_OTHERS.record_id}

    made.uncover(passage_id=covered.passage_id, reason="looked-again", by="ola", at=AT)

    assert made.of(ABOUT_OTHERS) == ()
    assert made.looked_at([ABOUT_OTHERS]) == frozenset()


def test_to_cover_in_a_cleared_record_takes_the_clearing_back() -> None:
    made, covered = redaction(), passage(ABOUT_OTHERS)
    made.clear(found=ABOUT_OTHERS, reason="nothing-about-others", by="ola", at=AT)
    made.cover(passage=covered, by="ola", at=AT)
    made.uncover(passage_id=covered.passage_id, reason="looked-again", by="ola", at=AT)

    assert made.looked_at([ABOUT_OTHERS]) == frozenset()


def test_what_was_found_anew_is_looked_at_anew() -> None:
    """The same record may say something else by now: a range in it would cover other words."""
    made = redaction()
    made.cover(passage=passage(ABOUT_OTHERS), by="ola", at=AT)
    again = replace(ABOUT_OTHERS, content=ref())

    assert made.of(again) == ()
    assert made.looked_at([again]) == frozenset()


def test_a_covered_record_is_not_cleared_over_its_passages() -> None:
    made = redaction()
    made.cover(passage=passage(ABOUT_OTHERS), by="ola", at=AT)

    with pytest.raises(NotAllowedNow, match="uncover them first"):
        made.clear(found=ABOUT_OTHERS, reason="nothing-about-others", by="ola", at=AT)


@pytest.mark.parametrize("by", ["", "trettio"])
def test_only_a_person_covers_and_clears(by: str) -> None:
    made = redaction()

    with pytest.raises(DomainError):
        made.cover(passage=passage(ABOUT_OTHERS), by=by, at=AT)
    with pytest.raises(DomainError):
        made.clear(found=ABOUT_OTHERS, reason="nothing-about-others", by=by, at=AT)


def test_a_passage_has_both_its_ends_in_their_order() -> None:
    made = redaction()

    for facts in ({"start": 3}, {"end": 3}, {"start": 3, "end": 3}, {"start": -1, "end": 3}):
        with pytest.raises(DomainError):
            made.cover(passage=passage(ABOUT_OTHERS, **facts), by="ola", at=AT)


def test_the_same_again_changes_nothing() -> None:
    made, covered = redaction(), passage(ABOUT_OTHERS, start=0, end=4)
    for _ in range(2):
        made.cover(passage=covered, by="ola", at=AT)
    made.uncover(passage_id=uuid4(), reason="looked-again", by="ola", at=AT)

    assert len(made.collect_events()) == 2
