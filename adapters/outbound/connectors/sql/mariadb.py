"""MariaDB and MySQL through PyMySQL: transactions, quoting, what catalogue and errors mean."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor, SSCursor

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

_OWN = "('information_schema', 'mysql', 'performance_schema', 'sys')"
_COLUMNS = f"""
    SELECT c.table_schema, c.table_name, c.column_name, c.data_type, c.is_nullable,
        c.collation_name, c.extra, c.column_key, e.transactions
    FROM information_schema.columns c
    JOIN information_schema.tables t
        ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    LEFT JOIN information_schema.engines e ON e.engine = t.engine
    WHERE c.table_schema NOT IN {_OWN} AND t.table_type = 'BASE TABLE'
    ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""  # noqa: S608 (nothing in it comes from outside)
_KEYS = f"""
    SELECT u.table_schema, u.table_name, u.constraint_name, u.column_name,
        u.referenced_table_schema, u.referenced_table_name, u.referenced_column_name,
        r.delete_rule
    FROM information_schema.key_column_usage u
    LEFT JOIN information_schema.referential_constraints r
        ON r.constraint_schema = u.constraint_schema AND r.table_name = u.table_name
        AND r.constraint_name = u.constraint_name
    WHERE u.table_schema NOT IN {_OWN}
        AND (u.constraint_name = 'PRIMARY' OR u.referenced_table_name IS NOT NULL)
    ORDER BY u.table_schema, u.table_name, u.constraint_name, u.ordinal_position
"""  # noqa: S608 (nothing in it comes from outside)
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
_WHOLE_NUMBERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}

_WRONG_LOGIN = {1044, 1045, 1049, 1698, 4151}
_NOT_ALLOWED = {1142, 1143, 1227, 1370}
_REFERRED_TO = {1217, 1451}
_TOO_LONG = {1317, 1969, 3024}
_LATER = {1020, 1040, 1053, 1203, 1205, 1213, 1226, 3572}
_GONE = {0, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2012, 2013, 2055}
_HOW = "mariadb://USER@HOST/DATABASE"


@contextmanager
def _our_errors() -> Iterator[None]:
    """Never the database's own words: they quote what was asked for."""
    try:
        yield
    except pymysql.err.Error as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        raise _meant(code, error) from None
    except (ValueError, OverflowError) as error:  # UnicodeError is one
        raise refused(type(error).__name__) from None


def _meant(code: int, error: pymysql.err.Error) -> Exception:
    if code in _WRONG_LOGIN:
        return NotSetUp("sql's user, password or database is wrong, or not let in")
    if code in _NOT_ALLOWED:
        return Refused("the database's user may not do this: see the dry run's GRANT")
    if code in _REFERRED_TO:
        return Refused(STILL_REFERRED_TO)
    if code in _TOO_LONG:
        return Unavailable("the database took too long")
    if code in _LATER or (code in _GONE and isinstance(error, _AWAY)):
        return Unavailable(f"the database is away or busy ({code})")
    return refused(code)


_AWAY = (pymysql.err.OperationalError, pymysql.err.InternalError, pymysql.err.InterfaceError)


class _Session:
    def __init__(self, database: MariaDB, *, read_only: bool, told: Told | None) -> None:
        self._database, self._read_only = database, read_only
        self._told = told or (lambda statement, rows: None)
        self._connection = database.connected(read_only=read_only)
        self._streaming: pymysql.Connection[SSCursor] | None = None

    def rows(self, statement: str, values: Values) -> list[Row]:
        with _our_errors(), self._connection.cursor() as cursor:
            cursor.execute(statement, tuple(values))
            found = list(cursor.fetchall())
        self._told(statement, len(found))
        return found

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        # While an answer is being read nothing else can be asked on its connection.
        if self._streaming is None:
            self._streaming = self._database.connected(read_only=self._read_only)
        met = 0
        with _our_errors(), self._streaming.cursor(SSCursor) as cursor:
            cursor.execute(statement, tuple(values))
            while some := cursor.fetchmany(ROWS_AT_ONCE):
                met += len(some)
                yield from some
        self._told(statement, met)

    def change(self, statement: str, values: Values) -> int:
        with _our_errors(), self._connection.cursor() as cursor:
            met = cursor.execute(statement, tuple(values))
        self._told(statement, met)
        return int(met)

    def commit(self) -> None:
        try:
            with _our_errors():
                self._connection.commit()
        except Unavailable:
            if not self._connection.open:
                raise CommitLost("the connection broke while the transaction ended") from None
            raise

    def close(self) -> None:
        for connection in (self._streaming, self._connection):
            if connection is not None and connection.open:
                connection.close()  # what was not committed is rolled back

    def catalogue(self) -> Catalogue:
        with _our_errors(), self._connection.cursor() as cursor:
            cursor.execute(_COLUMNS)
            columns = cursor.fetchall()
            cursor.execute(_KEYS)
            keys = cursor.fetchall()
        by_place: dict[tuple[str, str], dict[str, Column]] = {}
        transactional: dict[tuple[str, str], bool] = {}
        for row in columns:
            place = (str(row[0]), str(row[1]))
            transactional[place] = str(row[8]).upper() == "YES"
            by_place.setdefault(place, {})[str(row[2])] = Column(
                name=str(row[2]),
                sort=_sort(str(row[3]).lower()),
                nullable=str(row[4]).upper() == "YES",
                generated="GENERATED" in str(row[6]).upper().replace("DEFAULT_GENERATED", ""),
                folds=str(row[5] or "").lower().endswith("_ci"),
            )
        primary, foreign = _keys(keys)
        tables = [
            Table(place, columns, primary.get(place, ()), transactional[place])
            for place, columns in by_place.items()
        ]
        return Catalogue(self._database.name, tables, foreign)


