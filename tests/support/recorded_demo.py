"""Runs `trettio` while noting every address that this process speaks to or looks up.

    recorded_demo.py FOLDER COMMAND…

Addresses go to FOLDER/addresses. When FOLDER/try appears, the process tries to get out in every
way it can, and writes what came of it to FOLDER/tried.
"""

from __future__ import annotations

import json
import smtplib
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
OUTSIDE = "192.0.2.1"
ATTEMPTS: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection((OUTSIDE, 443), timeout=3),
    "connect without raising": lambda: socket.socket().connect_ex((OUTSIDE, 443)),
    "connect over IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443)),
    "datagram": lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"?", (OUTSIDE, 53)),
    "message": lambda: socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"?"], [], 0, (OUTSIDE, 53)),
    "look-up": lambda: socket.getaddrinfo("mx.post.example", 25),
    "old look-up": lambda: socket.gethostbyname("mx.post.example"),
    "reverse look-up": lambda: socket.gethostbyaddr(OUTSIDE),
    "name of an address": lambda: socket.getnameinfo((OUTSIDE, 25), 0),
    "mail": lambda: smtplib.SMTP("mx.post.example", 25, timeout=3),
    "mail to an address": lambda: smtplib.SMTP(OUTSIDE, 25, timeout=3),
}


def note(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket.") or threading.current_thread().name == "attempts":
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        endpoint, address = arguments[0], arguments[1]
        line = [event, endpoint.family.name, str(address)]
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        line = [event, "", str(arguments[0])]
    else:
        return
    with (FOLDER / "addresses").open("a") as record:
        record.write(json.dumps(line) + "\n")


def attempt() -> None:
    while not (FOLDER / "try").exists():
        time.sleep(0.05)
    tried = {}
    for name, action in ATTEMPTS.items():
        try:
            action()
        except Exception as error:
            tried[name] = type(error).__name__
        else:
            tried[name] = "went through"
    (FOLDER / "tried.new").write_text(json.dumps(tried))
    (FOLDER / "tried.new").rename(FOLDER / "tried")


if __name__ == "__main__":
    sys.addaudithook(note)
    threading.Thread(target=attempt, name="attempts", daemon=True).start()
    sys.argv = ["trettio", *sys.argv[2:]]
    from adapters.inbound.cli.main import main

    main()
