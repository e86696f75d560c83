"""The form that says what of it is to be erased, and on which ground (Art. 17(1))."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute, one_of
from adapters.inbound.web.session import AtDesk
from adapters.inbound.web.steps import carry_out
from domain.values import WishedErasure
from domain.vocabulary import ErasureGround

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)


@router.post("/wish")
def say(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """One more part, or everything again."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        known = desk.installation.register.find_erasure_wish(request.id)
        before = known.parts if known and not sent.has("everything") else ()
        names = sent.one("fields").replace(",", " ").split()
        ground = sent.one("ground")
        part = WishedErasure(
            grounds=frozenset({one_of(ErasureGround, ground)} if ground else ()),
            category="" if sent.has("everything") else sent.one("category"),
            fields=() if sent.has("everything") else tuple(names),
        )
        parts = tuple(dict.fromkeys((*before, part)))
        desk.installation.wishing.say(request.id, parts, by=desk.staff_id)

    place = f"request-{request.right.value}"
    return carry_out(desk, case, sent, command, form="wish", done="match", place=place)


@router.post("/table/ask")
def ask_to_confirm(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Have the person look at what goes and what stays, before it is done."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        desk.installation.erasure_tables.ask(request.id, by=desk.staff_id)

    place = f"request-{request.right.value}"
    return carry_out(desk, case, sent, command, form="wish", done="match", place=place)
