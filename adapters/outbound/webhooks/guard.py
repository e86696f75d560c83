"""Where an address that somebody else gave may lead: out to the internet, over HTTPS, to one host.

The host is resolved once, every answer is judged by the IANA special-purpose address registries
(RFC 6890), and the connection goes to the very address that was judged: a name that means something
else a moment later changes nothing. TLS still checks the name.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import urllib3

from adapters.outbound.http import HttpClient
from services.ports import Refused, Unavailable

PORTS = frozenset({443, 8443})
LONGEST_URL = 2_000
LONGEST_HOST = 253

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""Every address of a host, as text; raises `OSError` where there is none."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_VISIBLE = re.compile(r"[\x21-\x7e]+")

_SPECIAL_4 = tuple(
    ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # what a cloud's virtual machines ask about themselves
    )
)
_UNICAST_6 = ip_network("2000::/3")
"""All that is given out for the internet; what maps, translates or stays local lies outside."""
_SPECIAL_6 = tuple(
    ip_network(one)
    for one in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_INTERNAL = tuple(
    ip_network(one)
    for one in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
)
"""What the operator may open for a host; never what machines ask about themselves."""
_NEVER = tuple(
    ip_network(one) for one in ("100.100.100.200/32", "fd00:ec2::254/128", "fd20:ce::254/128")
)
"""Services of clouds that tell a machine's secrets, in networks that are otherwise internal."""


class AddressRefused(Refused):
    """An address that is not called. `reason` says why, and never quotes the address."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart: what is called, under which name."""

    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Target:
    """A place, and the one network address that it was found to be good at."""

    place: Place
    address: str


def addresses_of(host: str, port: int) -> Sequence[str]:
    """What this machine's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class Guard:
    """`allow` names hosts of one's own, as `host` or `host:port`, which may have internal addresses
    and other ports."""

    def __init__(self, allow: Sequence[str] = (), resolve: Resolve = addresses_of) -> None:
        self._resolve = resolve
        self._hosts: dict[str, set[int]] = {}
        for one in allow:
            host, _, port = one.strip().lower().rpartition(":") if ":" in one else (one, "", "")
            self._hosts.setdefault(host.strip().lower(), set()).update({int(port)} if port else ())

    def read(self, url: str) -> Place:
        """The address taken apart; `AddressRefused` where its very form will not do."""
        if len(url) > LONGEST_URL or not _VISIBLE.fullmatch(url) or "\\" in url:
            raise AddressRefused(
                "the address must be plain ASCII without spaces: write an international host"
                " name in its xn-- form"
            )
        try:
            parts = urlsplit(url)
            port = 443 if parts.port is None else parts.port
        except ValueError:
            raise AddressRefused("the address is none") from None
        if parts.scheme != "https":
            raise AddressRefused("the address must begin with https://")
        if "@" in parts.netloc:
            raise AddressRefused("the address must not hold a user name or a password")
        if "#" in url:
            raise AddressRefused("the address must not have a fragment (#…)")
        host = (parts.hostname or "").lower()
        known = self._hosts.get(host)
        if known is None:
            _require_name(host)
        if port not in (known or ()) and port not in PORTS:
            raise AddressRefused("the address must use port 443 or 8443")
        path = parts.path or "/"
        return Place(host, port, f"{path}?{parts.query}" if parts.query else path)

    def target(self, url: str) -> Target:
        """Where to connect to. `Unavailable` where the name means nothing now."""
        place = self.read(url)
        try:
            found = self._resolve(place.host, place.port)
            said = [ip_address(one.partition("%")[0]) for one in found]
        except (OSError, ValueError, UnicodeError):
            said = []
        if not said:
            raise Unavailable("the host has no address")
        may_be_internal = place.host in self._hosts
        if not all(is_public(one) or (may_be_internal and is_internal(one)) for one in said):
            raise AddressRefused(
                "the host has an address that is not on the public internet: the operator can"
                " allow hosts of their own with TRETTIO_WEBHOOK_ALLOW"
            )
        return Target(place, str(said[0]))

    def client(
        self,
        target: Target,
        *,
        timeout: urllib3.Timeout | None = None,
        largest: int,
        cut_off: bool = False,
        trusting: str | None = None,
    ) -> HttpClient:
        """A client for this one target, which leads nowhere else; whoever has it closes it.

        `trusting` are certificates (PEM) to believe instead of those that this machine does.
        """
        return HttpClient(
            f"https://{target.place.host}:{target.place.port}",
            at=target.address,
            connections=1,
            timeout=timeout,
            largest=largest,
            cut_off=cut_off,
            context=ssl.create_default_context(cadata=trusting) if trusting else None,
        )


def is_public(address: Address) -> bool:
    """Whether it is global unicast: in no special-purpose registry, and no way round to one."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    return address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)


def is_internal(address: Address) -> bool:
    """Whether an operator may open it for one of their own hosts."""
    if any(address in network for network in _NEVER):
        return False
    return any(address in network for network in _INTERNAL)


def _require_name(host: str) -> None:
    """A name in the DNS: no address in whatever notation, and none that only this network knows."""
    labels = host.split(".")
    if len(host) > LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("the address must name a host, such as hooks.example.org")
    if _NUMBER.fullmatch(labels[-1]):  # as browsers read it: 127.1 and 0x7f.1 are numbers, too
        raise AddressRefused("the address must name a host and not give its number")
    if len(labels) < 2:
        raise AddressRefused("the address must name a host in full, such as hooks.example.org")
