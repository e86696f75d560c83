"""`/v1/cases/…/timeline`: everything that happened in a case, without content (Art. 5(2))."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Installed, Reader
from adapters.inbound.api.cases import CaseId, case_of
from adapters.inbound.api.paging import Paged
from domain.vocabulary import Right
from projections import case_file

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=ApiRoute)


class Step(BaseModel):
    """One thing that happened, with its codes, dates and counts; never what anybody wrote."""

    at: datetime
    topic: str = Field(examples=["restriction.set"])
    right: Right | None
    request_id: UUID | None
    by: str | None
    facts: dict[str, Any]


@router.get("/{case_id}/timeline")
def timeline(installation: Installed, bearer: Reader, page: Paged, case_id: CaseId) -> list[Step]:
    """What happened, in its order. What was done a moment ago may not be there yet."""
    case_of(installation, bearer, case_id)
    file = case_file.timeline(installation.database, case_id)
    if file is None:
        return []
    rights = {request_id: Right(right) for right, request_id in file.requests.items()}
    return [
        Step(
            at=line.happened_at,
            topic=line.topic,
            right=rights.get(line.request_id) if line.request_id else None,
            request_id=line.request_id,
            by=line.done_by,
            facts=line.facts,
        )
        for line in page.of(file.lines, lambda one: (f"{one.position:019}",))
    ]
