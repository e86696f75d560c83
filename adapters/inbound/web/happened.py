"""One line of what happened in a case, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.vocabulary import Right


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of what happened."""

    at: datetime
    topic: str
    right: Right | None
    by: str | None
    details: tuple[str, ...]
