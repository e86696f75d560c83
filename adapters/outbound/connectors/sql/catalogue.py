"""What a database says about itself: tables, columns, keys, and which rows refer to which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

Place = tuple[str, str]
"""Schema and table."""


class Sort(Enum):
    """As far as it matters to how a column is compared."""

    TEXT = "text"
    WHOLE_NUMBER = "whole-number"
    BIT = "bit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """`folds`: the database itself compares it without case."""

    name: str
    sort: Sort
    nullable: bool = True
    generated: bool = False
    folds: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    place: Place
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    transactional: bool = True

    @property
    def name(self) -> str:
        return self.place[1]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of `child` refer to `parent_columns` of `parent`."""

    child: Place
    columns: tuple[str, ...]
    parent: Place
    parent_columns: tuple[str, ...]
    cascades: bool
    """Whether the database erases the child's rows by itself."""


class Catalogue:
    """Tables by place, and the foreign keys that lead to each."""

    def __init__(
        self, schema: str, tables: Iterable[Table], foreign_keys: Iterable[ForeignKey]
    ) -> None:
        self.schema = schema
        self.tables = {table.place: table for table in tables}
        self._to: dict[Place, list[ForeignKey]] = {}
        self._from: dict[Place, list[ForeignKey]] = {}
        for key in foreign_keys:
            self._to.setdefault(key.parent, []).append(key)
            self._from.setdefault(key.child, []).append(key)

    def referring_to(self, place: Place) -> tuple[ForeignKey, ...]:
        return tuple(self._to.get(place, ()))

    def referring_from(self, place: Place) -> tuple[ForeignKey, ...]:
        return tuple(self._from.get(place, ()))
