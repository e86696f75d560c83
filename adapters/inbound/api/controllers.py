"""`/v1/controllers` and `/v1/tasks`: what is still to be decided, and work that was given up."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import (
    Admin,
    ApiRoute,
    Installed,
    Reader,
    require_controller,
    seen,
)
from adapters.inbound.api.commands import AdminCommand
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.shapes import Form
from adapters.outbound.tokens import Bearer
from domain.controller import FindingAnswer
from domain.findings import asked
from domain.vocabulary import Severity

router = APIRouter(prefix="/v1", tags=["controllers"], route_class=ApiRoute)

Name = Annotated[str, Path(max_length=100, description="The id of the controller's profile.")]


class ControllerShown(BaseModel):
    name: str
    profile_version: str
    profile_digest: str
    open_findings: int


class FindingShown(BaseModel):
    """A finding about the profile in force that nobody has decided yet, and what to ask."""

    code: str
    severity: Severity
    where: str
    article: str
    question: str
    quote: str | None
    line: int | None


class Decide(Form):
    answer: FindingAnswer = FindingAnswer.DECIDED
    decision: str = Field(min_length=1, max_length=2_000, description="What was decided, and why.")


class DecisionShown(BaseModel):
    """An answer to a finding; `stands` until the profile gives rise to another question."""

    code: str
    answer: str
    decision: str
    by: str
    decided_at: datetime
    profile_digest: str
    stands: bool


class ParkedShown(BaseModel):
    key: str
    kind: str
    subject_id: UUID
    controller: str
    system: str | None
    reason: str
    parked_at: datetime


class Release(Form):
    key: str = Field(min_length=1, max_length=500)


@router.get("/controllers")
def controllers(installation: Installed, bearer: Reader, page: Paged) -> list[ControllerShown]:
    """Every controller that this token may see, with the profile in force."""
    shown = []
    for name in page.of(seen(installation, bearer, None), lambda name: (name,)):
        profile = installation.controllers.in_force(name)
        findings = installation.controllers.findings(name, installation.clock().date())
        shown.append(
            ControllerShown(
                name=name,
                profile_version=profile.version,
                profile_digest=profile.digest,
                open_findings=len(findings),
            )
        )
    return shown


@router.get("/controllers/{name}/findings")
def findings(
    installation: Installed, bearer: Reader, page: Paged, name: Name
) -> list[FindingShown]:
    """What is still to be decided about the profile in force."""
    require_controller(bearer, name)
    return page.of(_findings(installation, name), lambda one: (one.code, one.where))


@router.post("/controllers/{name}/findings/{code}/decide", response_model=list[FindingShown])
def decide(
    installation: Installed, command: AdminCommand, name: Name, code: str, form: Decide
) -> Response:
    """Record what the controller decided about a finding; answers what is still open."""
    require_controller(command.bearer, name)
    return command.carry_out(
        lambda: installation.controllers.decide_finding(
            name,
            code=code,
            answer=form.answer,
            decision=form.decision,
            by=command.bearer.staff_id,
        ),
        lambda: _findings(installation, name),
    )


@router.get("/controllers/{name}/decisions")
def decisions(
    installation: Installed, bearer: Admin, page: Paged, name: Name
) -> list[DecisionShown]:
    """What was decided about findings, by whom and why."""
    require_controller(bearer, name)
    made = installation.controllers.decisions(name, installation.clock().date())
    return [
        DecisionShown(
            code=one.code,
            answer=one.answer,
            decision=one.words,
            by=one.by,
            decided_at=one.at,
            profile_digest=one.profile,
            stands=one.stands,
        )
        for one in page.of(sorted(made, key=lambda one: one.code), lambda one: (one.code,))
    ]


@router.get("/tasks/parked")
def parked(installation: Installed, bearer: Admin, page: Paged) -> list[ParkedShown]:
    """Work that was given up and waits for a person, the oldest first."""
    return page.of(_parked(installation, bearer), lambda one: (one.parked_at.isoformat(), one.key))


@router.post("/tasks/release", status_code=HTTPStatus.ACCEPTED, response_model=list[ParkedShown])
def release(installation: Installed, command: AdminCommand, form: Release) -> Response:
    """Have a parked task tried again, now; answers what is still parked."""

    def act() -> None:
        if form.key not in {one.key for one in _parked(installation, command.bearer)}:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such parked task")

    return command.carry_out(
        act,
        lambda: [one for one in _parked(installation, command.bearer) if one.key != form.key],
        status=HTTPStatus.ACCEPTED,
        writes=[installation.tasks.releasing(form.key)],
    )


def _findings(installation: Installation, name: str) -> list[FindingShown]:
    language = installation.controllers.in_force(name).language
    return [
        FindingShown(
            code=one.code,
            severity=one.severity,
            where=one.where,
            article=one.article,
            question=asked(one, language),
            quote=one.quote,
            line=one.line,
        )
        for one in installation.controllers.findings(name, installation.clock().date())
    ]


def _parked(installation: Installation, bearer: Bearer) -> list[ParkedShown]:
    return [
        ParkedShown(
            key=one.task.key,
            kind=one.task.kind,
            subject_id=one.task.subject_id,
            controller=one.task.controller,
            system=one.task.system,
            reason=one.reason,
            parked_at=one.parked_at,
        )
        for one in installation.tasks.parked()
        if bearer.sees(one.task.controller)
    ]
