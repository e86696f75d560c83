"""`/desk/search`: a case by its number, or by whom it is about, for a purpose that is said first.

What is typed may be an address, so it is sent in a form: it stands in no address and in no log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from adapters.inbound.web.pages import Form, PageRoute, go, one_of, page
from adapters.inbound.web.session import Desk, needs
from adapters.inbound.web.worklist import name_of
from domain.access import Permission
from domain.vocabulary import Content, Purpose
from projections.incoming import Message, case_called, cases

MOST = 100
LONGEST = 200

router = APIRouter(prefix="/desk/search", route_class=PageRoute, include_in_schema=False)
Searches = Annotated[Desk, Depends(needs(Permission.SEE))]


@router.get("")
def ask(desk: Searches) -> Response:
    return _page(desk)


@router.post("")
def search(desk: Searches, sent: Form) -> Response:
    """Straight to the case whose number it is; for anything else the purpose is asked first."""
    words = sent.one("q")[:LONGEST]
    named = case_called(desk.installation.database, desk.controllers, words) if words else None
    if named is not None:
        return go(f"/desk/cases/{named}")
    if not words or not sent.one("purpose") or not desk.may(Permission.REVEAL):
        return _page(desk, words=words)
    purpose = one_of(Purpose, sent.one("purpose"))
    controllers = desk.controllers_for(Permission.REVEAL)
    desk.looked_through(controllers, purpose, Content.SEARCH)
    case_ids = desk.installation.finding.cases(controllers, words)
    found = cases(desk.installation.database, controllers, case_ids, limit=MOST)
    return _page(desk, words=words, purpose=purpose, found=found)


def _page(
    desk: Desk,
    *,
    words: str = "",
    purpose: Purpose | None = None,
    found: list[Message] | None = None,
) -> Response:
    names = {name: name_of(desk.profile(name)) for name in desk.controllers}
    return page(
        "search.html",
        desk.look(),
        status=HTTPStatus.OK,
        desk=desk,
        words=words,
        purpose=purpose,
        purposes=tuple(Purpose),
        may_search=desk.may(Permission.REVEAL),
        found=found,
        names=names,
        most=MOST,
    )
