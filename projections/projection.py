"""Projection: a read model as tables, and what each event does to their rows.

A projection folds events into rows in memory and touches no database. Read models hold no personal
data, and everything in them can be made again from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    LiteralString,
    NamedTuple,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from domain.deadlines import received_on
from domain.vocabulary import Country

# The log


class Recorded(NamedTuple):
    """One event of the log with its place in it.

    `body` has the event's fields, each decoded when it is asked for, and `as_json`, all of them as
    they were recorded. An event that this program cannot read raises `Unreadable` when asked.
    """

    position: int
    originator_id: UUID
    originator_version: int
    topic: str
    body: Any


class Unreadable(Exception):
    """An event that a projection needs cannot be read by this program."""


# Tables


class Row:
    """A row of a read model: a dataclass whose fields, each with its comment, are the columns."""

    __slots__ = ()

    def settle(self) -> None:
        """Work out the columns that follow from the others; called once before it is written."""


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class Tally:
    """How many rows of a table are alike in some columns; kept with them, so never counted anew.

    Only rows that fulfil `having` are counted; `sums` are columns that are added up.
    """

    name: str
    alike: tuple[str, ...]
    comment: str
    having: LiteralString = "true"
    sums: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table(Generic[R]):
    """One table in the schema `views`, described by its row.

    `found_by` names the columns that hold ids of aggregates whose events change the row.
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    comment: str
    found_by: tuple[str, ...] = ()
    indexes: tuple[LiteralString, ...] = ()
    tallies: tuple[Tally, ...] = ()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        hints = get_type_hints(self.row, include_extras=True)
        return tuple(
            _column(field.name, hints[field.name])
            for field in fields(self.row)  # type: ignore[arg-type]  # every Row is a dataclass
        )

    def counted_by(self, tally: Tally) -> tuple[Column, ...]:
        """The columns of a tally: what is alike, how many rows, and what is added up."""
        mine = {column.name: column for column in self.columns}
        return (
            *(mine[name] for name in tally.alike),
            Column("number", "bigint", False, "How many rows are alike in all of this"),
            *(
                Column(name, "bigint", False, f"Their sum: {mine[name].comment}")
                for name in tally.sums
            ),
        )


_TYPES: Mapping[Any, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    date: "date",
    datetime: "timestamptz",
    UUID: "uuid",
    dict: "jsonb",
}


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"column {name} has no comment: annotate it with one")
    meant, comment = get_args(hint)
    options = [one for one in get_args(meant) if one is not NoneType]
    nullable = get_origin(meant) is UnionType
    meant = options[0] if nullable else meant
    if get_origin(meant) is list:
        return Column(name, f"{_TYPES[get_args(meant)[0]]}[]", nullable, comment)
    return Column(name, _TYPES[get_origin(meant) or meant], nullable, comment)


class Rows:
    """The rows a batch of events may change, and those it adds. Nothing is written here."""

    def __init__(self, loaded: Mapping[str, Iterable[Row]]) -> None:
        self._loaded = loaded
        self._known: dict[str, dict[UUID, list[Row]]] = {}
        self._changed: dict[str, dict[int, Row]] = {}

    def of(self, table: Table[R], aggregate_id: UUID) -> Sequence[R]:
        """The rows that belong to an aggregate, to be read only."""
        return self._by_id(table).get(aggregate_id, ())  # type: ignore[return-value]

    def changing(self, table: Table[R], aggregate_id: UUID, **having: object) -> Iterator[R]:
        """The rows that belong to an aggregate and have these values, to be changed."""
        for row in self.of(table, aggregate_id):
            if all(getattr(row, name) == value for name, value in having.items()):
                self._changed.setdefault(table.name, {})[id(row)] = row
                yield row

    def add(self, table: Table[R], row: R) -> None:
        self._changed.setdefault(table.name, {})[id(row)] = row
        _index(self._by_id(table), table, row)

    def hold(self, table: Table[R], row: R) -> None:
        """Know one more row, as it is written."""
        _index(self._by_id(table), table, row)

    def forget(self, table: Table[R]) -> None:
        """Drop what was added to a table whose rows belong to nothing: it has been written."""
        self._changed.pop(table.name, None)

    def changed(self, table: Table[R]) -> list[Row]:
        """What has to be written, settled."""
        rows = list(self._changed.get(table.name, {}).values())
        for row in rows:
            row.settle()
        return rows

    def _by_id(self, table: Table[Any]) -> dict[UUID, list[Row]]:
        known = self._known.get(table.name)
        if known is None:
            known = self._known[table.name] = {}
            for row in self._loaded.get(table.name, ()):
                _index(known, table, row)
        return known


def _index(known: dict[UUID, list[Row]], table: Table[Any], row: Row) -> None:
    for name in table.found_by:
        known.setdefault(getattr(row, name), []).append(row)


# Projections

Handler = Callable[[Any, Any, Rows], None]
H = TypeVar("H", bound=Handler)


def when(*events: type) -> Callable[[H], H]:
    """Mark a method as what events of these topics do to the rows."""

    def mark(handler: H) -> H:
        handler.events = events  # type: ignore[attr-defined]
        return handler

    return mark


class Projection:
    """A read model: its tables, and a handler for every event that changes them.

    Raise `version` when a handler begins to mean something else: the view is then rebuilt.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table[Any], ...]]
    _handlers: ClassVar[Mapping[str, Handler]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._handlers = {
            event.TOPIC: handler
            for handler in vars(cls).values()
            for event in getattr(handler, "events", ())
        }

    def concerns(self, topic: str) -> bool:
        """Whether events of this topic change anything here; others need not be shown to it."""
        return topic in self._handlers

    def touches(self, recorded: Recorded) -> Iterator[UUID]:
        """The aggregates whose rows this event reads or changes."""
        yield recorded.originator_id

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Let one event change the rows."""
        handler = self._handlers.get(recorded.topic)
        if handler is not None:
            handler(self, recorded.body, rows)


# Queries


class Reader(Protocol):
    """What queries need of a database."""

    def fetch(
        self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()
    ) -> list[dict[str, Any]]: ...


Today = Mapping[Country, date]
"""The civil date of the moment, by the country of the controller."""


def civil_dates(at: datetime) -> Today:
    return {country: received_on(at, country) for country in Country}
