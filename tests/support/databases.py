"""Databases for tests: made once, given back as empty as they were, so that few have to be made.

To make and drop one costs the server three checkpoints, ten times what emptying one costs. One that
a test changed in shape, or that something is still connected to, is dropped instead.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, sql

MOST_USES = 60
"""What a test deletes stays in the files for a while: after so many tests a new one is faster."""
FEW_ROWS = 500
"""So many are deleted faster than a table is truncated, which makes new files for it."""
PATIENCE_SECONDS = 0.2

_TABLES: LiteralString = """
    SELECT oid, relnamespace::regnamespace::text AS schema, relname AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY(%s) ORDER BY oid
"""
_SEQUENCES: LiteralString = """
    SELECT schemaname AS schema, sequencename AS name, start_value AS start, last_value AS last
    FROM pg_sequences WHERE schemaname = ANY(%s)
"""
_SHAPE: LiteralString = """
    SELECT md5(concat(
        (SELECT string_agg(concat_ws(' ', oid, relname, relkind, relnatts, reloptions, relacl), ','
            ORDER BY oid) FROM pg_class WHERE oid >= 16384
            AND relnamespace <> 'pg_toast'::regnamespace),
        (SELECT string_agg(concat_ws(' ', attrelid, attname, atttypid, attnotnull), ','
            ORDER BY attrelid, attnum) FROM pg_attribute WHERE attrelid >= 16384),
        (SELECT string_agg(concat_ws(' ', oid, tgname, tgenabled), ',' ORDER BY oid)
            FROM pg_trigger),
        (SELECT string_agg(concat_ws(' ', oid, conname), ',' ORDER BY oid)
            FROM pg_constraint WHERE oid >= 16384),
        (SELECT string_agg(concat_ws(' ', oid, prosrc), ',' ORDER BY oid)
            FROM pg_proc WHERE oid >= 16384),
        (SELECT string_agg(nspname, ',' ORDER BY oid) FROM pg_namespace
            WHERE nspname !~ '^pg_'),
        (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting
            JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()),
        (SELECT string_agg(concat_ws(' ', seqrelid, seqcache, seqincrement), ',' ORDER BY seqrelid)
            FROM pg_sequence)
    ))
"""
_OTHERS: LiteralString = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SCHEMAS = ["trettio", "views", "public"]


@dataclass(frozen=True, slots=True)
class _AsFound:
    """What every database of a template begins with."""

    shape: str
    tables: list[sql.Identifier]
    rows: dict[int, bytes]
    """What stands in the few tables that are not empty, by their place in `tables`."""
    sequences: list[tuple[str, int, bool]]


class Databases:
    """All databases that one process of tests has made from one template."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self._numbers = itertools.count(1)
        self._ready: list[tuple[str, int]] = []
        self._uses: dict[str, int] = {}
        with self._connected(template) as connection:
            self._as_found = _look(connection)

    def take(self) -> str:
        """The name of a database as the template is."""
        if self._ready:
            name, uses = self._ready.pop()
        else:
            name, uses = f"test_{self._template}_{next(self._numbers)}", 0
            with self._connected("trettio") as connection:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                        sql.Identifier(name), sql.Identifier(self._template)
                    )
                )
        self._uses[name] = uses + 1
        return name

    def give_back(self, name: str) -> None:
        uses = self._uses.pop(name)
        if uses < MOST_USES and self._emptied(name):
            self._ready.append((name, uses))
            return
        with self._connected("trettio") as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def url(self, name: str) -> str:
        return self._server.replace("/trettio?", f"/{name}?")

    def _emptied(self, name: str) -> bool:
        try:
            with self._connected(name) as connection:
                return _is_left_alone(connection) and _empty(connection, self._as_found)
        except psycopg.Error:  # whatever a test did to it: it is dropped
            return False

    def _connected(self, name: str) -> Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(name), autocommit=True)


def _look(connection: Connection[tuple[Any, ...]]) -> _AsFound:
    tables = [
        sql.Identifier(schema, name)
        for _oid, schema, name in connection.execute(_TABLES, [_SCHEMAS]).fetchall()
    ]
    rows: dict[int, bytes] = {}
    for place, count in enumerate(_counts(connection, tables)):
        if count:
            with connection.cursor().copy(
                sql.SQL("COPY {} TO STDOUT").format(tables[place])
            ) as copy:
                rows[place] = b"".join(copy)
    sequences = [
        (f"{schema}.{name}", start if last is None else last, last is not None)
        for schema, name, start, last in connection.execute(_SEQUENCES, [_SCHEMAS]).fetchall()
    ]
    return _AsFound(_shape(connection), tables, rows, sequences)


def _shape(connection: Connection[tuple[Any, ...]]) -> str:
    row = connection.execute(_SHAPE).fetchone()
    assert row is not None
    return str(row[0])


def _counts(
    connection: Connection[tuple[Any, ...]], tables: list[sql.Identifier]
) -> tuple[int, ...]:
    """How many rows each has, or one more than few."""
    if not tables:
        return ()
    each = sql.SQL(", ").join(
        sql.SQL("(SELECT count(*) FROM (SELECT FROM {} LIMIT {}) AS few)").format(
            table, sql.Literal(FEW_ROWS + 1)
        )
        for table in tables
    )
    row = connection.execute(sql.SQL("SELECT {}").format(each)).fetchone()
    assert row is not None
    return row


def _is_left_alone(connection: Connection[tuple[Any, ...]]) -> bool:
    """Whether nobody else is connected any more; who has just gone takes a moment."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        row = connection.execute(_OTHERS).fetchone()
        if row is not None and row[0] == 0:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.005)


def _empty(connection: Connection[tuple[Any, ...]], as_found: _AsFound) -> bool:
    """Make it as it was found; False where that cannot be done by emptying tables."""
    if _shape(connection) != as_found.shape:
        return False
    # The log and the keys have triggers that keep their rows.
    connection.execute("SET session_replication_role = replica")
    with connection.transaction():
        full = []
        for place, count in enumerate(_counts(connection, as_found.tables)):
            if count > FEW_ROWS:
                full.append(as_found.tables[place])
            elif count:
                connection.execute(sql.SQL("DELETE FROM {}").format(as_found.tables[place]))
        if full:
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(full)))
        for place, rows in as_found.rows.items():
            with connection.cursor().copy(
                sql.SQL("COPY {} FROM STDIN").format(as_found.tables[place])
            ) as copy:
                copy.write(rows)
        for name, last, is_called in as_found.sequences:
            connection.execute("SELECT setval(%s, %s, %s)", [name, last, is_called])
    return True
