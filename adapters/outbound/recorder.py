"""The event log on PostgreSQL: appended to without a lock, read in order without missing anything.

Accountability (Art. 5(2)) rests on this module: what was saved is never lost, and every follower
sees every event once, in one order.

Positions come from a sequence and become visible in any order, some never. A reader that has seen
position n may pass a gap below n once nothing can fill it any more. Why `LogReader` knows when:

1. An INSERT has its RowExclusiveLock on the log before it draws a position. So whatever position
   below n was not visible when n was, had been drawn by then (a sequence that caches nothing draws
   in order), by a transaction that at that moment held the lock, or had ended.
2. PostgreSQL makes a commit visible before it lets go of its locks; a subtransaction that gives up
   its lock early has been rolled back, and its positions are nobody's. So once none of those that
   held the lock after n was seen holds it any more, each of them has ended, visibly or for ever.
3. `pg_locks` shows the locks of one moment and a SELECT the rows of another. So rows are read, then
   the locks, and then the rows AGAIN, by a later statement of READ COMMITTED: that one is final up
   to n. Locks and rows in one statement, or no second reading, lose events; so does comparing
   transaction ids, since they are given out in another order than positions (tests keep all four).
4. A prepared transaction keeps its lock and, within one life of the server, its virtual id. After a
   crash it has another one, -1/xid; everybody else's transaction has ended with the server. So such
   an id holds up every gap until it is committed or rolled back.
5. A position is given out twice only if its draw was lost in a crash. Then no commit after that
   draw has reached the disk, and none can have been seen.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, LiteralString, NoReturn
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DatabaseError,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType
from psycopg.rows import TupleRow

from adapters.outbound.database import Database, Statement
from adapters.outbound.wire import Question, Wire
from services.ports import Also

PERSISTENCE_MODULE = "PERSISTENCE_MODULE"
DATABASE_URL = "LOG_DATABASE_URL"
FACTORY_TOPIC = "adapters.outbound.recorder:LogFactory"

VERSION_CONSTRAINT = "log_one_event_per_version"
RECOVERED = "-1/"  # how the virtual id of a prepared transaction begins after a crash
ROWS_PER_INSERT = 1000
ASK_AFTER_LOSS_FOR = 10.0  # seconds; PostgreSQL restarts itself within one or two

_databases: weakref.WeakValueDictionary[str, Database] = weakref.WeakValueDictionary()


class ConstraintViolated(DatabaseError):
    """Something saved together with the events was refused: not a conflict of versions."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"the database refused the save: {constraint}")
        self.constraint = constraint


class LogEndsBefore(Exception):
    """A follower stands beyond the end of the log: it followed a log that was since restored."""


class LogReplaced(Exception):
    """The log is not the one that a follower began with: it was restored under its feet."""


# Writing


