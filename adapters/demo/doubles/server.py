"""What every double shares: a real HTTP server on loopback, and faults on demand."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Lock, RLock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `names` are the path's named parts; header names are Written-Like-This."""

    method: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def json(self) -> dict[str, Any]:
        value = json.loads(self.body or b"{}")
        return value if isinstance(value, dict) else {}

    def form(self) -> dict[str, str]:
        return {
            name: values[0]
            for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()
        }


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    content: object | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON

    def body(self) -> bytes:
        if self.content is None:
            return b""
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content).encode()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and what was answered, for holding a double to its vendor's contract."""

    call: Call
    reply: Reply


@dataclass(slots=True)
class Fault:
    """What goes wrong instead, for the next `times` calls whose "METHOD /path" contains `on`."""

    times: int
    on: str
    reply: Reply | None


Handler = Callable[[Any, Call], Reply]


def route(method: str, template: str) -> Callable[[Handler], Handler]:
    """Mark a method of a double as the one that answers `template`."""

    def mark(handler: Handler) -> Handler:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        handler.route = method, re.compile(pattern)  # type: ignore[attr-defined]
        return handler

    return mark


class Double:
    """A vendor's system in little. Start it, use its `url`, stop it; or use it in a `with`.

    `delay` seconds pass before every answer; with `keep_exchanges` the calls are kept.
    """

    prefix = ""
    most_at_once: int | None = None
    kept: tuple[str, ...] = ()
    """The names of the attributes that are its state: plain containers of plain values."""

    def __init__(self, *, keep_exchanges: bool = False) -> None:
        self.delay = 0.0
        self.exchanges: list[Exchange] = []
        self.calls = 0
        self.busiest = 0
        self.state = RLock()
        self._keep = keep_exchanges
        self._faults: list[Fault] = []
        self._busy = 0
        self._count = Lock()
        self._file: Path | None = None
        marked = (getattr(type(self), name) for name in dir(type(self)))
        routes = [(*handler.route, handler) for handler in marked if hasattr(handler, "route")]
        # A path that is said in full goes before one with a name in the same place.
        self._routes = sorted(routes, key=lambda known: known[1].groups)
        self._server: ThreadingHTTPServer | None = None

    # Life

    def start(self, port: int = 0) -> Self:
        double = self

        class Connection(_Connection):
            def answer(self, method: str, body: bytes) -> Reply | None:
                headers = {name.title(): value for name, value in self.headers.items()}
                return double._answer(method, self.path, headers, body)

        self._server = _Server(("127.0.0.1", port), Connection)
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self if self._server else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the double has not been started")
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    # Memory

    def remember(self, file: Path) -> bool:
        """Keep the state in `file` from now on; answers whether it was there already."""
        self._file = file
        known = file.exists()
        if known:
            for name, value in ast.literal_eval(file.read_text()).items():
                setattr(self, name, value)
        return known

    def save(self) -> None:
        """Write the state where it is kept; a change is there before its caller hears of it."""
        if self._file is not None:
            new = self._file.with_suffix(".new")
            new.write_text(repr({name: getattr(self, name) for name in self.kept}))
            new.replace(self._file)

    # Faults

    def fail_next(
        self,
        status: int,
        times: int = 1,
        *,
        on: str = "",
        body: bytes = b"",
        media_type: str = "text/html",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next calls with this instead, without doing anything."""
        self._faults.append(Fault(times, on, Reply(status, body, headers or {}, media_type)))

    def drop_next(self, times: int = 1, *, on: str = "") -> None:
        """Close the connection of the next calls without an answer, without doing anything."""
        self._faults.append(Fault(times, on, None))

    def heal(self) -> None:
        self._faults.clear()
        self.delay = 0.0

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        """The refusal for a call without the right credentials."""
        return None

    def unknown(self, call: Call) -> Reply:
        return Reply(404, {"error": "no such path"})

    def too_many(self) -> Reply:
        return Reply(429)

    def _answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        with self._count:
            self.calls += 1
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            overrun = self.most_at_once is not None and self._busy > self.most_at_once
        try:
            if self.delay:
                time.sleep(self.delay)
            return self.too_many() if overrun else self._reply(method, target, headers, body)
        finally:
            with self._count:
                self._busy -= 1

    def _reply(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Reply | None:
        parts = urlsplit(target)
        path = parts.path.removeprefix(self.prefix)
        names, handler = self._handler(method, path)
        query = parse_qs(parts.query, keep_blank_values=True)
        call = Call(method, path, names, query, headers, body)
        with self.state:
            for fault in self._faults:
                if fault.times and fault.on in f"{method} {path}":
                    fault.times -= 1
                    return fault.reply
            reply = self.unauthorised(call)
            if reply is None:
                reply = handler(self, call) if handler else self.unknown(call)
                if method != "GET":
                    self.save()
            if self._keep:
                as_sent = replace(reply, content=reply.body())
                self.exchanges.append(Exchange(call, as_sent))
        return reply

    def _handler(self, method: str, path: str) -> tuple[Mapping[str, str], Handler | None]:
        for known, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if known == method and found:
                return {name: unquote(value) for name, value in found.groupdict().items()}, handler
        return {}, None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        # The library would ask the name service what this machine is called.
        TCPServer.server_bind(self)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self, method: str, body: bytes) -> Reply | None:
        raise NotImplementedError

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        reply = self.answer(self.command, self.rfile.read(length))
        if reply is None:
            self.close_connection = True
            return
        body = reply.body()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.status != HTTPStatus.NO_CONTENT:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (the library's names)

    def log_message(self, *facts: object) -> None:
        """Nothing: a path may name a person."""
