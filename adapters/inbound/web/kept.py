"""`/kept/{secret}`: what was kept is gone, told to nobody but the person who asked to be (E-15).

The letter may have reached a stranger: the page names nobody until something is said that the
person gave beside the address. To open it changes nothing; five wrong answers end it.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.keeping_view import category_words, system_words
from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import Ended, Form, PageRoute, installation_of, page
from domain.grounds import ground
from domain.hold import Hold
from services.holds import Told

router = APIRouter(prefix="/kept", route_class=PageRoute, include_in_schema=False)


@router.get("/{secret}")
def show(request: Request, secret: str) -> Response:
    return _page(request, secret, _behind(request, secret), ())


@router.post("/{secret}")
def recognise(request: Request, secret: str, form: Form) -> Response:
    hold = _behind(request, secret)
    told = installation_of(request).holds.recognise(secret, form.one("said"))
    return _page(request, secret, hold, told, wrong=not told)


def _behind(request: Request, secret: str) -> Hold:
    found = installation_of(request).holds.behind(secret)
    if found is None:
        raise Ended
    return found


def _page(
    request: Request, secret: str, hold: Hold, told: tuple[Told, ...], *, wrong: bool = False
) -> Response:
    installation = installation_of(request)
    contact = installation.holds.contact_of(hold)
    if contact is None:
        raise Ended
    look = Look(language_named(request.query_params.get("lang")) or contact.language)
    lines = []
    for one in told:
        profile = installation.controllers.in_force(one.controller)
        name = profile.controller.trade_name or profile.controller.name
        what = (
            f"{category_words(profile, one.category, look)} ({system_words(profile, one.system)})"
        )
        lines.append((name, what, ground(one.ground).law, one.erased_on))
    return page(
        "kept.html",
        look,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        secret=secret,
        reference=contact.reference,
        lines=lines,
        wrong=wrong,
    )
