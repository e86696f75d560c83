"""Read models on PostgreSQL: rows and position in one transaction, run by one runner at a time.

A view that was killed in the middle has neither its rows nor its position, so nothing is lost and
nothing counted twice. Its commits need not wait for the disk: what a crash takes is followed again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from adapters.outbound.database import Database, DatabaseNotUsable
from projections.case_file import CaseFile
from projections.connector_tasks import ConnectorTasks
from projections.dashboard import Dashboard
from projections.deadline_worklist import DeadlineWorklist
from projections.projection import Projection, Recorded, Row, Rows, Table
from services.follower import Log

VIEWS, REBUILD = "views", "views_rebuild"
READ_MODELS = (CaseFile(), ConnectorTasks(), Dashboard(), DeadlineWorklist())
REBUILD_LOCK = 0x7669657773  # "views"
REBUILD_BATCH = 2_000
NO_EVENTS_FAULT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    psycopg.ProgrammingError,
)
"""The database is away, or its tables are not what we think: no reason to park anything."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parked:
    """An aggregate that a view has not followed since an event it could not take."""

    view: str
    aggregate_id: UUID
    position: int
    topic: str
    reason: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class ViewState:
    """How far a view is, how many events it lacks, and how many aggregates it has parked."""

    view: str
    position: int
    behind: int
    parked: int


