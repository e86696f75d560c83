"""`/stop/{secret}`: no more marketing, in one click from a mail (RFC 8058; GK-18).

Mail providers send the POST for whoever presses their button: without cookies, without an origin of
ours, and they follow no redirect. Only the secret says whose marketing stops, so nobody else's can
be. Scanners that open every link change nothing (E-16).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from adapters.inbound.web.pages import Ended, PageRoute, installation_of, look_for, page

FIELD, SAID = "List-Unsubscribe", "One-Click"

router = APIRouter(prefix="/stop", route_class=PageRoute, include_in_schema=False)


async def _is_one_click(request: Request) -> bool:
    """Whether the body is what RFC 8058 asks for, in either of its two encodings."""
    form = await request.form(max_files=0, max_fields=10)
    return form.get(FIELD) == SAID


@router.get("/{secret}")
def show(request: Request, secret: str) -> Response:
    return _page(request, secret)


@router.post("/{secret}")
def stop(request: Request, secret: str, meant: Annotated[bool, Depends(_is_one_click)]) -> Response:
    if not meant:
        return _page(request, secret, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if installation_of(request).one_click.stop(secret) is None:
        raise Ended
    return _page(request, secret, done=True)


def _page(
    request: Request, secret: str, *, done: bool = False, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    profile = installation_of(request).one_click.behind(secret)
    if profile is None:
        raise Ended
    return page(
        "stop.html",
        look_for(request, profile),
        status=status,
        profile=profile,
        name=profile.controller.trade_name or profile.controller.name,
        by=installation_of(request).one_click.latest(profile),
        secret=secret,
        done=done,
        field=FIELD,
        said=SAID,
    )
