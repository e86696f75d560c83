"""Those who were asked by a link, at the desk: who waits for whom, again, withdrawn, somebody else.

An address that a link's holder gave is only ever written to once a handler has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, page
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out, id_in
from domain.case import reference
from services.errand_mails import line_name
from services.planning import RECIPIENT

MOST = 200

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@router.get("/errands")
def waiting(desk: AtDesk) -> Response:
    """What is waiting for whom since when; ids and days, so that nothing personal is shown."""
    installation, look = desk.installation, desk.look()
    errands = sorted(
        (
            installation.register.errand(one.errand_id)
            for one in installation.errands.book.open_ones(desk.controllers)[:MOST]
        ),
        key=lambda one: (one.begun_on, one.id),
    )
    return page(
        "desk_errands.html",
        look,
        desk=desk,
        lines=[
            (one, line_name(desk.profile(one.controller), one.system), reference(one.case_id))
            for one in errands
        ],
    )


@router.post("/cases/{case_id}/requests/{request_id}/systems/{system}/link")
def ask(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """Send the link once more, or for the first time."""
    return _step(
        desk,
        (case_id, request_id),
        sent,
        lambda: desk.installation.errand_desk.ask_again(request_id, system, by=desk.staff_id),
        done="link-sent",
    )


@router.post("/cases/{case_id}/requests/{request_id}/systems/{system}/link/withdraw")
def withdraw(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """The link opens nothing any more."""
    return _step(
        desk,
        (case_id, request_id),
        sent,
        lambda: desk.installation.errand_desk.withdraw(request_id, system, by=desk.staff_id),
        done="link-withdrawn",
    )


@router.post("/cases/{case_id}/requests/{request_id}/systems/{system}/link/redirect")
def redirect(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """Ask at an address that somebody has looked at and confirmed."""

    def command() -> None:
        errand_id = id_in(sent.one("errand"))
        lines = desk.installation.errands.of_line(request_id, system)
        if all(one.id != errand_id for one in lines):
            raise NotHere
        desk.installation.errand_desk.redirect(errand_id, sent.one("ask"), by=desk.staff_id)

    return _step(desk, (case_id, request_id), sent, command, done="link-sent")


@router.post("/cases/{case_id}/recipients/link")
def tell(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Tell somebody whom the records name, by a link to an address that is typed in here."""
    case = desk.case(case_id)
    request = desk.asked(case, id_in(sent.one("request")))

    def command() -> None:
        desk.installation.errand_desk.tell(
            request.id,
            f"{RECIPIENT}{sent.one('recipient')}",
            name=sent.one("name"),
            address=sent.one("ask"),
            by=desk.staff_id,
        )

    return carry_out(
        desk, case, sent, command, form="recipients", done="link-sent", place="recipients"
    )


def _step(
    desk: Desk, ids: tuple[UUID, UUID], sent: Sent, command: Callable[[], None], *, done: str
) -> Response:
    case = desk.case(ids[0])
    request = desk.asked(case, ids[1])
    place = f"systems-{request.right.value}"
    return carry_out(desk, case, sent, command, form="link", done=done, place=place)
