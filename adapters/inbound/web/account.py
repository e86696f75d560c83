"""`/desk/account`: one's own password, recovery codes and sessions."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute, go, page
from adapters.inbound.web.session import Desk, SignedIn, cookie_name
from adapters.inbound.web.sign_in import source_of
from adapters.outbound.passwords import PasswordRefused

router = APIRouter(prefix="/desk/account", route_class=PageRoute, include_in_schema=False)


@router.get("")
def show(desk: SignedIn) -> Response:
    return _page(desk)


@router.post("/password")
def change_password(desk: SignedIn, form: Form) -> Response:
    """With both factors; then everybody who is signed in as this person signs in anew."""
    new = form.raw("new")
    if new != form.raw("again"):
        return _page(desk, wrong="differs")
    try:
        changed = desk.installation.accounts.change_password(
            desk.staff_id,
            old=form.raw("password"),
            code=form.one("code"),
            new=new,
            name=desk.bearer.name,
            source=source_of(desk.request),
        )
    except PasswordRefused as refused:
        return _page(desk, wrong=refused.reason)
    return _out(desk) if changed else _page(desk, wrong="old")


@router.post("/codes")
def new_codes(desk: SignedIn, form: Form) -> Response:
    """New recovery codes, shown now and never again."""
    codes = desk.installation.accounts.new_recovery_codes(
        desk.staff_id, form.raw("password"), form.one("code"), source=source_of(desk.request)
    )
    if codes is None:
        return _page(desk, wrong="codes")
    return page("recovery_codes.html", desk.look(), desk=desk, codes=codes)


@router.post("/sessions/{session_id}/end")
def end_one(desk: SignedIn, session_id: UUID) -> Response:
    desk.installation.sessions.end_one(desk.staff_id, session_id)
    return _out(desk) if session_id == desk.session.id else go("/desk/account")


@router.post("/everywhere")
def end_all(desk: SignedIn) -> Response:
    """Sign out here and everywhere else."""
    desk.installation.sessions.end_all(desk.staff_id)
    return _out(desk)


def _out(desk: Desk) -> Response:
    response = go("/desk/sign-in")
    response.delete_cookie(cookie_name(desk.installation))
    return response


def _page(desk: Desk, *, wrong: str = "") -> Response:
    accounts = desk.installation.accounts
    has_account = accounts.has_one(desk.staff_id)
    return page(
        "account.html",
        desk.look(),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        desk=desk,
        sessions=desk.installation.sessions.of(desk.staff_id),
        has_account=has_account,
        codes_left=accounts.codes_left(desk.staff_id) if has_account else 0,
        wrong=wrong,
    )
