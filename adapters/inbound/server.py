"""Runs the web application with uvicorn until it is told to stop, and leaves without a broken call.

A process that leaves says so first: `/health` answers 503, so that a balancer sends nobody here any
more, and every answer asks its client to connect anew. Then it stops accepting, finishes what runs,
and ends.
"""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from types import FrameType

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.bootstrap import Installation
from adapters.ending import LONGEST_SECONDS, deadline
from adapters.inbound.api.errors import problem
from adapters.inbound.app import create_app

GRACE_SECONDS = 10
LOOK_EVERY_SECONDS = 0.1
MAY_ASK_SECONDS = 1.0


class _Door:
    """The application, and a word to everybody who comes once we are leaving."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.leaving = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def say(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                if self.leaving:
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if self.leaving and scope["path"] == "/health":
            leaving = JSONResponse({"status": "leaving"}, HTTPStatus.SERVICE_UNAVAILABLE)
            await leaving(scope, receive, say)
            return
        try:
            await self._app(scope, receive, say)
        except asyncio.CancelledError:
            if begun:
                raise
            # We may wait no longer. Whether it is done after all, asking again will tell.
            unfinished = problem(HTTPStatus.SERVICE_UNAVAILABLE, "this process ends; try again")
            await unfinished(scope, receive, say)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        door: _Door,
        ready: Callable[[], None] | None,
        leave_seconds: float,
    ) -> None:
        super().__init__(config)
        self._door, self._ready, self._leave_seconds = door, ready, leave_seconds
        self._told: tuple[int, FrameType | None, float] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM begins the leaving; a second one, or Ctrl-C, ends it at once."""
        self._door.leaving = True
        deadline.set(LONGEST_SECONDS + self._leave_seconds)
        if sig != signal.SIGTERM or self._told is not None or not self._leave_seconds:
            super().handle_exit(sig, frame)
            return
        self._told = sig, frame, time.monotonic() + self._leave_seconds

    async def on_tick(self, counter: int) -> bool:
        if self._told is not None and not self.should_exit and time.monotonic() >= self._told[2]:
            super().handle_exit(*self._told[:2])
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        seeing_off = asyncio.create_task(self._see_off())
        try:
            await super().shutdown(sockets)
        finally:
            seeing_off.cancel()

    async def _see_off(self) -> None:
        """Close who was let in while the door was being shut, and asks nothing.

        uvicorn would wait for them. Whoever does ask is answered first, and told to connect anew.
        """
        known = dict.fromkeys(self.server_state.connections, math.inf)
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            now = time.monotonic()
            for late in list(self.server_state.connections):
                if now - known.setdefault(late, now) > MAY_ASK_SECONDS:
                    known[late] = math.inf
                    late.shutdown()


def run_web(
    installation: Installation,
    *,
    app: FastAPI | None = None,
    listening: socket.socket | None = None,
    ready: Callable[[], None] | None = None,
    leave_seconds: float = 0.0,
) -> None:
    """Serve on the settings' address, or on a socket that is bound already.

    `ready` is called once, when requests are answered. After SIGTERM they are answered for
    `leave_seconds` more, while `/health` says that this process leaves.
    """
    settings = installation.settings
    door = _Door(app or create_app(installation))
    config = uvicorn.Config(
        door,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Limits count by where a visitor comes from; nobody else's word is taken for that.
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, door, ready, leave_seconds)
    server.run(sockets=[listening] if listening else None)
