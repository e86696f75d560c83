"""A processor that speaks OpenDSR 2.0: a real HTTPS server with people's data, and a memory."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.authority import Issued

HOST = "processor.example"
TOKEN = "let-us-in"


class OpenDsrProcessor:
    """What it holds, by address, and the requests it knows; `work` does what is pending.

    `says` replaces parts of answers, by path; `signs_with` is what it signs with.
    """

    def __init__(self, issued: Issued, folder: Path) -> None:
        self.signs_with = issued
        self.certificate = issued.certificate
        self.people: dict[str, list[dict[str, object]]] = {}
        self.requests: dict[str, dict[str, Any]] = {}
        self.formats = ["raw", "sha256"]
        self.kinds = ["access", "erasure"]
        self.erases = True
        self.loses_replies = 0
        self.says: dict[str, Mapping[str, object]] = {}
        self.asked: list[tuple[str, str, bytes]] = []
        self.lock = Lock()
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def do_DELETE(self) -> None:
                self._answer("DELETE")

            def _answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                with double.lock:
                    double.asked.append((method, self.path, body))
                    status, content = double._answer(
                        method, self.path, body, self.headers.get("authorization", "")
                    )
                    if double.loses_replies and method == "POST":
                        double.loses_replies -= 1
                        self.close_connection = True
                        return
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                for name, value in double.signed(content).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.write(folder / "processor.pem"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self.url = f"https://{HOST}:{self.port}"

    @contextmanager
    def running(self) -> Iterator[OpenDsrProcessor]:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def signed(self, body: bytes) -> dict[str, str]:
        signature = self.signs_with.key.sign(body, PKCS1v15(), SHA256())
        return {
            "X-OpenDSR-Processor-Domain": HOST,
            "X-OpenDSR-Signature": base64.b64encode(signature).decode(),
        }

    def work(self) -> None:
        """Do what was asked for."""
        with self.lock:
            for request in self.requests.values():
                if request["request_status"] not in {"pending", "in_progress"}:
                    continue
                found = [email for email in self.people if request["of"](email)]
                if request["kind"] == "erasure" and self.erases:
                    for email in found:
                        del self.people[email]
                request["found"] = [record for one in found for record in self.people.get(one, [])]
                request["request_status"] = "completed"

    def progress(self, name: str) -> dict[str, object]:
        request = self.requests[name]
        said: dict[str, object] = {
            "controller_id": "example_controller",
            "subject_request_id": name,
            "request_status": request["request_status"],
            "expected_completion_time": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
            "api_version": "2.0",
        }
        if request["request_status"] == "completed" and request["kind"] == "access":
            count = len(request["found"])
            said |= {
                "results_count": count,
                "results_url": f"{self.url}/results/{name}" if count else None,
            }
        return said | dict(self.says.get("/requests/{id}", {}))

    def _answer(self, method: str, path: str, body: bytes, auth: str) -> tuple[int, bytes]:
        if path == "/cert.pem":
            return 200, self.certificate
        if path == "/discovery":
            said = {
                "api_version": "2.0",
                "supported_identities": [
                    {"identity_type": "email", "identity_format": one} for one in self.formats
                ],
                "supported_subject_request_types": self.kinds,
                "processor_certificate": f"{self.url}/cert.pem",
            }
            return 200, json.dumps(said | dict(self.says.get(path, {}))).encode()
        if auth != f"Bearer {TOKEN}":
            return 401, b'{"error": {"code": 401, "message": "who are you?"}}'
        name = path.rsplit("/", 1)[-1]
        if method == "POST" and path == "/requests":
            return self._place(body)
        if name not in self.requests:
            return 404, b'{"error": {"code": 404, "message": "no such request"}}'
        if path.startswith("/results/"):
            return 200, json.dumps(self.requests[name]["found"]).encode()
        if method == "DELETE":
            if self.requests[name]["request_status"] != "pending":
                return 400, b'{"error": {"code": 400, "message": "too late"}}'
            self.requests[name]["request_status"] = "cancelled"
            return 202, json.dumps({"subject_request_id": name, "encoded_request": ""}).encode()
        return 200, json.dumps(self.progress(name)).encode()

    def _place(self, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        name = asked["subject_request_id"]
        if name in self.requests:
            return 400, b'{"error": {"code": 400, "message": "known already"}}'
        wanted = {one["identity_value"] for one in asked["subject_identities"]}

        def of(email: str) -> bool:
            return bool({email, hashlib.sha256(email.encode()).hexdigest()} & wanted)

        self.requests[name] = {
            "request_status": "pending",
            "kind": asked["subject_request_type"],
            "of": of,
            "found": [],
            "asked": asked,
        }
        said = {
            "controller_id": "example_controller",
            "expected_completion_time": (datetime.now(UTC) + timedelta(days=10)).isoformat(),
            "received_time": datetime.now(UTC).isoformat(),
            "encoded_request": base64.b64encode(body).decode(),
            "subject_request_id": name,
        }
        return 201, json.dumps(said | dict(self.says.get("/requests", {}))).encode()
