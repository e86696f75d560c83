"""Signed statements about the evidence chain, and the file that keeps them outside the database.

A database that was set back, by a restore or by somebody, ends before what this file says (GDPR
Art. 5(2), 32). The file is the second copy; the third belongs on another machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from adapters.outbound.durable import sync_directory
from adapters.outbound.signing_keys import SigningKey

_TAIL = 65_536
"""Longer than any line: where the last one is looked for."""


class Kind(Enum):
    """Why something was signed; each of them signs position and head."""

    KEY = "key"
    CHECKPOINT = "checkpoint"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Statement:
    """One line, and what of it others need to go on."""

    number: int
    kind: Kind
    position: int
    head: bytes
    at: datetime
    key: str
    incarnation: UUID
    line: str

    @classmethod
    def of(cls, line: str) -> Self:
        said = json.loads(line)
        return cls(
            number=said["number"],
            kind=Kind(said["kind"]),
            position=said["position"],
            head=bytes.fromhex(said["head"]),
            at=datetime.fromisoformat(said["at"]),
            key=said["key"],
            incarnation=UUID(said["incarnation"]),
            line=line,
        )


def signed(
    key: SigningKey,
    *,
    kind: Kind,
    after: Statement | None,
    incarnation: UUID,
    position: int,
    head: bytes,
    at: datetime,
    vouching: SigningKey | None = None,
) -> Statement:
    """The next statement. One that brings in a key is signed by the key before it as well."""
    body: dict[str, Any] = {
        "at": at.isoformat(),
        "head": head.hex(),
        "incarnation": str(incarnation),
        "key": key.fingerprint,
        "kind": kind.value,
        "number": after.number + 1 if after else 1,
        "position": position,
        "previous": hashlib.sha256(after.line.encode()).hexdigest() if after else "",
    }
    if kind is Kind.KEY:
        body["public"] = key.public.hex()
        body["vouched_by"] = vouching.fingerprint if vouching else ""
    text = canonical(body)
    if vouching is not None:
        body["vouched"] = vouching.sign(text)
    body["signature"] = key.sign(text)
    return Statement.of(canonical(body))


def canonical(body: dict[str, Any]) -> str:
    """One spelling of the same facts, in ASCII: what is signed."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


class CheckpointFile:
    """A statement a line, appended and never changed; a line that was cut off is no line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        """Every complete line."""
        try:
            text = self.path.read_text("ascii", errors="replace")
        except FileNotFoundError:
            return []
        return text.split("\n")[:-1]

    def last(self) -> str | None:
        """The last complete line, however long the file is."""
        try:
            with self.path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _TAIL))
                complete = file.read().split(b"\n")[:-1]
        except FileNotFoundError:
            return None
        return complete[-1].decode("ascii", errors="replace") if complete else None

    def append(self, statements: Sequence[Statement]) -> None:
        """Write them for good; what another process has written meanwhile is not written twice."""
        with self._alone() as descriptor:
            last = self.last()
            known = number_of(last) if last is not None else 0
            text = "".join(f"{one.line}\n" for one in statements if one.number > known)
            os.write(descriptor, text.encode())
            os.fsync(descriptor)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        is_new = not self.path.exists()
        if is_new:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._cut_off_torn_line(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.path.parent)

    def _cut_off_torn_line(self, descriptor: int) -> None:
        """What a loss of power left half written is written again whole."""
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
        if tail and not tail.endswith(b"\n"):
            os.ftruncate(descriptor, size - (len(tail) - tail.rfind(b"\n") - 1))


def number_of(line: str) -> int:
    """The number of the statement that a line is; 0 where it cannot be read."""
    try:
        return int(json.loads(line)["number"])
    except (ValueError, KeyError, TypeError):
        return 0
