"""The buttons beside a found record: cover what is about others, or clear it (Art. 15(4))."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.case import case_page
from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, one_of
from adapters.inbound.web.record_steps import PAGE, record_page
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import address_of, carry_out, id_in
from domain.errors import DomainError
from domain.vocabulary import CoverReason

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)


@router.post("/records/{record_id}/cover")
def cover(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    """Cover a field, words wherever they stand in it, or the one passage that was selected."""

    def command() -> None:
        start, end = _number(sent.one("start")), _number(sent.one("end"))
        passage = end is not None and not sent.has("everywhere")
        desk.installation.redacting.cover(
            request_id,
            record_id,
            path=sent.one("field"),
            text="" if passage else sent.one("text"),
            start=start if passage else None,
            end=end if passage else None,
            reason=one_of(CoverReason, sent.one("reason")),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return _on_record(desk, case_id, request_id, sent, command, record_id, form="cover")


@router.post("/records/{record_id}/clear")
def clear(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.redacting.clear(
            request_id, record_id, reason=NOBODY_ELSE, by=desk.staff_id
        )

    return _on_record(desk, case_id, request_id, sent, command, record_id, form="clear")


@router.post("/covered/{passage_id}/uncover")
def uncover(
    desk: AtDesk, case_id: UUID, request_id: UUID, passage_id: UUID, sent: Form
) -> Response:
    def command() -> None:
        desk.installation.redacting.uncover(
            request_id, passage_id, reason=LOOKED_AGAIN, by=desk.staff_id
        )

    record_id = id_in(sent.one("record")) if sent.has(PAGE) else None
    return _on_record(desk, case_id, request_id, sent, command, record_id, form="uncover")


NOBODY_ELSE = "nothing-about-others"
LOOKED_AGAIN = "looked-again"


def _number(word: str) -> int | None:
    if not word:
        return None
    if not (word.isascii() and word.isdecimal() and len(word) < 8):
        raise DomainError("select the passage once more", key="select-again")
    return int(word)


def _on_record(
    desk: Desk,
    case_id: UUID,
    request_id: UUID,
    sent: Sent,
    command: Callable[[], None],
    record_id: UUID | None,
    *,
    form: str,
) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    if record_id is None or not sent.has(PAGE):
        place = f"records-{request.right.value}"
        return carry_out(
            desk, case, sent, command, form=form, done="match", place=place, shown=case_page
        )
    if record_id not in request.found:
        raise NotHere
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=form,
        done="recorded",
        shown=partial(record_page, request=request, record_id=record_id),
        back=f"{address_of(case)}/requests/{request.id}/records/{record_id}",
    )
