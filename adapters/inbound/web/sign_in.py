"""`/desk/sign-in`: a token becomes a cookie that scripts and other sites cannot use."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from adapters.inbound.web.pages import Form, PageRoute, go, installation_of, look_for, page
from adapters.inbound.web.session import SESSION_COOKIE, SESSION_SECONDS, OurForm, is_secure
from adapters.outbound.tokens import Scope

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=300)]


@router.get("/sign-in")
def show(request: Request, next: Next = "") -> Response:  # noqa: A002 (the name in the address)
    return _page(request, next)


@router.post("/sign-in", dependencies=[OurForm])
def sign_in(request: Request, form: Form) -> Response:
    installation = installation_of(request)
    demo_token: str | None = request.app.state.demo_token
    token = demo_token if demo_token and form.has("demo") else form.one("token")
    bearer = installation.tokens.bearer(token)
    if bearer is None or not bearer.may(Scope.DESK):
        return _page(request, form.one("next"), failed=True)
    response = go(_ours(form.one("next")))
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=SESSION_SECONDS,
        secure=is_secure(installation),
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out", dependencies=[OurForm])
def sign_out() -> Response:
    response = go("/desk/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _page(request: Request, next_page: str, *, failed: bool = False) -> Response:
    return page(
        "sign_in.html",
        look_for(request),
        status=HTTPStatus.UNAUTHORIZED if failed else HTTPStatus.OK,
        failed=failed,
        next_page=_ours(next_page),
        demo=request.app.state.demo_token is not None,
    )


def _ours(address: str) -> str:
    """Where to go on; never anywhere outside the desk."""
    inside = address.startswith(("/desk/cases/", "/outbox")) and "\\" not in address
    return address if inside else "/desk"
