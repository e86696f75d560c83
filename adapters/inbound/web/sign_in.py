"""`/desk/sign-in`: a token becomes a cookie that scripts and other sites cannot use."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.web.pages import Form, PageRoute, go, installation_of, look_for, page
from adapters.inbound.web.session import OurForm, cookie_name, is_secure
from adapters.outbound.sessions import Way
from adapters.outbound.tokens import Scope

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)

PROGRAMS = (
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)

Next = Annotated[str, Query(max_length=300)]


@router.get("/sign-in")
def show(request: Request, next: Next = "") -> Response:  # noqa: A002 (the name in the address)
    return _page(request, next)


@router.post("/sign-in", dependencies=[OurForm])
def sign_in(request: Request, form: Form) -> Response:
    """By a token: the first time, and in the demonstration."""
    installation = installation_of(request)
    demo_token: str | None = request.app.state.demo_token
    token = demo_token if demo_token and form.has("demo") else form.one("token")
    bearer = installation.tokens.bearer(token)
    if bearer is None or not bearer.may(Scope.DESK):
        return _page(request, form.one("next"), failed=True)
    response = go(ours(form.one("next")))
    secret = installation.sessions.begin(
        bearer.staff_id, Way.TOKEN, device=device_of(request), token=token
    )
    keep(response, installation, secret)
    return response


@router.post("/sign-out", dependencies=[OurForm])
def sign_out(request: Request) -> Response:
    """The session ends, so that a copy of its cookie is worth nothing either."""
    installation = installation_of(request)
    name = cookie_name(installation)
    secret = request.cookies.get(name, "")
    if secret:
        installation.sessions.end(secret)
    response = go("/desk/sign-in")
    response.delete_cookie(name, secure=is_secure(installation), httponly=True, samesite="strict")
    return response


def keep(response: Response, installation: Installation, secret: str) -> None:
    """Give the browser the session's secret, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(installation),
        secret,
        max_age=int(installation.sessions.longest.total_seconds()),
        secure=is_secure(installation),
        httponly=True,
        samesite="strict",
    )


def device_of(request: Request) -> str:
    """Which program on which system, so that people know their own sessions again; no more."""
    said = request.headers.get("user-agent", "")
    programs = [name for mark, name in PROGRAMS if mark in said]
    systems = [name for mark, name in SYSTEMS if mark in said]
    return " · ".join([*programs[:1], *systems[:1]])


def _page(request: Request, next_page: str, *, failed: bool = False) -> Response:
    return page(
        "sign_in.html",
        look_for(request),
        status=HTTPStatus.UNAUTHORIZED if failed else HTTPStatus.OK,
        failed=failed,
        next_page=ours(next_page),
        demo=request.app.state.demo_token is not None,
    )


def ours(address: str) -> str:
    """Where to go on; never anywhere outside the desk."""
    inside = address.startswith(("/desk/cases/", "/outbox")) and "\\" not in address
    return address if inside else "/desk"
