"""What the buttons about people do: who asks for whom, what showed it, and protected identity."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent, one_of
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out, identifiers_in
from domain.errors import DomainError
from domain.representation import AnswerTo, AuthorityEvidence, ChildView, RepresentationKind

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/representation")
def claim(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.claim(
            case_id,
            kind=one_of(RepresentationKind, sent.one("part")),
            identifiers=tuple(identifiers_in(sent)),
            age=_age(sent.one("age")),
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="represent", done="represented")


@router.post("/representation/evidence")
def see(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.see_evidence(
            case_id,
            evidence=one_of(AuthorityEvidence, sent.one("evidence")),
            receives=sent.has("receives"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="evidence", done="seen")


@router.post("/representation/child-view")
def hear(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.hear_child(
            case_id,
            view=one_of(ChildView, sent.one("view")),
            reason=sent.one("reason"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="child", done="heard")


@router.post("/representation/address")
def check_address(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        protected = _yes(sent.one("protected"))
        desk.installation.representing.check_address(case_id, protected=protected, by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="address", done="noted")


@router.post("/representation/conflict")
def check_conflict(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        known = _yes(sent.one("known"))
        desk.installation.representing.check_conflict(case_id, known=known, by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="conflict", done="noted")


@router.post("/representation/doubt")
def doubt(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.doubt(
            case_id, reason="authority-not-shown", words=sent.one("words"), by=desk.staff_id
        )

    return _do(desk, case_id, sent, command, form="doubt", done="authority-asked")


@router.post("/deceased")
def deceased(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        if not sent.has("sure"):
            raise DomainError("tick that the person has died: the requests end with it")
        desk.installation.representing.deceased(case_id, by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="deceased", done="deceased")


@router.post("/documents/{number}/destroy")
def destroy_document(desk: AtDesk, case_id: UUID, number: int, sent: Form) -> Response:
    """A copy of an identity document is destroyed at once; that it was seen is all that stays."""
    attachments = desk.case(case_id).attachments
    if not 1 <= number <= len(attachments):
        raise NotHere

    def command() -> None:
        desk.installation.identity.destroy_document(
            case_id, attachments[number - 1], by=desk.staff_id
        )

    return _do(desk, case_id, sent, command, form="document", done="document-destroyed")


@router.post("/representation/accept")
def accept(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        chosen = sent.one("answer_to")
        desk.installation.representing.accept(
            case_id,
            answer_to=one_of(AnswerTo, chosen) if chosen else None,
            reason=sent.one("reason"),
            by=desk.staff_id,
        )

    return _do(desk, case_id, sent, command, form="accept", done="authority-accepted")


@router.post("/representation/reject")
def reject(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.reject(case_id, reason=sent.one("reason"), by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="reject", done="authority-rejected")


@router.post("/protection")
def protect(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.protect(case_id, reason=sent.one("reason"), by=desk.staff_id)

    return _do(desk, case_id, sent, command, form="protect", done="protected")


@router.post("/protection/end")
def end_protection(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.representing.end_protection(
            case_id, reason=sent.one("reason"), by=desk.staff_id
        )

    return _do(desk, case_id, sent, command, form="unprotect", done="unprotected")


def _do(
    desk: Desk, case_id: UUID, sent: Sent, command: Callable[[], None], *, form: str, done: str
) -> Response:
    case = desk.case(case_id)
    return carry_out(desk, case, sent, command, form=form, done=done, place="people")


def _yes(answer: str) -> bool:
    if answer not in {"yes", "no"}:
        raise DomainError("answer yes or no")
    return answer == "yes"


def _age(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal():
        raise DomainError("give the age in whole years, or leave it empty where it is not known")
    return int(text)
