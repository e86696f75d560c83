"""The demonstration's web application: as everywhere, and `/demo`, which lets everybody in.

It answers only to this machine's own names, so that no page of another site can talk to it under
a name of its own.
"""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from adapters.demo.demonstration import Demonstration
from adapters.inbound.app import create_app
from adapters.inbound.web.session import SESSION_COOKIE, SESSION_SECONDS


def application(opened: Demonstration) -> FastAPI:
    app = create_app(opened.installation)
    app.state.demo_token = opened.token
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.get("/", include_in_schema=False)
    @app.get("/demo", include_in_schema=False)
    def come_in() -> Response:
        """Sign the visitor in, and go to the work list."""
        response = RedirectResponse("/desk", status_code=303)
        response.set_cookie(
            SESSION_COOKIE,
            opened.token,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
        )
        return response

    return app
