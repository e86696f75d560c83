"""`/v1/…/evidence`: the evidence pack of a case, signed, to be checked without us (Art. 5(2))."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from adapters.inbound.api.auth import ApiRoute, Installed, Reader, require_scope
from adapters.inbound.api.cases import CaseId, case_of
from adapters.inbound.api.export import CONTENT
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, request_of
from adapters.inbound.web.evidence_pack import packed
from adapters.outbound.tokens import Scope
from domain.vocabulary import Content

router = APIRouter(prefix="/v1", tags=["export"], route_class=ApiRoute)

AsOfDay = Annotated[
    date | None, Query(description="What was known at the end of this day; else what is now.")
]
WithContent = Annotated[
    bool, Query(description="With what was sealed, personal data: for handlers only.")
]
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"description": "A ZIP: events, proof, pages.", "content": {"application/zip": {}}}
}


@router.get("/cases/{case_id}/evidence", response_class=Response, responses=_ZIP)
def of_case(
    request: Request,
    installation: Installed,
    bearer: Reader,
    look: Looking,
    case_id: CaseId,
    as_of: AsOfDay = None,
    content: WithContent = False,
) -> Response:
    """The evidence pack of a case: what happened, and the proof that it was recorded so."""
    if content:
        require_scope(request, Scope.DESK)
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.EVIDENCE, *(CONTENT if content else ()))
    return packed(installation, case, as_of=as_of, with_content=content)


@router.get("/requests/{request_id}/evidence", response_class=Response, responses=_ZIP)
def of_request(
    request: Request,
    installation: Installed,
    bearer: Reader,
    look: Looking,
    request_id: RequestId,
    as_of: AsOfDay = None,
    content: WithContent = False,
) -> Response:
    """The evidence pack of the case that a request belongs to."""
    case_id: UUID = request_of(installation, bearer, request_id).case_id
    return of_case(request, installation, bearer, look, case_id, as_of, content)
