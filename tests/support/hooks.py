"""A connected system's webhook: a real HTTPS server that writes down what it is told."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support.certificates import make_certificate


@dataclass(frozen=True)
class Told:
    """One message, as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Hook:
    """`answers` are statuses to give in turn, each perhaps with headers; then always 204."""

    port: int
    certificate: str
    told: list[Told] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    body: bytes = b""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/hook?tenant=1"

    def next_answers(self, *statuses: int, **headers: str) -> None:
        self.answers += [(status, headers) for status in statuses]


@contextmanager
def listening(folder: Path) -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.told.append(Told(self.path, headers, body))
            status, more = hook.answers.pop(0) if hook.answers else (204, {})
            content = b"" if status == 204 else hook.body
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    pem = make_certificate(folder / "hook.pem")
    text = pem.read_text()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    hook = Hook(int(server.server_address[1]), text[text.index("-----BEGIN CERT") :])
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
