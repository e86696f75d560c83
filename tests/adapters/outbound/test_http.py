"""The connectors' HTTP client trusts nothing that a remote system answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog
import urllib3

from adapters.outbound import http
from adapters.outbound.http import HttpClient
from services.ports import Refused, Unavailable

Answer = Callable[[socket.socket, bytes], None]


class Server:
    """Answers each connection with whatever bytes a test gives it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/api"
        self.asked: list[bytes] = []
        self.connections = 0
        self.answers: list[bytes | Answer] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a client that hangs up early is what we test
            while self.answers:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    piece = connection.recv(65_536)
                    if not piece:
                        return
                    asked += piece
                self.asked.append(asked)
                answer = self.answers.pop(0)
                if callable(answer):
                    answer(connection, asked)
                    return
                connection.sendall(answer)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.socket.close()


@pytest.fixture
def client(server: Server) -> Iterator[HttpClient]:
    client = HttpClient(server.url, timeout=urllib3.Timeout(connect=1.0, read=0.5))
    yield client
    client.close()


def answer(status: str = "200 OK", body: bytes = b"{}", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_a_path_is_filled_segment_by_segment(server: Server, client: HttpClient) -> None:
    server.answers = [answer()]

    client.request(
        "GET", "/orders/{code}", path={"code": "A/../B?x#y"}, query={"q": "ø", "n": None}
    )

    assert server.asked[0].startswith(b"GET /api/orders/A%2F..%2FB%3Fx%23y?q=%C3%B8 HTTP/1.1")


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_no_key_climbs_out_of_its_place(server: Server, client: HttpClient, key: str) -> None:
    with pytest.raises(Refused, match=r"DELETE /members/\{key\} cannot be filled"):
        client.request("DELETE", "/members/{key}", path={"key": key})

    assert server.asked == []


@pytest.mark.parametrize("status", ["408 X", "425 X", "429 X", "500 X", "503 X", "599 X"])
def test_what_may_pass_is_tried_later(server: Server, client: HttpClient, status: str) -> None:
    server.answers = [answer(status)]

    with pytest.raises(Unavailable, match=f"GET /x answered {status[:3]}") as caught:
        client.request("GET", "/x")

    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", ["301 X", "302 X", "400 X", "401 X", "403 X", "404 X", "418 X"])
def test_everything_else_is_for_a_person(server: Server, client: HttpClient, status: str) -> None:
    server.answers = [answer(status, b"{}", "Location: http://192.0.2.1/")]

    with pytest.raises(Refused, match=f"GET /x answered {status[:3]}"):
        client.request("GET", "/x")

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("999999999", 86_400.0), ("-3", None), ("soon", None), ("²", None)],
)
def test_a_wish_to_wait_is_heard_within_reason(
    server: Server, client: HttpClient, header: str, seconds: float | None
) -> None:
    server.answers = [answer("503 X", b"", f"Retry-After: {header}")]

    with pytest.raises(Unavailable) as caught:
        client.request("GET", "/x")

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(("minutes", "expected"), [(10, 600.0), (-10, 0.0)])
def test_a_wish_may_be_a_date(
    server: Server, client: HttpClient, minutes: int, expected: float
) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    server.answers = [answer("429 X", b"", f"Retry-After: {moment}")]

    with pytest.raises(Unavailable) as caught:
        client.request("GET", "/x")

    assert caught.value.retry_after == pytest.approx(expected, abs=5)


def test_an_answer_that_is_cut_off_is_none(server: Server, client: HttpClient) -> None:
    server.answers = [
        lambda c, _: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        answer(body=b'{"fresh": 1}'),
    ]

    with pytest.raises(Unavailable, match="GET /x: "):
        client.request("GET", "/x")

    assert client.request("GET", "/x").object() == {"fresh": 1}


def test_an_answer_that_does_not_come_is_tried_later(server: Server, client: HttpClient) -> None:
    server.answers = [lambda c, _: time.sleep(2)]

    with pytest.raises(Unavailable, match="GET /x: ReadTimeoutError"):
        client.request("GET", "/x")


@pytest.mark.parametrize("head", [b"Content-Length: 5000\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_answer_has_a_largest_size(
    server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1_000)

    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        for _number in range(500):
            connection.sendall(b"a\r\n0123456789\r\n" if b"chunked" in head else b"0123456789")

    server.answers = [endless, answer(body=b'{"fresh": 1}')]
    with pytest.raises(Refused, match="answered more than 1000 bytes"):
        client.request("GET", "/x")

    # What was left of it is not taken for the next answer.
    assert client.request("GET", "/x").object() == {"fresh": 1}


def test_an_answer_drop_by_drop_comes_to_an_end(
    server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(http, "PIECE", 1)

    def drops(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _number in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    server.answers = [drops]
    with pytest.raises(Unavailable, match="does not come to an end"):
        client.request("GET", "/x")


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff\xfe\x00", b""])
def test_what_is_not_json_is_for_a_person(server: Server, client: HttpClient, body: bytes) -> None:
    server.answers = [answer(body=body)]

    with pytest.raises(Refused, match="answer is not JSON"):
        client.request("GET", "/x").json()


def test_a_list_is_no_object(server: Server, client: HttpClient) -> None:
    server.answers = [answer(body=b"[1]")]

    with pytest.raises(Refused, match="not a JSON object"):
        client.request("GET", "/x").object()


def test_a_good_connection_is_used_again(server: Server, client: HttpClient) -> None:
    server.answers = [answer(), answer("404 X"), answer()]

    client.request("GET", "/x")
    client.request("GET", "/x", expect=(404,))
    client.request("GET", "/x")

    assert server.connections == 1


def test_a_header_cannot_carry_another(server: Server) -> None:
    with pytest.raises((Unavailable, ValueError)):
        HttpClient(server.url, headers={"X-Key": "a\r\nX-Other: b"}).request("GET", "/x")

    assert all(b"X-Other" not in asked for asked in server.asked)


@pytest.mark.parametrize("url", ["ftp://a.example", "a.example", "http://", "file:///etc/passwd"])
def test_only_web_addresses_are_systems(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with http"):
        HttpClient(url)


def test_the_log_and_the_errors_name_the_template_only(server: Server, client: HttpClient) -> None:
    server.answers = [answer("404 X")]

    with structlog.testing.capture_logs() as lines, pytest.raises(Refused) as caught:
        client.request(
            "GET", "/members/{key}", path={"key": "kari-testesen"}, query={"q": "kari-testesen"}
        )

    assert lines[-1]["path"] == "/members/{key}"
    assert "kari" not in f"{lines}{caught.value.reason}{caught.value.__cause__}"
