"""`/v1/requests/…` about time: the dates and why, questions to the person, pauses, more time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed, Reader
from adapters.inbound.api.cases import CaseId, CaseShown, case_of, shown
from adapters.inbound.api.commands import DeskCommand, NewCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, Moment, RequestSummary
from domain.calendar import calendar_named
from domain.deadlines import received_on
from domain.explanation import explain
from domain.request import DataSubjectRequest
from domain.vocabulary import ConsultedAbout, Content, ExtensionReason, Language, PauseReason
from services.assigning import MOST_AT_ONCE
from services.receipts import Correction

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)
cases = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=ApiRoute)

Code = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="A code, never a person's data.",
        examples=["found-in-another-department"],
    ),
]
StaffId = Annotated[str, Field(min_length=1, max_length=100, description="A staff id.")]
QuestionId = Annotated[UUID, Path(description="The consultation's id.")]
Words = Annotated[str, Field(min_length=1, max_length=20_000)]


class PauseShown(BaseModel):
    """A time the person kept us waiting; without `ended_on` it goes on."""

    reason: PauseReason
    opened_on: date
    ended_on: date | None
    reminded_on: list[date]
    silent: bool


class StepShown(BaseModel):
    title: str
    day: date
    text: str
    source: str


class DatesShown(BaseModel):
    """Every date, in both worlds, and how each came about.

    `due` and `aim_for` are what alarms, lists and breaches go by. They count the pauses only
    where `suspension_relied_on`.
    """

    received_on: date
    earlier_receipts: list[date]
    calendar: str
    unrolled: date
    statutory_due: date | None
    statutory_due_if_suspended: date | None
    promise_due: date | None
    target_due: date
    target_due_if_suspended: date | None
    extended_due: date | None
    extension_decided: bool
    extension_reasons: list[ExtensionReason]
    notice_sent_on: date | None
    suspension_relied_on: bool
    due: date | None
    aim_for: date
    pauses: list[PauseShown]
    why: list[StepShown]


class AskScope(Form):
    """`question` goes into the letter, in the person's language."""

    question: Words
    reason: Code = "scope-unclear"


class Answered(Form):
    answer: Words = Field(description="What the person said, by telephone or on paper.")


class Consult(Form):
    about: ConsultedAbout
    question: Words
    advice: str = Field(
        default="", max_length=20_000, description="Where it came at once, with `advised_by`."
    )
    advised_by: str = Field(
        default="", max_length=100, description="Staff id of the officer; never your own."
    )


class Advise(Form):
    advice: Words


class Weigh(Form):
    """Whether the controller followed the advice; where not, `why` must say why."""

    followed: bool
    why: str = Field(default="", max_length=20_000)


class ConsultationShown(BaseModel):
    """A question to the officer with its words: for handlers only."""

    question_id: UUID
    about: ConsultedAbout
    asked_at: datetime
    asked_by: str
    question: str | None
    advice: str | None
    advised_by: str | None
    followed: bool | None


class Rely(Form):
    """A decision of the controller, in your name, after the officer was heard."""

    reason: Code
    question_id: UUID | None = Field(
        default=None, description="The consultation; the newest about the suspension if left out."
    )


class Extend(Form):
    """Reasons of both sorts: what makes it complex, and that there are several requests."""

    reasons: list[ExtensionReason] = Field(min_length=1, max_length=len(ExtensionReason))
    words: str = Field(default="", max_length=5_000, description="Goes into the notice.")


class Duplicate(Form):
    request_id: UUID = Field(description="The request that asks the same.")


class Assign(Form):
    to: StaffId


class AssignMany(Form):
    to: StaffId
    request_ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Reopen(Form):
    reason: Code


class Assigned(BaseModel):
    """Who has these requests now."""

    to: str
    request_ids: list[UUID]


class CorrectReceipt(Form):
    """When the message truly reached the controller, and what shows it. The proof is sealed."""

    received_at: Moment
    reason: Code
    said_by: str = Field(min_length=1, max_length=500, examples=["The service desk in Bergen"])
    evidence: Words = Field(examples=["Stamped as received on the 2nd; lay in the wrong tray."])


@router.get("/{request_id}/dates")
def dates(
    installation: Installed,
    bearer: Reader,
    request_id: RequestId,
    language: Annotated[Language | None, Query(description="Of the reasons.")] = None,
) -> DatesShown:
    """Every date of a request, with and without the pauses, and why it is that date."""
    request = request_of(installation, bearer, request_id)
    today = received_on(installation.clock(), request.country)
    return dates_shown(request, today, language or request.language)


@router.post(
    "/{request_id}/clarification", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary
)
def ask_scope(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: AskScope
) -> Response:
    """Ask the person what is meant; the pause is shown and moves no date by itself."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.questions.ask_scope(
            request_id, words=form.question, reason=form.reason, by=command.bearer.staff_id
        ),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{request_id}/clarification/answer", response_model=RequestSummary)
def answered(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Answered
) -> Response:
    """Record the person's answer; one that comes as a reply by mail is recorded by itself."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.questions.record_answer(
            request_id, words=form.answer, by=command.bearer.staff_id
        ),
    )


