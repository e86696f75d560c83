"""A look for viruses at what strangers send: a command, or clamd by its own protocol (INSTREAM).

Nothing that was not looked at is kept, and what is found to be harmful is refused (Art. 32(1)).
"""

from __future__ import annotations

import shlex
import socket
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

from services.ports import Harmful, Scanner, Unavailable

SECONDS = 60.0
CHUNK = 65_536
CLAMD = "clamd:"


class NoScanner:
    """Where no scanner is set up files are judged by their form alone."""

    def scan(self, content: bytes) -> None:
        """Let it pass."""


class CommandScanner:
    """A command that reads the file from its standard input: 0 is clean, 1 is not."""

    def __init__(self, command: Sequence[str], *, seconds: float = SECONDS) -> None:
        self._command, self._seconds = list(command), seconds

    def scan(self, content: bytes) -> None:
        try:
            ended = subprocess.run(  # noqa: S603 (whoever runs this has chosen the command)
                self._command,
                input=content,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            raise Unavailable("scanner") from None
        if ended.returncode == 1:
            raise Harmful
        if ended.returncode:
            raise Unavailable("scanner")


class ClamdScanner:
    """A clamd on a socket of this machine, or on a host and port."""

    def __init__(self, place: str | tuple[str, int], *, seconds: float = SECONDS) -> None:
        self._place, self._seconds = place, seconds

    def scan(self, content: bytes) -> None:
        try:
            with closing(self._connected()) as wire:
                wire.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), CHUNK):
                    part = content[start : start + CHUNK]
                    wire.sendall(struct.pack("!L", len(part)) + part)
                wire.sendall(struct.pack("!L", 0))
                said = wire.recv(4_096)
        except OSError:
            raise Unavailable("scanner") from None
        if said.endswith(b"FOUND\0"):
            raise Harmful
        if not said.endswith(b"OK\0"):
            raise Unavailable("scanner")

    def _connected(self) -> socket.socket:
        if isinstance(self._place, tuple):
            return socket.create_connection(self._place, timeout=self._seconds)
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(self._seconds)
        try:
            wire.connect(self._place)
        except OSError:
            wire.close()
            raise
        return wire


def scanner_of(said: str | None) -> Scanner:
    """The scanner that the settings name: `clamd:/path`, `clamd://host:port`, or a command."""
    if not said:
        return NoScanner()
    if said.startswith(f"{CLAMD}//"):
        there = urlsplit(said)
        if not there.hostname or not there.port:
            raise ValueError("write clamd://host:port")
        return ClamdScanner((there.hostname, there.port))
    if said.startswith(CLAMD):
        return ClamdScanner(said.removeprefix(CLAMD))
    return CommandScanner(shlex.split(said))
