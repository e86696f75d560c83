"""What connectors share that can change a record and leave it where it is (Art. 16, 18)."""

from __future__ import annotations

from typing import Protocol

from services.ports import Correction, Person, Result


class Changes(Protocol):
    """How one system does it."""

    def rectify(self, correction: Correction) -> Result: ...

    def restrict(self, person: Person) -> Result: ...

    def is_restricted(self, person: Person) -> bool: ...

    def unrestrict(self, person: Person) -> Result: ...


class Changing:
    """Keeps `services.ports.Rectifies` and `Restricts`; all of it looks before it writes."""

    _changes: Changes

    def rectify(self, person: Person, correction: Correction, *, key: str) -> Result:
        return self._changes.rectify(correction)

    def restrict(self, person: Person, *, key: str) -> Result:
        return self._changes.restrict(person)

    def is_restricted(self, person: Person) -> bool:
        return self._changes.is_restricted(person)

    def unrestrict(self, person: Person, *, key: str) -> Result:
        return self._changes.unrestrict(person)
