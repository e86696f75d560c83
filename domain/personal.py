"""How events point at personal data without holding any."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PersonalRef:
    """An id into the vault. The text behind it can be destroyed; the event stays."""

    id: UUID

    def __str__(self) -> str:
        return str(self.id)
