"""The connectors' HTTP client trusts nothing that a remote system answers."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import structlog
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.outbound import http
from adapters.outbound.http import HttpClient
from services.ports import Garbled, Refused, Unavailable

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


@pytest.mark.parametrize("status", ["301 X", "302 X", "307 X"])
def test_a_way_to_elsewhere_is_not_followed_and_may_pass(
    server: Server, client: HttpClient, status: str
) -> None:
    server.answers = [answer(status, b"{}", "Location: http://192.0.2.1/")]

    with pytest.raises(Garbled, match=f"GET /x answered {status[:3]}"):
        client.request("GET", "/x")

    assert len(server.asked) == 1


@pytest.mark.parametrize("status", ["400 X", "401 X", "403 X", "404 X", "418 X"])
def test_everything_else_is_for_a_person(server: Server, client: HttpClient, status: str) -> None:
    server.answers = [answer(status)]

    with pytest.raises(Refused, match=f"GET /x answered {status[:3]}") as caught:
        client.request("GET", "/x")

    assert not isinstance(caught.value, Garbled)

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
    with pytest.raises(Garbled, match="answered more than 1000 bytes"):
        client.request("GET", "/x")

    # What was left of it is not taken for the next answer.
    assert client.request("GET", "/x").object() == {"fresh": 1}


def _drops(head: bytes, many: int = 200) -> Answer:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        for _number in range(many):
            connection.sendall(b"x")
            time.sleep(0.05)

    return drip


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
    ],
    ids=["status line", "header", "body", "body without a length", "chunk"],
)
def test_an_answer_drop_by_drop_comes_to_an_end(
    server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    """Each drop comes before the socket's own timeout; the whole has one as well."""
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(http, "LOOK_EVERY_SECONDS", 0.1)
    server.answers = [_drops(head)]
    began = time.monotonic()

    with pytest.raises(Unavailable, match="GET /x: the answer does not come to an end"):
        client.request("GET", "/x")

    assert time.monotonic() - began < 5
    server.answers = [answer(body=b'{"fresh": 1}')]
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 30.0)
    assert client.request("GET", "/x").object() == {"fresh": 1}


def test_an_encrypted_answer_drop_by_drop_comes_to_an_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(http, "LOOK_EVERY_SECONDS", 0.1)
    certificate = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                plain, _ = listening.accept()
                with context.wrap_socket(plain, server_side=True) as connection:
                    _drops(b"HTTP/1.1 200 OK\r\nX-Long: ")(connection, connection.recv(65_536))

        threading.Thread(target=serve, daemon=True).start()
        client = HttpClient(f"https://localhost:{listening.getsockname()[1]}")
        with pytest.raises(Unavailable, match="does not come to an end"):
            client.request("GET", "/x")
        client.close()


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_many_exchanges_at_once_are_each_cut_off_or_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "LONGEST_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(http, "LOOK_EVERY_SECONDS", 0.05)
    outcomes: Counter[str] = Counter()

    def ask(drips: bool) -> None:
        server = Server()
        server.answers = [_drops(b"HTTP/1.1 200 OK\r\n") if drips else answer()] * 3
        client = HttpClient(server.url)
        for _ in range(3):
            try:
                client.request("GET", "/x")
                outcomes["answered"] += 1
            except Unavailable:
                outcomes["cut off"] += 1
        client.close()
        server.socket.close()

    threads = [threading.Thread(target=ask, args=(n % 2 == 0,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == {"answered": 12, "cut off": 12}


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff\xfe\x00", b""])
def test_what_is_not_json_is_for_a_person(server: Server, client: HttpClient, body: bytes) -> None:
    server.answers = [answer(body=body)]

    with pytest.raises(Garbled, match="answer is not JSON"):
        client.request("GET", "/x").json()


def test_a_list_is_no_object(server: Server, client: HttpClient) -> None:
    server.answers = [answer(body=b"[1]")]

    with pytest.raises(Garbled, match="not a JSON object"):
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
