"""`/outbox`: every letter that was sent, where sending means a drawer to print from."""

from __future__ import annotations

import re
from email.utils import parseaddr

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.pages import (
    Form,
    NotHere,
    PageRoute,
    go,
    installation_of,
    look_for,
    one_of,
    page,
)
from adapters.inbound.web.session import Desk, Reveals, at_desk
from adapters.outbound.outbox import Outbox, StoredMail
from domain.access import Permission
from domain.vocabulary import Content, Purpose
from services.postroom import sender_of

SUBJECT = "outbox"

_LINK = re.compile(r"https?://[\w.:\[\]-]+(/(?:answer|prove)/[\w-]+)")

router = APIRouter(prefix="/outbox", route_class=PageRoute, include_in_schema=False)


@router.get("")
def show(request: Request) -> Response:
    drawer = installation_of(request).mailer
    if not isinstance(drawer, Outbox):
        raise NotHere
    if request.app.state.demo_token is not None:
        return page(
            "outbox.html",
            look_for(request),
            desk=None,
            shown=True,
            mails=drawer.messages()[::-1],
            parts=parts,
        )
    desk = at_desk(request)
    purpose = desk.purpose(SUBJECT)
    shown = purpose is not None and _look(desk, purpose)
    return page(
        "outbox.html",
        desk.look(),
        desk=desk,
        shown=shown,
        mails=_theirs(desk, drawer) if shown else [],
        purposes=tuple(Purpose),
        parts=parts,
    )


@router.post("/purpose")
def take_purpose(desk: Reveals, sent: Form) -> Response:
    response = go("/outbox")
    purpose = one_of(Purpose, sent.one("purpose"))
    _look(desk, purpose)
    desk.take_purpose(SUBJECT, purpose, response, "/outbox")
    return response


def parts(text: str) -> list[tuple[str, str | None]]:
    """A letter's text, with the links into our own pages for the person set apart."""
    pieces: list[tuple[str, str | None]] = []
    at = 0
    for link in _LINK.finditer(text):
        pieces += [(text[at : link.start()], None), (link[0], link[1])]
        at = link.end()
    return [*pieces, (text[at:], None)]


def _look(desk: Desk, purpose: Purpose) -> bool:
    """Put the look on record; answers whether there is anything that may be shown."""
    controllers = desk.controllers_for(Permission.REVEAL)
    desk.looked_through(controllers, purpose, Content.LETTER)
    return bool(controllers)


def _theirs(desk: Desk, drawer: Outbox) -> list[StoredMail]:
    """The letters of the controllers this reader may see, the newest first."""
    names = desk.controllers_for(Permission.REVEAL)
    senders = {parseaddr(sender_of(desk.profile(name)))[1] for name in names}
    return [mail for mail in drawer.messages()[::-1] if parseaddr(mail.sender)[1] in senders]
