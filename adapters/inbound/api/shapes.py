"""Shapes that more than one resource takes or answers with; none of those holds personal data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import HTTPException, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from adapters.bootstrap import Installation
from domain.aggregate import Aggregate
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Right

FIRST = datetime(2018, 1, 1, tzinfo=UTC)
"""The calendars begin here, in the year in which the GDPR came into force."""

LAST = datetime(2100, 1, 1, tzinfo=UTC)

A = TypeVar("A", bound=Aggregate)

Moment = Annotated[AwareDatetime, Field(ge=FIRST, lt=LAST)]
AsOf = Annotated[
    Moment | None, Query(description="As it was known at this moment of the past, with its zone.")
]
ExternalNumber = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"\S",
        description="What the controller's own system calls the case. It may say whose case it "
        "is, so it is sealed like all personal data; it stands for one case of a controller.",
        examples=["SAK-2026-0419"],
    ),
]


class Form(BaseModel):
    """What somebody sends. A field that we do not know is refused, not overlooked."""

    model_config = ConfigDict(extra="forbid")


class RequestSummary(BaseModel):
    """One right with its dates. `target_due` is what work is sorted by."""

    request_id: UUID
    case_id: UUID
    controller: str
    right: Right
    article: str
    status: Status
    received_on: date
    statutory_due: date | None
    promise_due: date | None
    target_due: date
    extended_due: date | None
    act_by: date | None
    acknowledged: bool
    identified: bool
    matches_to_review: int
    delivery_failed: str | None
    linked: list[UUID]
    answered_at: datetime | None
    fetched_at: datetime | None
    closed_at: datetime | None
    in_part: bool
    not_in_policy: bool


def summary(request: DataSubjectRequest) -> RequestSummary:
    return RequestSummary(
        request_id=request.id,
        case_id=request.case_id,
        controller=request.controller,
        right=request.right,
        article=request.right.article,
        status=request.status,
        received_on=request.received_on,
        statutory_due=request.dates.statutory_due,
        promise_due=request.dates.promise_due,
        target_due=request.dates.target_due,
        extended_due=request.dates.extended_due,
        act_by=request.act_by,
        acknowledged=request.acknowledged,
        identified=request.is_identified,
        matches_to_review=len(request.undecided_matches),
        delivery_failed=request.delivery_failed,
        linked=list(request.linked),
        answered_at=request.answered_at,
        fetched_at=request.fetched_at,
        closed_at=request.closed_at,
        in_part=request.in_part,
        not_in_policy=request.not_in_policy,
    )


def past(installation: Installation, now: A, at: datetime) -> A:
    """Something as it was known at a moment of the past."""
    if at > installation.clock():
        raise HTTPException(HTTPStatus.BAD_REQUEST, "that moment has not come yet: give a past one")
    then = installation.register.as_of(type(now), now.id, at)
    if then is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "it was not known yet at that moment")
    return then
