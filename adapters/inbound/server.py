"""Runs the web application with uvicorn until it is told to stop."""

from __future__ import annotations

import socket

import uvicorn

from adapters.bootstrap import Installation
from adapters.inbound.app import create_app

GRACE_SECONDS = 10


def run_web(installation: Installation, *, listening: socket.socket | None = None) -> None:
    """Serve on the settings' address, or on a socket that listens already."""
    settings = installation.settings
    config = uvicorn.Config(
        create_app(installation),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening] if listening else None)
