"""Writers that do to the event log everything that real and broken programs do to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent

from adapters.outbound.database import Database, Statement
from adapters.outbound.recorder import LogRecorder

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


def events(number: int, originator_id: UUID | None = None) -> list[StoredEvent]:
    originator_id = originator_id or uuid4()
    return [StoredEvent(originator_id, v, "plain", b"{}") for v in range(1, number + 1)]


def write_for(url: str, seconds: float, seed: int) -> None:
    """Write, conflict, roll back, prepare and die, in random order."""
    chance = random.Random(seed)
    contested = [UUID(int=n) for n in range(1, 2000)]
    with Database(url) as database:
        recorder = LogRecorder(database)

        def save() -> None:
            pause = Statement("SELECT pg_sleep(%s)", (chance.random() / 300,))
            recorder.insert_events(events(chance.randint(1, 4)), also=[Statement(BEFORE), pause])

        def conflict() -> None:
            try:
                recorder.insert_events(events(2, chance.choice(contested)))
            except IntegrityError:
                return

        def by_hand() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("BEGIN")
                connection.execute(BEFORE)
                time.sleep(chance.random() / 200)
                connection.execute("SAVEPOINT one")
                connection.execute(INSERT, [uuid4()])
                if chance.random() < 0.5:
                    connection.execute("ROLLBACK TO one")
                connection.execute(INSERT, [uuid4()])
                time.sleep(chance.random() / 100)
                connection.execute(chance.choice([b"COMMIT", b"ROLLBACK"]))

        def prepare() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                name = uuid4().hex
                connection.execute("BEGIN")
                connection.execute(INSERT, [uuid4()])
                connection.execute(f"PREPARE TRANSACTION '{name}'".encode())
                time.sleep(chance.random() / 50)
                end = chance.choice(["COMMIT", "ROLLBACK"])
                connection.execute(f"{end} PREPARED '{name}'".encode())

        def die() -> None:
            connection = psycopg.connect(url)
            connection.execute(INSERT, [uuid4()])
            try:
                connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            except psycopg.OperationalError:
                connection.close()

        deeds: list[Callable[[], None]] = [save, save, save, save, conflict, conflict, by_hand]
        rare: list[Callable[[], None]] = [prepare, die]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            chance.choice(rare if chance.random() < 0.03 else deeds)()