class PostgresView:
    """Keeps `services.follower.View` for one projection, in one schema."""

    def __init__(self, projection: Projection, database: Database, *, schema: str = VIEWS) -> None:
        self.projection, self._database, self._schema = projection, database, schema
        self.name = projection.name if schema == VIEWS else f"{projection.name} ({schema})"
        self.tables = [table.name for table in projection.tables]
        self.definition = _digest(projection)
        self._load = {t.name: _load(schema, t).as_bytes() for t in projection.tables if t.found_by}
        self._write = {t.name: _write(schema, t).as_bytes() for t in projection.tables}
        self._position: int | None = None

    def create(self) -> None:
        """Make the tables anew, empty, and begin at the beginning of the log."""
        connection = self._database.connection
        with connection.transaction():
            self.make_tables(connection)
            connection.execute("DELETE FROM views.parked WHERE view = %s", [self.name])
            connection.execute(
                "INSERT INTO views.positions (view, definition, tables) VALUES (%(view)s,"
                " %(definition)s, %(tables)s) ON CONFLICT (view) DO UPDATE SET position = 0,"
                " definition = %(definition)s, tables = %(tables)s, updated_at = clock_timestamp()",
                {"view": self.name, "definition": self.definition, "tables": self.tables},
            )
        self._position = 0

    def make_tables(self, connection: Connection[TupleRow]) -> None:
        """The tables alone, without a position: a comparison fills them by itself."""
        for table in self.projection.tables:
            for statement in _definition(self._schema, table):
                connection.execute(statement)

    def position(self) -> int:
        if self._position is None:
            (row,) = self._database.fetch(
                "SELECT position FROM views.positions WHERE view = %s", [self.name]
            )
            self._position = int(row["position"])
        return self._position

    def take(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Write rows and position together; False when another runner has it, or had it.

        The row of the position is election, fail-over and fencing in one: it is held until the
        end of the transaction, and it still says `after` only if nobody else took these events.
        """
        self._position, connection = None, self._database.connection
        with connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            held = connection.execute(
                "SELECT ARRAY(SELECT aggregate_id FROM views.parked WHERE view = %(view)s)"
                " FROM views.positions WHERE view = %(view)s AND position = %(after)s"
                " AND definition = %(definition)s FOR UPDATE SKIP LOCKED",
                {"view": self.name, "after": after, "definition": self.definition},
            ).fetchone()
            if held is None:
                return False
            parked = set(held[0])
            self._fold(connection, [event for event in events if event.originator_id not in parked])
            connection.execute(
                "UPDATE views.positions SET position = %s, updated_at = clock_timestamp()"
                " WHERE view = %s",
                [upto, self.name],
            )
        self._position = upto
        return True

    def _fold(self, connection: Connection[TupleRow], events: Sequence[Recorded]) -> None:
        try:
            self.apply(connection, events)
        except NO_EVENTS_FAULT:
            raise
        except Exception:
            self._fold_one_by_one(connection, events)

    def _fold_one_by_one(
        self, connection: Connection[TupleRow], events: Sequence[Recorded]
    ) -> None:
        """Find the event that cannot be taken, and park its aggregate with all that follows."""
        parked: set[UUID] = set()
        for event in events:
            if event.originator_id in parked:
                continue
            try:
                self.apply(connection, [event])
            except NO_EVENTS_FAULT:
                raise
            except Exception as error:
                reason = type(error).__name__
                log.exception("aggregate_parked", view=self.name, position=event.position)
                parked.add(event.originator_id)
                connection.execute(
                    "INSERT INTO views.parked (view, aggregate_id, position, topic, reason)"
                    " VALUES (%s, %s, %s, %s, %s)",
                    [self.name, event.originator_id, event.position, event.topic, reason],
                )

    def apply(self, connection: Connection[TupleRow], events: Sequence[Recorded]) -> None:
        """Fold the events into rows and write what changed, or leave everything as it was."""
        with connection.transaction():
            touched = {i for event in events for i in self.projection.touches(event)}
            rows = Rows(dict(self._loaded(connection, touched)))
            for event in events:
                self.projection.apply(event, rows)
            for table in self.projection.tables:
                changed = rows.changed(table)
                if changed:
                    connection.execute(self._write[table.name], [_as_json(table, changed)])

    def _loaded(
        self, connection: Connection[TupleRow], ids: set[UUID]
    ) -> Iterator[tuple[str, list[Row]]]:
        for table in self.projection.tables:
            if table.found_by:
                with connection.cursor(row_factory=dict_row) as cursor:
                    cursor.execute(self._load[table.name], {"ids": list(ids)})
                    yield table.name, [table.row(**row) for row in cursor]


class Views:
    """The read models of an installation."""

    def __init__(self, database: Database, projections: Sequence[Projection] = READ_MODELS) -> None:
        self._database = database
        self.views = tuple(PostgresView(projection, database) for projection in projections)

    def prepare(self, source: Log) -> list[str]:
        """Make what is missing and rebuild what is defined otherwise; answers what was made."""
        return [
            view.name for view in self.views if self._is_outdated(view) and self._make(view, source)
        ]

    def rebuild(
        self, name: str, source: Log, *, progress: Callable[[int], None] | None = None
    ) -> None:
        """Fill a read model anew from the log while the old one is still read and followed."""
        view = next((view for view in self.views if view.name == name), None)
        if view is None:
            known = ", ".join(view.name for view in self.views)
            raise ValueError(f"there is no view {name!r}; the views are {known}")
        with self._alone():
            self._rebuild(view, source, progress)

    def _make(self, view: PostgresView, source: Log) -> bool:
        with self._alone():
            if not self._is_outdated(view):
                return False  # somebody else made it while we waited
            self._rebuild(view, source, None)
            return True

    def _is_outdated(self, view: PostgresView) -> bool:
        found = self._database.fetch(
            "SELECT definition FROM views.positions WHERE view = %s", [view.name]
        )
        return not found or found[0]["definition"] != view.definition

    def _rebuild(
        self, view: PostgresView, source: Log, progress: Callable[[int], None] | None
    ) -> None:
        shadow = PostgresView(view.projection, self._database, schema=REBUILD)
        shadow.create()
        # A log that is always written to has no end to wait for: a short batch is near enough.
        while _step(shadow, source) >= REBUILD_BATCH:
            if progress is not None:
                progress(shadow.position())
        connection = self._database.connection
        with connection.transaction():
            live = connection.execute(
                "SELECT position, tables FROM views.positions WHERE view = %s FOR UPDATE",
                [view.name],
            ).fetchone()
            # The old one stands still now. Nobody who saw it may find the new one behind it.
            while live is not None and shadow.position() < live[0] and _step(shadow, source):
                pass
            try:
                for statement in _swap(shadow, live[1] if live else []):
                    connection.execute(statement)
            except psycopg.errors.DependentObjectsStillExist as error:
                raise DatabaseNotUsable(
                    f"something of yours depends on the tables of {view.name}: drop it, start or"
                    f" rebuild again, then make it anew ({error.diag.message_detail})"
                ) from error
            connection.execute("DELETE FROM views.positions WHERE view = %s", [view.name])
            connection.execute("DELETE FROM views.parked WHERE view = %s", [view.name])
            for table in (b"positions", b"parked"):
                connection.execute(
                    b"UPDATE views." + table + b" SET view = %s WHERE view = %s",
                    [view.name, shadow.name],
                )
        log.info("view_rebuilt", view=view.name, position=shadow.position())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        connection = self._database.connection
        # Tried again and again, because a statement that waits has the time of a transaction only.
        while not self._locked(connection):
            time.sleep(0.1)
        try:
            yield
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [REBUILD_LOCK])

    @staticmethod
    def _locked(connection: Connection[TupleRow]) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [REBUILD_LOCK]).fetchone()
        return bool(row and row[0])

    # What others want to know

    def wait_until(self, position: int | None = None, *, timeout: float = 2.0) -> bool:
        """Wait until every view has an event; without a position, all that is in the log now.

        False when the time is over: the page then shows what there is.
        """
        if position is None:
            position = self._end()
        names = [view.name for view in self.views]
        deadline = time.monotonic() + timeout
        while True:
            (row,) = self._database.fetch(
                "SELECT count(*) FROM views.positions WHERE view = ANY(%s) AND position >= %s",
                [names, position],
            )
            if row["count"] == len(names):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)

    def states(self) -> list[ViewState]:
        found = self._database.fetch(
            "SELECT view, position,"
            " greatest(0, %s - position) AS behind,"
            " (SELECT count(*) FROM views.parked WHERE parked.view = positions.view) AS parked"
            " FROM views.positions WHERE view = ANY(%s) ORDER BY view",
            [self._end(), [view.name for view in self.views]],
        )
        return [ViewState(**row) for row in found]

    def parked(self) -> list[Parked]:
        """What a view could not follow; a rebuild takes it up again."""
        found = self._database.fetch(
            "SELECT view, aggregate_id, position, topic, reason, parked_at FROM views.parked"
            " WHERE view = ANY(%s) ORDER BY position, view",
            [[view.name for view in self.views]],
        )
        return [Parked(**row) for row in found]

    def _end(self) -> int:
        (row,) = self._database.fetch(
            "SELECT coalesce(max(notification_id), 0) AS position FROM trettio.log"
        )
        return int(row["position"])


def _step(view: PostgresView, source: Log) -> int:
    """Let a view that nobody else runs take one batch; answers how many events that were."""
    start = view.position()
    events, upto = source.read(start, REBUILD_BATCH)
    if upto > start and not view.take(events, start, upto):
        raise RuntimeError(f"{view.name} was changed by somebody else: rebuild it again")
    return len(events)


def _as_json(table: Table[Any], rows: Sequence[Row]) -> str:
    names = [column.name for column in table.columns]
    return json.dumps(
        [{name: getattr(row, name) for name in names} for row in rows],
        default=str,
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _digest(projection: Projection) -> str:
    """What the rows follow: columns, indexes and the projection's version."""
    told = [str(projection.version)]
    for table in projection.tables:
        told += [repr(table.columns), repr(table.key), repr(table.found_by), repr(table.indexes)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


# Statements


def _load(schema: str, table: Table[Any]) -> Composed:
    ids = SQL(" = ANY(%(ids)s) OR ").join(map(Identifier, table.found_by))
    return SQL("SELECT * FROM {} WHERE {} = ANY(%(ids)s)").format(
        Identifier(schema, table.name), ids
    )


def _write(schema: str, table: Table[Any]) -> Composed:
    """One statement for any number of rows: a single parameter costs less than arrays do."""
    name = Identifier(schema, table.name)
    columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
    changes = SQL(", ").join(
        SQL("{0} = EXCLUDED.{0}").format(Identifier(column.name))
        for column in table.columns
        if column.name not in table.key
    )
    insert = SQL("INSERT INTO {0} ({1}) SELECT {1} FROM json_populate_recordset(NULL::{0}, %s)")
    if not table.found_by:
        return insert.format(name, columns)  # rows that are only ever added
    return insert.format(name, columns) + SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(
        SQL(", ").join(map(Identifier, table.key)), changes
    )


def _definition(schema: str, table: Table[Any]) -> Iterator[Composed]:
    name = Identifier(schema, table.name)
    columns = [
        SQL("{} {}{}").format(
            Identifier(column.name),
            SQL(column.type),
            SQL("" if column.nullable else " NOT NULL"),
        )
        for column in table.columns
    ]
    key = SQL(", ").join(map(Identifier, table.key))
    yield SQL("DROP TABLE IF EXISTS {}").format(name)
    # Rows that change often find room beside themselves, and their indexes need not change.
    room = SQL(" WITH (fillfactor = 70)" if table.found_by else "")
    create = SQL("CREATE TABLE {} ({}, PRIMARY KEY ({})){}")
    yield create.format(name, SQL(", ").join(columns), key, room)
    for found_by in table.found_by:
        if found_by != table.key[0]:
            yield SQL("CREATE INDEX ON {} ({})").format(name, Identifier(found_by))
    for index in table.indexes:
        yield SQL("CREATE INDEX ON {} {}").format(name, SQL(index))
    yield SQL("COMMENT ON TABLE {} IS {}").format(name, Literal(table.comment))
    for column in table.columns:
        yield SQL("COMMENT ON COLUMN {}.{} IS {}").format(
            name, Identifier(column.name), Literal(column.comment)
        )


def _swap(shadow: PostgresView, old: Sequence[str]) -> Iterator[Composed]:
    """The new tables take the place of the old ones, and whoever might read those may go on."""
    for table in old:
        if table in shadow.tables:
            yield SQL(GRANTS).format(
                old=Literal(f"{VIEWS}.{table}"), new=Literal(f"{REBUILD}.{table}")
            )
        yield SQL("DROP TABLE IF EXISTS {}").format(Identifier(VIEWS, table))
    for table in shadow.tables:
        yield SQL("ALTER TABLE {} SET SCHEMA {}").format(
            Identifier(REBUILD, table), Identifier(VIEWS)
        )


GRANTS = """
DO $$ DECLARE may record; BEGIN
    FOR may IN
        SELECT privilege_type AS what,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS who
        FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass({old}) AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s', may.what, {new}, may.who);
    END LOOP;
END $$
"""
