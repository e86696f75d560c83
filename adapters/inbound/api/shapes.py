"""Shapes that more than one resource takes or answers with; none of those holds personal data."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Right


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
    statutory_due: date
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
