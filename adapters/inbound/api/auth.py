"""Who calls: a bearer token with scopes (RFC 6750); a missing one is 401, a too narrow one 403.

Who it is comes before anything else: no body is read from whoever has no token.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.bootstrap import Installation
from adapters.outbound.tokens import Bearer, Scope

JSON = frozenset({"application/json"})
MESSAGE = frozenset({"message/rfc822", "application/octet-stream"})
NOT_HERE = "there is no such thing here"

_bearer = HTTPBearer(auto_error=False, description="A token made with `trettio token create`.")
Token = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
"""So that the description says that a token is needed; `ApiRoute` has looked at it before."""


# Dependencies are coroutines where they do not block: a plain function costs a change of threads.


async def installed(request: Request) -> Installation:
    found: Installation = request.app.state.installation
    return found


Installed = Annotated[Installation, Depends(installed)]


class ApiRoute(APIRoute):
    """A route that knows who calls, and what is sent, before it reads any of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        accepted = MESSAGE if self.path.startswith("/v1/inbox") else JSON
        takes_body = self.body_field is not None

        async def handled(request: Request) -> Response:
            request.state.bearer = await _bearer_of(request)
            if takes_body:
                _require_media_type(request, accepted)
            return await handler(request)

        return handled


def needs(scope: Scope) -> Callable[..., Coroutine[Any, Any, Bearer]]:
    """A dependency that lets only bearers of this scope in."""

    async def bearer(request: Request, _token: Token) -> Bearer:
        return require_scope(request, scope)

    return bearer


def require_scope(request: Request, scope: Scope) -> Bearer:
    known: Bearer = request.state.bearer
    if not known.may(scope):
        raise HTTPException(HTTPStatus.FORBIDDEN, f"this token lacks the scope {scope.value}")
    return known


async def _bearer_of(request: Request) -> Bearer:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        installation: Installation = request.app.state.installation
        tokens = installation.tokens
        known = tokens.remembered(token) or await run_in_threadpool(tokens.bearer, token)
        if known is not None:
            return known
    raise HTTPException(
        HTTPStatus.UNAUTHORIZED,
        "send a valid token: Authorization: Bearer …",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _require_media_type(request: Request, accepted: frozenset[str]) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in accepted:
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the body as {' or '.join(sorted(accepted))}"
        )


def require_controller(bearer: Bearer, controller: str) -> None:
    """Nothing leaks from one controller to another: what a token may not see is not there."""
    if not bearer.sees(controller):
        raise HTTPException(HTTPStatus.NOT_FOUND, NOT_HERE)


def seen(installation: Installation, bearer: Bearer, controller: str | None) -> list[str]:
    """The controllers of a list: the one asked for, or all that the bearer may see."""
    if controller is not None:
        require_controller(bearer, controller)
        return [controller]
    return [name for name in installation.controllers.names() if bearer.sees(name)]


Reader = Annotated[Bearer, Depends(needs(Scope.READ))]
Handler = Annotated[Bearer, Depends(needs(Scope.DESK))]
Admin = Annotated[Bearer, Depends(needs(Scope.ADMIN))]
