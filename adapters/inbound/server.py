"""Runs the web application with uvicorn until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from adapters.bootstrap import Installation
from adapters.inbound.app import create_app

GRACE_SECONDS = 10


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None:
            self._ready()


def run_web(
    installation: Installation,
    *,
    app: FastAPI | None = None,
    listening: socket.socket | None = None,
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve on the settings' address, or on a socket that is bound already.

    `ready` is called once, when requests are answered.
    """
    settings = installation.settings
    config = uvicorn.Config(
        app or create_app(installation),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Server(config, ready).run(sockets=[listening] if listening else None)