class MariaDB:
    """Keeps `Engine`."""

    def __init__(self, url: str, password: str | None, certificates: str | None) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError:
            raise Misconfigured(f"sql's 'url' is wrong: {_HOW}") from None
        self.name = unquote(parts.path.lstrip("/"))
        if not self.name:
            raise Misconfigured(f"sql's 'url' names no database: {_HOW}")
        socket = parse_qs(parts.query).get("socket", [None])[0]
        self._parameters: dict[str, Any] = {
            "user": unquote(parts.username or ""),
            "password": password or unquote(parts.password or ""),
            "database": self.name,
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": STATEMENT_SECONDS + 5,
            "write_timeout": STATEMENT_SECONDS + 5,
            # "How many rows" is how many there are, not how many were any different before.
            "client_flag": CLIENT.FOUND_ROWS,
        }
        if socket:
            self._parameters["unix_socket"] = socket
        else:
            self._parameters |= {"host": parts.hostname or "127.0.0.1", "port": port}
        if certificates is not None:
            file = None if certificates == "system" else certificates
            try:
                self._parameters["ssl"] = ssl.create_default_context(cafile=file)
            except OSError:
                raise Misconfigured("sql's 'ca' cannot be read as certificates") from None

    @contextmanager
    def reading(self, told: Told | None = None) -> Iterator[_Session]:
        session = _Session(self, read_only=True, told=told)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def writing(self, told: Told | None = None) -> Iterator[_Session]:
        session = _Session(self, read_only=False, told=told)
        try:
            yield session
        finally:
            session.close()

    def connected(self, *, read_only: bool) -> pymysql.Connection[Any]:
        with _our_errors():
            connection = pymysql.connect(**self._parameters)
        try:
            with _our_errors(), connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'")
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}")
                _limit_statements(cursor)
                begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT"
                cursor.execute(f"{begin}, READ ONLY" if read_only else "START TRANSACTION")
        except BaseException:
            connection.close()
            raise
        return connection

    def quoted(self, *names: str) -> str:
        # The driver has no means of its own: inside backticks only a backtick means anything.
        return ".".join("`" + name.replace("`", "``") + "`" for name in names).replace("%", "%%")

    def is_one_of(self, expression: str, values: Sequence[object]) -> tuple[str, Values]:
        return f"{expression} IN ({', '.join(['%s'] * len(values))})", values

    def same(self, expression: str) -> str:
        return f"{expression} <=> %s"

    def folded(self, column: Column) -> str:
        quoted = self.quoted(column.name)
        if column.sort is not Sort.TEXT:
            return f"LOWER(CAST({quoted} AS CHAR))"
        return quoted if column.folds else f"LOWER({quoted})"

    def digits(self, column: Column) -> str:
        return f"REGEXP_REPLACE({self.quoted(column.name)}, '[^0-9]', '')"

    def joined(self, columns: Sequence[Column]) -> str:
        names = ", ".join(self.quoted(column.name) for column in columns)
        return f"LOWER(CONCAT_WS(' ', {names}))"

    def grants(self, place: tuple[str, str], rights: Sequence[str]) -> str:
        return f"GRANT {', '.join(rights)} ON {self.quoted(*place)} TO trettio".replace("%%", "%")


def _limit_statements(cursor: Cursor) -> None:
    try:
        cursor.execute(f"SET SESSION max_statement_time = {STATEMENT_SECONDS}")
    except pymysql.err.OperationalError:  # MySQL has another name for it
        cursor.execute(f"SET SESSION max_execution_time = {STATEMENT_SECONDS * 1000}")


def _keys(
    rows: Sequence[Row],
) -> tuple[dict[tuple[str, str], tuple[str, ...]], list[ForeignKey]]:
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str, str], ForeignKey] = {}
    for schema, table, name, column, to_schema, to_table, to_column, rule in rows:
        place = (str(schema), str(table))
        if to_table is None:
            primary[place] = (*primary.get(place, ()), str(column))
            continue
        known = foreign.get((*place, str(name)))
        foreign[(*place, str(name))] = ForeignKey(
            child=place,
            columns=(*(known.columns if known else ()), str(column)),
            parent=(str(to_schema), str(to_table)),
            parent_columns=(*(known.parent_columns if known else ()), str(to_column)),
            cascades=str(rule).upper() == "CASCADE",
        )
    return primary, list(foreign.values())


def _sort(data_type: str) -> Sort:
    if data_type in _TEXTS:
        return Sort.TEXT
    if data_type in _WHOLE_NUMBERS:
        return Sort.WHOLE_NUMBER
    return Sort.BIT if data_type == "bit" else Sort.OTHER
