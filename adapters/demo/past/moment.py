"""The clock of past months, for the program and for its database, and lives that are lived whole.

Everything that a life writes is one transaction: whoever is killed in the middle of one has not
lived it at all, and nobody who works beside it sees half of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from adapters.outbound.database import Database

LONGEST_LIFE_SECONDS = 120.0

GROUND: LiteralString = """
    CREATE SCHEMA IF NOT EXISTS demonstration;
    CREATE TABLE IF NOT EXISTS demonstration.lives (
        number integer PRIMARY KEY,
        case_id uuid
    );
    CREATE OR REPLACE FUNCTION demonstration.clock_timestamp() RETURNS timestamptz
        LANGUAGE sql STABLE RETURN coalesce(
            nullif(current_setting('demonstration.present', true), '')::timestamptz,
            pg_catalog.clock_timestamp()
        );
    CREATE OR REPLACE FUNCTION demonstration.statement_timestamp() RETURNS timestamptz
        LANGUAGE sql STABLE RETURN demonstration.clock_timestamp();
    ALTER TABLE trettio.log
        ALTER COLUMN recorded_at SET DEFAULT demonstration.clock_timestamp()
"""
"""The demonstration's own tables, and clocks of the database's names that may stand in the past.

They come before PostgreSQL's own where a connection's `search_path` says so. When an event was
recorded is asked of them everywhere: for whoever works today they tell today.
"""


def prepare(database: Database) -> None:
    """Lay the ground in a demonstration's database; done twice it is done once."""
    database.connection.execute(GROUND)


class PastDatabase(Database):
    """One connection for everything, whose clocks stand where they are set."""

    def __init__(self, url: str) -> None:
        given = conninfo_to_dict(url).get("options") or ""
        path = "-c search_path=demonstration,pg_catalog,public"
        super().__init__(
            make_conninfo(url, options=f"{given} {path}".strip()),
            transaction_timeout=LONGEST_LIFE_SECONDS,
        )

    def set_clock(self, at: datetime) -> None:
        """Only within what is lived whole: at its end the clock is the world's again."""
        self.ask("SELECT set_config('demonstration.present', %s, true)", [at.isoformat()])

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of it or nothing: what is done meanwhile is seen by others at its end."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # Whatever was prepared on it is in doubt; the next one starts afresh.
            connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Connection[TupleRow]]:
        """Part of the one that is under way: a second connection would not see what it wrote."""
        with self.connection.transaction():
            yield self.connection


class Moment:
    """A clock that stands where it is set, and the same for the database that it opens."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._database: PastDatabase | None = None

    def __call__(self) -> datetime:
        return self._at

    def connect(self, url: str) -> PastDatabase:
        self._database = PastDatabase(url)
        return self._database

    def set(self, at: datetime) -> None:
        self._at = at
        if self._database is not None:
            self._database.set_clock(at)