class LogRecorder(ApplicationRecorder):
    """Appends with one plain INSERT and no table lock.

    Positions may therefore become visible out of order: `LogReader` is the only safe reader, and
    the library's own subscriptions and runners refuse to work on this recorder.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        also: Sequence[Also] = (),
        **unknown: Any,
    ) -> Sequence[int]:
        """Save the events and everything in `also` in one transaction, sent at once.

        Raises `IntegrityError` when somebody else saved one of these versions first. Raises
        `OperationalError` when the connection was lost and the events are not in the log; if they
        are, the save succeeded and only the reply was lost.
        """
        if tracking is not None or unknown:
            raise NotSupportedError(
                f"this log saves events and 'also', not {sorted({*unknown, 'tracking'})}"
            )
        statements = [Statement.of(write) for write in also]
        if not stored_events and not statements:
            return []
        try:
            wire = self.database.wire
        except psycopg.OperationalError as error:
            raise OperationalError("the database cannot be reached") from error
        name = self.database.connection_name
        try:
            return _append(wire, stored_events, statements)
        except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected) as error:
            # Two saves of the same aggregates in different order end in a deadlock, not in a
            # violation; it means the same.
            if error.diag.constraint_name in {VERSION_CONSTRAINT, None}:
                raise IntegrityError("somebody else saved first") from error
            raise ConstraintViolated(error.diag.constraint_name) from error
        except psycopg.IntegrityError as error:
            raise ConstraintViolated(error.diag.constraint_name or type(error).__name__) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not wire.connection.closed:
                raise OperationalError("the database refused the save for now") from error
            wire.connection.close()
            found = self._stored_after_loss(stored_events, name) if stored_events else []
            if not found:
                raise OperationalError("the connection was lost before the save") from error
            return found
        except psycopg.Error as error:
            raise PersistenceError(f"the save failed: {type(error).__name__}") from error

    def _stored_after_loss(self, stored_events: Sequence[StoredEvent], lost: str) -> list[int]:
        """The positions of these very events, if the lost connection committed them.

        It may still be at work, so it is ended first: the answer is then final.
        """
        deadline = time.monotonic() + ASK_AFTER_LOSS_FOR
        first = stored_events[0]
        while True:
            try:
                connection = self.database.connection
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE application_name = %s",
                    [lost],
                )
                found = connection.execute(
                    "SELECT topic, state FROM trettio.log"
                    " WHERE originator_id = %s AND originator_version = %s",
                    [first.originator_id, first.originator_version],
                ).fetchone()
                if found is None or (found[0], bytes(found[1])) != (first.topic, first.state):
                    return []
                return [
                    position
                    for e in stored_events
                    for (position,) in connection.execute(
                        "SELECT notification_id FROM trettio.log"
                        " WHERE originator_id = %s AND originator_version = %s",
                        [e.originator_id, e.originator_version],
                    )
                ]
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise OperationalError(
                        "the connection was lost during a save and the database does not answer: "
                        "whether the events were saved is unknown"
                    ) from error
                time.sleep(0.1)

    # One aggregate

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        sql: LiteralString = (
            "SELECT originator_id, originator_version, topic, state FROM trettio.log"
            " WHERE originator_id = %s"
        )
        values: list[Any] = [originator_id]
        if gt is not None:
            sql += " AND originator_version > %s"
            values.append(gt)
        if lte is not None:
            sql += " AND originator_version <= %s"
            values.append(lte)
        sql += " ORDER BY originator_version" + (" DESC" if desc else "")
        if limit is not None:
            sql += " LIMIT %s"
            values.append(limit)
        return [StoredEvent(*row) for row in self._rows(sql, values)]

    def select_newer(self, known: Mapping[UUID, int]) -> dict[UUID, list[StoredEvent]]:
        """The events of several aggregates since a version of each, in one statement.

        Version 0 asks for all. An aggregate that has no such version, or no event, is left out.
        """
        if not known:
            return {}
        values = [
            value
            for originator_id, version in known.items()
            for value in (version, originator_id, version)
        ]
        newer: dict[UUID, list[StoredEvent]] = {}
        for row in sorted(self._rows(_newer(len(known)), values), key=itemgetter(1)):
            events = newer.setdefault(row[0], [])
            if row[1] > known[row[0]]:
                events.append(StoredEvent(*row))
        return newer

    def version_as_of(self, originator_id: UUID, at: datetime) -> int | None:
        """The version that was recorded at that moment; None before the first event.

        `repository.get(id, version=…)` then shows what was known.
        """
        return self._one(
            "SELECT max(originator_version) FROM trettio.log"
            " WHERE originator_id = %s AND recorded_at <= %s",
            [originator_id, at],
        )

    def versions_as_of(self, originator_ids: Iterable[UUID], at: datetime) -> dict[UUID, int]:
        """The same of several aggregates; one that had no event yet is left out."""
        rows = self._rows(
            "SELECT originator_id, max(originator_version) FROM trettio.log"
            " WHERE originator_id = ANY(%s) AND recorded_at <= %s GROUP BY originator_id",
            [list(originator_ids), at],
        )
        return dict(rows)

    def version_at(self, originator_id: UUID, position: int) -> int | None:
        """The version at a position of the log; None before the first event."""
        return self._one(
            "SELECT max(originator_version) FROM trettio.log"
            " WHERE originator_id = %s AND notification_id <= %s",
            [originator_id, position],
        )

    def _one(self, sql: LiteralString, values: Sequence[Any]) -> int | None:
        (value,) = self._rows(sql, values)[0]
        return None if value is None else int(value)

    def _rows(self, sql: LiteralString, values: Sequence[Any]) -> list[TupleRow]:
        try:
            return self.database.ask(sql, values)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise OperationalError("the database cannot be reached") from error

    # The library's own ways to read on

    def select_notifications(self, *_: Any, **__: Any) -> NoReturn:
        raise _read_with_log_reader()

    def max_notification_id(self) -> NoReturn:
        raise _read_with_log_reader()

    def subscribe(self, *_: Any, **__: Any) -> NoReturn:
        raise _read_with_log_reader()


def _read_with_log_reader() -> NotSupportedError:
    return NotSupportedError(
        "positions of this log become visible out of order; follow it with LogReader, which waits"
    )


def _append(
    wire: Wire, stored_events: Sequence[StoredEvent], statements: Sequence[Statement]
) -> list[int]:
    writes: list[Question] = [(statement.sql, statement.params) for statement in statements]
    for start in range(0, len(stored_events), ROWS_PER_INSERT):
        part = stored_events[start : start + ROWS_PER_INSERT]
        values = [
            value
            for e in part
            for value in (e.originator_id, e.originator_version, e.topic, e.state)
        ]
        writes.append((_insert(len(part)), values))
    answers = wire.ask(*writes)
    for statement, rows in zip(statements, answers, strict=False):
        if statement.then is not None:
            statement.then(rows)
    return [position for rows in answers[len(statements) :] for (position,) in rows]


@lru_cache(maxsize=ROWS_PER_INSERT)
def _insert(rows: int) -> LiteralString:
    """Ready-made text per number of rows: arrays of composites cost more than the database does."""
    values = ", ".join(["(%b, %b, %b, %b)"] * rows)
    return (
        "INSERT INTO trettio.log (originator_id, originator_version, topic, state)"  # noqa: S608
        f" VALUES {values} RETURNING notification_id"
    )


@lru_cache(maxsize=ROWS_PER_INSERT)
def _newer(aggregates: int) -> LiteralString:
    """The last known event comes without its state: it shows that the version is there."""
    one: LiteralString = (
        "SELECT originator_id, originator_version, topic,"
        " CASE WHEN originator_version > %b THEN state END FROM trettio.log"
        " WHERE originator_id = %b AND originator_version >= %b"
    )
    return " UNION ALL ".join([one] * aggregates)


# Reading on


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, and the position to read on from (and to store beside what was done)."""

    notifications: tuple[Notification, ...]
    position: int


