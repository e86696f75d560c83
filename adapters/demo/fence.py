"""The fence of the demonstration: this process reaches loopback and Unix sockets, nothing else.

Whatever it would send to another machine is refused where Python hands it to the system (Art. 32),
a name is not even looked up. An audit hook stays for as long as the process lives.
"""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address
from typing import Any

_SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def close() -> None:
    """Close the fence around this process; nothing opens it again."""
    sys.addaudithook(_guard)


def is_here(host: object) -> bool:
    """Whether a host, as it is given to a socket or a look-up, is this machine's loopback."""
    if isinstance(host, bytes | bytearray):
        host = bytes(host).decode("ascii", errors="replace")
    if host is None or host in {"", "localhost"}:
        return True
    try:
        return ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SENDING:
        endpoint, address = arguments[0], arguments[1]
        if endpoint.family == socket.AF_UNIX or address is None:
            return  # without an address it goes where the socket was allowed to connect to
        if endpoint.family in {socket.AF_INET, socket.AF_INET6} and is_here(address[0]):
            return
        raise _refusal(event)
    if event in _LOOKING_UP and not is_here(arguments[0]):
        raise _refusal(event)
    if event == "socket.getnameinfo" and not is_here(arguments[0][0]):
        raise _refusal(event)


def _refusal(event: str) -> PermissionError:
    return PermissionError(f"nothing leaves this machine from the demonstration ({event})")
