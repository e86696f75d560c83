"""A web process that ends lets nobody take an unfinished call for a failed or a finished one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import urllib3
import uvicorn
from fastapi import FastAPI

from adapters.bootstrap import Installation
from adapters.inbound import server
from adapters.inbound.cli.console import ending_in_order
from adapters.settings import Settings
from tests.support.components import free_port


def test_a_call_that_outlasts_the_end_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was done is not known when the process must end: 503 says so, 500 would not."""
    monkeypatch.setattr(server, "GRACE_SECONDS", 0.3)
    settings = Settings.model_validate({"home": tmp_path, "port": free_port()})
    installation = cast(Installation, SimpleNamespace(settings=settings))
    app, asked, answered = FastAPI(), threading.Event(), threading.Event()
    answers: list[Any] = []

    @app.get("/slow")
    def slow() -> None:
        asked.set()
        answered.wait(10)

    def ask() -> None:
        answers.append(urllib3.request("GET", f"{settings.address}/slow", retries=False))
        answered.set()

    def end() -> None:
        threading.Thread(target=ask).start()
        asked.wait(10)
        os.kill(os.getpid(), signal.SIGTERM)

    with ending_in_order():
        server.run_web(
            installation, app=app, ready=lambda: threading.Thread(target=end, daemon=True).start()
        )
    assert answered.wait(10)

    (answer,) = answers
    assert answer.status == 503
    assert answer.headers["Retry-After"]


def test_who_was_let_in_while_the_door_was_being_shut_is_seen_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection may be taken from the queue after all others were told: it is not waited for."""
    monkeypatch.setattr(server, "GRACE_SECONDS", 60.0)
    settings = Settings.model_validate({"home": tmp_path, "port": free_port()})
    installation = cast(Installation, SimpleNamespace(settings=settings))
    app = FastAPI()
    ours, theirs = socket.socketpair()
    ours.settimeout(20.0)
    at_work: list[uvicorn.Server] = []

    class AtWork(server._Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            asyncio.get_running_loop().call_later(0.05, lambda: arriving.append(self._arrive()))
            await super().shutdown(sockets)

        def _arrive(self) -> asyncio.Task[object]:
            at_work.append(self)
            loop, kind = asyncio.get_running_loop(), cast(Any, self.config.http_protocol_class)
            return loop.create_task(
                loop.connect_accepted_socket(
                    lambda: kind(config=self.config, server_state=self.server_state, app_state={}),
                    theirs,
                )
            )

    arriving: list[asyncio.Task[object]] = []
    monkeypatch.setattr(server, "_Server", AtWork)

    began = time.monotonic()
    with ending_in_order():
        server.run_web(installation, app=app, ready=lambda: os.kill(os.getpid(), signal.SIGTERM))

    assert at_work
    assert time.monotonic() - began < 30, "it was waited for until nobody may wait any longer"
    assert ours.recv(100) == b""
    ours.close()
