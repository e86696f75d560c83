"""Writers that do to the event log everything that real and broken programs do to it.

And readers that follow it meanwhile, each in a process of its own that may be killed at any line.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent

from adapters.outbound.database import Database, Statement
from adapters.outbound.recorder import LogReader, LogRecorder

# A write before the event, in the same transaction, as every vault row is: it takes a transaction
# id before the event's position is drawn.
BEFORE = (
    "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), 'upload', '', '')"
)
INSERT = (
    "INSERT INTO trettio.log (originator_id, originator_version, topic, state)"
    " VALUES (%s, 1, 'raw', '') RETURNING notification_id"
)
KINDS = {"conflict", "savepoint", "prepared", "died"}
CONTESTED = [UUID(int=number) for number in range(1, 2_000)]


def events(number: int, originator_id: UUID | None = None) -> list[StoredEvent]:
    originator_id = originator_id or uuid4()
    return [StoredEvent(originator_id, v, "plain", b"{}") for v in range(1, number + 1)]


def write_for(url: str, seconds: float, seed: int, told: Path) -> None:
    """Write, conflict, roll back, prepare and die, in random order; a lost database is waited for.

    In `told` a line +id says that an aggregate's events were saved, -id that they were taken back,
    and =kind that something happened which a log meets seldom.
    """
    chance, until = random.Random(seed), time.monotonic() + seconds
    with Database(url) as database, told.open("w") as lines:
        writer = Writer(
            url, LogRecorder(database), chance, lambda line: _tell(lines.fileno(), line)
        )
        while time.monotonic() < until:
            try:
                writer.step()
            except (psycopg.OperationalError, psycopg.InterfaceError, PersistenceError):
                time.sleep(0.05)


class Writer:
    def __init__(
        self, url: str, recorder: LogRecorder, chance: random.Random, tell: Callable[[str], None]
    ) -> None:
        self._url, self._recorder, self._chance, self._tell = url, recorder, chance, tell

    def step(self) -> None:
        usual = [self.save, self.save, self.save, self.save]
        usual += [self.conflict, self.conflict, self.by_hand]
        rare = [self.prepare, self.die, self.take_long]
        self._chance.choice(rare if self._chance.random() < 0.04 else usual)()

    def save(self) -> None:
        """As the register does: rows first, then the events, in one pipeline."""
        pause = Statement("SELECT pg_sleep(%s)", (self._chance.random() / 300,))
        saved = events(self._chance.randint(1, 4))
        self._recorder.insert_events(saved, also=[Statement(BEFORE), pause])
        self._tell(f"+{saved[0].originator_id}")

    def conflict(self) -> None:
        """Versions that another writer may be saving at this moment."""
        wanted = self._chance.choice(CONTESTED)
        try:
            self._recorder.insert_events(events(2, wanted))
        except IntegrityError:
            self._tell("=conflict")
            return
        self._tell(f"+{wanted}")

    def by_hand(self, longest: float = 0.01) -> None:
        """A savepoint and a slow end."""
        given_up, kept = uuid4(), uuid4()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("BEGIN")
            connection.execute(BEFORE)
            time.sleep(self._chance.random() * longest)
            connection.execute("SAVEPOINT one")
            connection.execute(INSERT, [given_up])
            connection.execute("ROLLBACK TO one")
            self._tell("=savepoint")
            connection.execute(INSERT, [kept])
            time.sleep(self._chance.random() * longest)
            self._end(connection, self._chance.choice(["COMMIT", "ROLLBACK"]), kept)
        self._tell(f"-{given_up}")

    def take_long(self) -> None:
        self.by_hand(longest=0.4)

    def prepare(self) -> None:
        name, mine = uuid4().hex, uuid4()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("BEGIN")
            connection.execute(BEFORE)
            connection.execute(INSERT, [mine])
            time.sleep(self._chance.random() / 20)
            connection.execute(f"PREPARE TRANSACTION '{name}'".encode())
            self._tell("=prepared")
            time.sleep(self._chance.random() / 5)
            end = self._chance.choice(["COMMIT", "ROLLBACK"])
            self._end(connection, f"{end} PREPARED '{name}'", mine)

    def die(self) -> None:
        mine = uuid4()
        connection = psycopg.connect(self._url)
        connection.execute(INSERT, [mine])
        try:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except psycopg.OperationalError:
            connection.close()
            self._tell("=died")
        self._tell(f"-{mine}")

    def _end(self, connection: psycopg.Connection, end: str, mine: UUID) -> None:
        connection.execute(end.encode())
        self._tell(f"{'+' if end.startswith('COMMIT') else '-'}{mine}")


def read_until(url: str, notes: Path, stop: Path) -> None:
    """Follow the log from where `notes` ends, one line per batch, up to the position in `stop`."""
    after = position_in(notes)
    with Database(url) as database, notes.open("a") as lines:
        reader = LogReader(database)
        while not (stop.exists() and after >= int(stop.read_text())):
            try:
                batch = reader.read(after, limit=50)
            except psycopg.OperationalError:
                time.sleep(0.02)
                continue
            if batch.notifications:
                after = batch.position
                _tell(lines.fileno(), " ".join(str(one.id) for one in batch.notifications))
            else:
                time.sleep(0.002)


def position_in(notes: Path) -> int:
    """Where a reader stands: the last position of its last line."""
    return int(notes.read_text().split()[-1])


def _tell(file: int, line: str) -> None:
    os.write(file, f"{line}\n".encode())
