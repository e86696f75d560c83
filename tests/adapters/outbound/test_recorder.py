"""Appending to the event log, and loading an aggregate from it as it is or was (Art. 5(2))."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    IntegrityError,
    NotSupportedError,
    OperationalError,
    StoredEvent,
    Tracking,
)

from adapters.outbound.database import Database, Statement
from adapters.outbound.recorder import (
    DATABASE_URL,
    FACTORY_TOPIC,
    ConstraintViolated,
    LogReader,
    LogRecorder,
    incarnation,
    log_environment,
)

SYNC = b"S\x00\x00\x00\x04"  # the program's last word in a pipeline: commit
READY = b"Z\x00\x00\x00\x05I"  # the server's last word: committed
MARK = "INSERT INTO trettio.idempotency_keys (key, scope, request_digest) VALUES (%s, 'test', '')"


class Matter(Aggregate):
    @event("Opened")
    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.notes: list[str] = []

    @event("Noted")
    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def recorder(database: Database) -> LogRecorder:
    return LogRecorder(database)


@pytest.fixture
def application(database: Database) -> Iterator[Application[UUID]]:
    with Application[UUID](env=log_environment(database)) as application:
        yield application


def _events(number: int = 1, *, first: int = 1, of: UUID | None = None) -> list[StoredEvent]:
    of = of or uuid4()
    return [StoredEvent(of, first + n, "topic", f"{n}".encode()) for n in range(number)]


def _marks(database: Database) -> list[str]:
    return [row["key"] for row in database.fetch("SELECT key FROM trettio.idempotency_keys")]


# Saving


def test_an_application_saves_and_loads_through_our_recorder(
    application: Application[UUID],
) -> None:
    matter = Matter("tickets")
    matter.note("called")
    recordings = application.save(matter)

    assert [r.notification.id for r in recordings] == [1, 2]
    loaded: Matter = application.repository.get(matter.id)
    assert (loaded.subject, loaded.notes, loaded.version) == ("tickets", ["called"], 2)


def test_a_shared_database_stays_open_when_the_application_closes(database: Database) -> None:
    application = Application[UUID](env=log_environment(database))
    assert isinstance(application.recorder, LogRecorder)
    assert application.recorder.database is database
    application.close()

    assert database.fetch("SELECT 1 AS one") == [{"one": 1}]


def test_an_application_of_another_process_opens_a_database_of_its_own(database_url: str) -> None:
    env = {"PERSISTENCE_MODULE": FACTORY_TOPIC, DATABASE_URL: database_url}
    application = Application[UUID](env=env)
    application.save(Matter("a"))
    application.close()

    with pytest.raises(OSError, match="use log_environment"):
        Application[UUID](env={"PERSISTENCE_MODULE": FACTORY_TOPIC})


def test_what_is_saved_along_with_events_is_there(
    application: Application[UUID], database: Database
) -> None:
    application.save(Matter("a"), also=[Statement(MARK, ("one",)), Statement(MARK, ("two",))])

    assert _marks(database) == ["one", "two"]


def test_what_is_saved_along_can_be_saved_alone(
    application: Application[UUID], database: Database
) -> None:
    application.save(also=[Statement(MARK, ("one",))])

    assert _marks(database) == ["one"]


def test_a_conflict_is_an_integrity_error_and_leaves_nothing(
    application: Application[UUID], database: Database
) -> None:
    matter = Matter("a")
    application.save(matter)
    mine: Matter = application.repository.get(matter.id)
    theirs: Matter = application.repository.get(matter.id)
    theirs.note("first")
    application.save(theirs)

    mine.note("second")
    with pytest.raises(IntegrityError, match="somebody else saved first"):
        application.save(mine, Matter("b"), also=[Statement(MARK, ("one",))])

    assert _marks(database) == []
    again: Matter = application.repository.get(matter.id)
    assert again.notes == ["first"]
    again.note("second")
    application.save(again)


def test_another_constraint_is_not_a_conflict_of_versions(
    recorder: LogRecorder, database: Database
) -> None:
    recorder.insert_events(_events(), also=[Statement(MARK, ("one",))])

    with pytest.raises(ConstraintViolated, match="idempotency_keys_used_once") as caught:
        recorder.insert_events(_events(), also=[Statement(MARK, ("one",))])

    assert caught.value.constraint == "idempotency_keys_used_once"
    assert not isinstance(caught.value, IntegrityError)


def test_a_vault_row_whose_key_was_destroyed_is_refused_with_its_event(
    recorder: LogRecorder, database: Database
) -> None:
    orphan = Statement(
        "INSERT INTO trettio.vault_rows (id, key_id, sealed) VALUES (%s, %s, '')",
        (uuid4(), uuid4()),
    )

    with pytest.raises(ConstraintViolated, match="vault_rows_key_id_fkey"):
        recorder.insert_events(_events(), also=[orphan])

    assert database.fetch("SELECT * FROM trettio.log") == []


def test_saves_in_opposite_order_end_in_a_conflict_not_in_a_crash(database_url: str) -> None:
    """Two saves of the same two aggregates deadlock on their keys; one of them must be told."""
    a, b = uuid4(), uuid4()
    told: list[str] = []

    def save(first: UUID, second: UUID) -> None:
        with Database(database_url) as database:
            pause = Statement("SELECT pg_sleep(0.2)")
            one = Statement(
                "INSERT INTO trettio.log (originator_id, originator_version, topic, state)"
                " VALUES (%s, 1, 'topic', '')",
                (first,),
            )
            try:
                LogRecorder(database).insert_events(_events(of=second), also=[one, pause])
            except IntegrityError:
                told.append("conflict")
            else:
                told.append("saved")

    threads = [threading.Thread(target=save, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["conflict", "saved"]


def test_many_events_are_saved_at_once(recorder: LogRecorder) -> None:
    matter = uuid4()
    positions = recorder.insert_events(_events(2500, of=matter))

    assert positions == list(range(1, 2501))
    assert [e.originator_version for e in recorder.select_events(matter)] == positions


def test_events_of_one_aggregate_are_selected_as_the_library_asks(recorder: LogRecorder) -> None:
    matter = uuid4()
    stored = _events(5, of=matter)
    recorder.insert_events(stored)

    assert recorder.select_events(matter) == stored
    assert recorder.select_events(matter, gt=1, lte=4) == stored[1:4]
    assert recorder.select_events(matter, desc=True, limit=2) == [stored[4], stored[3]]


def test_neither_tracking_nor_anything_unknown_is_passed_over(recorder: LogRecorder) -> None:
    with pytest.raises(NotSupportedError):
        recorder.insert_events(_events(), tracking=Tracking("other", 1))
    with pytest.raises(NotSupportedError, match="alos"):
        recorder.insert_events(_events(), alos=[])
    with pytest.raises(TypeError, match="is a Statement, not str"):
        recorder.insert_events(_events(), also=["DELETE"])


def test_the_librarys_own_readers_refuse_to_work(application: Application[UUID]) -> None:
    with pytest.raises(NotSupportedError, match="LogReader"):
        application.recorder.subscribe()
    with pytest.raises(NotSupportedError, match="LogReader"):
        application.notification_log.select(1, 10)
    with pytest.raises(NotSupportedError, match="LogReader"):
        application.recorder.max_notification_id()
    with pytest.raises(NotSupportedError):
        application.factory.process_recorder()


def test_the_log_cannot_be_changed_by_accident(recorder: LogRecorder, database: Database) -> None:
    recorder.insert_events(_events())

    for change in ("UPDATE trettio.log SET topic = ''", "DELETE FROM trettio.log"):
        with pytest.raises(Exception, match="only ever appended to"):
            database.connection.execute(change.encode())


def test_a_log_has_one_incarnation_of_its_own(database: Database) -> None:
    assert incarnation(database) == incarnation(database)


# As it was


def test_an_aggregate_can_be_seen_as_it_was_at_a_moment_and_at_a_position(
    application: Application[UUID], database: Database
) -> None:
    recorder = application.recorder
    assert isinstance(recorder, LogRecorder)
    before = _now(database)
    matter = Matter("a")
    application.save(matter)
    opened = _now(database)
    application.save(Matter("another"))
    matter.note("called")
    application.save(matter)

    def seen(at: datetime) -> int | None:
        return recorder.version_as_of(matter.id, at)

    assert seen(before) is None
    assert seen(opened) == 1
    assert seen(_now(database) + timedelta(days=1)) == 2
    then: Matter = application.repository.get(matter.id, version=seen(opened))
    assert then.notes == []
    assert [recorder.version_at(matter.id, p) for p in (0, 1, 2, 3)] == [None, 1, 1, 2]


def _now(database: Database) -> datetime:
    at: datetime = database.fetch("SELECT clock_timestamp() AS at")[0]["at"]
    assert at.tzinfo == UTC or at.utcoffset() == timedelta(0)
    return at


# Connections that break


class Wire:
    """Stands between a program and PostgreSQL, and cuts one connection when told to.

    "before": what the program sends next never arrives; "reply": it arrives, the reply is lost;
    "work": it arrives, and the connection is cut while the server still works on it.
    """

    def __init__(self, server: str) -> None:
        self.directory = tempfile.mkdtemp(prefix="wire-", dir="/tmp")
        self.cut: str | None = None
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self.directory}/.s.PGSQL.5432")
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        Path(self.directory, ".s.PGSQL.5432").unlink()
        Path(self.directory).rmdir()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    if self.cut == "before" and ready is client:
                        self.cut = None
                        return
                    if self.cut == "reply" and ready is server and data.endswith(READY):
                        self.cut = None
                        return
                    (server if ready is client else client).sendall(data)
                    if self.cut == "work" and ready is client and SYNC in data:
                        self.cut = None
                        client.close()
                        time.sleep(3)  # the server does not learn of it before it answers
                        return


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    server = database.connection.info.host
    wire = Wire(f"{server}/.s.PGSQL.5432")
    yield wire
    wire.close()


@pytest.fixture
def behind_wire(wire: Wire, database: Database) -> Iterator[LogRecorder]:
    url = database.url.partition("?host=")[0] + "?host=" + quote(wire.directory, safe="")
    with Database(url) as database:
        database.fetch("SELECT 1")
        yield LogRecorder(database)


def test_a_lost_reply_to_a_save_that_was_committed_is_a_success(
    wire: Wire, behind_wire: LogRecorder, database: Database
) -> None:
    stored = _events(3)
    wire.cut = "reply"
    positions = behind_wire.insert_events(stored, also=[Statement(MARK, ("one",))])

    assert positions == [1, 2, 3]
    assert _marks(database) == ["one"]
    assert LogRecorder(database).select_events(stored[0].originator_id) == stored


def test_a_connection_lost_before_the_save_is_an_error_and_saves_nothing(
    wire: Wire, behind_wire: LogRecorder, database: Database
) -> None:
    wire.cut = "before"
    with pytest.raises(OperationalError, match="lost before the save"):
        behind_wire.insert_events(_events(), also=[Statement(MARK, ("one",))])

    assert _marks(database) == []
    assert behind_wire.insert_events(_events()) == [1]


def test_a_save_reported_as_lost_cannot_succeed_later(
    wire: Wire, behind_wire: LogRecorder, database: Database
) -> None:
    """Otherwise a repeated receipt would make a second case of the same request."""
    wire.cut = "work"
    slowly: Any = [Statement(MARK, ("one",)), Statement("SELECT pg_sleep(0.5)")]
    with pytest.raises(OperationalError, match="lost before the save"):
        behind_wire.insert_events(_events(), also=slowly)

    time.sleep(0.7)
    assert _marks(database) == []
    assert database.fetch("SELECT * FROM trettio.log") == []


def test_somebody_elses_event_is_not_taken_for_ours_after_a_loss(
    wire: Wire, behind_wire: LogRecorder, database: Database
) -> None:
    matter = uuid4()
    LogRecorder(database).insert_events([StoredEvent(matter, 1, "topic", b"theirs")])

    wire.cut = "before"
    with pytest.raises(OperationalError, match="lost before the save"):
        behind_wire.insert_events([StoredEvent(matter, 1, "topic", b"ours")])


def test_positions_after_a_conflict_leave_a_gap_that_readers_pass(
    recorder: LogRecorder, database: Database
) -> None:
    stored = _events()
    recorder.insert_events(stored)
    with pytest.raises(IntegrityError):
        recorder.insert_events(stored)
    recorder.insert_events(_events())

    reader = LogReader(database)
    assert [n.id for n in reader.read(0).notifications] == [1]
    assert [n.id for n in reader.read(1).notifications] == [3]
