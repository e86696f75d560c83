"""The web application: the API, the desk's pages and the pages of the person who asked."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.bootstrap import Installation
from adapters.inbound.api import (
    cases,
    claims,
    clock,
    controllers,
    deliveries,
    disclosures,
    endings,
    errors,
    evidence,
    export,
    health,
    inbox,
    information,
    instructions,
    keeping,
    letters,
    metrics,
    mistakes,
    objections,
    one_click,
    opendsr,
    people,
    portability,
    recipients,
    redaction,
    requests,
    restrictions,
    schemas,
    staff,
    timeline,
    triage,
    webhooks,
    wishes,
)
from adapters.inbound.api.openapi import Api, operation_id
from adapters.inbound.limits import LimitBody
from adapters.inbound.web import add_pages

MODULES = (
    clock,
    staff,
    health,
    metrics,
    inbox,
    cases,
    people,
    letters,
    mistakes,
    requests,
    claims,
    restrictions,
    objections,
    one_click,
    information,
    redaction,
    portability,
    recipients,
    disclosures,
    timeline,
    schemas,
    triage,
    wishes,
    endings,
    keeping,
    export,
    evidence,
    controllers,
    instructions,
    deliveries,
    webhooks,
    opendsr,
)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(),"
        " microphone=(), payment=(), usb=()"
    ),
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}


_OVER_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
"""Said only where people reach us so; over plain HTTP it means nothing (RFC 6797, 7.2)."""


def create_app(installation: Installation) -> FastAPI:
    """One application over one installation."""
    app = Api(
        title="Trettio",
        version="1",
        description="Data-subject requests under the GDPR.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        generate_unique_id_function=operation_id,
    )
    app.state.installation = installation
    errors.add_handlers(app)
    for module in MODULES:
        app.include_router(module.router)
    app.include_router(clock.cases)
    app.include_router(mistakes.requests)
    add_pages(app)
    app.add_middleware(LimitBody)
    app.add_middleware(Protect, installation=installation)
    return app


class Protect:
    """Headers for every answer; a route's own come first. Plain ASGI: it costs next to nothing."""

    def __init__(self, app: ASGIApp, installation: Installation) -> None:
        secure = installation.settings.address.startswith("https://")
        self._app, self._headers = app, _HEADERS | _OVER_HTTPS if secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, protected)
