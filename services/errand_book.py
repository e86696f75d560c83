"""The book of errands: which are open, whose each is, and on which day something is due."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from domain.errand import Errand
from services.ports import Also


@dataclass(frozen=True, slots=True)
class Booked:
    """One errand as the book has it: ids and days, nothing about anybody."""

    errand_id: UUID
    controller: str
    case_id: UUID
    request_id: UUID
    system: str
    holder: UUID
    next_on: date | None


class ErrandBook(Protocol):
    def keep(self, errand: Errand) -> Also:
        """The errand as it will stand after the save that this goes with."""
        ...

    def open_ones(self, controllers: Collection[str]) -> tuple[Booked, ...]: ...

    def of_requests(self, request_ids: Collection[UUID]) -> tuple[Booked, ...]:
        """Every errand of these requests, open or not, the oldest first."""
        ...

    def open_of_holder(self, holder: UUID) -> tuple[Booked, ...]: ...

    def holder(self, controller: str, address: str) -> UUID:
        """The id of whoever reads mail at an address; it says nothing about the address."""
        ...
