"""Why a form could not be carried out, in words of the reader's language where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.inbound.web.happened import Happened
from adapters.inbound.web.look import Look
from domain.errors import DomainError


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stood in the way: a rule by its key or in its own words, or what changed meanwhile."""

    key: str = ""
    message: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    changed: tuple[Happened, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.key or self.message or self.changed)

    def said(self, look: Look) -> tuple[str, bool]:
        """The words, and whether they are in the reader's language."""
        words = look.find(f"error.{self.key}") if self.key else None
        if words is None:
            return self.message, False
        return words.format_map(self.values), True


NO_TROUBLE = Trouble()


def trouble_of(error: Exception) -> Trouble:
    """Whatever a command refused; what was destroyed says so in every language."""
    if isinstance(error, DomainError):
        return Trouble(key=error.key, message=str(error), values=error.values)
    return Trouble(key="" if str(error) else "gone", message=str(error))
