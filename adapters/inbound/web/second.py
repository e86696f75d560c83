"""Who may be the second of two people: never the first, never the officer (Art. 12(5), 38(6))."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.inbound.web.session import Desk
from domain.access import Permission
from domain.staff import same_person
from services.consulting import officers_of


@dataclass(frozen=True, slots=True)
class WhoMay:
    """The reader of a page, as far as deciding with somebody else goes."""

    staff_id: str
    is_officer: bool
    may_approve: bool

    @classmethod
    def of(cls, desk: Desk, controller: str) -> WhoMay:
        return cls(
            desk.staff_id,
            desk.staff_id in officers_of(desk.installation.staff, controller),
            desk.may(Permission.APPROVE, controller),
        )

    def bar(self, first: str) -> str:
        """Why this reader cannot confirm what that person proposed; empty where they can."""
        if same_person(first, self.staff_id):
            return "yours"
        if self.is_officer:
            return "officer"
        return "" if self.may_approve else "role"
