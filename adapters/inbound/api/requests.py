"""`/v1/requests`: one right each; what was found, what is decided, what the systems answered."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import AliasChoices, AwareDatetime, BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Handler, Installed, Reader, require_controller, seen
from adapters.inbound.api.shapes import Form, RequestSummary, summary
from adapters.outbound.connectors.manual import MOST_ROWS, Code, Day, FoundRow, ManualAnswer
from adapters.outbound.tokens import Bearer
from domain.case import reference
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.fulfilment import SystemStatus
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, Decision, IdentifierKind, Match, Outcome, Role
from projections import deadline_worklist
from services.fulfilment import person_of
from services.ports import Result

router = APIRouter(prefix="/v1/requests", tags=["requests"])

Turn = Literal["handler", "person", "subject", "system"]
RequestId = Annotated[UUID, Path(description="The request's id.")]


class SystemShown(BaseModel):
    system: str
    role: Role
    action: Action
    status: SystemStatus
    found: int
    attempts: int
    waits_for: str | None


class FoundShown(BaseModel):
    """A found record with its content: personal data, for handlers only."""

    record_id: UUID
    system: str
    kind: str
    category: str
    match: Match
    matched_by: IdentifierKind
    theirs: bool | None
    special: bool
    masked: list[str]
    fields: dict[str, Any]


class DecisionShown(BaseModel):
    record_id: UUID
    system: str
    category: str
    decision: Decision
    explanation: str
    ground: str | None
    law: str | None
    until: date | None
    keep_fields: list[str]
    asks: list[str]
    steps: list[str]


class DecideMatch(Form):
    theirs: bool
    reason: str = Field(min_length=1, max_length=100, description="A code, never personal data.")


class Facts(Form):
    record_id: UUID
    flags: list[str]


class Approve(Form):
    """`considered` says that open questions were looked at; `words` go into the letter."""

    answers: list[Facts] = Field(default=[], max_length=1_000)
    considered: bool = False
    words: str = Field(default="", max_length=20_000)


class FoundByHand(FoundRow):
    """One record that a person found where no connector can look.

    It is strong only when it was matched by an identifier that was verified in this case.
    """

    matched_by: IdentifierKind = IdentifierKind.EMAIL
    certain: bool = True
    dates: Annotated[dict[Code, Day], Field(max_length=20)] = Field(
        default={}, validation_alias=AliasChoices("dates", "anchors")
    )


class ErasedByHand(Form):
    """What was done with one record; kept and refused need a ground that the law knows.

    `reason` is for the letter, in the words of whoever decided.
    """

    record_id: UUID
    outcome: Outcome
    detail: str = Field(default="", max_length=100)
    ground: str | None = Field(default=None, max_length=100)
    until: date | None = None
    reason: str = Field(default="", max_length=2_000)


class ByHand(Form):
    """What a person found, erased or did; exactly one of them. None needs a reason."""

    found: list[FoundByHand] | None = Field(default=None, max_length=MOST_ROWS)
    erased: list[ErasedByHand] | None = Field(default=None, min_length=1, max_length=MOST_ROWS)
    looked_again: bool = False
    outcome: Outcome | None = None
    reason: str = Field(default="", max_length=100, description="A code, never personal data.")


class OnTheList(BaseModel):
    """One request on the work list: what is due, what stands in the way, and whose turn it is."""

    request_id: UUID
    case_id: UUID
    reference: str
    controller: str
    right: str
    status: str
    target_due: date
    statutory_due: date
    promise_due: date | None
    extended_due: date | None
    clock_runs: bool
    missed: list[str]
    blocked_by: list[str]
    turn: str
    assigned_to: str | None


class WorkList(BaseModel):
    """`next` is the cursor of the next page, if there is one."""

    items: list[OnTheList]
    next: UUID | None


@router.get("")
def work_list(
    installation: Installed,
    bearer: Reader,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    turn: Annotated[Turn | None, Query(description="Whose turn it is.")] = None,
    assigned_to: Annotated[str | None, Query(max_length=100, description="A staff id.")] = None,
    after: Annotated[UUID | None, Query(description="The cursor of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> WorkList:
    """What is not closed yet, by the day to aim for; what has been answered comes last."""
    controllers = seen(installation, bearer, controller)
    last = deadline_worklist.of_request(installation.database, after) if after else None
    if after is not None and (last is None or last.controller not in controllers):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "this cursor is none: begin anew")
    found = deadline_worklist.entries(
        installation.database,
        controllers,
        turn=turn,
        assigned_to=assigned_to,
        after=last,
        limit=limit,
    )
    return WorkList(
        items=[_on_the_list(one) for one in found],
        next=found[-1].request_id if len(found) == limit else None,
    )


@router.get("/{request_id}")
def read(
    installation: Installed,
    bearer: Reader,
    request_id: RequestId,
    as_of: Annotated[
        AwareDatetime | None, Query(description="The request as it was known at this moment.")
    ] = None,
) -> RequestSummary:
    request = request_of(installation, bearer, request_id)
    if as_of is not None:
        past = installation.register.as_of(DataSubjectRequest, request_id, as_of)
        if past is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "it was not known yet at that moment")
        request = past
    return summary(request)


@router.get("/{request_id}/systems")
def systems(installation: Installed, bearer: Reader, request_id: RequestId) -> list[SystemShown]:
    request_of(installation, bearer, request_id)
    fulfilment = installation.register.find_fulfilment(request_id)
    if fulfilment is None:
        return []
    return [
        SystemShown(
            system=state.plan.system,
            role=state.plan.role,
            action=state.action,
            status=state.status,
            found=len(state.found),
            attempts=state.attempts,
            waits_for=state.waits_for,
        )
        for state in fulfilment.systems.values()
    ]


@router.get("/{request_id}/records")
def records(installation: Installed, bearer: Handler, request_id: RequestId) -> list[FoundShown]:
    """What was found, with how it matched; weak matches wait to be confirmed or rejected."""
    request = request_of(installation, bearer, request_id)
    content = installation.deciding.records(request)
    return [
        FoundShown(
            record_id=found.record_id,
            system=found.system,
            kind=found.kind,
            category=found.category,
            match=found.match,
            matched_by=found.matched_by,
            theirs=request.matches.get(found.record_id, None if found.needs_a_person else True),
            special=found.special,
            masked=list(content[found.record_id].masked),
            fields=dict(content[found.record_id].fields),
        )
        for found in request.found.values()
    ]


@router.post("/{request_id}/records/{record_id}/match")
def match(
    installation: Installed,
    bearer: Handler,
    request_id: RequestId,
    record_id: UUID,
    form: DecideMatch,
) -> RequestSummary:
    """Say whether a weakly matching record is the person's."""
    request_of(installation, bearer, request_id)
    installation.deciding.decide_match(
        request_id, record_id, theirs=form.theirs, reason=form.reason, by=bearer.staff_id
    )
    return summary(installation.register.request(request_id))


