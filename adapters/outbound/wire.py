"""Statements sent to PostgreSQL together and waited for once, each prepared the first time.

Short statements that always come again are most of what this service asks; for them a cursor costs
more than the database does. So this speaks to psycopg's own layer below cursors: the protocol's
pipeline, and psycopg's ways to turn values into what the protocol carries.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.rows import TupleRow

MOST_PREPARED = 200
MOST_VALUES = 64
"""Statements with more come in so many lengths that preparing each does not pay."""

Parameters = Mapping[str, Any] | Sequence[Any]
Question = tuple[LiteralString, Parameters | None]
Dumped = tuple[str, bytes, Sequence[Any], tuple[int, ...], Sequence[pq.Format]]
"""The question, its text for the server, and the values with their types and formats."""

_PLACE = re.compile(rb"%(?:\((\w+)\))?([sb%])")
_FORMATS = {b"s": PyFormat.AUTO, b"b": PyFormat.BINARY}
_FINE = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY})


class Wire:
    """One connection in autocommit, for one thread; nobody else may be using it meanwhile."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self.connection, self._pgconn = connection, connection.pgconn
        self._values = Transformer(connection)
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._names = count()
        self._readable, self._ready = select.poll(), select.poll()
        self._readable.register(self._pgconn.socket, select.POLLIN)
        self._ready.register(self._pgconn.socket, select.POLLIN | select.POLLOUT)

    def ask(self, *questions: Question) -> list[list[TupleRow]]:
        """Run everything in one transaction and answer the rows of each.

        The last question is sent with an order to commit, so no reply of ours holds the transaction
        open. What the server refuses is raised as psycopg's error; nothing has happened then.
        """
        dumped = [self._dumped(sql, params) for sql, params in questions]
        try:
            results = self._exchange(dumped)
        except BaseException:
            self.connection.close()  # who knows what it would answer next
            raise
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                error = errors.error_from_result(result, self.connection.info.encoding)
                if isinstance(error, errors.InvalidSqlStatementName) and self._prepared:
                    # psycopg's cursors make the server forget everybody's when a table was
                    # dropped or a transaction rolled back.
                    self._prepared.clear()
                    return self.ask(*questions)
                raise error
        return [self._rows(result) for result in results]

    def _exchange(self, questions: Sequence[Dumped]) -> list[pq.abc.PGresult]:
        self._pgconn.enter_pipeline_mode()
        new: dict[tuple[str, tuple[int, ...]], bytes] = {}
        is_preparation = []
        for sql, text, values, types, formats in questions:
            if len(values) > MOST_VALUES:
                self._pgconn.send_query_params(text, values, types, formats, pq.Format.BINARY)
                is_preparation.append(False)
                continue
            name = self._prepared.get((sql, types)) or new.get((sql, types))
            if name is None:
                # A name of its own each time: if something fails first, this one is skipped.
                name = b"trettio%d" % next(self._names)
                new[sql, types] = name
                self._pgconn.send_prepare(name, text, types)
                is_preparation.append(True)
            self._pgconn.send_query_prepared(name, values, formats, pq.Format.BINARY)
            is_preparation.append(False)
        self._pgconn.pipeline_sync()
        results = self._results()
        self._pgconn.exit_pipeline_mode()
        if all(result.status in _FINE for result in results):
            self._remember(new)
            return [one for one, only in zip(results, is_preparation, strict=True) if not only]
        return [one for one in results if one.status == pq.ExecStatus.FATAL_ERROR]

    def _results(self) -> list[pq.abc.PGresult]:
        """One for everything sent, in order; the server's answers are taken in while we send."""
        while self._pgconn.flush():
            if any(events & ~select.POLLOUT for _, events in self._ready.poll()):
                self._pgconn.consume_input()
        results: list[pq.abc.PGresult] = []
        while True:
            while self._pgconn.is_busy():
                self._readable.poll()
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                if self._pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
            elif result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)

    def _remember(self, new: Mapping[tuple[str, tuple[int, ...]], bytes]) -> None:
        self._prepared.update(new)
        while len(self._prepared) > MOST_PREPARED:
            oldest = next(iter(self._prepared))
            self.connection.execute(b"DEALLOCATE " + self._prepared.pop(oldest))

    def _dumped(self, sql: LiteralString, params: Parameters | None) -> Dumped:
        text, formats, names = _understood(sql)
        values: Sequence[Any] = ()
        if isinstance(params, Mapping):
            values = [params[name] for name in names]
        elif params is not None:
            values = params
        if len(values) != len(formats):
            raise psycopg.ProgrammingError(f"{len(formats)} values wanted, {len(values)} given")
        if not values:
            return sql, text, (), (), ()
        dumped = self._values.dump_sequence(values, formats)
        return sql, text, dumped, self._values.types or (), self._values.formats or ()

    def _rows(self, result: pq.abc.PGresult) -> list[TupleRow]:
        if result.status != pq.ExecStatus.TUPLES_OK:
            return []
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, tuple)


@lru_cache(maxsize=2_000)
def _understood(sql: LiteralString) -> tuple[bytes, Sequence[PyFormat], Sequence[str]]:
    """The text with numbered places, how each is to be sent, and by which name it is filled."""
    formats: list[PyFormat] = []
    names: list[str] = []

    def place(found: re.Match[bytes]) -> bytes:
        name, kind = found.groups()
        if kind == b"%":
            return b"%"
        if name is not None and name.decode() in names:
            return b"$%d" % (names.index(name.decode()) + 1)
        formats.append(_FORMATS[kind])
        names.append(name.decode() if name is not None else "")
        return b"$%d" % len(formats)

    text = _PLACE.sub(place, sql.encode())
    return text, formats, names
