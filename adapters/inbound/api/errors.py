"""Errors as problem details (RFC 9457): one table, no personal data, always what to do next."""

from __future__ import annotations

from http import HTTPStatus

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import DomainError, NotAllowedNow, NotDecidable
from services.ports import Erased, VaultLocked
from services.register import SomebodyWasFaster, UnknownHere

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (UnknownHere, HTTPStatus.NOT_FOUND),
    (SomebodyWasFaster, HTTPStatus.CONFLICT),
    (NotAllowedNow, HTTPStatus.CONFLICT),
    (NotDecidable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DomainError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Erased, HTTPStatus.GONE),
)

log = structlog.get_logger()


def status_of(error: Exception) -> HTTPStatus:
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem(
    status: int, detail: str, *, errors: list[dict[str, str]] | None = None
) -> JSONResponse:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    headers = (
        {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    )
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def add_handlers(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def refused(_request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the request is not of the form this resource takes",
            # Where and why, but not what: the input may be somebody's personal data.
            errors=[
                {"where": ".".join(map(str, one["loc"])), "reason": str(one["type"])}
                for one in error.errors()
            ],
        )

    @app.exception_handler(DomainError)
    @app.exception_handler(Erased)
    def forbidden(_request: Request, error: Exception) -> JSONResponse:
        return problem(status_of(error), str(error) or "the content has been destroyed")

    @app.exception_handler(psycopg.OperationalError)
    def away(_request: Request, error: psycopg.OperationalError) -> JSONResponse:
        log.warning("database_away", error=type(error).__name__)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer; try again soon"
        )

    @app.exception_handler(VaultLocked)
    def locked(_request: Request, error: VaultLocked) -> JSONResponse:
        log.error("master_key_missing", error=type(error).__name__)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "a key is missing here for the moment; try again soon"
        )

    @app.exception_handler(Exception)
    def broken(_request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", exc_info=error)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; nothing was changed"
        )
