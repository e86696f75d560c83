"""PostgreSQL through psycopg: transactions, quoting, what its catalogue and its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.datetime import DateLoader, IntervalLoader, TimestampLoader, TimestamptzLoader

from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.sql.catalogue import Catalogue, Column, ForeignKey, Sort, Table
from adapters.outbound.connectors.sql.engine import (
    CONNECT_SECONDS,
    LOCK_SECONDS,
    ROWS_AT_ONCE,
    STATEMENT_SECONDS,
    STILL_REFERRED_TO,
    CommitLost,
    Row,
    Told,
    Values,
    refused,
)
from services.ports import NotSetUp, Refused, Unavailable

_COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, t.typname, t.typcategory, NOT a.attnotnull,
        a.attgenerated <> ''
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY c.oid, a.attnum
"""
_KEYS = """
    SELECT n.nspname, c.relname, k.contype::text, k.confdeltype::text, rn.nspname, r.relname,
        ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place),
        ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY place)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class r ON r.oid = k.confrelid
    LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
    WHERE k.contype IN ('p', 'f') AND k.conparentid = 0
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY k.oid
"""
_WHOLE_NUMBERS = {"int2", "int4", "int8"}


class _AsTold(Loader):
    """Infinity, and years that Python has not, stay the text that they are."""

    usual: ClassVar[type[Loader]]

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._usual = self.usual(oid, context)

    def load(self, data: Buffer) -> object:
        try:
            return self._usual.load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Date(_AsTold):
    usual = DateLoader


class _Timestamp(_AsTold):
    usual = TimestampLoader


class _Timestamptz(_AsTold):
    usual = TimestamptzLoader


class _Interval(_AsTold):
    usual = IntervalLoader


_LOADERS: dict[str, type[_AsTold]] = {
    "date": _Date,
    "timestamp": _Timestamp,
    "timestamptz": _Timestamptz,
    "interval": _Interval,
}


@contextmanager
def _our_errors() -> Iterator[None]:
    """Never the database's own words: they quote what was asked for."""
    try:
        yield
    except psycopg.errors.QueryCanceled:
        raise Unavailable("the database took too long") from None
    except psycopg.errors.InsufficientPrivilege:
        raise Refused("the database's role may not do this: see the dry run's GRANT") from None
    except psycopg.errors.ForeignKeyViolation:
        raise Refused(STILL_REFERRED_TO) from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if error.sqlstate and error.sqlstate[:2] == "53":
            raise Unavailable("the database has no room or connection left") from None
        raise Unavailable(f"the database is away ({type(error).__name__})") from None
    except (psycopg.Error, UnicodeError) as error:
        code = getattr(error, "sqlstate", None) or type(error).__name__
        raise refused(code) from None


class _Session:
    def __init__(self, connection: Connection[Row], told: Told | None) -> None:
        self._connection = connection
        self._told = told or (lambda statement, rows: None)

    def rows(self, statement: str, values: Values) -> list[Row]:
        with _our_errors():
            found = self._connection.execute(statement.encode(), tuple(values)).fetchall()
        self._told(statement, len(found))
        return found

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        met = 0
        with _our_errors(), self._connection.cursor(name="trettio") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(statement.encode(), tuple(values))
            while some := cursor.fetchmany(ROWS_AT_ONCE):
                met += len(some)
                yield from some
        self._told(statement, met)

    def change(self, statement: str, values: Values) -> int:
        with _our_errors():
            met = self._connection.execute(statement.encode(), tuple(values)).rowcount
        self._told(statement, met)
        return met

    def commit(self) -> None:
        try:
            with _our_errors():
                self._connection.commit()
        except Unavailable:
            if self._connection.broken or self._connection.closed:
                raise CommitLost("the connection broke while the transaction ended") from None
            raise

    def catalogue(self) -> Catalogue:
        with _our_errors():
            columns = self._connection.execute(_COLUMNS).fetchall()
            keys = self._connection.execute(_KEYS).fetchall()
            schema = self._connection.execute("SELECT current_schema()").fetchall()[0][0]
        by_place: dict[tuple[str, str], dict[str, Column]] = {}
        for place, table, name, sort, category, nullable, generated in columns:
            by_place.setdefault((str(place), str(table)), {})[str(name)] = Column(
                name=str(name),
                sort=_sort(str(sort), str(category)),
                nullable=bool(nullable),
                generated=bool(generated),
                folds=sort == "citext",
            )
        primary: dict[tuple[str, str], tuple[str, ...]] = {}
        foreign = []
        for row in keys:
            place = (str(row[0]), str(row[1]))
            own, theirs = _texts(row[6]), _texts(row[7])
            if row[2] == "p":
                primary[place] = own
            else:
                parent = (str(row[4]), str(row[5]))
                foreign.append(ForeignKey(place, own, parent, theirs, cascades=row[3] == "c"))
        tables = [Table(p, columns, primary.get(p, ())) for p, columns in by_place.items()]
        return Catalogue(str(schema or "public"), tables, foreign)