@router.get("/{request_id}/consultations")
def consultations(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> list[ConsultationShown]:
    """What the officer was asked and advised, and whether it was followed."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.NOTE)
    return [
        ConsultationShown(
            question_id=one.consultation.question.id,
            about=one.consultation.about,
            asked_at=one.consultation.asked_at,
            asked_by=one.consultation.by,
            question=one.question,
            advice=one.advice,
            advised_by=one.consultation.advised_by,
            followed=one.consultation.followed,
        )
        for one in installation.consulting.opened(request)
    ]


@router.post(
    "/{request_id}/consultations", status_code=HTTPStatus.CREATED, response_model=RequestSummary
)
def consult(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Consult
) -> Response:
    """Ask the officer for advice; the officer never decides (Art. 38(6))."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.consulting.ask(
            request_id,
            about=form.about,
            words=form.question,
            advice=form.advice,
            advised_by=form.advised_by,
            by=command.bearer.staff_id,
        ),
        status=HTTPStatus.CREATED,
    )


@router.post("/{request_id}/consultations/{question_id}/advice", response_model=RequestSummary)
def advise(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    question_id: QuestionId,
    form: Advise,
) -> Response:
    """Give your advice as the officer."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.consulting.advise(
            request_id, question_id, words=form.advice, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/consultations/{question_id}/weighed", response_model=RequestSummary)
def weigh(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    question_id: QuestionId,
    form: Weigh,
) -> Response:
    """Say whether the advice was followed, and where not, why."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.consulting.weigh(
            request_id,
            question_id,
            followed=form.followed,
            words=form.why,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/{request_id}/suspension", response_model=RequestSummary)
def rely(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Rely
) -> Response:
    """Let the pauses count, in the controller's name; only after the officer was heard."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.consulting.rely_on_suspension(
            request_id,
            reason=form.reason,
            question=form.question_id,
            by=command.bearer.staff_id,
        ),
    )


@router.post(
    "/{request_id}/extension", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary
)
def extend(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Extend
) -> Response:
    """Take two more months; they are taken when the notice has left in time (Art. 12(3))."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.extending.decide(
            request_id,
            reasons=tuple(form.reasons),
            words=form.words,
            by=command.bearer.staff_id,
        ),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{request_id}/duplicate", response_model=RequestSummary)
def duplicate(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Duplicate
) -> Response:
    """Say that another request asks the same; the earliest receipt is that of both."""
    request = request_of(installation, command.bearer, request_id)
    request_of(installation, command.bearer, form.request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.receipts.link(
            request_id, to=form.request_id, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/assign", response_model=RequestSummary)
def assign(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Assign
) -> Response:
    """Give the request to somebody."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.assigning.assign([request_id], to=form.to, by=command.bearer.staff_id),
    )


@router.post("/{request_id}/reopen", response_model=RequestSummary)
def reopen(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Reopen
) -> Response:
    """Take a closed request up again; the receipt, and with it the clock, is the old one."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.afterwards.reopen(
            request_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/assign", response_model=Assigned)
def assign_many(installation: Installed, command: NewCommand, form: AssignMany) -> Response:
    """Give many requests to somebody: all of them, or none where one cannot be given."""
    for request_id in form.request_ids:
        request_of(installation, command.bearer, request_id)
    return command.carry_out(
        lambda: installation.assigning.assign(
            form.request_ids, to=form.to, by=command.bearer.staff_id
        ),
        lambda: Assigned(to=form.to, request_ids=form.request_ids),
    )


@cases.post("/{case_id}/receipt", response_model=CaseShown)
def correct_receipt(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: CorrectReceipt
) -> Response:
    """Put right when the message arrived; the dates of its requests are counted anew."""
    case_of(installation, command.bearer, case_id)
    correction = Correction(form.received_at, form.reason, form.said_by, form.evidence)
    return command.carry_out(
        lambda: installation.receipts.correct(case_id, correction, by=command.bearer.staff_id),
        lambda: shown(installation, installation.register.case(case_id)),
        of=case_id,
    )


def dates_shown(request: DataSubjectRequest, today: date, language: Language) -> DatesShown:
    """The dates as they stand on a day."""
    both, relied = request.both_worlds_on(today), request.suspension_relied_on
    return DatesShown(
        received_on=request.received_on,
        earlier_receipts=list(request.earlier_receipts),
        calendar=request.dates.calendar,
        unrolled=both.unrolled,
        statutory_due=both.statutory_due,
        statutory_due_if_suspended=both.statutory_due_if_suspended,
        promise_due=both.promise_due,
        target_due=both.target_due,
        target_due_if_suspended=both.target_due_if_suspended,
        extended_due=both.extended_due,
        extension_decided=request.extension_decided_by is not None,
        extension_reasons=list(request.extension_reasons),
        notice_sent_on=request.notice_sent_on,
        suspension_relied_on=relied,
        due=both.last_day(relied=relied),
        aim_for=both.aim(relied=relied),
        pauses=list(_pauses(request)),
        why=[
            StepShown(title=step.title, day=step.day, text=step.text, source=step.source)
            for step in explain(
                request.received_on,
                calendar_named(request.dates.calendar),
                request.promise_days,
                language,
                pauses=request.pauses_on(today),
                extension=request.dates.extended_due is not None,
                statutory=request.right.is_statutory,
                relied=relied,
                earlier_receipts=request.earlier_receipts,
                earlier_dates=request.earlier_dates,
            )
        ],
    )


def _pauses(request: DataSubjectRequest) -> Iterator[PauseShown]:
    for reason, opened_on, ended_on in request.ledger:
        yield PauseShown(
            reason=reason, opened_on=opened_on, ended_on=ended_on, reminded_on=[], silent=False
        )
    for reason, opened_on in request.open_pauses.items():
        yield PauseShown(
            reason=reason,
            opened_on=opened_on,
            ended_on=None,
            reminded_on=list(request.question_reminders.get(reason, ())),
            silent=reason in request.silent_about,
        )
