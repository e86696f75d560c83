"""`/v1/requests/…/transfer`: whether another controller gets it directly (Art. 20(2), AK-09)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import NOT_HERE, ApiRoute, Handler, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.case import reference
from domain.vocabulary import Content

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class AskTransfer(Form):
    to: str = Field(
        min_length=1,
        max_length=500,
        description="The other controller, as the person names it. Sealed.",
        examples=["Scenehuset i Bergen"],
    )


class JudgeTransfer(Form):
    feasible: bool
    reason: str = Field(min_length=1, max_length=100, description="A code, never personal data.")


class MadeTransfer(Form):
    how: str = Field(min_length=1, max_length=100, description="A code.", examples=["upload"])


class TransferShown(BaseModel):
    """The wish for a direct transfer: personal data, for handlers only."""

    to: str
    feasible: bool | None
    reason: str | None
    made: bool


@router.get("/{request_id}/transfer")
def transfer(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> TransferShown:
    """Who is to get the data directly, whether that is feasible, and whether it is done."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.PERSON)
    known = installation.register.find_direct_transfer(request.id)
    if known is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)
    return TransferShown(
        to=installation.porting.recipient(request.id),
        feasible=known.feasible,
        reason=known.reason,
        made=known.made_at is not None,
    )


@router.post("/{request_id}/transfer", response_model=RequestSummary)
def ask_transfer(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: AskTransfer
) -> Response:
    """Record that the person wants another controller to get it directly."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.porting.ask(request_id, to=form.to, by=command.bearer.staff_id),
    )


@router.post("/{request_id}/transfer/judge", response_model=RequestSummary)
def judge_transfer(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: JudgeTransfer
) -> Response:
    """Say whether a direct transfer is technically feasible, and why."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.porting.judge(
            request_id, feasible=form.feasible, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/transfer/made", response_model=RequestSummary)
def made_transfer(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: MadeTransfer
) -> Response:
    """Record that the other controller has got it."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.porting.made(request_id, how=form.how, by=command.bearer.staff_id),
    )


@router.get("/{request_id}/portable", response_class=Response)
def portable(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> Response:
    """The file for a direct transfer, as it would be given now: personal data."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.PACKAGE)
    content = installation.porting.file(request_id)
    name = f"{reference(request.case_id)}-portable.zip"
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
