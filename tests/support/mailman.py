"""A real GNU Mailman for tests: somebody else's mailing server, provisioned by itself.

It is GPL software: its REST application runs as a process of its own from a virtual environment of
its own, on loopback and without the parts that send mail, and is never imported here.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from tests.support.components import alone_with, cache, free_port, unavailable

VERSION = "3.3.10"
USER, PASSWORD = "restadmin", "restpass"
DOMAIN = "lists.example"
HINT = f"needs a package index: pip install mailman=={VERSION} 'sqlalchemy<2.1'"
_PINNED = [f"mailman=={VERSION}", "sqlalchemy<2.1"]
_NOT_NEWER_THAN = "2026-11-20T00:00:00Z"

_CONFIGURATION = """\
[mailman]
run_as_root: yes
layout: here
[paths.here]
var_dir: {folder}
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.null.NullMTA
[webservice]
hostname: 127.0.0.1
port: {port}
admin_user: {user}
admin_pass: {password}
"""

# Its own start forks a master and a runner per queue; the REST application alone is what answers.
# It ends when our end of its standard input closes, so not even a killed session leaves one behind.
_SERVE = """\
import os, sys, threading
def leave_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=leave_with_parent, daemon=True).start()
from mailman.core.initialize import initialize
initialize(sys.argv[1])
from wsgiref.simple_server import WSGIRequestHandler, make_server
from mailman.rest.wsgiapp import make_application
class Quiet(WSGIRequestHandler):
    def log_message(self, *facts): pass
make_server("127.0.0.1", int(sys.argv[2]), make_application(), handler_class=Quiet).serve_forever()
"""


@dataclass
class Mailman:
    """A running server. `call` speaks its API in Mailman's own way, independent of our code."""

    url: str
    database: Path
    _pool: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    @property
    def configuration(self) -> dict[str, str]:
        return {"url": self.url, "user": USER, "password": PASSWORD}

    def call(self, method: str, path: str, **form: object) -> Any:
        response = self._pool.request(
            method,
            f"{self.url}{path}",
            body=urlencode(form) if form else None,
            headers={
                **urllib3.make_headers(basic_auth=f"{USER}:{PASSWORD}"),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if response.status >= 300:
            raise AssertionError(f"{method} {path}: {response.status} {response.data[:300]!r}")
        return json.loads(response.data) if response.data else None

    def add_list(self, name: str) -> None:
        self.call("POST", "/lists", fqdn_listname=f"{name}@{DOMAIN}")

    def subscribe(self, name: str, email: str, called: str) -> None:
        settled = dict.fromkeys(("pre_verified", "pre_confirmed", "pre_approved"), "true")
        who = {"subscriber": email, "display_name": called}
        self.call("POST", "/members", list_id=f"{name}.{DOMAIN}", **who, **settled)

    def rows_naming(self, text: str) -> dict[str, int]:
        """In how many rows of which tables of its database a text stands, whatever its case."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            named = "SELECT name FROM sqlite_master WHERE type = 'table'"
            tables = [name for (name,) in connection.execute(named)]
            rows = {table: connection.execute(f'SELECT * FROM "{table}"') for table in tables}
            counts = {
                table: sum(text.casefold() in repr(row).casefold() for row in each)
                for table, each in rows.items()
            }
        return {table: count for table, count in counts.items() if count}


@contextmanager
def server(folder: Path) -> Iterator[Mailman]:
    """A server on a free loopback port, with a database of its own in `folder`."""
    python, port = provision(), free_port()
    configuration = folder / "mailman.cfg"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder / "var", port=port, user=USER, password=PASSWORD)
    )
    process = subprocess.Popen(
        [python, "-c", _SERVE, configuration, str(port)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        database = folder / "var" / "data" / "mailman.db"
        running = Mailman(f"http://127.0.0.1:{port}/3.1", database)
        _wait(running, process)
        running.call("POST", "/domains", mail_host=DOMAIN)
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
    """The interpreter that has Mailman; the first time it is fetched, then it is cached."""
    environment = cache() / f"mailman-{VERSION}"
    python = environment / "bin" / "python"
    with alone_with(environment):
        if not list(environment.glob(f"lib/python3*/site-packages/mailman-{VERSION}.dist-info")):
            _install(environment, python)
    return python


def _install(environment: Path, python: Path) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    if shutil.which("uv"):
        install: list[str | Path] = ["uv", "pip", "install", "--python", python]
        steps: list[Sequence[str | Path]] = [
            ["uv", "venv", "--python", sys.executable, environment],
            [*install, "--exclude-newer", _NOT_NEWER_THAN, *_PINNED],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", environment],
            [python, "-m", "pip", "install", "--quiet", *_PINNED],
        ]
    for step in steps:
        try:
            subprocess.run(step, check=True, capture_output=True, text=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            unavailable("mailman", f"{HINT} ({said[-1] if said else type(error).__name__})")


def _wait(running: Mailman, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            running.call("GET", "/system/versions")
        except (urllib3.exceptions.HTTPError, AssertionError):
            time.sleep(0.1)
        else:
            return
    unavailable("mailman", "the server did not start")
