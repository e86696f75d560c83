"""`/v1/controllers` and `/v1/tasks`: what is still to be decided, and work that was given up."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import Admin, Installed, Reader, require_controller, seen
from adapters.inbound.api.shapes import Form
from domain.vocabulary import Severity

router = APIRouter(prefix="/v1", tags=["controllers"])

Name = Annotated[str, Path(max_length=100, description="The id of the controller's profile.")]


class ControllerShown(BaseModel):
    name: str
    profile_version: str
    profile_digest: str
    open_findings: int


class FindingShown(BaseModel):
    """A finding about the profile in force that nobody has decided yet."""

    code: str
    severity: Severity
    where: str


class Decide(Form):
    decision: str = Field(min_length=1, max_length=2_000, description="What was decided, and why.")


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
def controllers(installation: Installed, bearer: Reader) -> list[ControllerShown]:
    shown = []
    for name in seen(installation, bearer, None):
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
def findings(installation: Installed, bearer: Reader, name: Name) -> list[FindingShown]:
    """What is still to be decided about the profile in force."""
    require_controller(bearer, name)
    return [
        FindingShown(code=one.code, severity=one.severity, where=one.where)
        for one in installation.controllers.findings(name, installation.clock().date())
    ]


@router.post("/controllers/{name}/findings/{code}/decide")
def decide(
    installation: Installed, bearer: Admin, name: Name, code: str, form: Decide
) -> list[FindingShown]:
    """Record what the controller decided about a finding; answers what is still open."""
    require_controller(bearer, name)
    installation.controllers.decide_finding(
        name, code=code, decision=form.decision, by=bearer.staff_id
    )
    return findings(installation, bearer, name)


@router.get("/tasks/parked")
def parked(installation: Installed, bearer: Admin) -> list[ParkedShown]:
    """Work that was given up and waits for a person, the oldest first."""
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


@router.post("/tasks/release", status_code=HTTPStatus.ACCEPTED)
def release(installation: Installed, bearer: Admin, form: Release) -> list[ParkedShown]:
    """Have a parked task tried again, now; answers what is still parked."""
    if form.key not in {one.key for one in parked(installation, bearer)}:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such parked task")
    installation.tasks.release(form.key)
    return parked(installation, bearer)
