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
from domain.access import Access
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
    members = list(colleagues(installation, bearer).values())
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
    _require_known(installation, command.bearer, form)
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


def _require_known(installation: Installation, bearer: Bearer, form: SetMember) -> None:
    """Neither the record of somebody who works elsewhere is touched, nor are they a deputy here."""
    if not bearer.access.named:
        return
    ours = colleagues(installation, bearer)
    everybody = {one.id for one, _ in installation.staff.everybody()}
    if {form.staff_id, form.deputy} & everybody - ours.keys():
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)
    known = ours.get(form.staff_id)
    theirs = installation.staff.granted(form.staff_id)
    if known and known.email != form.email and not theirs.stays_within(bearer.access.named):
        raise HTTPException(
            HTTPStatus.FORBIDDEN, "this person has roles elsewhere too: leave the address as it is"
        )


def colleagues(installation: Installation, bearer: Bearer) -> dict[str, Member]:
    """Those who have something to do where the bearer has, by id."""
    access = installation.staff.access()
    return {
        one.id: one
        for one in installation.staff.members().values()
        if one.id == bearer.staff_id or _is_colleague(bearer, one, access.get(one.id))
    }


def _is_colleague(bearer: Bearer, member: Member, theirs: Access | None) -> bool:
    """Of whoever was never given a role or a token the record tells where they work."""
    if theirs is not None:
        return bearer.access.meets(theirs)
    return not bearer.access.named or bool(bearer.access.named & member.controllers)


def _colleague(installation: Installation, bearer: Bearer, staff_id: str | None) -> str:
    if staff_id is None or staff_id == bearer.staff_id:
        return bearer.staff_id
    if staff_id not in colleagues(installation, bearer):
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)
    return staff_id
