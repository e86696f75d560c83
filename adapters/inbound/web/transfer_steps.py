"""What the buttons of a direct transfer do: asked for, feasible or not, made (Art. 20(2))."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute, Sent, download, go
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out
from domain.errors import DomainError
from domain.vocabulary import Content

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)


@router.post("/transfer")
def ask(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.porting.ask(request_id, to=sent.one("to"), by=desk.staff_id)

    return _on_transfer(desk, case_id, request_id, sent, command)


@router.post("/transfer/judge")
def judge(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        verdict, _, reason = sent.one("feasible").partition(":")
        if verdict not in {"yes", "no"}:
            raise DomainError("say whether a direct transfer is feasible, and why")
        desk.installation.porting.judge(
            request_id, feasible=verdict == "yes", reason=reason, by=desk.staff_id
        )

    return _on_transfer(desk, case_id, request_id, sent, command)


@router.post("/transfer/made")
def made(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.porting.made(request_id, how=BY_HAND, by=desk.staff_id)

    return _on_transfer(desk, case_id, request_id, sent, command)


@router.get("/portable.zip")
def portable(desk: AtDesk, case_id: UUID, request_id: UUID) -> Response:
    """The file that the other controller gets."""
    case = desk.case(case_id)
    desk.asked(case, request_id)
    if desk.look_into(case, Content.PACKAGE) is None:
        return go(f"/desk/cases/{case.id}")
    return download(
        desk.installation.porting.file(request_id),
        f"{case.reference}-portable.zip",
        media_type="application/zip",
    )


BY_HAND = "by-hand"


def _on_transfer(
    desk: Desk, case_id: UUID, request_id: UUID, sent: Sent, command: Callable[[], None]
) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    place = f"request-{request.right.value}"
    return carry_out(desk, case, sent, command, form="transfer", done="match", place=place)
