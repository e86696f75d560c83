"""`/v1/requests`: one right each; what was found, what is decided, what the systems answered."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Handler, Installed, Reader, require_controller
from adapters.inbound.api.shapes import RequestSummary, summary
from adapters.outbound.tokens import Bearer
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.fulfilment import SystemStatus
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, Decision, IdentifierKind, Match, Outcome, Role
from services.ports import Record, Result

router = APIRouter(prefix="/v1/requests", tags=["requests"])

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


class DecideMatch(BaseModel):
    theirs: bool
    reason: str = Field(min_length=1, max_length=500, description="A code, never personal data.")


class Facts(BaseModel):
    record_id: UUID
    flags: list[str]


class Approve(BaseModel):
    """`considered` says that open questions were looked at; `words` go into the letter."""

    answers: list[Facts] = []
    considered: bool = False
    words: str = Field(default="", max_length=20_000)


class FoundByHand(BaseModel):
    """One record that a person found where no connector can look."""

    kind: str = Field(min_length=1, max_length=100)
    key: str = Field(min_length=1, max_length=500, description="How to find it there again.")
    fields: dict[str, str] = Field(max_length=100)
    anchors: dict[str, date] = {}
    flags: list[str] = []


class ErasedByHand(BaseModel):
    record_id: UUID
    outcome: Outcome
    detail: str = Field(default="", max_length=200)


class ByHand(BaseModel):
    """What a person found, erased or did; exactly one of them. None needs a reason."""

    found: list[FoundByHand] | None = Field(default=None, max_length=1_000)
    erased: list[ErasedByHand] | None = Field(default=None, min_length=1, max_length=1_000)
    looked_again: bool = False
    outcome: Outcome | None = None
    reason: str = Field(default="", max_length=500)


@router.get("/{request_id}")
def read(
    installation: Installed,
    bearer: Reader,
    request_id: RequestId,
    as_of: Annotated[
        AwareDatetime | None, Query(description="The request as it was known at this moment.")
    ] = None,
) -> RequestSummary:
    request = _request(installation, bearer, request_id)
    if as_of is not None:
        past = installation.register.as_of(DataSubjectRequest, request_id, as_of)
        if past is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "it was not known yet at that moment")
        request = past
    return summary(request)


@router.get("/{request_id}/systems")
def systems(installation: Installed, bearer: Reader, request_id: RequestId) -> list[SystemShown]:
    _request(installation, bearer, request_id)
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
    request = _request(installation, bearer, request_id)
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
    _request(installation, bearer, request_id)
    installation.deciding.decide_match(
        request_id, record_id, theirs=form.theirs, reason=form.reason, by=bearer.staff_id
    )
    return summary(installation.register.request(request_id))


@router.get("/{request_id}/decisions")
def decisions(
    installation: Installed, bearer: Handler, request_id: RequestId
) -> list[DecisionShown]:
    """What would become of each record if it were approved today; nothing is changed."""
    request = _request(installation, bearer, request_id)
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
    _request(installation, bearer, request_id)
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
    _request(installation, bearer, request_id)
    record_by_hand(installation, request_id, system, form, by=bearer.staff_id)
    return summary(installation.register.request(request_id))


@router.post("/{request_id}/systems/{system}/again", status_code=HTTPStatus.ACCEPTED)
def try_again(
    installation: Installed, bearer: Handler, request_id: RequestId, system: str
) -> RequestSummary:
    """Ask a system once more, after somebody has seen to it over there."""
    _request(installation, bearer, request_id)
    installation.fulfilments.try_again(request_id, system, by=bearer.staff_id)
    return summary(installation.register.request(request_id))


def record_by_hand(
    installation: Installation, request_id: UUID, system: str, form: ByHand, *, by: str
) -> None:
    """Hand a person's answer to the service that it belongs to."""
    if form.found is not None:
        records = [
            Record(
                key=one.key,
                kind=one.kind,
                match=Match.LINKED_RECORD,
                matched_by=IdentifierKind.NAME,
                fields=one.fields,
                anchors=one.anchors,
                flags=frozenset(one.flags),
            )
            for one in form.found
        ]
        installation.byhand.found(request_id, system, records, reason=form.reason, by=by)
    elif form.erased is not None:
        results = {one.record_id: Result(one.outcome, one.detail) for one in form.erased}
        installation.byhand.erased(
            request_id, system, results, looked_again=form.looked_again, by=by
        )
    elif form.outcome is not None:
        installation.byhand.done(
            request_id, system, outcome=form.outcome, reason=form.reason, by=by
        )
    else:
        raise DomainError("say what was found, what was erased, or how it ended")


def _request(installation: Installation, bearer: Bearer, request_id: UUID) -> DataSubjectRequest:
    request = installation.register.request(request_id)
    require_controller(bearer, request.controller)
    return request
