"""How values inside events become JSON and come back as what they were."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from functools import partial
from types import UnionType
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Transcoding,
    UUIDAsHex,
)

from domain import vocabulary
from domain.many import Many
from domain.personal import PersonalRef


class DateAsISO(Transcoding):
    type = date
    name = "date"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class TimedeltaAsMicroseconds(Transcoding):
    type = timedelta
    name = "timedelta"

    def encode(self, obj: timedelta) -> int:
        return obj // timedelta(microseconds=1)

    def decode(self, data: int) -> timedelta:
        return timedelta(microseconds=data)


class FrozensetAsList(Transcoding):
    type = frozenset
    name = "frozenset"

    def encode(self, obj: frozenset[Any]) -> list[Any]:
        # The same set is always the same bytes: the evidence chain digests them.
        return sorted(obj, key=str)

    def decode(self, data: list[Any]) -> frozenset[Any]:
        return frozenset(data)


class PersonalRefAsHex(Transcoding):
    type = PersonalRef
    name = "personal-ref"

    def encode(self, obj: PersonalRef) -> str:
        return obj.id.hex

    def decode(self, data: str) -> PersonalRef:
        return PersonalRef(UUID(data))


class EnumByValue(Transcoding):
    """The member by its value, under the name of its class, which is never renamed."""

    def __init__(self, enum: type[Enum]) -> None:
        self.type = enum
        self.name = enum.__name__
        self._members = {member.value: member for member in enum}

    def encode(self, obj: Enum) -> Any:
        return obj.value

    def decode(self, data: Any) -> Enum:
        return self._members[data]


class ValueByField(Transcoding):
    """A frozen dataclass by the names of its fields.

    A field that was added later takes its default, one that was dropped is passed over. JSON knows
    lists only, so a field declared as a tuple or a frozenset is made one again.
    """

    def __init__(self, value_type: type) -> None:
        self.type = value_type
        self.name = value_type.__name__
        self._shapes: dict[str, Callable[[Any], Any]] | None = None

    def encode(self, obj: Any) -> dict[str, Any]:
        return {f.name: getattr(obj, f.name) for f in dataclasses.fields(obj) if f.init}

    def decode(self, data: dict[str, Any]) -> Any:
        if self._shapes is None:
            hints = typing.get_type_hints(self.type)
            self._shapes = {
                f.name: _shape(hints[f.name]) for f in dataclasses.fields(self.type) if f.init
            }
        shapes = self._shapes
        return self.type(**{k: shapes[k](v) for k, v in data.items() if k in shapes})


class ManyByColumn(Transcoding):
    """The sorts there are, and the columns of what differs in base64; `count` is for readers."""

    type = Many
    name = "many"

    def encode(self, obj: Many[Any]) -> dict[str, Any]:
        return {
            "count": len(obj),
            "kinds": list(obj.kinds),
            "which": b64encode(obj.which).decode(),
            "columns": [b64encode(column).decode() for column in obj.columns],
        }

    def decode(self, data: dict[str, Any]) -> Many[Any]:
        return Many(
            tuple(data["kinds"]),
            b64decode(data["which"]),
            tuple(b64decode(column) for column in data["columns"]),
        )


def register_all(transcoder: JSONTranscoder, *value_types: type) -> None:
    """Teach a transcoder the vocabulary, dates, references and these value types.

    A value type is a frozen dataclass or an `Enum`. Names must differ, for they are what the log
    says for ever.
    """
    known: list[Transcoding] = [UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()]
    known += [DateAsISO(), TimedeltaAsMicroseconds(), FrozensetAsList(), PersonalRefAsHex()]
    known += [ManyByColumn()]
    known += [EnumByValue(enum) for enum in _enums_of_vocabulary()]
    for value_type in dict.fromkeys(value_types):
        if value_type in {transcoding.type for transcoding in known}:
            continue
        if issubclass(value_type, Enum):
            known.append(EnumByValue(value_type))
        elif dataclasses.is_dataclass(value_type):
            known.append(ValueByField(value_type))
        else:
            raise TypeError(f"{value_type.__name__} is neither a dataclass nor an Enum")
    for transcoding in known:
        taken = transcoder.names.get(transcoding.name)
        if taken is not None and taken.type is not transcoding.type:
            raise ValueError(f"two value types are both called {transcoding.name}")
        transcoder.register(transcoding)


def _enums_of_vocabulary() -> list[type[Enum]]:
    return [
        member
        for _, member in inspect.getmembers(vocabulary, inspect.isclass)
        if issubclass(member, Enum) and member.__module__ == vocabulary.__name__
    ]


def _shape(hint: Any) -> Callable[[Any], Any]:
    """How a decoded field gets back the container that its annotation declares."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, UnionType}:
        containers = [a for a in typing.get_args(hint) if typing.get_origin(a) in _CONTAINERS]
        return partial(_optional, _shape(containers[0])) if containers else _as_is
    if origin in _CONTAINERS:
        inner = [_shape(a) for a in typing.get_args(hint) if a is not Ellipsis]
        return partial(_container, origin, inner[0] if inner else _as_is)
    return _CONTAINERS_BARE.get(hint, _as_is)


def _as_is(value: Any) -> Any:
    return value


def _optional(shape: Callable[[Any], Any], value: Any) -> Any:
    return shape(value) if isinstance(value, list | frozenset) else value


def _container(container: type, inner: Callable[[Any], Any], value: Any) -> Any:
    return container(inner(item) for item in value)


_CONTAINERS = {tuple, frozenset}
_CONTAINERS_BARE: dict[Any, Callable[[Any], Any]] = {tuple: tuple, frozenset: frozenset}
