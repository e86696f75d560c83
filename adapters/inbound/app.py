"""The web application: the API, the desk's pages and the pages of the person who asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.api import cases, controllers, endings, errors, health, inbox, requests
from adapters.inbound.limits import LimitBody
from adapters.inbound.web import add_pages

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}


def create_app(installation: Installation) -> FastAPI:
    """One application over one installation."""
    app = FastAPI(
        title="Trettio",
        version="1",
        description="Data-subject requests under the GDPR.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.state.installation = installation
    errors.add_handlers(app)
    for module in (health, inbox, cases, requests, endings, controllers):
        app.include_router(module.router)
    add_pages(app)
    app.add_middleware(LimitBody)

    @app.middleware("http")
    async def protect(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app
