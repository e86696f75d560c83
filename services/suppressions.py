"""Suppressions: who must not be written to stays so, whatever is imported (Art. 21(3), GK-15).

The list holds keyed tokens of addresses and numbers, nothing else, and outlives the case. A system
that can say whom it writes to is asked once a day; whoever is on the list is stopped there again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

from domain.controller import controller_id
from domain.errors import DomainError
from domain.staff import human
from domain.vocabulary import IdentifierKind
from services.controllers import Controllers
from services.ports import Also, Clock, Identifier, Person, Systems, Task, Tasks
from services.register import Register, again_on_conflict

CHECK_SUPPRESSIONS: Final = "check-suppressions"
SUPPRESSIBLE: Final = frozenset({IdentifierKind.EMAIL, IdentifierKind.PHONE})


class Suppressed(Protocol):
    """The list, through keyed tokens; an entry is lifted by a person, never by time."""

    def add(self, controller: str, identifier: Identifier, request_id: UUID) -> Also: ...

    def request_of(self, controller: str, identifier: Identifier) -> UUID | None:
        """The request that somebody is on the list for; None when they are not on it."""
        ...

    def again(self, controller: str, identifier: Identifier) -> Also: ...

    def lift(self, controller: str, identifier: Identifier, *, by: str, because: str) -> Also: ...


@runtime_checkable
class Subscribing(Protocol):
    """What a system offers that can say to whom it would write today."""

    def subscribed(self) -> Iterator[Identifier]: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What one look at one system came to. `can_tell` is false where it cannot list anybody."""

    system: str
    can_tell: bool
    looked_at: int
    stopped_again: int


class Suppressions:
    def __init__(
        self,
        register: Register,
        suppressed: Suppressed,
        controllers: Controllers,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._register, self._suppressed = register, suppressed
        self._controllers, self._tasks, self._clock = controllers, tasks, clock
        self._planned_on: dict[str, date] = {}

    def added(
        self, controller: str, request_id: UUID, identifiers: Iterable[Identifier]
    ) -> list[Also]:
        """Put a person on the list, in the save of whatever stopped marketing to them."""
        return [
            self._suppressed.add(controller, one, request_id)
            for one in identifiers
            if one.kind in SUPPRESSIBLE and one.value.strip()
        ]

    def is_on(self, controller: str, identifier: Identifier) -> bool:
        return self._suppressed.request_of(controller, identifier) is not None

    def lift(self, controller: str, identifier: Identifier, *, because: str, by: str) -> None:
        """The person said yes again, later than the no: a code says how that is known."""
        if not because.strip():
            raise DomainError("say how it is known that they agreed again", key="agreed-again")
        if not self.is_on(controller, identifier):
            raise DomainError(
                "nobody with this address or number is on the list", key="not-on-list"
            )
        lifted = self._suppressed.lift(controller, identifier, by=human(by), because=because)
        self._register.save_all([], [lifted])

    # Looking again

    def pass_over(self, today: date) -> int:
        """Plan today's look at every system that sends marketing; answers how many."""
        planned = 0
        for controller in self._controllers.names():
            if self._planned_on.get(controller) == today:
                continue
            for system in self._controllers.in_force(controller).systems:
                if system.marketing:
                    task = self._task(controller, system.id, today)
                    self._register.save_all([], [self._tasks.add(task)])
                    planned += 1
            self._planned_on[controller] = today
        return planned

    def _task(self, controller: str, system: str, today: date) -> Task:
        return Task(
            key=f"{controller}/{system}/suppressions/{today}",
            kind=CHECK_SUPPRESSIONS,
            subject_id=controller_id(controller),
            due_at=self._clock(),
            controller=controller,
            system=system,
        )

    def check(self, controller: str, system: str, systems: Systems) -> Checked:
        """Stop marketing again to everybody on the list whom the system would write to."""
        connector = systems.connector(controller, system)
        if not isinstance(connector, Subscribing):
            return Checked(system, False, 0, 0)
        looked_at, found = 0, list[tuple[Identifier, UUID]]()
        for identifier in connector.subscribed():  # to the end first: to stop somebody moves pages
            looked_at += 1
            request_id = self._suppressed.request_of(controller, identifier)
            if request_id is not None:
                found.append((identifier, request_id))
        for identifier, request_id in found:
            key = f"{request_id}/{system}/suppress-again/{self._clock().date()}"
            connector.suppress(Person((identifier,)), key=key)
            self._stopped_again(controller, system, identifier, request_id)
        return Checked(system, True, looked_at, len(found))

    @again_on_conflict
    def _stopped_again(
        self, controller: str, system: str, identifier: Identifier, request_id: UUID
    ) -> None:
        now = self._clock()
        again = self._suppressed.again(controller, identifier)
        stop = self._register.find_marketing_stop(request_id)
        if stop is not None:  # they said no with one click, and there is no request
            stop.stop_again(system=system, at=now)
            self._register.save_all([stop], [again])
            return
        request = self._register.request(request_id)
        request.suppress_again(system=system, at=now)
        self._register.save_all([request], [again])

    def done(self, task: Task) -> None:
        self._register.save_all([], [self._tasks.done(task)])
