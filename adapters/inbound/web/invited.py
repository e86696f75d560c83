"""`/desk/invited/{secret}`: whoever was invited chooses a password and sets a second factor up."""

from __future__ import annotations

from http import HTTPStatus

import segno
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from adapters.inbound.web.pages import Ended, Form, PageRoute, installation_of, look_for, page
from adapters.inbound.web.session import OurForm
from adapters.inbound.web.sign_in import device_of, keep
from adapters.outbound.accounts import Invitation, WrongCode
from adapters.outbound.passwords import PasswordRefused
from adapters.outbound.sessions import Way

router = APIRouter(prefix="/desk/invited", route_class=PageRoute, include_in_schema=False)


@router.get("/{secret}")
def show(request: Request, secret: str) -> Response:
    return _page(request, secret, _invited(request, secret))


@router.post("/{secret}", dependencies=[OurForm])
def accept(request: Request, secret: str, form: Form) -> Response:
    """The account is made, and its recovery codes are shown: now, and never again."""
    installation = installation_of(request)
    invitation = _invited(request, secret)
    password = form.raw("password")
    if password != form.raw("again"):
        return _page(request, secret, invitation, wrong="differs")
    try:
        codes = installation.accounts.accept(secret, password=password, code=form.one("code"))
    except PasswordRefused as refused:
        return _page(request, secret, invitation, wrong=refused.reason)
    except WrongCode:
        return _page(request, secret, invitation, wrong="code")
    response = page("recovery_codes.html", look_for(request), desk=None, codes=codes)
    session = installation.sessions.begin(
        invitation.staff_id, Way.PASSWORD, device=device_of(request)
    )
    keep(response, installation, session)
    return response


def _invited(request: Request, secret: str) -> Invitation:
    found = installation_of(request).accounts.invited(secret)
    if found is None:
        raise Ended
    return found


def _page(request: Request, secret: str, invitation: Invitation, *, wrong: str = "") -> Response:
    return page(
        "invited.html",
        look_for(request),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        secret=secret,
        invitation=invitation,
        picture=picture_of(invitation.address),
        wrong=wrong,
    )


def picture_of(address: str) -> Markup:
    """The address as a QR code, drawn here: nobody else learns of the secret in it."""
    drawn = segno.make(address, error="m").svg_inline(
        scale=5, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return Markup(drawn)  # noqa: S704 (our own drawing)
