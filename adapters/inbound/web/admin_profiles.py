"""`/desk/admin/profiles`: the profile in force, what another would change, and putting it in force.

What is compared is the text, line by line, and what a careful reader would ask about the new one
(AK-27). Nothing changes before somebody who may decide it for the controller says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import Form, PageRoute, go, page
from adapters.inbound.web.session import Adopts, Desk, needs
from adapters.profiles import ProfileError, load_profile
from domain.access import Permission
from domain.errors import DomainError
from domain.findings import Finding, asked, check
from domain.policy import Profile
from domain.vocabulary import Severity

router = APIRouter(prefix="/desk/admin/profiles", route_class=PageRoute, include_in_schema=False)

ReadsProfiles = Annotated[Desk, Depends(needs(Permission.ADOPT, Permission.AUDIT))]
AROUND = 2
"""Lines shown on each side of a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison: `old`, `new`, `same`, or a `gap` of lines that are the same."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A document that somebody proposes, against the one in force."""

    document: str
    profile: Profile
    lines: Sequence[Line]
    findings: Sequence[tuple[Finding, str]]
    forbidden: bool
    unchanged: bool


@router.get("")
def show(desk: ReadsProfiles, done: str = "") -> Response:
    return page(
        "admin_profiles.html",
        desk.look(),
        desk=desk,
        profiles=[desk.profile(name) for name in desk.controllers],
        done="adopted" if done == "adopted" else "",
    )


@router.get("/{controller}")
def read(desk: ReadsProfiles, controller: str) -> Response:
    desk.require(controller)
    return _page(desk, controller)


@router.post("/{controller}/compare")
def compare(desk: Adopts, controller: str, form: Form) -> Response:
    """What another document would change; nothing is changed by asking."""
    desk.require(controller)
    document = _document(form.raw("document"))
    try:
        compared = _compared(desk, controller, document, desk.look())
    except (ProfileError, DomainError) as error:
        return _page(desk, controller, document=document, error=str(error))
    return _page(desk, controller, document=document, compared=compared)


@router.post("/{controller}/adopt")
def adopt(desk: Adopts, controller: str, form: Form) -> Response:
    """Put the document in force that was compared before."""
    desk.require(controller)
    document = _document(form.raw("document"))
    try:
        _same_controller(load_profile(document.encode(), name=controller), controller)
        desk.installation.controllers.adopt(document.encode(), name=controller, by=desk.staff_id)
    except (ProfileError, DomainError) as error:
        return _page(desk, controller, document=document, error=str(error))
    return go("/desk/admin/profiles?done=adopted")


def _document(sent: str) -> str:
    """As a file has it: browsers send line ends of their own."""
    return sent.replace("\r\n", "\n")


def _same_controller(profile: Profile, controller: str) -> None:
    if profile.id != controller:
        raise DomainError(f"this is the profile of {profile.id!r}, not of {controller!r}")


def _compared(desk: Desk, controller: str, document: str, look: Look) -> Compared:
    profile = load_profile(document.encode(), name=controller)
    _same_controller(profile, controller)
    before = desk.installation.controllers.document(controller)
    found = check(profile, desk.installation.clock().date())
    return Compared(
        document=document,
        profile=profile,
        lines=tuple(_lines(before.splitlines(), document.splitlines())),
        findings=[(one, asked(one, look.language)) for one in found],
        forbidden=any(one.severity is Severity.REFUSE_TO_LOAD for one in found),
        unchanged=document == before,
    )


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        if number:
            yield Line("gap", "…")
        for what, a, b, c, d in group:
            if what == "equal":
                yield from (Line("same", text) for text in old[a:b])
            else:
                yield from (Line("old", text) for text in old[a:b])
                yield from (Line("new", text) for text in new[c:d])


def _page(
    desk: Desk,
    controller: str,
    *,
    document: str | None = None,
    error: str = "",
    compared: Compared | None = None,
) -> Response:
    controllers = desk.installation.controllers
    return page(
        "admin_profile.html",
        desk.look(),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        desk=desk,
        profile=desk.profile(controller),
        document=controllers.document(controller) if document is None else document,
        adoptions=controllers.adoptions(controller)[::-1],
        may_adopt=desk.may(Permission.ADOPT, controller),
        error=error,
        compared=compared,
    )
