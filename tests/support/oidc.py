"""A real OpenID provider for tests: npm's oidc-provider, fetched once and served on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk

from tests.support.components import free_port, unavailable
from tests.support.npm import package

VERSION = "9.13.3"
REDIRECT = "http://127.0.0.1:8030/prove/eid/back"
STAFF_REDIRECT = "http://127.0.0.1:8030/desk/sign-in/back"
_PROGRAM = Path(__file__).with_name("oidc_provider.mjs")


@dataclass
class OpenIdProvider:
    """A running provider. `next` says who signs in, and how; `sign_in` does it as a browser."""

    issuer: str
    private_key: str

    def next(self, *, acr: str = "", error: str = "", **claims: Any) -> None:
        told = {"claims": {"sub": "somebody", **claims}, "acr": acr, "error": error}
        httpx2.post(f"{self.issuer}/next", json=told).raise_for_status()

    def sign_in(self, address: str) -> str:
        """Where the provider sends the browser back to, with everything in its query."""
        with httpx2.Client(timeout=10) as browser:
            for _ in range(10):
                answer = browser.get(address)
                assert answer.is_redirect, answer.text[:500]
                address = str(httpx2.URL(address).join(answer.headers["location"]))
                if address.startswith((REDIRECT, STAFF_REDIRECT)):
                    return address
        raise AssertionError("the provider never sent the browser back")


@contextmanager
def open_id_provider() -> Iterator[OpenIdProvider]:
    folder = package("oidc-provider", VERSION)
    port = free_port()
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    imported = jwk.import_key(pem, "RSA")
    public = {**imported.as_dict(private=False), "kid": imported.thumbprint(), "use": "sig"}
    program = folder / "oidc_provider.mjs"  # beside its modules, where node looks for them
    if not program.exists() or program.read_bytes() != _PROGRAM.read_bytes():
        shutil.copyfile(_PROGRAM, program)
    issuer = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        ["node", str(program), str(port), f"{REDIRECT} {STAFF_REDIRECT}", json.dumps(public)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(issuer, process)
        yield OpenIdProvider(issuer, pem)
    finally:
        process.kill()
        process.communicate(timeout=10)


def _wait(issuer: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=5).is_success:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
    unavailable("oidc-provider", "it did not start")


def query_of(address: str) -> dict[str, str]:
    return dict(httpx2.QueryParams(urlsplit(address).query))
