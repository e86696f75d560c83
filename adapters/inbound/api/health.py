"""`/health`: whether this process can do its work, for a load balancer and for a person."""

from __future__ import annotations

from http import HTTPStatus

import psycopg
from fastapi import APIRouter, Response
from pydantic import BaseModel

from adapters.inbound.api.auth import Installed

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str
    database: str
    parked_tasks: int


@router.get("/health")
def health(installation: Installed, response: Response) -> Health:
    """200 when requests can be taken, 503 when not."""
    try:
        parked = len(installation.tasks.parked())
    except psycopg.Error:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="unavailable", database="does not answer", parked_tasks=0)
    return Health(status="ok", database="ok", parked_tasks=parked)
