"""Mistakes of a case, each with its way back and what happens then, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.pages import NOTHING_SENT, Form, PageRoute, Sent, go, one_of, page
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import address_of, id_in
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from domain.case import Case, CaseStatus, reference
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Status
from domain.values import QueuedLetter
from domain.vocabulary import Right
from services.ports import Erased
from services.register import UnknownHere

router = APIRouter(
    prefix="/desk/cases/{case_id}/mistakes", route_class=PageRoute, include_in_schema=False
)

IDENTITY_REASONS = ("namesake", "shared-address", "document-doubtful", "wrong-case")
DONE = frozenset({"right-corrected", "unlinked", "taken-back", "identity-revoked"})


@dataclass(frozen=True, slots=True)
class Linked:
    """A request that was taken for the same as another one."""

    request: DataSubjectRequest
    other: UUID
    case_id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be put right as the case stands; an empty one cannot, or need not be."""

    to_reclassify: tuple[DataSubjectRequest, ...]
    to_refer: tuple[DataSubjectRequest, ...]
    set_aside: bool
    linked: tuple[Linked, ...]
    waiting: tuple[QueuedLetter, ...]
    left: tuple[QueuedLetter, ...]
    matches: tuple[DataSubjectRequest, ...]
    to_take_back: tuple[DataSubjectRequest, ...]
    identity: bool
    closed: tuple[DataSubjectRequest, ...]


@router.get("")
def show(desk: AtDesk, case_id: UUID, done: str = "") -> Response:
    return _page(desk, desk.case(case_id), done=done)


@router.post("/right")
def right(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command(case: Case) -> None:
        request = desk.asked(case, id_in(sent.one("request")))
        desk.installation.correcting.correct_right(
            request.id, right=one_of(Right, sent.one("right")), by=desk.staff_id
        )

    return _do(desk, case_id, sent, command, done="right-corrected")


@router.post("/unlink")
def unlink(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command(case: Case) -> None:
        request = desk.asked(case, id_in(sent.one("request")))
        desk.installation.mistakes.unlink(request.id, to=id_in(sent.one("other")), by=desk.staff_id)

    return _do(desk, case_id, sent, command, done="unlinked")


@router.post("/take-back")
def take_back(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command(case: Case) -> None:
        request = desk.asked(case, id_in(sent.one("request")))
        desk.installation.mistakes.take_back(request.id, by=desk.staff_id)

    return _do(desk, case_id, sent, command, done="taken-back")


@router.post("/identity")
def identity(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command(case: Case) -> None:
        reason = sent.one("reason")
        if reason not in IDENTITY_REASONS:
            raise DomainError("choose why the check was wrong", key="choose-in-list")
        desk.installation.mistakes.revoke_identity(case.id, reason=reason, by=desk.staff_id)

    return _do(desk, case_id, sent, command, done="identity-revoked")


def _do(
    desk: Desk, case_id: UUID, sent: Sent, command: Callable[[Case], None], *, done: str
) -> Response:
    case = desk.case(case_id)
    try:
        command(case)
    except (DomainError, Erased) as error:
        now = desk.case(case_id)
        return _page(desk, now, sent=sent, error=trouble_of(error), status=status_of(error))
    return go(f"{address_of(case)}/mistakes?done={done}")


def _page(
    desk: Desk,
    case: Case,
    *,
    done: str = "",
    sent: Sent = NOTHING_SENT,
    error: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    look = desk.look(desk.profile(case.controller))
    return page(
        "mistakes.html",
        look,
        status=status,
        desk=desk,
        case=case,
        ways=ways_of(desk, case),
        rights=tuple(Right),
        reasons=IDENTITY_REASONS,
        sent=sent,
        error=error,
        done=look.word("done", done) if done in DONE else "",
    )


def ways_of(desk: Desk, case: Case) -> Ways:
    requests = desk.installation.register.requests_of(case)
    undecided = {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED}
    waiting = tuple(one for one in case.letters.values() if case.waits_to_leave(one.id))
    answered = {one for letter in waiting if letter.kind.answers for one in letter.requests}
    return Ways(
        to_reclassify=tuple(one for one in requests if one.can_be_reclassified),
        to_refer=tuple(one for one in requests if one.status in undecided),
        set_aside=case.status is CaseStatus.SET_ASIDE and case.handed_over_to is None,
        linked=tuple(
            linked
            for one in requests
            for other in one.linked
            if (linked := _linked(desk, one, other))
        ),
        waiting=waiting,
        left=tuple(one for one in case.letters.values() if one.id in case.left),
        matches=tuple(one for one in requests if one.status is Status.COLLECTED and one.matches),
        to_take_back=tuple(
            one for one in requests if one.can_be_taken_back and one.id not in answered
        ),
        identity=any(one.identity_can_be_revoked for one in requests),
        closed=tuple(one for one in requests if one.status is Status.CLOSED and not one.ended),
    )


def _linked(desk: Desk, request: DataSubjectRequest, other: UUID) -> Linked | None:
    try:
        case_id = desk.installation.register.request(other).case_id
    except UnknownHere:
        return None
    return Linked(request, other, case_id, reference(case_id))
