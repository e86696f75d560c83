"""The web application over a test's installation, its routes made ready once in this process."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute

from adapters.bootstrap import Installation
from adapters.inbound.app import create_app

_ready: list[BaseRoute] = []


def web(installed: Installation) -> FastAPI:
    """What `create_app` makes, with routes that have been asked before.

    At an application's first request FastAPI works out every parameter of every route. They depend
    on no installation, and every house would spend 0.4 seconds on them.
    """
    app = create_app(installed)
    if not _ready:
        _ready.extend(app.router.routes)
    app.router.routes[:] = _ready
    return app


@cache
def routes() -> tuple[BaseRoute, ...]:
    """The routes of every application."""
    return tuple(_without_installation().router.routes)


@cache
def description() -> dict[str, Any]:
    """What every application says of its API; whoever changes it takes a copy."""
    return _without_installation().openapi()


def _without_installation() -> FastAPI:
    installed: Any = None
    return web(installed)
