"""A real localstripe for tests: somebody else's Stripe double, provisioned by itself.

It is GPL software: it runs as a process of its own from a virtual environment of its own and is
never imported here. Its own start listens on every interface, so a few lines serve it on loopback.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.support.components import alone_with, cache, free_port, unavailable

VERSION = "1.15.10"
KEY = "sk_test_localstripe"
HINT = f"needs a package index: pip install localstripe=={VERSION}"
_NOT_NEWER_THAN = "2026-11-20T00:00:00Z"

# It would keep its state in a file of a fixed name that every run shares. It ends when our end of
# its standard input closes, so not even a killed test session leaves one behind.
_SERVE = """\
import os, sys, threading
def leave_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=leave_with_parent, daemon=True).start()
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
# Stripe goes on answering about a customer that was deleted, and says so; localstripe forgets it.
gone, Customer = {}, resources.Customer
retrieve, delete = Customer._api_retrieve.__func__, Customer._api_delete.__func__
def leave_tombstone(cls, id):
    gone[id] = delete(cls, id)
    return gone[id]
Customer._api_delete = classmethod(leave_tombstone)
Customer._api_retrieve = classmethod(lambda cls, id: gone[id] if id in gone else retrieve(cls, id))
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass
class LocalStripe:
    """A running server. `call` speaks its API in Stripe's own way, independent of our code."""

    url: str
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    def call(self, method: str, path: str, **form: object) -> Any:
        response = self._pool.request(
            method,
            f"{self.url}{path}",
            body=urlencode(form) if form else None,
            headers={
                "Authorization": f"Bearer {KEY}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if response.status >= 300:
            raise AssertionError(f"{method} {path}: {response.status} {response.data[:300]!r}")
        return json.loads(response.data) if response.data else None

    def forget(self) -> None:
        self.call("DELETE", "/_config/data")


@contextmanager
def server() -> Iterator[LocalStripe]:
    python = provision()
    port = free_port()
    process = subprocess.Popen(
        [python, "-c", _SERVE, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        running = LocalStripe(f"http://127.0.0.1:{port}")
        _wait(running, process)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def provision() -> Path:
    """The interpreter that has localstripe; the first time it is fetched, then it is cached."""
    environment = cache() / f"localstripe-{VERSION}"
    python = environment / "bin" / "python"
    with alone_with(environment):
        if not list(
            environment.glob(f"lib/python3*/site-packages/localstripe-{VERSION}.dist-info")
        ):
            _install(environment, python)
    return python


def _install(environment: Path, python: Path) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    pinned = f"localstripe=={VERSION}"
    if shutil.which("uv"):
        install: list[str | Path] = ["uv", "pip", "install", "--python", python]
        steps: list[Sequence[str | Path]] = [
            ["uv", "venv", "--python", sys.executable, environment],
            [*install, "--exclude-newer", _NOT_NEWER_THAN, pinned],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", environment],
            [python, "-m", "pip", "install", "--quiet", pinned],
        ]
    for step in steps:
        try:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            unavailable("localstripe", f"{HINT} ({said[-1] if said else type(error).__name__})")


def _wait(running: LocalStripe, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            running.call("GET", "/v1/customers")
        except (urllib3.exceptions.HTTPError, AssertionError):
            time.sleep(0.05)
        else:
            return
    unavailable("localstripe", "the server did not start")
