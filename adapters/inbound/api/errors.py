"""Errors as problem details (RFC 9457): one table, no personal data, always what to do next."""

from __future__ import annotations

from http import HTTPStatus

import eventsourcing.persistence as es
import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from adapters.contract.messages import NOT_A_CODE
from adapters.inbound.api.auth import NOT_HERE
from adapters.inbound.api.commands import KeyWrong, Stale
from adapters.inbound.api.paging import CursorWrong
from adapters.outbound.external_numbers import USED_ONCE as NUMBER_USED_ONCE
from adapters.outbound.idempotency import STATE_AS_EXPECTED, UnderWay, UsedForAnother
from adapters.outbound.recorder import ConstraintViolated
from domain.errors import DomainError, NotAllowedNow, NotDecidable
from domain.instruction import ClaimEnded
from services.ports import Erased, VaultLocked
from services.register import SomebodyWasFaster, UnknownHere

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = {HTTPStatus.SERVICE_UNAVAILABLE: 5, HTTPStatus.CONFLICT: 1}
"""When to come again: the database needs a moment, whoever was faster has finished by then."""

AWAY: tuple[type[Exception], ...] = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    es.OperationalError,
    es.InterfaceError,
)
"""What is nobody's fault and passes: the database is away, starts anew, or its disk is full."""

_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (UnknownHere, HTTPStatus.NOT_FOUND),
    (ClaimEnded, HTTPStatus.GONE),
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
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    come_again: bool = False,
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
        {"Retry-After": str(RETRY_SECONDS[HTTPStatus(status)])}
        if come_again or status == HTTPStatus.SERVICE_UNAVAILABLE
        else None
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
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return problem(HTTPStatus.BAD_REQUEST, "the body is no JSON")
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the request is not of the form this resource takes",
            # Where and why, but not what: the input may be somebody's personal data.
            errors=[
                {
                    "where": ".".join(map(str, one["loc"])),
                    "reason": str(one["type"]),
                    **({"write": str(one["msg"])} if one["type"] == NOT_A_CODE else {}),
                }
                for one in error.errors()
            ],
        )

    @app.exception_handler(UnknownHere)
    def unknown(_request: Request, _error: UnknownHere) -> JSONResponse:
        # In the words in which another controller's things are not here either.
        return problem(HTTPStatus.NOT_FOUND, NOT_HERE)

    @app.exception_handler(DomainError)
    @app.exception_handler(Erased)
    def forbidden(_request: Request, error: Exception) -> JSONResponse:
        return problem(
            status_of(error),
            str(error) or "the content has been destroyed",
            come_again=isinstance(error, SomebodyWasFaster),
        )

    @app.exception_handler(CursorWrong)
    def no_cursor(_request: Request, _error: CursorWrong) -> JSONResponse:
        return problem(
            HTTPStatus.BAD_REQUEST, "this cursor is none of this list: begin with its first page"
        )

    @app.exception_handler(KeyWrong)
    def no_key(_request: Request, _error: KeyWrong) -> JSONResponse:
        return problem(
            HTTPStatus.BAD_REQUEST,
            "an Idempotency-Key is 1 to 255 visible ASCII characters, for example a UUID",
        )

    @app.exception_handler(UsedForAnother)
    def used_for_another(_request: Request, _error: UsedForAnother) -> JSONResponse:
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "this Idempotency-Key was used for something else: take a new one",
        )

    @app.exception_handler(UnderWay)
    def under_way(_request: Request, _error: UnderWay) -> JSONResponse:
        return problem(
            HTTPStatus.CONFLICT,
            "a command with this Idempotency-Key is being carried out: ask again in a moment",
            come_again=True,
        )

    @app.exception_handler(Stale)
    def stale(_request: Request, _error: Stale) -> JSONResponse:
        return problem(
            HTTPStatus.PRECONDITION_FAILED, "it has changed since: look again, then decide anew"
        )

    @app.exception_handler(ConstraintViolated)
    @app.exception_handler(psycopg.IntegrityError)
    @app.exception_handler(es.IntegrityError)
    def overtaken(request: Request, error: Exception) -> JSONResponse:
        """Something else was saved between our look and our save; nothing of ours was."""
        constraint = (
            error.diag.constraint_name
            if isinstance(error, psycopg.Error)
            else getattr(error, "constraint", None)
        )
        if constraint == STATE_AS_EXPECTED:
            return stale(request, Stale())
        if constraint == NUMBER_USED_ONCE:
            return problem(HTTPStatus.CONFLICT, "this external number is that of another case")
        log.info("overtaken", constraint=constraint)
        return problem(
            HTTPStatus.CONFLICT,
            "somebody else changed this at the same time; look again, then repeat",
            come_again=True,
        )

    def away(_request: Request, error: Exception) -> JSONResponse:
        log.warning("database_away", error=type(error).__name__)
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer; try again soon"
        )

    for kind in AWAY:
        app.exception_handler(kind)(away)

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
