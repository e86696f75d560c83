"""The demonstration's web application: as everywhere, and `/demo`, which lets everybody in.

It answers only to this machine's own names, so that no page of another site can talk to it under
a name of its own.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from adapters.demo.demonstration import Demonstration
from adapters.demo.tour import router_for
from adapters.inbound.app import create_app
from adapters.inbound.web.sign_in import device_of, keep
from adapters.outbound.sessions import Way


def application(opened: Demonstration) -> FastAPI:
    app = create_app(opened.installation)
    app.state.demo_token = opened.token
    app.include_router(router_for(opened.began, with_past=opened.with_past))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.get("/", include_in_schema=False)
    @app.get("/demo", include_in_schema=False)
    def come_in(request: Request) -> Response:
        """Sign the visitor in, and begin the tour."""
        response = RedirectResponse("/tour", status_code=303)
        bearer = opened.installation.tokens.bearer(opened.token)
        if bearer is not None:
            secret = opened.installation.sessions.begin(
                bearer.staff_id, Way.TOKEN, device=device_of(request), token=opened.token
            )
            keep(response, opened.installation, secret)
        return response

    return app
