"""`/desk/staff`: who works here, who stands in for whom, and who is away."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.api.staff import colleagues
from adapters.inbound.web.pages import NOTHING_SENT, Form, PageRoute, Sent, go, page
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.trouble import NO_TROUBLE, trouble_of
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.vocabulary import Country
from services.ports import Absence

router = APIRouter(prefix="/desk/staff", route_class=PageRoute, include_in_schema=False)


@router.get("")
def show(desk: AtDesk) -> Response:
    return _page(desk)


@router.post("/absent")
def absent(desk: AtDesk, sent: Form) -> Response:
    """Say when you, or a colleague, are away: open requests go to the deputy meanwhile."""
    try:
        absence = Absence(
            _colleague(desk, sent.one("staff")), _day(sent.one("first")), _day(sent.one("last"))
        )
        desk.installation.database.run(desk.installation.staff.absent(absence))
    except DomainError as error:
        return _page(desk, sent=sent, error=error)
    return go("/desk/staff")


@router.post("/present")
def present(desk: AtDesk, sent: Form) -> Response:
    """Take an absence back."""
    try:
        staff_id = _colleague(desk, sent.one("staff"))
        desk.installation.database.run(
            desk.installation.staff.present(staff_id, _day(sent.one("first")))
        )
    except DomainError as error:
        return _page(desk, sent=sent, error=error)
    return go("/desk/staff")


def _page(desk: Desk, *, sent: Sent = NOTHING_SENT, error: DomainError | None = None) -> Response:
    today = received_on(desk.installation.clock(), Country.NO)
    ours = list(colleagues(desk.installation, desk.bearer).values())
    known = {one.id for one in ours} | {desk.staff_id}
    return page(
        "staff.html",
        desk.look(),
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        members=ours,
        absences=[
            one for one in desk.installation.staff.absences(until=today) if one.staff_id in known
        ],
        sent=sent,
        error=trouble_of(error) if error else NO_TROUBLE,
    )


def _colleague(desk: Desk, staff_id: str) -> str:
    if staff_id in {"", desk.staff_id}:
        return desk.staff_id
    if staff_id not in colleagues(desk.installation, desk.bearer):
        raise DomainError("choose somebody from the list", key="choose-in-list")
    return staff_id


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise DomainError("give both days", key="both-days") from None
