"""`/v1/cases` and `/v1/requests`: what is no request, what is due today, and what is put right."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed, Reader, require_controller, seen
from adapters.inbound.api.cases import CaseId, CaseShown, case_of, shown
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.case import CaseStatus
from domain.vocabulary import Content, Right, TriageKind
from projections.incoming import due_at_once
from services.passing_on import Somebody

router = APIRouter(prefix="/v1", tags=["triage"], route_class=ApiRoute)

CODE = Field(
    min_length=1,
    max_length=100,
    description="A code, never a person's data.",
    examples=["was-a-request"],
)


class Whom(Form):
    """Who has it instead: a recipient of the profile by its id, or a name and a contact."""

    recipient: str = Field(default="", max_length=100)
    name: str = Field(default="", max_length=200, examples=["Lykt Betaling AS"])
    contact: str = Field(default="", max_length=500, examples=["personvern@lykt.example"])

    def somebody(self) -> Somebody:
        return Somebody(self.recipient, self.name, self.contact)


class PassOn(Form):
    """`as_processor`: the message came to us for its controller, and goes on to it by mail.

    With `notify` the person is told who has it; `words` go into that letter.
    """

    kind: TriageKind = Field(examples=[TriageKind.CUSTOMER_SERVICE])
    to: Whom | None = None
    as_processor: bool = False
    notify: bool = True
    words: str = Field(default="", max_length=20_000)


class Settle(Form):
    how: str = Field(
        min_length=1, max_length=100, description="A code.", examples=["given-out", "refused"]
    )


class Undo(Form):
    reason: str = CODE


class HandOver(Form):
    controller: str = Field(min_length=1, max_length=100, description="The id of its profile.")


class AddRight(Form):
    """`message` is the place of the message in the case, 0 for the first."""

    right: Right = Field(examples=[Right.ERASURE])
    message: int = Field(default=0, ge=0, le=10_000)


class CorrectRight(Form):
    right: Right = Field(examples=[Right.ERASURE])


class Refer(Form):
    to: Whom
    words: str = Field(default="", max_length=20_000)


class DueToday(BaseModel):
    """Document access that nobody has dealt with yet; it is handled at once (E-06)."""

    case_id: UUID
    reference: str
    controller: str
    status: CaseStatus
    received_at: datetime
    due_on: date | None


class ElsewhereShown(BaseModel):
    """Who deals with a message instead of us: personal data at times, for handlers only."""

    kind: TriageKind
    name: str
    contact: str
    passed_on: bool
    due_on: date | None
    settled_at: datetime | None
    handed_over_to: UUID | None


@router.get("/document-access")
def due_today(
    installation: Installed,
    bearer: Reader,
    page: Paged,
    controller: Annotated[str | None, Query(max_length=100)] = None,
) -> list[DueToday]:
    """What is asked under public-access law, the oldest first; it waits in no other list."""
    found = due_at_once(installation.database, seen(installation, bearer, controller))
    return [
        DueToday(
            case_id=one.case_id,
            reference=one.reference,
            controller=one.controller,
            status=CaseStatus(one.status),
            received_at=one.received_at,
            due_on=one.due_on,
        )
        for one in page.of(found, lambda one: (str(one.due_on), str(one.case_id)))
    ]


@router.get("/cases/{case_id}/elsewhere")
def elsewhere(
    installation: Installed, bearer: Handler, look: Looking, case_id: CaseId
) -> ElsewhereShown:
    """What a message was taken for, and who has it."""
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, Content.MESSAGE)
    there = installation.passing_on.elsewhere(case)
    return ElsewhereShown(
        kind=case.kind,
        name=there.name if there else "",
        contact=there.contact if there else "",
        passed_on=there.passed_on if there else False,
        due_on=case.due_on,
        settled_at=case.settled_at,
        handed_over_to=case.handed_over_to,
    )


@router.post("/cases/{case_id}/pass-on", response_model=CaseShown)
def pass_on(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: PassOn
) -> Response:
    """Say what the message is, pass it on, and tell the person who has it now."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.passing_on.set_aside(
            case_id,
            kind=form.kind,
            by=command.bearer.staff_id,
            to=form.to.somebody() if form.to else None,
            as_processor=form.as_processor,
            notify=form.notify,
            words=form.words,
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/cases/{case_id}/settle", response_model=CaseShown)
def settle(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Settle
) -> Response:
    """Document access was dealt with: it leaves the list of today."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.passing_on.settle(case_id, how=form.how, by=command.bearer.staff_id),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/cases/{case_id}/undo", response_model=CaseShown)
def undo(installation: Installed, command: DeskCommand, case_id: CaseId, form: Undo) -> Response:
    """It was set aside by mistake: it waits again, from the day on which it arrived."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.passing_on.undo(
            case_id, reason=form.reason, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/cases/{case_id}/hand-over", response_model=CaseShown)
def hand_over(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: HandOver
) -> Response:
    """It was meant for another controller here: a case there, received on the same day."""
    case_of(installation, command.bearer, case_id)
    require_controller(command.bearer, form.controller)
    return command.carry_out(
        lambda: installation.passing_on.hand_over(
            case_id, controller=form.controller, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


@router.post("/cases/{case_id}/rights", status_code=HTTPStatus.CREATED, response_model=CaseShown)
def add_right(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: AddRight
) -> Response:
    """A right found later in a message of the case; it counts from when that message came."""
    case_of(installation, command.bearer, case_id)
    return command.carry_out(
        lambda: installation.correcting.add_right(
            case_id, right=form.right, message=form.message, by=command.bearer.staff_id
        ),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
        status=HTTPStatus.CREATED,
    )


@router.post("/requests/{request_id}/correct-right", response_model=RequestSummary)
def correct_right(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: CorrectRight
) -> Response:
    """It was taken for the wrong right; the receipt stays, and the person is told."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.correcting.correct_right(
            request.id, right=form.right, by=command.bearer.staff_id
        ),
    )


@router.post("/requests/{request_id}/refer", response_model=RequestSummary)
def refer(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Refer
) -> Response:
    """Another controller answers it; the request closes when the letter has left."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.correcting.refer(
            request.id,
            to=form.to.somebody(),
            words=form.words,
            by=command.bearer.staff_id,
        ),
    )
