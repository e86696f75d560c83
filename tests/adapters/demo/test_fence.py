"""The demonstration's fence lets a process speak to this machine and to nothing else (Art. 32)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.demo import fence
from tests.support.demonstration import ROOT, environment

RECORDER = ROOT / "tests" / "support" / "recorded_demo.py"

_INSIDE = """\
import socket
from adapters.demo import fence
fence.close()
door = socket.create_server(("127.0.0.1", 0))
socket.create_connection(door.getsockname()).close()
socket.getaddrinfo("localhost", 80)
left, right = socket.socketpair()
left.sendmsg([b"x"])
print(right.recv(1).decode(), end="")
"""

_OUTSIDE = """\
import json, runpy
from adapters.demo import fence
recorded = runpy.run_path({recorder!r})
CLOSE
tried = {{}}
for name, action in recorded["ATTEMPTS"].items():
    try:
        action()
    except Exception as error:
        tried[name] = type(error).__name__
print(json.dumps(tried))
"""


def run(code: str, tmp_path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_way_out_is_refused(tmp_path: Path) -> None:
    code = _OUTSIDE.format(recorder=str(RECORDER)).replace("CLOSE", "fence.close()")

    tried = json.loads(run(code, tmp_path))

    assert len(tried) > 10
    assert set(tried.values()) == {"PermissionError"}


def test_this_machine_can_be_spoken_to(tmp_path: Path) -> None:
    assert run(_INSIDE, tmp_path) == "x"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", b"localhost", None])
def test_loopback_is_here(host: object) -> None:
    assert fence.is_here(host)


@pytest.mark.parametrize(
    "host",
    [
        *("192.0.2.1", "10.0.0.1", "2001:db8::1", "0.0.0.0", "::ffff:192.0.2.1", "fe80::1%eth0"),
        *("mx.post.example", "localhost.example", "127.0.0.1.example", b"mx.post.example", 1),
    ],
)
def test_anything_else_is_not(host: object) -> None:
    assert not fence.is_here(host)
