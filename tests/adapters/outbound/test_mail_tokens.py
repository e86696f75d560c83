"""Access tokens: one for many mails, a new one in time, and errors that say what to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from adapters.outbound.mail_tokens import MailTokens
from services.ports import Unavailable


class Directory:
    """A token endpoint that answers what a test tells it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.answer = 200, dict[str, Any]()
        self.asked: list[dict[str, str]] = []

    def says(self, status: int = 200, **answer: Any) -> None:
        self.status, self.answer = status, answer


@pytest.fixture
def directory() -> Iterator[tuple[Directory, str]]:
    told = Directory()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append({name: values[0] for name, values in parse_qs(body).items()})
            content = json.dumps(told.answer).encode()
            self.send_response(told.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield told, f"http://127.0.0.1:{server.server_port}/tenant/token"
    server.shutdown()
    server.server_close()


def test_a_token_is_used_until_shortly_before_its_end(directory: tuple[Directory, str]) -> None:
    told, url = directory
    now = [0.0]
    tokens = MailTokens(
        url, client_id="trettio", client_secret="s", scope="mail/.default", clock=lambda: now[0]
    )
    told.says(access_token="first", expires_in=3_600, token_type="Bearer")
    assert [tokens.token(), tokens.token()] == ["first", "first"]
    assert told.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "trettio",
            "client_secret": "s",
            "scope": "mail/.default",
        }
    ]

    told.says(access_token="second", expires_in=60)
    now[0] = 3_299
    assert tokens.token() == "first"
    now[0] = 3_301
    assert tokens.token() == "second"
    now[0] += 20
    assert tokens.token() == "second", "a short life is no reason to ask for each mail"
    tokens.forget()
    told.says(access_token="third", expires_in=60)
    assert tokens.token() == "third"


def test_a_refresh_token_is_replaced_by_its_successor(directory: tuple[Directory, str]) -> None:
    told, url = directory
    tokens = MailTokens(url, client_id="trettio", client_secret=None, refresh_token="old")
    told.says(access_token="a", refresh_token="new")
    tokens.token()
    tokens.forget()
    tokens.token()

    assert [one["refresh_token"] for one in told.asked] == ["old", "new"]
    assert told.asked[0]["grant_type"] == "refresh_token"


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (401, {"error": "invalid_client", "error_description": "secret of kari@x"}, "invalid_cli"),
        (400, {"error": "kari@person.example"}, "no reason that is known"),
        (503, {}, "answered 503"),
        (404, {}, "answered 404"),
        (200, {"token_type": "Bearer"}, "holds none"),
    ],
)
def test_errors_wait_and_quote_nobody(
    directory: tuple[Directory, str], status: int, answer: dict[str, Any], says: str
) -> None:
    told, url = directory
    told.says(status, **answer)
    with pytest.raises(Unavailable, match=says) as error:
        MailTokens(url, client_id="trettio", client_secret="s").token()
    assert "kari" not in str(error.value)
