"""Many: a long row of found records, decisions or outcomes, held and recorded in columns.

As objects, what is said about 50,000 records of one person takes 50 MB; in columns it takes three.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, fields
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar, overload
from uuid import UUID

from domain.errors import DomainError
from domain.personal import PersonalRef

FEW = 500
"""So many are a tuple; what events say of them can then be read by anybody."""
WIDTH = 16
"""Bytes of one value in a column: of a UUID, or of a digest."""


class Identified(Protocol):
    """A frozen dataclass that begins with the id of the record it is about."""

    @property
    def record_id(self) -> UUID: ...


T = TypeVar("T", bound=Identified)


def gathered(items: Iterable[T]) -> tuple[T, ...] | Many[T]:
    """A tuple of a few, columns of many; what is given is looked at once."""
    if isinstance(items, Many):
        return items
    rest = iter(items)
    few = tuple(islice(rest, FEW + 1))
    return few if len(few) <= FEW else Many.of(chain(few, rest))


def by_id(items: tuple[T, ...] | Many[T]) -> Mapping[UUID, T]:
    """The same, to be found by the record they are about."""
    return ById(items) if isinstance(items, Many) else {item.record_id: item for item in items}


@dataclass(frozen=True, slots=True)
class Column:
    """How a value that differs from record to record is held."""

    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], Any]


_COLUMNS: Mapping[str, Column] = {
    "record_id": Column(attrgetter("bytes"), lambda held: UUID(bytes=held)),
    "content": Column(attrgetter("id.bytes"), lambda held: PersonalRef(UUID(bytes=held))),
    "digest": Column(bytes.fromhex, bytes.hex),
}


def _columns(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind) if field.name in _COLUMNS]


def _others(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in _COLUMNS]


@dataclass(frozen=True, slots=True)
class Many(Sequence[T], Generic[T]):
    """Values of one type, made when they are looked at.

    `kinds` has one of each sort: those of a sort are alike in everything that has no column.
    `which` says of which sort each value is, in four bytes; the columns hold what differs.
    """

    kinds: tuple[T, ...]
    which: bytes
    columns: tuple[bytes, ...]

    @classmethod
    def of(cls, items: Iterable[T]) -> Many[T]:
        rest = iter(items)
        first = next(rest)
        others = attrgetter(*_others(type(first)))
        packs = [(name, _COLUMNS[name].pack, bytearray()) for name in _columns(type(first))]
        kinds: dict[Any, int] = {}
        examples: list[T] = []
        which = bytearray()
        for item in chain([first], rest):
            place = kinds.setdefault(others(item), len(examples))
            if place == len(examples):
                examples.append(item)
            which += place.to_bytes(4, "little")
            for name, pack, column in packs:
                value = pack(getattr(item, name))
                if len(value) != WIDTH:
                    raise DomainError(f"{name} has {len(value)} bytes: {WIDTH} are wanted")
                column += value
        return cls(tuple(examples), bytes(which), tuple(bytes(column) for _, _, column in packs))

    def __len__(self) -> int:
        return len(self.which) // 4

    def __iter__(self) -> Iterator[T]:
        return self._made(range(len(self)))

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        places = range(len(self))[place]
        if isinstance(places, range):
            return tuple(self._made(places))
        return next(self._made([places]))

    def _made(self, places: Iterable[int]) -> Iterator[T]:
        kind = type(self.kinds[0])
        unpacks = [
            (name, _COLUMNS[name].unpack, column)
            for name, column in zip(_columns(kind), self.columns, strict=True)
        ]
        others = _others(kind)
        alike: dict[int, dict[str, Any]] = {}
        for place in places:
            which = int.from_bytes(self.which[place * 4 : place * 4 + 4], "little")
            if which not in alike:
                alike[which] = {name: getattr(self.kinds[which], name) for name in others}
            at = place * WIDTH
            differs = {name: unpack(column[at : at + WIDTH]) for name, unpack, column in unpacks}
            yield kind(**alike[which], **differs)


class ById(Mapping[UUID, T]):
    """The values of `Many` by the record they are about, found without an entry for each."""

    def __init__(self, many: Many[T]) -> None:
        self._many = many
        self._ids = many.columns[0]
        self._order = array("I", sorted(range(len(many)), key=self._id))

    def __len__(self) -> int:
        return len(self._many)

    def __iter__(self) -> Iterator[UUID]:
        return (UUID(bytes=self._id(place)) for place in range(len(self)))

    def __getitem__(self, record_id: UUID) -> T:
        wanted = record_id.bytes
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._id(self._order[middle]) < wanted:
                low = middle + 1
            else:
                high = middle
        if low == len(self._order) or self._id(self._order[low]) != wanted:
            raise KeyError(record_id)
        return self._many[self._order[low]]

    def values(self) -> ValuesView[T]:
        return _Values(self)

    def each(self) -> Iterator[T]:
        return iter(self._many)

    def _id(self, place: int) -> bytes:
        return self._ids[place * WIDTH : (place + 1) * WIDTH]


class _Values(ValuesView[T]):
    """In their order, without looking for each."""

    def __init__(self, mapping: ById[T]) -> None:
        super().__init__(mapping)
        self._all = mapping.each

    def __iter__(self) -> Iterator[T]:
        return self._all()
