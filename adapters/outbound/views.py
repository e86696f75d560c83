"""Read models on PostgreSQL: rows and position in one transaction, run by one runner at a time.

A view that was killed in the middle has neither its rows nor its position, so nothing is lost and
nothing counted twice. Its commits need not wait for the disk: what a crash takes is followed again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from adapters.outbound.database import Database, DatabaseNotUsable
from adapters.outbound.refill import NO_EVENTS_FAULT, Refill, take
from adapters.outbound.view_tables import REBUILD, VIEWS, ViewTables, swap
from projections.case_file import CaseFile
from projections.connector_tasks import ConnectorTasks
from projections.dashboard import Dashboard
from projections.deadline_worklist import DeadlineWorklist
from projections.holds import Holds
from projections.instructions import Instructions
from projections.looks import LooksAtData
from projections.marketing_stops import MarketingStops
from projections.oversight import Oversight
from projections.projection import Projection, Recorded, Rows
from services.follower import Log

READ_MODELS = (
    *(CaseFile(), ConnectorTasks(), Dashboard(), DeadlineWorklist(), Holds()),
    *(Instructions(), LooksAtData(), MarketingStops(), Oversight()),
)
REBUILD_LOCK = 0x7669657773  # "views"
REBUILD_BATCH = 2_000
HOLD_MILLISECONDS = 6_000
"""So long a runner that is frozen keeps its read models from the next, who has ten seconds."""

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
        self.projection, self._database = projection, database
        self.name = projection.name if schema == VIEWS else f"{projection.name} ({schema})"
        self._is_live = schema == VIEWS
        self.tables = ViewTables(projection, schema)
        self.definition = _digest(projection)
        self._position: int | None = None

    def create(self) -> None:
        """Make the tables anew, empty, and begin at the beginning of the log."""
        connection = self._database.connection
        with connection.transaction():
            self.tables.make(connection)
            self.stand_at(0)

    def stand_at(self, position: int) -> None:
        """Say how far the tables are that were just made; nothing in them is parked."""
        connection = self._database.connection
        connection.execute("DELETE FROM views.parked WHERE view = %s", [self.name])
        connection.execute(
            "INSERT INTO views.positions (view, position, definition, tables, incarnation)"
            " SELECT %(view)s, %(position)s, %(definition)s, %(tables)s, id"
            " FROM trettio.incarnation"
            " ON CONFLICT (view) DO UPDATE SET position = excluded.position,"
            " definition = excluded.definition, tables = excluded.tables,"
            " incarnation = excluded.incarnation, updated_at = clock_timestamp()",
            {
                "view": self.name,
                "position": position,
                "definition": self.definition,
                "tables": self.tables.names,
            },
        )
        self._position = position

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
        self._position = None
        concerned = [event for event in events if self.projection.concerns(event.topic)]
        try:
            taken = self._take_together(concerned, after, upto)
        except NO_EVENTS_FAULT:
            raise
        except Exception:
            taken = self._take_one_by_one(concerned, after, upto)
        if taken:
            self._position = upto
        return taken

    def _take_together(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Sent in two goes: what is asked, and what is written."""
        connection = self._database.connection
        with connection.pipeline(), connection.transaction():
            if self._is_live:
                # Its time begins anew only if there was none before.
                connection.execute(
                    "SELECT set_config('transaction_timeout', '0', true),"
                    " set_config('transaction_timeout', %s, true)",
                    [str(HOLD_MILLISECONDS)],
                )
            holding = self._hold(connection, after)
            loaded = self.tables.load(connection, self._touched(events))
            held = holding.fetchone()
            if held is None:
                return False
            parked, rows = set(held[0]), Rows(loaded)
            for event in events:
                if event.originator_id not in parked:
                    self.projection.apply(event, rows)
            self.tables.write(connection, rows)
            self._move(connection, upto)
        return True

    def _take_one_by_one(self, events: Sequence[Recorded], after: int, upto: int) -> bool:
        """Find the event that cannot be taken, and park its aggregate with all that follows."""
        connection = self._database.connection
        with connection.transaction():
            held = self._hold(connection, after).fetchone()
            if held is None:
                return False
            parked = set(held[0])
            for event in events:
                if event.originator_id not in parked and not self._took(connection, event):
                    parked.add(event.originator_id)
            self._move(connection, upto)
        return True

    def _took(self, connection: Connection[TupleRow], event: Recorded) -> bool:
        try:
            self.apply(connection, [event])
        except NO_EVENTS_FAULT:
            raise
        except Exception as error:
            log.exception("aggregate_parked", view=self.name, position=event.position)
            connection.execute(
                "INSERT INTO views.parked (view, aggregate_id, position, topic, reason)"
                " VALUES (%s, %s, %s, %s, %s)",
                [
                    self.name,
                    event.originator_id,
                    event.position,
                    event.topic,
                    type(error).__name__,
                ],
            )
            return False
        return True

    def apply(self, connection: Connection[TupleRow], events: Sequence[Recorded]) -> None:
        """Fold the events into rows and write what changed, or leave everything as it was."""
        with connection.transaction():
            rows = Rows(self.tables.load(connection, self._touched(events)))
            for event in events:
                self.projection.apply(event, rows)
            self.tables.write(connection, rows)

    def _touched(self, events: Sequence[Recorded]) -> set[UUID]:
        return {i for event in events for i in self.projection.touches(event)}

    def _hold(self, connection: Connection[TupleRow], after: int) -> Cursor[TupleRow]:
        connection.execute("SET LOCAL synchronous_commit = off")
        return connection.execute(
            "SELECT ARRAY(SELECT aggregate_id FROM views.parked WHERE view = %(view)s)"
            " FROM views.positions WHERE view = %(view)s AND position = %(after)s"
            " AND definition = %(definition)s"
            " AND incarnation = (SELECT id FROM trettio.incarnation) FOR UPDATE SKIP LOCKED",
            {"view": self.name, "after": after, "definition": self.definition},
        )

    def _move(self, connection: Connection[TupleRow], upto: int) -> None:
        connection.execute(
            "UPDATE views.positions SET position = %s, updated_at = clock_timestamp()"
            " WHERE view = %s",
            [upto, self.name],
        )


