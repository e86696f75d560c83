"""The tables of a read model on PostgreSQL: how they are made, read, written and put in place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow, kwargs_row
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import JsonbBinaryDumper

from projections.projection import Column, Projection, Row, Rows, Table, Tally

VIEWS, REBUILD = "views", "views_rebuild"


class ViewTables:
    """What one projection keeps, in one schema."""

    def __init__(self, projection: Projection, schema: str) -> None:
        self._schema, self._tables = schema, projection.tables
        self._load = {t.name: _load(schema, t).as_bytes() for t in self._tables if t.found_by}
        self._write = {t.name: _write(schema, t).as_bytes() for t in self._tables}
        self._count = {t.name: _counting(schema, t).as_bytes() for t in self._tables if t.tallies}
        self._copy = {t.name: _copy(schema, t).as_bytes() for t in self._tables}
        self.names = [table.name for table in self._tables]
        self.names += [tally.name for table in self._tables for tally in table.tallies]

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
            for tally in table.tallies:
                _run(connection, _tallied(self._schema, table, tally))

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
        """Write what changed, and let the tallies follow it in the same statement."""
        for table in self._tables:
            changed = rows.changed(table)
            if changed and table.tallies:
                connection.execute(self._count[table.name], [orjson.dumps(changed).decode()])
            else:
                self.write_rows(connection, table, changed)

    def write_rows(
        self, connection: Connection[TupleRow], table: Table[Any], rows: Sequence[Row]
    ) -> None:
        """One statement with one parameter for any number of rows, known before or not.

        Tallies do not follow it: they are made when the table is whole.
        """
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


def _counting(schema: str, table: Table[Any]) -> Composed:
    """Write rows, and add to each tally what the new rows count more than the old.

    All parts of one statement see the old rows; what was written is told by `RETURNING`.
    """
    name = Identifier(schema, table.name)
    columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
    changes = SQL(", ").join(
        SQL("{0} = EXCLUDED.{0}").format(Identifier(column.name))
        for column in table.columns
        if column.name not in table.key
    )
    key = SQL(", ").join(map(Identifier, table.key))
    parts = [
        SQL("changed AS MATERIALIZED (SELECT * FROM json_populate_recordset(NULL::{}, %s))").format(
            name
        ),
        SQL(
            "written AS (INSERT INTO {0} ({1}) SELECT {1} FROM changed"
            " ON CONFLICT ({2}) DO UPDATE SET {3} RETURNING *)"
        ).format(name, columns, key, changes),
        SQL("was AS (SELECT was.* FROM {0} was JOIN changed USING ({1}))").format(name, key),
    ]
    for number, tally in enumerate(table.tallies):
        parts.append(
            SQL("{} AS ({})").format(
                Identifier(f"tally_{number}"), _adding(schema, table, tally, SQL(_DIFFERENCE))
            )
        )
    return SQL("WITH {} SELECT").format(SQL(", ").join(parts))


_DIFFERENCE = (
    "(SELECT *, -1 AS sign FROM was UNION ALL SELECT *, 1 AS sign FROM written) AS counted"
)


def _adding(schema: str, table: Table[Any], tally: Tally, counted: Composable) -> Composed:
    """Add to a tally what stands in `counted`: rows with the sign that they count with."""
    alike = SQL(", ").join(map(Identifier, tally.alike))
    sums = [
        SQL("coalesce(sum(sign * {}), 0)::bigint").format(Identifier(name)) for name in tally.sums
    ]
    numbers: list[Composable] = [SQL("sum(sign)::bigint"), *sums]
    added = [Identifier(name) for name in ("number", *tally.sums)]
    place = Identifier(schema, tally.name)
    return SQL(
        "INSERT INTO {place} AS tally ({names}) SELECT {alike}, {numbers} FROM {counted}"
        " WHERE {having} GROUP BY {alike} HAVING {differs}"
        " ON CONFLICT ({alike}) DO UPDATE SET {sums}"
    ).format(
        place=place,
        names=SQL(", ").join([alike, *added]),
        alike=alike,
        numbers=SQL(", ").join(numbers),
        counted=counted,
        having=SQL(tally.having),
        differs=SQL(" OR ").join(SQL("{} <> 0").format(number) for number in numbers),
        sums=SQL(", ").join(SQL("{0} = tally.{0} + EXCLUDED.{0}").format(one) for one in added),
    )


def _tallied(schema: str, table: Table[Any], tally: Tally) -> Iterator[Composed]:
    """Make a tally of the rows that are there."""
    place = Identifier(schema, tally.name)
    yield from _new_table(place, table.counted_by(tally), tally.comment, changes=True)
    yield SQL("CREATE UNIQUE INDEX ON {} ({}) NULLS NOT DISTINCT").format(
        place, SQL(", ").join(map(Identifier, tally.alike))
    )
    yield _adding(
        schema,
        table,
        tally,
        SQL("(SELECT *, 1 AS sign FROM {}) AS counted").format(Identifier(schema, table.name)),
    )


def _copy(schema: str, table: Table[Any]) -> Composed:
    columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
    return SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        Identifier(schema, table.name), columns
    )


def _bare(schema: str, table: Table[Any]) -> Iterator[Composed]:
    name = Identifier(schema, table.name)
    yield from _new_table(name, table.columns, table.comment, changes=bool(table.found_by))


def _new_table(
    name: Identifier, columns: Sequence[Column], comment: str, *, changes: bool
) -> Iterator[Composed]:
    defined = [
        SQL("{} {}{}").format(
            Identifier(column.name),
            SQL(column.type),
            SQL("" if column.nullable else " NOT NULL"),
        )
        for column in columns
    ]
    yield SQL("DROP TABLE IF EXISTS {}").format(name)
    # Rows that change often find room beside themselves, and their indexes need not change.
    room = SQL(" WITH (fillfactor = 70)" if changes else "")
    yield SQL("CREATE TABLE {} ({}){}").format(name, SQL(", ").join(defined), room)
    yield SQL("COMMENT ON TABLE {} IS {}").format(name, Literal(comment))
    for column in columns:
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
