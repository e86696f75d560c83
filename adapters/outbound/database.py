"""One PostgreSQL: a connection of its own for every thread, a pool for longer work, the schema."""

from __future__ import annotations

import hashlib
import importlib.resources
import select
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow, dict_row
from psycopg_pool import ConnectionPool

from adapters.outbound.wire import Parameters, Question, Wire
from services.ports import Also

OLDEST_SERVER = 17  # transaction_timeout, which bounds how long a gap can stall the readers
MIGRATION_LOCK = 0x7472657474696F  # "trettio"

NOTICE_RESTORE: LiteralString = """
    UPDATE trettio.incarnation SET place = here.place,
        id = CASE WHEN incarnation.place IS NULL THEN id ELSE gen_random_uuid() END,
        began_at = CASE WHEN incarnation.place IS NULL THEN began_at ELSE clock_timestamp() END,
        restored_at = CASE WHEN incarnation.place IS NOT NULL THEN clock_timestamp() END
    FROM (
        SELECT system_identifier || '/' || 'trettio.log'::regclass::oid AS place
        FROM pg_control_system()
    ) AS here WHERE incarnation.place IS DISTINCT FROM here.place
"""


class DatabaseNotUsable(Exception):
    """The database cannot be used as it is. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A write that joins a transaction: `services.ports.Also` as PostgreSQL understands it."""

    sql: LiteralString
    params: Parameters | None = None
    then: Callable[[Sequence[TupleRow]], None] | None = None
    """Told the rows once all is saved; not told when the reply was lost."""

    @classmethod
    def of(cls, write: Also) -> Statement:
        """The statement that a port's write is, here."""
        if not isinstance(write, cls):
            raise TypeError(f"a write on PostgreSQL is a Statement, not {type(write).__name__}")
        return write