class Views:
    """The read models of an installation."""

    def __init__(self, database: Database, projections: Sequence[Projection] = READ_MODELS) -> None:
        self._database = database
        self.views = tuple(PostgresView(projection, database) for projection in projections)

    def prepare(self, source: Log) -> list[str]:
        """Make what is missing and rebuild what is defined otherwise; answers what was made."""
        if not any(map(self._is_outdated, self.views)):
            return []
        with self._alone():
            # Somebody else may have made them while we waited.
            outdated = [view for view in self.views if self._is_outdated(view)]
            self._rebuild(outdated, source, None)
        return [view.name for view in outdated]

    def rebuild(
        self, name: str, source: Log, *, progress: Callable[[int], None] | None = None
    ) -> None:
        self.rebuild_all(source, [name], progress=progress)

    def rebuild_all(
        self,
        source: Log,
        names: Sequence[str] = (),
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Fill the named read models, or all of them, anew in one reading of the log.

        The old ones are read and followed until the new take their place.
        """
        known = {view.name: view for view in self.views}
        for name in names:
            if name not in known:
                raise ValueError(f"there is no view {name!r}; the views are {', '.join(known)}")
        with self._alone():
            self._rebuild([known[name] for name in names or known], source, progress)

    def _is_outdated(self, view: PostgresView) -> bool:
        """Whether it is defined otherwise by now, or followed a log that is not this one."""
        found = self._database.fetch(
            "SELECT view FROM views.positions WHERE view = %s AND definition = %s"
            " AND incarnation = (SELECT id FROM trettio.incarnation)",
            [view.name, view.definition],
        )
        return not found

    def _rebuild(
        self, views: Sequence[PostgresView], source: Log, progress: Callable[[int], None] | None
    ) -> None:
        shadows = [PostgresView(v.projection, self._database, schema=REBUILD) for v in views]
        self._refill(shadows, source, progress)
        for view, shadow in zip(views, shadows, strict=True):
            self._replace(view, shadow, source)

    def _refill(
        self,
        shadows: Sequence[PostgresView],
        source: Log,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Read the log once for all of them."""
        connection = self._database.connection
        refills = [Refill(s.projection, s.tables, connection) for s in shadows]
        position, more = 0, True
        # A log that is always written to has no end to wait for: a short batch is near enough.
        while more:
            count, position = take(refills, source, position, REBUILD_BATCH)
            more = count == REBUILD_BATCH
            if progress is not None:
                progress(position)
        for shadow, refill in zip(shadows, refills, strict=True):
            refill.finish()
            if refill.failed:  # then some aggregate has to be parked: follow step by step
                shadow.create()
            else:
                shadow.stand_at(position)

    def _replace(self, view: PostgresView, shadow: PostgresView, source: Log) -> None:
        while _step(shadow, source) >= REBUILD_BATCH:
            pass
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
                for statement in swap(shadow.tables.names, live[1] if live else []):
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


def _digest(projection: Projection) -> str:
    """What the rows follow: columns, indexes and the projection's version."""
    told = [str(projection.version)]
    for table in projection.tables:
        told += [repr(table.columns), repr(table.key), repr(table.found_by), repr(table.indexes)]
        told += map(repr, table.tallies)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
