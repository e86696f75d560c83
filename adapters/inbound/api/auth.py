"""Who calls: a bearer token with scopes (RFC 6750); a missing one is 401, a too narrow one 403."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.bootstrap import Installation
from adapters.outbound.tokens import Bearer, Scope

_bearer = HTTPBearer(auto_error=False, description="A token made with `trettio token create`.")


def installed(request: Request) -> Installation:
    found: Installation = request.app.state.installation
    return found


Installed = Annotated[Installation, Depends(installed)]


def needs(scope: Scope) -> Callable[..., Bearer]:
    """A dependency that lets only bearers of this scope in."""

    def bearer(
        installation: Installed,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> Bearer:
        known = installation.tokens.bearer(credentials.credentials) if credentials else None
        if known is None:
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                "send a valid token: Authorization: Bearer …",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not known.may(scope):
            raise HTTPException(HTTPStatus.FORBIDDEN, f"this token lacks the scope {scope.value}")
        return known

    return bearer


def require_controller(bearer: Bearer, controller: str) -> None:
    """Nothing leaks from one controller to another: what a token may not see is not there."""
    if not bearer.sees(controller):
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such thing here")


def seen(installation: Installation, bearer: Bearer, controller: str | None) -> list[str]:
    """The controllers of a list: the one asked for, or all that the bearer may see."""
    if controller is not None:
        require_controller(bearer, controller)
        return [controller]
    return [name for name in installation.controllers.names() if bearer.sees(name)]


Inbox = Annotated[Bearer, Depends(needs(Scope.INBOX))]
Reader = Annotated[Bearer, Depends(needs(Scope.READ))]
Handler = Annotated[Bearer, Depends(needs(Scope.DESK))]
Admin = Annotated[Bearer, Depends(needs(Scope.ADMIN))]
