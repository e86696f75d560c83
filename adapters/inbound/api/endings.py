"""`/v1/requests/…`: how a request ends: refused, taken back, or answered once more."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response
from pydantic import Field, SecretStr

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from adapters.outbound.tokens import Scope
from domain.case import reference
from domain.request import DataSubjectRequest, RefusalGround

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class Refuse(Form):
    """`words` go into the letter; `second_token` is that of the second person, for Art. 12(5)."""

    ground: RefusalGround
    words: str = Field(min_length=1, max_length=5_000)
    law: str = Field(default="", max_length=200)
    second_token: SecretStr | None = None


class Again(Form):
    by_post: bool = False


@router.post("/{request_id}/refuse", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary)
def refuse(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Refuse
) -> Response:
    """Refuse as a whole; the letter says why, by which law, and where to complain (Art. 12(4))."""
    request = request_of(installation, command.bearer, request_id)
    second = _second(installation, request, form.second_token)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.refuse(
            request_id,
            ground=form.ground,
            words=form.words,
            law=form.law,
            by=command.bearer.staff_id,
            second=second,
        ),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{request_id}/withdraw", response_model=RequestSummary)
def withdraw(installation: Installed, command: DeskCommand, request_id: RequestId) -> Response:
    """Record that the person takes it back; what waited for it goes on."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.withdraw(request_id, by=command.bearer.staff_id),
    )


@router.post(
    "/{request_id}/answer-again", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary
)
def answer_again(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Again
) -> Response:
    """Write the answer anew after it did not arrive: with a new link, or to be posted."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.answering.answer_again(
            request_id, by=command.bearer.staff_id, by_post=form.by_post
        ),
        status=HTTPStatus.ACCEPTED,
    )


@router.get("/{request_id}/package", response_class=Response)
def package(installation: Installed, bearer: Handler, request_id: RequestId) -> Response:
    """The copy of an access answer, to be printed and enclosed: personal data."""
    request = request_of(installation, bearer, request_id)
    content = installation.answering.package(request_id)
    name = f"{reference(request.case_id)}.zip"
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _second(
    installation: Installation, request: DataSubjectRequest, token: SecretStr | None
) -> str | None:
    """Who the second person is; naming somebody is not enough, they come with their own token."""
    if token is None:
        return None
    second = installation.tokens.bearer(token.get_secret_value())
    if second is None or not second.may(Scope.DESK) or not second.sees(request.controller):
        raise HTTPException(HTTPStatus.FORBIDDEN, "the second person's token is not valid here")
    return second.staff_id
