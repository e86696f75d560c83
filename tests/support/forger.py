"""A provider that says whatever a test wants it to: for what an honest one never says."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwk, jwt

CLIENT = "trettio-tests"


@dataclass
class Forger:
    """Signs `claims` over the honest ones; `key` signs, `shown` are the keys it publishes."""

    issuer: str = ""
    key: jwk.RSAKey = field(default_factory=lambda: new_key("first"))
    shown: list[jwk.RSAKey] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    unsigned: bool = False
    symmetric: bool = False
    asked_for_keys: int = 0

    def __post_init__(self) -> None:
        self.shown = [self.key]

    def token(self) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "somebody",
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        if self.unsigned:
            return f"{_b64({'alg': 'none'})}.{_b64(said)}."
        if self.symmetric:
            signed = f"{_b64({'alg': 'HS256', 'kid': self.key.kid})}.{_b64(said)}"
            public = self.key.as_pem(private=False)
            return f"{signed}.{_word(hmac.digest(public, signed.encode(), 'sha256'))}"
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, said, self.key, algorithms=["RS256"])

    def answer(self, path: str) -> dict[str, Any]:
        if path.startswith("/.well-known"):
            endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            named = {name: f"{self.issuer}/{name}" for name in endpoints}
            return {"issuer": self.issuer, **named, **self.metadata}
        if path == "/jwks_uri":
            self.asked_for_keys += 1
            return {"keys": [key.as_dict(private=False) for key in self.shown]}
        return {"id_token": self.token(), "access_token": "x", "token_type": "Bearer"}


@contextmanager
def forger() -> Iterator[Forger]:
    made = Forger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(made.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 (the library's name)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


def new_key(kid: str) -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def _b64(value: dict[str, Any]) -> str:
    return _word(json.dumps(value).encode())


def _word(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
