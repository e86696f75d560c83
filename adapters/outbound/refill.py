"""A read model made anew from the whole log, in memory as far as memory goes.

Following writes rows with every batch. Here a row is written when it is likely to be finished, by
COPY, and keys and indexes are made last; so a rebuild costs a third of what following costs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.outbound.view_tables import ViewTables
from projections.projection import Projection, Recorded, Row, Rows, Table
from services.follower import Log

MOST_EVENTS = 100_000
"""After so many events the rows are written and forgotten, so that memory has a bound."""
NO_EVENTS_FAULT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    psycopg.ProgrammingError,
)
"""The database is away, or its tables are not what we think: no reason to park anything."""

log = structlog.get_logger()


def take(refills: Sequence[Refill], source: Log, after: int, limit: int) -> tuple[int, int]:
    """Let all of them take the next events of the log; answers how many, and up to where."""
    events, upto = source.read(after, limit)
    count = len(events)
    for refill in refills:
        refill.load(events)
    # Event by event: what was decoded of one is forgotten at once, so that the collector of
    # garbage, which else takes half of the time, finds next to nothing to look at.
    waiting = deque(events)
    del events
    while waiting:
        event = waiting.popleft()
        for refill in refills:
            refill.fold(event)
    for refill in refills:
        refill.write()
    return count, upto


class Refill:
    """Fills the tables of one projection from the beginning of the log. Nobody reads them yet.

    Nothing is parked here: a refill that meets an event it cannot take has failed, and its tables
    are good for nothing.
    """

    def __init__(
        self, projection: Projection, tables: ViewTables, connection: Connection[TupleRow]
    ) -> None:
        self._projection, self._tables, self._connection = projection, tables, connection
        self._rows = Rows({})
        self._written: set[int] = set()
        self._complete: set[UUID] | None = None
        """The aggregates of which all rows are in memory; None while that is every one."""
        self._events = 0
        self.failed = False
        with connection.transaction():
            tables.make_bare(connection)

    def load(self, events: Sequence[Recorded]) -> None:
        """Get the rows that these events change, where they are not in memory."""
        if self._complete is None or self.failed:
            return
        with self._trying():
            touched = {
                aggregate_id
                for event in events
                if self._projection.concerns(event.topic)
                for aggregate_id in self._projection.touches(event)
            }
            missing = touched - self._complete
            self._complete |= missing
            loaded = self._tables.load(self._connection, missing)
            for table in self._projection.tables:
                for row in loaded.get(table.name, ()):
                    if not self._holds(table, row):
                        self._rows.hold(table, row)
                        self._written.add(id(row))

    def fold(self, event: Recorded) -> None:
        if not self.failed and self._projection.concerns(event.topic):
            self._events += 1
            try:
                self._projection.apply(event, self._rows)
            except Exception as error:
                self._fail(error)

    def write(self) -> None:
        """Write what is only ever added, and everything when there is much of it."""
        if self.failed:
            return
        with self._trying(), self._connection.transaction():
            self._connection.execute("SET LOCAL synchronous_commit = off")
            for table in self._projection.tables:
                if not table.found_by:
                    self._tables.copy_rows(self._connection, table, self._rows.changed(table))
                    self._rows.forget(table)
            if self._events >= MOST_EVENTS:
                self._write_rows()
                self._rows, self._written, self._complete = Rows({}), set(), set()
                self._events = 0

    def finish(self) -> None:
        """Write what is left and make the tables whole."""
        with self._trying(), self._connection.transaction():
            self._connection.execute("SET LOCAL transaction_timeout = 0")
            self._write_rows()
            self._tables.make_whole(self._connection)

    def _holds(self, table: Table[Any], row: Row) -> bool:
        """Whether the row is in memory already, on behalf of another aggregate."""
        others = self._rows.of(table, getattr(row, table.found_by[0]))
        return any(all(getattr(o, k) == getattr(row, k) for k in table.key) for o in others)

    def _write_rows(self) -> None:
        for table in self._projection.tables:
            if table.found_by:
                changed = self._rows.changed(table)
                known = [row for row in changed if id(row) in self._written]
                new = [row for row in changed if id(row) not in self._written]
                self._tables.write_rows(self._connection, table, known)
                self._tables.copy_rows(self._connection, table, new)
        if self._complete is None:
            self._tables.make_findable(self._connection)

    @contextmanager
    def _trying(self) -> Iterator[None]:
        try:
            yield
        except NO_EVENTS_FAULT:
            raise
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        log.warning("refill_failed", view=self._projection.name, error=type(error).__name__)
        self.failed, self._rows = True, Rows({})
