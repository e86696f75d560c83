"""`/v1/staff`: who works here, who stands in for whom, and who is away."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import NOT_HERE, ApiRoute, Handler, Installed
from adapters.inbound.api.commands import AdminCommand, NewCommand
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.shapes import Form
from adapters.outbound.tokens import Bearer
from domain.deadlines import received_on
from domain.vocabulary import Country, Language
from services.ports import Absence, Member

router = APIRouter(prefix="/v1/staff", tags=["staff"], route_class=ApiRoute)

StaffId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.@-]+$",
        description="The id that decisions are recorded under.",
        examples=["ola"],
    ),
]


class MemberShown(BaseModel):
    """One of the controller's people; `away_until` is set while somebody is not at work."""

    staff_id: str
    name: str
    email: str | None
    language: Language
    deputy: str | None
    controllers: list[str]
    is_officer: bool
    away_until: date | None


class SetMember(Form):
    """No controllers means all of them; without an address no mail comes in the morning."""

    staff_id: StaffId
    name: str = Field(min_length=1, max_length=200, examples=["Ola Testmann"])
    email: str | None = Field(
        default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$", examples=["ola@venue.example"]
    )
    language: Language = Language.EN
    deputy: str | None = Field(default=None, max_length=100)
    controllers: list[str] = Field(default=[], max_length=100)
    is_officer: bool = False


class SetAbsence(Form):
    """Days away, the first and the last included; open requests go to the deputy meanwhile.

    Without a staff id it is your own.
    """

    staff_id: StaffId | None = None
    first_on: date
    last_on: date


class TakeBack(Form):
    staff_id: StaffId | None = None
    first_on: date


class AbsenceShown(BaseModel):
    staff_id: str
    first_on: date
    last_on: date


@router.get("")
def everybody(installation: Installed, bearer: Handler, page: Paged) -> list[MemberShown]:
    """Everybody who may be given a request of yours, and who is away."""
    today = received_on(installation.clock(), Country.NO)
    away = {
        one.staff_id: one.last_on
        for one in installation.staff.absences(until=today)
        if one.first_on <= today
    }
    members = [one for one in installation.staff.members().values() if is_colleague(bearer, one)]
    return [
        MemberShown(
            staff_id=one.id,
            name=one.name,
            email=one.email,
            language=one.language,
            deputy=one.deputy,
            controllers=sorted(one.controllers),
            is_officer=one.is_officer,
            away_until=away.get(one.id),
        )
        for one in page.of(members, lambda one: (one.id,))
    ]


@router.post("", response_model=SetMember)
def set_member(installation: Installed, command: AdminCommand, form: SetMember) -> Response:
    """Record or correct who somebody is, all of it at once."""
    ours, theirs = command.bearer.controllers, frozenset(form.controllers)
    if ours and not (theirs and theirs <= ours):
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)
    member = Member(
        id=form.staff_id,
        name=form.name,
        email=form.email,
        language=form.language,
        deputy=form.deputy,
        controllers=frozenset(form.controllers),
        is_officer=form.is_officer,
    )
    return command.carry_out(lambda: None, lambda: form, writes=[installation.staff.set(member)])


@router.post("/absences", response_model=AbsenceShown)
def set_absence(installation: Installed, command: NewCommand, form: SetAbsence) -> Response:
    """Say when you, or a colleague, are away."""
    staff_id = _colleague(installation, command.bearer, form.staff_id)
    absence = Absence(staff_id, form.first_on, form.last_on)
    shown = AbsenceShown(staff_id=staff_id, first_on=form.first_on, last_on=form.last_on)
    return command.carry_out(
        lambda: None, lambda: shown, writes=[installation.staff.absent(absence)]
    )


@router.post("/absences/take-back", response_model=AbsenceShown)
def take_back(installation: Installed, command: NewCommand, form: TakeBack) -> Response:
    """Take an absence back, as if it had not been recorded."""
    staff_id = _colleague(installation, command.bearer, form.staff_id)
    shown = AbsenceShown(staff_id=staff_id, first_on=form.first_on, last_on=form.first_on)
    return command.carry_out(
        lambda: None,
        lambda: shown,
        writes=[installation.staff.present(staff_id, form.first_on)],
    )


def is_colleague(bearer: Bearer, member: Member) -> bool:
    """Whether both work for some controller; whoever names none works for all."""
    if not bearer.controllers or not member.controllers:
        return True
    return bool(bearer.controllers & member.controllers)


def _colleague(installation: Installation, bearer: Bearer, staff_id: str | None) -> str:
    if staff_id is None or staff_id == bearer.staff_id:
        return bearer.staff_id
    member = installation.staff.members().get(staff_id)
    if member is None or not is_colleague(bearer, member):
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)
    return staff_id