class PostgreSQL:
    """Keeps `Engine`."""

    def __init__(self, url: str, password: str | None, certificates: str | None) -> None:
        self._parameters: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "trettio",
            "client_encoding": "utf8",
            "options": (
                f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
                f" -c idle_in_transaction_session_timeout={10 * STATEMENT_SECONDS}s"
                " -c TimeZone=UTC -c DateStyle=ISO"
            ),
        }
        if password:
            self._parameters["password"] = password
        try:
            said = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise Misconfigured("sql's 'url' is wrong: postgresql://USER@HOST/DATABASE") from None
        if certificates is not None and "sslmode" not in said:
            self._parameters |= {"sslmode": "verify-full", "sslrootcert": certificates}
        self._url = url

    @contextmanager
    def reading(self, told: Told | None = None) -> Iterator[_Session]:
        with self._connected() as connection:
            connection.read_only = True
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            yield _Session(connection, told)

    @contextmanager
    def writing(self, told: Told | None = None) -> Iterator[_Session]:
        with self._connected() as connection:
            yield _Session(connection, told)

    @contextmanager
    def _connected(self) -> Iterator[Connection[Row]]:
        try:
            connection = psycopg.connect(self._url, **self._parameters)
        except psycopg.OperationalError as error:
            # There is no code for it: the server's words are all that tells.
            if "password" in str(error) or "authentication" in str(error):
                raise NotSetUp("sql's user or password is wrong, or not let in") from None
            raise Unavailable("the database cannot be reached") from None
        except psycopg.Error:
            raise NotSetUp("sql's 'url' or 'password' cannot be used as it is") from None
        try:
            for name, loader in _LOADERS.items():
                connection.adapters.register_loader(name, loader)
            yield connection
        finally:
            connection.close()  # what was not committed is rolled back

    def quoted(self, *names: str) -> str:
        return sql.Identifier(*names).as_string(None).replace("%", "%%")

    def is_one_of(self, expression: str, values: Sequence[object]) -> tuple[str, Values]:
        return f"{expression} = ANY(%s)", [list(values)]

    def same(self, expression: str) -> str:
        return f"{expression} IS NOT DISTINCT FROM %s"

    def folded(self, column: Column) -> str:
        quoted = self.quoted(column.name)
        if column.folds:
            return quoted
        return f"lower({quoted})" if column.sort is Sort.TEXT else f"lower({quoted}::text)"

    def digits(self, column: Column) -> str:
        return f"regexp_replace({self.quoted(column.name)}::text, '[^0-9]', '', 'g')"

    def joined(self, columns: Sequence[Column]) -> str:
        names = ", ".join(self.quoted(column.name) for column in columns)
        return f"lower(concat_ws(' ', {names}))"

    def grants(self, place: tuple[str, str], rights: Sequence[str]) -> str:
        return f"GRANT {', '.join(rights)} ON {self.quoted(*place)} TO trettio".replace("%%", "%")


def _sort(name: str, category: str) -> Sort:
    if name in _WHOLE_NUMBERS:
        return Sort.WHOLE_NUMBER
    return Sort.TEXT if category == "S" or name == "citext" else Sort.OTHER


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
