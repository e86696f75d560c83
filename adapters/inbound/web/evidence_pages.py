"""The button on the page of a case that fetches its evidence pack (GDPR Art. 5(2))."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.evidence_pack import packed
from adapters.inbound.web.pages import PageRoute
from adapters.inbound.web.session import AtDesk
from domain.vocabulary import Content, Purpose

router = APIRouter(prefix="/desk/cases", route_class=PageRoute, include_in_schema=False)


@router.post("/{case_id}/evidence")
def fetch(desk: AtDesk, case_id: UUID) -> Response:
    """A form, for to fetch it is on record; it holds nothing personal, so no purpose is asked."""
    case = desk.case(case_id)
    desk.looked_at(case, desk.purpose(str(case.id)) or Purpose.REVIEW, Content.EVIDENCE)
    return packed(desk.installation, case, as_of=None, with_content=False)
