"""`/desk/admin/tokens`: made, shown once, revoked; nobody gives away more than they hold."""

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
from adapters.outbound.tokens import Listed, Scope
from domain.access import Permission
from domain.errors import DomainError

router = APIRouter(prefix="/desk/admin/tokens", route_class=PageRoute, include_in_schema=False)

WHO_GIVES = {
    Scope.INBOX: Permission.OPERATE,
    Scope.ADMIN: Permission.OPERATE,
    Scope.METRICS: Permission.OPERATE,
    Scope.READ: Permission.SEE,
    Scope.DESK: Permission.HANDLE,
}
"""What somebody must be allowed themselves, everywhere the token opens, to make one."""


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
        permission = WHO_GIVES[scope]
        held = (
            all(desk.may(permission, one) for one in controllers)
            if controllers
            else desk.bearer.access.everywhere(permission)
        )
        if not held:
            raise DomainError(f"you cannot give the scope {scope.value}: your roles do not have it")
    return desk.installation.tokens.create(
        name=name,
        staff_id=staff,
        scopes=scopes,
        controllers=controllers,
        expires_at=_end_of(sent.one("until"), desk),
    )


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
        scopes=tuple(Scope),
        sent=sent,
        error=str(error) if error else "",
        token=token,
        done=done,
    )
