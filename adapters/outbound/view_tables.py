"""The tables of a read model on PostgreSQL: how they are made, read, written and put in place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, kwargs_row
from psycopg.sql import SQL, Composed, Identifier, Literal
from psycopg.types.json import JsonbBinaryDumper

from projections.projection import Projection, Row, Rows, Table

VIEWS, REBUILD = "views", "views_rebuild"


class ViewTables:
    """What one projection keeps, in one schema."""

    def __init__(self, projection: Projection, schema: str) -> None:
        self._schema, self._tables = schema, projection.tables
        self._load = {t.name: _load(schema, t).as_bytes() for t in self._tables if t.found_by}
        self._write = {t.name: _write(schema, t).as_bytes() for t in self._tables}
        self._copy = {t.name: _copy(schema, t).as_bytes() for t in self._tables}
        self.names = [table.name for table in self._tables]

    # Making them

    def make(self, connection: Connection[TupleRow]) -> None:
        """Make them anew, empty."""
        self.make_bare(connection)
        self.make_findable(connection)
        self.make_whole(connection)

    def make_bare(self, connection: Connection[TupleRow]) -> None:
        """Make them without keys and indexes, which cost less once the rows are there."""
        for table in self._tables:
            _run(connection, _bare(self._schema, table))

    def make_findable(self, connection: Connection[TupleRow]) -> None:
        """Let rows that change be found by the aggregates they belong to."""
        for table in self._tables:
            if table.found_by:
                _run(connection, _finding(self._schema, table))

    def make_whole(self, connection: Connection[TupleRow]) -> None:
        for table in self._tables:
            if not table.found_by:
                _run(connection, _finding(self._schema, table))
            _run(connection, _indexes(self._schema, table))

    # Reading and writing them

    def load(
        self, connection: Connection[TupleRow], ids: Collection[UUID]
    ) -> Mapping[str, Iterable[Row]]:
        """The rows that belong to these aggregates, asked for now and read when needed."""
        asked: dict[str, Iterable[Row]] = {}
        for table in self._tables:
            if table.found_by:
                cursor = connection.cursor(row_factory=kwargs_row(table.row))
                asked[table.name] = cursor.execute(self._load[table.name], {"ids": list(ids)})
        return asked

    def write(self, connection: Connection[TupleRow], rows: Rows) -> None:
        for table in self._tables:
            self.write_rows(connection, table, rows.changed(table))

    def write_rows(
        self, connection: Connection[TupleRow], table: Table[Any], rows: Sequence[Row]
    ) -> None:
        """One statement with one parameter for any number of rows, known before or not."""
        if rows:
            connection.execute(self._write[table.name], [orjson.dumps(rows).decode()])

    def copy_rows(
        self, connection: Connection[TupleRow], table: Table[Any], rows: Sequence[Row]
    ) -> None:
        """Rows that were never written before, for a third of what `write_rows` costs."""
        names, types = zip(*((c.name, c.type) for c in table.columns), strict=True)
        with connection.cursor() as cursor:
            cursor.adapters.register_dumper(dict, _Json)
            with cursor.copy(self._copy[table.name]) as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row([getattr(row, name) for name in names])


class _Json(JsonbBinaryDumper):
    def dump(self, obj: Any) -> bytes:
        return b"\1" + orjson.dumps(obj)  # the version of the binary format


def _run(connection: Connection[TupleRow], statements: Iterable[Composed]) -> None:
    for statement in statements:
        connection.execute(statement)


# Statements


def _load(schema: str, table: Table[Any]) -> Composed:
    ids = SQL(" = ANY(%(ids)s) OR ").join(map(Identifier, table.found_by))
    return SQL("SELECT * FROM {} WHERE {} = ANY(%(ids)s)").format(
        Identifier(schema, table.name), ids
    )


def _write(schema: str, table: Table[Any]) -> Composed:
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


def _copy(schema: str, table: Table[Any]) -> Composed:
    columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
    return SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        Identifier(schema, table.name), columns
    )


def _bare(schema: str, table: Table[Any]) -> Iterator[Composed]:
    name = Identifier(schema, table.name)
    columns = [
        SQL("{} {}{}").format(
            Identifier(column.name),
            SQL(column.type),
            SQL("" if column.nullable else " NOT NULL"),
        )
        for column in table.columns
    ]
    yield SQL("DROP TABLE IF EXISTS {}").format(name)
    # Rows that change often find room beside themselves, and their indexes need not change.
    room = SQL(" WITH (fillfactor = 70)" if table.found_by else "")
    yield SQL("CREATE TABLE {} ({}){}").format(name, SQL(", ").join(columns), room)
    yield SQL("COMMENT ON TABLE {} IS {}").format(name, Literal(table.comment))
    for column in table.columns:
        yield SQL("COMMENT ON COLUMN {}.{} IS {}").format(
            name, Identifier(column.name), Literal(column.comment)
        )


def _finding(schema: str, table: Table[Any]) -> Iterator[Composed]:
    name = Identifier(schema, table.name)
    key = SQL(", ").join(map(Identifier, table.key))
    yield SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(name, key)
    for found_by in table.found_by:
        if found_by != table.key[0]:
            yield SQL("CREATE INDEX ON {} ({})").format(name, Identifier(found_by))


def _indexes(schema: str, table: Table[Any]) -> Iterator[Composed]:
    for index in table.indexes:
        yield SQL("CREATE INDEX ON {} {}").format(Identifier(schema, table.name), SQL(index))


def swap(tables: Sequence[str], old: Sequence[str]) -> Iterator[Composed]:
    """The rebuilt tables take the place of the old, and whoever might read those may go on."""
    for table in old:
        if table in tables:
            yield SQL(GRANTS).format(
                old=Literal(f"{VIEWS}.{table}"), new=Literal(f"{REBUILD}.{table}")
            )
        yield SQL("DROP TABLE IF EXISTS {}").format(Identifier(VIEWS, table))
    for table in tables:
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
