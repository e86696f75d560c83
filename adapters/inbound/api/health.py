"""`/health`: whether this process can do its work, for a load balancer and for a person."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import psycopg
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import Installed
from adapters.outbound import chain_store
from adapters.outbound.kafka.standing import Standing, standing
from adapters.outbound.tasks import FailingSystem
from adapters.outbound.tokens import Bearer

router = APIRouter(tags=["health"])


class ViewHealth(BaseModel):
    """How far a read model is: events it lacks, and aggregates it could not follow."""

    view: str
    behind: int
    parked: int


class FailingHealth(BaseModel):
    """A connected system that fails; one that is suspended is only probed until it answers."""

    controller: str
    system: str | None = Field(description="Its id in the profile; null is the mail relay.")
    failing_since: datetime
    suspended_since: datetime | None
    next_probe_at: datetime | None
    reason: str
    tasks_waiting: int


class ChainHealth(BaseModel):
    """How far the evidence chain is: events it lacks for a while, what is signed, what is wrong."""

    position: int
    behind: int
    signed_position: int
    signed_at: datetime | None
    stopped: str | None = Field(description="Why it stands still; null when it does not.")


class KafkaHealth(BaseModel):
    """How far the log has been published to Kafka, and receipts were taken from there."""

    published_position: int
    behind: int = Field(description="Positions of the log that Kafka has not been told of.")
    trouble: str | None = Field(description="Why nothing is published; null when nothing is wrong.")
    trouble_position: int | None = Field(description="The event that cannot be published.")
    trouble_since: datetime | None
    receipts_taken: int
    receipts_behind: int
    receipts_trouble: str | None
    receipts_refused: dict[str, int] = Field(description="How many had no effect, by reason.")


class Health(BaseModel):
    status: str
    database: str
    parked_tasks: int
    suspended_systems: int = 0
    failing: list[FailingHealth] = Field(
        default=[], description="Told only to a bearer, and of the controllers it may see."
    )
    views: list[ViewHealth] = []
    chain: ChainHealth | None = None
    kafka: KafkaHealth | None = Field(
        default=None, description="Null where nothing has ever been published."
    )
    warnings: list[str] = Field(
        default=[], description="What works today and needs somebody to see to it all the same."
    )


@router.get(
    "/health",
    responses={503: {"model": Health, "description": "No requests can be taken at the moment."}},
)
def health(request: Request, installation: Installed, response: Response) -> Health:
    """200 when requests can be taken, 503 when not; a system that fails is no reason for that."""
    try:
        parked = sum(count.parked for count in installation.tasks.counts())
        states = installation.views.states()
        warnings = installation.warnings()
        chain = chain_store.state(installation.database)
        kafka = standing(installation.database)
        failing = installation.tasks.failing()
        bearer = _bearer(request, installation)
    except psycopg.Error:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="unavailable", database="does not answer", parked_tasks=0)
    return Health(
        status="ok",
        database="ok",
        parked_tasks=parked,
        suspended_systems=sum(one.suspended_at is not None for one in failing),
        failing=[_told(one) for one in failing if bearer and bearer.sees(one.controller)],
        views=[ViewHealth(view=s.view, behind=s.behind, parked=s.parked) for s in states],
        chain=ChainHealth(
            position=chain.position,
            behind=chain.behind,
            signed_position=chain.signed_position,
            signed_at=chain.signed_at,
            stopped=chain.stopped,
        ),
        kafka=_kafka(kafka) if kafka else None,
        warnings=[*warnings, *(kafka.warnings if kafka else ())],
    )


def _kafka(found: Standing) -> KafkaHealth:
    published, receipts = found.published, found.receipts
    return KafkaHealth(
        published_position=published.position,
        behind=published.behind,
        trouble=published.trouble,
        trouble_position=published.trouble_position,
        trouble_since=published.trouble_since,
        receipts_taken=receipts.taken,
        receipts_behind=receipts.behind,
        receipts_trouble=receipts.trouble,
        receipts_refused=dict(receipts.refused),
    )


def _bearer(request: Request, installation: Installed) -> Bearer | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        return None
    return installation.tokens.remembered(token) or installation.tokens.bearer(token)


def _told(one: FailingSystem) -> FailingHealth:
    return FailingHealth(
        controller=one.controller,
        system=one.system,
        failing_since=one.failing_since,
        suspended_since=one.suspended_at,
        next_probe_at=one.probe_at,
        reason=one.reason,
        tasks_waiting=one.tasks_waiting,
    )
