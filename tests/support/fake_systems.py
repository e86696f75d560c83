"""Systems in memory behind the connectors' port, for walks that are not about any vendor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import AwaitsPerson, Connector, Correction, Person, Record, Result, Treatment


@dataclass
class FakeSystem:
    """Holds records under the address they are filed by. A manual one only waits for a person."""

    manual: bool = False
    held: list[tuple[str, Record]] = field(default_factory=list)
    restricted: set[str] = field(default_factory=set)
    suppressed: set[str] = field(default_factory=set)
    fixed: frozenset[str] = frozenset()
    """Fields that nobody can change by a call."""

    def hold(self, address: str, kind: str, key: str, **facts: Any) -> None:
        fields = facts.pop("fields", {"email": address})
        match = facts.pop("match", Match.VERIFIED_IDENTIFIER)
        by = IdentifierKind.NAME if match is Match.SAME_NAME else IdentifierKind.EMAIL
        self.held.append((address, Record(key, kind, match, by, fields, **facts)))

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        if self.manual:
            raise AwaitsPerson("look-up")
        addresses = person.all(IdentifierKind.EMAIL)
        yield from (record for address, record in self.held if address in addresses)

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        if self.manual:
            raise AwaitsPerson("erase-by-hand")
        if not treatment.keep_fields:
            self.held = [one for one in self.held if one[1].key != treatment.key]
        return Result(Outcome.ERASED)

    def suppress(self, person: Person, *, key: str) -> Result:
        self.suppressed |= set(person.all(IdentifierKind.EMAIL))
        return Result(Outcome.SUPPRESSED)

    def rectify(self, person: Person, correction: Correction, *, key: str) -> Result:
        if self.manual or correction.fields.keys() & self.fixed:
            raise AwaitsPerson("rectify-by-hand")
        for place, (address, record) in enumerate(self.held):
            if record.key == correction.key:
                fields = {**record.fields, **correction.fields}
                if correction.statement:
                    fields["notes"] = correction.statement
                address = str(correction.fields.get("email") or address)
                self.held[place] = address, replace(record, fields=fields)
        return Result(Outcome.RECTIFIED)

    def restrict(self, person: Person, *, key: str) -> Result:
        if self.manual:
            raise AwaitsPerson("restrict-by-hand")
        if not any(self.find(person)):
            return Result(Outcome.NOT_FOUND)
        self.restricted |= set(person.all(IdentifierKind.EMAIL))
        return Result(Outcome.RESTRICTED)

    def is_restricted(self, person: Person) -> bool:
        return set(person.all(IdentifierKind.EMAIL)) <= self.restricted

    def unrestrict(self, person: Person, *, key: str) -> Result:
        if self.manual:
            raise AwaitsPerson("unrestrict-by-hand")
        self.restricted -= set(person.all(IdentifierKind.EMAIL))
        return Result(Outcome.INFORMED)


@dataclass
class FakeSystems:
    """Keeps `services.worker.Systems`; `manual` names the systems only a person can look into."""

    manual: frozenset[str] = frozenset()
    made: dict[tuple[str, str], Connector] = field(default_factory=dict)

    def connector(self, controller: str, system: str) -> Connector:
        return self.made.setdefault((controller, system), FakeSystem(manual=system in self.manual))

    def system(self, controller: str, system: str) -> FakeSystem:
        found = self.connector(controller, system)
        assert isinstance(found, FakeSystem)
        return found
