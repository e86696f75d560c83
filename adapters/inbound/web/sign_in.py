"""`/desk/sign-in`: by a token, or by password and second factor, to a session of one's own."""

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
    return sign_in_page(request, next)


@router.post("/sign-in", dependencies=[OurForm])
def sign_in(request: Request, form: Form) -> Response:
    """By a token: the first time, and in the demonstration."""
    installation = installation_of(request)
    demo_token: str | None = request.app.state.demo_token
    token = demo_token if demo_token and form.has("demo") else form.one("token")
    bearer = installation.tokens.bearer(token)
    if bearer is None or not bearer.may(Scope.DESK):
        return sign_in_page(request, form.one("next"), failed="token")
    secret = installation.sessions.begin(
        bearer.staff_id, Way.TOKEN, device=device_of(request), token=token
    )
    response = go(ours(form.one("next")))
    keep(response, installation, secret)
    return response


@router.post("/sign-in/account", dependencies=[OurForm])
def by_account(request: Request, form: Form) -> Response:
    """By password and second factor; whatever was wrong, the answer is the same."""
    installation = installation_of(request)
    staff_id = installation.accounts.sign_in(
        form.one("name"), form.raw("password"), form.one("code"), source=source_of(request)
    )
    if staff_id is None:
        return sign_in_page(request, form.one("next"), failed="account")
    secret = installation.sessions.begin(staff_id, Way.PASSWORD, device=device_of(request))
    if installation.sessions.find(secret) is None:
        return sign_in_page(request, form.one("next"), failed="role")
    response = go(ours(form.one("next")))
    keep(response, installation, secret)
    return response


@router.post("/sign-out", dependencies=[OurForm])
def sign_out(request: Request) -> Response:
    """The session ends, so that a copy of its cookie is worth nothing either."""
    installation = installation_of(request)
    name = cookie_name(installation)
    secret = request.cookies.get(name, "")
    session = installation.sessions.find(secret) if secret else None
    installation.sessions.end(secret)
    response: Response = go("/desk/sign-in")
    if session is not None and session.way is Way.PROVIDER:
        away = installation.staff_provider.leaving()
        if away is not None:
            response = page("sign_in_away.html", look_for(request), address=away)
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


def source_of(request: Request) -> str:
    """Where somebody tries from: the address that the server sees, or was told by its proxy."""
    return request.client.host if request.client else ""


def sign_in_page(request: Request, next_page: str = "", *, failed: str = "") -> Response:
    installation = installation_of(request)
    return page(
        "sign_in.html",
        look_for(request),
        status=HTTPStatus.UNAUTHORIZED if failed else HTTPStatus.OK,
        failed=failed,
        next_page=ours(next_page),
        demo=request.app.state.demo_token is not None,
        provider=installation.staff_provider.name,
        accounts=installation.accounts.any(),
    )


def ours(address: str) -> str:
    """Where to go on; never anywhere outside the desk."""
    inside = address.startswith(("/desk/", "/outbox", "/board")) and not _ELSEWHERE & {*address}
    to_the_door = address.startswith(("/desk/sign-", "/desk/invited"))
    return address if inside and not to_the_door else "/desk"


_ELSEWHERE = frozenset("\\\r\n\t")
