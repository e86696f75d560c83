"""The buttons about time: questions, pauses, advice, more time, receipt, whose request it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute, Sent, one_of
from adapters.inbound.web.session import Advises, AtDesk, Desk
from adapters.inbound.web.steps import carry_out
from domain.errors import DomainError
from domain.request import DataSubjectRequest
from domain.vocabulary import ConsultedAbout, ExtensionReason
from projections.incoming import case_called
from services.receipts import Correction

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)

Command = Callable[[DataSubjectRequest], object]


@router.post("/requests/{request_id}/clarification")
def ask_scope(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command(request: DataSubjectRequest) -> None:
        desk.installation.questions.ask_scope(
            request.id, words=sent.one("question"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, form="question", done="question-asked")


@router.post("/requests/{request_id}/clarification/answer")
def answered(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command(request: DataSubjectRequest) -> None:
        desk.installation.questions.record_answer(
            request.id, words=sent.one("answer"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, form="question", done="answer-noted")


@router.post("/requests/{request_id}/consult")
def consult(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command(request: DataSubjectRequest) -> None:
        desk.installation.consulting.ask(
            request.id,
            about=one_of(ConsultedAbout, sent.one("about")),
            words=sent.one("question"),
            advice=sent.one("advice"),
            advised_by=sent.one("advised_by"),
            by=desk.staff_id,
        )

    return _step(desk, case_id, request_id, sent, command, form="consult", done="consulted")


@router.post("/requests/{request_id}/consult/{question_id}/advice")
def advise(
    desk: Advises, case_id: UUID, request_id: UUID, question_id: UUID, sent: Form
) -> Response:
    def command(request: DataSubjectRequest) -> None:
        desk.installation.consulting.advise(
            request.id, question_id, words=sent.one("advice"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, form="consult", done="advised")


@router.post("/requests/{request_id}/consult/{question_id}/weighed")
def weigh(desk: AtDesk, case_id: UUID, request_id: UUID, question_id: UUID, sent: Form) -> Response:
    def command(request: DataSubjectRequest) -> None:
        if sent.one("followed") not in {"yes", "no"}:
            raise DomainError("say whether the advice was followed")
        desk.installation.consulting.weigh(
            request.id,
            question_id,
            followed=sent.one("followed") == "yes",
            words=sent.one("why"),
            by=desk.staff_id,
        )

    return _step(desk, case_id, request_id, sent, command, form="consult", done="weighed")


@router.post("/requests/{request_id}/suspension")
def rely(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Let the pauses count, in the controller's name."""

    def command(request: DataSubjectRequest) -> None:
        desk.installation.consulting.rely_on_suspension(
            request.id, reason=sent.one("reason"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, form="pauses", done="relied")


@router.post("/requests/{request_id}/extension")
def extend(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Two more months: the notice is written, and the time is extended when it has left."""

    def command(request: DataSubjectRequest) -> None:
        desk.installation.extending.decide(
            request.id,
            reasons=tuple(one_of(ExtensionReason, one) for one in sent.all("reason")),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return _step(desk, case_id, request_id, sent, command, form="extend", done="extending")


@router.post("/requests/{request_id}/duplicate")
def duplicate(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Say that another case asks the same; its number is what people know."""

    def command(request: DataSubjectRequest) -> None:
        sql = desk.installation.database
        other = case_called(sql, desk.controllers, sent.one("reference"))
        if other is None:
            raise DomainError(
                "there is no such case here: check the case number", key="no-such-case"
            )
        to = desk.case(other).request_id(request.right)
        desk.installation.receipts.link(request.id, to=to, by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, form="duplicate", done="linked")


@router.post("/requests/{request_id}/assign")
def assign(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command(request: DataSubjectRequest) -> None:
        desk.installation.assigning.assign([request.id], to=sent.one("to"), by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, form="assign", done="assigned")


@router.post("/requests/{request_id}/reopen")
def reopen(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Take a closed request up again; the receipt stays where it was."""

    def command(request: DataSubjectRequest) -> None:
        desk.installation.afterwards.reopen(request.id, reason=sent.one("reason"), by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, form="reopen", done="reopened")


@router.post("/receipt")
def correct_receipt(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        zone = ZoneInfo(desk.profile(case.controller).country.zone)
        desk.installation.receipts.correct(
            case.id,
            Correction(
                received_at=_moment(sent.one("day"), sent.one("hour"), zone),
                reason=sent.one("reason"),
                said_by=sent.one("said_by"),
                evidence=sent.one("evidence"),
            ),
            by=desk.staff_id,
        )

    return carry_out(desk, case, sent, command, form="receipt", done="receipt-corrected")


def _step(
    desk: Desk,
    case_id: UUID,
    request_id: UUID,
    sent: Sent,
    command: Command,
    *,
    form: str,
    done: str,
) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    name = request.right.value
    return carry_out(
        desk,
        case,
        sent,
        lambda: _nothing(command(request)),
        form=f"{form}-{name}",
        done=done,
        place=f"clock-{name}",
    )


def _nothing(_: object) -> None:
    """What a command answers is seen on the page."""


def _moment(day: str, hour: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(
            date.fromisoformat(day), time.fromisoformat(hour or "12:00"), tzinfo=zone
        )
    except ValueError:
        raise DomainError("give the day, and the hour if it is known") from None