class Database:
    """All connections of one process to one database. Nothing connects before it is needed."""

    def __init__(self, url: str, *, pool_size: int = 8, transaction_timeout: float = 30.0) -> None:
        """`transaction_timeout` in seconds bounds every transaction of this process."""
        self.url = url
        self._transaction_timeout = transaction_timeout
        self._threads = threading.local()
        self._open: weakref.WeakSet[_ThreadConnection] = weakref.WeakSet()
        self._pool: ConnectionPool[Connection[TupleRow]] = ConnectionPool(
            self.conninfo("trettio"),
            kwargs={"autocommit": True},
            min_size=0,
            max_size=pool_size,
            open=False,
            check=ConnectionPool.check_connection,
            name="trettio",
        )
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()
        for held in list(self._open):
            held.close()

    def conninfo(self, application_name: str) -> str:
        """The URL with our session settings; settings of the URL's own stay."""
        given = conninfo_to_dict(self.url).get("options") or ""
        ours = f"-c transaction_timeout={int(self._transaction_timeout * 1000)} -c timezone=UTC"
        return make_conninfo(
            self.url, options=f"{given} {ours}".strip(), application_name=application_name
        )

    # The thread's own connection

    @property
    def connection(self) -> Connection[TupleRow]:
        """This thread's connection, in autocommit; one that was lost is opened anew."""
        return self.wire.connection

    @property
    def wire(self) -> Wire:
        """The same connection, for what comes again and again."""
        held: _ThreadConnection | None = getattr(self._threads, "held", None)
        if held is None or not held.is_alive():
            if held is not None:
                held.close()
            # A name of its own lets another connection ask what became of this one.
            name = f"trettio-{uuid.uuid4()}"
            held = _ThreadConnection(psycopg.connect(self.conninfo(name), autocommit=True), name)
            self._threads.held = held
            self._open.add(held)
        return held.wire

    @property
    def connection_name(self) -> str:
        """What `pg_stat_activity` calls this thread's connection."""
        held: _ThreadConnection = self._threads.held
        return held.name

    def fetch(self, sql: LiteralString, params: Parameters | None = None) -> list[dict[str, Any]]:
        """Run one statement on the thread's connection and answer its rows."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    def ask(self, sql: LiteralString, params: Parameters | None = None) -> list[TupleRow]:
        """Run one statement that comes again and again, for as little as it can cost."""
        return self.ask_each((sql, params))[0]

    def ask_each(self, *questions: Question) -> list[list[TupleRow]]:
        """Run everything in one transaction, sent at once, and answer the rows of each."""
        return self.wire.ask(*questions)

    def run(self, *writes: Also) -> None:
        """Run the writes in one transaction, sent at once."""
        statements = [Statement.of(write) for write in writes]
        answers = self.ask_each(*((statement.sql, statement.params) for statement in statements))
        for statement, rows in zip(statements, answers, strict=True):
            if statement.then is not None:
                statement.then(rows)

    # The pool

    @contextmanager
    def transaction(self) -> Iterator[Connection[TupleRow]]:
        """A transaction on a pooled connection, for work that needs answers on the way."""
        with self._opening:
            if self._pool.closed:
                self._pool.open()
        with self._pool.connection() as connection, connection.transaction():
            yield connection

    # Checks

    def check(self) -> None:
        """Refuse a server on which the log would not be safe, in one line that says why."""
        with self._reaching() as connection:
            version = connection.info.server_version // 10000
            if version < OLDEST_SERVER:
                raise DatabaseNotUsable(
                    f"the database is PostgreSQL {version}; {OLDEST_SERVER} or newer is needed"
                )
            row = connection.execute(
                "SELECT pg_is_in_recovery(), current_setting('synchronous_commit'),"
                " current_setting('server_encoding'), current_setting('transaction_timeout'),"
                " (SELECT seqcache FROM pg_sequence WHERE seqrelid ="
                "  to_regclass('trettio.log_notification_id_seq'))"
            ).fetchone()
        assert row is not None
        standby, synchronous_commit, encoding, timeout, cache = row
        if standby:
            raise DatabaseNotUsable("the database is a standby; give the address of its primary")
        if synchronous_commit not in {"on", "remote_apply"}:
            raise DatabaseNotUsable(
                f"synchronous_commit is '{synchronous_commit}': events could be lost; set it to on"
            )
        if encoding != "UTF8":
            raise DatabaseNotUsable(f"the database's encoding is {encoding}; UTF8 is needed")
        if timeout == "0":
            raise DatabaseNotUsable(
                "transaction_timeout is switched off by something between us and the database"
            )
        if cache not in {None, 1}:
            raise DatabaseNotUsable(
                "the log's sequence caches numbers and readers would miss events; run:"
                " ALTER SEQUENCE trettio.log_notification_id_seq CACHE 1"
            )

    @contextmanager
    def _reaching(self) -> Iterator[Connection[TupleRow]]:
        try:
            yield self.connection
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise DatabaseNotUsable(f"the database cannot be reached: {reason}") from error


class _ThreadConnection:
    """Closes its connection when the thread that held it ends."""

    def __init__(self, connection: Connection[TupleRow], name: str) -> None:
        self.connection = connection
        self.wire = Wire(connection)
        self.name = name
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)

    def is_alive(self) -> bool:
        """An idle connection with something to read has usually just been told to go away."""
        if self.connection.closed:
            return False
        if self._poll.poll(0):
            with suppress(psycopg.OperationalError):
                self.connection.pgconn.consume_input()
                self.connection.pgconn.is_busy()  # parses what came: a farewell closes it
                return not self._poll.poll(0)
            return False
        return True

    def close(self) -> None:
        with suppress(psycopg.Error):
            self.connection.close()

    def __del__(self) -> None:
        self.close()


# The schema


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The numbered files beside this module, oldest first."""
    files = importlib.resources.files("adapters.outbound") / "migrations"
    found = [
        Migration(int(file.name[:4]), file.name.removesuffix(".sql")[5:], file.read_text("utf-8"))
        for file in files.iterdir()
        if file.name.endswith(".sql")
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def migrate(database: Database) -> tuple[Migration, ...]:
    """Bring the schema up to this program's version; answers what was applied.

    Every migration is one transaction. A migration that was applied must not be changed
    afterwards: its digest is kept and compared.
    """
    database.check()
    wanted = migrations()
    connection = database.connection
    if _pending(wanted, _applied(connection)):
        applied = []
        # Whoever comes second waits here, and then finds nothing left to do.
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            for migration in _pending(wanted, _applied(connection)):
                with connection.transaction():
                    connection.execute("SET LOCAL transaction_timeout = 0")
                    connection.execute(migration.sql.encode())
                    connection.execute(
                        "INSERT INTO trettio.migrations (number, name, digest) VALUES (%s, %s, %s)",
                        [migration.number, migration.name, migration.digest],
                    )
                applied.append(migration)
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        database.check()
        return tuple(applied)
    return ()


def require_current_schema(database: Database) -> None:
    """Refuse to start against a schema that is not this program's, in one line.

    A log that came from a backup is noticed here: it begins a history of its own.
    """
    database.check()
    pending = _pending(migrations(), _applied(database.connection))
    if pending:
        raise DatabaseNotUsable(
            f"the database's schema lacks {len(pending)} migration(s), from "
            f"{pending[0].number:04} {pending[0].name} on; run: trettio migrate"
        )
    database.run(Statement(NOTICE_RESTORE))


def _applied(connection: Connection[TupleRow]) -> dict[int, str]:
    exists = connection.execute("SELECT to_regclass('trettio.migrations')").fetchone()
    if not exists or exists[0] is None:
        return {}
    rows = connection.execute("SELECT number, digest FROM trettio.migrations").fetchall()
    return dict(rows)


def _pending(wanted: Sequence[Migration], applied: Mapping[int, str]) -> list[Migration]:
    newest = wanted[-1].number
    if applied and max(applied) > newest:
        raise DatabaseNotUsable(
            f"the database's schema is version {max(applied)}, this program knows {newest}: "
            "start a newer Trettio"
        )
    for migration in wanted:
        if applied.get(migration.number, migration.digest) != migration.digest:
            raise DatabaseNotUsable(
                f"migration {migration.number:04} {migration.name} was changed after it had been "
                "applied; restore the file as it was released"
            )
    return [migration for migration in wanted if migration.number not in applied]


# Restores


def was_restored(database: Database) -> bool:
    """Whether the log came from a backup, and what was destroyed since has yet to go again."""
    (row,) = database.fetch("SELECT restored_at FROM trettio.incarnation")
    return row["restored_at"] is not None


def restore_is_settled(database: Database) -> None:
    database.run(Statement("UPDATE trettio.incarnation SET restored_at = NULL"))
