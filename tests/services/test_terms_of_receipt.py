"""A right of a case gets its dates and marks from its receipt and the policy in force then."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from domain.case import Case
from domain.policy import BodyType, Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Channel, Language, ReceiptSource, Right, TriageKind
from services.intake import request_of
from tests.support.past import ref
from tests.support.policies import POLICIES

NOON = datetime(2026, 7, 5, 12, 0, tzinfo=UTC)
LATE = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)


def asked(
    profile: Profile, right: Right, *, at: datetime = NOON, channel: Channel = Channel.MAIL
) -> DataSubjectRequest:
    case = Case(
        id=uuid4(),
        controller=profile.id,
        channel=channel,
        received_at=at,
        receipt_source=ReceiptSource.STATED,
        message=ref(),
        attachments=(),
        proposed_kind=TriageKind.RIGHTS_REQUEST,
        proposed_rights=(right,),
        proposed_language=Language.NB,
        evidence=(),
        certain=True,
        timestamp=at,
    )
    return request_of(case, right, profile, ref(), at)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("short", sorted(POLICIES))
def test_a_right_that_the_policy_leaves_out_is_served_and_marked(short: str, right: Right) -> None:
    """AK-29, OK-18, MU-24, AO-21, X-03: law prevails, and everybody sees that it did."""
    request = asked(POLICIES[short], right)

    assert request.right is right
    assert request.not_in_policy is (right not in POLICIES[short].rights)


def test_each_policy_leaves_something_out() -> None:
    """AK-29, OK-18, MU-24, AO-21: what the five say, so that the test above marks something."""
    left_out = {short: set(Right) - profile.rights for short, profile in POLICIES.items()}

    assert {Right.RESTRICTION, Right.OBJECTION, Right.HUMAN_REVIEW} <= left_out["AK"]
    assert {Right.OBJECTION, Right.PORTABILITY, Right.RESTRICTION} <= left_out["OK"]
    assert {Right.ACCESS, Right.OBJECTION, Right.PORTABILITY, Right.RESTRICTION} <= left_out["MU"]
    assert {Right.OBJECTION, Right.PORTABILITY, Right.RESTRICTION} <= left_out["AO"]


@pytest.mark.parametrize("channel", [Channel.PHONE, Channel.POST, Channel.MAIL, Channel.DESK])
def test_the_local_day_counts_by_whatever_channel(channel: Channel) -> None:
    """AO-03: a call needs no writing; AK-02, GK-02, B.2.1: 31 January 23:30 UTC is 1 February."""
    for profile in POLICIES.values():
        request = asked(profile, Right.ACCESS, at=LATE, channel=channel)

        assert request.received_on == date(2027, 2, 1)
        assert request.dates.statutory_due == date(2027, 3, 1)
        assert request.channel is channel


def test_only_what_was_promised_is_promised() -> None:
    """AK-03, GK-03, MU-01: thirty days of one policy, and nothing of «as soon as possible»."""
    promised = {s: asked(p, Right.ACCESS).dates.promise_due for s, p in POLICIES.items()}

    assert promised == {"AK": None, "AO": None, "GK": date(2026, 8, 4), "MU": None, "OK": None}


@pytest.mark.parametrize("body_type", BodyType)
def test_the_case_of_a_public_body_goes_to_its_archive_first(body_type: BodyType) -> None:
    """E-05, OK-18, B.4 row municipality, B.5 row public-companies."""
    profile = dataclasses.replace(POLICIES["GK"], body_type=body_type)

    public = body_type in {BodyType.PUBLIC_BODY, BodyType.PUBLIC_COMPANY}
    assert asked(profile, Right.ACCESS).archive_first is public


@pytest.mark.parametrize("right", Right)
def test_marketing_and_consent_end_at_once(right: Right) -> None:
    """AO-14, B.1 row 7(3), B.1 row 21(1), AK-07: the same working day, nothing else does."""
    at_once = right in {Right.OBJECTION_TO_MARKETING, Right.WITHDRAWAL}

    # 5 July 2026 is a Sunday.
    assert asked(POLICIES["AO"], right).act_by == (date(2026, 7, 6) if at_once else None)


def test_nothing_limits_how_often_somebody_asks() -> None:
    """OK-06, B.2.6: at any time, the day after the last one as well as a year later."""
    days = [NOON, NOON.replace(day=6), NOON.replace(month=8), NOON.replace(year=2027)]

    again = [asked(POLICIES["OK"], Right.ACCESS, at=day) for day in days]

    assert [request.status.is_open for request in again] == [True] * 4
