"""Assigning: whose request it is, and who stands in while somebody is away.

Who is away loses nothing for good: a request goes to the deputy and stays there, because whoever
has begun to read a case ends it; taking it back is one step, for one request or for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import structlog

from domain.access import Access
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import Status
from domain.staff import MACHINE
from domain.vocabulary import Country
from services.ports import Clock, Member, Staff
from services.register import Register, again_on_conflict

MOST_AT_ONCE = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Held:
    """An open request that somebody has."""

    request_id: UUID
    country: Country
    assigned_to: str


@dataclass(frozen=True, slots=True)
class Given:
    """What became of giving many requests to somebody: changed hands, had them, could not."""

    assigned: int
    had: int
    closed: int
    elsewhere: int


def works_at(controller: str, member: Member, access: Mapping[str, Access]) -> bool:
    """Whether roles or tokens open anything there; of whoever never had any the record tells."""
    theirs = access.get(member.id)
    return member.sees(controller) if theirs is None else theirs.knows_of(controller)


class Assigning:
    """Gives requests to people."""

    def __init__(self, register: Register, staff: Staff, clock: Clock) -> None:
        self._register, self._staff, self._clock = register, staff, clock

    @again_on_conflict
    def assign(self, request_ids: Sequence[UUID], *, to: str, by: str) -> int:
        """Give requests to somebody, all of them or none; answers how many changed hands."""
        if not 1 <= len(set(request_ids)) <= MOST_AT_ONCE:
            raise DomainError(f"name 1 to {MOST_AT_ONCE} requests")
        now = self._clock()
        requests = [self._register.request(one) for one in dict.fromkeys(request_ids)]
        for request in requests:
            self._require_colleague(to, request.controller, by)
            if request.status is Status.CLOSED:
                raise DomainError("a closed request needs nobody: choose open ones")
            request.assign(to=to, by=by, at=now)
        changed = [request for request in requests if request.pending_events]
        self._register.save_all(changed)
        return len(changed)

    @again_on_conflict
    def assign_open(self, request_ids: Sequence[UUID], *, to: str, by: str) -> Given:
        """Give somebody those of the requests that can be given, and say what became of the rest.

        Between looking at a list and pressing its button some may have been closed, or have gone
        to a controller that the colleague does not work for.
        """
        if not 1 <= len(set(request_ids)) <= MOST_AT_ONCE:
            raise DomainError(f"name 1 to {MOST_AT_ONCE} requests")
        now, member = self._clock(), self._staff.members().get(to)
        if member is None and to != by:
            raise DomainError(f"nobody here is called {to!r}: choose a staff id that is known")
        requests = [self._register.request(one) for one in dict.fromkeys(request_ids)]
        still_open = [one for one in requests if one.status is not Status.CLOSED]
        access = self._staff.access()
        theirs = [
            one
            for one in still_open
            if to == by or (member and works_at(one.controller, member, access))
        ]
        for request in theirs:
            request.assign(to=to, by=by, at=now)
        changed = [request for request in theirs if request.pending_events]
        self._register.save_all(changed)
        return Given(
            assigned=len(changed),
            had=len(theirs) - len(changed),
            closed=len(requests) - len(still_open),
            elsewhere=len(still_open) - len(theirs),
        )

    def stand_in(self, held: Iterable[Held]) -> int:
        """Give what people have who are away today to their deputies; answers how much."""
        now = self._clock()
        away = {country: self._staff.away(received_on(now, country)) for country in Country}
        moved = 0
        for one in held:
            if one.assigned_to in away[one.country]:
                moved += self._moved(one, away[one.country])
        return moved

    def deputy_of(self, staff_id: str, controller: str, on: date) -> str | None:
        """Who stands in: the deputy, or the deputy's own where that one is away as well.

        Whoever does not work for the controller stands in for nobody there.
        """
        return self._present(staff_id, controller, self._staff.away(on))

    def _present(self, staff_id: str, controller: str, away: frozenset[str]) -> str | None:
        members, seen, wanted = self._staff.members(), {staff_id}, staff_id
        access = self._staff.access()
        while True:
            member = members.get(wanted)
            if member is None or member.deputy is None or member.deputy in seen:
                return None
            wanted = member.deputy
            deputy = members.get(wanted)
            if deputy and wanted not in away and works_at(controller, deputy, access):
                return wanted
            seen.add(wanted)

    @again_on_conflict
    def _moved(self, held: Held, away: frozenset[str]) -> int:
        request = self._register.request(held.request_id)
        if request.assigned_to not in away or request.status is Status.CLOSED:
            return 0
        deputy = self._present(held.assigned_to, request.controller, away)
        if deputy is None:
            log.warning("nobody_stands_in", staff_id=held.assigned_to)
            return 0
        request.assign(to=deputy, by=MACHINE, at=self._clock())
        self._register.save_all([request])
        return 1

    def _require_colleague(self, to: str, controller: str, by: str) -> None:
        if to == by:
            return
        member = self._staff.members().get(to)
        if member is None:
            raise DomainError(f"nobody here is called {to!r}: choose a staff id that is known")
        if not works_at(controller, member, self._staff.access()):
            raise DomainError(f"{to!r} does not work for {controller!r}: choose somebody who does")
