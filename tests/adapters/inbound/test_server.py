"""A web process that ends lets nobody take an unfinished call for a failed or a finished one."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import urllib3
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
