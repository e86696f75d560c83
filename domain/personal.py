"""How events point at personal data without holding any."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from domain.errors import DomainError

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}")


@dataclass(frozen=True, slots=True)
class PersonalRef:
    """An id into the vault. The text behind it can be destroyed; the event stays."""

    id: UUID

    def __str__(self) -> str:
        return str(self.id)


def is_code(words: str) -> bool:
    return _CODE.fullmatch(words) is not None


def code(reason: str) -> str:
    """A reason, as an event may keep it for ever: one word that says nothing about anybody."""
    if not reason.strip():
        raise DomainError("say why: a reason is kept with every decision")
    if not is_code(reason):
        raise DomainError("a reason is kept for ever: give a code such as same-address, no text")
    return reason
