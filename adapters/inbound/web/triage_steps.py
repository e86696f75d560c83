"""What the buttons do about messages that are no requests, and about what has to be put right."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, one_of
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out
from domain.errors import DomainError
from domain.vocabulary import Right, TriageKind
from services.passing_on import Somebody

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/set-aside")
def set_aside(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Say what the message is; with a tick the person is told who has it now."""

    def command() -> None:
        desk.installation.passing_on.set_aside(
            case_id,
            kind=one_of(TriageKind, sent.one("kind")),
            by=desk.staff_id,
            to=somebody_in(sent),
            as_processor=sent.has("as_processor"),
            notify=sent.has("notify"),
            words=sent.one("words"),
        )

    return _do(desk, case_id, sent, command, form="set-aside", done="set-aside")


@router.post("/settle")
def settle(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.passing_on.settle(case_id, how=sent.one("how"), by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="settle", done="settled")


@router.post("/undo")
def undo(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.passing_on.undo(case_id, reason=sent.one("reason"), by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="undo", done="undone")


@router.post("/hand-over")
def hand_over(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """To another controller that this member of staff may see; any other is not there."""
    controller = sent.one("controller")
    if controller not in desk.controllers:
        raise NotHere

    def command() -> None:
        desk.installation.passing_on.hand_over(case_id, controller=controller, by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="hand-over", done="handed-over")


@router.post("/rights")
def add_right(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        place = sent.one("message") or "1"
        if not place.isdecimal():
            raise DomainError("give the message by its number")
        desk.installation.correcting.add_right(
            case_id,
            right=one_of(Right, sent.one("right")),
            message=int(place) - 1,
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="add-right", done="right-added")


@router.post("/correct-right")
def correct_right(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        request = desk.asked(desk.case(case_id), _id(sent))
        desk.installation.correcting.correct_right(
            request.id, right=one_of(Right, sent.one("right")), by=desk.staff_id
        )

    return _do(desk, case_id, sent, command, form="correct-right", done="right-corrected")


@router.post("/refer")
def refer(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        request = desk.asked(desk.case(case_id), _id(sent))
        desk.installation.correcting.refer(
            request.id,
            to=somebody_in(sent) or Somebody(),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="refer", done="referred")


def somebody_in(sent: Sent) -> Somebody | None:
    """Who has it instead, as a form names them; None where nothing was written."""
    given = (sent.one("recipient"), sent.one("name"), sent.one("contact"))
    return Somebody(*given) if any(given) else None


def _id(sent: Sent) -> UUID:
    try:
        return UUID(sent.one("request"))
    except ValueError:
        raise NotHere from None


def _do(
    desk: Desk, case_id: UUID, sent: Sent, command: Callable[[], None], *, form: str, done: str
) -> Response:
    return carry_out(desk, desk.case(case_id), sent, command, form=form, done=done)
