"""`/health`: whether this process can do its work, for a load balancer and for a person."""

from __future__ import annotations

from http import HTTPStatus

import psycopg
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import Installed

router = APIRouter(tags=["health"])


class ViewHealth(BaseModel):
    """How far a read model is: events it lacks, and aggregates it could not follow."""

    view: str
    behind: int
    parked: int


class Health(BaseModel):
    status: str
    database: str
    parked_tasks: int
    views: list[ViewHealth] = []
    warnings: list[str] = Field(
        default=[], description="What works today and needs somebody to see to it all the same."
    )


@router.get("/health")
def health(installation: Installed, response: Response) -> Health:
    """200 when requests can be taken, 503 when not."""
    try:
        parked = sum(count.parked for count in installation.tasks.counts())
        states = installation.views.states()
        warnings = installation.warnings()
    except psycopg.Error:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="unavailable", database="does not answer", parked_tasks=0)
    return Health(
        status="ok",
        database="ok",
        parked_tasks=parked,
        views=[ViewHealth(view=s.view, behind=s.behind, parked=s.parked) for s in states],
        warnings=warnings,
    )
