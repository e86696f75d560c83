"""The button that tells the person who received their data (Art. 19)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.case_steps import _do
from adapters.inbound.web.pages import Form, PageRoute
from adapters.inbound.web.session import AtDesk

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/recipients/letter")
def tell(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.recipients.tell_person(case.id, by=desk.staff_id)

    return _do(desk, case, sent, command, form="recipients", done="sending", place="letters")
