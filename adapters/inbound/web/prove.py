"""`/prove/{secret}`: the person enters the code that shows they read the address they gave.

The page says nothing about whether the controller knows anybody (Art. 12(6)): it looks and answers
the same for every case.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import Ended, Form, PageRoute, go, installation_of, page
from domain.case import Case
from domain.errors import NotAllowedNow
from services.ports import CodeCheck

router = APIRouter(prefix="/prove", route_class=PageRoute, include_in_schema=False)


@router.get("/{secret}")
def show(request: Request, secret: str, done: str = "") -> Response:
    return _page(request, secret, _behind(request, secret), proven=bool(done))


@router.post("/{secret}")
def prove(request: Request, secret: str, form: Form) -> Response:
    case = _behind(request, secret)
    try:
        check = installation_of(request).identity.check_code(case.id, form.one("code"))
    except NotAllowedNow:  # tried too often: from here on only a person verifies
        check = CodeCheck.SPENT
    if check is not CodeCheck.RIGHT:
        return _page(request, secret, case, wrong=check)
    return go(f"/prove/{secret}?done=1")


def _behind(request: Request, secret: str) -> Case:
    found = installation_of(request).identity.case_behind(secret)
    if found is None:
        raise Ended
    return found


def _page(
    request: Request,
    secret: str,
    case: Case,
    *,
    proven: bool = False,
    wrong: CodeCheck | None = None,
) -> Response:
    language = language_named(request.query_params.get("lang")) or case.language
    return page(
        "prove.html",
        Look(language),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        secret=secret,
        profile=installation_of(request).controllers.in_force(case.controller),
        reference=case.reference,
        proven=proven,
        wrong=wrong,
    )
