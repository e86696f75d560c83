"""The buttons beside a found record: cover what is about others, or clear it (Art. 15(4))."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute, Sent, one_of
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out
from domain.vocabulary import CoverReason

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)


@router.post("/records/{record_id}/cover")
def cover(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.redacting.cover(
            request_id,
            record_id,
            path=sent.one("field"),
            text=sent.one("text"),
            reason=one_of(CoverReason, sent.one("reason")),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return _on_record(desk, case_id, request_id, sent, command, form=f"cover-{record_id}")


@router.post("/records/{record_id}/clear")
def clear(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.redacting.clear(
            request_id, record_id, reason=NOBODY_ELSE, by=desk.staff_id
        )

    return _on_record(desk, case_id, request_id, sent, command, form=f"clear-{record_id}")


@router.post("/covered/{passage_id}/uncover")
def uncover(
    desk: AtDesk, case_id: UUID, request_id: UUID, passage_id: UUID, sent: Form
) -> Response:
    def command() -> None:
        desk.installation.redacting.uncover(
            request_id, passage_id, reason=LOOKED_AGAIN, by=desk.staff_id
        )

    return _on_record(desk, case_id, request_id, sent, command, form=f"uncover-{passage_id}")


NOBODY_ELSE = "nothing-about-others"
LOOKED_AGAIN = "looked-again"


def _on_record(
    desk: Desk,
    case_id: UUID,
    request_id: UUID,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    place = f"records-{request.right.value}"
    return carry_out(desk, case, sent, command, form=form, done="match", place=place)