@router.get("/{request_id}/decisions")
def decisions(
    installation: Installed, bearer: Handler, request_id: RequestId
) -> list[DecisionShown]:
    """What would become of each record if it were approved today; nothing is changed."""
    request = request_of(installation, bearer, request_id)
    today = received_on(installation.clock(), request.country)
    return [
        DecisionShown(
            record_id=preview.found.record_id,
            system=preview.found.system,
            category=preview.found.category,
            decision=preview.verdict.decision,
            explanation=preview.verdict.explanation,
            ground=preview.verdict.ground,
            law=preview.verdict.law,
            until=preview.verdict.until,
            keep_fields=list(preview.verdict.keep_fields),
            asks=list(preview.verdict.asks),
            steps=[step.code for step in preview.verdict.steps],
        )
        for preview in installation.deciding.preview(request, today)
    ]


@router.post("/{request_id}/approve")
def approve(
    installation: Installed, bearer: Handler, request_id: RequestId, form: Approve
) -> RequestSummary:
    """Approve what is to be sent or erased, in your name."""
    request_of(installation, bearer, request_id)
    installation.deciding.approve(
        request_id,
        by=bearer.staff_id,
        answers={one.record_id: frozenset(one.flags) for one in form.answers},
        considered=form.considered,
        words=form.words,
    )
    return summary(installation.register.request(request_id))


@router.post("/{request_id}/systems/{system}/answer")
def answer_by_hand(
    installation: Installed, bearer: Handler, request_id: RequestId, system: str, form: ByHand
) -> RequestSummary:
    """Record what a person found or did in a system, or that a recipient was informed."""
    request_of(installation, bearer, request_id)
    record_by_hand(installation, request_id, system, form, by=bearer.staff_id)
    return summary(installation.register.request(request_id))


@router.post("/{request_id}/systems/{system}/again", status_code=HTTPStatus.ACCEPTED)
def try_again(
    installation: Installed, bearer: Handler, request_id: RequestId, system: str
) -> RequestSummary:
    """Ask a system once more, after somebody has seen to it over there."""
    request_of(installation, bearer, request_id)
    installation.fulfilments.try_again(request_id, system, by=bearer.staff_id)
    return summary(installation.register.request(request_id))


def record_by_hand(
    installation: Installation, request_id: UUID, system: str, form: ByHand, *, by: str
) -> None:
    """Hand a person's answer to the service that it belongs to."""
    if form.found is not None:
        person = person_of(installation.vault, installation.register.request(request_id))
        rows = ManualAnswer(found=tuple(form.found)).to_records(person) if form.found else []
        installation.byhand.found(request_id, system, rows, reason=form.reason, by=by)
    elif form.erased is not None:
        results = {
            one.record_id: Result(
                one.outcome, one.detail, ground=one.ground, until=one.until, words=one.reason
            )
            for one in form.erased
        }
        installation.byhand.erased(
            request_id, system, results, looked_again=form.looked_again, by=by
        )
    elif form.outcome is not None:
        installation.byhand.done(
            request_id, system, outcome=form.outcome, reason=form.reason, by=by
        )
    else:
        raise DomainError("say what was found, what was erased, or how it ended")


def _on_the_list(work: deadline_worklist.Work) -> OnTheList:
    return OnTheList(
        request_id=work.request_id,
        case_id=work.case_id,
        reference=reference(work.case_id),
        controller=work.controller,
        right=work.subject_right,
        status=work.status,
        target_due=work.target_due,
        statutory_due=work.statutory_due,
        promise_due=work.promise_due,
        extended_due=work.extended_due,
        clock_runs=work.clock_runs,
        missed=work.missed,
        blocked_by=work.blocked_by,
        turn=work.turn,
        assigned_to=work.assigned_to,
    )


def request_of(installation: Installation, bearer: Bearer, request_id: UUID) -> DataSubjectRequest:
    request = installation.register.request(request_id)
    require_controller(bearer, request.controller)
    return request
