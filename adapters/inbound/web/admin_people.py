"""`/desk/admin/people`: who works here, in which roles, and since when.

Nobody gives themselves a role or an account: whoever runs the installation asks a colleague, or
whoever has its command line.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from http import HTTPStatus

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.api.staff import colleagues
from adapters.inbound.web.admin import RunsIt
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
from domain.access import Grant, Permission, Role
from domain.errors import DomainError
from domain.vocabulary import Language
from services.ports import Member

router = APIRouter(prefix="/desk/admin/people", route_class=PageRoute, include_in_schema=False)

MOST_HISTORY = 100
DONE = frozenset({"saved", "granted", "revoked", "deactivated", "reactivated"})
_ID = re.compile(r"[\w.@-]{1,100}")


@router.get("")
def show(desk: RunsIt) -> Response:
    return _list(desk)


@router.post("")
def add(desk: Operates, sent: Form) -> Response:
    """Record somebody; what they may do is given on their own page."""
    staff_id = sent.one("id")
    try:
        _require_new(desk, staff_id)
        _save(desk, staff_id, sent)
    except DomainError as error:
        return _list(desk, sent=sent, error=error)
    return go(f"/desk/admin/people/{staff_id}?done=saved")


@router.get("/{staff_id}")
def one(desk: RunsIt, staff_id: str, done: str = "") -> Response:
    return _page(desk, staff_id, done=done if done in DONE else "")


@router.post("/{staff_id}")
def change(desk: Operates, staff_id: str, sent: Form) -> Response:
    member, _ = _theirs(desk, staff_id)
    try:
        if sent.one("email") != (member.email or ""):
            _require_within(desk, staff_id)
        _save(desk, staff_id, sent)
    except DomainError as error:
        return _page(desk, staff_id, sent=sent, error=error)
    return go(f"/desk/admin/people/{staff_id}?done=saved")


@router.post("/{staff_id}/grant")
def give(desk: Operates, staff_id: str, sent: Form) -> Response:
    _theirs(desk, staff_id)
    try:
        _require_another(desk, staff_id)
        desk.installation.grants.grant(staff_id, _grant(desk, sent), by=desk.staff_id)
    except DomainError as error:
        return _page(desk, staff_id, sent=sent, error=error)
    return go(f"/desk/admin/people/{staff_id}?done=granted")


@router.post("/{staff_id}/revoke")
def take_back(desk: Operates, staff_id: str, sent: Form) -> Response:
    _theirs(desk, staff_id)
    place = sent.one("grant")
    for grant in desk.installation.grants.of(staff_id):
        if place == key_of(grant):
            _require_place(desk, grant.controller)
            desk.installation.grants.revoke(staff_id, grant, by=desk.staff_id)
    return go(f"/desk/admin/people/{staff_id}?done=revoked")


@router.post("/{staff_id}/invite")
def invite(desk: Operates, staff_id: str) -> Response:
    """A link for a new account, or for one whose device is lost; it is shown once."""
    _theirs(desk, staff_id)
    try:
        _require_within(desk, staff_id)
        told = desk.installation.invitations.told(staff_id, by=desk.staff_id)
        secret = desk.installation.accounts.invite(staff_id, by=desk.staff_id, also=told)
    except DomainError as error:
        return _page(desk, staff_id, error=error)
    return _page(desk, staff_id, link=f"{desk.installation.settings.address}/desk/invited/{secret}")


@router.post("/{staff_id}/deactivate")
def deactivate(desk: Operates, staff_id: str) -> Response:
    _theirs(desk, staff_id)
    if staff_id == desk.staff_id:
        error = DomainError("nobody shuts themselves out: ask a colleague")
        return _page(desk, staff_id, error=error)
    desk.installation.staff.deactivate(staff_id)
    return go(f"/desk/admin/people/{staff_id}?done=deactivated")


@router.post("/{staff_id}/reactivate")
def reactivate(desk: Operates, staff_id: str) -> Response:
    _theirs(desk, staff_id)
    desk.installation.staff.reactivate(staff_id)
    return go(f"/desk/admin/people/{staff_id}?done=reactivated")


def key_of(grant: Grant) -> str:
    return "/".join((grant.role.value, grant.controller or "", grant.system or ""))


# Whose people these are


def _is_theirs(desk: Desk, member: Member) -> bool:
    """Whoever runs one controller knows the people of that controller, and no others."""
    if desk.bearer.access.everywhere(desk.asks_for):
        return True
    return bool(member.controllers) and member.controllers <= set(desk.controllers)


def _theirs(desk: Desk, staff_id: str) -> tuple[Member, datetime | None]:
    for member, left_at in desk.installation.staff.everybody():
        if member.id == staff_id and _is_theirs(desk, member):
            return member, left_at
    raise NotHere


def _require_within(desk: Desk, staff_id: str) -> None:
    """A link or an address lets in; where that is, only whoever runs it says so."""
    if desk.bearer.access.everywhere(Permission.OPERATE):
        return
    ours = desk.controllers_for(Permission.OPERATE)
    if not desk.installation.staff.granted(staff_id).stays_within(ours):
        raise DomainError(
            "this person has roles beyond what you run: ask whoever runs the whole installation"
        )


def _require_new(desk: Desk, staff_id: str) -> None:
    if not _ID.fullmatch(staff_id):
        raise DomainError("an id has letters, digits, dots, dashes and underscores, no spaces")
    if staff_id in {member.id for member, _ in desk.installation.staff.everybody()}:
        raise DomainError("this id is taken: choose another")


def _require_another(desk: Desk, staff_id: str) -> None:
    if staff_id == desk.staff_id:
        raise DomainError("nobody gives themselves a role: ask a colleague")


def _require_place(desk: Desk, controller: str | None) -> None:
    if controller is not None:
        desk.require(controller)
    elif not desk.bearer.access.everywhere(Permission.OPERATE):
        raise DomainError("you run single controllers: name the one that the role is for")


def _grant(desk: Desk, sent: Sent) -> Grant:
    controller, _, system = sent.one("controller").partition("/")
    _require_place(desk, controller or None)
    role = one_of(Role, sent.one("role"))
    system = sent.one("system") if role is Role.SYSTEM_OWNER else ""
    if system and controller:
        known = {one.id for one in desk.profile(controller).systems}
        if system not in known:
            raise DomainError(f"there is no such system; there are: {', '.join(sorted(known))}")
    return Grant(role, controller or None, system or None, _until(sent.one("until")))


def _until(day: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(day), time.max, UTC) if day else None
    except ValueError:
        raise DomainError("write the day as year, month and day: 2026-12-31") from None


def _save(desk: Desk, staff_id: str, sent: Sent) -> None:
    controllers = frozenset(sent.all("at"))
    for name in controllers:
        desk.require(name)
    if not controllers and not desk.bearer.access.everywhere(Permission.OPERATE):
        controllers = frozenset(desk.controllers)
    if not sent.one("name"):
        raise DomainError("give the name that letters are to show")
    email = sent.one("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise DomainError("this is no mail address: write it with an @, or leave it out")
    deputy = sent.one("deputy")
    if deputy and deputy not in colleagues(desk.installation, desk.bearer):
        raise DomainError("choose the deputy from the list")
    member = Member(
        id=staff_id,
        name=sent.one("name"),
        email=email or None,
        language=one_of(Language, sent.one("language")),
        deputy=deputy or None,
        controllers=controllers,
        is_officer=sent.has("officer"),
    )
    desk.installation.database.run(desk.installation.staff.set(member))


# Pages


def _list(desk: Desk, *, sent: Sent = NOTHING_SENT, error: DomainError | None = None) -> Response:
    grants = desk.installation.grants.all()
    away = desk.installation.staff.away(desk.installation.clock().date())
    people = [
        (member, left_at, grants.get(member.id, ()))
        for member, left_at in desk.installation.staff.everybody()
        if _is_theirs(desk, member)
    ]
    known = {member.id for member, _, _ in people}
    return page(
        "admin_people.html",
        desk.look(),
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        people=people,
        away=away,
        history=[
            one
            for one in desk.installation.grants.history(most=MOST_HISTORY)
            if one.staff_id in known
        ],
        may_change=desk.may(Permission.OPERATE),
        languages_offered=tuple(Language),
        controllers=desk.controllers,
        sent=sent,
        error=str(error) if error else "",
    )


def _page(
    desk: Desk,
    staff_id: str,
    *,
    sent: Sent = NOTHING_SENT,
    error: DomainError | None = None,
    link: str = "",
    done: str = "",
) -> Response:
    member, left_at = _theirs(desk, staff_id)
    names = desk.controllers
    known = desk.installation.staff.members().values()
    return page(
        "admin_person.html",
        desk.look(),
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        member=member,
        left_at=left_at,
        grants=[(one, key_of(one)) for one in desk.installation.grants.of(staff_id)],
        invitations=desk.installation.accounts.invitations(staff_id, most=MOST_HISTORY),
        has_account=desk.installation.accounts.has_one(staff_id),
        may_change=desk.may(Permission.OPERATE),
        everywhere=desk.bearer.access.everywhere(Permission.OPERATE),
        roles=tuple(Role),
        controllers=[(name, desk.profile(name).controller.name) for name in names],
        systems=sorted({one.id for name in names for one in desk.profile(name).systems}),
        colleagues=[one for one in known if one.id != staff_id and _is_theirs(desk, one)],
        languages_offered=tuple(Language),
        now=desk.installation.clock(),
        sent=sent,
        error=str(error) if error else "",
        link=link,
        done=done,
    )
