"""`/desk/admin/tokens`: made, shown once, revoked; nobody gives away more than they hold.

A token that decides stands for whoever made it: the second of two people is never the first one's
own token in another's name. The first ones come from the command line.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from http import HTTPStatus

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    go,
    one_of,
    page,
)
from adapters.inbound.web.session import Desk, Operates
from adapters.outbound.tokens import SCOPES, Listed, Scope
from domain.access import Permission
from domain.errors import DomainError

router = APIRouter(prefix="/desk/admin/tokens", route_class=PageRoute, include_in_schema=False)

WHO_GIVES = {
    Scope.INBOX: frozenset({Permission.OPERATE}),
    Scope.METRICS: frozenset({Permission.OPERATE}),
    Scope.SYSTEM: frozenset({Permission.OPERATE}),
    Scope.READ: frozenset({Permission.SEE, Permission.REVEAL}),
    Scope.DESK: SCOPES[Scope.DESK],
    Scope.ADMIN: SCOPES[Scope.ADMIN],
}
"""All that somebody must be allowed themselves, everywhere the token opens, to make one."""
DECIDES = frozenset({Scope.DESK, Scope.ADMIN})
"""What is done with these is recorded as done by the person whose id the token bears."""


@router.get("")
def show(desk: Operates, done: str = "") -> Response:
    return _page(desk, done="revoked" if done == "revoked" else "")


@router.post("")
def create(desk: Operates, sent: Form) -> Response:
    try:
        token = _made(desk, sent)
    except DomainError as error:
        return _page(desk, sent=sent, error=error)
    return _page(desk, token=token)


@router.post("/{token_id}/revoke")
def revoke(desk: Operates, token_id: str) -> Response:
    if token_id not in {one.id for one in _theirs(desk)}:
        raise NotHere
    desk.installation.tokens.revoke_one(token_id)
    return go("/desk/admin/tokens?done=revoked")


def _made(desk: Desk, sent: Sent) -> str:
    name, staff = sent.one("name"), sent.one("staff") or desk.staff_id
    scopes = frozenset(one_of(Scope, word) for word in sent.all("scope"))
    controllers = frozenset(sent.all("controller"))
    if not name:
        raise DomainError("say what the token is for")
    if not scopes:
        raise DomainError("choose at least one scope: a token without one opens nothing")
    for one in controllers:
        desk.require(one)
    if staff != desk.staff_id and staff not in desk.installation.staff.members():
        raise DomainError(f"there is nobody with the id {staff}: add the person first")
    for scope in sorted(scopes, key=lambda one: one.value):
        if not all(_holds(desk, one, controllers) for one in WHO_GIVES[scope]):
            raise DomainError(
                f"you cannot give the scope {scope.value}: your roles do not have all of it;"
                " ask whoever has the command line"
            )
    if staff != desk.staff_id and scopes & DECIDES:
        raise DomainError(
            "a token that handles or runs anything bears your own id: give others a role instead"
        )
    return desk.installation.tokens.create(
        name=name,
        staff_id=staff,
        scopes=scopes,
        controllers=controllers,
        expires_at=_end_of(sent.one("until"), desk),
    )


def _holds(desk: Desk, permission: Permission, controllers: frozenset[str]) -> bool:
    if not controllers:
        return desk.bearer.access.everywhere(permission)
    return all(desk.may(permission, one) for one in controllers)


def _end_of(day: str, desk: Desk) -> datetime | None:
    if not day:
        return None
    try:
        end = datetime.combine(date.fromisoformat(day), time.max, UTC)
    except ValueError:
        raise DomainError("write the day as year, month and day: 2026-12-31") from None
    if end < desk.installation.clock():
        raise DomainError("a token cannot end before today: choose a later day")
    return end


def _theirs(desk: Desk) -> list[Listed]:
    """Tokens that open only what this operator runs."""
    everywhere = desk.bearer.access.everywhere(Permission.OPERATE)
    ours = set(desk.controllers)
    return [
        one
        for one in desk.installation.tokens.open()
        if everywhere or (one.controllers and one.controllers <= ours)
    ]


def _page(
    desk: Desk,
    *,
    sent: Sent = NOTHING_SENT,
    error: DomainError | None = None,
    token: str = "",
    done: str = "",
) -> Response:
    return page(
        "admin_tokens.html",
        desk.look(),
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        tokens=_theirs(desk),
        scopes=tuple(one for one in Scope if one is not Scope.SYSTEM),
        sent=sent,
        error=str(error) if error else "",
        token=token,
        done=done,
    )