@dataclass(frozen=True, slots=True)
class _Suspects:
    """Who was writing when positions up to `seen` had been drawn: any gap below is theirs."""

    transactions: frozenset[str]
    seen: int


class LogReader:
    """Reads the log in order and stops before a gap until it is sure that nothing will fill it.

    The proof stands at the head of this module. One reader serves one thread.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._final = 0
        self._suspects: _Suspects | None = None
        self._incarnation: UUID | None = None

    def read(self, after: int, limit: int = 1000) -> Batch:
        """The next events after a position; none when there are none yet, or none is sure yet.

        Raises `LogEndsBefore` or `LogReplaced` where following on would follow another history.
        """
        if self._incarnation is None:
            self._incarnation = incarnation(self.database)
        while True:
            final = self._final  # settled before this reading began
            rows = self.database.connection.execute(
                "SELECT originator_id, originator_version, topic, state, notification_id"
                " FROM trettio.log WHERE notification_id > %s ORDER BY notification_id LIMIT %s",
                [after, limit],
            ).fetchall()
            if not rows:
                self._require_same_log(after)
                return Batch((), after)
            notifications = [Notification(*row) for row in rows]
            sure = _before_first_gap(notifications, after, final)
            if len(sure) < len(notifications):
                settled = self._settle(notifications[-1].id)
                if settled and not sure:
                    continue
            position = sure[-1].id if sure else after
            return Batch(tuple(sure), position)

    def _settle(self, seen: int) -> bool:
        """Whether the gap, or an earlier one, has been decided since it was first noticed."""
        writing = frozenset(
            transaction
            for (transaction,) in self.database.connection.execute(
                "SELECT virtualtransaction FROM pg_locks"
                " WHERE locktype = 'relation' AND relation = 'trettio.log'::regclass"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                " AND mode = 'RowExclusiveLock' AND granted"
            )
        )
        if self._suspects is None:
            self._suspects = _Suspects(writing, seen)
        if any(t in self._suspects.transactions or t.startswith(RECOVERED) for t in writing):
            return False
        self._final = max(self._final, self._suspects.seen)
        self._suspects = None
        return True

    def _require_same_log(self, position: int) -> None:
        last, found = self.database.connection.execute(
            "SELECT coalesce(max(notification_id), 0), (SELECT id FROM trettio.incarnation)"
            " FROM trettio.log"
        ).fetchall()[0]
        if found != self._incarnation:
            raise LogReplaced("the log was restored from a backup: start this process anew")
        if last < position:
            raise LogEndsBefore(
                f"position {position} lies beyond the end of the log, {last}: the log was "
                "restored; rebuild this follower"
            )


def _before_first_gap(
    notifications: Iterable[Notification], after: int, final: int
) -> list[Notification]:
    sure, expected = [], after + 1
    for notification in notifications:
        if notification.id > expected and notification.id - 1 > final:
            break
        sure.append(notification)
        expected = notification.id + 1
    return sure


def incarnation(database: Database) -> UUID:
    """Which history this log tells; positions of another incarnation mean nothing here."""
    found: UUID = database.fetch("SELECT id FROM trettio.incarnation")[0]["id"]
    return found


# How the library finds all this


def log_environment(database: Database) -> dict[str, str]:
    """The environment that makes an `Application` record in this database, over its connections."""
    _databases[database.url] = database
    return {PERSISTENCE_MODULE: FACTORY_TOPIC, DATABASE_URL: database.url}


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """Uses a database that is open in this process already, or opens and closes one of its own."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        url = self.env.get(DATABASE_URL)
        if not url:
            raise OSError(f"{DATABASE_URL} is missing: use log_environment(database)")
        shared = _databases.get(url)
        self._is_ours = shared is None
        self.database = shared or Database(url)

    def application_recorder(self) -> LogRecorder:
        return LogRecorder(self.database)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise NotSupportedError(f"there are no {purpose} beside the log")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> NoReturn:
        raise NotSupportedError("followers keep their positions beside their own rows")

    def process_recorder(self) -> NoReturn:
        raise NotSupportedError("followers keep their positions beside their own rows")

    def close(self) -> None:
        if self._is_ours:
            self.database.close()
