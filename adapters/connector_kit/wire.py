"""A wire between a connector and its system that passes everything on, or misbehaves on demand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread
from typing import Any

import urllib3

JSON = "application/json"
ENDLESS = 64 * 1024 * 1024
_PIECE = b"x" * 65_536
_KEPT = {"content-type", "retry-after", "allow"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Asked(BaseHTTPRequestHandler):
    """One call on the wire; a trouble decides what becomes of it."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    wire: Wire

    def pass_on(self) -> Answer:
        """Let the system do what it was asked, and answer what it said."""
        answered = self.wire.pool.request(
            self.command,
            self.wire.system + self.path,
            body=self.content or None,
            headers={name: value for name, value in self.headers.items() if name != "Host"},
            redirect=False,
            retries=False,
        )
        headers = {n: v for n, v in answered.headers.items() if n.lower() in _KEPT}
        return Answer(answered.status, answered.data, headers)

    def reply(self, answer: Answer) -> None:
        self.head(answer.status, {"Content-Length": str(len(answer.body)), **answer.headers})
        self.wfile.write(answer.body)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status, "X")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def hang_up(self) -> None:
        self.close_connection = True

    def _serve(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        trouble = self.wire.next(self.command, self.path)
        if trouble is None:
            self.reply(self.pass_on())
        else:
            trouble(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (the library's names)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # whoever is sent nonsense hangs up
            self.hang_up()

    def finish(self) -> None:
        with suppress(ConnectionError):
            super().finish()

    def log_message(self, *facts: object) -> None:
        """Nothing: a path may name a person."""


Trouble = Callable[[Asked], None]


class Wire:
    """Calls are numbered from 0; `at` says which ones meet a trouble, `always` is for the rest."""

    def __init__(self, system: str, *, port: int = 0) -> None:
        """`port` is where it listens; 0 lets the kernel choose."""
        self.system = system
        self.pool = urllib3.PoolManager(maxsize=16)
        self.seen: list[tuple[str, str]] = []
        self.at: dict[int, Trouble] = {}
        self.always: Trouble | None = None
        self.over = Event()
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", port), type("OfWire", (Asked,), {"wire": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, method: str, path: str) -> Trouble | None:
        with self._lock:
            number = len(self.seen)
            self.seen.append((method, path))
            return self.at.get(number, self.always)

    def again(self, troubles: Mapping[int, Trouble] | None = None) -> None:
        """Count from 0 again, with these troubles and no other."""
        with self._lock:
            self.seen, self.at, self.always = [], dict(troubles or {}), None

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self.pool.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        # The library would ask the name service what this machine is called.
        TCPServer.server_bind(self)


@contextmanager
def wire_to(system: str) -> Iterator[Wire]:
    wire = Wire(system)
    try:
        yield wire
    finally:
        wire.close()


# Troubles


def says(status: int, body: bytes = b"", /, media_type: str = JSON, **headers: str) -> Trouble:
    """The system does nothing and says this; `retry_after="7"` is the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return lambda asked: asked.reply(Answer(status, body, {"Content-Type": media_type, **named}))


def hangs_up(asked: Asked) -> None:
    asked.hang_up()


def loses_the_reply(asked: Asked) -> None:
    """The system does what it was asked, and nobody hears of it."""
    asked.pass_on()
    asked.hang_up()


def hangs_up_midway(asked: Asked) -> None:
    answer = asked.pass_on()
    body = answer.body or b"{}"
    asked.head(answer.status if answer.body else 200, {"Content-Length": str(len(body))})
    asked.wfile.write(body[: len(body) // 2])
    asked.hang_up()


def hangs_up_between_chunks(asked: Asked) -> None:
    asked.head(asked.pass_on().status, {"Transfer-Encoding": "chunked", "X-Cut": "1"})
    asked.wfile.write(b"1\r\n{\r\n")
    asked.hang_up()


def is_silent(asked: Asked) -> None:
    asked.wire.over.wait(20)
    asked.hang_up()


def drips(asked: Asked) -> None:
    """Headers without end, a byte at a time, each before any timeout of the socket's own."""
    asked.wfile.write(b"HTTP/1.1 200 X\r\nX-Long: ")
    while not asked.wire.over.wait(0.02):
        asked.wfile.write(b"x")
        asked.wfile.flush()


def never_stops(asked: Asked) -> None:
    """A valid answer of its kind, only far too long: `ENDLESS` bytes without a length before."""
    asked.head(200, {"Content-Type": JSON, "Connection": "close"})
    for _ in range(ENDLESS // len(_PIECE)):
        asked.wfile.write(_PIECE)
    asked.hang_up()


def inflates(asked: Asked) -> None:
    """The same, packed into a few kilobytes."""
    asked.reply(Answer(200, _bomb(), {"Content-Type": JSON, "Content-Encoding": "gzip"}))


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * ENDLESS)


def tampers(change: Callable[[Any], Any]) -> Trouble:
    """The system answers, and somebody changes the JSON on its way."""

    def trouble(asked: Asked) -> None:
        answer = asked.pass_on()
        try:
            document = json.loads(answer.body or b"null")
        except ValueError:
            document = None
        body = json.dumps(change(document)).replace(f'"{HUGE_FLOAT}"', HUGE_FLOAT).encode()
        headers = {name: v for name, v in answer.headers.items() if name != "Content-Length"}
        # An answer without content has no body to change: it becomes an answer with one.
        asked.reply(Answer(200 if answer.status == 204 else answer.status, body, headers))

    return trouble


HUGE_FLOAT = "1e999"
"""Stands for itself without quotes: JSON allows it, and it is more than a float can hold."""


def always_the_same_page() -> Trouble:
    """Whatever page is asked for, the answer is the first one that was given for that path."""
    known: dict[str, Answer] = {}

    def trouble(asked: Asked) -> None:
        path = asked.path.partition("?")[0]
        if path not in known:
            known[path] = asked.pass_on()
        asked.reply(known[path])

    return trouble
