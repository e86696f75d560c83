"""Which processes are at work: what each does, and which master keys it knows.

A process says so every few seconds as long as all its threads live; one that has fallen silent is
taken for dead. Nothing but rotation of keys and health checks depends on it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread
from uuid import uuid4

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.outbound.database import Database

BEAT_SECONDS = 10.0
SILENT_AFTER_SECONDS = 45
FORGOTTEN_AFTER_DAYS = 1

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seen:
    """A process that has said lately that it is at work."""

    roles: tuple[str, ...]
    host: str
    pid: int
    seconds_ago: float
    started_at: datetime
    master_keys: tuple[str, ...]

    def __str__(self) -> str:
        return f"{'+'.join(self.roles)} on {self.host} (process {self.pid})"


def seen(connection: Connection[TupleRow]) -> list[Seen]:
    """Every process that has been heard of lately, the longest running first."""
    rows = connection.execute(
        "SELECT roles, host, pid, extract(epoch FROM clock_timestamp() - seen_at)::float8,"
        " started_at, master_keys FROM trettio.processes"
        " WHERE seen_at > clock_timestamp() - make_interval(secs => %s) ORDER BY started_at",
        [SILENT_AFTER_SECONDS],
    )
    return [
        Seen(tuple(roles), host, pid, seconds_ago, started_at, tuple(master_keys))
        for roles, host, pid, seconds_ago, started_at, master_keys in rows
    ]


class Presence:
    """Says for one process that it is at work, for as long as it is."""

    def __init__(
        self,
        database: Database,
        roles: Sequence[str],
        *,
        master_keys: Callable[[], Sequence[str]],
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        """`master_keys` is asked before each word: a file may have got another key."""
        self._database, self._roles = database, list(roles)
        self._master_keys, self._is_well = master_keys, is_well
        self._id = uuid4()

    def beat(self) -> None:
        """Say once that this process is at work; nothing is said when a thread of it has died."""
        if not self._is_well():
            log.error("role_has_died", roles=self._roles)
            return
        self._database.fetch(
            "WITH forgotten AS (DELETE FROM trettio.processes"
            " WHERE seen_at < clock_timestamp() - make_interval(days => %(days)s))"
            " INSERT INTO trettio.processes (id, roles, host, pid, master_keys)"
            " VALUES (%(id)s, %(roles)s, %(host)s, %(pid)s, %(keys)s) ON CONFLICT (id)"
            " DO UPDATE SET seen_at = clock_timestamp(), master_keys = EXCLUDED.master_keys",
            {
                "days": FORGOTTEN_AFTER_DAYS,
                "id": self._id,
                "roles": self._roles,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "keys": list(self._master_keys()),
            },
        )

    def leave(self) -> None:
        self._database.fetch("DELETE FROM trettio.processes WHERE id = %s", [self._id])

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Say it now and then until the block ends."""
        stop = Event()
        self.beat()
        beating = Thread(target=self._beat_until, args=(stop,), name="presence")
        beating.start()
        try:
            yield
        finally:
            stop.set()
            beating.join(timeout=BEAT_SECONDS)
            try:
                self.leave()
            except psycopg.Error:  # the database may be away: then silence says it
                log.warning("presence_not_withdrawn")

    def _beat_until(self, stop: Event) -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                self.beat()
            except Exception:  # the database may be away, or the key file being written
                log.exception("presence_stumbled")
