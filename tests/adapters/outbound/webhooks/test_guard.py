"""The guard against requests to where only we can reach (SSRF), by the IANA registries."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.http import HttpClient
from adapters.outbound.webhooks.guard import AddressRefused, Guard, is_internal, is_public
from services.ports import Unavailable
from tests.support.certificates import make_certificate

SPECIAL = (
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
    *("169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32"),
    *("192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32", "192.0.2.0/24"),
    *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
    *(
        "255.255.255.255/32",
        "224.0.0.0/4",
    ),
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64"),
    *("100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128", "2001:2::/48"),
    *("2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28"),
    *("2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7"),
    *(
        "fe80::/10",
        "ff00::/8",
        "fec0::/10",
        "::/96",
    ),
)
"""The IANA IPv4 and IPv6 Special-Purpose Address Registries, multicast, and what is deprecated."""
METADATA = ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192")
PUBLIC = ("1.1.1.1", "9.9.9.9", "93.184.215.14", "193.75.75.75", "2606:4700::1111", "2a00:1450::1")


@pytest.mark.parametrize("network", SPECIAL)
def test_no_special_purpose_network_is_public(network: str) -> None:
    first, last = ip_network(network)[0], ip_network(network)[-1]

    assert not is_public(first)
    assert not is_public(last)


@settings(max_examples=60)
@given(st.sampled_from(SPECIAL).flatmap(lambda one: st.ip_addresses(network=one)))
def test_nor_any_address_in_one(address: object) -> None:
    assert not is_public(ip_address(str(address)))


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", [*METADATA, "fd00:ec2::254", "fd20:ce::254", "fe80::1"])
def test_what_tells_a_machine_its_secrets_is_never_called(address: str) -> None:
    guard = Guard(["inside.example"], lambda *_: [address])

    assert not is_internal(ip_address(address))
    with pytest.raises(AddressRefused):
        guard.target("https://inside.example/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "//hooks.example/",
        "https:hooks.example",
        "https://",
        "https:///x",
        "https://kari@hooks.example/",
        "https://kari:word@hooks.example/",
        "https://@hooks.example/",
        "https://hooks.example/#x",
        "https://hooks.example/#",
        "https://hooks.example:22/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:x/",
        "https://hooks.example./",
        "https://hooks..example/",
        "https://-hooks.example/",
        "https://localhost/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://1.1.1.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://hooks.0x1/",
        "https://bücher.example/",
        "https://①②⑦.⓪.⓪.①/",
        "https://hooks。example/",
        "https://hooks.example /",
        "https://hooks.example\\@inside/",
        "https://hooks.example/\r\nHost: inside",
        "https://hooks.example/a\tb",
        "https://" + "a." * 1_500 + "example/",
        "",
        "javascript:alert(1)",
    ],
)
def test_an_address_of_a_bad_form_is_refused_before_anybody_is_asked(url: str) -> None:
    def ask(*_: object) -> Sequence[str]:
        raise AssertionError("nobody is to be asked")

    with pytest.raises(AddressRefused) as refused:
        Guard(resolve=ask).target(url)

    assert "kari" not in str(refused.value)


@pytest.mark.parametrize("address", [*SPECIAL, *METADATA])
def test_one_bad_address_among_good_ones_is_enough(address: str) -> None:
    bad = str(ip_network(address)[0])

    with pytest.raises(AddressRefused, match="not on the public internet"):
        Guard(resolve=lambda *_: ["1.1.1.1", bad]).target("https://hooks.example/x?y=1")


def test_a_good_address_is_called_where_it_was_judged() -> None:
    target = Guard(resolve=lambda *_: PUBLIC).target("https://Hooks.Example:8443/x?y=1")

    assert (target.place.host, target.place.port, target.place.path) == (
        *("hooks.example", 8443),
        "/x?y=1",
    )
    assert target.address == PUBLIC[0]


def _away(*_: object) -> Sequence[str]:
    raise socket.gaierror


@pytest.mark.parametrize("resolve", [_away, lambda *_: [], lambda *_: ["nonsense"]])
def test_a_name_without_an_address_may_have_one_later(resolve: object) -> None:
    assert callable(resolve)
    with pytest.raises(Unavailable):
        Guard(resolve=resolve).target("https://hooks.example/")


def test_only_the_operator_opens_what_is_inside() -> None:
    guard = Guard(["inside", "other.example:9000", "10.0.0.7"], lambda *_: ["10.0.0.7"])

    assert guard.target("https://inside/x").address == "10.0.0.7"
    assert guard.target("https://10.0.0.7/").address == "10.0.0.7"
    assert guard.target("https://other.example:9000/").place.port == 9000
    for wrong in ("https://inside:9000/", "https://third.example/", "http://inside/"):
        with pytest.raises(AddressRefused):
            guard.target(wrong)


# Over the wire


class Changing:
    """A name server that says something else each time (DNS rebinding)."""

    def __init__(self, *said: str) -> None:
        self.said, self.asked = list(said), 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return [self.said[min(self.asked, len(self.said)) - 1]]


class Inside:
    """A server that only we can reach, which writes down who came."""

    def __init__(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._tls = context
        self.port = int(self._socket.getsockname()[1])
        self.connections: list[str] = []
        self.asked: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                plain, peer = self._socket.accept()
            except OSError:
                return
            self.connections.append(peer[0])
            with suppress(OSError), plain, self._tls.wrap_socket(plain, server_side=True) as tls:
                asked = b""
                while not asked.endswith(b"{}") and (piece := tls.recv(65_536)):
                    asked += piece
                self.asked.append(asked)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "inside.pem", "inside.example")


@pytest.fixture
def inside(certificate: Path) -> Iterator[Inside]:
    running = Inside(certificate)
    yield running
    running.close()


def _client(guard: Guard, url: str, certificate: Path) -> HttpClient:
    pem = certificate.read_text()
    trusted = pem[pem.index("-----BEGIN CERTIFICATE") :]
    return guard.client(guard.target(url), largest=1_000, trusting=trusted)


def test_the_connection_goes_to_the_address_that_was_judged(
    inside: Inside, certificate: Path
) -> None:
    """The second answer leads to nowhere; nobody asks for it."""
    names = Changing("127.0.0.1", "192.0.2.1")
    guard = Guard([f"inside.example:{inside.port}"], names)

    client = _client(guard, f"https://inside.example:{inside.port}/hook", certificate)
    answer = client.request("POST", "/hook", body=b"{}")
    client.close()

    assert (answer.status, names.asked) == (200, 1)
    assert f"Host: inside.example:{inside.port}".encode() in inside.asked[0]


def test_a_name_that_changes_its_mind_leads_nowhere_inside(
    inside: Inside, certificate: Path
) -> None:
    names = Changing("1.1.1.1", "127.0.0.1")
    guard = Guard(["elsewhere.example"], names)
    url = "https://hooks.example:8443/"

    assert guard.target(url).address == "1.1.1.1"
    with pytest.raises(AddressRefused):
        _client(guard, url, certificate)

    assert inside.connections == []


def test_a_certificate_of_another_name_is_not_believed(inside: Inside, certificate: Path) -> None:
    guard = Guard([f"other.example:{inside.port}"], lambda *_: ["127.0.0.1"])
    client = _client(guard, f"https://other.example:{inside.port}/", certificate)

    with pytest.raises(Unavailable, match="SSLError"):
        client.request("POST", "/", body=b"{}")
    client.close()

    assert not any(inside.asked)
