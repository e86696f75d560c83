"""Looking: nothing personal is shown to staff before the look is on record (Art. 5(2), 29)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from domain.controller import controller_id
from domain.looks import Look, Looks
from domain.vocabulary import Content, Door, Purpose
from services.ports import Clock
from services.register import Register, again_on_conflict


class Looking:
    """Records looks; whoever shows something asks here first, and shows nothing if this fails."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register, self._clock = register, clock

    def into_case(
        self,
        case_id: UUID,
        controller: str,
        what: Collection[Content],
        *,
        by: str,
        purpose: Purpose,
        way: Door,
    ) -> None:
        """What belongs to one case."""
        self._look(case_id, controller, what, by, purpose, way)

    def into_all(
        self, controller: str, what: Collection[Content], *, by: str, purpose: Purpose, way: Door
    ) -> None:
        """What belongs to no one case of a controller: a search, the drawer of letters."""
        self._look(controller_id(controller), controller, what, by, purpose, way)

    def at_case(self, case_id: UUID) -> tuple[Look, ...]:
        """Every look at a case, the newest first."""
        return self._looks(case_id)

    def at_all(self, controller: str) -> tuple[Look, ...]:
        """Every look at what belongs to no one case, the newest first."""
        return self._looks(controller_id(controller))

    def _looks(self, subject_id: UUID) -> tuple[Look, ...]:
        found = self._register.find_looks(subject_id)
        return found.looks[::-1] if found else ()

    @again_on_conflict
    def _look(
        self,
        subject_id: UUID,
        controller: str,
        what: Collection[Content],
        by: str,
        purpose: Purpose,
        way: Door,
    ) -> None:
        now = self._clock()
        looks = self._register.find_looks(subject_id) or Looks(
            subject_id=subject_id, controller=controller, timestamp=now
        )
        looks.show(what, by=by, purpose=purpose, way=way, at=now)
        if looks.pending_events:
            self._register.save_all([looks])
