"""Pile: the records of one category on their way into a package, most of them compressed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from zlib import compress, decompress

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it will be shown."""

    system: str
    system_name: str
    kind: str
    fields: dict[str, Json]
    masked: tuple[str, ...]
    recipients: tuple[str, ...]
    covered: dict[str, list[str]] = field(default_factory=dict)
    """What is covered, and the codes of why, by the fields' paths."""


class Pile:
    """The records of one category, in their order; all but the last ones are compressed."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._last: list[Held] = []
        self.systems: set[str] = set()
        self.recipients: set[str] = set()
        self.covered = False

    def add(self, record: Held) -> None:
        self.systems.add(record.system)
        self.recipients.update(record.recipients)
        self.covered = self.covered or bool(record.masked)
        self._last.append(record)
        if len(self._last) == _TOGETHER:
            self._packed.append(compress(json.dumps(list(map(_parts, self._last))).encode()))
            self._last = []

    def __len__(self) -> int:
        return len(self._packed) * _TOGETHER + len(self._last)

    def __iter__(self) -> Iterator[Held]:
        for packed in self._packed:
            for parts in json.loads(decompress(packed)):
                system, name, kind, fields, masked, recipients, covered = parts
                yield Held(system, name, kind, fields, tuple(masked), tuple(recipients), covered)
        yield from self._last


_TOGETHER = 250
_parts = attrgetter("system", "system_name", "kind", "fields", "masked", "recipients", "covered")
