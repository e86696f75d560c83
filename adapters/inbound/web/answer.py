"""`/answer/{secret}`: the person fetches the answer with a code sent to the proven address.

Looking at the page changes nothing, because mail scanners open every link. A link that ended and
one that never was look alike.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import (
    Ended,
    Form,
    PageRoute,
    download,
    go,
    installation_of,
    page,
)
from domain.case import reference
from domain.policy import Profile
from domain.request import DataSubjectRequest
from services.ports import CodeCheck, Erased

router = APIRouter(prefix="/answer", route_class=PageRoute, include_in_schema=False)


@router.get("/{secret}")
def show(request: Request, secret: str, sent: str = "") -> Response:
    return _page(request, secret, _behind(request, secret), code_sent=bool(sent))


@router.post("/{secret}/code")
def send_code(request: Request, secret: str) -> Response:
    _behind(request, secret)
    installation_of(request).answering.send_code(secret)
    return go(f"/answer/{secret}?sent=1")


@router.post("/{secret}")
def fetch(request: Request, secret: str, form: Form) -> Response:
    """The package, for the right code."""
    asked = _behind(request, secret)
    try:
        check, content = installation_of(request).answering.fetch(secret, form.one("code"))
    except Erased:
        raise Ended from None
    if check is not CodeCheck.RIGHT:
        return _page(request, secret, asked, code_sent=True, wrong=check)
    name = _look(request, asked).say("person.file", case=reference(asked.case_id))
    return download(content, name, media_type="application/zip")


def _behind(request: Request, secret: str) -> DataSubjectRequest:
    found = installation_of(request).answering.request_behind(secret)
    if found is None:
        raise Ended
    return found


def _look(request: Request, asked: DataSubjectRequest) -> Look:
    return Look(language_named(request.query_params.get("lang")) or asked.language)


def _page(
    request: Request,
    secret: str,
    asked: DataSubjectRequest,
    *,
    code_sent: bool,
    wrong: CodeCheck | None = None,
) -> Response:
    profile: Profile = installation_of(request).controllers.in_force(asked.controller)
    return page(
        "answer.html",
        _look(request, asked),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        secret=secret,
        profile=profile,
        reference=reference(asked.case_id),
        code_sent=code_sent,
        wrong=wrong,
        ends_at=installation_of(request).answering.link_ends_at(secret),
        fetched_at=asked.fetched_at,
    )
